/** Addresses that are found at once, in the order in which they were added. */
import { type Address, hashWords } from '../base/address.ts'

export class AddressSet {
  readonly #byHash = new Map<number, Address[]>()
  #list: Address[] = []

  get size(): number {
    return this.#list.length
  }

  list(): readonly Address[] {
    return this.#list
  }

  /** The address with these words, or `null`. */
  find(w0: number, w1: number, w2: number, w3: number): Address | null {
    const bucket = this.#byHash.get(hashWords(w0, w1, w2, w3))
    if (bucket !== undefined) for (const each of bucket) if (each.is(w0, w1, w2, w3)) return each
    return null
  }

  /** Adds an address that is not there yet. */
  add(address: Address): void {
    const { w0, w1, w2, w3 } = address
    const hash = hashWords(w0, w1, w2, w3)
    const bucket = this.#byHash.get(hash)
    if (bucket === undefined) this.#byHash.set(hash, [address])
    else bucket.push(address)
    this.#list.push(address)
  }

  clear(): void {
    this.#byHash.clear()
    this.#list = []
  }
}
