/** The multicast groups of one nic, counted per group: how many sockets want it, and from which sources (RFC 3376 section 3.2). */
import type { Address } from '../base/address.ts'

export interface Membership {
  readonly group: Address
  /** How many times it was joined. */
  count: number
}

export class Memberships {
  readonly #groups: Membership[] = []

  has(w0: number, w1: number, w2: number, w3: number): boolean {
    for (const each of this.#groups) if (each.group.is(w0, w1, w2, w3)) return true
    return false
  }

  /** @returns whether the nic was no member before */
  join(group: Address): boolean {
    const found = this.#groups.find((each) => each.group.equals(group))
    if (found !== undefined) {
      found.count++
      return false
    }
    this.#groups.push({ group, count: 1 })
    return true
  }

  /** @returns whether the nic is no member any more */
  leave(group: Address): boolean {
    const at = this.#groups.findIndex((each) => each.group.equals(group))
    const found = this.#groups[at]
    if (found === undefined || --found.count > 0) return false
    this.#groups.splice(at, 1)
    return true
  }

  list(): readonly Membership[] {
    return this.#groups
  }
}
