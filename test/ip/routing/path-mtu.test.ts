import { describe, expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { PathMtu } from '../../../src/ip/routing/path-mtu.ts'

const FAR4 = Address.parse('192.0.2.10')
const FAR6 = Address.parse('2001:db8:a::10')

class Bench {
  readonly clock = new ManualClock()
  readonly table = new PathMtu(this.clock)

  report(to: Address, mtu: number, length = 1500, current = 1500): number {
    return this.table.report(to.w0, to.w1, to.w2, to.w3, mtu, length, current)
  }

  lookup(to: Address): number {
    return this.table.lookup(to.w0, to.w1, to.w2, to.w3)
  }
}

describe('a path MTU', () => {
  test.each([FAR4, FAR6])('towards %s is what was reported, for ten minutes', (to) => {
    const bench = new Bench()
    expect(bench.lookup(to)).toBe(0)
    expect(bench.report(to, 1400)).toBe(1400)
    expect(bench.lookup(to)).toBe(1400)
    expect(bench.lookup(Address.parse('192.0.2.11'))).toBe(0)
    bench.clock.advance(599_999)
    expect(bench.lookup(to)).toBe(1400)
    bench.clock.advance(1)
    expect(bench.lookup(to)).toBe(0)
  })

  test('only falls: a report that is not below what is known is ignored', () => {
    const bench = new Bench()
    bench.report(FAR4, 1300)
    expect(bench.report(FAR4, 1300, 1500, 1300)).toBe(0)
    expect(bench.report(FAR4, 1400, 1500, 1300)).toBe(0)
    expect(bench.report(FAR4, 9000)).toBe(0)
    expect(bench.lookup(FAR4)).toBe(1300)
    expect(bench.report(FAR4, 1000, 1500, 1300)).toBe(1000)
  })

  test('never falls below 552 in IPv4, as in Linux', () => {
    const bench = new Bench()
    expect(bench.report(FAR4, 68)).toBe(552)
    expect(bench.lookup(FAR4)).toBe(552)
    expect(bench.report(FAR4, 552, 552, 552)).toBe(0)
  })

  test('that is below 552 in truth is locked, for ten minutes: what fits must be free to be fragmented', () => {
    const bench = new Bench()
    const isLocked = () => bench.table.isLocked(FAR4.w0, FAR4.w1, FAR4.w2, FAR4.w3)
    bench.report(FAR4, 552)
    expect(isLocked()).toBe(false)
    expect(bench.report(FAR4, 551, 552, 552)).toBe(552)
    expect(isLocked()).toBe(true)
    // Said again it is no news.
    expect(bench.report(FAR4, 300, 552, 552)).toBe(0)
    bench.clock.advance(600_000)
    expect(isLocked()).toBe(false)
    // A router that does not say its MTU, about a packet of 552 bytes.
    expect(bench.report(FAR4, 0, 552, 552)).toBe(552)
    expect(isLocked()).toBe(true)
  })

  test('below 1280 is not believed in IPv6', () => {
    const bench = new Bench()
    for (const mtu of [0, 68, 1279]) expect(bench.report(FAR6, mtu)).toBe(0)
    expect(bench.lookup(FAR6)).toBe(0)
    expect(bench.report(FAR6, 1280)).toBe(1280)
  })

  test.each([
    [1500, 1492],
    [1492, 1006],
    [1007, 1006],
    [1006, 576],
    [9000, 8166],
    [65_535, 32_000],
    [576, 552],
    [500, 552],
  ])(
    'of an old router that says 0 about %i bytes is the next plateau, %i (RFC 1191 section 7.1)',
    (length, plateau) => {
      expect(new Bench().report(FAR4, 0, length, 65_536)).toBe(plateau)
    },
  )

  test('moves the generation when it comes, changes and goes', () => {
    const bench = new Bench()
    const generations = [bench.table.generation]
    bench.report(FAR4, 1400)
    generations.push(bench.table.generation)
    bench.report(FAR4, 1300, 1500, 1400)
    generations.push(bench.table.generation)
    bench.clock.advance(600_000)
    bench.lookup(FAR4)
    generations.push(bench.table.generation)
    bench.table.clear()
    generations.push(bench.table.generation)
    expect(new Set(generations).size).toBe(5)
  })

  test('of ten thousand destinations is kept; of more, the oldest is forgotten', () => {
    const bench = new Bench()
    const nth = (n: number) => new Address(0x20010db8, n, 0, 1)
    for (let n = 0; n < 10_050; n++) bench.report(nth(n), 1400)
    expect(bench.lookup(nth(0))).toBe(0)
    expect(bench.lookup(nth(10_049))).toBe(1400)
    expect(
      Array.from({ length: 10_050 }, (_, n) => bench.lookup(nth(n))).filter((mtu) => mtu === 1400).length,
    ).toBeGreaterThan(9900)
  })
})
