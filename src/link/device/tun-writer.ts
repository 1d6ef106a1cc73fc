/**
 * Frames to a TUN or TAP device.
 *
 * The first frame of a turn is written at once; datagrams of one flow that follow it in the same
 * turn are collected, and written as one frame at the end of the turn or of the wake-up that they
 * answer.
 */
import { Drop } from '../../base/drop.ts'
import { ChecksumState, type Packet } from '../../base/packet.ts'
import { completeChecksum } from '../checksum-offload.ts'
import type { LinkReceiver } from '../link.ts'
import { segmentsOf } from '../segmenter.ts'
import { SendTurn } from './send-turn.ts'
import type { TunCounters } from './tun-counters.ts'
import type { TunFrames } from './tun-frames.ts'
import { EAGAIN, EBADFD, EINVAL, EIO, ENOBUFS, ENODEV, ENOMEM, systemError } from './tun-libc.ts'
import {
  fragmentedVnetHeader,
  mergedVnetHeader,
  plainVnetHeader,
  SegmentBatch,
  Splitter,
  VNET_HEADER,
} from './tun-offload.ts'

/** The device, as its writer sees it. */
export interface WriterHost {
  readonly name: string
  readonly isOpen: boolean
  readonly mtu: number
  readonly receiver: LinkReceiver | null
  /** The interface is down, and this was reported. */
  down: boolean
  wentDown(): void
  fail(error: Error): void
}

/** Long datagrams no further apart, in milliseconds, are a stream. */
const STREAM_GAP = 1

export class TunWriter {
  readonly #host: WriterHost
  readonly #frames: TunFrames
  readonly #counters: TunCounters
  /** Bytes of the link header, which the MTU does not count. */
  readonly #linkHeader: number
  readonly #batch: SegmentBatch | null
  readonly #splitter: Splitter | null
  /** When what was collected is written. */
  readonly turn = new SendTurn(() => {
    if (this.#batch !== null) this.#writeBatch(this.#batch)
  })
  /** The kernel has not yet refused a datagram to fragment. */
  #fragments: boolean
  #lastLong = -Infinity

  constructor(host: WriterHost, frames: TunFrames, counters: TunCounters, linkHeader: number) {
    this.#host = host
    this.#frames = frames
    this.#counters = counters
    this.#linkHeader = linkHeader
    const offload = frames.vnetHeader > 0
    this.#batch = offload ? new SegmentBatch() : null
    this.#splitter = offload ? new Splitter() : null
    this.#fragments = offload
  }

  send(packet: Packet): Drop {
    const host = this.#host
    if (!host.isOpen) return this.#refuse(Drop.LinkDown)
    if (packet.segmentLength > 0) return this.#sendMerged(packet)
    if (packet.end - packet.start - this.#linkHeader > host.mtu) return this.#refuse(Drop.LinkMtuExceeded)
    const batch = this.#batch
    if (batch === null) return this.#writeNow(packet)
    if (this.turn.isBegun && !host.down) {
      if (batch.add(packet)) return Drop.None
      // Another flow, or no datagram: what came before it goes first.
      this.#writeBatch(batch)
      return batch.add(packet) ? Drop.None : this.#writeNow(packet)
    }
    this.turn.begin()
    return this.#writeNow(packet)
  }

  /**
   * In a stream of long datagrams the kernel makes the fragments: one write instead of many. One by
   * itself leaves as the stack's own.
   */
  sendLong(packet: Packet, mtu: number): Drop {
    const now = performance.now()
    const lone = now - this.#lastLong > STREAM_GAP
    this.#lastLong = now
    if (lone || !this.#fragments || !this.#host.isOpen) return Drop.LinkMtuExceeded
    this.#writeBatch(this.#batch as SegmentBatch)
    const length = packet.end - packet.start
    fragmentedVnetHeader(packet, mtu)
    const written = this.#frames.write(packet)
    packet.start += VNET_HEADER
    if (written) {
      this.#counters.sentPackets++
      this.#counters.sentBytes += length
      return Drop.None
    }
    if (this.#frames.errno() === EINVAL) this.#fragments = false
    return Drop.LinkMtuExceeded
  }

  /** A merged packet leaves as it is, behind what was collected before it. */
  #sendMerged(packet: Packet): Drop {
    const batch = this.#batch
    // Without offloads the link says so (`Offload.merged`), and is sent none.
    if (batch === null) return this.#refuse(Drop.LinkRefused)
    if (packet.segmentLength > this.#host.mtu) return this.#refuse(Drop.LinkMtuExceeded)
    this.#writeBatch(batch)
    const { start, end } = packet
    const count = segmentsOf(packet)
    mergedVnetHeader(packet)
    if (this.#frames.write(packet)) {
      packet.start = start
      this.#counters.sentPackets += count
      this.#counters.sentBytes += end - start
      this.#host.down = false
      return Drop.None
    }
    const errno = this.#frames.errno()
    if (errno !== EINVAL) {
      packet.start = start
      return this.#refuse(this.#reason(errno))
    }
    // Each by itself, then.
    this.#splitAndWrite(packet)
    packet.start = start
    return Drop.None
  }

  /** Writes one packet by itself. */
  #writeNow(packet: Packet): Drop {
    const length = packet.end - packet.start
    const { vnetHeader } = this.#frames
    if (vnetHeader > 0) {
      if (packet.checksumState === ChecksumState.Partial) completeChecksum(packet)
      packet.start -= VNET_HEADER
      plainVnetHeader(packet.view, packet.start)
    }
    const written = this.#frames.write(packet)
    packet.start += vnetHeader
    if (!written) return this.#refuse(this.#reason(this.#frames.errno()))
    this.#counters.sentPackets++
    this.#counters.sentBytes += length
    this.#host.down = false
    return Drop.None
  }

  /** Writes the batch as one frame; if the device does not take it so, each datagram by itself. */
  #writeBatch(batch: SegmentBatch): void {
    const { count } = batch
    if (count === 0) return
    const frame = batch.seal()
    batch.count = 0
    if (this.#frames.write(frame)) {
      this.#counters.sentPackets += count
      this.#counters.sentBytes += frame.end - frame.start - VNET_HEADER
      return
    }
    this.#splitAndWrite(frame)
  }

  /**
   * Takes apart a frame that the device refuses whole, and writes each of its packets, vnet header
   * included.
   */
  #splitAndWrite(frame: Packet): void {
    ;(this.#splitter as Splitter).split(frame, (packet) => {
      const drop = this.#host.isOpen ? this.#writeNow(packet) : this.#refuse(Drop.LinkDown)
      if (drop !== Drop.None) this.#host.receiver?.dropped(drop, packet)
    })
  }

  #refuse(drop: Drop): Drop {
    this.#counters.refusedPackets++
    return drop
  }

  /** What a failed write means. */
  #reason(errno: number): Drop {
    const host = this.#host
    switch (errno) {
      case EAGAIN:
      case ENOBUFS:
      case ENOMEM:
        return Drop.LinkQueueFull
      case EIO:
        // Linux: the interface is down. It may come up again.
        host.wentDown()
        return Drop.LinkDown
      case EBADFD:
      case ENODEV: {
        const error = systemError(errno, 'write', `The interface '${host.name}' was deleted while it was in use.`)
        queueMicrotask(() => host.fail(error))
        return Drop.LinkDown
      }
      default:
        return Drop.LinkRefused
    }
  }
}
