/**
 * How many ICMP errors may leave: token buckets for the whole host and for each destination (RFC
 * 1812 section 4.3.2.8, RFC 4443 section 2.4 (f); Linux: icmp_msgs_per_sec and icmp_msgs_burst,
 * icmp_ratelimit and its burst of six).
 *
 * An error costs the whole host none, one or two tokens, at random, and one on average (Linux:
 * icmp_global_allow): who counts how many errors others left over for him does not learn how many
 * there were, and so not which ports are open ("SAD DNS", CVE-2020-25705).
 */
import { AddressMap } from '../../base/address-map.ts'
import type { Clock } from '../../base/clock.ts'
import { KeyedHash } from '../../base/hash.ts'
import { branch, type Random, SystemRandom } from '../../base/random.ts'

/** Errors per second and burst. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Linux: icmp_msgs_per_sec, icmp_msgs_burst. */
export const HOST_RATE: Rate = { perSecond: 1000, burst: 50 }
/** Linux: icmp_ratelimit (one error in 1000 ms), XRLIM_BURST_FACTOR. */
export const DESTINATION_RATE: Rate = { perSecond: 1, burst: 6 }

/**
 * Destinations remembered; past it the one that was refused or answered longest ago is forgotten.
 */
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
  readonly #buckets: AddressMap<Bucket>
  readonly #random: Random
  /** Made when the first error is sent. */
  #costs: Random | null = null

  /** `null` for no limit. `hash`: the stack's. */
  constructor(
    clock: Clock,
    host: Rate | null,
    destination: Rate | null,
    random: Random = new SystemRandom(),
    hash = new KeyedHash(random),
  ) {
    this.#clock = clock
    this.#host = host
    this.#destination = destination
    this.#random = random
    this.#buckets = new AddressMap(hash)
    this.#hostBucket = new Bucket(host?.burst ?? 0, clock.now())
  }

  /** Whether an error may be sent to the destination now; takes its tokens if so. */
  take(w0: number, w1: number, w2: number, w3: number): boolean {
    const now = this.#clock.now()
    // No errors a second are no errors at all, not even a burst.
    if (this.#host !== null && (this.#host.perSecond === 0 || !this.#hostBucket.refill(this.#host, now))) return false
    if (this.#destination !== null) {
      const bucket = this.#buckets.get(w0, w1, w2, w3) ?? new Bucket(this.#destination.burst, now)
      this.#buckets.set(w0, w1, w2, w3, bucket)
      if (this.#buckets.size > DESTINATIONS) this.#buckets.deleteOldest()
      if (!bucket.refill(this.#destination, now)) return false
      bucket.tokens--
    }
    if (this.#host !== null) {
      this.#costs ??= branch(this.#random, 'icmp errors')
      // The last one may cost a token that is not there yet: so the rate is kept.
      this.#hostBucket.tokens -= this.#costs.below(3)
    }
    return true
  }

  /** Destinations that a lookup may have to compare. */
  get longestChain(): number {
    return this.#buckets.longestChain
  }
}
