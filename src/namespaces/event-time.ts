/**
 * The time of what happens: it stands still while something does, and is the machine's own between
 * such. It never goes back: what is done late, behind what had a later time, happens at that.
 */
import type { Clock } from '../base/clock.ts'

export class EventTime {
  readonly #system: Clock
  /** The time of what happens now; `NaN` between such. */
  #held = Number.NaN
  /** The latest time that was told. */
  #latest = Number.NEGATIVE_INFINITY

  constructor(system: Clock) {
    this.#system = system
  }

  /** Something happens. */
  get isHeld(): boolean {
    return !Number.isNaN(this.#held)
  }

  now(): number {
    if (this.isHeld) return this.#held
    this.#latest = Math.max(this.#latest, this.#system.now())
    return this.#latest
  }

  /** Something happens at `time`, which has come or nearly so, until `release`. */
  hold(time: number): void {
    this.#latest = Math.max(this.#latest, time)
    this.#held = this.#latest
  }

  release(): void {
    this.#held = Number.NaN
  }
}
