/** `tungram sim --engine`: a campaign on the machines of others. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { scenarioHash } from '../network/campaign/identity.ts'
import type { Scenario } from '../network/scenario/scenario.ts'
import { missingRuns, prepareCampaign } from '../network-node/campaign.ts'
import { DoneCounter } from '../network-node/done-counter.ts'
import { writeIndexedJob } from '../network-node/engines/kubernetes.ts'
import type { TableForm } from '../network-node/packet-table.ts'
import type { Plan } from '../network-node/results.ts'
import { plural, print } from './output.ts'
import type { Report } from './report/report.ts'
import { merge, noteFailures, ownVersion } from './sim-campaign.ts'
import { runOnSlurm } from './sim-slurm.ts'
import { integer, UsageError } from './usage.ts'

export const ENGINES = ['slurm', 'k8s'] as const

/** The options that concern engines. */
export interface EngineArguments {
  readonly engine?: string
  readonly results?: string
  readonly sweep?: readonly string[]
  readonly repeat?: string
  readonly packets?: string
  readonly seed?: string
  readonly jobs?: string
  readonly shard?: string
  readonly shards?: string
  readonly atOnce?: string
  readonly sbatch?: readonly string[]
  readonly image?: string
  readonly claim?: string
  readonly report?: string
  readonly json?: true
}

/** Parts of a campaign, unless `--shards` says how many. */
const PARTS = 100

/** Options that only an engine reads, in the order of the help. */
const OF_ENGINE = { atOnce: 'at-once', sbatch: 'sbatch', image: 'image', claim: 'claim' } as const
const OF_ONE: Readonly<Record<string, readonly (keyof typeof OF_ENGINE)[]>> = {
  slurm: ['atOnce', 'sbatch'],
  k8s: ['atOnce', 'image', 'claim'],
}

/** @throws {UsageError} for options that do not go together */
export function checkEngine(values: EngineArguments): void {
  const { engine } = values
  const known = engine === undefined ? [] : OF_ONE[engine]
  if (known === undefined) throw new UsageError(`--engine takes ${ENGINES.join(' or ')}, not '${engine}'`)
  for (const [name, flag] of Object.entries(OF_ENGINE) as [keyof typeof OF_ENGINE, string][]) {
    if (values[name] === undefined || known.includes(name)) continue
    const owners = ENGINES.filter((each) => OF_ONE[each]?.includes(name))
    throw new UsageError(`--${flag} is for --engine ${owners.join(' and ')}`)
  }
  if (engine === undefined) return
  if (values.results === undefined)
    throw new UsageError('--engine keeps the runs in a folder that all machines share: add --results DIR')
  if (values.shard !== undefined) throw new UsageError('--shard is what --engine gives to each of its tasks')
  if (engine === 'k8s' && values.claim === undefined)
    throw new UsageError('--engine k8s keeps the runs on a volume: add --claim NAME, a PersistentVolumeClaim')
}

/** Runs a campaign on Slurm, or writes the manifests for Kubernetes. @returns the exit code */
export async function onEngine(
  scenario: Scenario,
  plan: Plan,
  values: EngineArguments,
  newReport: (path: string, file: string, scenario: Scenario, ladder: number) => Promise<Report>,
): Promise<number> {
  const directory = resolve(values.results ?? '.')
  const version = ownVersion()
  const options = { ...plan, directory, version, packets: values.packets as TableForm | undefined }
  prepareCampaign(scenario, options)
  const { missing, total } = missingRuns(scenario, options)
  const shards = Math.min(total, integer('shards', values.shards, 1, 1e6) ?? PARTS)
  const atOnce = integer('at-once', values.atOnce, 1, 1e6)
  const cpus = integer('jobs', values.jobs, 1, 256) ?? 1
  const words = [...planWords(values), ...(values.seed === undefined ? [] : ['--seed', values.seed])]
  if (values.engine === 'k8s') {
    const { image, claim = '' } = values
    const path = writeIndexedJob({
      directory,
      name: `tungram-${scenarioHash(scenario).slice(0, 10)}`,
      scenario: readFileSync(join(directory, 'scenario.json'), 'utf8'),
      words,
      shards,
      cpus,
      version,
      claim,
      ...(atOnce === undefined ? {} : { atOnce }),
      ...(image === undefined ? {} : { image }),
    })
    print(`${plural(total, 'run')} in ${plural(shards, 'pod')}: run ${path}`)
    return 0
  }
  if (missing.length > 0) {
    const counter = new DoneCounter(directory)
    const code = await runOnSlurm({
      directory,
      words: [
        'sim',
        join(directory, 'scenario.json'),
        ...words,
        '--results',
        directory,
        '--jobs',
        `${cpus}`,
        '--quiet',
      ],
      shards,
      tasks: [...new Set(missing.map(({ index }) => index % shards))].sort((a, b) => a - b),
      atOnce,
      cpus,
      options: values.sbatch ?? [],
      done: () => counter.count(),
      total,
    })
    if (code !== 0) return code
    noteFailures(
      missingRuns(scenario, options).missing.flatMap(({ error, ...run }) => (error ? [{ ...run, error }] : [])),
    )
  }
  return merge([directory], { ...values, results: directory }, newReport)
}

function planWords({ sweep = [], repeat, packets }: EngineArguments): string[] {
  return [
    ...sweep.flatMap((each) => ['--sweep', each]),
    ...(repeat === undefined ? [] : ['--repeat', repeat]),
    ...(packets === undefined ? [] : ['--packets', packets]),
  ]
}
