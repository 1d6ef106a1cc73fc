/**
 * IPv4 addresses of other hosts, as a router meets them again and again: no address of this host,
 * none of its broadcast addresses, and of a kind that packets between others may have.
 *
 * Each has one place, which it may have to leave to another one: whoever sends from addresses that
 * share one gains nothing but what a router without memory costs.
 */
import { MAPPED } from '../base/address.ts'
import type { OwnAddresses } from './addresses.ts'
import type { RouteTable } from './routing/route-table.ts'

const BITS = 10

export class Strangers {
  readonly #addresses: OwnAddresses
  readonly #routes: RouteTable
  /** For which state of the routes they are strangers: it changes with every address. */
  #generation = -1
  /** Made when it is needed; 0, which is nobody, in places without a stranger. */
  #words: Int32Array | null = null

  constructor(addresses: OwnAddresses, routes: RouteTable) {
    this.#addresses = addresses
    this.#routes = routes
  }

  /** Whether the address of this word is a stranger's. */
  has(word: number): boolean {
    this.#words ??= new Int32Array(1 << BITS)
    const words = this.#words
    if (this.#generation !== this.#routes.generation) {
      this.#generation = this.#routes.generation
      words.fill(0)
    }
    const place = Math.imul(word, 0x9e3779b1) >>> (32 - BITS)
    if (words[place] === word && word !== 0) return true
    if (!this.#isStranger(word)) return false
    words[place] = word
    return true
  }

  #isStranger(word: number): boolean {
    return this.#addresses.isUnicast4(word) && word >>> 24 !== 127 && !this.#addresses.isLocal(0, 0, MAPPED, word)
  }
}
