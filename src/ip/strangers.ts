/**
 * IPv4 addresses of other hosts, as a router meets them: no address of this host, none of its
 * broadcast addresses, and of a kind that packets between others may have.
 *
 * Each own address has a bit, found by a hash; what has none there is a stranger's. Of some that
 * have one by chance the tables are asked, so whoever chooses such addresses gains nothing but what
 * a router without bits costs.
 */
import { MAPPED } from '../base/address.ts'
import type { OwnAddresses } from './addresses.ts'
import type { RouteTable } from './routing/route-table.ts'

/** Bits for an own address, at least: one in as many strangers has a bit by chance. */
const BITS_EACH = 16

export class Strangers {
  readonly #addresses: OwnAddresses
  readonly #routes: RouteTable
  /** For which state of the routes the bits hold: it changes with every address. */
  #generation = -1
  #bits = new Int32Array(0)
  /** What leaves of a hash the number of a bit. */
  #shift = 0

  constructor(addresses: OwnAddresses, routes: RouteTable) {
    this.#addresses = addresses
    this.#routes = routes
  }

  /** Whether the address of this word is a stranger's. */
  has(word: number): boolean {
    if (this.#generation !== this.#routes.generation) this.#renew()
    const top = word >>> 24
    if (top === 0 || top === 127 || top >= 0xe0) return false
    const bit = Math.imul(word, 0x9e3779b1) >>> this.#shift
    if (((this.#bits[bit >>> 5] as number) & (1 << bit)) === 0) return true
    return !this.#addresses.isBroadcast4(word) && !this.#addresses.isLocal(0, 0, MAPPED, word)
  }

  #renew(): void {
    this.#generation = this.#routes.generation
    const words = this.#addresses.words4()
    const log = 32 - Math.clz32(Math.max(words.length * BITS_EACH, 64) - 1)
    this.#shift = 32 - log
    if (this.#bits.length === 1 << (log - 5)) this.#bits.fill(0)
    else this.#bits = new Int32Array(1 << (log - 5))
    for (const word of words) {
      const bit = Math.imul(word, 0x9e3779b1) >>> this.#shift
      this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] as number) | (1 << bit)
    }
  }
}
