/**
 * A campaign's folder: a line of JSON for each run, whoever made it. Several processes may write
 * into one folder, each its own file; a process that is killed leaves at most a part of a line,
 * which counts for nothing.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { scenarioHash } from '../network/campaign/identity.ts'
import type { Parameters } from '../network/campaign/plan.ts'
import type { Sweep } from '../network/campaign/sweep.ts'
import type { FlowResult, HopResult, ScenarioResult } from '../network/scenario/flow.ts'
import type { Scenario } from '../network/scenario/scenario.ts'
import { README } from './results-readme.ts'

/** The names of the files with runs. */
export const RUNS = /^runs.*\.jsonl$/

/** The version of all that is written here. */
export const FORMAT = 1

/** One run, a line of `runs*.jsonl`. */
export interface RunRecord {
  format: typeof FORMAT
  /** The hash of scenario, parameters, seed and version. */
  id: string
  /** The hash of the scenario without parameters: that of the campaign. */
  scenario: string
  parameters: Parameters
  seed: number | string
  status: 'done' | 'failed'
  /** Why it failed. */
  error?: string
  tungram: string
  node: string
  host: string
  /** Milliseconds of simulated time when all was over. */
  time?: number
  flows?: FlowResult[]
  hops?: HopResult[]
}

/** What makes the runs of a campaign: `campaign.json`, without its format. */
export interface Plan {
  readonly seed: number | string
  readonly sweeps: readonly Sweep[]
  readonly repeat: number
}

interface Planned {
  readonly id: string
  readonly parameters: Parameters
  readonly seed: number | string
}

export class ResultsFolder {
  readonly directory: string
  readonly #scenario: string
  readonly #version: string
  /** By identity; a run that was done after it had failed is done. */
  readonly #runs = new Map<string, RunRecord>()

