// What threads gain in a sweep: the same runs of one scenario with `tungram sim --jobs 1`, 2, … up
// to all cores, in turns, so that what else the machine does hits all alike. Where other programs
// keep the cores busy, the last column tells more: the gain on cores that are free, by the CPU time
// that was used.
//
//   npm run build && node bench/network/sweep.mjs [--json]
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const ROUNDS = 3
const file = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const sweep = [
  'sim',
  file('examples/scenarios/fragmentation-loss.yaml'),
  '--sweep',
  'count=10000',
  '--repeat',
  '16',
  '--json',
]
/** Says the CPU time of all threads at the end. */
const tellCpu =
  'data:text/javascript,' +
  "process.on('exit',()=>{const{user,system}=process.cpuUsage();console.error((user+system)/1e6)})"

const jobs = []
for (let number = 1; number < availableParallelism(); number *= 2) jobs.push(number)
jobs.push(availableParallelism())
const seconds = new Map(jobs.map((number) => [number, []]))
const cpu = new Map(jobs.map((number) => [number, []]))
let results
for (let round = 0; round < ROUNDS; round++)
  for (const number of jobs) {
    const begun = performance.now()
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', tellCpu, file('dist/cli.js'), ...sweep, '--jobs', String(number)],
      {
        encoding: 'utf8',
      },
    )
    seconds.get(number).push((performance.now() - begun) / 1000)
    cpu.get(number).push(Number(stderr.trim().split('\n').at(-1)))
    results ??= stdout
    if (stdout !== results || stdout === '') throw new Error(`--jobs ${number} gives other results: ${stderr}`)
  }

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
const rows = jobs.map((number) => ({
  jobs: number,
  seconds: Number(median(seconds.get(number)).toFixed(2)),
  'CPU s': Number(median(cpu.get(number)).toFixed(2)),
  gain: Number((median(seconds.get(jobs[0])) / median(seconds.get(number))).toFixed(2)),
  'gain on free cores': Number(((number * median(cpu.get(jobs[0]))) / median(cpu.get(number))).toFixed(2)),
}))
if (process.argv.includes('--json'))
  console.log(JSON.stringify({ node: process.version, rounds: ROUNDS, rows }, null, 2))
else console.table(rows)
