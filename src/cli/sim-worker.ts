/** One of the threads of a sweep: runs scenarios that it is sent, one after another. */
import { parentPort } from 'node:worker_threads'
import { runScenario } from '../network/scenario/flow.ts'
import type { Scenario } from '../network/scenario/scenario.ts'

/** What a thread is asked, and what it answers. */
export interface Task {
  index: number
  scenario: Scenario
  seed: number | string
}

parentPort?.on('message', async ({ index, scenario, seed }: Task) => {
  const result = await runScenario(scenario, { seed })
  parentPort?.postMessage({ index, result })
})
