import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { ChecksumState, Packet } from '../../src/base/packet.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { PmtuMode } from '../../src/ip/routing/pmtu-mode.ts'
import { completeChecksum } from '../../src/link/checksum-offload.ts'
import { Segment } from '../../src/link/segment.ts'
import { Stack } from '../../src/stack.ts'

test('a TCP checksum that was left out is completed as in a packet of Linux', () => {
  // A SYN from 10.9.0.1:40000 to 10.9.0.2:80, options MSS 1460.
  const bytes = Uint8Array.from([
    0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 9, 0, 1, 10, 9, 0, 2, 0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0,
    0x60, 2, 0xff, 0xff, 0xde, 0xad, 0, 0, 2, 4, 5, 0xb4,
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

  test(`an IPv${family} datagram that fits the device but not the path has its checksum before its fragments`, () => {
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
    const sink = receiver.udp.createEndpoint(family, {
      receive: (packet) => fragments.push(packet.fragments),
      flush() {},
      icmp() {},
    })
    expect(sink.bind(family === 4 ? Address.ANY4 : Address.ANY6, 5000)).toBe('')
    const source = sender.udp.createEndpoint(family, { receive() {}, flush() {}, icmp() {} })
    expect(source.send(source.beginSend(1400), Address.parse(to), 5000, 0, null)).toBe('')
    clock.advance(10)
    expect(receiver.drops.filter(({ layer }) => layer === 'udp')).toEqual([])
    expect(fragments).toEqual([2])
  })
}

describe('between two wires that complete checksums', () => {
  for (const family of [4, 6] as const) {
    const far = family === 4 ? '10.2.0.1' : 'fd02::1'

    /**
     * A sender, a router and a receiver on perfect wires; what the sender's checksum was is in
     * `states`.
     */
    function chain(mtu = 1500) {
      const clock = new ManualClock()
      const random = new SeededRandom(1)
      const left = new Segment({ clock, random, checksumOffload: true, mtu: 3000 })
      const right = new Segment({ clock, random, checksumOffload: true, mtu })
      const [sender, router, receiver] = [false, true, false].map(
        (forwarding) => new Stack({ clock, random, forwarding }),
      ) as [Stack, Stack, Stack]
      sender.addNic(left.link(), { addresses: ['10.1.0.1/24', 'fd01::1/64'] })
      router.addNic(left.link(), { name: 'left', addresses: ['10.1.0.254/24', 'fd01::fe/64'] })
      router.addNic(right.link(), { name: 'right', addresses: ['10.2.0.254/24', 'fd02::fe/64'] })
      receiver.addNic(right.link(), { addresses: ['10.2.0.1/24', 'fd02::1/64'] })
      for (const to of ['10.1.0.254', 'fd01::fe']) sender.addRoute({ to: 'default', via: to })
      for (const to of ['10.2.0.254', 'fd02::fe']) receiver.addRoute({ to: 'default', via: to })
      const source = sender.udp.createEndpoint(family, { receive() {}, flush() {}, icmp() {} })
      return { clock, sender, router, receiver, source }
    }

    test(`a router leaves out what was left out before it (IPv${family})`, () => {
      const { clock, receiver, source } = chain()
      const states: number[] = []
      const sink = receiver.udp.createEndpoint(family, {
        receive: (packet) => states.push(packet.checksumState),
        flush() {},
        icmp() {},
      })
      expect(sink.bind(family === 4 ? Address.ANY4 : Address.ANY6, 5000)).toBe('')
      expect(source.send(source.beginSend(33), Address.parse(far), 5000, 0, null)).toBe('')
      clock.advance(10)
      expect(states).toEqual([ChecksumState.Partial])
    })

    test(`an error about a datagram quotes it with its whole checksum (IPv${family})`, () => {
      const { clock, sender, source } = chain()
      const quotes: Uint8Array[] = []
      const nic = sender.nics[1]
      const input = nic?.input.bind(nic)
      // The error as it comes in: IP header, 8 bytes of ICMP, the quoted packet.
      if (nic !== undefined)
        nic.input = (packet) => {
          const bytes = packet.copy()
          if (
            bytes[family === 4 ? 9 : 6] === (family === 4 ? 1 : 58) &&
            bytes[family === 4 ? 20 : 40] === (family === 4 ? 11 : 3)
          )
            quotes.push(bytes.slice((family === 4 ? 20 : 40) + 8))
          input?.(packet)
        }
      const packet = source.beginSend(40)
      packet.bytes.fill(7, packet.start, packet.end)
      expect(source.send(packet, Address.parse(far), 9, 0, { hopLimit: 1 })).toBe('')
      clock.advance(10)
      expect(quotes).toHaveLength(1)
      const quote = quotes[0] as Uint8Array
      const at = family === 4 ? 20 : 40
      const view = new DataView(quote.buffer)
      let sum = 17 + 48
      for (let from = family === 4 ? 12 : 8; from < at + 48; from += 2) sum += view.getUint16(from)
      while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
      expect(sum).toBe(0xffff)
    })

    if (family === 4)
      test('a datagram that the router has to fragment has its checksum before', () => {
        const { clock, receiver, source } = chain(1280)
        const fragments: number[] = []
        const sink = receiver.udp.createEndpoint(family, {
          receive: (packet) => fragments.push(packet.fragments),
          flush() {},
          icmp() {},
        })
        expect(sink.bind(Address.ANY4, 5000)).toBe('')
        source.pmtuMode = PmtuMode.Dont
        expect(source.send(source.beginSend(2700), Address.parse(far), 5000, 0, null)).toBe('')
        clock.advance(10)
        expect(receiver.drops.filter(({ layer }) => layer === 'udp')).toEqual([])
        expect(fragments).toEqual([3])
      })

    if (family === 4)
      test('a datagram with a source route has the checksum of its last stop, whoever completes it', () => {
        const frames: { state: number; bytes: Uint8Array }[] = []
        const stack = new Stack({ random: new SeededRandom(1) })
        stack.addNic(
          {
            name: 'device',
            medium: 'ip',
            mtu: 1500,
            offload: { checksum: true },
            hardwareAddress: null,
            loopback: false,
            attach() {},
            send: (packet) => {
              const state = packet.checksumState
              if (state === ChecksumState.Partial) completeChecksum(packet)
              frames.push({ state, bytes: packet.copy() })
              return 0
            },
            flush() {},
            close() {},
            ref() {},
            unref() {},
          },
          { addresses: ['10.1.0.1/24'] },
        )
        const source = stack.udp.createEndpoint(4, { receive() {}, flush() {}, icmp() {} })
        expect(source.setIpOptions(Uint8Array.from([131, 7, 4, 10, 1, 0, 254, 0]))).toBe('')
        expect(source.send(source.beginSend(10), Address.parse('10.1.0.77'), 9, 0, null)).toBe('')
        const { bytes } = frames.at(-1) as { bytes: Uint8Array }
        expect(bytes[0]).toBe(0x47)
        // The pseudo-header has the last stop, 10.1.0.77.
        const view = new DataView(bytes.buffer)
        let sum = 17 + 18 + 0x0a01 + 1 + 0x0a01 + 77
        for (let from = 28; from < bytes.length; from += 2) sum += view.getUint16(from)
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
        expect(sum).toBe(0xffff)
        stack.close()
      })
  }
})
