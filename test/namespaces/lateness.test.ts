import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lateness } from '../../src/namespaces/lateness.ts'

test('nothing was late before anything happened', () => {
  expect(new Lateness().lag).toEqual({ p50: 0, p99: 0, worst: 0, count: 0 })
})

test('the percentiles are those of the sorted list, but for four per cent', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.01, max: 5000, noNaN: true }), { minLength: 1, maxLength: 300 }), (all) => {
      const lateness = new Lateness()
      for (const each of all) lateness.note(each)
      const sorted = Float64Array.from(all).sort()
      const rank = (share: number) => sorted[Math.ceil(share * all.length) - 1] as number
      const { p50, p99, worst, count } = lateness.lag
      for (const [found, exact] of [
        [p50, rank(0.5)],
        [p99, rank(0.99)],
      ] as const) {
        expect(found).toBeGreaterThanOrEqual(exact - 0.001)
        expect(found).toBeLessThanOrEqual(exact * 1.041 + 0.001)
      }
      expect(worst).toBeCloseTo(sorted.at(-1) as number, 2)
      expect(count).toBe(all.length)
    }),
  )
})

test('hours are counted too', () => {
  const lateness = new Lateness()
  lateness.note(7_200_000)
  expect(lateness.lag).toMatchObject({ worst: 7_200_000, count: 1 })
})
