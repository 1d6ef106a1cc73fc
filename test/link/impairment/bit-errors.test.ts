import { expect, test } from 'vitest'
import { HEADROOM, Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { bitErrorRate } from '../../../src/link/impairment/impairment-models.ts'
import { runScenario } from '../../../src/network/scenario/flow.ts'
import { checkScenario } from '../../../src/network/scenario/scenario.ts'

/** Four standard deviations of a count with this mean. */
const within = (mean: number) => 4 * Math.sqrt(mean)

test.each([1e-5, 1e-4, 1e-3])('bits are wrong at the rate %s, independently of each other', (rate) => {
  const random = new SeededRandom('bits')
  const packet = new Packet(2000)
  packet.reset(HEADROOM, HEADROOM + 1250)
  const bits = 10_000
  const frames = 4000
  const { bitsOf } = bitErrorRate(rate)
  let wrong = 0
  let hit = 0
  let twice = 0
  const quarters = [0, 0, 0, 0]
  for (let i = 0; i < frames; i++) {
    const all = bitsOf(packet, random)
    wrong += all.length
    if (all.length > 0) hit++
    if (all.length > 1) twice++
    for (const bit of all) {
      const quarter = Math.floor(bit / (bits / 4))
      quarters[quarter] = (quarters[quarter] as number) + 1
    }
    expect(all).toEqual([...new Set(all)].sort((a, b) => a - b))
  }
  const none = (1 - rate) ** bits
  const one = bits * rate * (1 - rate) ** (bits - 1)
  for (const [measured, expected] of [
    [wrong, frames * bits * rate],
    [hit, frames * (1 - none)],
    [twice, frames * (1 - none - one)],
    ...quarters.map((each) => [each, (frames * bits * rate) / 4] as const),
  ] as const)
    expect(Math.abs(measured - expected)).toBeLessThanOrEqual(within(expected) + 1)
})

test('all bits, and none, are rates too', () => {
  const random = new SeededRandom('bits')
  const packet = new Packet(100)
  packet.reset(HEADROOM, HEADROOM + 3)
  expect(bitErrorRate(1).bitsOf(packet, random)).toEqual(Array.from({ length: 24 }, (_, at) => at))
  expect(bitErrorRate(0).bitsOf(packet, random)).toEqual([])
  expect(bitErrorRate(1e-300).bitsOf(packet, random)).toEqual([])
})

test('errors that the checksum does not show occur at their rate, and are counted as corrupted', async () => {
  const rate = 1e-3
  const payload = 100
  const count = 12_000
  const { flows } = await runScenario(
    checkScenario({
      hosts: { a: null, b: null },
      links: [{ between: ['a', 'b'], corruption: { bitErrorRate: rate } }],
      flows: [{ from: 'a', to: 'b', size: payload, rate: 1000, count }],
    }),
  )
  // Two wrong bits of the payload cancel out when they are in the same column of 16 and were
  // different: pairs of words, 16 columns, half of them.
  const words = payload / 2
  const pairs = (16 * words * (words - 1)) / 4
  const bits = 8 * (28 + payload)
  const expected = count * pairs * rate ** 2 * (1 - rate) ** (bits - 2)
  // Four bits, and pairs with the UDP header's, add a little to it.
  expect(flows[0]?.corrupted).toBeGreaterThan(expected - within(expected))
  expect(flows[0]?.corrupted).toBeLessThan(1.15 * expected + within(expected))
}, 60_000)
