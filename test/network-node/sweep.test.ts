/** Threads need compiled files: this is the build's, which the tests bring up to date. */
import { expect, test } from 'vitest'
import { checkScenario } from '../../src/network/scenario/scenario.ts'
import type * as sweepModule from '../../src/network-node/sweep.ts'

const { runSweep } = (await import(
  new URL('../../dist/network-node/sweep.js', import.meta.url).href
)) as typeof sweepModule

const scenario = checkScenario({
  hosts: { a: null, b: null },
  links: [{ between: ['a', 'b'], loss: 0.5 }],
  flows: [{ name: 'out', from: 'a', to: 'b', size: 100, rate: 100, count: 50 }],
})
const sweeps = [{ name: 'size', values: [100, 200, 300, 400, 500] }]

test('a sweep gives the same in one thread and in three', async () => {
  const options = { seed: 1, sweeps, repeat: 2 }
  const [one, three] = [
    await runSweep(scenario, { ...options, threads: 1 }),
    await runSweep(scenario, { ...options, threads: 3 }),
  ]
  expect(one.points.map(({ parameters }) => parameters.size)).toEqual([100, 200, 300, 400, 500])
  expect(three).toEqual(one)
  expect(one.interrupted).toBe(false)
})

test('a signal ends a sweep with the points that are done', async () => {
  const controller = new AbortController()
  const { points, interrupted } = await runSweep(scenario, {
    seed: 1,
    sweeps,
    repeat: 1,
    threads: 1,
    signal: controller.signal,
    progress: (done, total) => {
      expect(total).toBe(5)
      if (done === 2) controller.abort()
    },
  })
  expect(interrupted).toBe(true)
  expect(points.map(({ parameters }) => parameters.size)).toEqual([100, 200])
})

test('a signal that came before lets nothing run', async () => {
  const { points } = await runSweep(scenario, { seed: 1, sweeps, repeat: 1, threads: 1, signal: AbortSignal.abort() })
  expect(points).toEqual([])
})

test('a result that cannot be kept ends the sweep with its error', async () => {
  const full = new Error('no space left on device')
  const ended = () => {
    throw full
  }
  await expect(runSweep(scenario, { seed: 1, sweeps, repeat: 1, threads: 2, ended })).rejects.toBe(full)
})
