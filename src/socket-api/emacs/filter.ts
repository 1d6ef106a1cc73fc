/**
 * Datagrams on their way to a filter: they wait while its process is stopped, and between turns.
 */
import type { Buffer } from 'node:buffer'
import type { Clock } from '../../base/clock.ts'
import { MESSAGES_A_TURN } from '../delivery/turns.ts'
import type { Peer } from './network-address.ts'

/** A datagram and who sent it. */
export interface Arrival {
  readonly data: Buffer<ArrayBuffer>
  readonly from: Peer
}

/** What the queue needs of its process. */
export interface FilterHost {
  /** Whether the program has asked it to wait. */
  readonly stopped: boolean
  /** Makes the sender the peer, and calls the filter. */
  filterOne(arrival: Arrival): void
}

export class FilterQueue {
  readonly #host: FilterHost
  readonly #clock: Clock
  #waiting: Arrival[] = []
  /** The filter has had its share of this turn. */
  #resuming = false
  readonly #resume = () => {
    this.#resuming = false
    this.run()
  }

  constructor(host: FilterHost, clock: Clock) {
    this.#host = host
    this.#clock = clock
  }

  add(arrival: Arrival): void {
    this.#waiting.push(arrival)
  }

  /** Hands on what waits, as much as one turn allows. */
  run(): void {
    for (let count = 0; !this.#host.stopped && !this.#resuming; count++) {
      if (count === MESSAGES_A_TURN && this.#waiting.length > 0) {
        this.#resuming = true
        this.#clock.soon(this.#resume)
        return
      }
      const next = this.#waiting.shift()
      if (next === undefined) return
      try {
        this.#host.filterOne(next)
      } catch (error) {
        // As an uncaught exception: the datagrams behind this one are other calls.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  clear(): void {
    this.#waiting = []
  }
}
