import { describe, expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import { ChecksumState, Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { SegmentBatch, Splitter, VNET_HEADER } from '../../../src/link/device/tun-offload.ts'
import { Stack } from '../../../src/stack.ts'
import * as ipv4 from '../../../src/wire/ipv4.ts'
import * as ipv6 from '../../../src/wire/ipv6.ts'
import * as udp from '../../../src/wire/udp.ts'

/** Frames of one socket, as the stack sends them to a link without offloads. */
function datagrams(family: 4 | 6, sizes: number[], port = 6000, tos = 0): Uint8Array[] {
  const frames: Uint8Array[] = []
  const stack = new Stack({ random: new SeededRandom('offload') })
  stack.addNic(
    {
      name: 'frames',
      medium: 'ip',
      mtu: 1500,
      offload: { checksum: false },
      hardwareAddress: null,
      loopback: false,
      numbered: true,
      attach() {},
      send: (packet) => {
        frames.push(packet.copy())
        return 0
      },
      flush() {},
      close() {},
      ref() {},
      unref() {},
    },
    { addresses: ['10.0.0.1/24', 'fd00::1/64'] },
  )
  const endpoint = stack.udp.createEndpoint(family, { receive() {}, flush() {}, icmp() {} })
  endpoint.tos = tos
  for (const [index, size] of sizes.entries()) {
    const packet = endpoint.beginSend(size)
    packet.bytes.fill(index + 1, packet.start, packet.end)
    expect(endpoint.send(packet, Address.parse(family === 4 ? '10.0.0.2' : 'fd00::2'), port, 0, null)).toBe('')
  }
  stack.close()
  // Multicast reports of the nic aside.
  return frames.filter((frame) => (frame[0] as number) >>> 4 === family && frame[family === 4 ? 9 : 6] === 17)
}

const packet = new Packet()

function splitAll(frame: Packet): Uint8Array[] {
  const parts: Uint8Array[] = []
  new Splitter().split(frame, (part) => {
    const at = part.start
    const parse = (part.view.getUint8(at) >>> 4 === 4 ? ipv4 : ipv6).parse
    expect(parse(part)).toBe(0)
    expect(udp.parse(part)).toBe(0)
    parts.push(part.bytes.slice(part.start, part.end))
  })
  return parts
}

for (const family of [4, 6] as const) {
  describe(`a batch of IPv${family} datagrams`, () => {
    test('is one frame, which splits into the same payloads', () => {
      const sizes = [100, 100, 100, 33]
      const batch = new SegmentBatch()
      for (const frame of datagrams(family, sizes)) expect(batch.add(packet.load(frame))).toBe(true)
      expect(batch.count).toBe(4)
      const frame = batch.seal()
      const header = family === 4 ? 20 : 40
      expect(frame.end - frame.start).toBe(VNET_HEADER + header + 8 + 333)
      // flags NEEDS_CSUM, type UDP_L4, hdr_len, gso_size, csum_start, csum_offset (virtio 1.2
      // section 5.1.6).
      const fields = new DataView(frame.bytes.buffer, frame.start, VNET_HEADER)
      expect([0, 1].map((at) => fields.getUint8(at))).toEqual([1, 5])
      expect([2, 4, 6, 8].map((at) => fields.getUint16(at, true))).toEqual([header + 8, 100, header, 6])
      expect(splitAll(frame)).toEqual(sizes.map((size, index) => new Uint8Array(size).fill(index + 1)))
    })

    test('ends behind a shorter datagram, and takes no longer one', () => {
      const [a, c, d] = datagrams(family, [50, 20, 20]) as [Uint8Array, Uint8Array, Uint8Array]
      const [, b] = datagrams(family, [50, 51]) as [Uint8Array, Uint8Array]
      const batch = new SegmentBatch()
      expect(batch.add(packet.load(a))).toBe(true)
      expect(batch.add(packet.load(b))).toBe(false)
      expect(batch.add(packet.load(c))).toBe(true)
      expect(batch.add(packet.load(d))).toBe(false)
    })

    test('is of one flow: another port or TOS does not fit', () => {
      const [first, second] = datagrams(family, [50, 50]) as [Uint8Array, Uint8Array]
      const [port] = datagrams(family, [50], 6001) as [Uint8Array]
      const [tos] = datagrams(family, [50], 6000, 0xb8) as [Uint8Array]
      const batch = new SegmentBatch()
      expect(batch.add(packet.load(first))).toBe(true)
      expect(batch.add(packet.load(port))).toBe(false)
      expect(batch.add(packet.load(tos))).toBe(false)
      expect(batch.add(packet.load(second))).toBe(true)
    })

    test('leaves one datagram as it came, its checksum complete', () => {
      const [only] = datagrams(family, [64]) as [Uint8Array]
      const batch = new SegmentBatch()
      packet.load(only)
      const header = family === 4 ? 20 : 40
      // As a stack leaves it to a device: the field has the pseudo-header's sum only.
      packet.view.setUint16(packet.start + header + 6, 0x1234)
      packet.checksumState = ChecksumState.Partial
      batch.add(packet)
      const frame = batch.seal()
      expect(frame.bytes.slice(frame.start, frame.start + VNET_HEADER)).toEqual(new Uint8Array(VNET_HEADER))
      expect(frame.bytes.slice(frame.start + VNET_HEADER, frame.end)).toEqual(only)
    })

    test('takes 64 datagrams, and no empty one', () => {
      const frames = datagrams(family, [...new Array(65).fill(10), 0])
      const batch = new SegmentBatch()
      for (const frame of frames.slice(0, 64)) expect(batch.add(packet.load(frame))).toBe(true)
      expect(batch.add(packet.load(frames[64] as Uint8Array))).toBe(false)
      batch.count = 0
      expect(batch.add(packet.load(frames[65] as Uint8Array))).toBe(false)
    })
  })
}

test('a fragment, and what is no UDP, is never collected', () => {
  const batch = new SegmentBatch()
  const frames = datagrams(4, [3000])
  for (const frame of frames) expect(batch.add(packet.load(frame))).toBe(false)
  expect(batch.add(packet.load(new Uint8Array(0)))).toBe(false)
  expect(batch.add(packet.load(new Uint8Array(28).fill(0x45)))).toBe(false)
})
