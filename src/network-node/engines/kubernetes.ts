/**
 * A campaign as an Indexed Job of Kubernetes: a completion index is a part of the campaign. What is
 * written here is for `kubectl` (https://kubernetes.io/docs/concepts/workloads/controllers/job/).
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { shellWord } from './shell-word.ts'

export interface IndexedJob {
  /** The folder of results on this machine: the manifests go into its folder `k8s`. */
  readonly directory: string
  /** Of the job, and of the folder on the volume: a DNS label of 50 characters at most. */
  readonly name: string
  /** The scenario as JSON. */
  readonly scenario: string
  /** The arguments of `sim` behind the scenario's file: sweeps, repetitions, seed. */
  readonly words: readonly string[]
  readonly shards: number
  /** How many pods may run at one time; all if left out. */
  readonly atOnce?: number
  /** Cores and threads of a pod. */
  readonly cpus: number
  /** With `tungram` on its path. Node's own image fetches it from npm if left out. */
  readonly image?: string
  /** Of tungram, for npm. */
  readonly version: string
  /** A PersistentVolumeClaim that all pods can write to. */
  readonly claim: string
}

const NODE_IMAGE = 'docker.io/library/node:22-slim'
/** The most bytes of a ConfigMap, which etcd keeps. */
const MOST_SCENARIO = 1 << 20
/** How often an index whose pod has failed is tried again: what it has done stays done. */
const RETRIES = 2

/**
 * Writes `job.json` (a ConfigMap with the scenario, and the Job), `merge.json` (a Job that joins
 * the parts) and `run.sh`, which applies the one, waits, and applies the other.
 * @returns the path of `run.sh`
 * @throws {Error} when the scenario is too long for a ConfigMap
 */
export function writeIndexedJob(job: IndexedJob): string {
  if (Buffer.byteLength(job.scenario) > MOST_SCENARIO)
    throw new Error(`the scenario has ${Buffer.byteLength(job.scenario)} bytes; a ConfigMap holds ${MOST_SCENARIO}`)
  const folder = join(job.directory, 'k8s')
  mkdirSync(folder, { recursive: true })
  const write = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`)
  write('job.json', { apiVersion: 'v1', kind: 'List', items: [configMap(job), indexedJob(job)] })
  write('merge.json', mergeJob(job))
  const path = join(folder, 'run.sh')
  writeFileSync(path, runScript(job.name), { mode: 0o755 })
  return path
}

const metadata = (name: string) => ({ name, labels: { 'app.kubernetes.io/name': 'tungram' } })
const folderOf = ({ name }: IndexedJob) => `/results/${name}`

function configMap({ name, scenario }: IndexedJob) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name), data: { 'scenario.json': scenario } }
}

function indexedJob(job: IndexedJob) {
  const { name, words, shards, atOnce = shards, cpus } = job
  const part = ['--shards', `${shards}`, '--jobs', `${cpus}`]
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(name),
    spec: {
      completionMode: 'Indexed',
      completions: shards,
      parallelism: Math.min(atOnce, shards),
      backoffLimitPerIndex: RETRIES,
      template: pod(job, ['sim', '/scenario/scenario.json', ...words, '--results', folderOf(job), ...part, '--quiet']),
    },
  }
}

function mergeJob(job: IndexedJob) {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(`${job.name}-merge`),
    spec: { backoffLimit: RETRIES, template: pod(job, ['sim', 'merge', folderOf(job)]) },
  }
}

/** One that the restricted Pod Security Standard lets in. */
function pod({ name, image, version, cpus, claim }: IndexedJob, words: readonly string[]) {
  const program = image === undefined ? ['npx', '--yes', `tungram@${version}`] : ['tungram']
  const container = {
    name: 'tungram',
    image: image ?? NODE_IMAGE,
    command: [...program, ...words],
    // Where npm keeps what it fetches.
    env: [{ name: 'HOME', value: '/tmp' }],
    resources: { requests: { cpu: `${cpus}`, memory: `${cpus * 512}Mi` } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      { name: 'scenario', mountPath: '/scenario', readOnly: true },
      { name: 'results', mountPath: '/results' },
    ],
  }
  return {
    metadata: { labels: { 'app.kubernetes.io/name': 'tungram' } },
    spec: {
      restartPolicy: 'Never',
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        fsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [container],
      volumes: [
        { name: 'scenario', configMap: { name } },
        { name: 'results', persistentVolumeClaim: { claimName: claim } },
      ],
    },
  }
}

/** A Job has either condition at its end, and `kubectl wait` waits for one. */
function runScript(name: string): string {
  const job = shellWord(name)
  return `#!/usr/bin/env bash
# run.sh [kubectl's options, such as --namespace lab]: runs the campaign, and prints what it says.
# Called again, it goes on with what is missing.
set -euo pipefail
cd "$(dirname "$0")"
run() {
  kubectl "$@" delete job "$job" --ignore-not-found
  kubectl "$@" apply --filename "$file"
  kubectl "$@" wait --for=condition=complete --timeout=-1s "job/$job" & complete=$!
  kubectl "$@" wait --for=condition=failed --timeout=-1s "job/$job" & failed=$!
  wait -n || true
  kill "$complete" "$failed" 2>/dev/null || true
}
file=job.json job=${job}
run "$@"
# The merge says which runs are missing, if any.
file=merge.json job=${job}-merge
run "$@"
kubectl "$@" logs "job/$job"
`
}
