/**
 * What happens has a time: it stands still while something does, and is the machine's own between
 * such. It never goes back: what is done late, behind what had a later time, happens at that.
 *
 * What an event asks for soon is done behind it, at its time, without a turn of the event loop in
 * between: that would take as long as what else the turn has to do.
 */
import type { Clock } from '../base/clock.ts'
import { Fifo } from '../base/fifo.ts'

/** Callbacks of `soon` that run behind one event; the rest leaves the loop a turn first. */
const MOST = 1000

export class EventTime {
  readonly #system: Clock
  /** The time of what happens now; `NaN` between such. */
  #held = Number.NaN
  /** The latest time that was told. */
  #latest = Number.NEGATIVE_INFINITY
  readonly #soon = new Fifo<() => void>()
  #isTurnAsked = false
  readonly #turn = () => {
    this.#isTurnAsked = false
    this.run(this.now(), () => {})
  }

  constructor(system: Clock) {
    this.#system = system
  }

  now(): number {
    if (this.#isHeld) return this.#held
    this.#latest = Math.max(this.#latest, this.#system.now())
    return this.#latest
  }

  get #isHeld(): boolean {
    return !Number.isNaN(this.#held)
  }

  /** Something happens at `time`, which has come or nearly so, until `release`. */
  hold(time: number): void {
    this.#latest = Math.max(this.#latest, time)
    this.#held = this.#latest
  }

  release(): void {
    try {
      this.#runSoon()
    } finally {
      this.#held = Number.NaN
    }
  }

  /** Calls `callback`, which happens at `time`, and what it asks for. */
  run(time: number, callback: () => void): void {
    this.hold(time)
    try {
      callback()
    } finally {
      this.release()
    }
  }

  /** Calls `callback` behind what happens, or else in a turn of the loop. */
  soon(callback: () => void): void {
    this.#soon.push(callback)
    if (!this.#isHeld) this.#askTurn()
  }

  #runSoon(): void {
    const queue = this.#soon
    try {
      for (let count = 0; count < MOST && queue.length > 0; count++) queue.shift()?.()
    } finally {
      if (queue.length > 0) this.#askTurn()
    }
  }

  #askTurn(): void {
    if (this.#isTurnAsked) return
    this.#isTurnAsked = true
    this.#system.soon(this.#turn)
  }
}
