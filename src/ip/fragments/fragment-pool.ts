/**
 * The memory that fragments wait in. It is used again: were each fragment's made anew, everything
 * that waits would be copied by each collection of young objects, and a flood of fragments would
 * make the event loop stand still for tens of milliseconds at a time.
 */
import { bytesCost } from '../../base/memory-account.ts'

/** What a fragment costs besides its bytes: measured, as the heap holds it (Node 20). */
const FRAGMENT_COST = 72
/**
 * Bytes that fragments get, the shortest kind on the heap itself; what is longer than the longest
 * gets what it needs.
 */
const CAPACITIES = [64, 512, 1536] as const
const LONGEST = CAPACITIES[2]
/**
 * What the spares of the longest kind may hold, as a share of the memory for datagrams: of 4 MiB,
 * two of the largest datagrams. Of the shorter kinds as many are kept.
 */
const SPARE_SHARE = 1 / 16

export class Fragment {
  /** Where its part begins in the datagram's, and how long it is. */
  offset = 0
  length = 0
  /** Where its part begins in `bytes`: behind the header, in the one with offset 0. */
  at = 0
  /** The next one of the datagram, as they came. */
  next: Fragment | null = null
  readonly bytes: Uint8Array
  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  /** What it makes the process hold. */
  get cost(): number {
    return costOf(this.bytes.length)
  }
}

export class FragmentPool {
  readonly #spares: Fragment[][] = CAPACITIES.map(() => [])
  readonly #limit: number

  /** `memory`: what the datagrams that wait may hold, in bytes. */
  constructor(memory: number) {
    this.#limit = Math.floor((memory * SPARE_SHARE) / costOf(LONGEST))
  }

  /** A fragment with room for `length` bytes at least. */
  take(length: number): Fragment {
    const kind = kindOf(length)
    if (kind < 0) return new Fragment(length)
    return this.#spares[kind]?.pop() ?? new Fragment(CAPACITIES[kind] as number)
  }

  /** It is none of a datagram any more, and has no `next`. */
  giveBack(fragment: Fragment): void {
    const kind = kindOf(fragment.bytes.length)
    if (kind < 0) return
    const spares = this.#spares[kind] as Fragment[]
    if (spares.length < this.#limit) spares.push(fragment)
  }

  clear(): void {
    for (const spares of this.#spares) spares.length = 0
  }
}

/** What a fragment with so many bytes makes the process hold. */
function costOf(capacity: number): number {
  return FRAGMENT_COST + bytesCost(capacity)
}

/** The index of the shortest capacity that suffices, or -1. */
function kindOf(length: number): number {
  if (length > LONGEST) return -1
  if (length > CAPACITIES[1]) return 2
  return length > CAPACITIES[0] ? 1 : 0
}
