/**
 * The kernel's side of each job: a kernel UDP socket driven with sendmmsg and recvmmsg, so that it
 * is never the slower end.
 *
 * Started with a JSON argument `{job, address, port, size, seconds, window, pace, shared}`; prints
 * one JSON line.
 * - `blast`: sends for `seconds`, at most `window` datagrams ahead of what the server has counted
 *   in shared memory.
 * - `paced`: sends `pace` a second for `seconds`, one at a time.
 * - `sink`: receives on `port` until `seconds` have passed without a datagram.
 * - `echo`: keeps `window` datagrams in flight for `seconds`; with a window of 1, also the
 *   round-trip times.
 * - `burst`: sends `datagrams` of them at once to a server that stands still, and says so in shared
 *   memory.
 * - `steady`: asks for `pace` echoes a second for `seconds`, each with a number of its own, and
 *   counts what comes back, how late, and what never does. It tells the longest time that it did
 *   not run itself.
 */
import koffi from 'koffi'
import { mapShared, SENT, STANDING } from './shared.mjs'

const AF_INET = 2
const SOCK_DGRAM = 2
const SOL_SOCKET = 1
const SO_RCVBUFFORCE = 33
const SO_RCVTIMEO = 20
const MSG_WAITFORONE = 0x10000
const MSG_DONTWAIT = 0x40
const BATCH = 32
const HEADER = 64 // struct mmsghdr on 64-bit Linux
const STALLED_MS = 50

const libc = koffi.load(null)
const socket = libc.func('int socket(int domain, int type, int protocol)')
const bind = libc.func('int bind(int fd, void *address, int length)')
const connect = libc.func('int connect(int fd, void *address, int length)')
const setsockopt = libc.func('int setsockopt(int fd, int level, int name, void *value, int length)')
const sendmmsg = libc.func('int sendmmsg(int fd, void *messages, unsigned int count, int flags)')
const recvmmsg = libc.func('int recvmmsg(int fd, void *messages, unsigned int count, int flags, void *timeout)')

const { job, address, port, size, seconds, window, pace, datagrams, shared } = JSON.parse(process.argv[2])

function sockaddr(text, number) {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF_INET, true)
  view.setUint16(2, number)
  bytes.set(text.split('.').map(Number), 4)
  return bytes
}

/** `count` mmsghdr structures, each over one buffer of `length` bytes. */
function messages(count, length) {
  const buffers = new Uint8Array(count * length)
  const vectors = new BigUint64Array(count * 2)
  const headers = new Uint8Array(count * HEADER)
  const view = new DataView(headers.buffer)
  const base = BigInt(koffi.address(buffers))
  const vectorBase = BigInt(koffi.address(vectors))
  for (let i = 0; i < count; i++) {
    vectors[i * 2] = base + BigInt(i * length)
    vectors[i * 2 + 1] = BigInt(length)
    view.setBigUint64(i * HEADER + 16, vectorBase + BigInt(i * 16), true)
    view.setBigUint64(i * HEADER + 24, 1n, true)
  }
  return { headers, buffers, vectors }
}

function check(result, what) {
  if (result < 0) throw new Error(`${what} failed: errno ${koffi.errno()}`)
  return result
}

const fd = check(socket(AF_INET, SOCK_DGRAM, 0), 'socket')
setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, new Int32Array([64 * 1024 * 1024]), 4)
const out = messages(BATCH, size)
const back = messages(BATCH, Math.max(size, 1))
const now = () => performance.now()

function timeout(ms) {
  const value = new BigInt64Array([BigInt(Math.floor(ms / 1000)), BigInt((ms % 1000) * 1000)])
  check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, value, 16), 'SO_RCVTIMEO')
}

function blast() {
  const counts = mapShared(shared)
  check(connect(fd, sockaddr(address, port), 16), 'connect')
  const start = now()
  const end = start + seconds * 1000
  let sent = 0
  let lost = 0
  let seen = 0
  let seenAt = start
  while (now() < end) {
    const received = counts[0]
    if (received !== seen) {
      seen = received
      seenAt = now()
    }
    const room = window - (sent - lost - received)
    if (room <= 0) {
      // What has not arrived by now never will.
      if (now() - seenAt > STALLED_MS) lost = sent - received
      continue
    }
    sent += check(sendmmsg(fd, out.headers, Math.min(BATCH, room), 0), 'sendmmsg')
  }
  return { sent, milliseconds: now() - start }
}

