/** The program of a thread of a sweep: runs scenarios that it is sent, one after another. */
import { parentPort } from 'node:worker_threads'
import type { RunTask } from '../network/campaign/plan.ts'
import { runScenario } from '../network/scenario/flow.ts'

parentPort?.on('message', async ({ index, scenario, seed }: RunTask) => {
  try {
    const result = await runScenario(scenario, { seed })
    parentPort?.postMessage({ index, result })
  } catch (error) {
    parentPort?.postMessage({ index, error: (error as Error).message })
  }
})
