/** Addresses that are found at once, in the order in which they were added. */
import type { Address } from '../../base/address.ts'
import { AddressMap } from '../../base/address-map.ts'
import type { KeyedHash } from '../../base/hash.ts'

export class AddressSet {
  readonly #addresses: AddressMap<Address>
  #list: Address[] = []

  /** `hash`: the stack's. */
  constructor(hash: KeyedHash) {
    this.#addresses = new AddressMap(hash)
  }

  get size(): number {
    return this.#list.length
  }

  list(): readonly Address[] {
    return this.#list
  }

  /** The address with these words, or `null`. */
  find(w0: number, w1: number, w2: number, w3: number): Address | null {
    return this.#addresses.get(w0, w1, w2, w3) ?? null
  }

  /** Adds an address that is not there yet. */
  add(address: Address): void {
    this.#addresses.set(address.w0, address.w1, address.w2, address.w3, address)
    this.#list.push(address)
  }

  clear(): void {
    this.#addresses.clear()
    this.#list = []
  }
}
