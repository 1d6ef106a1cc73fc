/** What waits in a raw endpoint for `for await`. */
import { Address } from '../base/address.ts'
import type { Packet } from '../base/packet.ts'
import { charge } from '../udp/receive-queue.ts'

/** A message that arrived, with memory of its own. */
export interface RawMessage {
  /** What is behind the IP header, options and extension headers. */
  readonly payload: Uint8Array
  /** The IP header with all that is in front of the payload; of a reassembled packet, its own. */
  readonly header: Uint8Array
  readonly source: Address
  readonly destination: Address
  /** Index of the nic by which it came. */
  readonly nic: number
  /** TTL or hop limit. */
  readonly hopLimit: number
  readonly tos: number
  /** IPv6's; 0 in IPv4. */
  readonly flowLabel: number
  /** From how many fragments it was rebuilt; 1 for one that came whole. */
  readonly fragments: number
}

type Resolve = (result: IteratorResult<RawMessage>) => void

export const DONE = { value: undefined, done: true } as const

export class RawQueue {
  readonly #messages: RawMessage[] = []
  readonly #waiting: Resolve[] = []
  /** Bytes that wait, bookkeeping included. */
  #charged = 0
  #closed = false

  /** Whether the packet has room, as Linux: one that comes alone always has. */
  hasRoomFor(packet: Packet, limit: number): boolean {
    return this.#charged === 0 || this.#charged + charge(packet.end - packet.network) <= limit
  }

  /** Copies the message whose upper layer is at `packet.transport`. */
  add(packet: Packet): void {
    const message = messageOf(packet)
    const resolve = this.#waiting.shift()
    if (resolve !== undefined) {
      resolve({ value: message, done: false })
      return
    }
    this.#charged += costOf(message)
    this.#messages.push(message)
  }

  /** The next message, when there is one. */
  next(): Promise<IteratorResult<RawMessage>> {
    const message = this.#messages.shift()
    if (message !== undefined) {
      this.#charged -= costOf(message)
      return Promise.resolve({ value: message, done: false })
    }
    if (this.#closed) return Promise.resolve(DONE)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Who waits learns that no more comes; what waits may still be taken. */
  close(): void {
    this.#closed = true
    for (const resolve of this.#waiting.splice(0)) resolve(DONE)
  }
}

function costOf({ header, payload }: RawMessage): number {
  return charge(header.length + payload.length)
}

function messageOf(packet: Packet): RawMessage {
  const { bytes, network, transport, end } = packet
  return {
    payload: bytes.slice(transport, end),
    header: bytes.slice(network, transport),
    source: new Address(packet.s0, packet.s1, packet.s2, packet.s3),
    destination: new Address(packet.d0, packet.d1, packet.d2, packet.d3),
    nic: packet.nic,
    hopLimit: packet.hopLimit,
    tos: packet.tos,
    flowLabel: packet.family === 6 ? packet.flowLabel : 0,
    fragments: packet.fragments,
  }
}
