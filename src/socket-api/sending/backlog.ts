/**
 * Datagrams that wait for room in their link, as libuv lets them wait for room in the kernel's send
 * buffer: a send that finds none is none that failed.
 */
import type { Clock } from '../../base/clock.ts'
import type { Stack } from '../../stack.ts'
import type { Errno } from '../../udp/errno.ts'

/** ECANCELED: the socket was closed. EISCONN: it was connected while a name was looked up. */
export type SendErrno = Errno | 'ECANCELED' | 'EISCONN'

/** A datagram on its way out. */
export interface Outgoing {
  /** Bytes. */
  readonly size: number
  /** Hands it to the stack. @returns `'ENOBUFS'` when the link has no room for it now */
  attempt(): Errno
  /** It has left, or failed for good. */
  done(errno: SendErrno): void
}

/** Datagrams that have left and are still in the list. */
const KEPT = 256

/** The datagrams of one socket that wait, in order. */
export class Backlog {
  /** Bytes of what waits. */
  size = 0
  readonly #retries: Retries
  #waiting: Outgoing[] = []
  /** What lies before it has left. */
  #next = 0

  constructor(stack: Stack) {
    this.#retries = retriesOf(stack)
  }

  get count(): number {
    return this.#waiting.length - this.#next
  }

  /** Sends a datagram, now if there is room and none before it waits. */
  send(datagram: Outgoing): void {
    if (this.count === 0) {
      const errno = datagram.attempt()
      if (errno !== 'ENOBUFS') {
        datagram.done(errno)
        return
      }
      this.#retries.add(this)
    }
    this.#waiting.push(datagram)
    this.size += datagram.size
  }

  /** Sends what there is room for. @returns whether that was anything */
  retry(): boolean {
    let progress = false
    while (this.count > 0) {
      const errno = (this.#waiting[this.#next] as Outgoing).attempt()
      if (errno === 'ENOBUFS') break
      progress = true
      this.#shift().done(errno)
    }
    if (this.count === 0) {
      this.#waiting = []
      this.#next = 0
    }
    return progress
  }

  /** The socket closes: what waits does not leave any more. */
  cancel(): void {
    while (this.count > 0) this.#shift().done('ECANCELED')
  }

  #shift(): Outgoing {
    const datagram = this.#waiting[this.#next++] as Outgoing
    this.size -= datagram.size
    // What has left is let go, also while something always waits.
    if (this.#next >= KEPT && 2 * this.#next >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    return datagram
  }
}

/** Tries the backlogs of one stack again. */
class Retries {
  readonly #clock: Clock
  #backlogs: Backlog[] = []
  #scheduled = false
  readonly #run = () => this.#retry()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(backlog: Backlog): void {
    this.#backlogs.push(backlog)
    this.#schedule(true)
  }

  #retry(): void {
    this.#scheduled = false
    const backlogs = this.#backlogs
    this.#backlogs = []
    let progress = false
    for (const backlog of backlogs) if (backlog.retry()) progress = true
    const still = backlogs.filter((backlog) => backlog.count > 0)
    // Whoever came first, and found all the room, comes last next time.
    const [first, ...others] = still
    if (first !== undefined) this.#backlogs.unshift(...others, first)
    if (this.#backlogs.length > 0) this.#schedule(progress)
  }

  /**
   * In-memory links have room again in the next turn; a device that had none in two turns is given
   * time.
   */
  #schedule(soon: boolean): void {
    if (this.#scheduled) return
    this.#scheduled = true
    if (soon) this.#clock.soon(this.#run)
    else this.#clock.schedule(1, this.#run)
  }
}

const retries = new WeakMap<Stack, Retries>()

function retriesOf(stack: Stack): Retries {
  let known = retries.get(stack)
  if (known === undefined) {
    known = new Retries(stack.clock)
    retries.set(stack, known)
  }
  return known
}
