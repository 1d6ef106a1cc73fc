/**
 * The side under test, in a process of its own: the same program over tungram's sockets on a TUN
 * device, or over node:dgram on the kernel's.
 *
 * Started with a JSON argument
 * `{stack, job, port, size, to, toPort, shared, peer, address, device, datagrams, layers}` and an IPC channel;
 * says 'ready', works, and answers 'memory' with `{held, rss}` in bytes and the stack's `drops`, and
 * 'stop' with
 * `{count, cpu, milliseconds}` (CPU in microseconds, from the first datagram on); with `layers`
 * also with `{layers, profiled}`: nanoseconds by layer, and for how many datagrams, after a second
 * of warming up.
 */
import dgram from 'node:dgram'
import koffi from 'koffi'
import { profile } from './layers.mjs'
import { mapShared, SENT, STANDING } from './shared.mjs'

const { stack, job, port, size, seconds, to, toPort, shared, peer, address, device, datagrams, layers } = JSON.parse(
  process.argv[2],
)

let host = null

async function makeDgram() {
  if (stack === 'node') return dgram
  const { Stack, openTun, openPacket } = await import('../../dist/index.js')
  host = new Stack()
  const queueLength = Math.max(1000, datagrams ?? 0)
  const link =
    stack === 'packet' ? openPacket({ interface: 'veth0', ...device }) : openTun({ peer, queueLength, ...device })
  host.addNic(link, { addresses: [address] })
  // It answers who asks for its address before a socket is bound.
  link.ref()
  return host.dgram
}

const counts = mapShared(shared)
let count = 0
let startCpu = null
let startTime = 0
let lastTime = 0

function started() {
  startCpu = process.cpuUsage()
  startTime = performance.now()
  // Bursts of sends leave timers no turn.
  if (layers && job !== 'send') setTimeout(startProfile, WARM_UP)
}

const WARM_UP = 1000
const NEIGHBOR_PATIENCE = 100
let stopProfile = null
let countBefore = 0

function startProfile() {
  stopProfile = profile()
  countBefore = count
}

const socket = (await makeDgram()).createSocket({ type: 'udp4', recvBufferSize: 212_992, sendBufferSize: 212_992 })

const jobs = {
  receive() {
    socket.on('message', () => {
      if (count === 0) started()
      counts[0] = ++count
    })
  },
  echo() {
    socket.on('message', (message, { port, address }) => {
      if (count === 0) started()
      count++
      socket.send(message, port, address)
    })
  },
  /** What came while it stood still ({@link stand}). */
  drain() {
    if (stack === 'node') forceReceiveBuffer(socket)
    socket.on('message', () => {
      if (++count === datagrams) drained()
    })
  },
  /** As many as possible: a new burst whenever the last one's callbacks have come. */
  send() {
    const payload = Buffer.alloc(size, 7)
    const BURST = 64
    let end = 0
    let open = 0
    const done = () => {
      if (--open > 0) return
      if (performance.now() < end) burst()
      else report()
    }
    const burst = () => {
      if (layers && stopProfile === null && performance.now() > startTime + WARM_UP) startProfile()
      open = BURST
      count += BURST
      for (let i = 0; i < BURST; i++) socket.send(payload, toPort, to, done)
    }
    // The neighbor is found first: bursts leave its answer no turn.
    socket.send(payload, toPort, to, () => {
      setTimeout(() => {
        started()
        end = startTime + seconds * 1000
        burst()
      }, NEIGHBOR_PATIENCE)
    })
  },
}

let patience = null

/** Lets the client send its burst meanwhile; then whatever is there by then is received. */
function stand() {
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  count = 0
  counts[1] = STANDING
  while (counts[1] !== SENT) Atomics.wait(sleeper, 0, 0, 1)
  started()
  patience = setTimeout(drained, 1000)
}

function drained() {
  clearTimeout(patience)
  const { user, system } = process.cpuUsage(startCpu)
  process.send({ count, cpu: user + system, milliseconds: performance.now() - startTime })
}

/** More than net.core.rmem_max: a burst has to fit. */
function forceReceiveBuffer(socket) {
  const SOL_SOCKET = 1
  const SO_RCVBUFFORCE = 33
  const setsockopt = koffi.load(null).func('int setsockopt(int fd, int level, int name, void *value, int length)')
  setsockopt(socket._handle.fd, SOL_SOCKET, SO_RCVBUFFORCE, new Int32Array([64 * 1024 * 1024]), 4)
}

function report() {
  lastTime = performance.now()
  const cpu = startCpu === null ? { user: 0, system: 0 } : process.cpuUsage(startCpu)
  const measured = { count, cpu: cpu.user + cpu.system, milliseconds: startCpu === null ? 0 : lastTime - startTime }
  if (stopProfile !== null) Object.assign(measured, { layers: stopProfile(), profiled: count - countBefore })
  process.send(measured, () => process.exit(0))
}

process.on('message', (message) => {
  if (message === 'start') jobs.send()
  else if (message === 'stand') stand()
  else if (message === 'memory') {
    globalThis.gc?.()
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
    process.send({ held: heapUsed + arrayBuffers, rss, drops: host?.netstat().drops ?? [] })
  } else report()
})
socket.bind(port, () => {
  if (job !== 'send') jobs[job]()
  process.send('ready')
})
