import { describe, expect, test } from 'vitest'
import { type Random, SeededRandom } from '../../../src/base/random.ts'
import { NatPorts } from '../../../src/network/nat/nat-ports.ts'

const free = () => false

/** Counts what is drawn. */
class Counting implements Random {
  draws = 0
  readonly #random = new SeededRandom('ports')
  uint32(): number {
    this.draws++
    return this.#random.uint32()
  }
  below(limit: number): number {
    this.draws++
    return this.#random.below(limit)
  }
  float(): number {
    this.draws++
    return this.#random.float()
  }
}

describe('the outside ports of a NAT', () => {
  test(
    'are odd or even and well-known or not as asked for, each once, until there is none (RFC 4787 REQ-3, ' + 'REQ-4)',
    () => {
      const ports = new NatPorts(new SeededRandom(1))
      for (const [like, wellKnown, count] of [
        [7, true, 512],
        [8, true, 511],
        [5001, false, 32_256],
        [5000, false, 32_256],
      ] as const) {
        const chosen = new Set<number>()
        for (let i = 0; i < count; i++) {
          const port = ports.choose(like, wellKnown, free)
          ports.take(port)
          chosen.add(port)
        }
        expect(chosen.size).toBe(count)
        for (const port of chosen) {
          expect(port & 1).toBe(like & 1)
          expect(port < 1024 && port > 0).toBe(wellKnown)
        }
        expect(ports.choose(like, wellKnown, free)).toBe(0)
      }
      ports.release(4444)
      expect(ports.choose(9, false, free)).toBe(0)
      expect(ports.choose(10, false, free)).toBe(4444)
      ports.clear()
      expect(ports.choose(9, false, free)).not.toBe(0)
    },
  )

  test('are of either kind where parity is not asked for, each as likely, until there is none', () => {
    const ports = new NatPorts(new SeededRandom(1))
    const kinds = [0, 0]
    for (let i = 0; i < 1023; i++) {
      const port = ports.choose(null, true, free)
      expect(port > 0 && port < 1024 && !ports.isTaken(port)).toBe(true)
      ports.take(port)
      if (i < 400) kinds[port & 1] = (kinds[port & 1] as number) + 1
    }
    // Of 400 draws 200 are odd, give or take 10.
    expect(Math.abs((kinds[0] as number) - 200)).toBeLessThan(40)
    expect(ports.choose(null, true, free)).toBe(0)
    for (const port of [443, 80]) {
      ports.release(port)
      expect(ports.choose(null, true, free)).toBe(port)
      expect(ports.choose(null, true, (used) => used === port)).toBe(0)
      ports.take(port)
    }
    for (const port of [443, 80, 22]) ports.release(port)
    const chosen = new Set(Array.from({ length: 200 }, () => ports.choose(null, true, (port) => port === 80)))
    expect(chosen).toEqual(new Set([443, 22]))
  })

  test('cost the same when all but a few are taken, and when all are', () => {
    const random = new Counting()
    const ports = new NatPorts(random)
    for (let port = 1024; port < 65_536; port++) if (port % 1000 !== 0) ports.take(port)
    let asked = 0
    random.draws = 0
    const chosen = Array.from({ length: 2000 }, () =>
      ports.choose(2, false, () => {
        asked++
        return false
      }),
    )
    expect(random.draws).toBeLessThanOrEqual(2 * 2000)
    expect(asked).toBeLessThanOrEqual(2000)
    // Each of the 64 is as likely as any other: 31 times on average.
    const counts = new Map<number, number>()
    for (const port of chosen) counts.set(port, (counts.get(port) ?? 0) + 1)
    expect(counts.size).toBe(64)
    expect(Math.max(...counts.values())).toBeLessThan(70)
    for (let port = 2000; port < 65_536; port += 1000) ports.take(port)
    random.draws = asked = 0
    for (let i = 0; i < 100; i++) expect(ports.choose(2, false, free)).toBe(0)
    expect(random.draws).toBeLessThanOrEqual(100)
  })

  test('are not those of the router', () => {
    const ports = new NatPorts(new SeededRandom(2))
    for (let port = 1024; port < 65_536; port++) if (port !== 6000 && port !== 7000) ports.take(port)
    for (let i = 0; i < 20; i++) expect(ports.choose(8, false, (port) => port === 6000)).toBe(7000)
    expect(ports.choose(8, false, () => true)).toBe(0)
  })
})
