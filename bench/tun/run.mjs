/**
 * tungram on a TUN device against node:dgram on kernel sockets: the same jobs, interleaved, in
 * network namespaces made for the run.
 *
 *     node bench/tun/run.mjs [--rounds 5] [--seconds 1] [--jobs receive64,send64,…] [--json]
 *     node bench/tun/run.mjs --layers [--seconds 4] [--jobs …]
 *
 * The second form tells where tungram's time goes, in nanoseconds per datagram.
 *
 * node:dgram's server sits behind a veth pair, tungram's behind its TUN device; the kernel client
 * is the same program for both. Needs root (or `unshare -rn`), iproute2 and taskset.
 */
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string' },
    jobs: { type: 'string' },
    json: { type: 'boolean', default: false },
    layers: { type: 'boolean', default: false },
  },
})
const rounds = Number(options.rounds)
const seconds = Number(options.seconds ?? (options.layers ? 4 : 1))

/** What the queues of all lanes hold. */
const DRAINED = 8000
const DRAINS = 4

const JOBS = {
  receive64: { job: 'receive', size: 64, window: 256 },
  receive64plain: { job: 'receive', size: 64, window: 256, device: { offload: false } },
  receive1400: { job: 'receive', size: 1400, window: 128 },
  send64: { job: 'send', size: 64 },
  send1400: { job: 'send', size: 1400 },
  echo64: { job: 'echo', size: 64, window: 64 },
  echo1400: { job: 'echo', size: 1400, window: 64 },
  echo8k: { job: 'echo', size: 8192, window: 8 },
  echo32k: { job: 'echo', size: 32_768, window: 4 },
  // No fragments: a device has no wire whose frames would have to be short.
  echo8kmtu: { job: 'echo', size: 8192, window: 8, device: { mtu: 65_535 } },
  echo32kmtu: { job: 'echo', size: 32_768, window: 4, device: { mtu: 65_535 } },
  // Evenly paced, so that each datagram is a wake-up: what one costs.
  wakeup64: { job: 'receive', size: 64, pace: 20_000 },
  // Rare ones.
  idle64: { job: 'receive', size: 64, pace: 1000 },
  wakeup64thread: { job: 'receive', size: 64, pace: 20_000, device: { wakeup: 'worker' } },
  // Client and server on a core each, and on the same one: left to itself the kernel changes its
  // mind between rounds.
  latency64: { job: 'echo', size: 64, window: 1, cores: [0, cpus().length - 1] },
  latency64busy: { job: 'echo', size: 64, window: 1, cores: [0, cpus().length - 1], device: { busyPoll: 50 } },
  latency64core: { job: 'echo', size: 64, window: 1, cores: [0, 0] },
  // What came while the process stood still: no wake-up and no sender beside it.
  drain64: { job: 'drain', size: 64, datagrams: DRAINED },
  drain1400: { job: 'drain', size: 1400, datagrams: DRAINED },
}
// The same over a packet socket on the veth pair that node:dgram has.
for (const name of [
  'receive64',
  'receive1400',
  'send64',
  'send1400',
  'echo64',
  'echo1400',
  'echo8k',
  'wakeup64',
  'idle64',
  'latency64',
  'latency64busy',
  'drain64',
  'drain1400',
])
  JOBS[`${name}packet`] = { ...JOBS[name], lane: 'packet' }
// Without segmentation offload: each datagram is a frame.
for (const name of ['send64', 'send1400', 'echo64'])
  JOBS[`${name}packetplain`] = { ...JOBS[name], lane: 'packet', device: { offload: false } }
// Busy polling that adapts: where it pays, where it does not (a datagram every 50 µs and every
// millisecond), and on one core, where it holds the client up.
for (const lane of ['tun', 'packet'])
  for (const name of ['latency64', 'latency64core', 'wakeup64', 'idle64', 'receive64', 'echo64'])
    JOBS[`${name}${lane === 'tun' ? '' : lane}auto`] = { ...JOBS[name], lane, device: { busyPoll: 'auto' } }
const wanted = options.jobs?.split(',') ?? Object.keys(JOBS)
const unknown = wanted.filter((name) => !(name in JOBS))
if (unknown.length > 0) {
  console.error(`Unknown job ${unknown.join(', ')}: there are ${Object.keys(JOBS).join(', ')}.`)
  process.exit(2)
}

