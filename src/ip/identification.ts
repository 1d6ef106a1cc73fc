/**
 * Identification numbers: unique per source, destination and protocol for as long as a packet lives (RFC 6864 section 4.3), and not to be
 * guessed by others (RFC 7739 section 5.3, Linux: ip_idents_reserve).
 *
 * A counter per hash of the three, so that neighbors in one bucket share it, and an offset per flow, so that they do not see each other's
 * numbers. Before each use a counter skips a random number of values, up to one for each millisecond since its last use.
 */
import type { Clock } from '../base/clock.ts'
import type { Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'

const BUCKETS = 2048

export class Identification {
  readonly #clock: Clock
  readonly #random: Random
  readonly #secret: number
  readonly #offsetSecret: number
  /** Made when the first number is asked for: most hosts of a simulation never fragment. */
  #counters = new Int32Array(0)
  /** When each was last used; below 0 for one that has no random start yet. */
  #used = new Float64Array(0)

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
    this.#secret = random.uint32() | 0
    this.#offsetSecret = random.uint32() | 0
  }

  /** The next number for the packet's source, destination and protocol: 32 bits, of which IPv4 takes the low 16. */
  next(packet: Packet): number {
    if (this.#used.length === 0) {
      this.#counters = new Int32Array(BUCKETS)
      this.#used = new Float64Array(BUCKETS).fill(-1)
    }
    const bucket = mix(packet, this.#secret) & (BUCKETS - 1)
    const now = Math.floor(this.#clock.now())
    const used = this.#used[bucket] as number
    // Drawn when it is needed: all at once they are the longest part of making a stack.
    if (used < 0) this.#counters[bucket] = this.#random.uint32()
    const elapsed = now - used
    this.#used[bucket] = now
    // Not more than 64: 16 bits must not wrap within a packet's lifetime for the skipping alone.
    const skip = elapsed > 0 ? this.#random.below(Math.min(elapsed, 64)) : 0
    const value = ((this.#counters[bucket] as number) + 1 + skip) | 0
    this.#counters[bucket] = value
    return (value + mix(packet, this.#offsetSecret)) >>> 0
  }
}

function mix(packet: Packet, secret: number): number {
  let h = secret ^ packet.protocol
  h = round(h, packet.s3)
  h = round(h, packet.d3)
  if (packet.family === 6) {
    h = round(h, packet.s0)
    h = round(h, packet.s1)
    h = round(h, packet.s2)
    h = round(h, packet.d0)
    h = round(h, packet.d1)
    h = round(h, packet.d2)
  }
  // The finisher of MurmurHash3.
  h = Math.imul(h ^ (h >>> 16) ^ secret, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function round(h: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51)
  const mixed = h ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}
