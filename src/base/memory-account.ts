/**
 * Counts the bytes that waiting data makes the process hold, overhead included, so that a limit
 * bounds what a heap snapshot shows. A waiting fragment of 8 bytes holds about 800.
 *
 * Each user of the account names the cost of its objects, in constants that a test compares with
 * the heap.
 */
export class MemoryAccount {
  /** Bytes. */
  readonly limit: number
  #held = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get held(): number {
    return this.#held
  }

  /** Whether more is held than the limit allows: the room has to let something go, or refuse. */
  get isOver(): boolean {
    return this.#held > this.limit
  }

  /** Whether so much more would still be within the limit. */
  fits(cost: number): boolean {
    return this.#held + cost <= this.limit
  }

  charge(cost: number): void {
    this.#held += cost
  }

  release(cost: number): void {
    this.#held -= cost
  }
}

/**
 * Bytes of an array that lies on the heap itself; a longer one has memory outside of it (V8:
 * typed_array_max_size_in_heap).
 */
const ON_HEAP = 64
const ARRAY = 208
const OUTSIDE = 80

/**
 * What a `Uint8Array` of so many bytes with a buffer of its own costs: the two objects, and their
 * memory (V8, 64 bits).
 */
export function bytesCost(length: number): number {
  return ARRAY + ((length + 7) & ~7) + (length > ON_HEAP ? OUTSIDE : 0)
}
