/**
 * What waiting fragments hold: the account beside the heap. Run with --expose-gc; COMPILED is the
 * directory of the compiled sources. Arguments: family, bytes of a fragment, fragments of a
 * datagram. Prints the account and what the process holds more than before.
 */
import { pathToFileURL } from 'node:url'

const from = (path) => import(pathToFileURL(`${process.env.COMPILED}/${path}`).href)
const { ManualClock } = await from('base/clock.js')
const { HEADROOM, Packet } = await from('base/packet.js')
const { SeededRandom } = await from('base/random.js')
const { Counters } = await from('ip/counters.js')
const { REASSEMBLY_MEMORY, Reassembler } = await from('ip/fragments/reassembler.js')

const [family, size, each] = process.argv.slice(2).map(Number)
const random = new SeededRandom('sources')
const packet = new Packet(HEADROOM + 9000)
const header = family === 4 ? 20 : 48

function fill(reassembler, datagrams) {
  for (let identification = 0; identification < datagrams; identification++) {
    const source = random.uint32() | 0
    for (let i = 0; i < each; i++) {
      packet.reset(HEADROOM, HEADROOM + header + size)
      packet.family = family
      packet.protocol = 17
      packet.network = HEADROOM
      packet.transport = HEADROOM + header
      packet.fragmentHeader = HEADROOM + 40
      packet.s2 = packet.d2 = family === 4 ? 0xffff : 0
      packet.s3 = source
      packet.d3 = 9
      packet.identification = identification
      packet.moreFragments = 1
      // With gaps: every fragment is a run of its own.
      packet.fragmentOffset = 2 * i * size
      reassembler.add(packet)
    }
  }
}

function held() {
  for (let i = 0; i < 5; i++) globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const make = () => new Reassembler(family, new ManualClock(), random, new Counters(), { timedOut: () => {} })
// Everything is compiled, and the packet of evicted datagrams is made, before anything is measured.
const warm = make()
fill(warm, 8000)
warm.close()
const reassembler = make()
fill(reassembler, 1)
const before = held()
fill(reassembler, 20_000)
console.log(JSON.stringify({ limit: REASSEMBLY_MEMORY, account: reassembler.memory, held: held() - before }))
// Keeps it from being collected before it is measured.
reassembler.close()
