/**
 * When a reader lets frames gather: in a stream of frames that nobody answers it looks at the ring
 * again after a short rest, instead of being woken for every few of them. A wake-up costs as much
 * as several frames.
 *
 * A rest delays frames, so that it must not hold anybody up. Whoever is answered over this link
 * waits for the answers: there is no rest while frames are sent. Others wait unseen (a window that
 * is acknowledged elsewhere), but then fewer frames come during a rest than before it: rests are
 * given up, for ever longer.
 */

/** Milliseconds of a rest. */
const LONGEST_REST = 0.05
/** Frames that it is to gather at most: no more than a wake-up takes. */
const MOST_FRAMES = 24
/** Frames in a millisecond from which on there is a stream. */
const STREAM = 100
/** Wake-ups that a stream has lasted for before the first rest; rests that were not in vain. */
const PROVEN = 16
/** Milliseconds without a frame that end a stream. */
const LONGEST_GAP = 0.5
/** Wake-ups that the means are about. */
const WEIGHT = 8
/** Wake-ups without a rest, after those in vain. */
const FIRST_PAUSE = 64
const LONGEST_PAUSE = 16_384

export class Gathering {
  /**
   * Means of the frames of a wake-up and of the milliseconds between two, without rests: what comes
   * during a rest is compared with them.
   */
  #frames = 0
  #time = 0
  /** Wake-ups of the stream so far. */
  #wakeups = 0
  #isResting = false
  /** Share of the last rests in which too few frames came. */
  #vain = 0
  /** Rests since they were given up. */
  #rests = 0
  /** The next rest comes with this wake-up of a stream. */
  #next = PROVEN
  #pause = FIRST_PAUSE
  /** When the last wake-up ended, and what had been sent by then. */
  #last = -Infinity
  #sent = 0

  /**
   * A wake-up ends at `now` that took `found` frames, which were all that there were when `isAll`;
   * `sent` are the frames that the link has sent so far. Returns the milliseconds to rest, 0 for
   * none.
   */
  rest(found: number, isAll: boolean, sent: number, now: number): number {
    const time = now - this.#last
    const isStream = sent === this.#sent && time < LONGEST_GAP
    this.#last = now
    this.#sent = sent
    const rested = this.#isResting
    this.#isResting = false
    if (!isStream) {
      this.#wakeups = 0
      this.#frames = 0
      this.#time = 0
      return 0
    }
    this.#wakeups++
    if (rested) this.#judge(isAll && found * 2 * this.#time < this.#frames * time)
    else {
      this.#frames += (found - this.#frames) / WEIGHT
      this.#time += (time - this.#time) / WEIGHT
    }
    const rate = this.#frames / this.#time
    if (!isAll || rate < STREAM || this.#wakeups < this.#next) return 0
    this.#isResting = true
    return Math.min(LONGEST_REST, MOST_FRAMES / rate)
  }

  /** One rest says little: its sender may not have run. */
  #judge(isVain: boolean): void {
    this.#vain += ((isVain ? 1 : 0) - this.#vain) / WEIGHT
    if (++this.#rests === PROVEN) {
      this.#pause = FIRST_PAUSE
      this.#next = PROVEN
    }
    if (this.#vain < 0.5) return
    this.#vain = 0
    this.#rests = 0
    this.#next = this.#wakeups + this.#pause
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
  }
}
