import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runScenario } from '../../../src/network/scenario/flow.ts'
import {
  type Arrival,
  delayVariationOf,
  jitterOf,
  lossPatternOf,
  reorderingOf,
} from '../../../src/network/scenario/metrics.ts'
import { checkScenario } from '../../../src/network/scenario/scenario.ts'

/** Arrivals of datagrams that are sent every 10 ms, by number and delay, in the order of arrival. */
function arrivals(...delays: [number: number, delay: number][]): Arrival[] {
  return delays
    .map(([number, delay]) => ({ number, sent: number * 10, time: number * 10 + delay }))
    .sort((a, b) => a.time - b.time)
}

test('jitter is the running estimate of RFC 3550', () => {
  expect(jitterOf(arrivals([0, 5]))).toBe(null)
  expect(jitterOf(arrivals([0, 5], [1, 5], [2, 5]))).toBe(0)
  // |D| is 8, 8 again, and 0.
  expect(jitterOf(arrivals([0, 0], [1, 8], [2, 0], [3, 0]))).toBeCloseTo((0.5 + 7.5 / 16) * (15 / 16), 5)
})

test('delay variation is over the least delay, and between neighbors of which both arrived', () => {
  expect(delayVariationOf([])).toBe(null)
  const found = delayVariationOf(arrivals([0, 5], [1, 7], [2, 6], [4, 25]))
  expect(found).toEqual({
    pdv: { mean: (0 + 2 + 1 + 20) / 4, p50: 1, p90: 20, p99: 20, p999: 20, max: 20 },
    ipdv: { min: -1, meanAbsolute: 1.5, p99Absolute: 2, max: 2 },
  })
})

test('reordering has the extent, the late time and the n of RFC 4737', () => {
  // Section 4.2.2's shape: 1 2 3 7 8 9 10 4 5 6 11, where 4, 5 and 6 come behind 10.
  const order = [1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11]
  const found = reorderingOf(order.map((number, at) => ({ number, sent: number, time: 100 * at })))
  expect(found).toEqual({
    ratio: 3 / 11,
    // 4 is 4 places behind 7, 5 is 5, 6 is 6.
    extent: { mean: 5, max: 6 },
    lateTime: { mean: 500, max: 600 },
    // Right before 4 came four later ones; right before 5 came 4.
    maxN: 4,
  })
  expect(reorderingOf([])).toEqual({ ratio: 0, extent: null, lateTime: null, maxN: 0 })
})

test('extents are those of the definition, whatever the order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(100), { minLength: 1 }), (order) => {
      const extents = order.flatMap((number, at) => {
        const first = order.findIndex((other, index) => index < at && other > number)
        return first < 0 ? [] : [at - first]
      })
      const found = reorderingOf(order.map((number, at) => ({ number, sent: 0, time: at })))
      expect(found.ratio).toBe(extents.length / order.length)
      expect(found.extent?.max ?? null).toBe(extents.length === 0 ? null : Math.max(...extents))
    }),
  )
})

test('loss patterns have the periods and distances of RFC 3357', () => {
  const lost = [...'..xx...x.x'].map((each) => each === 'x')
  expect(lossPatternOf(lost)).toEqual({
    periods: 3,
    length: { mean: 1.333333, max: 2 },
    distance: { min: 1, mean: 2.333333 },
    between: { min: 1, mean: 2 },
  })
  expect(lossPatternOf([false])).toEqual({ periods: 0, length: null, distance: null, between: null })
})

test('Gilbert-Elliott losses come in periods of the mean length 1 / toGood', async () => {
  const { flows } = await runScenario(
    checkScenario({
      hosts: { a: null, b: null },
      links: [{ between: ['a', 'b'], loss: { gilbertElliott: { toBad: 0.02, toGood: 0.25 } } }],
      flows: [{ from: 'a', to: 'b', size: 8, rate: 1000, count: 10_000 }],
    }),
  )
  const { periods = 0, length } = flows[0]?.lossPattern ?? {}
  // The share of bad phases is 0.0741; geometric lengths have a deviation of 3.46.
  expect(Math.abs((length?.mean ?? 0) - 4)).toBeLessThan(4 * (3.46 / Math.sqrt(periods)))
})

test('statistics are about the span that is measured', async () => {
  const scenario = (measure?: object) =>
    checkScenario({
      hosts: { a: null, b: null },
      links: [{ between: ['a', 'b'], delay: '10ms', loss: { frames: [5, 15, 25] }, mtu: 1500 }],
      flows: [{ from: 'a', to: 'b', size: 2000, dontFragment: 'off', rate: 10, count: 30 }],
      ...(measure === undefined ? {} : { measure }),
    })
  const whole = (await runScenario(scenario())).flows[0]
  expect(whole).toMatchObject({ sent: 30, lost: 3, fragments: 60 })
  // From the eleventh to the twentieth: frames 21 to 40.
  const part = (await runScenario(scenario({ from: '1s', to: '2s' }))).flows[0]
  expect(part).toMatchObject({ sent: 10, received: 9, lost: 1, fragments: 20, goodput: (9 * 2000 * 8) / 1 })
  expect(part?.drops.find(({ reason }) => reason === 'WireLoss')?.count).toBe(1)
  expect(part?.latency).toMatchObject({ min: 10, max: 10 })
})
