/** The time of a network: virtual time, which it moves, or the machine's. */
import { type Clock, SystemClock, type Timer } from '../../base/clock.ts'
import { installChance, type ProgramChance } from './chance.ts'
import { type Duration, milliseconds } from './duration.ts'
import { Moments } from './moments.ts'
import { installTimers, platformContext } from './timers.ts'
import { HostClock, ProgramClock, VirtualTime } from './virtual-time.ts'

// Read once: a program under test may replace the globals by fake ones.
const { setTimeout } = globalThis

export class Running {
  readonly clock: Clock
  /** A program may have been woken: it gets its turn before time goes on. */
  readonly programsRan: () => void
  readonly #virtual: VirtualTime | null
  readonly #start: number
  /** Prepares the network for what happens next. */
  readonly #settle: () => void
  /** Of real time, which moves between two calls that name the same time. */
  readonly #moments: Moments
  #restoreTimers: (() => void) | null = null
  #isClosed = false

  constructor(kind: 'virtual' | 'real' | Clock, settle: () => void) {
    this.#virtual = kind === 'virtual' ? new VirtualTime() : null
    this.clock = typeof kind === 'object' ? kind : (this.#virtual?.clock ?? new SystemClock())
    this.#start = this.clock.now()
    this.programsRan = this.#virtual?.programsRan ?? (() => {})
    this.#settle = settle
    this.#moments = new Moments(this.clock)
  }

  get isVirtual(): boolean {
    return this.#virtual !== null
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Milliseconds since the network was made. */
  get now(): number {
    return this.clock.now() - this.#start
  }

  /** The clock of one host. */
  hostClock(): Clock {
    return this.#virtual === null ? this.clock : new HostClock(this.#virtual)
  }

  /** Actions of one time happen in the order of the calls. */
  at(time: Duration, action: () => void): Timer {
    const bound = platformContext.bind(action)
    const due = milliseconds(time)
    if (this.#virtual === null) return this.#moments.add(due, due - this.now, bound)
    return this.clock.schedule(due - this.now, () => {
      this.programsRan()
      bound()
    })
  }

  async run<T>(until: PromiseLike<T> | undefined, limit: Duration): Promise<T | undefined> {
    const deadline = this.now + milliseconds(limit)
    this.#settle()
    const virtual = this.#virtual
    if (virtual === null) {
      if (until === undefined)
        throw new Error('Real time runs by itself, and does not end: wait for a promise, or use runFor.')
      return await until
    }
    if (until === undefined) {
      await virtual.drive(Number.POSITIVE_INFINITY, () => !this.#isClosed, true)
      return undefined
    }
    let settled = false
    const note = () => {
      settled = true
    }
    until.then(note, note)
    await virtual.drive(Number.POSITIVE_INFINITY, () => !settled && !this.#isClosed && this.now <= deadline)
    if (settled) return await until
    throw new Error(`The promise that run waits for has not settled: ${this.#whyNot(virtual, deadline)}.`)
  }

  #whyNot({ clock }: VirtualTime, deadline: number): string {
    if (this.#isClosed) return 'the network was closed'
    if (this.now > deadline) return `${deadline} ms have passed in the network`
    return clock.pending > 0
      ? 'the network was paused'
      : `nothing is left to happen in the network after ${this.now} ms`
  }

  async runFor(duration: Duration): Promise<void> {
    const span = milliseconds(duration)
    this.#settle()
    if (this.#virtual === null) await new Promise((resolve) => setTimeout(resolve, span))
    else await this.#virtual.drive(this.clock.now() + span, () => !this.#isClosed)
  }

  async step(): Promise<boolean> {
    this.#settle()
    const virtual = this.#needVirtual('step')
    const before = virtual.steps
    await virtual.drive(Number.POSITIVE_INFINITY, () => virtual.steps === before && !this.#isClosed, true)
    return virtual.steps > before
  }

  pause(): void {
    this.#needVirtual('pause').pause()
  }

  /** `chance` is what programs draw from; `null` leaves them the platform's. */
  installTimers(chance: ProgramChance | null): () => void {
    const virtual = this.#needVirtual('installTimers')
    if (this.#restoreTimers !== null) throw new Error("The network's timers are installed already.")
    const restores = [installTimers(new ProgramClock(virtual)), chance === null ? null : installChance(chance)]
    this.#restoreTimers = () => {
      this.#restoreTimers = null
      for (const restore of restores) restore?.()
    }
    return this.#restoreTimers
  }

  /** Ends a run that is going on, and puts the program's timers back. */
  close(): void {
    this.#isClosed = true
    this.#restoreTimers?.()
  }

  #needVirtual(what: string): VirtualTime {
    if (this.#virtual === null)
      throw new Error(`${what} is for virtual time; this network was made with clock: 'real'.`)
    return this.#virtual
  }
}

/** Whether an option is a clock, and no name of one. */
export function isClock(option: unknown): option is Clock {
  return typeof (option as Partial<Clock> | null | undefined)?.schedule === 'function'
}
