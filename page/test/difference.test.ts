/** What a change makes of a run, by the engine itself. */
import { expect, test } from 'vitest'
import { differenceOf } from '../src/state/difference.ts'
import { ScenarioEngine } from '../src/worker/engine.ts'

const engine = new ScenarioEngine(() => {})
const run = (flows: string, mtu: number) =>
  engine.run({
    text: `hosts: { a: , b: }\nrouters: { r: }\nlinks: [{ between: [a, r] }, { between: [r, b], mtu: ${mtu} }]\nflows:\n${flows}`,
  })
const SMALL = '  - { name: small, from: a, to: b, count: 2, rate: 100, size: 100 }\n'
const LARGE = '  - { name: large, from: a, to: b, count: 2, rate: 100, size: 1400, dontFragment: probe, start: 1ms }\n'

test('what arrives no more is lost, what arrives again is gained, and nothing else is named', async () => {
  const [wide, narrow] = [await run(SMALL + LARGE, 1500), await run(SMALL + LARGE, 1000)]
  const lost = differenceOf(wide, narrow)
  expect([lost.lost, lost.gained, new Set(lost.datagrams.values())]).toEqual([2, 0, new Set(['lost'])])
  expect([...lost.datagrams.keys()].map((id) => narrow.datagrams.flow[id - 1])).toEqual([1, 1])
  expect(lost.received).toEqual(
    new Map([
      ['small', 2],
      ['large', 2],
    ]),
  )
  const gained = differenceOf(narrow, wide)
  expect([gained.lost, gained.gained]).toEqual([0, 2])
  expect(differenceOf(wide, wide).datagrams.size).toBe(0)
})

test('a flow that is new, renamed or elsewhere in the list is compared by its name', async () => {
  const before = await run(LARGE, 1000)
  expect(differenceOf(before, await run(SMALL + LARGE, 1500)).gained).toBe(2)
  expect(differenceOf(before, await run(LARGE.replace('large', 'other'), 1500)).datagrams.size).toBe(0)
})
