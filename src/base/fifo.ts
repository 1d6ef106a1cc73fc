/** Places up to which an empty queue keeps its memory. */
const KEPT = 1024
const FIRST = 8

/**
 * A queue: what was pushed first is shifted first. Neither costs more the longer it is: the items
 * are in a ring, which doubles when it is full.
 */
export class Fifo<T extends object> {
  /** As many as a power of two, or none. */
  #items: (T | undefined)[] = []
  /** Where the first one is. */
  #at = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  get first(): T | undefined {
    return this.#length === 0 ? undefined : this.#items[this.#at]
  }

  get last(): T | undefined {
    const items = this.#items
    return this.#length === 0 ? undefined : items[(this.#at + this.#length - 1) & (items.length - 1)]
  }

  push(item: T): void {
    if (this.#length === this.#items.length) this.#grow()
    const items = this.#items
    items[(this.#at + this.#length++) & (items.length - 1)] = item
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const items = this.#items
    const first = items[this.#at]
    items[this.#at] = undefined
    this.#at = (this.#at + 1) & (items.length - 1)
    this.#length--
    if (this.#length === 0 && items.length > KEPT) this.clear()
    return first
  }

  clear(): void {
    this.#items = []
    this.#at = 0
    this.#length = 0
  }

  #grow(): void {
    const items = this.#items
    const larger = new Array<T | undefined>(Math.max(FIRST, 2 * items.length)).fill(undefined)
    for (let i = 0; i < this.#length; i++) larger[i] = items[(this.#at + i) & (items.length - 1)]
    this.#items = larger
    this.#at = 0
  }
}
