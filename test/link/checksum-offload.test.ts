import { expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { ChecksumState, Packet } from '../../src/base/packet.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { completeChecksum } from '../../src/link/checksum-offload.ts'
import { Segment } from '../../src/link/segment.ts'
import { Stack } from '../../src/stack.ts'

test('a TCP checksum that was left out is completed as in a packet of Linux', () => {
  // A SYN from 10.9.0.1:40000 to 10.9.0.2:80, options MSS 1460.
  const bytes = Uint8Array.from([
    0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 9, 0, 1, 10, 9, 0, 2, 0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 0xff, 0xff,
    0xde, 0xad, 0, 0, 2, 4, 5, 0xb4,
  ])
  const packet = new Packet().load(bytes)
  packet.checksumState = ChecksumState.Partial
  completeChecksum(packet)
  expect(packet.checksumState).toBe(ChecksumState.None)
  let total = 6 + 24
  for (let at = 12; at < 44; at += 2) total += packet.view.getUint16(packet.start + at)
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  expect(total).toBe(0xffff)
})

for (const family of [4, 6] as const) {
  test(`a router completes what a perfect wire left out before the next wire (IPv${family})`, () => {
    const clock = new ManualClock()
    const random = new SeededRandom(1)
    const perfect = new Segment({ clock, random, checksumOffload: true })
    const plain = new Segment({ clock, random })
    const sender = new Stack({ clock, random })
    const router = new Stack({ clock, random, forwarding: true })
    const receiver = new Stack({ clock, random })
    sender.addNic(perfect.link(), { addresses: ['10.1.0.1/24', 'fd01::1/64'] })
    router.addNic(perfect.link(), { name: 'left', addresses: ['10.1.0.254/24', 'fd01::fe/64'] })
    router.addNic(plain.link(), { name: 'right', addresses: ['10.2.0.254/24', 'fd02::fe/64'] })
    receiver.addNic(plain.link(), { addresses: ['10.2.0.1/24', 'fd02::1/64'] })
    sender.addRoute({ to: 'default', via: '10.1.0.254' })
    sender.addRoute({ to: 'default', via: 'fd01::fe' })
    let received = 0
    const sink = receiver.udp.createEndpoint(family, { receive: () => received++, flush() {}, icmp() {} })
    expect(sink.bind(family === 4 ? Address.ANY4 : Address.ANY6, 5000)).toBe('')
    const source = sender.udp.createEndpoint(family, { receive() {}, flush() {}, icmp() {} })
    const packet = source.beginSend(33)
    expect(source.send(packet, Address.parse(family === 4 ? '10.2.0.1' : 'fd02::1'), 5000, 0, null)).toBe('')
    clock.advance(10)
    expect(receiver.drops.filter(({ layer }) => layer === 'udp')).toEqual([])
    expect(received).toBe(1)
  })

  test(`a datagram that fits the device but not the path has its checksum before it is fragmented (IPv${family})`, () => {
    const clock = new ManualClock()
    const random = new SeededRandom(1)
    const wire = new Segment({ clock, random, checksumOffload: true })
    const sender = new Stack({ clock, random })
    const receiver = new Stack({ clock, random })
    sender.addNic(wire.link(), { name: 'eth0', addresses: ['10.1.0.1/24', 'fd01::1/64'] })
    receiver.addNic(wire.link(), { addresses: ['10.1.0.2/24', 'fd01::2/64'] })
    const to = family === 4 ? '10.1.0.2' : 'fd01::2'
    sender.addRoute({ to: `${to}/${family === 4 ? 32 : 128}`, nic: 'eth0', mtu: 1280 })
    const fragments: number[] = []
    const sink = receiver.udp.createEndpoint(family, { receive: (packet) => fragments.push(packet.fragments), flush() {}, icmp() {} })
    expect(sink.bind(family === 4 ? Address.ANY4 : Address.ANY6, 5000)).toBe('')
    const source = sender.udp.createEndpoint(family, { receive() {}, flush() {}, icmp() {} })
    expect(source.send(source.beginSend(1400), Address.parse(to), 5000, 0, null)).toBe('')
    clock.advance(10)
    expect(receiver.drops.filter(({ layer }) => layer === 'udp')).toEqual([])
    expect(fragments).toEqual([2])
  })
}
