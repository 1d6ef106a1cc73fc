import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AddressMap } from '../../src/base/address-map.ts'
import { KeyedHash } from '../../src/base/hash.ts'
import { SeededRandom } from '../../src/base/random.ts'

const hash = new KeyedHash(new SeededRandom('addresses'))

type Step = ['set' | 'delete' | 'get' | 'oldest', number, number]

describe('a map of addresses', () => {
  test('a map of addresses does what a Map with the words as text does, in the same order', () => {
    const step = fc.tuple(
      fc.constantFrom('set', 'set', 'set', 'delete', 'get', 'oldest'),
      fc.nat(30),
      fc.nat(),
    ) as fc.Arbitrary<Step>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const map = new AddressMap<number>(hash)
        const twin = new Map<string, number>()
        for (const [what, key, value] of steps) {
          const words = [key & 1, key & 2, key & 4 ? 0xffff : 7, key >> 3] as const
          const text = words.join(':')
          if (what === 'set') {
            map.set(...words, value)
            twin.delete(text)
            twin.set(text, value)
          } else if (what === 'delete') expect(map.delete(...words)).toBe(twin.delete(text))
          else if (what === 'oldest') {
            map.deleteOldest()
            twin.delete(twin.keys().next().value as string)
          }
          expect(map.get(...words)).toBe(twin.get(text))
          expect(map.size).toBe(twin.size)
        }
        expect([...map.values()]).toEqual([...twin.values()])
        map.clear()
        expect([...map.values()]).toEqual([])
      }),
    )
  })

  test('a map of addresses compares up to ten entries, and hashes more', () => {
    const map = new AddressMap<number>(hash)
    const chains: number[] = []
    for (let i = 0; i < 1000; i++) {
      map.set(0, 0, 0xffff, i, i)
      chains.push(map.longestChain)
    }
    expect(chains.slice(0, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(chains[10]).toBeLessThan(8)
    // Every entry is in the table: of a thousand some share a chain.
    expect(chains[999]).toBeGreaterThan(1)
    expect(chains[999]).toBeLessThan(10)
    for (let i = 0; i < 1000; i++) expect(map.get(0, 0, 0xffff, i)).toBe(i)
  })

  test('a map of addresses lets the value be deleted that is being looked at', () => {
    const map = new AddressMap<number>(hash)
    for (let i = 0; i < 50; i++) map.set(0, 0, 0xffff, i, i)
    for (const value of map.values()) if (value % 2 === 0) map.delete(0, 0, 0xffff, value)
    expect([...map.values()]).toEqual(Array.from({ length: 25 }, (_, i) => 2 * i + 1))
  })
})
