/** Copies of frames that a wire keeps: those on their way, waiting, or sent twice. */
import { copyBytes, HEADROOM, Packet } from '../../base/packet.ts'

/**
 * Packets for the next frames that are delayed, of a size that holds a frame of the usual MTU:
 * making one costs more than 1 µs (Node 20). One stock for all wires, so that what was used last,
 * and is in the processor's cache, is used next.
 */
const spare: Packet[] = []
const MAX_SPARE = 1024
const SPARE_CAPACITY = HEADROOM + 1792

/** A copy from the stock where the frame fits; to be given back by {@link recycle}. */
export function spareCopyOf(packet: Packet): Packet {
  if (HEADROOM + packet.length > SPARE_CAPACITY) return copyOf(packet)
  return copyInto(spare.pop() ?? new Packet(SPARE_CAPACITY), packet)
}

/** Takes back a copy that nobody uses any more. */
export function recycle(copy: Packet): void {
  if (spare.length < MAX_SPARE && copy.capacity === SPARE_CAPACITY) spare.push(copy)
}

/** A packet of its own with the same frame and the facts that links carry. */
export function copyOf(packet: Packet): Packet {
  return copyInto(new Packet(HEADROOM + packet.length), packet)
}

function copyInto(copy: Packet, packet: Packet): Packet {
  const length = packet.end - packet.start
  copy.reset(HEADROOM, HEADROOM + length)
  copyBytes(packet, packet.start, copy, HEADROOM, length)
  copy.cast = packet.cast
  copy.checksumState = packet.checksumState
  copy.segmentLength = packet.segmentLength
  copy.nic = packet.nic
  copy.trace = packet.trace
  return copy
}
