/**
 * A campaign as an array job of Slurm: a task of the array is a part of the campaign. The job is
 * written as a script, given to `sbatch`, and watched with `squeue` and, where a cluster keeps
 * accounts, `sacct` (https://slurm.schedmd.com/job_array.html).
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { shellWord } from './shell-word.ts'

export interface ArrayJob {
  /** The folder of results, absolute; the nodes must share it. */
  readonly directory: string
  /** What runs a part of the campaign, but for the part. */
  readonly command: readonly string[]
  /** How many parts the campaign has. */
  readonly shards: number
  /** Which of them are to be run, from 0, upwards. */
  readonly tasks: readonly number[]
  /** How many tasks may run at one time; as many as the cluster likes if left out. */
  readonly atOnce?: number
  /** Cores of a task. */
  readonly cpus: number
  /** Further options of sbatch, such as `--partition=long`. */
  readonly options: readonly string[]
}

/** How a task stands: Slurm's word for its state, and why it waits. */
export interface TaskState {
  readonly state: string
  readonly reason: string
}

/** The states that a task does not leave by itself. */
const ENDED = new Set(
  'BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT UNKNOWN'.split(' '),
)
export const hasEnded = ({ state }: TaskState) => ENDED.has(state)
const UNKNOWN: TaskState = { state: 'UNKNOWN', reason: '' }

/** Milliseconds between two looks at the queue: at first short, then what a controller bears. */
const [FIRST_LOOK, LAST_LOOK] = [500, 10_000]
/** Looks that may fail one after another: a controller that is started anew comes back. */
const MOST_FAILURES = 10

/** The job as a script, which `sbatch` takes as it is. */
export function jobScript({ directory, command, shards, tasks, atOnce, cpus }: ArrayJob): string {
  const limit = atOnce === undefined ? '' : `%${atOnce}`
  const log = join(logsOf(directory).replaceAll('%', '%%'), '%A_%a.log')
  const missing =
    `${directory} is not there on $(hostname): --results is to be a folder that this node shares ` +
    'with the machine that submits'
  return `#!/bin/bash
#SBATCH --job-name=tungram
#SBATCH --array=${ranges(tasks)}${limit}
#SBATCH --cpus-per-task=${cpus}
#SBATCH --output=${JSON.stringify(log)}
if [ ! -f ${shellWord(join(directory, 'campaign.json'))} ]; then
  echo "${missing.replace(/["\\`]/g, '\\$&')}" >&2
  exit 1
