/**
 * The hash of every table whose keys come from the network: HalfSipHash-1-3 (Aumasson and Bernstein) over all words of the key, with a secret of 64 bits.
 *
 * Who knows a table's hash can send keys that all land in one place, and makes each lookup a walk through everything that he sent. A secret that is only
 * mixed in does not help: keys that differ in the top bit of two words meet again behind a multiplication, whatever the secret is. SipHash's rounds
 * were made against that; its half-width form (Linux: hsiphash, for the same use) computes with words of 32 bits, as JavaScript does. One round a word and
 * three at the end are what Linux's kernel takes for its tables.
 *
 * An IPv4 address, `::ffff:a.b.c.d`, counts as the one word that tells it apart. A round takes about 2 ns (Node 20): 8 ns for an IPv4 address, 15 for an
 * IPv6 one. Tables save it where they can: few entries are compared, and what was found last is tried first.
 */
import type { Random } from './random.ts'

const MAPPED = 0xffff
/** Rounds after the last word. */
const LAST = 3
/** Keys of two addresses start differently from those of one. */
const FLOW = 0x10

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
    const four = w0 === 0 && w1 === 0 && w2 === MAPPED
    const words = four ? 1 : 4
    let v0 = this.#k0
    let v1 = this.#k1 ^ words
    let v2 = this.#k0 ^ 0x6c796765
    let v3 = this.#k1 ^ 0x74656462
    // The words of the key pass through `m`, and zeros behind the last one.
    let m = four ? w3 : w0
    let second = four ? 0 : w1
    let third = four ? 0 : w2
    let fourth = four ? 0 : w3
    for (let left = words + LAST; left > 0; left--) {
      if (left === LAST) v2 ^= 0xff
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
      fourth = 0
    }
    return v1 ^ v3
  }

  /** The hash of two addresses and two words more: a signed integer of 32 bits. */
  flow(s0: number, s1: number, s2: number, s3: number, d0: number, d1: number, d2: number, d3: number, x: number, y: number): number {
    const four = s0 === 0 && s1 === 0 && s2 === MAPPED && d0 === 0 && d1 === 0 && d2 === MAPPED
    let v0 = this.#k0
    let v1 = this.#k1 ^ (FLOW + (four ? 4 : 10))
    let v2 = this.#k0 ^ 0x6c796765
    let v3 = this.#k1 ^ 0x74656462
    for (let at = four ? 6 : 0; at < 10 + LAST; at++) {
      let m = 0
      switch (at) {
        case 0:
          m = s0
          break
        case 1:
          m = s1
          break
        case 2:
          m = s2
          break
        case 3:
          m = d0
          break
        case 4:
          m = d1
          break
        case 5:
          m = d2
          break
        case 6:
          m = s3
          break
        case 7:
          m = d3
          break
        case 8:
          m = x
          break
        case 9:
          m = y
          break
        case 10:
          v2 ^= 0xff
      }
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
    }
    return v1 ^ v3
  }
}
