/**
 * Path MTUs learned from Fragmentation Needed and Packet Too Big: RFC 1191, RFC 8201. An entry is
 * forgotten after ten minutes (RFC 1191 section 6.3, Linux: mtu_expires), and then the nic's MTU is
 * tried again.
 */
import { AddressMap } from '../../base/address-map.ts'
import type { Clock } from '../../base/clock.ts'
import { KeyedHash } from '../../base/hash.ts'
import { SystemRandom } from '../../base/random.ts'

const EXPIRES = 600_000
/** Entries; past it the oldest goes. */
const LIMIT = 10_000
/** Linux: net.ipv4.route.min_pmtu, 512 + 20 + 20. */
export const MIN_PMTU4 = 552
/** RFC 8200 section 5. */
export const MIN_PMTU6 = 1280
/** RFC 1191 section 7.1: what to try when a router does not say its MTU. */
const PLATEAUS = [65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 576, 552]

class Entry {
  mtu = 0
  isLocked = false
  expires = 0
}

export class PathMtu {
  readonly #clock: Clock
  readonly #entries: AddressMap<Entry>
  /** Moves with every change, so that a remembered MTU can be checked. */
  generation = 0

  /** `hash`: the stack's. */
  constructor(clock: Clock, hash = new KeyedHash(new SystemRandom())) {
    this.#clock = clock
    this.#entries = new AddressMap(hash)
  }

  /** Destinations whose path MTU is known. */
  get size(): number {
    return this.#entries.size
  }

  /** How many of them a lookup may have to compare. */
  get longestChain(): number {
    return this.#entries.longestChain
  }

  /** The known MTU towards a destination, or 0. */
  lookup(w0: number, w1: number, w2: number, w3: number): number {
    return this.#entries.size === 0 ? 0 : (this.#find(w0, w1, w2, w3)?.mtu ?? 0)
  }

  /**
   * Whether the path is known to be narrower than {@link MIN_PMTU4}, below which nobody goes:
   * packets that would fit must be free to be fragmented on the way, or none arrives (Linux:
   * ip_dont_fragment with a locked MTU).
   */
  isLocked(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.#entries.size !== 0 && this.#find(w0, w1, w2, w3)?.isLocked === true
  }

  #find(w0: number, w1: number, w2: number, w3: number): Entry | null {
    const entry = this.#entries.get(w0, w1, w2, w3)
    if (entry === undefined) return null
    if (entry.expires > this.#clock.now()) return entry
    this.#entries.delete(w0, w1, w2, w3)
    this.generation++
    return null
  }

  /**
   * Believes a validated report: never up, never below the family's minimum (IPv6 ignores it then).
   * `mtu` 0 from an old router takes the next plateau below `length`, the length of the packet that
   * did not fit.
   * @returns the path MTU now in force, or 0 when the report was ignored
   */
  report(w0: number, w1: number, w2: number, w3: number, mtu: number, length: number, current: number): number {
    const four = w0 === 0 && w1 === 0 && w2 === 0xffff
    let reported = mtu
    if (four && mtu === 0) reported = PLATEAUS.find((plateau) => plateau < length) ?? 0
    if (!four && reported < MIN_PMTU6) return 0
    const locked = four && reported < MIN_PMTU4
    if (locked) {
      if (this.isLocked(w0, w1, w2, w3)) return 0
      reported = Math.min(MIN_PMTU4, current)
    } else if (reported >= current) return 0
    const entry = this.#entries.get(w0, w1, w2, w3) ?? new Entry()
    this.#entries.set(w0, w1, w2, w3, entry)
    if (this.#entries.size > LIMIT) this.#entries.deleteOldest()
    entry.mtu = reported
    entry.isLocked = locked
    entry.expires = this.#clock.now() + EXPIRES
    this.generation++
    return reported
  }

  clear(): void {
    this.#entries.clear()
    this.generation++
  }
}
