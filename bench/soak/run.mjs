/**
 * Hours in small: an echo over a TUN device at half of its full rate, for minutes. Nothing may be
 * lost, memory must not grow, and the slowest thousandth must not be slow. After it the same for a
 * minute with node:dgram over loopback, at half of its own full rate: what that loses and how long it
 * takes is what this machine does to a process that has nothing of tungram in it (a virtual CPU that
 * its host takes away for 12 ms fills every queue of 1000 at 85 000 a second).
 *
 *     npm run soak -- [--minutes 10] [--beside 1] [--pace N] [--size 64] [--json]
 *
 * `--pace` is datagrams a second, instead of half of the full rate.
 *
 * Exit code 1 when a goal is missed. Needs root (or `unshare -rn`) and iproute2.
 */
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    beside: { type: 'string', default: '1' },
    pace: { type: 'string' },
    size: { type: 'string', default: '64' },
    json: { type: 'boolean', default: false },
  },
})
const size = Number(options.size)
const NAMESPACE = `tgsoak-${process.pid}`
const PORT = 5000
const ADDRESSES = { tungram: '10.76.0.2', node: '127.0.0.1' }
const PEER = '10.76.0.1/24'
const GOALS = { lost: 0, p999: 5, growth: 2e6 }
/** What the first seconds leave is there for good: code, buffers, tables. */
const WARM_UP = 5
/** Frames that the device keeps while the process has no CPU: 80 ms at 100 000 a second. */
const QUEUE = 8000
const bench = join(import.meta.dirname, '..', 'tun')
const shared = join(tmpdir(), `tgsoak-${process.pid}`)

execFileSync('ip', ['netns', 'add', NAMESPACE])
process.on('exit', () => {
  execFileSync('ip', ['netns', 'delete', NAMESPACE])
  rmSync(shared, { force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))
execFileSync('ip', ['-n', NAMESPACE, 'link', 'set', 'lo', 'up'])

async function client(job) {
  const parameters = JSON.stringify({ port: PORT, size, shared, ...job })
  const child = spawn('ip', ['netns', 'exec', NAMESPACE, process.execPath, join(bench, 'client.mjs'), parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`The client ended with ${code}.`)
  return JSON.parse(output)
}

/** Packets that the kernel could not put into the device's queue. */
function queueDrops() {
  const links = JSON.parse(execFileSync('ip', ['-n', NAMESPACE, '-s', '-j', 'link']).toString())
  return links.reduce((sum, { stats64 }) => sum + stats64.tx.dropped, 0)
}

/** Milliseconds that the machine's host took from its CPUs since it started (proc(5), USER_HZ 100). */
function stolen() {
  return Number(readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].trim().split(/\s+/)[8]) * 10
}

async function soak(stack, minutes) {
  const address = ADDRESSES[stack]
  const task = {
    stack,
    job: 'echo',
    port: PORT,
    size,
    shared,
    peer: PEER,
    address: `${address}/24`,
    device: { queueLength: QUEUE },
  }
  const server = fork(join(bench, 'server.mjs'), [JSON.stringify(task)], {
    execPath: 'ip',
    execArgv: ['netns', 'exec', NAMESPACE, process.execPath, '--expose-gc'],
  })
  server.on('exit', (code) => {
    if (code !== 0 && code !== null) console.error(`The server ended with ${code}.`)
  })
  const memory = async () => {
    server.send('memory')
    return (await once(server, 'message'))[0]
  }
  await once(server, 'message')
  const full = await client({ address, job: 'echo', window: 64, seconds: 3 })
  const rate = full.received / (full.milliseconds / 1000)
  const pace = options.pace ? Number(options.pace) : Math.floor(rate / 2)
  await client({ address, job: 'steady', pace, seconds: WARM_UP })
  const before = await memory()
  const [queueBefore, stolenBefore] = [queueDrops(), stolen()]
  const result = await client({ address, job: 'steady', pace, seconds: minutes * 60 })
  const steal = stolen() - stolenBefore
  const after = await memory()
  const queue = queueDrops() - queueBefore
  server.kill()
  await once(server, 'exit')
  const drops = Object.fromEntries((after.drops ?? []).map(({ reason, count }) => [reason, count]))
  return { stack, minutes, rate, pace, ...result, ...after, queue, drops, steal, growth: after.held - before.held }
}

function print({
  stack,
  minutes,
  rate,
  pace,
  sent,
  lost,
  p50,
  p99,
  p999,
  stood,
  queue,
  drops,
  steal,
  growth,
  held,
  rss,
}) {
  console.log(
    `${stack === 'node' ? 'node:dgram' : stack}: ${sent} round trips of ${size} bytes at ${pace} a second, ` +
      `${Math.round((pace / rate) * 100)} % of the full rate, in ${minutes} minutes`,
  )
  console.log(
    `  lost ${lost}, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, p99.9 ${p999.toFixed(2)} ms; the client ` +
      `itself stood still for up to ${stood.toFixed(1)} ms; ${steal} ms of CPU went to other machines`,
  )
  if (lost > 0 && stack !== 'node') console.log(`  of these in the device's queue ${queue}; the stack dropped`, drops)
  console.log(
    `  memory ${((held - growth) / 1e6).toFixed(1)} -> ${(held / 1e6).toFixed(1)} MB, resident ` +
      `${Math.round(rss / 1e6)} MB`,
  )
}

const result = await soak('tungram', Number(options.minutes))
const missed = [
  result.lost > GOALS.lost && `${result.lost} lost`,
  result.p999 > GOALS.p999 && `p99.9 above ${GOALS.p999} ms`,
  result.growth > GOALS.growth && `${(result.growth / 1e6).toFixed(1)} MB more in memory`,
].filter(Boolean)
if (!options.json) print(result)
const beside = Number(options.beside) > 0 ? await soak('node', Number(options.beside)) : undefined
if (options.json) console.log(JSON.stringify({ ...result, missed, beside }))
else {
  if (beside) print(beside)
  console.log(missed.length === 0 ? 'All goals are met.' : `Missed: ${missed.join(', ')}.`)
}
process.exitCode = missed.length === 0 ? 0 : 1
