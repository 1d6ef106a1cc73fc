/**
 * The last long echo replies of this host: a Packet Too Big about one is believed when it quotes
 * the reply's address, identifier and sequence number.
 */
import type { KeyedHash } from '../../base/hash.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import { MIN_PMTU6 } from '../routing/path-mtu.ts'

/** Replies remembered; of more, the oldest is forgotten. */
const REPLIES = 64
/** Data that every path carries. */
const SHORT = MIN_PMTU6 - ipv6.HEADER - icmpv6.HEADER

export class LargeReplies {
  readonly #hash: KeyedHash
  /** Made with the first one. */
  #hashes: Int32Array | null = null
  #next = 0

  constructor(hash: KeyedHash) {
    this.#hash = hash
  }

  /**
   * A reply to an address with `length` bytes of data; `rest` is its identifier and sequence
   * number.
   */
  remember(w0: number, w1: number, w2: number, w3: number, rest: number, length: number): void {
    if (length <= SHORT) return
    this.#hashes ??= new Int32Array(REPLIES)
    this.#hashes[this.#next] = this.#hashOf(w0, w1, w2, w3, rest)
    this.#next = (this.#next + 1) % REPLIES
  }

  has(w0: number, w1: number, w2: number, w3: number, rest: number): boolean {
    return this.#hashes?.includes(this.#hashOf(w0, w1, w2, w3, rest)) === true
  }

  #hashOf(w0: number, w1: number, w2: number, w3: number, rest: number): number {
    return this.#hash.flow(w0, w1, w2, w3, 0, 0, 0, 0, rest, icmpv6.ECHO_REPLY)
  }
}
