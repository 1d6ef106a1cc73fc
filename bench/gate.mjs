/**
 * The regression gate of `.ci/run`: a few benchmarks, short, as ratios to node:dgram in the same
 * run. A limit is half of what is usual, so that noise passes and a doubling of the cost does not;
 * a job that misses its limit is measured again, twice, before it fails.
 *
 *     node bench/gate.mjs
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const ATTEMPTS = 3

function run(script, ...args) {
  const output = execFileSync(process.execPath, [join(import.meta.dirname, script), ...args, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return JSON.parse(output)
}

const tun = (job, value) => () => value(run('tun/run.mjs', '--rounds', '3', '--seconds', '0.8', '--jobs', job)[job])
const memory = (size) => () => run('memory.mjs', '--rounds', '3', '--size', `${size}`)[0].ratio

/** `usual` is the ratio of datagrams per second, or its inverse for costs: higher is better. */
const JOBS = [
  { name: 'in memory, 64 B', usual: 8.8, measure: memory(64) },
  { name: 'in memory, 1400 B', usual: 5.6, measure: memory(1400) },
  { name: 'TUN, receive 64 B', usual: 1.6, measure: tun('receive64', ({ rateRatio }) => rateRatio) },
  { name: 'TUN, send 64 B', usual: 4.2, measure: tun('send64', ({ rateRatio }) => rateRatio) },
  { name: 'TUN, echo 1400 B', usual: 2, measure: tun('echo1400', ({ rateRatio }) => rateRatio) },
  { name: 'TUN, echo 8 KiB', usual: 0.8, measure: tun('echo8k', ({ rateRatio }) => rateRatio) },
  { name: 'TUN, latency', usual: 1, measure: tun('latency64', ({ latencyRatio }) => 1 / latencyRatio) },
]

let failed = 0
for (const { name, usual, measure } of JOBS) {
  const limit = usual / 2
  const seen = []
  do seen.push(measure())
  while (seen.at(-1) < limit && seen.length < ATTEMPTS)
  const passed = seen.at(-1) >= limit
  if (!passed) failed++
  console.log(
    `${passed ? 'ok  ' : 'SLOW'} ${name}: ${seen.map((ratio) => `${ratio.toFixed(2)}×`).join(', ')} of ` +
      `node:dgram; at least ${limit.toFixed(2)}×`,
  )
}
process.exitCode = failed === 0 ? 0 : 1
