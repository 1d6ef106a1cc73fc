/**
 * Headers of packets that look alike, read once: a datagram looks at the far end of a wire as it
 * did at the near one, and the next of its flow does too. What is remembered of a datagram has
 * most of its size in them, and most of its time.
 *
 * Plain UDP in one piece only: all else differs from packet to packet, or is rare.
 */
import { MAPPED } from '../../base/address.ts'
import type { Packet } from '../../base/packet.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import { UDP } from '../../wire/protocol.ts'
import { type Summary, summarize } from './ip-frame.ts'

/** Places for headers; one that comes to a place that is taken puts the other out. A power of 2. */
const PLACES = 1024
/** Addresses, ports, length, and version with hop limit. */
const WORDS = 11
const UDP_HEADER = 8

export class Summaries {
  /** Made for the first packet: most networks remember nothing. */
  #words = new Int32Array(0)
  #kept: (Summary | undefined)[] = []
  readonly #sought = new Int32Array(WORDS)

  /** As {@link summarize}; the same object for the same headers, which nobody may change. */
  of(packet: Packet, at: number): Summary {
    if (!this.#read(packet, at)) return summarize(packet, at)
    const sought = this.#sought
    let hash = 0
    for (let i = 0; i < WORDS; i++) hash = Math.imul(hash ^ (sought[i] as number), 0x9e3779b1) ^ (hash >>> 15)
    const place = (hash ^ (hash >>> 16)) & (PLACES - 1)
    const known = this.#kept[place]
    const from = place * WORDS
    if (known !== undefined && this.#isSought(from)) return known
    if (this.#words.length === 0) {
      this.#words = new Int32Array(PLACES * WORDS)
      this.#kept = new Array(PLACES).fill(undefined)
    }
    const summary = summarize(packet, at)
    this.#kept[place] = summary
    this.#words.set(sought, from)
    return summary
  }

  #isSought(from: number): boolean {
    for (let i = 0; i < WORDS; i++) if (this.#words[from + i] !== this.#sought[i]) return false
    return true
  }

  /** Reads all that a summary depends on. @returns false for a packet that is no plain one */
  #read({ view, end, segmentLength }: Packet, at: number): boolean {
    const sought = this.#sought
    const first = view.getUint8(at)
    let upper = at + ipv4.HEADER
    if (first === 0x45) {
      if (ipv4.protocol(view, at) !== UDP || ipv4.moreFragments(view, at) || ipv4.fragmentOffset(view, at) > 0)
        return false
      sought[0] = sought[1] = sought[4] = sought[5] = 0
      sought[2] = sought[6] = MAPPED
      sought[3] = view.getInt32(at + ipv4.SOURCE)
      sought[7] = view.getInt32(at + ipv4.DESTINATION)
      sought[8] = 0x400 | ipv4.ttl(view, at)
    } else {
      if (first >>> 4 !== 6 || ipv6.nextHeader(view, at) !== UDP) return false
      upper = at + ipv6.HEADER
      for (let i = 0; i < 4; i++) {
        sought[i] = view.getInt32(at + ipv6.SOURCE + 4 * i)
        sought[i + 4] = view.getInt32(at + ipv6.DESTINATION + 4 * i)
      }
      sought[8] = 0x600 | ipv6.hopLimit(view, at)
    }
    if (segmentLength !== 0 || end - upper < UDP_HEADER) return false
    sought[9] = view.getInt32(upper)
    sought[10] = end - at
    return true
  }
}
