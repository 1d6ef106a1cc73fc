import { describe, expect, test } from 'vitest'
import { type Random, SeededRandom, SystemRandom } from '../../src/base/random.ts'

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.uint32())

describe.each([
  ['the system generator', () => new SystemRandom()],
  ['a seeded generator', () => new SeededRandom('uniform')],
])('%s', (_name, make) => {
  test('a generator draws unsigned 32-bit integers, each bit as often 1 as 0', () => {
    const random = make()
    const ones = new Array<number>(32).fill(0)
    const count = 4000
    for (const value of draw(random, count)) {
      expect(value).toBe(value >>> 0)
      for (let bit = 0; bit < 32; bit++) ones[bit] = (ones[bit] as number) + ((value >>> bit) & 1)
    }
    // Six standard deviations.
    for (const each of ones) expect(Math.abs(each - count / 2)).toBeLessThan(6 * Math.sqrt(count / 4))
  })

  test('a generator draws integers below a limit without a bias', () => {
    const random = make()
    for (const limit of [1, 2, 3, 7, 10]) {
      const seen = new Array<number>(limit).fill(0)
      for (let i = 0; i < 1000 * limit; i++) {
        const value = random.below(limit)
        seen[value] = (seen[value] as number) + 1
      }
      expect(seen.length).toBe(limit)
      for (const each of seen) expect(Math.abs(each - 1000)).toBeLessThan(6 * Math.sqrt(1000))
    }
  })

  test('a generator draws floats from 0 to below 1', () => {
    const random = make()
    let total = 0
    for (let i = 0; i < 4000; i++) {
      const value = random.float()
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThan(1)
      total += value
    }
    expect(Math.abs(total / 4000 - 0.5)).toBeLessThan(6 * Math.sqrt(1 / 12 / 4000))
  })
})

describe('below', () => {
  /** A generator that hands out given words. */
  class Scripted extends SeededRandom {
    readonly words: number[]
    constructor(words: number[]) {
      super(0)
      this.words = words
    }
    override uint32(): number {
      return (this.words ?? []).shift() ?? 0
    }
  }

  test('below draws again in the incomplete run of words at the top, which would favour small results', () => {
    // 2^32 = 3 * 1431655765 + 1: the last word alone belongs to no whole run.
    const random = new Scripted([0xffffffff, 0xfffffffe])
    expect(random.below(3)).toBe(0xfffffffe % 3)
    expect(random.words).toEqual([])
    expect(new Scripted([0xffffffff]).below(2)).toBe(1)
  })

  test('below takes any limit up to 2^32', () => {
    expect(new Scripted([0xffffffff]).below(0x1_0000_0000)).toBe(0xffffffff)
    expect(new Scripted([0x80000001, 5]).below(0x8000_0001)).toBe(5)
    expect(new Scripted([123]).below(1)).toBe(0)
  })
})

describe('a seeded generator', () => {
  // The numbers are those of a second implementation of sfc32, in Python.
  test('a seeded generator draws the same for the same seed, for ever: scenarios are repeated by their seed', () => {
    expect(draw(new SeededRandom(1), 4)).toEqual([2691705475, 352144311, 927136436, 2588436933])
    expect(draw(new SeededRandom('tungram'), 4)).toEqual([655748663, 1315457149, 502692529, 1244535979])
  })

  test('a seeded generator takes a number for its text', () => {
    expect(draw(new SeededRandom(42), 8)).toEqual(draw(new SeededRandom('42'), 8))
  })

  test('a seeded generator draws something else for another seed', () => {
    const first = new Set<number>()
    for (let seed = 0; seed < 500; seed++) first.add(new SeededRandom(seed).uint32())
    expect(first.size).toBe(500)
  })

  test('a seeded generator forks into generators that do not disturb each other', () => {
    const a = new SeededRandom(7)
    const loss = a.fork('loss')
    const delay = a.fork('delay')
    const expected = draw(new SeededRandom(7).fork('delay'), 5)
    draw(loss, 100)
    expect(draw(delay, 5)).toEqual(expected)
    expect(draw(new SeededRandom(7).fork('loss'), 5)).not.toEqual(expected)
    expect(draw(a, 5)).toEqual(draw(new SeededRandom(7), 5))
  })
})

test('the system generator does not repeat itself', () => {
  // More than one filling of its pool.
  expect(new Set(draw(new SystemRandom(), 1000)).size).toBeGreaterThan(995)
})

describe('the generators that a seed leads to', () => {
  const first = (random: SeededRandom) => `${random.uint32()} ${random.uint32()}`

  test('follow from names, whatever was drawn or forked before', () => {
    const used = new SeededRandom('seed')
    draw(used, 10)
    used.fork('other')
    expect(first(used.fork('loss'))).toBe(first(new SeededRandom('seed').fork('loss')))
    expect(first(new SeededRandom('seed').fork('a').fork('b'))).not.toBe(
      first(new SeededRandom('seed').fork('b').fork('a')),
    )
    expect(first(new SeededRandom('seed').fork('a 1:b'))).not.toBe(first(new SeededRandom('seed').fork('a').fork('b')))
  })

  test('do not run into each other: their seeds have 64 bits', () => {
    // Among 300 000 seeds of 32 bits ten would be alike.
    const root = new SeededRandom(1)
    const seen = new Set<string>()
    for (let i = 0; i < 300_000; i++) seen.add(first(root.fork(`flow ${i}`)))
    expect(seen.size).toBe(300_000)
  })

  test('are the same on every machine', () => {
    expect(draw(new SeededRandom(1).fork('host a').fork('ports'), 3)).toEqual([1473160753, 3575374213, 1348805981])
  })
})
