import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Packet } from '../../../src/base/packet.ts'
import { DelayLine } from '../../../src/link/memory/delay-line.ts'

test('releases packets in the order of time, those of one time in the order of adding, like a sorted list', () => {
  const added = fc.array(fc.record({ gap: fc.nat(2), delay: fc.nat(9) }), { maxLength: 60 })
  fc.assert(
    fc.property(added, (all) => {
      const clock = new ManualClock()
      const released: { number: number; time: number }[] = []
      let runs = 0
      const line = new DelayLine(clock, {
        release: ({ trace }) => released.push({ number: trace, time: clock.now() }),
        batchEnd: () => runs++,
      })
      const expected: { number: number; time: number }[] = []
      for (const [number, { gap, delay }] of all.entries()) {
        clock.advance(gap)
        const time = clock.now() + delay
        const packet = new Packet(300)
        packet.trace = number
        line.add(packet, time)
        expected.push({ number, time })
      }
      clock.advance(100)
      expect(line.isEmpty).toBe(true)
      expect(released).toEqual(expected.sort((a, b) => a.time - b.time || a.number - b.number))
      // One run for each time at least, and no more than packets.
      expect(runs).toBeGreaterThanOrEqual(new Set(expected.map(({ time }) => time)).size)
      expect(runs).toBeLessThanOrEqual(all.length)
    }),
    { seed: 1, numRuns: 200 },
  )
})

test('leaves for another run what is added during one, and forgets all when it is cleared', () => {
  const clock = new ManualClock()
  const released: number[] = []
  let ends = 0
  const line = new DelayLine(clock, {
    release: ({ trace }) => {
      released.push(trace)
      if (trace === 1) line.add(numbered(2), clock.now())
    },
    batchEnd: () => ends++,
  })
  line.add(numbered(1), 5)
  clock.advance(5)
  expect([released, ends]).toEqual([[1, 2], 2])
  for (let i = 0; i < 3000; i++) line.add(numbered(i + 10), clock.now() + 1)
  line.add(numbered(9), clock.now())
  line.clear()
  clock.advance(10)
  expect(line.isEmpty).toBe(true)
  expect(released).toEqual([1, 2])
})

test('keeps the order of thousands that go one by one', () => {
  const clock = new ManualClock()
  const released: number[] = []
  const line = new DelayLine(clock, { release: ({ trace }) => released.push(trace), batchEnd: () => {} })
  for (let i = 0; i < 5000; i++) line.add(numbered(i), i)
  for (let i = 0; i < 5000; i++) {
    clock.advance(1)
    if (i % 2 === 0) line.add(numbered(5000 + i), 5000 + i)
  }
  clock.advance(10_000)
  expect(released).toEqual([
    ...Array.from({ length: 5000 }, (_, i) => i),
    ...Array.from({ length: 2500 }, (_, i) => 5000 + 2 * i),
  ])
})

function numbered(trace: number): Packet {
  const packet = new Packet(300)
  packet.trace = trace
  return packet
}
