/**
 * The hash of every table whose keys come from the network: HalfSipHash-1-3 (Aumasson and
 * Bernstein) over all words of the key, with a secret of 64 bits.
 *
 * Who knows a table's hash can send keys that all land in one place, and makes each lookup a walk
 * through everything that he sent. A secret that is only mixed in does not help: keys that differ
 * in the top bit of two words meet again behind a multiplication, whatever the secret is. SipHash's
 * rounds were made against that; its half-width form (Linux: hsiphash, for the same use) computes
 * with words of 32 bits, as JavaScript does. One round a word and three at the end are what Linux's
 * kernel takes for its tables.
 *
 * An IPv4 address, `::ffff:a.b.c.d`, counts as the one word that tells it apart. It takes 12 ns, an
 * IPv6 address 18, two of IPv4 with a port 16, two of IPv6 50 (Node 20, on a busy machine;
 * `bench/tables.mjs` has the tables). Tables save it where they can: few entries are compared, and
 * what was found last is tried first.
 */
import type { Random } from './random.ts'

const MAPPED = 0xffff
/** Rounds after the last word. */
const LAST = 3
/**
 * The part of a key that tells its kind, so that equal values of two kinds have different hashes.
 */
const SOURCE = 0x10
const DESTINATION = 0x20
const FLOW = 0x30

export class KeyedHash {
  readonly #k0: number
  readonly #k1: number

  /** Draws the secret: two words. */
  constructor(random: Random) {
    this.#k0 = random.uint32() | 0
    this.#k1 = random.uint32() | 0
  }

  /** The hash of an address, or of any four words: a signed integer of 32 bits. */
  address(w0: number, w1: number, w2: number, w3: number): number {
    return w0 === 0 && w1 === 0 && w2 === MAPPED ? this.#hash(w3, 0, 0, 0, 1, 0) : this.#hash(w0, w1, w2, w3, 4, 0)
  }

  /**
   * The hash of two addresses and one word more, a signed integer of 32 bits; each `tag` makes
   * another hash. Two of IPv6 are hashed by themselves first, which is faster than one loop over so
   * many words.
   */
  flow(
    s0: number,
    s1: number,
    s2: number,
    s3: number,
    d0: number,
    d1: number,
    d2: number,
    d3: number,
    x: number,
    tag: number,
  ): number {
    if (s0 === 0 && s1 === 0 && s2 === MAPPED && d0 === 0 && d1 === 0 && d2 === MAPPED)
      return this.#hash(s3, d3, x, tag, 4, FLOW)
    return this.#hash(
      this.#hash(s0, s1, s2, s3, 4, SOURCE),
      this.#hash(d0, d1, d2, d3, 4, DESTINATION),
      x,
      tag,
      4,
      FLOW + 1,
    )
  }

  /** The first `words` of four words. */
  #hash(m: number, second: number, third: number, fourth: number, words: number, kind: number): number {
    let v0 = this.#k0
    let v1 = this.#k1 ^ (words + kind)
    let v2 = this.#k0 ^ 0x6c796765
    let v3 = this.#k1 ^ 0x74656462
    for (let left = words; left > 0; left--) {
      v3 ^= m
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= m
      m = second
      second = third
      third = fourth
    }
    v2 ^= 0xff
    for (let left = LAST; left > 0; left--) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (((v0 << 16) | (v0 >>> 16)) + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    return v1 ^ v3
  }
}
