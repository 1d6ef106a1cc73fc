/**
 * The tick in which a datagram leaves. Node looks every address up, a literal one too, and sends in
 * the next tick: what a program does in between (an option, `close`, another byte in the buffer)
 * counts.
 */
import { process } from '#platform'
import { type Clock, ManualClock } from '../../base/clock.ts'

/** What waits for its tick. */
export interface Tick {
  run(): void
}

export class SendTicks {
  /**
   * A program that moves the clock itself does so within its turn: what it has sent is to arrive
   * then.
   */
  readonly #atOnce: boolean
  /** Calls of the tick that was asked for last, while more may join it. */
  #open: Tick[] | null = null
  #count = 0
  readonly #run = (calls: Tick[]) => {
    if (this.#open === calls) this.#open = null
    for (const call of calls) this.#runOne(call)
  }
  readonly #runOne = (call: Tick) => {
    this.#count--
    call.run()
  }

  constructor(clock: Clock) {
    this.#atOnce = clock instanceof ManualClock
  }

  /** Whether a call waits for its tick. */
  get isWaiting(): boolean {
    return this.#count > 0
  }

  /**
   * Runs `call` in the next tick, after those before it. `own`: a tick of its own, whose async
   * context a callback is to have; others share one, which no program can tell but by its cost.
   */
  next(call: Tick, own: boolean): void {
    if (this.#atOnce) {
      call.run()
      return
    }
    this.#count++
    if (own) {
      this.#open = null
      process.nextTick(this.#runOne, call)
    } else {
      if (this.#open === null) {
        this.#open = []
        process.nextTick(this.#run, this.#open)
      }
      this.#open.push(call)
    }
  }
}
