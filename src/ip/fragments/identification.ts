/**
 * Identification numbers, not to be guessed by others (RFC 7739).
 *
 * IPv6 has 32 bits: each number is random (RFC 7739 section 5.2, Linux: __ipv6_select_ident). IPv4
 * has 16, which must be unique per source, destination and protocol for as long as a packet lives
 * (RFC 6864 section 4.3): a counter per hash of the three (Linux: ip_idents_reserve), so that
 * neighbors in one bucket share it, and an offset per flow, so that they do not see each other's
 * numbers. Before each use a counter skips a random number of values, up to one for each
 * millisecond since its last use. Both hashes have a secret of 64 bits. A host may have random
 * numbers in IPv4 too, which two of some hundred datagrams share (FreeBSD therefore refuses the
 * last 8192: ip_randomid).
 */
import type { Clock } from '../../base/clock.ts'
import { KeyedHash } from '../../base/hash.ts'
import type { Packet } from '../../base/packet.ts'
import { branch, type Random } from '../../base/random.ts'

const BUCKETS = 2048

/** Where the numbers of IPv4 come from. */
export type IdentificationSource = 'counter' | 'random'

export class Identification {
  readonly #clock: Clock
  readonly #random: Random
  readonly #isRandom: boolean
  readonly #hash: KeyedHash
  /** A stream of its own, so that fragments of IPv6 change nothing else in a simulation. */
  #numbers6: Random | null = null
  /** Made when the first number is asked for: most hosts of a simulation never fragment. */
  #counters = new Int32Array(0)
  /** When each was last used; below 0 for one that has no random start yet. */
  #used = new Float64Array(0)
  /** The flow of the last number, as a rule the next one's too. */
  #source = 0
  #destination = 0
  #protocol = -1
  #bucket = 0
  #offset = 0

  constructor(clock: Clock, random: Random, source: IdentificationSource = 'counter') {
    this.#clock = clock
    this.#isRandom = source === 'random'
    this.#random = random
    this.#hash = new KeyedHash(random)
  }

  /**
   * The next number for the packet's source, destination and protocol: 32 bits, of which IPv4 takes
   * the low 16.
   */
  next(packet: Packet): number {
    if (packet.family === 6) {
      this.#numbers6 ??= branch(this.#random, 'identification')
      // Linux: 0 is none.
      return this.#numbers6.uint32() || 1
    }
    return this.next4(packet.s3, packet.d3, packet.protocol)
  }

  /** The next number for an IPv4 packet with these ends. */
  next4(source: number, destination: number, protocol: number): number {
    if (this.#isRandom) return this.#random.uint32()
    if (source !== this.#source || destination !== this.#destination || protocol !== this.#protocol)
      this.#turnTo(source, destination, protocol)
    const now = Math.floor(this.#clock.now())
    const used = this.#used[this.#bucket] as number
    // Drawn when it is needed: all at once they are the longest part of making a stack.
    if (used < 0) this.#counters[this.#bucket] = this.#random.uint32()
    const elapsed = now - used
    this.#used[this.#bucket] = now
    // Not more than 64: 16 bits must not wrap within a packet's lifetime for the skipping alone.
    const skip = elapsed > 0 ? this.#random.below(Math.min(elapsed, 64)) : 0
    const value = ((this.#counters[this.#bucket] as number) + 1 + skip) | 0
    this.#counters[this.#bucket] = value
    return (value + this.#offset) >>> 0
  }

  #turnTo(source: number, destination: number, protocol: number): void {
    if (this.#used.length === 0) {
      this.#counters = new Int32Array(BUCKETS)
      this.#used = new Float64Array(BUCKETS).fill(-1)
    }
    this.#source = source
    this.#destination = destination
    this.#protocol = protocol
    this.#bucket = this.#hash.address(source, destination, protocol, 0) & (BUCKETS - 1)
    this.#offset = this.#hash.address(source, destination, protocol, 1)
  }
}
