/** A sweep in several threads: a scenario, run with each combination of parameters. */
import { Worker } from 'node:worker_threads'
import { type Parameters, planRuns, pointsOf, type RunTask, type SweepPoint } from '../network/campaign/plan.ts'
import { combinations, type Sweep } from '../network/campaign/sweep.ts'
import type { ScenarioResult } from '../network/scenario/flow.ts'
import type { Scenario } from '../network/scenario/scenario.ts'
import type { TableForm } from './packet-table.ts'

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
  /** The result of a run that need not be done again. */
  readonly known?: (run: SweepRun) => ScenarioResult | undefined
  /** Whether a run is to be done here; another process does the others. */
  readonly isOurs?: (run: SweepRun) => boolean
  /** Where the datagrams of a run go as a table, if they are wanted. */
  readonly packets?: ((run: SweepRun) => PacketFile) | undefined
  /** Told of each run that was done, or has failed. */
  readonly ended?: (run: SweepRun, result: ScenarioResult | Error) => void
}

/** A file for a table of datagrams. */
export interface PacketFile {
  readonly path: string
  readonly form: TableForm
}

/** What a thread is sent. */
export interface ThreadTask extends RunTask {
  readonly packets?: PacketFile
}

/** One run of a sweep. */
export interface SweepRun extends RunTask {
  readonly parameters: Parameters
}

export interface SweepFailure {
  parameters: Parameters
  seed: number | string
  error: string
}

export interface SweepResult {
  /** In the order of the combinations, the last parameter changing fastest. */
  points: SweepPoint[]
  /** Whether the signal came before all runs were done. */
  interrupted: boolean
  /** Runs that failed, which end no others. */
  failures: SweepFailure[]
}

/**
 * Runs a scenario with all combinations of parameters.
 * @throws {Error} before anything is run, for a combination that makes no scenario
 */
export async function runSweep(scenario: Scenario, options: SweepOptions): Promise<SweepResult> {
  const { seed, sweeps, repeat, known, isOurs, ended } = options
  const points = combinations(sweeps)
  const runs = sweepRuns(scenario, seed, points, repeat)
  const results = runs.map((run) => known?.(run))
  const todo = runs.filter((run) => results[run.index] === undefined && isOurs?.(run) !== false)
  const failures: SweepFailure[] = []
  const missing = await inThreads(todo, options, (run, result) => {
    if (result instanceof Error) failures.push({ parameters: run.parameters, seed: run.seed, error: result.message })
    else results[run.index] = result
    ended?.(run, result)
  })
  return { points: pointsOf(points, repeat, results), interrupted: missing > 0, failures }
}

/** All runs of a sweep, in order. */
export function sweepRuns(
  scenario: Scenario,
  seed: number | string,
  points: readonly Parameters[],
  repeat: number,
): SweepRun[] {
  return planRuns(scenario, seed, points, repeat).map((task) => ({
    ...task,
    parameters: points[Math.floor(task.index / repeat)] as Parameters,
  }))
}

type Reply = { index: number; result: ScenarioResult } | { index: number; error: string }

/** @returns how many runs have not come to their end when the signal came */
function inThreads(
  runs: readonly SweepRun[],
  { threads, signal, progress, packets }: SweepOptions,
  ended: (run: SweepRun, result: ScenarioResult | Error) => void,
): Promise<number> {
  if (signal?.aborted || runs.length === 0) return Promise.resolve(runs.length)
  return new Promise((resolve, reject) => {
    let next = 0
    let done = 0
    let isOver = false
    const workers = new Set<Worker>()
    const finish = () => {
      isOver = true
      signal?.removeEventListener('abort', finish)
      for (const worker of workers) void worker.terminate()
      workers.clear()
      resolve(runs.length - done)
    }
    const end = (run: SweepRun, result: ScenarioResult | Error) => {
      try {
        ended(run, result)
        done++
        progress?.(done, runs.length)
      } catch (error) {
        // A result that cannot be kept (the disk is full) ends the sweep.
        reject(error)
        finish()
      }
      if (done === runs.length) finish()
    }
    const start = () => {
      const worker = new Worker(new URL('./sweep-thread.js', import.meta.url))
      workers.add(worker)
      let current = runs[next++] as SweepRun
      worker.on('message', (reply: Reply) => {
        const before = current
        if (next < runs.length) {
          current = runs[next++] as SweepRun
          worker.postMessage(taskOf(current, packets?.(current)))
        }
        end(before, 'error' in reply ? new Error(reply.error) : reply.result)
      })
      // The thread has ended (out of memory, say), and its run with it; another goes on.
      worker.on('error', (error) => {
        workers.delete(worker)
        end(current, error)
        if (!isOver && next < runs.length) start()
      })
      worker.postMessage(taskOf(current, packets?.(current)))
    }
    signal?.addEventListener('abort', finish)
    for (let i = Math.min(threads, runs.length); i > 0; i--) start()
  })
}

function taskOf({ index, scenario, seed }: SweepRun, packets: PacketFile | undefined): ThreadTask {
  return { index, scenario, seed, ...(packets === undefined ? {} : { packets }) }
}
