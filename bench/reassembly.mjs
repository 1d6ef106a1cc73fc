// Cost of a fragment, by the number of datagrams that wait: datagrams of ten fragments, while 10 to
// 10 000 others stay incomplete. npm run build && node bench/reassembly.mjs
import b from 'benny'
import { ManualClock } from '../dist/base/clock.js'
import { HEADROOM, Packet } from '../dist/base/packet.js'
import { SeededRandom } from '../dist/base/random.js'
import { Counters } from '../dist/ip/counters.js'
import { Reassembler } from '../dist/ip/fragments/reassembler.js'
import { parse, rewriteChecksum } from '../dist/wire/ipv4.js'

const PAYLOAD = 100 * 8
const FRAGMENTS = 10

function fragment(packet, source, id, index) {
  const { view } = packet
  packet.reset(HEADROOM, HEADROOM + 20 + PAYLOAD)
  view.setUint8(HEADROOM, 0x45)
  view.setUint8(HEADROOM + 1, 0)
  view.setUint16(HEADROOM + 2, 20 + PAYLOAD)
  view.setUint16(HEADROOM + 4, id)
  view.setUint16(HEADROOM + 6, ((index < FRAGMENTS - 1 ? 1 : 0) << 13) | ((index * PAYLOAD) / 8))
  view.setUint16(HEADROOM + 8, 0x4011)
  view.setUint32(HEADROOM + 12, source)
  view.setUint32(HEADROOM + 16, 0x0a000001)
  rewriteChecksum(view, HEADROOM)
  parse(packet)
  return packet
}

function prepared(pending) {
  const events = { timedOut() {} }
  const reassembler = new Reassembler(4, new ManualClock(), new SeededRandom(1), new Counters(), events, 2 ** 30)
  const packet = new Packet()
  for (let i = 0; i < pending; i++) reassembler.add(fragment(packet, 0x0b000000 + (i >> 4), i & 0xffff, 0))
  let id = 0
  return () => {
    id = (id + 1) & 0xffff
    for (let index = 0; index < FRAGMENTS; index++) reassembler.add(fragment(packet, 0x0a000002, id, index))
  }
}

await b.suite(
  'a datagram of ten fragments',
  ...[10, 100, 1000, 10_000].map((pending) => b.add(`while ${pending} others wait`, () => prepared(pending))),
  b.cycle(),
)
