/**
 * A hash table whose entries bring their own links, so that a lookup allocates nothing. Hashes come
 * from a {@link KeyedHash}.
 */

/** What an entry has to have; the table writes `chain`. */
export interface Hashed<Entry> {
  readonly hash: number
  chain: Entry | null
}

/** Heads of a table with its first entry. */
const FIRST = 8

export class HashTable<Entry extends Hashed<Entry>> {
  /** The chains: as many as entries or more. */
  #heads: (Entry | null)[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The first entry of the chain for `hash`. The caller follows `chain` and compares keys. */
  head(hash: number): Entry | null {
    return this.#size === 0 ? null : (this.#heads[hash & (this.#heads.length - 1)] as Entry | null)
  }

  /** Adds an entry that is not in the table, in front of its chain. */
  add(entry: Entry): void {
    if (this.#size === this.#heads.length) this.#grow()
    this.#put(entry)
    this.#size++
  }

  /** Takes an entry of the table out of it. */
  remove(entry: Entry): void {
    const at = entry.hash & (this.#heads.length - 1)
    let each = this.#heads[at] as Entry
    if (each === entry) this.#heads[at] = entry.chain
    else {
      while (each.chain !== entry) each = each.chain as Entry
      each.chain = entry.chain
    }
    entry.chain = null
    this.#size--
  }

  removeWhere(isUnwanted: (entry: Entry) => boolean): void {
    for (const head of this.#heads) {
      let each = head
      while (each !== null) {
        const next: Entry | null = each.chain
        if (isUnwanted(each)) this.remove(each)
        each = next
      }
    }
  }

  clear(): void {
    this.#heads = []
    this.#size = 0
  }

  /** The number of entries in the longest chain: how many a lookup may have to compare. */
  get longestChain(): number {
    let longest = 0
    for (const head of this.#heads) {
      let length = 0
      for (let each = head; each !== null; each = each.chain) length++
      longest = Math.max(longest, length)
    }
    return longest
  }

  #put(entry: Entry): void {
    const at = entry.hash & (this.#heads.length - 1)
    entry.chain = this.#heads[at] as Entry | null
    this.#heads[at] = entry
  }

  #grow(): void {
    const before = this.#heads
    this.#heads = new Array<Entry | null>(Math.max(FIRST, 2 * before.length)).fill(null)
    for (const head of before) {
      let each = head
      while (each !== null) {
        const next: Entry | null = each.chain
        this.#put(each)
        each = next
      }
    }
  }
}
