import type { Packet } from '../../base/packet.ts'
import { headersOf, segmentsOf } from '../segmenter.ts'

/** The frame check sequence, in bytes. */
const FCS = 4
/** The shortest frame, check sequence included (IEEE 802.3 section 4.4.2: minFrameSize). */
const SHORTEST = 64

/** Bytes that a frame is on the wire, without preamble and gap. */
export function wireLength({ start, end }: Packet, hasFcs: boolean): number {
  return hasFcs ? Math.max(SHORTEST, end - start + FCS) : end - start
}

/** The same of a packet that may be merged: of all its segments, each of which has headers. */
export function allWireLength(packet: Packet, hasFcs: boolean): number {
  if (packet.segmentLength === 0) return wireLength(packet, hasFcs)
  return packet.end - packet.start + (segmentsOf(packet) - 1) * headersOf(packet)
}
