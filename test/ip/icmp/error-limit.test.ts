import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { DESTINATION_RATE, ErrorLimit, HOST_RATE } from '../../../src/ip/icmp/error-limit.ts'

const MAPPED = 0xffff

describe('the limit on ICMP errors', () => {
  test('does not tell who asks in the name of others how many of them got one ("SAD DNS")', () => {
    // The attacker probes fifty ports in other hosts' names; an error is left for his own last
    // probe if one of the ports was open.
    const answered = (closed: number, seed: number) => {
      const limit = new ErrorLimit(new ManualClock(), HOST_RATE, DESTINATION_RATE, new SeededRandom(seed))
      for (let host = 0; host < closed; host++) limit.take(0, 0, MAPPED, 0x0a000000 + host)
      return limit.take(0, 0, MAPPED, 0x0b000000)
    }
    const share = (closed: number) =>
      Array.from({ length: 1000 }, (_, seed) => answered(closed, seed)).filter(Boolean).length / 1000
    // Without chance the shares are 0 and 1.
    expect(Math.abs(share(49) - share(50))).toBeLessThan(0.2)
    expect(share(50)).toBeGreaterThan(0.2)
    expect(share(49)).toBeLessThan(0.8)
  })

  test('costs one token on average', () => {
    const clock = new ManualClock()
    const limit = new ErrorLimit(clock, HOST_RATE, null, new SeededRandom('average'))
    let sent = 0
    for (let ms = 0; ms < 20_000; ms++) {
      for (let i = 0; i < 3; i++) if (limit.take(0, 0, MAPPED, i)) sent++
      clock.advance(1)
    }
    expect(Math.abs(sent / 20_000 - 1)).toBeLessThan(0.1)
  })

  test('draws from a stream of its own', () => {
    const random = new SeededRandom('stack')
    const twin = new SeededRandom('stack')
    new ErrorLimit(new ManualClock(), HOST_RATE, null, random).take(0, 0, MAPPED, 1)
    new ErrorLimit(new ManualClock(), HOST_RATE, null, twin)
    expect(random.uint32()).toBe(twin.uint32())
  })

  test('of 0 errors a second lets none out', () => {
    const limit = new ErrorLimit(new ManualClock(), { perSecond: 0, burst: 50 }, null)
    expect(limit.take(0, 0, MAPPED, 1)).toBe(false)
  })
})