fi
exec ${command.map(shellWord).join(' ')} --shard "$((SLURM_ARRAY_TASK_ID + 1))/${shards}"
`
}

/** `0-3,7`. */
function ranges(tasks: readonly number[]): string {
  const found: [number, number][] = []
  for (const task of tasks) {
    const last = found.at(-1)
    if (last !== undefined && last[1] === task - 1) last[1] = task
    else found.push([task, task])
  }
  return found.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}

const logsOf = (directory: string) => join(directory, 'slurm')
const noteOf = (directory: string) => join(logsOf(directory), 'job.json')

/**
 * Writes the script into the folder `slurm` of the results, and submits it.
 * @returns the number of the job
 * @throws {Error} when there is no sbatch, or it refuses
 */
export async function submit(job: ArrayJob): Promise<string> {
  if (/[\n"\\]/.test(job.directory))
    throw new Error(
      `the name of ${JSON.stringify(job.directory)} has a line break, a quotation mark or a backslash, ` +
        "which Slurm's paths cannot have: give another folder to --results",
    )
  mkdirSync(logsOf(job.directory), { recursive: true })
  const script = join(logsOf(job.directory), 'job.sh')
  writeFileSync(script, jobScript(job), { mode: 0o755 })
  const { output, error } = await slurm('sbatch', ['--parsable', ...job.options, script])
  // With a federation the cluster stands behind it: 123;cluster.
  const id = /^(\d+)/m.exec(output)?.[1]
  if (error !== '' || id === undefined)
    throw new Error(
      `sbatch did not take ${script}: ${error || output}; correct it with --sbatch, --shards or --at-once`,
    )
  writeFileSync(noteOf(job.directory), `${JSON.stringify({ job: id, shards: job.shards })}\n`)
  return id
}

/** The job that was last submitted for a folder, and its parts, while some of it waits or runs. */
export async function queuedJob(directory: string): Promise<{ job: string; shards: number } | null> {
  if (!existsSync(noteOf(directory))) return null
  const note = JSON.parse(readFileSync(noteOf(directory), 'utf8'))
  const states = await queue(note.job)
  return [...states.values()].some((each) => !hasEnded(each)) ? note : null
}

/** Where a task's output is. */
export function logOf(directory: string, job: string, task: number): string {
  return join(logsOf(directory), `${job}_${task}.log`)
}

/**
 * Waits until all tasks have ended, or the signal comes.
 * @param seen told how the tasks stand
 * @returns how they stand; `UNKNOWN` for one of which the cluster tells nothing any more
 * @throws {Error} when the queue cannot be asked for a long time
 */
export async function waitFor(
  job: string,
  signal: AbortSignal,
  seen: (tasks: ReadonlyMap<number, TaskState>) => void,
  [shortest, longest] = [FIRST_LOOK, LAST_LOOK],
): Promise<ReadonlyMap<number, TaskState>> {
  const known = new Map<number, TaskState>()
  let failures = 0
  for (let wait = shortest; ; wait = Math.min(longest, wait * 1.2)) {
    try {
      const now = await queue(job)
      failures = 0
      for (const [task, state] of known) if (!hasEnded(state) && !now.has(task)) known.set(task, UNKNOWN)
      for (const [task, state] of now) known.set(task, state)
    } catch (error) {
      if (++failures >= MOST_FAILURES) throw error
    }
    seen(known)
    if (failures === 0 && [...known.values()].every(hasEnded)) break
    if (signal.aborted) return known
    await pause(wait, undefined, { signal }).catch(() => {})
    if (signal.aborted) return known
  }
  if ([...known.values()].includes(UNKNOWN)) {
    const { output } = await slurm('sacct', [
      ...'--allocations --array --noheader --parsable2'.split(' '),
      '--format=JobID,State',
      `--jobs=${job}`,
    ])
    // A cancelled one says by whom: CANCELLED by 1000.
    for (const [, task, state = ''] of output.matchAll(/^\d+_(\d+)\|(\w+)/gm))
      if (known.get(Number(task)) === UNKNOWN) known.set(Number(task), { state, reason: '' })
  }
  return known
}

/** The tasks of a job; none when the cluster has forgotten it. @throws {Error} */
async function queue(job: string): Promise<Map<number, TaskState>> {
  const form = ['--array', '--states=all', '--noheader', '--format=%K|%T|%r']
  const { output, error } = await slurm('squeue', [...form, `--jobs=${job}`])
  if (error !== '' && !/invalid job id/i.test(error))
    throw new Error(`squeue does not tell how job ${job} stands: ${error}; it goes on: call again to wait for it`)
  const tasks = output.matchAll(/^(\d+)\|(\w+)\|(.*)$/gm)
  return new Map([...tasks].map(([, task, state = '', reason = '']) => [Number(task), { state, reason }]))
}

/** @throws {Error} when there is no such program */
function slurm(program: string, words: readonly string[]): Promise<{ output: string; error: string }> {
  return new Promise((resolve, reject) => {
    execFile(program, words, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT')
        reject(
          new Error(
            `there is no ${program}: --engine slurm is for a machine with Slurm's programs on its PATH, ` +
              "such as a cluster's login node",
          ),
        )
      else
        resolve({ output: stdout, error: error === null ? '' : stderr.trim().replaceAll('\n', '; ') || error.message })
    })
  })
}
