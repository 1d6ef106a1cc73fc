/** Time comes in from outside. All times are milliseconds, fractions included. */
import { Fifo } from './fifo.ts'
import { nextTurn } from './turn.ts'

/**
 * A time, in milliseconds, fractions included, and what is to be done in it. Callbacks run in the
 * order of their time and, at the same time, in the order in which they were scheduled.
 */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number
  /** Milliseconds since 1970-01-01T00:00:00Z, for time stamps. */
  wallTime(): number
  /**
   * Runs `callback` once after `delay` milliseconds, however many; never after `Infinity`. A
   * pending timer does not keep the process alive.
   */
  schedule(delay: number, callback: () => void): Timer
  /**
   * Runs `callback` in a later turn, before any timer that is not due yet; never before this call
   * returns.
   */
  soon(callback: () => void): void
}

export interface Timer {
  /** The callback will not run; no effect once it has. */
  cancel(): void
}

// Read once: a program under test may replace the globals by fake ones, and the stack must not stop
// with them.
const { setTimeout, clearTimeout, performance, Date: WallTime } = globalThis

/** The longest that setTimeout can wait; of anything longer it makes 1 ms. */
const LONGEST = 2 ** 31 - 1

class SystemTimer implements Timer {
  #handle: ReturnType<typeof setTimeout> | undefined
  constructor(delay: number, callback: () => void) {
    this.#wait(delay, callback)
  }

  /** What is longer than setTimeout can wait is waited for in pieces. */
  #wait(delay: number, callback: () => void): void {
    if (delay === Number.POSITIVE_INFINITY) return
    // setTimeout cuts fractions off; rounding up keeps "not before".
    this.#handle =
      delay > LONGEST
        ? setTimeout(() => this.#wait(delay - LONGEST, callback), LONGEST)
        : setTimeout(callback, Math.ceil(delay))
    const handle: unknown = this.#handle
    if (typeof handle === 'object' && handle !== null && 'unref' in handle) (handle as { unref(): void }).unref()
  }

  cancel(): void {
    clearTimeout(this.#handle)
  }
}

/**
 * A time without what lies behind its nanoseconds: dust of the arithmetic, and digits that may
 * differ between engines (those of a logarithm).
 */
export function wholeNanoseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e6) / 1e6
}

/** Just below 1, in the precision that today's milliseconds have as a double. */
const ALMOST = 1 - 2 ** -10

/** The machine's own time. */
export class SystemClock implements Clock {
  /**
   * The wall time at `performance.now() === 0`, as far as is known. `Date.now()` has whole
   * milliseconds and is asked each time: it says between which two of them the time is, after a
   * step of the wall clock too; the fraction goes on from what was known, and gets exact as those
   * bounds shift it.
   */
  #origin = performance.timeOrigin

  now(): number {
    return performance.now()
  }

  wallTime(): number {
    const whole = WallTime.now()
    const time = this.#origin + performance.now()
    const bounded = Math.min(Math.max(time, whole), whole + ALMOST)
    this.#origin += bounded - time
    return bounded
  }

  schedule(delay: number, callback: () => void): Timer {
    return new SystemTimer(delay, callback)
  }

  soon(callback: () => void): void {
    nextTurn(callback)
  }
}

/** How many timers will still run. */
class Pending {
  count = 0
}

class ManualTimer implements Timer {
  readonly time: number
  readonly sequence: number
  readonly #pending: Pending
  callback: (() => void) | null
  constructor(time: number, sequence: number, callback: () => void, pending: Pending) {
    this.time = time
    this.sequence = sequence
    this.callback = callback
    this.#pending = pending
  }
  cancel(): void {
    if (this.callback !== null) this.#pending.count--
    this.callback = null
  }
}

/**
 * A clock that moves only when it is told: a binary heap of timers, and a queue of what is due at
 * once, which is half of what a simulated network schedules. Timers of one time run in the order of
 * scheduling.
 */
export class ManualClock implements Clock {
  #now: number
  readonly #epoch: number
  #sequence = 0
  readonly #heap: ManualTimer[] = []
  /**
   * What is due at the time at which it was scheduled: timers, and the callbacks of `soon`, which
   * nobody can cancel, as they are. Each is behind those of the heap with that time, and time does
   * not move while there are any.
   */
  readonly #soon = new Fifo<ManualTimer | (() => void)>()
  readonly #pending = new Pending()

  /** `epoch` is the wall time at `now() === 0`; its default is 2000-01-01T00:00:00Z. */
  constructor(epoch = 946_684_800_000) {
    this.#now = 0
    this.#epoch = epoch
  }

  now(): number {
    return this.#now
  }

  wallTime(): number {
    return this.#epoch + this.#now
  }

  schedule(delay: number, callback: () => void): Timer {
    const timer = new ManualTimer(this.#now + (delay > 0 ? delay : 0), this.#sequence++, callback, this.#pending)
    this.#pending.count++
    if (timer.time === this.#now) this.#soon.push(timer)
    else this.#push(timer)
    return timer
  }

  soon(callback: () => void): void {
    this.#pending.count++
    this.#soon.push(callback)
  }

  /** How many callbacks are scheduled. */
  get pending(): number {
    return this.#pending.count
  }

  /** The time of the next callback, or `Infinity`. */
  get nextTime(): number {
    return this.#hasSoon() ? this.#now : (this.#later()?.time ?? Number.POSITIVE_INFINITY)
  }

  /**
   * Runs the next callback, moving the time to it; `false` when nothing is scheduled for any time.
   */
  step(): boolean {
    const later = this.#later()
    const soon = this.#hasSoon() && (later === undefined || later.time > this.#now) ? this.#soon.shift() : undefined
    if (typeof soon === 'function') {
      this.#pending.count--
      soon()
      return true
    }
    const timer = soon ?? later
    if (timer === undefined || timer.time === Number.POSITIVE_INFINITY) return false
    if (timer === later) this.#pop()
    this.#now = timer.time
    const callback = timer.callback as () => void
    timer.callback = null
    this.#pending.count--
    callback()
    return true
  }

  /**
   * Runs everything that is due within the next `duration` milliseconds and leaves the time at
   * their end.
   */
  advance(duration: number): void {
    const end = this.#now + duration
    while (this.nextTime <= end) this.step()
    this.#now = end
  }

  /** Runs everything that is due now, without moving the time. */
  settle(): void {
    this.advance(0)
  }

  /** The first timer of the heap that was not cancelled. */
  #later(): ManualTimer | undefined {
    while (this.#heap[0]?.callback === null) this.#pop()
    return this.#heap[0]
  }

  /** Whether anything that was not cancelled is due at the time at which it was scheduled. */
  #hasSoon(): boolean {
    for (;;) {
      const { first } = this.#soon
      if (first === undefined) return false
      if (typeof first === 'function' || first.callback !== null) return true
      this.#soon.shift()
    }
  }

  #before(a: ManualTimer, b: ManualTimer): boolean {
    return a.time < b.time || (a.time === b.time && a.sequence < b.sequence)
  }

  #push(timer: ManualTimer): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(timer)
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up] as ManualTimer
      if (!this.#before(timer, parent)) break
      heap[at] = parent
      at = up
    }
    heap[at] = timer
  }

  #pop(): ManualTimer | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#before(heap[child + 1] as ManualTimer, heap[child] as ManualTimer)) child++
      if (!this.#before(heap[child] as ManualTimer, last)) break
      heap[at] = heap[child] as ManualTimer
      at = child
    }
    heap[at] = last
    return first
  }
}
