/**
 * Values by address (or by any four words), in the order of their setting: the table for whatever
 * is remembered of other hosts.
 *
 * A map of few entries compares them and hashes nothing: most hosts know few others.
 */
import type { KeyedHash } from './hash.ts'
import { HashTable } from './hash-table.ts'

/** Up to how many entries are compared one by one. */
const FEW = 10

class Entry<Value> {
  readonly w0: number
  readonly w1: number
  readonly w2: number
  readonly w3: number
  hash = 0
  value: Value
  chain: Entry<Value> | null = null
  older: Entry<Value> | null = null
  newer: Entry<Value> | null = null
  constructor(w0: number, w1: number, w2: number, w3: number, value: Value) {
    this.w0 = w0
    this.w1 = w1
    this.w2 = w2
    this.w3 = w3
    this.value = value
  }
}

export class AddressMap<Value> {
  readonly #hash: KeyedHash
  /** `null` up to {@link FEW} entries. */
  #table: HashTable<Entry<Value>> | null = null
  #size = 0
  #oldest: Entry<Value> | null = null
  #newest: Entry<Value> | null = null
  /** What was found last: it is asked for again as a rule. */
  #last: Entry<Value> | null = null

  constructor(hash: KeyedHash) {
    this.#hash = hash
  }

  get size(): number {
    return this.#size
  }

  get(w0: number, w1: number, w2: number, w3: number): Value | undefined {
    return this.#find(w0, w1, w2, w3)?.value
  }

  /** Sets a value; it is the newest one then. */
  set(w0: number, w1: number, w2: number, w3: number, value: Value): void {
    const found = this.#find(w0, w1, w2, w3)
    if (found !== null) {
      found.value = value
      if (found !== this.#newest) {
        this.#unlink(found)
        this.#link(found)
      }
      return
    }
    const entry = new Entry(w0, w1, w2, w3, value)
    this.#link(entry)
    this.#size++
    if (this.#table !== null) this.#hashed(entry)
    else if (this.#size > FEW) {
      this.#table = new HashTable()
      for (let each = this.#oldest; each !== null; each = each.newer) this.#hashed(each)
    }
  }

  /** Whether there was a value. */
  delete(w0: number, w1: number, w2: number, w3: number): boolean {
    const found = this.#find(w0, w1, w2, w3)
    if (found === null) return false
    this.#remove(found)
    return true
  }

  deleteOldest(): void {
    if (this.#oldest !== null) this.#remove(this.#oldest)
  }

  clear(): void {
    this.#table = null
    this.#size = 0
    this.#oldest = this.#newest = this.#last = null
  }

  /** The values, oldest first. A value may be deleted while it is looked at. */
  *values(): Generator<Value, void> {
    let each = this.#oldest
    while (each !== null) {
      const { newer } = each
      yield each.value
      each = newer
    }
  }

  /** How many entries a lookup may have to compare. */
  get longestChain(): number {
    return this.#table?.longestChain ?? this.#size
  }

  #find(w0: number, w1: number, w2: number, w3: number): Entry<Value> | null {
    const last = this.#last
    if (last !== null && last.w3 === w3 && last.w2 === w2 && last.w1 === w1 && last.w0 === w0) return last
    const table = this.#table
    let each = table === null ? this.#oldest : table.head(this.#hash.address(w0, w1, w2, w3))
    while (each !== null) {
      if (each.w3 === w3 && each.w2 === w2 && each.w1 === w1 && each.w0 === w0) {
        this.#last = each
        return each
      }
      each = table === null ? each.newer : each.chain
    }
    return null
  }

  #hashed(entry: Entry<Value>): void {
    entry.hash = this.#hash.address(entry.w0, entry.w1, entry.w2, entry.w3)
    this.#table?.add(entry)
  }

  #remove(entry: Entry<Value>): void {
    this.#table?.remove(entry)
    this.#unlink(entry)
    this.#size--
    if (this.#last === entry) this.#last = null
  }

  #link(entry: Entry<Value>): void {
    entry.older = this.#newest
    entry.newer = null
    if (this.#newest === null) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
  }

  #unlink(entry: Entry<Value>): void {
    if (entry.older === null) this.#oldest = entry.newer
    else entry.older.newer = entry.newer
    if (entry.newer === null) this.#newest = entry.older
    else entry.newer.older = entry.older
  }
}
