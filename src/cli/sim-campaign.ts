/**
 * `tungram sim` with a folder of results: what is there is not run again, and folders are joined.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { roundedPoints } from '../network/campaign/plan.ts'
import type { Scenario } from '../network/scenario/scenario.ts'
import { missingRuns, runCampaign, type Shard, writeMerged } from '../network-node/campaign.ts'
import type { TableForm } from '../network-node/packet-table.ts'
import { FORMAT, mergeRuns, type Plan } from '../network-node/results.ts'
import type { SweepFailure } from '../network-node/sweep.ts'
import { complain, plural, print, printJson, showProgress } from './output.ts'
import type { Report } from './report/report.ts'
import { startRun } from './run.ts'
import { sweepLines } from './sweep-text.ts'
import { integer, UsageError } from './usage.ts'

/** The options that concern a campaign. */
interface CampaignArguments {
  readonly results?: string
  readonly missing?: true
  readonly shard?: string
  readonly shards?: string
  readonly packets?: string
  readonly report?: string
  readonly json?: true
}

/** Runs or lists what is missing. @returns the exit code: 1 when runs have failed */
export async function campaign(
  scenario: Scenario,
  plan: Plan,
  directory: string,
  shard: Shard | null,
  threads: number,
  { missing: isList, packets, json }: CampaignArguments,
  report: Report | null,
): Promise<number> {
  const version = ownVersion()
  const form = packets as TableForm | undefined
  if (isList) return list(scenario, { ...plan, directory, version, packets: form }, json === true)
  const run = startRun()
  const end = new AbortController()
  void run.ended.then(() => end.abort())
  const shown = progress()
  const options = {
    ...plan,
    directory,
    version,
    shard,
    threads,
    packets: form,
    signal: end.signal,
    progress: shown.show,
  }
  const result = await runCampaign(scenario, options).finally(() => {
    shown.clear()
    run.end()
  })
  const { points, interrupted, failures, missing, total } = result
  report?.sweep(points, plan.sweeps, plan.seed, plan.repeat, interrupted)
  noteFailures(failures)
  if (json)
    printJson({
      format: FORMAT,
      seed: plan.seed,
      repeat: plan.repeat,
      interrupted,
      points: roundedPoints(points),
      missing: missing.length,
      failures,
    })
  else {
    print(...sweepLines(points))
    if (interrupted) print('interrupted')
    if (missing.length > 0) print(`${missing.length} of ${plural(total, 'run')} are missing in ${directory}`)
  }
  return interrupted ? run.signalled : failures.length > 0 ? 1 : 0
}

function list(scenario: Scenario, options: Parameters<typeof missingRuns>[1], json: boolean): number {
  const { missing, total } = missingRuns(scenario, options)
  if (json) printJson({ format: FORMAT, total, missing })
  else {
    for (const { parameters, seed, error } of missing)
      print(`${runText(parameters, seed)}${error === undefined ? '' : `: failed: ${error}`}`)
    print(`${missing.length} of ${plural(total, 'run')} are missing in ${options.directory}`)
  }
  return 0
}

/** Joins folders of one campaign. @returns the exit code: 1 when runs are missing */
export async function merge(
  directories: readonly string[],
  { results, report: page, json }: CampaignArguments,
  newReport: (path: string, file: string, scenario: Scenario, ladder: number) => Promise<Report>,
): Promise<number> {
  const [first] = directories
  if (first === undefined) throw new UsageError('sim merge: name the folders that --results has filled')
  const merged = mergeRuns(directories)
  const { seed, sweeps, repeat } = merged.plan
  const directory = results ?? first
  const report = page === undefined ? null : await newReport(page, join(directory, 'scenario.json'), merged.scenario, 0)
  const { points, missing } = writeMerged(directory, merged)
  report?.sweep(points, sweeps, seed, repeat, false)
  if (json) printJson({ format: FORMAT, seed, repeat, interrupted: false, points: roundedPoints(points), missing })
  else {
    print(...sweepLines(points))
    if (missing > 0) print(`${plural(missing, 'run')} missing in ${directory}`)
  }
  return missing > 0 ? 1 : 0
}

/**
 * The part of the campaign that is this process's: as it is told, or as Slurm or Kubernetes say.
 * @throws {UsageError} for a part that there is not
 */
export function shardOf({ shard, shards }: CampaignArguments, environment = process.env): Shard | null {
  if (shard !== undefined) {
    const [, index, count] = /^(\d+)\/(\d+)$/.exec(shard) ?? []
    if (index === undefined || !(Number(index) >= 1 && Number(index) <= Number(count)))
      throw new UsageError(`--shard takes I/N, the Ith of N parts, such as 1/4, not '${shard}'`)
    return { index: Number(index), count: Number(count) }
  }
  const { JOB_COMPLETION_INDEX: completion, SLURM_ARRAY_TASK_ID: task, SLURM_ARRAY_TASK_COUNT: tasks } = environment
  const count = integer('shards', shards, 1, 1e6)
  if (count !== undefined) {
    if (completion === undefined)
      throw new UsageError(
        '--shards needs JOB_COMPLETION_INDEX, which an Indexed Job of Kubernetes sets; or use --shard',
      )
    if (!/^\d+$/.test(completion) || Number(completion) >= count)
      throw new UsageError(`JOB_COMPLETION_INDEX is ${completion}, of --shards ${count} the last is ${count - 1}`)
    return { index: Number(completion) + 1, count }
  }
  if (task === undefined || tasks === undefined) return null
  const { SLURM_ARRAY_TASK_MIN: least = '0', SLURM_ARRAY_TASK_STEP: step = '1' } = environment
  const [index, parts] = [(Number(task) - Number(least)) / Number(step) + 1, Number(tasks)]
  // The numbers of an array such as 1,5,7 do not tell which task is which part.
  if (!(Number.isInteger(index) && index >= 1 && index <= parts))
    throw new UsageError(
      `SLURM_ARRAY_TASK_ID ${task} is none of ${tasks} tasks from ${least} by ${step}: ` +
        'submit an array without gaps, such as 1-4, or use --shard',
    )
  return { index, count: parts }
}

/** How far a sweep is, on a terminal's standard error. */
export function progress(): { show(done: number, total: number): void; clear(): void } {
  const start = performance.now()
  let line = ''
  return {
    show(done, total) {
      const left = ((performance.now() - start) / done) * (total - done)
      line = `${done} of ${total} runs, about ${Math.ceil(left / 1000)} s left`
    },
    clear: process.stderr.isTTY ? showProgress(() => line) : () => {},
  }
}

export function noteFailures(failures: readonly SweepFailure[]): void {
  for (const { parameters, seed, error } of failures) complain(`tungram sim: ${runText(parameters, seed)}: ${error}`)
}

function runText(parameters: Readonly<Record<string, number | string>>, seed: number | string): string {
  return [...Object.entries(parameters).map(([name, value]) => `${name}=${value}`), `seed ${seed}`].join(', ')
}

export function ownVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}
