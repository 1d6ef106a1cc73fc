import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { Identification } from '../../../src/ip/fragments/identification.ts'
import { Stack } from '../../../src/stack.ts'

const ends = { s3: 0x0a000001, d3: 0x0a000002, protocol: 17 }

function packetOf(fields: typeof ends): Packet {
  return Object.assign(new Packet(64), { family: 4, ...fields })
}

const packetTo = (destination: number): Packet => packetOf({ ...ends, d3: destination })

describe('identifications', () => {
  test('are unique per source, destination and protocol for a whole turn of 16 bits (RFC 6864 4.3)', () => {
    const identification = new Identification(new ManualClock(), new SeededRandom('id'))
    const seen = new Set<number>()
    const packet = packetTo(0x0a000002)
    for (let i = 0; i < 0x1_0000; i++) seen.add(identification.next(packet) & 0xffff)
    expect(seen.size).toBe(0x1_0000)
  })

  test('of chance are not unique: of 65 536 a share of 1 - 1/e is different', () => {
    const identification = new Identification(new ManualClock(), new SeededRandom('id'), 'random')
    const seen = new Set<number>()
    const packet = packetTo(0x0a000002)
    for (let i = 0; i < 0x1_0000; i++) seen.add(identification.next(packet) & 0xffff)
    expect(seen.size / 0x1_0000).toBeCloseTo(1 - 1 / Math.E, 2)
    expect(() => new Stack({ identification: 'chance' as 'random' })).toThrow(
      /identification 'chance' is unknown: expected 'counter' or 'random'/,
    )
  })

  test('do not tell one destination what another gets (RFC 7739 5)', () => {
    const clock = new ManualClock()
    const identification = new Identification(clock, new SeededRandom('id'))
    const distances = new Set<number>()
    for (let host = 2; host < 202; host++) {
      const one = identification.next(packetTo(0x0a000000 + host)) & 0xffff
      const other = identification.next(packetTo(0x0a000100 + host)) & 0xffff
      distances.add((other - one) & 0xffff)
    }
    expect(distances.size).toBeGreaterThan(190)
  })

  test('do not tell one source, or one protocol, what another gets', () => {
    const flows = [(at: number) => ({ ...ends, s3: 0x0a000000 + at }), (at: number) => ({ ...ends, protocol: at })]
    for (const flow of flows) {
      const identification = new Identification(new ManualClock(), new SeededRandom('id'))
      const numbers = Array.from({ length: 200 }, (_, at) => identification.next(packetOf(flow(at))) & 0xffff)
      const distances = new Set(numbers.slice(1).map((each, at) => (each - (numbers[at] as number)) & 0xffff))
      expect(distances.size).toBeGreaterThan(190)
    }
  })

  test('follow each other within a millisecond, whatever flows are in between', () => {
    const clock = new ManualClock()
    clock.advance(1000)
    const identification = new Identification(clock, new SeededRandom('id'))
    const others = Array.from({ length: 50 }, (_, at) => packetTo(0x0b000000 + at))
    const packet = packetTo(0x0a000002)
    let before = identification.next(packet)
    for (const other of others) {
      const [first, second] = [identification.next(other), identification.next(other)]
      expect((second - first) >>> 0).toBe(1)
      const now = identification.next(packet)
      // A neighbor in the same bucket may have taken two.
      expect([1, 3]).toContain((now - before) >>> 0)
      before = now
    }
  })

  test('begin anywhere, for the flow of nothing but zeros too', () => {
    const [random, other] = [new SeededRandom('id'), new SeededRandom('id')]
    const identification = new Identification(new ManualClock(), random)
    new Identification(new ManualClock(), other)
    const nobody = packetOf({ s3: 0, d3: 0, protocol: 1 })
    const first = identification.next(nobody)
    expect((identification.next(nobody) - first) >>> 0).toBe(1)
    // The start was drawn.
    expect(random.uint32()).not.toBe(other.uint32())
  })

  test(
    'skip a random number of values after a pause, so that a counter does not tell how much is sent (RFC ' + '7739 5)',
    () => {
      const clock = new ManualClock()
      const identification = new Identification(clock, new SeededRandom('id'))
      const packet = packetTo(0x0a000002)
      const steps = new Set<number>()
      let before = identification.next(packet)
      for (let i = 0; i < 100; i++) {
        clock.advance(1000)
        const now = identification.next(packet)
        steps.add((now - before) >>> 0)
        before = now
      }
      expect(steps.size).toBeGreaterThan(20)
      expect(Math.max(...steps)).toBeLessThanOrEqual(64)
    },
  )

  test('of IPv6 are random, each by itself, and never 0 (RFC 7739 5.2)', () => {
    const identification = new Identification(new ManualClock(), new SeededRandom('id'))
    const packet = packetTo(0x0a000002)
    packet.family = 6
    const numbers = Array.from({ length: 1000 }, () => identification.next(packet))
    expect(new Set(numbers).size).toBe(1000)
    const steps = numbers.slice(1).map((each, i) => (each - (numbers[i] as number)) >>> 0)
    expect(new Set(steps.map((step) => step >>> 24)).size).toBeGreaterThan(200)
    expect(Math.min(...numbers)).toBeGreaterThan(0)
  })

  test('of IPv6 draw from a stream of their own', () => {
    const random = new SeededRandom('id')
    const other = new SeededRandom('id')
    const packet = packetTo(0x0a000002)
    packet.family = 6
    new Identification(new ManualClock(), random).next(packet)
    new Identification(new ManualClock(), other)
    expect(random.uint32()).toBe(other.uint32())
  })
})
