import { expect, test } from 'vitest'
import { KeyedHash } from '../../../src/base/hash.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { Hairpins } from '../../../src/network/nat/hairpins.ts'

const make = () => new Hairpins(new KeyedHash(new SeededRandom(1)))

test('a packet is taken once, by both ends and its protocol', () => {
  const hairpins = make()
  hairpins.add(1, 2, 3, 4, 17, 5000)
  const others: [number, number, number, number, number][] = [
    [9, 2, 3, 4, 17],
    [1, 9, 3, 4, 17],
    [1, 2, 9, 4, 17],
    [1, 2, 3, 9, 17],
    [1, 2, 3, 4, 1],
  ]
  for (const other of others) expect(hairpins.take(...other)).toBe(-1)
  expect(hairpins.take(1, 2, 3, 4, 17)).toBe(5000)
  expect(hairpins.take(1, 2, 3, 4, 17)).toBe(-1)
  expect(hairpins.size).toBe(0)
})

test('the later of two packets with the same ends is the one that counts', () => {
  const hairpins = make()
  hairpins.add(1, 2, 3, 4, 17, 5000)
  hairpins.add(1, 2, 3, 4, 17, 5001)
  expect(hairpins.size).toBe(1)
  expect(hairpins.take(1, 2, 3, 4, 17)).toBe(5001)
})

test('entries are used again without mixing packets up', () => {
  const hairpins = make()
  for (let i = 0; i < 100; i++) {
    hairpins.add(i, 1, 2, 3, 17, 2 * i)
    hairpins.add(i, 1, 2, 3, 1, 2 * i + 1)
    expect(hairpins.take(i, 1, 2, 3, 17)).toBe(2 * i)
    expect(hairpins.take(i, 1, 2, 3, 1)).toBe(2 * i + 1)
  }
})

test('packets that never leave the router are forgotten when there are 1024', () => {
  const hairpins = make()
  for (let i = 0; i < 1024; i++) hairpins.add(i, 1, 2, 3, 17, i)
  expect(hairpins.size).toBe(1024)
  hairpins.add(5000, 1, 2, 3, 17, 7)
  expect(hairpins.size).toBe(1)
  expect(hairpins.take(5000, 1, 2, 3, 17)).toBe(7)
})