function paced() {
  check(connect(fd, sockaddr(address, port), 16), 'connect')
  const start = now()
  const end = start + seconds * 1000
  let sent = 0
  for (let time = start; time < end; time = now())
    if (sent < ((time - start) * pace) / 1000) sent += check(sendmmsg(fd, out.headers, 1, 0), 'sendmmsg')
  return { sent, milliseconds: now() - start }
}

function burst() {
  const counts = mapShared(shared)
  while (counts[1] !== STANDING);
  check(connect(fd, sockaddr(address, port), 16), 'connect')
  let sent = 0
  while (sent < datagrams) sent += check(sendmmsg(fd, out.headers, Math.min(BATCH, datagrams - sent), 0), 'sendmmsg')
  counts[1] = SENT
  return { sent }
}

function sink() {
  check(bind(fd, sockaddr('0.0.0.0', port), 16), 'bind')
  timeout(seconds * 1000)
  console.error('ready')
  let received = 0
  let first = 0
  let last = 0
  for (;;) {
    const count = recvmmsg(fd, back.headers, BATCH, MSG_WAITFORONE, null)
    if (count <= 0) break
    last = now()
    if (received === 0) first = last
    received += count
  }
  return { received, milliseconds: last - first }
}

function echo() {
  check(connect(fd, sockaddr(address, port), 16), 'connect')
  timeout(100)
  const start = now()
  const end = start + seconds * 1000
  const trips = []
  let received = 0
  let lost = 0
  let inFlight = 0
  while (now() < end) {
    const sentAt = now()
    for (let left = window - inFlight; left > 0; ) {
      const count = check(sendmmsg(fd, out.headers, Math.min(BATCH, left), 0), 'sendmmsg')
      inFlight += count
      left -= count
    }
    const count = recvmmsg(fd, back.headers, BATCH, MSG_WAITFORONE, null)
    if (count <= 0) {
      lost += inFlight
      inFlight = 0
      continue
    }
    if (window === 1) trips.push(now() - sentAt)
    received += count
    inFlight -= count
  }
  trips.sort((a, b) => a - b)
  const microseconds = (share) => (trips.length === 0 ? null : trips[Math.floor(trips.length * share)] * 1000)
  return { received, lost, milliseconds: now() - start, p50: microseconds(0.5), p99: microseconds(0.99) }
}

/** Later than this it counts as lost. */
const PATIENCE_MS = 1000
/** More numbers than can be on their way at once. */
const NUMBERS = 1 << 20
/** Bins of the histogram: 10 µs each, the last one for everything above. */
const BIN_MS = 0.01
const BINS = 100_000

function steady() {
  check(connect(fd, sockaddr(address, port), 16), 'connect')
  const sentAt = new Float64Array(NUMBERS)
  const view = new DataView(out.buffers.buffer)
  const backView = new DataView(back.buffers.buffer)
  const bins = new Uint32Array(BINS)
  const start = now()
  const end = start + seconds * 1000
  let sent = 0
  let received = 0
  let late = 0
  let previous = start
  let stood = 0
  for (let time = start; time < end + PATIENCE_MS && (time < end || received + late < sent); time = now()) {
    // What it could not send while it did not run follows a quarter faster, not in one burst.
    const most = Math.ceil((Math.min(time - previous, 1) * 1.25 * pace) / 1000)
    stood = Math.max(stood, time - previous)
    previous = time
    let due = time < end ? Math.min(BATCH, most, Math.floor(((time - start) * pace) / 1000) - sent) : 0
    if (due > 0) {
      for (let i = 0; i < due; i++) {
        view.setUint32(i * size, sent + i)
        sentAt[(sent + i) % NUMBERS] = time
      }
      due = check(sendmmsg(fd, out.headers, due, 0), 'sendmmsg')
      sent += due
    }
    const count = recvmmsg(fd, back.headers, BATCH, MSG_DONTWAIT, null)
    const arrived = now()
    for (let i = 0; i < count; i++) {
      const trip = arrived - sentAt[backView.getUint32(i * size) % NUMBERS]
      if (trip > PATIENCE_MS) late++
      else received++
      bins[Math.min(BINS - 1, Math.floor(trip / BIN_MS))]++
    }
  }
  const quantile = (share) => {
    let left = share * (received + late)
    for (let bin = 0; bin < BINS; bin++) {
      left -= bins[bin]
      if (left <= 0) return (bin + 1) * BIN_MS
    }
    return null
  }
  return {
    sent,
    received,
    lost: sent - received,
    milliseconds: now() - start,
    stood,
    p50: quantile(0.5),
    p99: quantile(0.99),
    p999: quantile(0.999),
  }
}

console.log(JSON.stringify({ steady, blast, burst, paced, sink, echo }[job]()))
