import { expect, test } from 'vitest'
import { SeededRandom } from '../../../src/base/random.ts'
import { estimate, estimateShare } from '../../../src/network/campaign/estimate.ts'

const random = new SeededRandom('coverage')
const CAMPAIGNS = 3000

/** How often the interval of simulated campaigns holds the truth. */
function coverage(truth: number, interval: () => { low: number | null; high: number | null }): number {
  let held = 0
  for (let i = 0; i < CAMPAIGNS; i++) {
    const { low, high } = interval()
    if ((low as number) <= truth && truth <= (high as number)) held++
  }
  return held / CAMPAIGNS
}

function lostOf(trials: number, loss: number, meanBurst = 1): { hits: number; trials: number } {
  let hits = 0
  let bad = false
  // A chain whose share of losses is `loss`, and whose runs of them are so long on average.
  const toGood = 1 / meanBurst
  const toBad = (loss * toGood) / (1 - loss)
  bad = random.float() < loss
  for (let i = 0; i < trials; i++) {
    if (bad) hits++
    bad = meanBurst === 1 ? random.float() < loss : random.float() < (bad ? 1 - toGood : toBad)
  }
  return { hits, trials }
}

test.each([
  [5, 200, 0.001],
  [5, 200, 0.02],
  [20, 100, 0.3],
  [2, 400, 0.99],
])('the interval of %i runs of %i datagrams with loss %d holds it in 95 of 100 cases', (runs, trials, loss) => {
  const held = coverage(loss, () => estimateShare(Array.from({ length: runs }, () => lostOf(trials, loss))))
  // Counts are few and whole, so that no interval has exactly 95 %.
  expect(held).toBeGreaterThan(0.935)
})

test('losses in bursts widen the interval of a share', () => {
  const burst = 20
  const held = coverage(0.1, () => estimateShare(Array.from({ length: 10 }, () => lostOf(500, 0.1, burst))))
  expect(held).toBeGreaterThan(0.92)
  expect(held).toBeLessThan(0.995)
  // As if they were independent: two thirds of the campaigns would be wrong.
  const naive = coverage(0.1, () => {
    const all = Array.from({ length: 10 }, () => lostOf(500, 0.1, burst))
    return estimateShare([
      { hits: Math.round(all.reduce((sum, { hits }) => sum + hits, 0) / 2), trials: 2500 },
      { hits: Math.round(all.reduce((sum, { hits }) => sum + hits, 0) / 2), trials: 2500 },
    ])
  })
  expect(naive).toBeLessThan(0.7)
})

test('the interval of a mean holds it in 95 of 100 cases', () => {
  const normal = () => {
    let sum = 0
    for (let i = 0; i < 12; i++) sum += random.float()
    return 50 + (sum - 6)
  }
  for (const runs of [2, 5, 30]) {
    const held = coverage(50, () => estimate(Array.from({ length: runs }, normal)))
    expect(Math.abs(held - 0.95)).toBeLessThan(4 * Math.sqrt((0.95 * 0.05) / CAMPAIGNS))
  }
})

test('no bound is below 0, or above 1 for a share, and none of a single run is there', () => {
  expect(estimate([0, 0, 3])).toMatchObject({ mean: 1, low: 0 })
  expect(estimateShare([{ hits: 1, trials: 10 }])).toEqual({ mean: 0.1, low: null, high: null, halfWidth: null })
  // The rule of three, about: nothing of 300 leaves a share of 1.3 % possible (Wilson).
  const none = estimateShare(Array.from({ length: 3 }, () => ({ hits: 0, trials: 100 })))
  expect(none).toMatchObject({ mean: 0, low: 0 })
  expect(none.high).toBeCloseTo(3.841459 / (300 + 3.841459), 6)
  const all = estimateShare(Array.from({ length: 3 }, () => ({ hits: 100, trials: 100 })))
  expect(all).toMatchObject({ mean: 1, high: 1 })
  // Wilson 1927, 20 of 100.
  const twenty = estimateShare([
    { hits: 10, trials: 50 },
    { hits: 10, trials: 50 },
  ])
  expect([twenty.low?.toFixed(4), twenty.high?.toFixed(4)]).toEqual(['0.1334', '0.2888'])
})
