import { expect, test } from 'vitest'
import { planRuns, pointsOf } from '../../../src/network/campaign/plan.ts'
import { runScenario } from '../../../src/network/scenario/flow.ts'
import { checkScenario } from '../../../src/network/scenario/scenario.ts'

const scenario = checkScenario({
  hosts: { a: null, b: null },
  links: [{ between: ['a', 'b'] }],
  flows: [{ name: 'out', from: 'a', to: 'b', size: 100, rate: 100, count: 3 }],
})

test('each combination has its runs behind each other, with seeds of their own', () => {
  const tasks = planRuns(scenario, 7, [{ size: 10 }, { size: 20 }, { seed: 'x' }], 2)
  expect(tasks.map(({ index, seed }) => [index, seed])).toEqual([
    [0, 7],
    [1, '7 1'],
    [2, 7],
    [3, '7 1'],
    [4, 'x'],
    [5, 'x 1'],
  ])
  expect(tasks.map((task) => task.scenario.flows?.[0]?.size)).toEqual([10, 10, 20, 20, 100, 100])
})

test('a combination that makes no scenario is refused with its parameters', () => {
  expect(() => planRuns(scenario, 1, [{ size: 10 }, { size: -1 }], 1)).toThrow(/^with size=-1: /)
})

test('points have the results of their runs, and one without any is left out', async () => {
  const result = await runScenario(scenario, { seed: 1 })
  const points = pointsOf([{ size: 1 }, { size: 2 }, { size: 3 }], 2, [result, result, undefined, result])
  expect(points.map(({ parameters, flows }) => [parameters.size, flows[0]?.runs])).toEqual([
    [1, 2],
    [2, 1],
  ])
})
