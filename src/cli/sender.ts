import type { NeighborState } from '../ip/nic/neighbor-table.ts'

/** Datagrams in a turn of the event loop, so that signals, timers and the device have theirs. */
const BATCH = 256

/** Sends one payload again and again, in batches, at a rate. */
export class Sender {
  sent = 0
  bytes = 0
  /** How often the peer's host answered that the port is closed. */
  refused = 0
  stopped = false
  /** Datagrams still to be handed to the socket, with those that are sent again. */
  #left: number
  /** Datagrams handed to the socket, those that must go again not included. */
  #handed = 0
  /** Datagrams whose callback is still to come. */
  #waiting = 0
  #queueFull = false
  #started = 0
  #ended = 0
  /** Datagrams a millisecond. */
  readonly #pace: number
  readonly #neighbor: () => NeighborState | undefined

  /**
   * `neighbor` is the state of the neighbor that the datagrams go to. While it is being resolved,
   * datagrams only wait, and few of them can.
   */
  constructor(count: number, rate: number, neighbor: () => NeighborState | undefined) {
    this.#left = count
    this.#neighbor = neighbor
    this.#pace = rate / 1000
  }

  get seconds(): number {
    return (this.#ended - this.#started) / 1000
  }

  /**
   * `end` is called with what went wrong, or when all is sent, or when no neighbor answered for the
   * first one; its first call counts.
   */
  start(
    size: number,
    send: (callback: (error: Error | null) => void) => void,
    end: (failure?: NodeJS.ErrnoException) => void,
  ): void {
    const done = (error: NodeJS.ErrnoException | null) => {
      this.#waiting--
      if (error === null) {
        this.sent++
        this.bytes += size
      } else if (error.code === 'ENOBUFS' || error.code === 'ECONNREFUSED') {
        // The device's queue is full, or ICMP answered an earlier datagram: this one was not sent
        // and goes again.
        this.#left++
        this.#handed--
        if (error.code === 'ENOBUFS') this.#queueFull = true
      } else end(error)
    }
    const turn = () => {
      if (this.stopped) return
      const neighbor = this.#neighbor()
      if (this.#queueFull || neighbor === 'INCOMPLETE') {
        this.#queueFull = false
        setTimeout(turn, 1)
        return
      }
      if ((this.#left === 0 && this.#waiting === 0) || (this.#handed === 1 && neighbor === 'FAILED')) {
        end()
        return
      }
      const elapsed = performance.now() - this.#started
      const due = this.#pace === Number.POSITIVE_INFINITY ? BATCH : Math.floor(elapsed * this.#pace) + 1 - this.#handed
      // The first one alone finds the neighbor out. Callbacks that are still to come hold the next
      // batch back.
      const most = this.#handed === 0 ? 1 : BATCH
      const batch = Math.max(0, Math.min(this.#left, due, most, 4 * BATCH - this.#waiting))
      this.#left -= batch
      this.#waiting += batch
      this.#handed += batch
      for (let i = 0; i < batch; i++) send(done)
      const early = this.#handed / this.#pace - elapsed
      if (early > 2) setTimeout(turn, early - 1)
      else setImmediate(turn)
    }
    this.#started = performance.now()
    turn()
  }

  /** Sends no more, and takes the time. */
  stop(): void {
    this.stopped = true
    if (this.#started > 0) this.#ended = performance.now()
  }
}
