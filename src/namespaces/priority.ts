/**
 * The network goes before the programs that use it: on a machine that is busy with these, its
 * packets would be late. Only root may ask for that (CAP_SYS_NICE). Anybody's thread may run for a
 * shorter time at once, and is let run sooner for it (Linux 6.12), and may go before the other
 * threads of its own process, which compile.
 *
 * A thread of this kind (SCHED_RR) that has work all the time is stopped by the kernel for 50 ms in
 * a second, for the others' sake. So it is one of the usual kind while it has.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { type SystemCalls, systemCalls } from './system-calls.ts'

/** Milliseconds; the shortest that the kernel grants. */
const SLICE = 0.1
/** The nice value of the other threads. */
const NICE = 10
/** Milliseconds over which the load is measured, and the share of them that is too much. */
const SPAN = 200
const BUSY = 0.8

export class Priority {
  readonly #calls: SystemCalls = systemCalls()
  #isFirst = false
  #time = performance.now()
  #used = used()

  constructor() {
    if (!this.#goFirst(true)) lowerOthers()
  }

  /** Called now and then: decides anew. */
  check(): void {
    const time = performance.now()
    if (time - this.#time < SPAN) return
    const now = used()
    const isBusy = (now - this.#used) / (time - this.#time) > BUSY
    this.#time = time
    this.#used = now
    if (isBusy === this.#isFirst) this.#goFirst(!isBusy)
  }

  /**
   * Programs that this thread starts do not inherit it.
   * @returns whether it is permitted
   */
  #goFirst(isFirst: boolean): boolean {
    this.#isFirst = isFirst
    if (this.#calls.setRoundRobin(isFirst) && isFirst) return true
    this.#calls.setSlice(isFirst ? SLICE : 0)
    return false
  }
}

/** Lets the other threads of this process wait for the first one. */
function lowerOthers(): void {
  const threads = '/proc/self/task'
  const nice = Math.max(NICE, getPriority())
  for (const thread of readdirSync(threads)) {
    try {
      // Its number in the innermost namespace; /proc may be that of an outer one.
      const number = /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`${threads}/${thread}/status`, 'utf8'))?.[1]
      if (number !== undefined && Number(number) !== process.pid) setPriority(Number(number), nice)
    } catch {
      // It has ended.
    }
  }
}

/** Milliseconds of processors that this process has used. */
function used(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
