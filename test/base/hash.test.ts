import { describe, expect, test } from 'vitest'
import { KeyedHash } from '../../src/base/hash.ts'
import { type Random, SeededRandom } from '../../src/base/random.ts'

const MAPPED = 0xffff

/** Gives two words, and counts them. */
class Words implements Random {
  drawn = 0
  readonly #words: readonly number[]
  constructor(...words: number[]) {
    this.#words = words
  }
  uint32(): number {
    return this.#words[this.drawn++ % this.#words.length] as number
  }
  below(limit: number): number {
    return this.uint32() % limit
  }
  float(): number {
    return this.uint32() / 2 ** 32
  }
}

/** HalfSipHash's compression and finalization, as its authors wrote them: words, then zeros. */
function slow(k0: number, k1: number, tag: number, words: readonly number[]): number {
  const u = (x: bigint) => x & 0xffffffffn
  const rotate = (x: bigint, by: bigint) => u((x << by) | (x >> (32n - by)))
  const word = (x: number) => BigInt(x >>> 0)
  let [v0, v1, v2, v3] = [word(k0), word(k1 ^ tag), word(k0 ^ 0x6c796765), word(k1 ^ 0x74656462)]
  const round = () => {
    v0 = u(v0 + v1)
    v1 = rotate(v1, 5n) ^ v0
    v0 = rotate(v0, 16n)
    v2 = u(v2 + v3)
    v3 = rotate(v3, 8n) ^ v2
    v0 = u(v0 + v3)
    v3 = rotate(v3, 7n) ^ v0
    v2 = u(v2 + v1)
    v1 = rotate(v1, 13n) ^ v2
    v2 = rotate(v2, 16n)
  }
  for (const each of words) {
    v3 ^= word(each)
    round()
    v0 ^= word(each)
  }
  v2 ^= 0xffn
  for (let i = 0; i < 3; i++) round()
  return Number(v1 ^ v3) | 0
}

describe('the keyed hash', () => {
  test('the keyed hash is HalfSipHash-1-3 over the words of an address or of a flow', () => {
    const random = new SeededRandom(5)
    for (let i = 0; i < 200; i++) {
      const [k0, k1, ...w] = Array.from({ length: 12 }, () => random.uint32() | 0) as [number, number, ...number[]]
      const hash = new KeyedHash(new Words(k0, k1))
      const [a, b, c, d, e, f, g, h, x, y] = w as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ]
      expect(hash.address(a, b, c, d)).toBe(slow(k0, k1, 4, [a, b, c, d]))
      expect(hash.address(0, 0, MAPPED, d)).toBe(slow(k0, k1, 1, [d]))
      expect(hash.flow(0, 0, MAPPED, d, 0, 0, MAPPED, h, x, y)).toBe(slow(k0, k1, 0x34, [d, h, x, y]))
      const [source, destination] = [slow(k0, k1, 0x14, [a, b, c, d]), slow(k0, k1, 0x24, [e, f, g, h])]
      expect(hash.flow(a, b, c, d, e, f, g, h, x, y)).toBe(slow(k0, k1, 0x35, [source, destination, x, y]))
    }
  })

  test('the keyed hash depends on every bit of every word, and of both words of the secret', () => {
    const hash = new KeyedHash(new Words(1, 2))
    const base = [0x20010db8, 1, 2, 3, 0x20010db8, 4, 5, 6, 7, 8]
    const flow = (words: readonly number[], by = hash) => by.flow(...(words as Parameters<KeyedHash['flow']>))
    for (let word = 0; word < base.length; word++)
      for (let bit = 0; bit < 32; bit++) {
        const changed = base.with(word, (base[word] as number) ^ (1 << bit))
        expect(flow(changed)).not.toBe(flow(base))
      }
    for (let bit = 0; bit < 32; bit++) {
      expect(flow(base, new KeyedHash(new Words(1 ^ (1 << bit), 2)))).not.toBe(flow(base))
      expect(flow(base, new KeyedHash(new Words(1, 2 ^ (1 << bit))))).not.toBe(flow(base))
    }
  })

  test('the keyed hash has no differences that cancel whatever the secret is', () => {
    // The top bits of two words: behind a multiplication they meet again.
    let same = 0
    for (let seed = 0; seed < 1000; seed++) {
      const hash = new KeyedHash(new SeededRandom(seed))
      for (let one = 0; one < 4; one++)
        for (let other = 0; other < one; other++) {
          const words: [number, number, number, number] = [1, 2, 3, 4]
          const before = hash.address(...words)
          words[one] = (words[one] as number) ^ 0x80000000
          words[other] = (words[other] as number) ^ 0x80000000
          if (hash.address(...words) === before) same++
        }
    }
    expect(same).toBe(0)
  })

  test('the keyed hash draws two words, once', () => {
    const random = new Words(1, 2)
    new KeyedHash(random).address(1, 2, 3, 4)
    expect(random.drawn).toBe(2)
  })
})
