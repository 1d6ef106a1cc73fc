/** `tungram sim --engine slurm`: the campaign as an array job, waited for and merged. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { hasEnded, logOf, queuedJob, submit, type TaskState, waitFor } from '../network-node/engines/slurm.ts'
import { complain, note, plural, showProgress } from './output.ts'
import { startRun } from './run.ts'

export interface SlurmCampaign {
  /** Absolute. */
  readonly directory: string
  /** The arguments of this program for a part, but for the part. */
  readonly words: readonly string[]
  readonly shards: number
  /** Parts that have something to do, from 0. */
  readonly tasks: readonly number[]
  readonly atOnce: number | undefined
  readonly cpus: number
  readonly options: readonly string[]
  /** Runs of the campaign that are done. */
  done(): number
  readonly total: number
}

/** Tasks whose ends are told one by one. */
const MOST_TOLD = 5

/**
 * Submits what is to do, unless it is on its way already, and waits for it.
 * @returns the exit code of an interrupted command; 0 when all tasks have ended
 */
export async function runOnSlurm(campaign: SlurmCampaign): Promise<number> {
  const { directory, words, atOnce, done, total } = campaign
  const run = startRun()
  const end = new AbortController()
  void run.ended.then(() => end.abort())
  let line = ''
  let clear = () => {}
  try {
    const queued = await queuedJob(directory)
    const command = [process.execPath, fileURLToPath(new URL('../cli.js', import.meta.url)), ...words]
    const job = queued?.job ?? (await submit({ ...campaign, command, ...(atOnce === undefined ? {} : { atOnce }) }))
    const parts = plural(campaign.tasks.length, 'task')
    note(queued === null ? `submitted job ${job} of ${parts}` : `job ${job} was submitted before: waiting for it`)
    clear = showProgress(() => line)
    const start = performance.now()
    const before = done()
    const tasks = await waitFor(job, end.signal, (states) => {
      const now = done()
      const left = ((performance.now() - start) / (now - before)) * (total - now)
      const estimate = now > before ? `; about ${Math.ceil(left / 1000)} s left` : ''
      line = `${now} of ${total} runs; ${standing(states)}${estimate}`
    })
    clear()
    if (end.signal.aborted) {
      note(`job ${job} goes on: call again to wait for it; 'scancel ${job}' ends it`)
      return run.signalled
    }
    tellFailures(directory, job, tasks)
    return 0
  } finally {
    clear()
    run.end()
  }
}

/** `tasks: 3 done, 2 running, 5 waiting (Priority)`. */
function standing(states: ReadonlyMap<number, TaskState>): string {
  const all = [...states.values()]
  const ended = all.filter(hasEnded).length
  const waiting = all.filter(({ state }) => state === 'PENDING')
  const reason = waiting[0] === undefined ? '' : ` (${waiting[0].reason})`
  const counts = [
    `${ended} done`,
    `${all.length - ended - waiting.length} running`,
    `${waiting.length} waiting${reason}`,
  ]
  return `tasks: ${counts.join(', ')}`
}

function tellFailures(directory: string, job: string, tasks: ReadonlyMap<number, TaskState>): void {
  const failed = [...tasks].filter(([, { state }]) => state !== 'COMPLETED' && state !== 'UNKNOWN')
  for (const [task, { state }] of failed.slice(0, MOST_TOLD)) {
    const log = logOf(directory, job, task)
    const last = existsSync(log) ? (readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) ?? '') : null
    const words =
      last === null
        ? `it has no log ${log}: is ${directory} a folder that this machine shares with the nodes?`
        : `see ${log}${last === '' ? '' : `, which ends with: ${last}`}`
    complain(`tungram sim: task ${task} of job ${job} ended as ${state}: ${words}`)
  }
  if (failed.length > MOST_TOLD) complain(`tungram sim: ${failed.length - MOST_TOLD} further tasks did not complete`)
}
