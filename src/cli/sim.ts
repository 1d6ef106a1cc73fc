/** `tungram sim`: runs a scenario file, once or as a sweep. */
import { availableParallelism } from 'node:os'
import { roundedPoints } from '../network/campaign/plan.ts'
import { parseSweep, type Sweep } from '../network/campaign/sweep.ts'
import { runScenario } from '../network/scenario/flow.ts'
import type { Scenario } from '../network/scenario/scenario.ts'
import { TABLE_FORMS } from '../network-node/packet-table.ts'
import { FORMAT } from '../network-node/results.ts'
import { runSweep, type SweepResult } from '../network-node/sweep.ts'
import { openCaptureSink } from './capture.ts'
import { type CommandDescription, option, readCommandLine, repeatable } from './command-line.ts'
import { exampleFile, exampleNames } from './examples.ts'
import { flowLines } from './flow-text.ts'
import { hopLines } from './hop-text.ts'
import { note, print, printJson, showProgress } from './output.ts'
import type { Report } from './report/report.ts'
import { startRun } from './run.ts'
import { readScenarioFile } from './scenario-file.ts'
import { campaign, merge, noteFailures, progress, shardOf } from './sim-campaign.ts'
import { checkEngine, ENGINES, onEngine } from './sim-engine.ts'
import { sweepLines } from './sweep-text.ts'
import { integer, onlyOne, UsageError } from './usage.ts'

const options = {
  example: option(
    '--example <NAME>',
    `a scenario of the package instead of FILE: ${exampleNames().join(', ')}`,
    exampleNames(),
  ),
  seed: option('--seed <SEED>', "instead of the scenario's"),
  capture: option('--capture <FILE.pcapng>', 'write what passes on all links to a file for Wireshark'),
  report: option(
    '--report <FILE.html>',
    'write a page for the browser: topology, flows, plots, and a ladder of the packets of a single run',
  ),
  ladder: option('--ladder <N>', 'packets in the ladder, default 100; the first ones'),
  sweep: repeatable(
    '--sweep <NAME=VALUES>',
    'run with each of the values: FROM..TO:STEP or a list V1,V2,…; repeatable, all combinations then. NAME is a key ' +
      'of links and flows (mtu, loss, rate, …) or a place: links.r1-b.loss, flows.video.size',
  ),
  repeat: option(
    '--repeat <N>',
    'runs of each combination, with seeds of their own; means with 95 % confidence intervals',
  ),
  jobs: option('--jobs <N>', 'threads, default all cores'),
  results: option(
    '--results <DIR>',
    'keep each run of a sweep in a folder; called again, it goes on with what is missing. sim merge: where to write',
  ),
  missing: option('--missing', 'list the runs that are not done in the folder of --results, and run none'),
  shard: option(
    '--shard <I/N>',
    'do the Ith of N parts only; default SLURM_ARRAY_TASK_ID of SLURM_ARRAY_TASK_COUNT, if they are set',
  ),
  shards: option(
    '--shards <N>',
    'that many parts, of which JOB_COMPLETION_INDEX (Kubernetes) names one; of an engine: default 100',
  ),
  packets: option(
    '--packets <FORM>',
    'keep the datagrams of each run in the folder of --results too, a file a run: csv or jsonl',
    TABLE_FORMS,
  ),
  engine: option(
    '--engine <ENGINE>',
    'run the campaign as an array job of Slurm, wait for it and merge; or write an Indexed Job for Kubernetes (k8s)',
    ENGINES,
  ),
  atOnce: option('--at-once <N>', 'tasks of an engine that may run at one time; default as many as it likes'),
  sbatch: repeatable('--sbatch <OPTION>', 'a further option for sbatch, such as --sbatch=--partition=long'),
  image: option('--image <IMAGE>', "k8s: an image with tungram on its PATH; default Node's, with tungram from npm"),
  claim: option('--claim <NAME>', 'k8s: the PersistentVolumeClaim for the results, which all pods can write to'),
  json: option('--json', 'print JSON'),
} as const

