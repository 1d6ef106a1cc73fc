/**
 * All benchmarks of `npm run bench`, for people; or those with rounds as one file of samples, which
 * `compare.mjs` compares with another one.
 *
 *     npm run bench [-- --json [--rounds 7] [--only memory,hops,tun] > FILE]
 *
 * Samples are ratios to node:dgram in the same round wherever there is such a one, so that what else
 * the machine does hits both sides; `tun` needs root (or `unshare -rn`) and iproute2.
 */
import { execFileSync } from 'node:child_process'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const FOR_PEOPLE = ['codecs.mjs', 'memory.mjs', 'tables.mjs', 'reassembly.mjs', 'tun/run.mjs']

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    only: { type: 'string' },
  },
})
const script = (name) => join(import.meta.dirname, name)
const measured = (name, ...args) =>
  JSON.parse(
    execFileSync(process.execPath, [script(name), '--rounds', values.rounds, ...args, '--json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )

const RATIO = 'of node:dgram'
/** Figures by name, from each benchmark. */
const SUITES = {
  memory: () =>
    measured('memory.mjs').map(({ size, ratios }) => [
      `memory ${size} B`,
      { unit: RATIO, better: 'higher', samples: ratios },
    ]),
  hops: () =>
    measured('network/hops.mjs').rows.map(({ job, samples }) => [
      `network ${job}`,
      { unit: 'k traversals a CPU second', better: 'higher', samples },
    ]),
  tun: () =>
    Object.entries(measured('tun/run.mjs')).flatMap(([job, { samples }]) => [
      [`${job} rate`, { unit: RATIO, better: 'higher', samples: samples.rate }],
      [`${job} CPU`, { unit: RATIO, better: 'lower', samples: samples.cpu }],
    ]),
}

if (!values.json) for (const name of FOR_PEOPLE) execFileSync(process.execPath, [script(name)], { stdio: 'inherit' })
else {
  const wanted = values.only?.split(',') ?? Object.keys(SUITES)
  const unknown = wanted.filter((name) => !Object.hasOwn(SUITES, name))
  if (unknown.length > 0) {
    console.error(`Unknown benchmark ${unknown.join(', ')}: there are ${Object.keys(SUITES).join(', ')}.`)
    process.exit(2)
  }
  const figures = Object.fromEntries(wanted.flatMap((name) => SUITES[name]()))
  const machine = `Node ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}`
  console.log(JSON.stringify({ format: 1, machine, rounds: Number(values.rounds), figures }, null, 2))
}
