/**
 * How many ICMP errors may leave: token buckets for the whole host and for each destination (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f);
 * Linux: icmp_msgs_per_sec and icmp_msgs_burst, icmp_ratelimit and its burst of six).
 */
import type { Clock } from '../base/clock.ts'

/** Errors per second and burst. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Linux: icmp_msgs_per_sec, icmp_msgs_burst. */
export const HOST_RATE: Rate = { perSecond: 1000, burst: 50 }
/** Linux: icmp_ratelimit (one error in 1000 ms), XRLIM_BURST_FACTOR. */
export const DESTINATION_RATE: Rate = { perSecond: 1, burst: 6 }

/** Destinations remembered; past it the one that was refused or answered longest ago is forgotten. */
const DESTINATIONS = 4096

class Bucket {
  tokens: number
  refilled: number
  constructor(tokens: number, now: number) {
    this.tokens = tokens
    this.refilled = now
  }

  refill(rate: Rate, now: number): boolean {
    this.tokens = Math.min(rate.burst, this.tokens + ((now - this.refilled) * rate.perSecond) / 1000)
    this.refilled = now
    return this.tokens >= 1
  }
}

export class ErrorLimit {
  readonly #clock: Clock
  readonly #host: Rate | null
  readonly #destination: Rate | null
  readonly #hostBucket: Bucket
  readonly #buckets = new Map<number, Bucket>()

  /** `null` for no limit. */
  constructor(clock: Clock, host: Rate | null, destination: Rate | null) {
    this.#clock = clock
    this.#host = host
    this.#destination = destination
    this.#hostBucket = new Bucket(host?.burst ?? 0, clock.now())
  }

  /** Whether an error may be sent to the destination now; takes its tokens if so. */
  take(w0: number, w1: number, w2: number, w3: number): boolean {
    const now = this.#clock.now()
    if (this.#host !== null && !this.#hostBucket.refill(this.#host, now)) return false
    if (this.#destination !== null) {
      // Two destinations with one hash share a bucket, which harms nobody but them.
      const key = Math.imul(w0, 0x9e3779b1) ^ Math.imul(w1, 0x85ebca6b) ^ Math.imul(w2, 0xc2b2ae35) ^ w3
      const bucket = this.#buckets.get(key) ?? new Bucket(this.#destination.burst, now)
      this.#buckets.delete(key)
      this.#buckets.set(key, bucket)
      if (this.#buckets.size > DESTINATIONS) this.#buckets.delete(this.#buckets.keys().next().value as number)
      if (!bucket.refill(this.#destination, now)) return false
      bucket.tokens--
    }
    if (this.#host !== null) this.#hostBucket.tokens--
    return true
  }
}
