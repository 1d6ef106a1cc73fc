/**
 * Hours in small: an echo over a TUN device at half of its full rate, for minutes. Nothing may be
 * lost, memory must not grow, and the slowest thousandth must not be slow.
 *
 *     npm run soak -- [--minutes 10] [--size 64] [--json]
 *
 * Exit code 1 when a goal is missed. Needs root (or `unshare -rn`) and iproute2.
 */
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    size: { type: 'string', default: '64' },
    json: { type: 'boolean', default: false },
  },
})
const size = Number(options.size)
const NAMESPACE = `tgsoak-${process.pid}`
const PORT = 5000
const ADDRESS = '10.76.0.2'
const PEER = '10.76.0.1/24'
const GOALS = { lost: 0, p999: 5, growth: 2e6 }
const bench = join(import.meta.dirname, '..', 'tun')
const shared = join(tmpdir(), `tgsoak-${process.pid}`)

execFileSync('ip', ['netns', 'add', NAMESPACE])
process.on('exit', () => {
  execFileSync('ip', ['netns', 'delete', NAMESPACE])
  rmSync(shared, { force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))
execFileSync('ip', ['-n', NAMESPACE, 'link', 'set', 'lo', 'up'])

const task = {
  stack: 'tungram',
  job: 'echo',
  port: PORT,
  size,
  shared,
  peer: PEER,
  address: `${ADDRESS}/24`,
  device: {},
}
const server = fork(join(bench, 'server.mjs'), [JSON.stringify(task)], {
  execPath: 'ip',
  execArgv: ['netns', 'exec', NAMESPACE, process.execPath, '--expose-gc'],
})
server.on('exit', (code) => {
  if (code !== 0 && code !== null) console.error(`The server ended with ${code}.`)
})
const message = async () => (await once(server, 'message'))[0]

async function client(job) {
  const parameters = JSON.stringify({ address: ADDRESS, port: PORT, size, shared, ...job })
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

async function memory() {
  server.send('memory')
  return message()
}

await message()
const full = await client({ job: 'echo', window: 64, seconds: 3 })
const pace = Math.floor(full.received / (full.milliseconds / 1000) / 2)
// What the first seconds leave is there for good: code, buffers, tables.
await client({ job: 'steady', pace, seconds: 5 })
const before = await memory()
const queueBefore = queueDrops()
const result = await client({ job: 'steady', pace, seconds: Number(options.minutes) * 60 })
const after = await memory()
const queue = queueDrops() - queueBefore
server.kill()

const growth = after.held - before.held
const missed = [
  result.lost > GOALS.lost && `${result.lost} lost`,
  result.p999 > GOALS.p999 && `p99.9 above ${GOALS.p999} ms`,
  growth > GOALS.growth && `${(growth / 1e6).toFixed(1)} MB more in memory`,
].filter(Boolean)
const drops = Object.fromEntries(after.drops.map(({ reason, count }) => [reason, count]))
const row = { pace, ...result, queue, drops, growth, rss: after.rss, missed }
if (options.json) console.log(JSON.stringify(row))
else {
  console.log(
    `${result.sent} round trips of ${size} bytes at ${pace} a second, half of the full rate, in ` +
      `${options.minutes} minutes`,
  )
  console.log(
    `lost ${result.lost}, p50 ${result.p50.toFixed(2)} ms, p99 ${result.p99.toFixed(2)} ms, p99.9 ` +
      `${result.p999.toFixed(2)} ms; the client itself stood still for up to ${result.stood.toFixed(1)} ms`,
  )
  if (result.lost > 0) console.log(`of these in the device's queue ${queue}; the stack dropped`, drops)
  console.log(
    `memory ${(before.held / 1e6).toFixed(1)} -> ${(after.held / 1e6).toFixed(1)} MB, resident ` +
      `${Math.round(after.rss / 1e6)} MB`,
  )
  console.log(missed.length === 0 ? 'All goals are met.' : `Missed: ${missed.join(', ')}.`)
}
process.exitCode = missed.length === 0 ? 0 : 1
