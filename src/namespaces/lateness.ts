/**
 * How late things were done that had a time: a histogram with steps of 4 %, so that a run of any
 * length needs the same memory.
 */

/** Milliseconds. */
export interface Lag {
  readonly p50: number
  readonly p99: number
  readonly worst: number
  /** How many things that is. */
  readonly count: number
}

/** Milliseconds of the first step. */
const LEAST = 0.001
const STEP = Math.log(1.04)
/** Up to a minute. */
const STEPS = Math.ceil(Math.log(60_000 / LEAST) / STEP) + 1

export class Lateness {
  #count = 0
  #worst = 0
  readonly #steps = new Uint32Array(STEPS)

  /** Something was done so many milliseconds after its time; what was early was not late. */
  note(late: number): void {
    this.#count++
    if (late > this.#worst) this.#worst = late
    const step = late <= LEAST ? 0 : Math.min(STEPS - 1, Math.ceil(Math.log(late / LEAST) / STEP))
    this.#steps[step] = (this.#steps[step] as number) + 1
  }

  get lag(): Lag {
    return { p50: this.#at(0.5), p99: this.#at(0.99), worst: round(this.#worst), count: this.#count }
  }

  /** The upper end of the step in which the nearest rank is. */
  #at(share: number): number {
    const rank = Math.ceil(share * this.#count)
    let passed = 0
    for (let step = 0; step < STEPS; step++) {
      passed += this.#steps[step] as number
      if (passed >= rank) return this.#count === 0 ? 0 : round(Math.min(this.#worst, LEAST * Math.exp(step * STEP)))
    }
    return round(this.#worst)
  }
}

/** Whole microseconds. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
