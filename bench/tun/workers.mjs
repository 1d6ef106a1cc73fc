/**
 * One worker thread against two, on the queues of one TUN device: datagrams per second that sockets
 * of one port receive from 16 flows. The kernel's sender uses UDP_SEGMENT, so that it leaves the
 * cores to the workers. Interleaved rounds, medians.
 *
 *     node bench/tun/workers.mjs [--rounds 5] [--seconds 2] [--size 64] [--json]
 *
 * Works in a network namespace made for the run: needs root, or `unshare -rn` around it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { mapShared } from './shared.mjs'

const FLOWS = 16
const FIRST_PORT = 20_000
const SERVICE = 5000
/** Datagrams of one send, and the most on their way, a flow. */
const SEGMENTS = 64
const WINDOW = 128

if (!isMainThread) await serve()
else {
  const { values: options } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      size: { type: 'string', default: '64' },
      json: { type: 'boolean', default: false },
      // Where the work is: in the namespace, and there the kernel's sender.
      inside: { type: 'boolean', default: false },
      send: { type: 'string' },
    },
  })
  if (options.send !== undefined) await send(options.send, Number(options.size))
  else if (options.inside) await compare(options)
  else
    process.exit(
      spawnSync('unshare', ['-n', process.execPath, ...process.argv.slice(1), '--inside'], { stdio: 'inherit' })
        .status ?? 1,
    )
}

async function serve() {
  const { Stack, openTun } = await import('../../dist/index.js')
  const counts = mapShared(workerData.shared)
  const stack = new Stack()
  stack.addNic(openTun({ name: 'bench', queues: 2, peer: '10.77.0.1/24' }), { addresses: ['10.77.0.2/24'] })
  const socket = stack.dgram.createSocket({ type: 'udp4', recvBufferSize: 212_992 })
  // Each flow arrives in one worker.
  socket.on('message', (_message, { port }) => {
    counts[port - FIRST_PORT]++
  })
  socket.bind(SERVICE, () => parentPort.postMessage('ready'))
  parentPort.once('message', () => {
    socket.close()
    stack.close()
    parentPort.close()
  })
}

async function send(shared, size) {
  const { default: koffi } = await import('koffi')
  const libc = koffi.load(null)
  const socket = libc.func('int socket(int domain, int type, int protocol)')
  const bind = libc.func('int bind(int fd, void *address, int length)')
  const connect = libc.func('int connect(int fd, void *address, int length)')
  const setsockopt = libc.func('int setsockopt(int fd, int level, int name, void *value, int length)')
  const write = libc.func('intptr_t write(int fd, void *bytes, size_t length)')
  const usleep = libc.func('int usleep(unsigned int us)')
  const address = (last, port) => new Uint8Array([2, 0, port >> 8, port & 255, 10, 77, 0, last, 0, 0, 0, 0, 0, 0, 0, 0])
  const counts = mapShared(shared)
  const payload = new Uint8Array(SEGMENTS * size)
  const flows = Array.from({ length: FLOWS }, (_, index) => {
    const fd = socket(2, 2, 0)
    bind(fd, address(1, FIRST_PORT + index), 16)
    connect(fd, address(2, SERVICE), 16)
    setsockopt(fd, 17, 103, new Int32Array([size]), 4)
    return { fd, sent: 0, stalled: 0 }
  })
  // Killed by the parent.
  for (;;) {
    let busy = false
    for (const [index, flow] of flows.entries()) {
      if (flow.sent - counts[index] > WINDOW - SEGMENTS) {
        // What was lost does not come back.
        if (++flow.stalled > 2000) {
          flow.sent = counts[index]
          counts[FLOWS]++
        }
        continue
      }
      flow.stalled = 0
      write(flow.fd, payload, payload.length)
      flow.sent += SEGMENTS
      busy = true
    }
    if (!busy) usleep(20)
  }
}

async function measure(count, seconds, size) {
  const shared = join(tmpdir(), `tungram-workers-${process.pid}`)
  rmSync(shared, { force: true })
  const counts = mapShared(shared)
  const workers = Array.from({ length: count }, () => new Worker(import.meta.filename, { workerData: { shared } }))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const sender = spawn(process.execPath, [import.meta.filename, '--send', shared, '--size', `${size}`], {
    stdio: 'inherit',
  })
  const total = () => counts.subarray(0, FLOWS).reduce((sum, flow) => sum + flow, 0)
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  // Past the compiler's warming up.
  await pause(1000)
  const before = total()
  const cpu = process.cpuUsage()
  const start = performance.now()
  await pause(seconds * 1000)
  const received = total() - before
  const elapsed = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const stalls = counts[FLOWS]
  sender.kill()
  await once(sender, 'exit')
  for (const worker of workers) worker.postMessage('stop')
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  rmSync(shared, { force: true })
  return { rate: received / elapsed, cpu: (user + system) / received, stalls }
}

async function compare({ rounds, seconds, size, json }) {
  spawnSync('ip', ['link', 'set', 'lo', 'up'])
  const results = { 1: [], 2: [] }
  for (let round = 0; round < Number(rounds); round++)
    for (const count of round % 2 === 0 ? [1, 2] : [2, 1])
      results[count].push(await measure(count, Number(seconds), Number(size)))
  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
  const row = (count) => ({
    rate: median(results[count].map(({ rate }) => rate)),
    cpu: median(results[count].map(({ cpu }) => cpu)),
    stalls: Math.max(...results[count].map(({ stalls }) => stalls)),
  })
  const table = { one: row(1), two: row(2), ratio: median(results[2].map(({ rate }, i) => rate / results[1][i].rate)) }
  if (json) {
    console.log(JSON.stringify(table))
    return
  }
  console.log(
    `Node ${process.version}, ${cpus().length} CPUs; ${size} B, medians of ${rounds} interleaved rounds ` +
      `of ${seconds} s\n`,
  )
  console.log('| workers | datagrams/s | CPU per datagram |')
  console.log('|---|---|---|')
  for (const [name, { rate, cpu }] of [
    ['one', table.one],
    ['two', table.two],
  ])
    console.log(`| ${name} | ${Math.round(rate / 1000)} k/s | ${cpu.toFixed(2)} µs |`)
  console.log(`\nTwo against one: ${table.ratio.toFixed(2)}×`)
  if (table.one.stalls + table.two.stalls > 0)
    console.log(
      `Flows that lost datagrams and began anew: ${table.one.stalls} with one, ${table.two.stalls} with two at most.`,
    )
}
