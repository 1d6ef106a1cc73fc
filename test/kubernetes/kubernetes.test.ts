/** What `tungram sim --engine k8s` writes, by the schema of Kubernetes. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { testWith } from '../skips.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '../..')
const models = join(here, 'node_modules/kubernetes-models')
const folder = mkdtempSync(join(tmpdir(), 'k8s-'))
afterAll(() => rmSync(folder, { recursive: true }))
const scenario = join(folder, 'scenario.yaml')
writeFileSync(
  scenario,
  `
hosts: { a: , b: }
links: [{ between: [a, b], delay: 5ms, loss: 10% }]
flows: [{ from: a, to: b, count: 20 }]
`,
)
const cli = join(root, 'dist/cli.js')

type Manifest = { kind: string; metadata: { name: string }; spec: Record<string, unknown> }

function written(
  name: string,
  ...more: string[]
): { stdout: string; job: Manifest[]; merge: Manifest; script: string } {
  const directory = join(folder, name)
  const sweep = ['--sweep', 'delay=1ms,5ms', '--repeat', '3', '--engine', 'k8s', '--claim', 'lab']
  const stdout = execFileSync(process.execPath, [cli, 'sim', scenario, ...sweep, '--results', directory, ...more], {
    encoding: 'utf8',
  })
  const read = (file: string) => JSON.parse(readFileSync(join(directory, 'k8s', file), 'utf8'))
  return { stdout, job: read('job.json').items, merge: read('merge.json'), script: join(directory, 'k8s', 'run.sh') }
}

test('an Indexed Job has a pod for each part, which runs that part, and a Job merges them', () => {
  const { stdout, job, merge, script } = written('plain', '--shards', '3', '--at-once', '2', '--seed', '7')
  expect(stdout).toBe(`6 runs in 3 pods: run ${script}\n`)
  const [map, indexed] = job as [Manifest & { data: Record<string, string> }, Manifest]
  const name = map.metadata.name
  expect(name).toMatch(/^tungram-[0-9a-f]{10}$/)
  expect(indexed.spec).toMatchObject({ completionMode: 'Indexed', completions: 3, parallelism: 2 })
  const commandOf = ({ spec }: Manifest) =>
    (spec as unknown as PodSpec).template.spec.containers[0]?.command as string[]
  const command = commandOf(indexed)
  expect(command.slice(0, 2)).toEqual(['npx', '--yes'])
  const owner = written('own', '--image', 'lab/tungram:1').job[1] as Manifest
  expect(commandOf(owner).slice(0, 2)).toEqual(['tungram', 'sim'])
  expect(owner.spec.completions).toBe(6)

  // What the pods would run, here: the same bytes as in one process.
  const at = join(folder, 'pod.json')
  writeFileSync(at, map.data['scenario.json'] as string)
  const volume = join(folder, 'volume')
  const words = (all: string[]) =>
    all.slice(all.indexOf('sim')).map((word) => word.replace('/scenario/scenario.json', at).replace('/results', volume))
  for (let index = 0; index < 3; index++)
    execFileSync(process.execPath, [cli, ...words(command)], { env: { JOB_COMPLETION_INDEX: `${index}` } })
  execFileSync(process.execPath, [cli, ...words(commandOf(merge))])
  const alone = ['--sweep', 'delay=1ms,5ms', '--repeat', '3', '--seed', '7', '--results', join(folder, 'alone')]
  execFileSync(process.execPath, [cli, 'sim', scenario, ...alone])
  const results = (directory: string) => readFileSync(join(directory, 'results.json'), 'utf8')
  expect(results(join(volume, name))).toBe(results(join(folder, 'alone')))
}, 60_000)

interface PodSpec {
  template: { spec: { containers: { command: string[] }[] } }
}

test('the script waits for either end of a job, and prints what the merge says', () => {
  const { script, job } = written('script')
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  // A job that has failed: nobody would ever see its completion.
  writeFileSync(
    join(bin, 'kubectl'),
    `#!/bin/bash
case "$*" in *condition=complete*job/*-merge) ;; *condition=failed*-merge|*condition=complete*) exec sleep 30;; esac
echo "$@"
`,
    { mode: 0o755 },
  )
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` }
  const { stdout, status } = spawnSync(script, ['--namespace', 'lab'], { env, encoding: 'utf8', timeout: 20_000 })
  const name = job[0]?.metadata.name
  expect(stdout.trimEnd().split('\n')).toEqual([
    `--namespace lab delete job ${name} --ignore-not-found`,
    '--namespace lab apply --filename job.json',
    `--namespace lab wait --for=condition=failed --timeout=-1s job/${name}`,
    `--namespace lab delete job ${name}-merge --ignore-not-found`,
    '--namespace lab apply --filename merge.json',
    `--namespace lab wait --for=condition=complete --timeout=-1s job/${name}-merge`,
    `--namespace lab logs job/${name}-merge`,
  ])
  expect(status).toBe(0)
}, 30_000)

const testBySchema = testWith(
  existsSync(models),
  "the packages of 'npm ci --prefix test/kubernetes'",
  'TUNGRAM_REQUIRE_KUBERNETES',
)

testBySchema(
  'the manifests are valid, and so are the names of all fields',
  async () => {
    const load = async (path: string) => await import(pathToFileURL(join(models, path)).href)
    const { Job } = await load('batch/v1/Job.js')
    const { ConfigMap } = await load('v1/ConfigMap.js')
    const { job, merge } = written('schema', '--at-once', '3')
    const [map, indexed] = job as [Manifest, Manifest]
    new ConfigMap(map).validate()
    for (const each of [indexed, merge]) new Job(each).validate()
    expect(() => new Job({ ...indexed, spec: { ...indexed.spec, completions: '8' } }).validate()).toThrow(
      'data/spec/completions must be integer',
    )
    // The validator lets unknown fields pass, as the schema does; the types do not.
    symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const misspelt = { ...indexed, spec: { ...indexed.spec, completion: 8 } }
    writeFileSync(
      join(folder, 'manifests.ts'),
      `import type { IJob } from 'kubernetes-models/batch/v1'
import type { IConfigMap } from 'kubernetes-models/v1'
export const map: IConfigMap = ${JSON.stringify(map)}
export const jobs: IJob[] = [${JSON.stringify(indexed)}, ${JSON.stringify(merge)}]
// @ts-expect-error a field that there is not
export const misspelt: IJob = ${JSON.stringify(misspelt)}
`,
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const options = '--noEmit --strict --skipLibCheck --module nodenext --target es2022 --types'.split(' ')
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, '', 'manifests.ts'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  },
  60_000,
)
