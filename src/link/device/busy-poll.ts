/** Polls for packets for a while after the last ones came, before the process sleeps. */
import { LONGEST_RUN } from './watcher.ts'

/** Milliseconds that `auto` waits for the next packets. */
const LONGEST_WAIT = 0.08
/** Milliseconds that a wake-up takes: the kernel's part, and the time until the process runs. */
const WAKE_UP = 0.04
/** Milliseconds between wake-ups from which on they are left alone. */
const SPARSE = 0.5
/** Waits that the mean is about. */
const WEIGHT = 8
/** Waits after which a trial was none in vain. */
const PROVEN = 64
/** In wake-ups. */
const FIRST_PAUSE = 8
const LONGEST_PAUSE = 1024

export class BusyPoll {
  /** Milliseconds. */
  readonly #time: number
  readonly #look: () => number
  /** Whether it pays; `null` where nobody asks. */
  readonly #worth: PollWorth | null
  /** A look is scheduled for this turn. */
  #pending = false
  /** Packets that are found now were polled for. */
  #polling = false
  /** When the loop could last have ended, while looks follow each other. */
  #since = 0
  readonly #turn = () => this.#poll()

  /**
   * `choice` is in microseconds; `auto` polls as long as that pays. `look` takes what packets
   * there are and calls {@link again} when it found some; it returns how many, or -1 when there
   * will be no more.
   */
  constructor(choice: number | 'auto', look: () => number) {
    this.#time = choice === 'auto' ? LONGEST_WAIT : choice / 1000
    this.#worth = choice === 'auto' ? new PollWorth() : null
    this.#look = look
  }

  /** Whether it looks for the packets behind those that were found last. */
  get isOn(): boolean {
    return this.#worth?.isOn ?? true
  }

  /**
   * Packets came: looks again in another turn, after everything that they caused. Such a turn keeps
   * the process alive, so one is left out now and then.
   */
  again(): void {
    if (this.#pending) return
    const now = performance.now()
    const worth = this.#worth
    if (worth !== null) {
      if (!this.#polling) worth.wokeUp(now)
      if (!worth.isOn) {
        this.#since = 0
        return
      }
    }
    if (this.#since === 0) this.#since = now
    this.#pending = now - this.#since < LONGEST_RUN
    if (this.#pending) setImmediate(this.#turn)
    else this.#since = 0
  }

  #poll(): void {
    this.#pending = false
    const start = performance.now()
    const end = start + this.#time
    let now = start
    let count = 0
    this.#polling = true
    do {
      count = this.#look()
      if (count === 0) now = performance.now()
    } while (count === 0 && now < end)
    this.#polling = false
    this.#worth?.waited(now - start, now)
    // Nothing came: the loop waits, or ends.
    if (!this.#pending) this.#since = 0
  }
}

/**
 * Whether polling pays: as long as packets come sooner than a wake-up takes. Whether they would is
 * only known by polling, because whoever waits for answers is woken earlier by it: it is tried.
 *
 * A mean of the last waits, and not the last one, because a peer that did not run for once says
 * nothing. A trial in vain costs about six waits, and the next one comes after twice as many
 * wake-ups: on the long run 0.3 µs a wake-up.
 */
export class PollWorth {
  isOn = false
  /** Mean of the last waits, in milliseconds. */
  #mean = 0
  /** Waits since it is on. */
  #waits = 0
  /** Wake-ups until the next trial. */
  #rest = 0
  /** Wake-ups that the next trial in vain is followed by. */
  #pause = FIRST_PAUSE
  /** When packets were last found. */
  #last = -Infinity

  /** A wake-up found packets. */
  wokeUp(now: number): void {
    const gap = now - this.#last
    this.#last = now
    if (gap > SPARSE) {
      // Too rare for a wait of any length.
      if (this.isOn) this.#end()
    } else if (!this.isOn && --this.#rest < 0) {
      this.isOn = true
      this.#mean = 0
      this.#waits = 0
    }
  }

  /** Packets came after that many milliseconds of polling, or none did. */
  waited(milliseconds: number, now: number): void {
    this.#last = now
    this.#mean += (milliseconds - this.#mean) / WEIGHT
    if (++this.#waits === PROVEN) this.#pause = FIRST_PAUSE
    if (this.#mean > WAKE_UP) this.#end()
  }

  #end(): void {
    this.isOn = false
    this.#rest = this.#pause
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
  }
}
