/**
 * Moves virtual time while programs that use promises, ticks and callbacks keep up: time stands
 * still as long as they have something to do.
 *
 * The platform's event loop gets a turn only after events in which a program may have been told of
 * something; all else runs straight through.
 */
import { type Clock, ManualClock, type Timer } from '../../base/clock.ts'
import { nextTurn } from '../../base/turn.ts'

/**
 * Events between two turns of the event loop when no program has anything to do, so that signals
 * are heard.
 */
const STRETCH = 20_000

/**
 * What programs wait for besides the network and the event loop, which time waits for as well:
 * `pending` gives a promise that settles when something of it is over, or `null`. Node's is files
 * and keys (`network-node.ts`).
 */
export const platformWork: { pending(): Promise<void> | null } = { pending: () => null }

/** A clock whose callbacks may wake programs, so that these get a turn after each. */
export class ProgramClock implements Clock {
  protected readonly time: VirtualTime

  constructor(time: VirtualTime) {
    this.time = time
  }

  now(): number {
    return this.time.clock.now()
  }

  wallTime(): number {
    return this.time.clock.wallTime()
  }

  schedule(delay: number, callback: () => void): Timer {
    const { time } = this
    return time.clock.schedule(delay, () => {
      time.programsRan()
      callback()
    })
  }

  soon(callback: () => void): void {
    this.schedule(0, callback)
  }
}

/**
 * The clock of one host. Its timers are housekeeping (a neighbor's age, a fragment that does not
 * come) and do not count as something left to happen; only what it wants at once does.
 */
export class HostClock extends ProgramClock {
  override schedule(delay: number, callback: () => void): Timer {
    return delay > 0 ? new HousekeepingTimer(this.time, delay, callback) : super.schedule(delay, callback)
  }
}

class HousekeepingTimer implements Timer {
  readonly #time: VirtualTime
  readonly #timer: Timer
  #isPending = true

  constructor(time: VirtualTime, delay: number, callback: () => void) {
    this.#time = time
    time.housekeeping++
    this.#timer = time.clock.schedule(delay, () => {
      this.#end()
      time.programsRan()
      callback()
    })
  }

  cancel(): void {
    this.#end()
    this.#timer.cancel()
  }

  #end(): void {
    if (this.#isPending) this.#time.housekeeping--
    this.#isPending = false
  }
}

export class VirtualTime {
  readonly clock = new ManualClock()
  /** Events that have happened. */
  steps = 0
  /** Timers that wait, but need not be waited for. */
  housekeeping = 0
  /** Since the last turn. */
  #programsRan = false
  /** Since time moved. */
  #settled = true
  #running = false
  #pauseAsked = false

  /** A program may have been woken: it gets its turn before the next event. */
  readonly programsRan = (): void => {
    this.#programsRan = true
    this.#settled = false
  }

  /** A drive that is going on ends after the event that is just happening. */
  pause(): void {
    this.#pauseAsked = true
  }

  /** Whether nothing is left to happen but housekeeping. */
  get isQuiet(): boolean {
    return this.clock.pending === this.housekeeping
  }

  /**
   * Runs events up to and including the time `until`, as long as `goOn` says so, and to the quiet
   * if `untilQuiet`. Time is moved to `until`, unless that is without end, when nothing is left
   * before it.
   * @returns false when it was paused, or `goOn` ended it
   * @throws {Error} when time is moving already
   */
  async drive(until: number, goOn: () => boolean, untilQuiet = false): Promise<boolean> {
    if (this.#running) throw new Error('The network is running already: wait for the other run, runFor or step to end.')
    return await inTurns(this.#events(until, goOn, untilQuiet))
  }

  *#events(until: number, goOn: () => boolean, untilQuiet: boolean): Turns<boolean> {
    this.#running = true
    this.#pauseAsked = false
    try {
      // What was called before may have left ticks and microtasks.
      yield* this.#programs()
      for (let stretch = 0; !this.#pauseAsked && goOn(); stretch++) {
        const { nextTime } = this.clock
        if (!this.#isDue(nextTime, until, untilQuiet)) {
          // Without an event a program may still be about to make one.
          yield* this.#programs()
          if (!this.#isDue(this.clock.nextTime, until, untilQuiet)) {
            if (until < Number.POSITIVE_INFINITY && !this.#pauseAsked && goOn())
              this.clock.advance(until - this.clock.now())
            break
          }
          continue
        }
        const moves = nextTime > this.clock.now()
        if (moves && !this.#settled) {
          yield* this.#programs()
          continue
        }
        this.steps++
        this.clock.step()
        if (this.#programsRan || stretch % STRETCH === STRETCH - 1) {
          this.#programsRan = false
          yield null
        }
      }
      return !this.#pauseAsked && goOn()
    } finally {
      this.#running = false
    }
  }

  #isDue(nextTime: number, until: number, untilQuiet: boolean): boolean {
    return nextTime <= until && nextTime < Number.POSITIVE_INFINITY && !(untilQuiet && this.isQuiet)
  }

  /** Lets programs run until they have settled. */
  *#programs(): Turns<void> {
    this.#programsRan = false
    this.#settled = true
    for (;;) {
      // A callback that makes an immediate of its own is still at the same moment.
      for (let i = 0; i < 2; i++) yield null
      const pending = this.#pauseAsked ? null : platformWork.pending()
      if (pending === null) return
      yield pending
    }
  }
}

/** Work with turns of the platform's event loop in between, after what is yielded has settled. */
type Turns<T> = Generator<Promise<void> | null, T, void>

/**
 * Each piece is a callback of the event loop, not the continuation of a promise: what a program is
 * told in it is followed by the program's ticks, and then by its microtasks, as in Node.
 */
function inTurns<T>(turns: Turns<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const go = () => {
      try {
        const { done, value } = turns.next()
        if (done) resolve(value)
        else if (value === null) nextTurn(go)
        else value.then(() => nextTurn(go))
      } catch (error) {
        reject(error)
      }
    }
    go()
  })
}
