/** Polls for packets for a while after the last ones came, before the process sleeps. */
import { LONGEST_RUN } from './watcher.ts'

export class BusyPoll {
  /** Milliseconds. */
  readonly #time: number
  readonly #look: () => number
  /** A look is scheduled for this turn. */
  #pending = false
  /** When the loop could last have ended, while looks follow each other. */
  #since = 0
  readonly #turn = () => this.#poll()

  /**
   * `look` takes what packets there are and calls {@link again} when it found some; it returns how
   * many, or -1 when there will be no more.
   */
  constructor(microseconds: number, look: () => number) {
    this.#time = microseconds / 1000
    this.#look = look
  }

  /**
   * Packets came: looks again in another turn, after everything that they caused. Such a turn keeps
   * the process alive, so one is left out now and then.
   */
  again(): void {
    if (this.#pending) return
    const now = performance.now()
    if (this.#since === 0) this.#since = now
    this.#pending = now - this.#since < LONGEST_RUN
    if (this.#pending) setImmediate(this.#turn)
    else this.#since = 0
  }

  #poll(): void {
    this.#pending = false
    const end = performance.now() + this.#time
    while (this.#look() === 0 && performance.now() < end);
    // Nothing came: the loop waits, or ends.
    if (!this.#pending) this.#since = 0
  }
}
