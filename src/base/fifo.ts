/** Items that left before their places are given back, many at a time. */
const SHIFTED = 1024

/** A queue: what was pushed first is shifted first. Neither costs more the longer it is. */
export class Fifo<T extends object> {
  readonly #items: (T | undefined)[] = []
  /** Where the first one is. */
  #at = 0

  get length(): number {
    return this.#items.length - this.#at
  }

  get first(): T | undefined {
    return this.#items[this.#at]
  }

  get last(): T | undefined {
    return this.#items[this.#items.length - 1]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const first = this.#items[this.#at]
    if (first === undefined) return undefined
    // A queue that never runs empty does not hold what has left.
    this.#items[this.#at++] = undefined
    if (this.#at === this.#items.length) this.#items.length = 0
    else if (this.#at >= SHIFTED && this.#at * 2 > this.#items.length) this.#items.splice(0, this.#at)
    else return first
    this.#at = 0
    return first
  }

  clear(): void {
    this.#items.length = 0
    this.#at = 0
  }
}
