import { describe, expect, test } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { ChecksumState, Packet } from '../../src/base/packet.ts'
import * as ipv4 from '../../src/wire/ipv4.ts'
import * as ipv6 from '../../src/wire/ipv6.ts'
import * as udp from '../../src/wire/udp.ts'
import { dirtyPackets } from '../dirty.ts'
import { readVectors, type Vector, vector } from '../vectors/read.ts'

const vectors4 = readVectors('ipv4')
const vectors6 = readVectors('ipv6')
/**
 * Whole datagrams: a first fragment and an ICMP error's quote have the fields, but not the bytes
 * that the checksum covers.
 */
const isWhole = (each: Vector) =>
  each.text('udp.length') !== '' &&
  each.text('icmp.type') === '' &&
  each.text('icmpv6.type') === '' &&
  each.number('ip.flags.mf') !== 1 &&
  each.number('ipv6.fraghdr.more') !== 1 &&
  !each.name.includes('must be known')
const whole = [...vectors4, ...vectors6]
  .filter(isWhole)
  .map((each) => ({ each, family: each.text('ip.len') !== '' ? 4 : 6, name: each.name }))

/** Up to the UDP header. */
function load(bytes: Uint8Array, family: number): Packet {
  const packet = new Packet().load(bytes)
  expect(family === 4 ? ipv4.parse(packet) : ipv6.parse(packet)).toBe(Drop.None)
  if (family === 6) expect(ipv6.walk(packet)).toBe(Drop.None)
  expect(packet.protocol).toBe(17)
  return packet
}

const pseudo = (packet: Packet, length: number) =>
  packet.family === 4
    ? ipv4.pseudoHeaderSum(packet.view, packet.network, length)
    : ipv6.pseudoHeaderSum(packet.view, packet.network, 17, length)

describe.each(whole)('the UDP codec reads as tshark does, over IPv$family: $name', ({ each, family }) => {
  test('the UDP codec reads every field, and where the payload is', () => {
    const packet = load(each.bytes, family)
    const { view, transport: at } = packet
    expect(udp.parse(packet)).toBe(Drop.None)
    expect(udp.sourcePort(view, at)).toBe(each.number('udp.srcport'))
    expect(udp.destinationPort(view, at)).toBe(each.number('udp.dstport'))
    expect(udp.length(view, at)).toBe(each.number('udp.length'))
    expect(udp.checksum(view, at)).toBe(each.number('udp.checksum'))
    expect([packet.start - at, packet.end - at]).toEqual([8, each.number('udp.length')])
  })

  test('the UDP codec encodes the same header, into whatever was there before', () => {
    const packet = load(each.bytes, family)
    const at = packet.transport
    const end = at + each.number('udp.length')
    for (const dirty of dirtyPackets()) {
      dirty.bytes.set(packet.bytes.subarray(packet.network, at), packet.network)
      dirty.bytes.set(packet.bytes.subarray(at + 8, end), at + 8)
      udp.encode(dirty.view, at, end, each.number('udp.srcport'), each.number('udp.dstport'))
      expect(udp.checksum(dirty.view, at)).toBe(0)
      if (each.number('udp.checksum') !== 0) udp.encodeChecksum(dirty, at, end, pseudo(packet, end - at))
      expect([...dirty.bytes.subarray(at, end)]).toEqual([...packet.bytes.subarray(at, end)])
    }
  })

  test('the UDP codec notices every flipped bit', () => {
    if (each.number('udp.checksum') === 0) return
    const packet = load(each.bytes, family)
    const { transport, end } = packet
    const last = transport + each.number('udp.length')
    for (let at = transport; at < last; at++) {
      packet.start = packet.network
      packet.end = end
      const bit = 1 << (at & 7)
      packet.bytes[at] = (packet.bytes[at] as number) ^ bit
      expect([Drop.UdpChecksum, Drop.UdpLength], `byte ${at - transport}`).toContain(udp.parse(packet))
      packet.bytes[at] = (packet.bytes[at] as number) ^ bit
    }
  })
})

test('the vectors hold both families, no checksum, a checksum of 0 and a surplus area', () => {
  expect(whole.length).toBeGreaterThanOrEqual(15)
  const fields = whole.map(({ each, family }) => `${family} ${each.text('udp.checksum')}`)
  for (const wanted of ['4 0x0000', '4 0xffff', '6 0xffff']) expect(fields).toContain(wanted)
})

describe.each([4, 6])('a datagram over IPv%i', (family) => {
  const bytes = vector(family === 4 ? vectors4 : vectors6, 'datagram of 5 bytes').bytes

  test('a datagram is dropped when shorter than its header', () => {
    for (let length = 0; length < 8; length++) {
      const packet = load(bytes, family)
      packet.end = packet.transport + length
      expect(udp.parse(packet)).toBe(Drop.UdpTooShort)
    }
  })

  test.each([0, 1, 7, 14, 15, 0xffff])('a datagram is dropped with a length field of %i', (length) => {
    const packet = load(bytes, family)
    packet.view.setUint16(packet.transport + 4, length)
    expect(udp.parse(packet)).toBe(Drop.UdpLength)
  })

  test('a datagram may come without a checksum in IPv4 alone', () => {
    const packet = load(bytes, family)
    packet.view.setUint16(packet.transport + 6, 0)
    expect(udp.parse(packet)).toBe(family === 4 ? Drop.None : Drop.UdpZeroChecksum)
  })

  test('a datagram is not summed again when the device vouches for it', () => {
    const packet = load(bytes, family)
    packet.view.setUint16(packet.transport + 6, 0x1234)
    packet.checksumState = ChecksumState.Verified
    expect(udp.parse(packet)).toBe(Drop.None)
  })

  test("a datagram sums to the right checksum from the pseudo-header's, as a device completes it", () => {
    const packet = load(bytes, family)
    const { view, transport, end } = packet
    const expected = view.getUint16(transport + 6)
    udp.encodePartialChecksum(view, transport, pseudo(packet, end - transport))
    // What virtio and Linux do: sum everything from the transport header on, the field included,
    // and complement.
    let sum = 0
    for (let at = transport; at < end; at += 2) sum += at + 1 < end ? view.getUint16(at) : view.getUint8(at) << 8
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
    expect(~sum & 0xffff).toBe(expected)
  })
})

test('a datagram is described in one line', () => {
  const packet = load(vector(vectors4, 'datagram of 5 bytes').bytes, 4)
  expect(udp.describe(packet.view, packet.transport)).toBe('UDP 40000 > 7 payload 5')
})

test('a datagram is described by its length when that is not even a header', () => {
  const packet = load(vector(vectors4, 'datagram of 5 bytes').bytes, 4)
  const line = (length: number) => {
    packet.view.setUint16(packet.transport + 4, length)
    return udp.describe(packet.view, packet.transport)
  }
  expect([7, 8].map(line)).toEqual(['UDP 40000 > 7 length 7', 'UDP 40000 > 7 payload 0'])
})

test('a datagram has all its fields in a dump', () => {
  const { view, transport } = load(vector(vectors4, 'datagram of 5 bytes').bytes, 4)
  expect(udp.fields(view, transport)).toEqual([
    ['source port', '40000'],
    ['destination port', '7'],
    ['length', '13'],
    [
      'checksum',
      `0x${view
        .getUint16(transport + 6)
        .toString(16)
        .padStart(4, '0')}`,
    ],
  ])
})

test('the longest payloads are those of the 16-bit length fields', () => {
  expect([udp.MAX_PAYLOAD4, udp.MAX_PAYLOAD6]).toEqual([65_507, 65_527])
})