export const description: CommandDescription = {
  usage: [
    'sim FILE [--seed SEED] [--capture FILE.pcapng] [--report FILE.html] [--json]',
    'sim --example NAME [options]',
    'sim FILE --sweep NAME=FROM..TO:STEP … [--repeat N] [--jobs N] [--report FILE.html] [--json]',
    'sim FILE --sweep NAME=VALUES … --results DIR [--shard I/N] [--missing] [--json]',
    'sim FILE --sweep NAME=VALUES … --results DIR --engine slurm [--shards N] [--at-once M] [--sbatch OPTION …]',
    'sim FILE --sweep NAME=VALUES … --results DIR --engine k8s --claim NAME [--image IMAGE] [--shards N] [--at-once M]',
    'sim merge DIR … [--results DIR] [--report FILE.html] [--json]',
  ],
  about: [
    'Runs a scenario (YAML or JSON, see docs/scenarios.md) in simulated time and prints what became of each ' +
      'flow. The same seed gives the same result. SIGINT and SIGTERM end it with what there is.',
  ],
  groups: [{ title: 'Options', options }],
  examples: [
    'tungram sim --example bufferbloat',
    'tungram sim examples/scenarios/fragmentation-loss.yaml --sweep size=1000..9000:2000 --repeat 5',
  ],
  completes: 'files',
}

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readCommandLine(args, options, { allowPositionals: true })
  if (positionals[0] === 'merge') return merge(positionals.slice(1), values, newReport)
  const { example } = values
  if (example !== undefined && positionals.length > 0) throw new UsageError('--example is instead of a FILE')
  const file =
    example === undefined ? onlyOne(positionals, 'name one scenario file, or --example NAME') : exampleFile(example)
  const repeat = integer('repeat', values.repeat, 1, 10_000) ?? 1
  const jobs = integer('jobs', values.jobs, 1, 256) ?? availableParallelism()
  const ladder = integer('ladder', values.ladder, 0, 10_000) ?? 100
  if (values.ladder !== undefined && values.report === undefined) throw new UsageError('--ladder is for --report')
  const many = values.sweep !== undefined || repeat > 1
  if (many && values.capture !== undefined)
    throw new UsageError('--capture is for a single run, without --sweep and --repeat')
  const sweeps = (values.sweep ?? []).map(readSweep)
  checkEngine(values)
  const { packets } = values
  if (packets !== undefined && !TABLE_FORMS.some((form) => form === packets))
    throw new UsageError(`--packets takes ${TABLE_FORMS.join(' or ')}, not '${packets}'`)
  const scenario = readScenarioFile(file)
  const seed = values.seed ?? scenario.seed ?? 1
  if (scenario.programs !== undefined)
    note('tungram sim: programs run in real time only, and are left out here: tungram run --net')
  const isElsewhere = values.engine !== undefined
  const report =
    values.report === undefined || isElsewhere ? null : await newReport(values.report, file, scenario, ladder)
  if (values.results !== undefined) {
    if (values.capture !== undefined) throw new UsageError('--capture is for a single run, without --results')
    const plan = { seed, sweeps, repeat }
    if (values.engine !== undefined && values.missing === undefined) return onEngine(scenario, plan, values, newReport)
    return campaign(scenario, plan, values.results, shardOf(values), jobs, values, report)
  }
  for (const name of ['missing', 'shard', 'shards', 'packets'] as const)
    if (values[name] !== undefined) throw new UsageError(`--${name} is for --results`)
  return many
    ? sweep(scenario, seed, sweeps, repeat, jobs, values.json === true, report)
    : once(scenario, seed, values.capture, values.json === true, report)
}

/** Loaded only when there is to be one. */
async function newReport(...args: ConstructorParameters<typeof Report>): Promise<Report> {
  const report = await import('./report/report.ts')
  return new report.Report(...args)
}

function readSweep(text: string): Sweep {
  try {
    return parseSweep(text)
  } catch (error) {
    throw new UsageError(`--sweep: ${(error as Error).message}`)
  }
}

async function once(
  scenario: Scenario,
  seed: number | string,
  capture: string | undefined,
  json: boolean,
  report: Report | null,
): Promise<number> {
  const file = capture === undefined ? null : openCaptureSink(capture)
  const run = startRun()
  let endProgress = () => {}
  try {
    const result = await runScenario(scenario, {
      seed,
      started: (stop, now) => {
        void run.ended.then(stop)
        endProgress = showProgress(() => `${(now() / 1000).toFixed(1)} s of simulated time`)
      },
      ...(file === null ? {} : { capture: (chunk: Uint8Array) => file.write(chunk) }),
      ...(report === null ? {} : { watch: report.recorder }),
    })
    endProgress()
    report?.run(result)
    if (json) printJson({ format: FORMAT, ...result })
    else {
      if (scenario.name !== undefined) print(scenario.name)
      for (const flow of result.flows) print(...flowLines(flow))
      print(...hopLines(result.hops))
      print(
        `${(result.time / 1000).toFixed(3)} s of simulated time, seed ${result.seed}` +
          (result.interrupted ? ', interrupted' : ''),
      )
    }
    return result.interrupted ? run.signalled : 0
  } finally {
    endProgress()
    run.end()
    file?.close()
  }
}

// ── sweeps ──

async function sweep(
  scenario: Scenario,
  seed: number | string,
  sweeps: readonly Sweep[],
  repeat: number,
  threads: number,
  json: boolean,
  report: Report | null,
): Promise<number> {
  // Before the check, which takes its time with many points.
  const run = startRun()
  const end = new AbortController()
  void run.ended.then(() => end.abort())
  const shown = progress()
  let result: SweepResult
  try {
    result = await runSweep(scenario, {
      seed,
      sweeps,
      repeat,
      threads,
      signal: end.signal,
      progress: shown.show,
    })
  } finally {
    shown.clear()
    run.end()
  }
  const { points, interrupted, failures } = result
  report?.sweep(points, sweeps, seed, repeat, interrupted)
  noteFailures(failures)
  if (json)
    printJson({
      format: FORMAT,
      seed,
      repeat,
      interrupted,
      points: roundedPoints(points),
      ...(failures.length > 0 ? { failures } : {}),
    })
  else {
    print(...sweepLines(points))
    if (interrupted) print('interrupted')
  }
  return interrupted ? run.signalled : failures.length > 0 ? 1 : 0
}
