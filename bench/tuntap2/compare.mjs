/**
 * The device of tungram against the stream of `tuntap2`: packets of 92 bytes (64-byte payloads)
 * written and read a second, and the CPU time of this process for each. No stack is involved. As
 * root: `npm run build`, then `npm install` in this folder, then
 *
 *     node bench/tuntap2/compare.mjs
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import koffi from 'koffi'
import { Packet } from '../../dist/base/packet.js'
import { openTun } from '../../dist/link/device/tun.js'
import { fromTuntap2 } from '../../dist/link/device/tuntap2.js'

const SECONDS = 2
const AF_INET = 2
const SOCK_DGRAM = 2
const libc = koffi.load(null)

if (process.argv[2] === 'flood') flood()
else await main()

/** A kernel socket that sends to 10.0.0.2 as fast as it can, in a process of its own. */
function flood() {
  const fd = libc.func('int socket(int, int, int)')(AF_INET, SOCK_DGRAM, 0)
  const address = Uint8Array.of(AF_INET, 0, 0, 7, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0)
  libc.func('int connect(int, void *, int)')(fd, address, address.length)
  const send = libc.func('intptr_t send(int, void *, size_t, int)')
  const payload = new Uint8Array(64)
  for (const end = performance.now() + SECONDS * 1000 + 500; performance.now() < end; )
    for (let i = 0; i < 100; i++) send(fd, payload, 64, 0)
}

async function main() {
  const CLONE_NEWNET = 0x40000000
  if (libc.func('int unshare(int)')(CLONE_NEWNET) !== 0) throw new Error('A network namespace needs root.')
  const devices = {
    tungram: () => openTun({ peer: '10.0.0.1/24' }),
    tuntap2: () => {
      const { LinuxTun } = createRequire(import.meta.url)('tuntap2')
      const device = new LinuxTun()
      device.isUp = true
      device.ipv4 = '10.0.0.1/24'
      return fromTuntap2(device)
    },
  }
  discard()
  console.log('| device | written/s | CPU µs each | read/s | CPU µs each |\n|---|---|---|---|---|')
  for (const [name, open] of Object.entries(devices)) {
    const link = open()
    link.ref()
    let received = 0
    link.attach({ input: () => void received++, idle() {}, dropped() {}, failed: console.error })
    const sent = await write(link)
    const read = await measure(
      () => received,
      () => once(spawn(process.execPath, [import.meta.filename, 'flood'], { stdio: 'inherit' }), 'exit'),
    )
    console.log(`| ${name} | ${sent} | ${read} |`)
    link.close()
  }
  process.exit()
}

/**
 * A kernel socket on the discard port that nobody reads: without one every datagram would be
 * answered.
 */
function discard() {
  const fd = libc.func('int socket(int, int, int)')(AF_INET, SOCK_DGRAM, 0)
  const address = Uint8Array.of(AF_INET, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  libc.func('int bind(int, void *, int)')(fd, address, address.length)
}

/** Sends for some seconds, a turn of the loop whenever the queue is full. */
function write(link) {
  const packet = new Packet()
  const template = datagram()
  let accepted = 0
  return measure(
    () => accepted,
    async () => {
      for (const end = performance.now() + SECONDS * 1000; performance.now() < end; ) {
        for (let i = 0; i < 100 && link.send(packet.load(template)) === 0; i++) accepted++
        await new Promise(setImmediate)
      }
    },
  )
}

async function measure(count, work) {
  const from = count()
  const started = performance.now()
  const cpu = process.cpuUsage()
  await work()
  const packets = count() - from
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - started) / 1000
  return `${Math.round(packets / seconds / 1000)} k | ${((user + system) / packets).toFixed(2)}`
}

/** From 10.0.0.2 to the kernel's discard port, IPv4 and UDP, without a UDP checksum. */
function datagram() {
  const bytes = Buffer.alloc(92)
  bytes.set([0x45, 0, 0, 92, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, 0, 7, 0, 9, 0, 72])
  let sum = 0
  for (let at = 0; at < 20; at += 2) sum += bytes.readUInt16BE(at)
  bytes.writeUInt16BE(~((sum & 0xffff) + (sum >>> 16)) & 0xffff, 10)
  return bytes
}
