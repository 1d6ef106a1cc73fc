import { expect, test } from 'vitest'
import { combinations, estimate, parseSweep, withParameters } from '../../../src/network/campaign/sweep.ts'
import type { Scenario } from '../../../src/network/scenario/scenario.ts'

const SCENARIO: Scenario = {
  hosts: { a: null, 'b.c': null },
  links: [{ between: ['a', 'b.c'], mtu: 1400, forward: { mtu: 1300, loss: 0.1 } }],
  flows: [
    { name: 'v1.0', from: 'a', to: 'b.c', size: 100 },
    { from: 'a', to: 'b.c' },
  ],
}

test('ranges and lists are read', () => {
  expect(parseSweep('mtu=576..588:4')).toEqual({ name: 'mtu', values: [576, 580, 584, 588] })
  expect(parseSweep('loss=0..0.3:0.1').values).toEqual([0, 0.1, 0.2, 0.3])
  expect(parseSweep('ttl=1..3').values).toEqual([1, 2, 3])
  expect(parseSweep('rate=1Mbit,2.5,10').values).toEqual(['1Mbit', 2.5, 10])
  expect(parseSweep('loss=1e-3,.1,1%').values).toEqual([0.001, 0.1, '1%'])
  expect(parseSweep('loss=.1..3e-1:1e-1').values).toEqual([0.1, 0.2, 0.3])
  expect(parseSweep('delay=10ms,1s').values).toEqual(['10ms', '1s'])
  expect(parseSweep('delay=10ms..30ms:10ms').values).toEqual(['10ms', '20ms', '30ms'])
  expect(parseSweep('delay=10ms..30ms:10').values).toEqual(['10ms', '20ms', '30ms'])
  expect(parseSweep('delay=0.5s..2s:500ms').values).toEqual(['500ms', '1000ms', '1500ms', '2000ms'])
  expect(parseSweep('rate=1e6..1e9:log10').values).toEqual([1e6, 1e7, 1e8, 1e9])
  expect(parseSweep('rate=1Mbit..8Mbit:log2').values).toEqual(['1Mbit', '2Mbit', '4Mbit', '8Mbit'])
  expect(parseSweep('loss=0.001..0.5:log10').values).toEqual([0.001, 0.01, 0.1])
  for (const wrong of ['rate=0..9:log10', 'rate=1..9:log1', 'delay=1ms..1Mbit', 'delay=1ms..5ms:1Mbit', 'a=1..2:x'])
    expect(() => parseSweep(wrong), wrong).toThrow(TypeError)
  for (const wrong of ['mtu', '=1', 'mtu=5..1', 'mtu=1..5:0', 'mtu=1..1000000'])
    expect(() => parseSweep(wrong)).toThrow(TypeError)
})

test('several sweeps make all combinations', () => {
  expect(combinations([parseSweep('a=1,2'), parseSweep('b=3,4')])).toEqual([
    { a: 1, b: 3 },
    { a: 1, b: 4 },
    { a: 2, b: 3 },
    { a: 2, b: 4 },
  ])
})

test('a name without dots is that key wherever it is, one with dots a place', () => {
  expect(withParameters(SCENARIO, { mtu: 900 }).links?.[0]).toMatchObject({ mtu: 900, forward: { mtu: 900 } })
  expect(withParameters(SCENARIO, { size: 7 }).flows).toEqual([
    { ...SCENARIO.flows?.[0], size: 7 },
    SCENARIO.flows?.[1],
  ])
  expect(withParameters(SCENARIO, { 'links.a-b.c.forward.loss': 0.5 }).links?.[0]?.forward?.loss).toBe(0.5)
  expect(withParameters(SCENARIO, { 'flows.v1.0.size': 9, 'flows.1.size': 10 }).flows?.map(({ size }) => size)).toEqual(
    [9, 10],
  )
  expect(withParameters(SCENARIO, { seed: 5, duration: '1s' })).toMatchObject({ seed: 5, duration: '1s' })
  for (const name of ['colour', 'links.x.mtu', 'flows.7.size'])
    expect(() => withParameters(SCENARIO, { [name]: 1 })).toThrow(`no '${name}'`)
  expect(SCENARIO.links?.[0]?.mtu).toBe(1400)
})

test("the interval is Student's", () => {
  // A single run says nothing of others.
  expect(estimate([5])).toEqual({ mean: 5, low: null, high: null, halfWidth: null })
  const { mean, halfWidth } = estimate([1, 2, 3, 4])
  expect([mean, halfWidth?.toFixed(3)]).toEqual([2.5, (3.182 * Math.sqrt(5 / 3 / 4)).toFixed(3)])
  // t for 29 degrees of freedom is 2.045.
  const thirty = Array.from({ length: 30 }, (_, index) => index)
  expect((estimate(thirty).halfWidth ?? 0) / Math.sqrt(77.5 / 30)).toBeCloseTo(2.045, 3)
})
