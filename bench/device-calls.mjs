/**
 * What a system call on a TUN device costs through koffi, by the form of its buffer argument: an
 * address as a number, a Uint8Array, or a `subarray` made for the call. Nanoseconds a call for a
 * 92-byte packet (64-byte payload), the kernel's work included; the first quarter of many short
 * runs, so that other work on the machine shows little. As root:
 * `npm run build && node bench/device-calls.mjs`
 */
import { closeSync, constants, openSync, writeFileSync } from 'node:fs'
import { parseCidr } from '../dist/base/address.js'
import { loadLibc } from '../dist/link/device/tun-libc.js'
import { addAddress, changeInterface, findInterface } from '../dist/link/device/tun-netlink.js'

const RUNS = 300
const PACKETS = 400 // fewer than a device's queue holds

const libc = loadLibc()
const CLONE_NEWNET = 0x40000000
if (libc.library.func('int unshare(int)')(CLONE_NEWNET) !== 0) throw new Error('A network namespace needs root.')
writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')

const near = device('10.0.0.1/24')
const far = device('10.0.1.1/24')
const buffer = new Uint8Array(new ArrayBuffer(70_000))
const address = libc.addressOf(buffer)
const library = libc.library
const readArray = library.func('read', 'intptr_t', ['int', 'void *', 'size_t'])
const writeArray = library.func('write', 'intptr_t', ['int', 'void *', 'size_t'])
const getppid = library.func('int getppid()')

// A socket on the discard port, which is full at once: without one, every datagram would be
// answered.
const AF_INET = 2
const SOCK_DGRAM = 2
const sink = libc.socket(AF_INET, SOCK_DGRAM, 0)
library.func('int bind(int, void *, int)')(
  sink,
  Uint8Array.of(AF_INET, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  16,
)

/** The kernel's router takes packets written to one device to the other's queue. */
const fill = () => {
  buffer.set(datagram([10, 0, 1, 2]), 256)
  for (let count = 0; count < PACKETS; count++) libc.write(near, address + 256, 92)
}
const aim = () => buffer.set(datagram([10, 0, 0, 1]), 256)

report('no argument: getppid', () => {}, getppid)
report('write, address', aim, () => libc.write(near, address + 256, 92))
report('write, subarray', aim, () => writeArray(near, buffer.subarray(256, 348), 92))
report('read, address', fill, () => libc.read(far, address + 256, 65_575))
report('read, Uint8Array', fill, () => readArray(far, buffer, 65_575))
report('read, subarray', fill, () => readArray(far, buffer.subarray(256), 65_575))
report('read, nothing there (EAGAIN)', drain, () => libc.read(far, address, 65_575))
report('errno', () => {}, libc.errno)
closeSync(near)
closeSync(far)

function drain() {
  while (libc.read(far, address, 65_575) >= 0);
}

function device(cidr) {
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
  const TUNSETIFF = 0x400454ca
  const request = new Uint8Array(40)
  request[16] = 0x01 // IFF_TUN
  request[17] = 0x10 // IFF_NO_PI
  libc.ioctl(fd, TUNSETIFF, request)
  const { index } = findInterface(libc, new TextDecoder().decode(request.subarray(0, request.indexOf(0))))
  changeInterface(libc, index, { up: true })
  addAddress(libc, index, parseCidr(cidr))
  return fd
}

function report(name, before, call) {
  const times = []
  for (let run = 0; run < RUNS; run++) {
    before()
    const started = performance.now()
    for (let count = 0; count < PACKETS; count++) call()
    times.push(((performance.now() - started) * 1e6) / PACKETS)
  }
  times.sort((a, b) => a - b)
  console.log(
    `${name.padEnd(30)} ${Math.round(times[RUNS / 4])
      .toString()
      .padStart(6)} ns`,
  )
}

/** From 10.0.0.2, without a UDP checksum, to the discard port. */
function datagram(destination) {
  const bytes = Buffer.alloc(92)
  bytes.set([0x45, 0, 0, 92, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 2, ...destination, 0, 7, 0, 9, 0, 72])
  let sum = 0
  for (let at = 0; at < 20; at += 2) sum += bytes.readUInt16BE(at)
  bytes.writeUInt16BE(~((sum & 0xffff) + (sum >>> 16)) & 0xffff, 10)
  return bytes
}
