/**
 * Lookups in tables of 10 to 10 000 entries, nanoseconds each, with benny: sockets by port, by
 * local address and connected; routes; groups of a nic. Entries are asked for in an order that no
 * cache foresees. Reassembly has a benchmark of its own, `reassembly.mjs`. Run: npm run
 * bench:tables
 */
import benny from 'benny'
import { Address } from '../dist/base/address.js'
import { HEADROOM, Packet } from '../dist/base/packet.js'
import { SeededRandom } from '../dist/base/random.js'
import { Stack } from '../dist/stack.js'
import { CollectingLink } from './parts.mjs'

const SIZES = [10, 100, 1000, 10_000]
const MAPPED = 0xffff
const NONE = { receive() {}, flush() {}, icmp() {} }

/** Calls `look` with 0 … size - 1 in a random order, 1024 of them, round and round. */
function asking(size, look) {
  const random = new SeededRandom(7)
  const order = Int32Array.from({ length: 1024 }, () => random.below(size))
  let next = 0
  return () => look(order[next++ & 1023])
}

function host() {
  const stack = new Stack({ random: new SeededRandom(1) })
  const nic = stack.addNic(new CollectingLink(), { name: 'eth0', addresses: ['10.0.0.1/16'] })
  return { stack, nic }
}

function must(found) {
  if (found === null || found === false || found === undefined) throw new Error('An entry was not found.')
  return found
}

const cases = []
const add = (name, size, look) => cases.push(benny.add(`${name}, ${size}`, asking(size, look)))

function packetTo(last) {
  const packet = new Packet(HEADROOM + 64)
  packet.family = 4
  packet.s2 = packet.d2 = MAPPED
  packet.s3 = 0x0a00_0002
  packet.d3 = last
  packet.nic = 2
  return packet
}

for (const size of SIZES) {
  const { stack } = host()
  for (let i = 0; i < size; i++) must(stack.udp.createEndpoint(4, NONE).bind(Address.ANY4, 10_000 + i) === '')
  const packet = packetTo(0x0a00_0001)
  add('socket by port', size, (i) => must(stack.udp.ports.lookup(packet, 9, 10_000 + i)))
}
for (const size of SIZES) {
  const { stack } = host()
  for (let i = 0; i < size; i++) {
    const endpoint = stack.udp.createEndpoint(4, NONE)
    endpoint.reuseAddress = true
    must(endpoint.bind(Address.parse('10.0.0.1'), 5000) === '')
    must(endpoint.connect(Address.parse('10.0.0.2'), 10_000 + i) === '')
  }
  const packet = packetTo(0x0a00_0001)
  add('connected sockets of one port', size, (i) => must(stack.udp.ports.lookup(packet, 10_000 + i, 5000)))
}
for (const size of SIZES) {
  const { stack } = host()
  for (let i = 0; i < size; i++) stack.addRoute({ to: `20.${i >> 8}.${i & 255}.0/24`, nic: 'eth0' })
  add('route', size, (i) => must(stack.ip.routes.lookup(0, 0, MAPPED, (20 << 24) | (i << 8) | 9, 0)))
}
for (const size of SIZES) {
  const { stack, nic } = host()
  let endpoint = null
  for (let i = 0; i < size; i++) {
    // Linux allows 20 a socket.
    if (i % 20 === 0) endpoint = stack.udp.createEndpoint(4, NONE)
    must(endpoint.groups.join(Address.parse(`239.1.${i >> 8}.${i & 255}`), nic.index) === '')
  }
  add('group', size, (i) => must(nic.isMember(0, 0, MAPPED, (239 << 24) | (1 << 16) | i)))
}

await benny.suite(
  'tables',
  ...cases,
  benny.complete((summary) => {
    for (const { name, ops } of summary.results)
      console.log(`${name.padEnd(44)} ${(1e9 / ops).toFixed(1).padStart(8)} ns`)
  }),
)
