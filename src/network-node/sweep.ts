/** A sweep in several threads: a scenario, run with each combination of parameters. */
import { Worker } from 'node:worker_threads'
import { planRuns, pointsOf, type RunTask, type SweepPoint } from '../network/campaign/plan.ts'
import { combinations, type Sweep } from '../network/campaign/sweep.ts'
import type { ScenarioResult } from '../network/scenario/flow.ts'
import type { Scenario } from '../network/scenario/scenario.ts'

export interface SweepOptions {
  readonly seed: number | string
  /** The parameters and their values; none for repetitions of the scenario as it is. */
  readonly sweeps: readonly Sweep[]
  /** Runs of each combination, with seeds of their own. */
  readonly repeat: number
  /** Threads at most. */
  readonly threads: number
  /** Ends the sweep with the runs that are done. */
  readonly signal?: AbortSignal
  /** Called after each run. */
  readonly progress?: (done: number, total: number) => void
}

export interface SweepResult {
  /** In the order of the combinations, the last parameter changing fastest. */
  points: SweepPoint[]
  /** Whether the signal came before all runs were done. */
  interrupted: boolean
}

/**
 * Runs a scenario with all combinations of parameters.
 * @throws {Error} before anything is run, for a combination that makes no scenario
 */
export async function runSweep(scenario: Scenario, options: SweepOptions): Promise<SweepResult> {
  const { seed, sweeps, repeat } = options
  const points = combinations(sweeps)
  const tasks = planRuns(scenario, seed, points, repeat)
  const results = await inThreads(tasks, options)
  return { points: pointsOf(points, repeat, results), interrupted: results.includes(undefined) }
}

/** @returns the results in the order of the tasks, `undefined` for those that were not done */
function inThreads(
  tasks: readonly RunTask[],
  { threads, signal, progress }: SweepOptions,
): Promise<(ScenarioResult | undefined)[]> {
  const results = new Array<ScenarioResult | undefined>(tasks.length).fill(undefined)
  if (signal?.aborted) return Promise.resolve(results)
  return new Promise((resolve, reject) => {
    let next = 0
    let done = 0
    const workers: Worker[] = []
    const end = () => {
      signal?.removeEventListener('abort', finish)
      for (const worker of workers) void worker.terminate()
    }
    const finish = () => {
      end()
      resolve(results)
    }
    signal?.addEventListener('abort', finish)
    for (let i = 0; i < Math.min(threads, tasks.length); i++) {
      const worker = new Worker(new URL('./sweep-thread.js', import.meta.url))
      workers.push(worker)
      worker.on('error', (error) => {
        end()
        reject(error)
      })
      worker.on('message', ({ index, result }: { index: number; result: ScenarioResult }) => {
        results[index] = result
        done++
        progress?.(done, tasks.length)
        if (done === tasks.length) finish()
        else if (next < tasks.length) worker.postMessage(tasks[next++])
      })
      worker.postMessage(tasks[next++])
    }
  })
}
