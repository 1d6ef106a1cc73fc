/**
 * The machine's time with timers that are exact to some ten microseconds. Those of Node have whole
 * milliseconds, and would add one to each hop of a network.
 *
 * All timers wait in a heap; the first one's time is set in a timer of the kernel (timerfd), which
 * wakes libuv's loop as a device does.
 *
 * What a timer does happens at the timer's time, and what a device brings at the time of its
 * wake-up: what this process needs until then, some ten microseconds a hop, delays nothing further.
 * How late it was is counted (`lateness.ts`).
 *
 * After a sleep, when caches are cold, such a hop is a tenth of a millisecond. So the timer that
 * ends a sleep runs ahead of its time, by what its work took lately, and what leaves by a device
 * waits for that time (`reach`). What comes in meanwhile happens at the timer's time.
 */
import { closeSync } from 'node:fs'
import { type Clock, ManualClock, SystemClock, type Timer } from '../base/clock.ts'
import { openOwned } from '../link/device/tun-descriptor.ts'
import { chooseWakeup, watch } from '../link/device/tun-poll.ts'
import type { Watcher } from '../link/device/watcher.ts'
import { EventTime } from './event-time.ts'
import { HeadStart } from './head-start.ts'
import type { Lateness } from './lateness.ts'
import { LoopPoll } from './loop-poll.ts'
import { type SystemCalls, systemCalls } from './system-calls.ts'

/**
 * Milliseconds that a processor takes to wake up from its sleep, in a virtual machine above all: a
 * timer is set so much early, and the rest of its time the processor is kept awake.
 */
const EARLY = 0.2
/** A timer that comes sooner after another finds the processor awake. */
const SLEEP = 0.8
/** Timers that run in one turn, after which devices have theirs. */
const MOST = 1000
/** Where the kernel writes how often its timer has fired. */
const EXPIRATIONS = new Uint8Array(8)

export class PreciseClock implements Clock {
  readonly #system = new SystemClock()
  readonly #time = new EventTime(this.#system)
  readonly #calls: SystemCalls
  readonly #fd: number
  readonly #watcher: Watcher
  readonly #lateness: Lateness
  readonly #loop: LoopPoll
  readonly #headStart = new HeadStart()
  /** Its time is that of the last timer that ran. */
  readonly #timers = new ManualClock()
  /** What the kernel's timer is set to. */
  #armed = Number.POSITIVE_INFINITY
  /** The kernel's timer is set to less than the first timer's time. */
  #isEarly = false
  #isClosed = false
  /** Timers are running: the kernel's one is set when they have. */
  #running = false

  /** @throws {Error} where devices cannot be opened either */
  constructor(lateness: Lateness) {
    const calls = systemCalls()
    const { libc } = calls
    this.#calls = calls
    this.#lateness = lateness
    this.#loop = new LoopPoll(libc)
    this.#fd = openOwned(libc, 'timerfd_create', 'The kernel has no timer for the clock', calls.timerfdCreate)
    this.#watcher = watch(libc, this.#fd, chooseWakeup(libc, 'auto'), {
      readable: () => this.#fired(),
      failed: () => {},
      exit: () => {},
    })
  }

  now(): number {
    return this.#time.now()
  }

  wallTime(): number {
    return this.#system.wallTime() - (this.#system.now() - this.now())
  }

  schedule(delay: number, callback: () => void): Timer {
    // The heap's own time stands still in between.
    const due = this.now() + Math.max(0, delay)
    const timer = this.#timers.schedule(due - this.#timers.now(), () => {
      // One that is ahead is as late as what it does.
      const { isOn: isAhead } = this.#headStart
      if (!isAhead) this.#lateness.note(this.#system.now() - due)
      this.#time.run(due, callback)
      if (isAhead) this.#lateness.note(this.#system.now() - due)
    })
    this.#arm()
    return timer
  }

  /** Something comes in now, and happens now until `release`; what was due before is done first. */
  hold(): void {
    const now = this.#system.now()
    if (this.#timers.nextTime <= now) this.#runDue()
    this.#time.hold(now)
  }

  /** Something leaves by a device: waits for the time of what happens, if that is ahead. */
  reach(): void {
    if (!this.#headStart.isOn) return
    let now = this.#system.now()
    this.#headStart.leaves(now)
    for (const time = this.now(); now < time; ) now = this.#system.now()
  }

  release(): void {
    this.#time.release()
  }

  soon(callback: () => void): void {
    this.#time.soon(callback)
  }

  /** Timers run no more. */
  close(): void {
    this.#running = true
    this.#isClosed = true
    this.#watcher.close()
    closeSync(this.#fd)
  }

  #arm(): void {
    const next = this.#timers.nextTime
    if (this.#running || next >= this.#armed) return
    this.#armed = next
    const wait = next - this.#system.now()
    this.#isEarly = wait > SLEEP
    this.#calls.timerfdSet(this.#fd, this.#isEarly ? wait - EARLY - this.#headStart.lead : wait)
  }

  /** The kernel's timer has fired. */
  #fired(): number {
    this.#calls.libc.read(this.#fd, this.#calls.libc.addressOf(EXPIRATIONS), 8)
    this.#runDue()
    return 1
  }

  /** Runs what is due; after a sleep what is about to be, once devices have had their turn. */
  #runDue(): void {
    if (this.#isClosed) return
    let limit = this.#system.now()
    if (this.#isEarly) {
      const { lead } = this.#headStart
      const start = this.#timers.nextTime - lead
      // The one that it was set for may have been cancelled, and the next one be far.
      if (start - limit <= 2 * EARLY) {
        const now = this.#loop.wait(this.#system, start)
        if (now < start) {
          this.#system.soon(() => this.#runDue())
          return
        }
        this.#headStart.begin(now)
        limit = now + lead
      }
    }
    this.#isEarly = false
    this.#armed = Number.POSITIVE_INFINITY
    this.#running = true
    try {
      for (let count = 0; count < MOST && this.#timers.nextTime <= limit; count++) this.#timers.step()
    } finally {
      this.#headStart.end()
      this.#running = false
      this.#arm()
    }
  }
}
