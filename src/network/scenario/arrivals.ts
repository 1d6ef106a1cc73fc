/** What arrived of a flow: each datagram once, its copies, the order and the delays. */
import { wholeNanoseconds } from '../../base/clock.ts'
import { type Arrival, nineDigits, rank } from './metrics.ts'
import type { Latency } from './run-types.ts'

export class Arrivals {
  received = 0
  /** Copies beyond the first. */
  duplicated = 0
  /** Datagrams behind a later one (RFC 4737 section 3.3). */
  reordered = 0
  /** How often each datagram arrived. */
  readonly #copies: number[] = []
  readonly #arrivals: Arrival[] = []
  /**
   * Payload bytes without those of the first datagram: the measured span begins when it arrives.
   */
  #bytes = 0
  #firstBytes = 0
  #highest = -1
  #first = 0
  #last = 0

  /** A datagram that left at `sent` arrives at `now`. @returns false for a copy */
  add(number: number, sent: number, now: number, length: number): boolean {
    const copies = (this.#copies[number] ?? 0) + 1
    this.#copies[number] = copies
    if (copies > 1) {
      this.duplicated++
      return false
    }
    if (this.received++ === 0) {
      this.#first = now
      this.#firstBytes = length
    } else this.#bytes += length
    this.#last = now
    this.#arrivals.push({ number, sent, time: now })
    if (number < this.#highest) this.reordered++
    else this.#highest = number
    return true
  }

  /** Payload bits a second, from the first to the last arrival. */
  get throughput(): number {
    const span = this.#last - this.#first
    return span > 0 ? nineDigits((this.#bytes * 8000) / span) : 0
  }

  get latency(): Latency | null {
    return latencyOf(this.#arrivals.map(({ sent, time }) => time - sent))
  }

  /** Of payload. */
  get bytes(): number {
    return this.#bytes + this.#firstBytes
  }

  get lastTime(): number {
    return this.#last
  }

  has(number: number): boolean {
    return this.#copies[number] !== undefined
  }

  /** In their order. */
  get all(): readonly Arrival[] {
    return this.#arrivals
  }
}

function latencyOf(latencies: readonly number[]): Latency | null {
  if (latencies.length === 0) return null
  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number) => wholeNanoseconds(rank(sorted, share))
  const mean = wholeNanoseconds(sorted.reduce((sum, each) => sum + each, 0) / sorted.length)
  return { min: at(0), mean, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}
