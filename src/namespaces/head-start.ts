/**
 * By how much the timer that ends a sleep runs ahead of its time: by what its work took lately,
 * until something left by a device. After a sleep, when caches are cold, that is a tenth of a
 * millisecond. What leaves waits for its time.
 */

/** The most, in milliseconds. */
const MOST = 0.15
/** Timers that the mean is about. */
const WEIGHT = 8

export class HeadStart {
  /** Milliseconds. */
  lead = 0
  /** Timers that run may be ahead of their time. */
  isOn = false
  /** When the first of them began, until something leaves by a device; `NaN` else. */
  #began = Number.NaN

  begin(now: number): void {
    this.isOn = true
    this.#began = now
  }

  /** Something is about to leave by a device. */
  leaves(now: number): void {
    if (!Number.isNaN(this.#began)) this.lead += (Math.min(now - this.#began, MOST) - this.lead) / WEIGHT
    this.#began = Number.NaN
  }

  end(): void {
    this.isOn = false
    this.#began = Number.NaN
  }
}
