/**
 * The network goes before the programs that use it: on a machine that is busy with these, its
 * packets would be late. Only root may ask for that (CAP_SYS_NICE); anybody else's run is as
 * punctual as the kernel makes it.
 *
 * A thread of this kind (SCHED_RR) that has work all the time is stopped by the kernel for 50 ms in
 * a second, for the others' sake. So it is one of the usual kind while it has.
 */
import { type SystemCalls, systemCalls } from './system-calls.ts'

/** Milliseconds over which the load is measured, and the share of them that is too much. */
const SPAN = 200
const BUSY = 0.8

export class Priority {
  readonly #calls: SystemCalls = systemCalls()
  #isFirst = false
  #time = performance.now()
  #used = used()

  constructor() {
    this.#goFirst(true)
  }

  /** Called now and then: decides anew. */
  check(): void {
    const time = performance.now()
    if (time - this.#time < SPAN) return
    const now = used()
    const isBusy = (now - this.#used) / (time - this.#time) > BUSY
    this.#time = time
    this.#used = now
    this.#goFirst(!isBusy)
  }

  /** Programs that this thread starts do not inherit it. */
  #goFirst(isFirst: boolean): void {
    if (this.#isFirst !== isFirst && this.#calls.setRoundRobin(isFirst)) this.#isFirst = isFirst
  }
}

/** Milliseconds of processors that this process has used. */
function used(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