  /**
   * Opens a folder, or makes it.
   * @throws {Error} when it holds results of another scenario, or cannot be written
   */
  constructor(directory: string, scenario: Scenario, version: string) {
    this.directory = directory
    this.#scenario = scenarioHash(scenario)
    this.#version = version
    mkdirSync(directory, { recursive: true })
    const path = join(directory, 'scenario.json')
    if (existsSync(path)) {
      const other = scenarioHash(readJson(path) as Scenario)
      if (other !== this.#scenario)
        throw new Error(
          `${directory} holds results of another scenario (hash ${other}, this one's is ${this.#scenario}): ` +
            'give another folder to --results',
        )
    } else writeScenario(directory, scenario)
    for (const record of readRuns(directory)) this.#take(record)
  }

  /** Makes a folder of its own of what others hold, in the place of what is in it. */
  static create(directory: string, scenario: Scenario, plan: Plan, lines: string): void {
    mkdirSync(directory, { recursive: true })
    const old = readdirSync(directory).filter((name) => RUNS.test(name))
    writeScenario(directory, scenario)
    writePlan(directory, plan)
    // What is killed while it writes leaves the runs that were there.
    writeWhole(join(directory, 'runs.jsonl'), lines)
    for (const name of old) if (name !== 'runs.jsonl') rmSync(join(directory, name))
  }

  /** Says what the campaign is: the last call counts. */
  describe(plan: Plan): void {
    writePlan(this.directory, plan)
  }

  /** Why a run has failed that nobody has done. */
  failed(id: string): string | undefined {
    return this.#runs.get(id)?.error
  }

  /** The record of a run that is there and whole. */
  done(id: string): RunRecord | undefined {
    const record = this.#runs.get(id)
    return record?.status === 'done' ? record : undefined
  }

  /** What opens the file of one part of the campaign, `''` for all of it, for new records. */
  writer(part: string): (run: Planned, result: ScenarioResult | Error) => void {
    const path = join(this.directory, part === '' ? 'runs.jsonl' : `runs-${part}.jsonl`)
    dropPartialLine(path)
    return ({ id, parameters, seed }, result) => {
      const common = { format: FORMAT, id, scenario: this.#scenario, parameters, seed } as const
      const where = { tungram: this.#version, node: process.version, host: hostname() }
      const record: RunRecord =
        result instanceof Error
          ? { ...common, status: 'failed', error: result.message, ...where }
          : { ...common, status: 'done', ...where, time: result.time, flows: result.flows, hops: result.hops }
      appendFileSync(path, `${JSON.stringify(record)}\n`)
      this.#take(record)
    }
  }

  #take(record: RunRecord): void {
    if (record.status === 'done' || this.#runs.get(record.id)?.status !== 'done') this.#runs.set(record.id, record)
  }
}

function writeScenario(directory: string, scenario: Scenario): void {
  writeWhole(join(directory, 'scenario.json'), `${JSON.stringify(scenario, null, 2)}\n`)
  writeWhole(join(directory, 'README.md'), README)
}

function writePlan(directory: string, { seed, sweeps, repeat }: Plan): void {
  const text = JSON.stringify({ format: FORMAT, seed, sweeps, repeat }, null, 2)
  writeWhole(join(directory, 'campaign.json'), `${text}\n`)
}

/** Writes a file that others may read or write meanwhile: they see all of it, or the old one. */
export function writeWhole(path: string, text: string): void {
  const part = `${path}.${hostname()}-${process.pid}.part`
  try {
    writeFileSync(part, text)
    renameSync(part, path)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}

function readPlan(directory: string): Plan {
  const path = join(directory, 'campaign.json')
  if (!existsSync(path))
    throw new Error(`${path} is missing, which names the runs: call tungram sim with --results ${directory} again`)
  const { format, ...plan } = readJson(path) as Plan & { format: unknown }
  if (format !== FORMAT) throw new Error(`${path} has format ${format}; this version reads format ${FORMAT}`)
  return plan
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Error(`${path} is no JSON: the file was changed or is damaged; remove it to have it written again`)
  }
}

/** All records of a folder, in no order that matters. @throws {Error} for a line that is none */
function readRuns(directory: string): RunRecord[] {
  const names = readdirSync(directory)
    .filter((name) => RUNS.test(name))
    .sort()
  return names.flatMap((name) => {
    const lines = readFileSync(join(directory, name), 'utf8').split('\n')
    // Behind the last line end is nothing, or what a process that was killed had begun.
    return lines.slice(0, -1).map((line, at) => {
      const place = `${join(directory, name)}:${at + 1}`
      let record: RunRecord
      try {
        record = JSON.parse(line)
      } catch {
        throw new Error(`${place} is no JSON: the file was changed or is damaged; remove the line to run it again`)
      }
      if (record.format !== FORMAT)
        throw new Error(`${place} has format ${record.format}; this version reads format ${FORMAT}`)
      return record
    })
  })
}

/** A run without its version: its parameters, in whatever order, and its seed. */
export function keyOf({ parameters, seed }: Pick<RunRecord, 'parameters' | 'seed'>): string {
  return JSON.stringify([Object.entries(parameters).sort(), `${seed}`])
}

/** Cuts off what a process that was killed had begun to write. */
function dropPartialLine(path: string): void {
  if (!existsSync(path)) return
  const bytes = readFileSync(path)
  const end = bytes.lastIndexOf(0x0a) + 1
  if (end < bytes.length) truncateSync(path, end)
}

/** Joined folders. */
export interface Merged {
  readonly scenario: Scenario
  readonly plan: Plan
  /** Each run once; failed ones only where nobody has done them. */
  readonly runs: readonly RunRecord[]
}

/**
 * Reads folders of one campaign together.
 * @throws {Error} when they are of different scenarios; when runs that are the same but for their
 *   version have other figures, or versions have no run in common that would show that they agree;
 *   when one run has two results
 */
export function mergeRuns(directories: readonly string[]): Merged {
  const scenarios = directories.map((directory) => {
    const path = join(directory, 'scenario.json')
    if (!existsSync(path)) throw new Error(`${directory} is no folder of results: it has no scenario.json`)
    return readJson(path) as Scenario
  })
  const hashes = scenarios.map(scenarioHash)
  const other = hashes.findIndex((hash) => hash !== hashes[0])
  if (other > 0)
    throw new Error(
      `${directories[0]} and ${directories[other]} have results of different scenarios ` +
        `(${hashes[0]} and ${hashes[other]})`,
    )
  const records = directories.flatMap(readRuns)
  /** By what a run is without its version. */
  const byRun = new Map<string, RunRecord>()
  const versions = new Set(records.map(({ tungram }) => tungram))
  const joined = new Map([...versions].map((version) => [version, new Set([version])]))
  for (const record of records) {
    const key = keyOf(record)
    const known = byRun.get(key)
    if (known === undefined || known.status === 'failed') byRun.set(key, record)
    else if (record.status === 'done') {
      if (figures(record) !== figures(known))
        throw new Error(
          `the run with ${JSON.stringify(record.parameters)} and seed ${record.seed} has other figures in ` +
            `version ${record.tungram} than in ${known.tungram}: results of the two do not belong together`,
        )
      joinVersions(joined, record.tungram, known.tungram)
    }
  }
  const [first = ''] = versions
  const apart = [...versions].find((version) => !joined.get(first)?.has(version))
  if (apart !== undefined)
    throw new Error(
      `results of the versions ${first} and ${apart} have no run in common that shows that they agree: ` +
        'run one combination again with the other version',
    )
  const plan = readPlan(directories[0] as string)
  return { scenario: scenarios[0] as Scenario, plan, runs: [...byRun.values()] }
}

function figures({ time, flows, hops }: RunRecord): string {
  return JSON.stringify({ time, flows, hops })
}

/** Makes two groups of versions one. */
function joinVersions(groups: Map<string, Set<string>>, a: string, b: string): void {
  const [one, other] = [groups.get(a) as Set<string>, groups.get(b) as Set<string>]
  if (one === other) return
  for (const version of other) {
    one.add(version)
    groups.set(version, one)
  }
}