const CLIENT = `tgbench-c${process.pid}`
const SERVER = `tgbench-s${process.pid}`
const PORT = 5000
const SINK_PORT = 5001
const here = import.meta.dirname
const ip = (...words) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] })

function makeNamespaces() {
  ip('netns', 'add', CLIENT)
  ip('netns', 'add', SERVER)
  ip('-n', CLIENT, 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth0', 'netns', SERVER)
  ip('-n', CLIENT, 'address', 'add', '10.78.0.1/24', 'dev', 'veth0')
  ip('-n', SERVER, 'address', 'add', '10.78.0.2/24', 'dev', 'veth0')
  for (const namespace of [CLIENT, SERVER])
    for (const link of ['lo', 'veth0']) ip('-n', namespace, 'link', 'set', link, 'up')
}

function removeNamespaces() {
  for (const namespace of [CLIENT, SERVER]) {
    try {
      ip('netns', 'delete', namespace)
    } catch {
      // It was never made.
    }
  }
}

/** Words in front of a command that keep it on one core. */
const pin = (core) => (core === undefined ? [] : ['taskset', '--cpu-list', String(core)])

async function client(task, core) {
  const command = [...pin(core), process.execPath, join(here, 'client.mjs'), JSON.stringify(task)]
  const child = spawn('ip', ['netns', 'exec', CLIENT, ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const ready = new Promise((resolve) => {
    child.stderr.on('data', (chunk) => {
      errors += chunk
      if (errors.includes('ready')) resolve()
    })
  })
  const done = once(child, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`The client failed (${code}): ${errors}`)
    return JSON.parse(output)
  })
  return { ready, done }
}

async function run(stack, { job, size, window, pace, device, datagrams, cores = [] }) {
  const [clientCore, serverCore] = cores
  const shared = join(tmpdir(), `tgbench-${process.pid}`)
  rmSync(shared, { force: true })
  const [local, remote] = {
    node: ['10.78.0.2', '10.78.0.1'],
    packet: ['10.78.0.3', '10.78.0.1'],
    tun: ['10.77.0.2', '10.77.0.1'],
  }[stack]
  const task = {
    stack,
    job,
    port: PORT,
    size,
    seconds,
    to: remote,
    toPort: SINK_PORT,
    shared,
    peer: `${remote}/24`,
    address: `${local}/24`,
    device,
    datagrams,
    layers: options.layers,
  }
  const server = fork(join(here, 'server.mjs'), [JSON.stringify(task)], {
    execPath: 'ip',
    execArgv: ['netns', 'exec', stack === 'tun' ? CLIENT : SERVER, ...pin(serverCore), process.execPath],
  })
  let stopping = false
  const died = once(server, 'exit').then(([code]) => {
    if (!stopping) throw new Error(`The server of ${stack}, ${job} ended with ${code} before it was asked to.`)
  })
  const message = async () => (await Promise.race([once(server, 'message'), died]))[0]
  try {
    await message()
    if (job === 'send') {
      const sink = await client({ job: 'sink', port: SINK_PORT, size, seconds: 0.5 })
      await sink.ready
      server.send('start')
      const result = await message()
      const { received } = await sink.done
      return {
        rate: received / (result.milliseconds / 1000),
        cpu: result.cpu / result.count,
        loss: 1 - received / result.count,
        layers: perDatagram(result),
      }
    }
    if (job === 'drain') {
      let last
      // Who stands still answers no ARP: the kernel learns the address before.
      await (await client({ job: 'paced', address: local, port: PORT, size, seconds: 0.2, pace: 20 })).done
      // The first ones compile the code.
      for (let times = 0; times < DRAINS; times++) {
        server.send('stand')
        // It may come before the client has ended.
        const drained = message()
        const { done } = await client({ job: 'burst', address: local, port: PORT, size, datagrams, shared })
        await done
        last = await drained
      }
      const { count, cpu, milliseconds } = last
      return { rate: count / (milliseconds / 1000), cpu: cpu / count, loss: 1 - count / datagrams }
    }
    const kernelJob = job === 'echo' ? 'echo' : pace === undefined ? 'blast' : 'paced'
    const { done } = await client(
      { job: kernelJob, address: local, port: PORT, size, seconds, window, pace, shared },
      clientCore,
    )
    const result = await done
    await new Promise((resolve) => setTimeout(resolve, 50))
    server.send('stop')
    const stopped = await message()
    const { count, cpu } = stopped
    const total = job === 'receive' ? result.sent : result.received + result.lost
    const received = job === 'receive' ? count : result.received
    return {
      rate: received / (result.milliseconds / 1000),
      cpu: cpu / count,
      loss: 1 - received / total,
      p50: result.p50,
      p99: result.p99,
      layers: perDatagram(stopped),
    }
  } finally {
    stopping = true
    server.kill()
    rmSync(shared, { force: true })
  }
}

/** Nanoseconds per datagram by layer. */
function perDatagram({ layers = {}, profiled = 0 }) {
  return Object.fromEntries(
    Object.entries(layers).map(([layer, nanoseconds]) => [layer, Math.round(nanoseconds / profiled)]),
  )
}

async function printLayers() {
  const columns = []
  for (const name of wanted) columns.push((await run(JOBS[name].lane ?? 'tun', JOBS[name])).layers)
  const order = [
    'system call read',
    'system call write',
    'link',
    'base',
    'ip',
    'udp',
    'socket-api',
    'Node',
    'program',
    'garbage collector',
    'idle',
  ]
  console.log(`| ns per datagram | ${wanted.join(' | ')} |`)
  console.log(`|---|${'---|'.repeat(wanted.length)}`)
  for (const layer of order) console.log(`| ${layer} | ${columns.map((column) => column[layer] ?? 0).join(' | ')} |`)
}

function median(values) {
  const sorted = values.filter((value) => value !== null && value !== undefined).sort((a, b) => a - b)
  return sorted.length === 0 ? null : sorted[Math.floor(sorted.length / 2)]
}

function summary(results) {
  const of = (key) => results.map((result) => result[key])
  const rates = of('rate')
  return {
    rate: median(rates),
    low: Math.min(...rates),
    high: Math.max(...rates),
    cpu: median(of('cpu')),
    loss: median(of('loss')),
    p50: median(of('p50')),
  }
}

async function main() {
  const table = {}
  for (const name of wanted) {
    const results = { tungram: [], node: [] }
    const lane = JOBS[name].lane ?? 'tun'
    for (let round = 0; round < rounds; round++)
      for (const stack of round % 2 === 0 ? [lane, 'node'] : ['node', lane]) {
        results[stack === 'node' ? 'node' : 'tungram'].push(await run(stack, JOBS[name]))
      }
    const ratios = results.tungram.map((result, i) => result.rate / results.node[i].rate)
    const cpuRatios = results.tungram.map((result, i) => result.cpu / results.node[i].cpu)
    table[name] = {
      tungram: summary(results.tungram),
      node: summary(results.node),
      samples: { rate: ratios, cpu: cpuRatios },
      rateRatio: median(ratios),
      cpuRatio: median(cpuRatios),
      latencyRatio:
        JOBS[name].window === 1 ? median(results.tungram.map((result, i) => result.p50 / results.node[i].p50)) : null,
    }
    if (!options.json) process.stderr.write(`${name} done\n`)
  }
  return table
}

function print(table) {
  const k = (value) => `${Math.round(value / 1000)} k/s`
  console.log(
    `Node ${process.version}, Linux ${release()}, ${cpus().length} CPUs; medians of ${rounds} interleaved ` +
      `rounds of ${seconds} s, range in brackets\n`,
  )
  console.log('| job | tungram | node:dgram on veth | datagrams/s | CPU per datagram | loss |')
  console.log('|---|---|---|---|---|---|')
  for (const [name, row] of Object.entries(table)) {
    const cell = (side) =>
      JOBS[name].window === 1
        ? `p50 ${side.p50.toFixed(1)} µs`
        : `${k(side.rate)} (${Math.round(side.low / 1000)}–${Math.round(side.high / 1000)}), ${side.cpu.toFixed(2)} µs`
    const ratio = row.latencyRatio === null ? `${row.rateRatio.toFixed(2)}×` : `latency ${row.latencyRatio.toFixed(2)}×`
    const loss = `${(row.tungram.loss * 100).toFixed(2)} % / ${(row.node.loss * 100).toFixed(2)} %`
    console.log(
      `| ${name} | ${cell(row.tungram)} | ${cell(row.node)} | ${ratio} | ${row.cpuRatio.toFixed(2)}× | ${loss} |`,
    )
  }
}

process.on('exit', removeNamespaces)
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))
makeNamespaces()
if (options.layers) await printLayers()
else {
  const table = await main()
  if (options.json) console.log(JSON.stringify(table))
  else print(table)
}
