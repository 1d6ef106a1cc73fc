/**
 * Datagrams of one flow that a router reads from a device in one wake-up go on as one merged
 * packet, where the router's receiver takes such: each would cost as much as all.
 */
import type { Packet } from '../../base/packet.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import { UDP } from '../../wire/protocol.ts'
import * as udp from '../../wire/udp.ts'
import type { LinkReceiver } from '../link.ts'
import { plainProtocol, Segmenter } from '../segmenter.ts'
import { SegmentBatch } from './tun-offload.ts'

/** The smallest packet with a UDP header. */
const SHORTEST = ipv4.HEADER + udp.HEADER

export class ReceivedFlow {
  readonly #input: (packet: Packet) => void
  #receiver: LinkReceiver | null = null
  /** The receiver took none in this wake-up: a host, or a router with another way. */
  #isOff = true
  /** Both are made when a router needs them. */
  #batch: SegmentBatch | null = null
  #segmenter: Segmenter | null = null
  /** What the splitter hands on. */
  readonly take = (packet: Packet): void => this.#take(packet)

  constructor(input: (packet: Packet) => void) {
    this.#input = input
  }

  /** A wake-up begins. */
  begin(receiver: LinkReceiver | null): void {
    this.#receiver = receiver
    this.#isOff = receiver?.takesMerged === undefined
  }

  /** The wake-up ends: what was collected goes on. */
  end(): void {
    const batch = this.#batch
    if (batch === null || batch.count === 0) return
    const packet = batch.sealMerged()
    batch.count = 0
    if (packet.segmentLength === 0 || this.#receiver?.takesMerged?.(packet) === true) this.#input(packet)
    else {
      this.#segmenter ??= new Segmenter()
      this.#segmenter.splitMerged(packet, false, this.#input)
    }
  }

  #take(packet: Packet): void {
    if (this.#isOff) {
      this.#input(packet)
      return
    }
    if (this.#batch !== null && this.#batch.count > 0) {
      if (packet.segmentLength === 0 && this.#batch.add(packet)) return
      this.end()
    }
    if (!this.#begins(packet)) this.#input(packet)
  }

  /** Whether the packet is the first that is collected, of a flow that may go on merged. */
  #begins(packet: Packet): boolean {
    const length = packet.end - packet.start
    if (packet.segmentLength > 0 || length < SHORTEST || plainProtocol(packet) !== UDP) return false
    packet.segmentLength = length
    const takes = this.#receiver?.takesMerged?.(packet) === true
    packet.segmentLength = 0
    if (!takes) {
      this.#isOff = true
      return false
    }
    this.#batch ??= new SegmentBatch()
    return this.#batch.add(packet)
  }
}
