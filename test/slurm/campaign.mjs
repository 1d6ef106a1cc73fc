/**
 * campaign.mjs DIRECTORY RUNS: a sweep of that many runs on the Slurm cluster beside it, two tasks
 * at a time. One task is killed in its middle, the command called again. Prints as JSON what came
 * of it. Long form, from the checkout, after `npm run build`:
 *
 *     test/slurm/cluster.sh /tmp/slurm node test/slurm/campaign.mjs /tmp/slurm 200
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const [, , directory, runs] = process.argv
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const at = (...names) => join(directory, ...names)
mkdirSync(directory, { recursive: true })
writeFileSync(
  at('scenario.yaml'),
  `
hosts: { a: , b: }
links: [{ between: [a, b], delay: 5ms, loss: 0.1 }]
flows: [{ name: out, from: a, to: b, size: 100, rate: 100, count: 150 }]
`,
)
const repeat = Number(runs) / 4
const SWEEP = ['--sweep', 'loss=0.1,0.2', '--sweep', 'size=100,200', '--repeat', `${repeat}`]
const PARTS = Math.max(4, Number(runs) / 10)
const SLURM = ['--engine', 'slurm', '--shards', `${PARTS}`, '--at-once', '2']

function sim(...args) {
  const child = spawn(process.execPath, [cli, 'sim', at('scenario.yaml'), ...SWEEP, ...args])
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'])
    child[name].on('data', (chunk) => {
      output[name] += chunk
    })
  const ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })))
  return { child, output, ended }
}
const slurm = (program, ...words) => execFileSync(program, words, { encoding: 'utf8' })
/** Parts of the campaign of which there are results. */
function begunTasks() {
  if (!existsSync(at('cluster'))) return []
  const parts = readdirSync(at('cluster')).map((name) => /^runs-(\d+)-of/.exec(name)?.[1])
  return parts.filter(
    (part) => part !== undefined && readFileSync(at('cluster', `runs-${part}-of-${PARTS}.jsonl`)).length > 0,
  )
}
/** Of the task of a part; none when it has ended. */
function processesOf(part) {
  const states = slurm('squeue', '--array', '--noheader', '--format=%A %K %T')
  const [, job] = new RegExp(`^(\\d+) ${part - 1} RUNNING`, 'm').exec(states) ?? []
  if (job === undefined) return []
  const { stdout } = spawnSync('scontrol', ['listpids', job], { encoding: 'utf8' })
  return [...stdout.matchAll(/^(\d+)/gm)].map(([, pid]) => Number(pid))
}
async function until(condition) {
  for (let found; ; await pause(20)) {
    found = condition()
    if (found) return found
  }
}
const missing = async (name) =>
  JSON.parse((await sim('--results', at(name), '--missing', '--json').ended).stdout).missing.length

const laptop = await sim('--results', at('laptop'), '--jobs', '1').ended

// A task that has done one run is killed; the others go on. Tasks are short: one may have ended before
// Slurm says of which processes it is.
const first = sim('--results', at('cluster'), ...SLURM)
const [victim, pids] = await until(() =>
  begunTasks()
    .map((part) => [part, processesOf(part)])
    .find(([, { length }]) => length > 0),
)
for (const pid of pids) process.kill(pid, 'SIGKILL')
const killed = await first.ended
const left = await missing('cluster')
// Called again, interrupted, and called once more: the job that is on its way is not sent twice. The
// node takes nothing until then, so that it is still on its way.
const [node] = slurm('sinfo', '--noheader', '--format=%n').split('\n')
const setNode = (state) => slurm('scontrol', 'update', `NodeName=${node}`, `State=${state}`, 'Reason=test')
setNode('DRAIN')
const second = sim('--results', at('cluster'), ...SLURM)
await until(() => second.output.stderr.includes('submitted job'))
second.child.kill('SIGINT')
const interrupted = await second.ended
const next = sim('--results', at('cluster'), ...SLURM)
await until(() => next.output.stderr.includes('submitted before') || next.child.exitCode !== null)
setNode('RESUME')
const third = await next.ended
const again = await sim('--results', at('cluster'), ...SLURM).ended

const apart = await sim('--results', at('apart', 'results'), ...SLURM).ended
const refused = await sim('--results', at('refused'), ...SLURM, '--sbatch=--partition=none').ended
const same = (name) =>
  readFileSync(at('cluster', name), 'utf8') === readFileSync(at('laptop', name), 'utf8') && laptop.code === 0
process.stdout.write(
  `${JSON.stringify({
    laptop,
    killed,
    task: victim - 1,
    left,
    interrupted,
    third,
    again,
    apart,
    refused,
    same: ['results.json', 'runs.jsonl'].map(same),
    files: readdirSync(at('cluster')),
  })}\n`,
)
