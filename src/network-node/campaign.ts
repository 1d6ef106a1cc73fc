/** A sweep whose runs are kept in a folder: resumed, shared between processes, joined. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runIdentity } from '../network/campaign/identity.ts'
import { type Parameters, planRuns, pointsOf, roundedPoints, type SweepPoint } from '../network/campaign/plan.ts'
import { combinations } from '../network/campaign/sweep.ts'
import type { ScenarioResult } from '../network/scenario/flow.ts'
import type { Scenario } from '../network/scenario/scenario.ts'
import { writeFigures } from './figures-table.ts'
import type { TableForm } from './packet-table.ts'
import { FORMAT, keyOf, type Merged, type Plan, ResultsFolder, type RunRecord, writeWhole } from './results.ts'
import { runSweep, type SweepOptions, type SweepResult, type SweepRun, sweepRuns } from './sweep.ts'

/** Which part of a campaign a process runs: the `index`th of `count`, from 1. */
export interface Shard {
  readonly index: number
  readonly count: number
}

export interface CampaignOptions extends Omit<SweepOptions, 'known' | 'isOurs' | 'ended' | 'packets'> {
  readonly directory: string
  /** Of tungram: another one may have other figures. */
  readonly version: string
  readonly shard: Shard | null
  /** Keep the datagrams of each run, in `packets/ID.csv` or `.jsonl`. */
  readonly packets?: TableForm | undefined
}

export interface CampaignResult extends SweepResult {
  /** Runs of the whole campaign that are not done, here or elsewhere. */
  missing: MissingRun[]
  total: number
}

export interface MissingRun {
  id: string
  /** Its place in the plan, from 0. */
  index: number
  parameters: Parameters
  seed: number | string
  /** Why it failed, if it was tried. */
  error?: string
}

/**
 * Runs what is not done yet of a campaign, or of its part, and keeps each run as soon as it ends.
 * When none is missing any more, `results.json` has what they say together.
 * @throws {Error} before anything is run, for a combination that makes no scenario, or a folder
 *   with results of another scenario
 */
export async function runCampaign(scenario: Scenario, options: CampaignOptions): Promise<CampaignResult> {
  const { directory, version, shard, seed, sweeps, repeat, packets: form } = options
  const runs = sweepRuns(scenario, seed, combinations(sweeps), repeat)
  const folder = new ResultsFolder(directory, scenario, version)
  folder.describe({ seed, sweeps, repeat })
  const write = folder.writer(shard === null ? '' : `${shard.index}-of-${shard.count}`)
  const idOf = (run: SweepRun) => runIdentity(run.scenario, run.seed, version)
  const packets = form && ((run: SweepRun) => ({ path: tableOf(directory, idOf(run), form), form }))
  const result = await runSweep(scenario, {
    ...options,
    packets,
    known: (run) => resultOf(recordOf(folder, idOf(run), form)),
    isOurs: ({ index }) => shard === null || index % shard.count === shard.index - 1,
    ended: (run, outcome) => write({ id: idOf(run), parameters: run.parameters, seed: run.seed }, outcome),
  })
  const missing = missingOf(runs, folder, version, form)
  const records = runs.flatMap((run) => folder.done(idOf(run)) ?? [])
  if (missing.length === 0) writeResults(directory, { seed, sweeps, repeat }, result.points, records)
  return { ...result, missing, total: runs.length }
}

/**
 * Makes the folder of a campaign that others are to run, and checks that each combination makes a
 * scenario.
 * @throws {Error} as {@link runCampaign} does
 */
export function prepareCampaign(
  scenario: Scenario,
  { directory, version, seed, sweeps, repeat }: Pick<CampaignOptions, 'directory' | 'version' | keyof Plan>,
): void {
  planRuns(scenario, seed, combinations(sweeps), repeat)
  new ResultsFolder(directory, scenario, version).describe({ seed, sweeps, repeat })
}

/** What a campaign has still to do. */
export function missingRuns(
  scenario: Scenario,
  {
    directory,
    version,
    seed,
    sweeps,
    repeat,
    packets,
  }: Pick<CampaignOptions, 'directory' | 'version' | 'packets' | keyof Plan>,
): { missing: MissingRun[]; total: number } {
  const runs = sweepRuns(scenario, seed, combinations(sweeps), repeat)
  const folder = new ResultsFolder(directory, scenario, version)
  return { missing: missingOf(runs, folder, version, packets), total: runs.length }
}

function missingOf(
  runs: readonly SweepRun[],
  folder: ResultsFolder,
  version: string,
  packets: TableForm | undefined,
): MissingRun[] {
  return runs.flatMap((run) => {
    const id = runIdentity(run.scenario, run.seed, version)
    if (recordOf(folder, id, packets) !== undefined) return []
    const error = folder.failed(id)
    return [
      { id, index: run.index, parameters: run.parameters, seed: run.seed, ...(error === undefined ? {} : { error }) },
    ]
  })
}

/** What is kept of a run that is done; one whose datagrams are wanted now, and were not, is not. */
function recordOf(folder: ResultsFolder, id: string, packets: TableForm | undefined): RunRecord | undefined {
  return packets && !existsSync(tableOf(folder.directory, id, packets)) ? undefined : folder.done(id)
}

function tableOf(directory: string, id: string, form: TableForm): string {
  return join(directory, 'packets', `${id}.${form}`)
}

/**
 * Writes what folders hold together into one, runs in the order of the plan.
 * @returns the points, and how many of their runs are missing
 */
export function writeMerged(
  directory: string,
  { scenario, plan, runs }: Merged,
): { points: SweepPoint[]; missing: number } {
  const { seed, sweeps, repeat } = plan
  const combined = combinations(sweeps)
  const planned = sweepRuns(scenario, seed, combined, repeat)
  const byKey = new Map(runs.map((record) => [keyOf(record), record]))
  const inOrder = planned.map((run) => byKey.get(keyOf(run)))
  const results = inOrder.map((record) => (record?.status === 'done' ? resultOf(record) : undefined))
  const points = pointsOf(combined, repeat, results)
  const own = new Set(inOrder)
  const others = runs.filter((record) => !own.has(record)).sort((a, b) => (a.id < b.id ? -1 : 1))
  const lines = [...inOrder, ...others].flatMap((record) =>
    record === undefined ? [] : [`${JSON.stringify(record)}\n`],
  )
  ResultsFolder.create(directory, scenario, plan, lines.join(''))
  const missing = results.filter((result) => result === undefined).length
  const records = inOrder.flatMap((record) => record ?? [])
  if (missing === 0) writeResults(directory, plan, points, records)
  return { points, missing }
}

function resultOf(record: RunRecord | undefined): ScenarioResult | undefined {
  if (record?.flows === undefined) return undefined
  const { seed, time = 0, flows, hops = [] } = record
  return { seed, time, interrupted: false, flows, hops }
}

/** What a whole campaign has besides its runs: the means of its points, and tables. */
function writeResults(
  directory: string,
  { seed, sweeps, repeat }: Plan,
  points: readonly SweepPoint[],
  records: readonly RunRecord[],
): void {
  const text = JSON.stringify({ format: FORMAT, seed, repeat, sweeps, points: roundedPoints(points) }, null, 1)
  writeWhole(join(directory, 'results.json'), `${text}\n`)
  writeFigures(directory, records)
}
