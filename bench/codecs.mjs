/** Nanoseconds per call of the packet path's parts, with benny. Run: npm run bench:codecs */
import benny from 'benny'
import { Address } from '../dist/base/address.js'
import { sumLong } from '../dist/base/checksum.js'
import { HEADROOM, Packet } from '../dist/base/packet.js'
import { SeededRandom } from '../dist/base/random.js'
import { Stack } from '../dist/stack.js'
import * as ipv4 from '../dist/wire/ipv4.js'
import * as ipv6 from '../dist/wire/ipv6.js'
import * as udp from '../dist/wire/udp.js'
import { CollectingLink, datagram } from './parts.mjs'

/** A stack that throws its frames away, an endpoint that throws its datagrams away. */
function host(addresses) {
  const stack = new Stack({ random: new SeededRandom(1) })
  const link = new CollectingLink()
  const nic = stack.addNic(link, { addresses })
  const endpoint = stack.udp.createEndpoint(4, {
    receive: (packet) => endpoint.release(packet.end - packet.start),
    flush() {},
    icmp() {},
  })
  endpoint.bind(Address.ANY4, 5000)
  return { stack, link, nic, endpoint }
}

const cases = []
const add = (name, run) => cases.push(benny.add(name, run))

const checked = new Packet()
// Vector instructions take over at 320.
for (const size of [64, 316, 320, 1400, 65_500])
  add(`checksum, ${size} B`, () => sumLong(checked, HEADROOM, HEADROOM + size, 0))

for (const size of [64, 1400]) {
  for (const family of [4, 6]) {
    const frame = datagram(family, size)
    const packet = new Packet().load(frame)
    const { start, end } = packet
    const parse = family === 4 ? ipv4.parse : ipv6.parse
    add(`IPv${family} parse, ${size} B`, () => {
      packet.reset(start, end)
      parse(packet)
    })
    add(`IPv${family} and UDP parse, ${size} B, checksum verified`, () => {
      packet.reset(start, end)
      parse(packet)
      udp.parse(packet)
    })
  }
  const sender = host(['10.0.0.1/24'])
  const to = Address.parse('10.0.0.2')
  const payload = new Uint8Array(size)
  add(`out: payload to link, IPv4, ${size} B`, () => {
    const tx = sender.endpoint.beginSend(size)
    tx.bytes.set(payload, tx.start)
    sender.endpoint.send(tx, to, 6000, 0, null)
  })
  const receiver = host(['10.0.0.2/24'])
  const received = new Packet().load(datagram(4, size))
  const bounds = [received.start, received.end]
  add(`in: link to endpoint, IPv4, ${size} B`, () => {
    received.reset(bounds[0], bounds[1])
    receiver.nic.input(received)
  })
}

await benny.suite(
  'codecs and layers',
  ...cases,
  benny.cycle((result) => `${result.name.padEnd(55)} ${(1e9 / result.ops).toFixed(1).padStart(8)} ns`),
)
