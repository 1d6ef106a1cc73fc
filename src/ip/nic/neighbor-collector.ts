/**
 * Which neighbor a table forgets for another one: Linux's neigh_forced_gc and neigh_periodic_work,
 * without a walk through the table.
 *
 * FAILED and STALE ones can go, and strangers to whom this host sent nothing but an answer about
 * itself. One that is being resolved never does, nor one in use that is probed or answered of late,
 * so that no flood of strangers takes the place of those that this host talks to.
 */
import { type Neighbor, NeighborList } from './neighbor.ts'
import type { NeighborLimits } from './neighbor-limits.ts'

/**
 * Linux: how long one that changed keeps its place, and how often a table above gc_thresh2 is
 * cleaned.
 */
const FLUSH_INTERVAL = 5000
/** Linux: gc_stale_time. */
const STALE_TIME = 60_000

export class NeighborCollector {
  readonly #limits: NeighborLimits
  readonly #failed = new NeighborList()
  /** Known only because they asked us something, and not confirmed: nobody misses them. */
  readonly #strangers = new NeighborList()
  /** STALE, longest first. */
  readonly #stale = new NeighborList()
  #lastFlush = Number.NEGATIVE_INFINITY

  constructor(limits: NeighborLimits) {
    this.#limits = limits
  }

  /** Puts a neighbor where its state belongs. */
  place(neighbor: Neighbor): void {
    const { state, isUsed } = neighbor
    let list: NeighborList | null = null
    if (state === 'FAILED') list = this.#failed
    else if (state === 'STALE' && isUsed) list = this.#stale
    else if (!isUsed && (state === 'STALE' || state === 'DELAY' || state === 'PROBE')) list = this.#strangers
    if (neighbor.list === list) return
    this.remove(neighbor)
    list?.add(neighbor)
  }

  remove(neighbor: Neighbor): void {
    neighbor.list?.remove(neighbor)
  }

  /**
   * Makes room for one more among `size`, with the help of `forget`.
   * @returns whether there is room
   */
  makeRoom(size: number, now: number, forget: (neighbor: Neighbor) => void): boolean {
    const { gcThresh1, gcThresh2, gcThresh3 } = this.#limits
    let left = size
    for (
      let old = this.#outdated(now - STALE_TIME);
      old !== null && left >= gcThresh1;
      old = this.#outdated(now - STALE_TIME)
    ) {
      forget(old)
      left--
    }
    if (left >= gcThresh2 && now > this.#lastFlush + FLUSH_INTERVAL) {
      this.#lastFlush = now
      for (
        let old = this.#outdated(now - FLUSH_INTERVAL);
        old !== null && left > gcThresh2;
        old = this.#outdated(now - FLUSH_INTERVAL)
      ) {
        forget(old)
        left--
      }
    }
    if (left < gcThresh3) return true
    const victim = this.#outdated(now - FLUSH_INTERVAL) ?? this.#strangers.first
    if (victim === null) return false
    forget(victim)
    return true
  }

  /** One that failed, or that changed before a time. */
  #outdated(before: number): Neighbor | null {
    if (this.#failed.first !== null) return this.#failed.first
    for (const { first } of [this.#strangers, this.#stale]) if (first !== null && first.updated < before) return first
    return null
  }
}
