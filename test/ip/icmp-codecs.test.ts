import { describe, expect, test } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../src/base/packet.ts'
import * as icmpv4 from '../../src/wire/icmpv4.ts'
import * as icmpv6 from '../../src/wire/icmpv6.ts'
import * as ipv4 from '../../src/wire/ipv4.ts'
import * as ipv6 from '../../src/wire/ipv6.ts'
import { dirtyPackets } from '../dirty.ts'
import { readVectors, type Vector, vector } from '../vectors/read.ts'

/**
 * Whole ICMP messages: a first fragment has the fields too, but not the bytes that its checksum
 * covers.
 */
const whole4 = readVectors('ipv4').filter((each) => each.text('icmp.type') !== '' && each.number('ip.flags.mf') === 0)
const whole6 = readVectors('ipv6').filter(
  (each) => each.text('icmpv6.type') !== '' && each.text('ipv6.fraghdr.ident') === '',
)

function load4(bytes: Uint8Array): Packet {
  const packet = new Packet().load(bytes)
  expect(ipv4.parse(packet)).toBe(Drop.None)
  return packet
}

function load6(bytes: Uint8Array): Packet {
  const packet = new Packet().load(bytes)
  expect(ipv6.parse(packet)).toBe(Drop.None)
  expect(ipv6.walk(packet)).toBe(Drop.None)
  return packet
}

/**
 * Any bit of the message, and of the pseudo-header in IPv6, flipped alone makes the checksum wrong.
 */
function expectEveryBitCounts(packet: Packet, parse: (packet: Packet) => Drop, from = packet.transport): void {
  for (let at = from; at < packet.end; at++) {
    const bit = 1 << (at & 7)
    packet.bytes[at] = (packet.bytes[at] as number) ^ bit
    expect(parse(packet), `byte ${at - packet.transport}`).toBe(Drop.IcmpChecksum)
    packet.bytes[at] = (packet.bytes[at] as number) ^ bit
  }
  expect(parse(packet)).toBe(Drop.None)
}

describe.each(whole4)('the ICMPv4 codec reads as tshark does: $name', (each: Vector) => {
  test('every field', () => {
    const { view, transport: at } = load4(each.bytes)
    expect(icmpv4.type(view, at)).toBe(each.number('icmp.type'))
    expect(icmpv4.code(view, at)).toBe(each.number('icmp.code'))
    // tshark's first identifier is that of the quote in an error.
    const isEcho = [icmpv4.ECHO, icmpv4.ECHO_REPLY].includes(each.number('icmp.type'))
    if (isEcho) expect(icmpv4.identifier(view, at)).toBe(each.number('icmp.ident'))
    if (isEcho) expect(icmpv4.sequence(view, at)).toBe(each.number('icmp.seq'))
    if (each.text('icmp.mtu') !== '') expect(icmpv4.mtu(view, at)).toBe(each.number('icmp.mtu'))
  })

  test('accepts the checksum, and none with a flipped bit', () => {
    expectEveryBitCounts(load4(each.bytes), icmpv4.parse)
  })

  test('and encodes the same eight bytes, into whatever was there before', () => {
    const packet = load4(each.bytes)
    const { transport, end, view } = packet
    for (const dirty of dirtyPackets()) {
      dirty.bytes.set(packet.bytes.subarray(transport + 8, end), transport + 8)
      const around = dirty.bytes[transport - 1]
      icmpv4.encode(
        dirty,
        transport,
        end,
        each.number('icmp.type'),
        each.number('icmp.code'),
        view.getInt32(transport + 4),
      )
      expect([...dirty.bytes.subarray(transport, end)]).toEqual([...packet.bytes.subarray(transport, end)])
      expect(dirty.bytes[transport - 1]).toBe(around)
    }
  })

  test('drops what is shorter than its header', () => {
    const packet = load4(each.bytes)
    for (let length = 0; length < 8; length++) {
      packet.end = packet.transport + length
      expect(icmpv4.parse(packet)).toBe(Drop.IcmpTooShort)
    }
  })
})

describe.each(whole6)('the ICMPv6 codec reads as tshark does: $name', (each: Vector) => {
  test('every field', () => {
    const { view, transport: at } = load6(each.bytes)
    expect(icmpv6.type(view, at)).toBe(each.number('icmpv6.type'))
    expect(icmpv6.code(view, at)).toBe(each.number('icmpv6.code'))
    const isEcho = [icmpv6.ECHO_REQUEST, icmpv6.ECHO_REPLY].includes(each.number('icmpv6.type'))
    if (isEcho) expect(icmpv6.identifier(view, at)).toBe(each.number('icmpv6.echo.identifier'))
    if (isEcho) expect(icmpv6.sequence(view, at)).toBe(each.number('icmpv6.echo.sequence_number'))
    if (each.text('icmpv6.mtu') !== '') expect(icmpv6.mtu(view, at)).toBe(each.number('icmpv6.mtu'))
    if (each.text('icmpv6.pointer') !== '') expect(icmpv6.pointer(view, at)).toBe(each.number('icmpv6.pointer'))
  })

  test('accepts the checksum, and none with a flipped bit, addresses included', () => {
    const packet = load6(each.bytes)
    expectEveryBitCounts(packet, icmpv6.parse)
    for (let at = packet.network + 8; at < packet.network + 40; at++) {
      packet.bytes[at] = (packet.bytes[at] as number) ^ 1
      expect(icmpv6.parse(packet)).toBe(Drop.IcmpChecksum)
      packet.bytes[at] = (packet.bytes[at] as number) ^ 1
    }
  })

  test('and encodes the same eight bytes, into whatever was there before', () => {
    const packet = load6(each.bytes)
    const { transport, end, view, network } = packet
    for (const dirty of dirtyPackets()) {
      dirty.bytes.set(packet.bytes.subarray(network, transport), network)
      dirty.bytes.set(packet.bytes.subarray(transport + 8, end), transport + 8)
      icmpv6.encode(
        dirty,
        network,
        transport,
        end,
        each.number('icmpv6.type'),
        each.number('icmpv6.code'),
        view.getInt32(transport + 4),
      )
      expect([...dirty.bytes.subarray(network, end)]).toEqual([...packet.bytes.subarray(network, end)])
    }
  })

  test('drops what is shorter than its header', () => {
    const packet = load6(each.bytes)
    for (let length = 0; length < 8; length++) {
      packet.end = packet.transport + length
      expect(icmpv6.parse(packet)).toBe(Drop.IcmpTooShort)
    }
  })
})

test('the vectors hold echo and every error that a UDP host meets', () => {
  expect(new Set(whole4.map((each) => `${each.number('icmp.type')}/${each.number('icmp.code')}`))).toEqual(
    new Set(['8/0', '0/0', '11/0', '3/0', '3/3', '3/2', '3/4']),
  )
  expect(new Set(whole6.map((each) => `${each.number('icmpv6.type')}/${each.number('icmpv6.code')}`))).toEqual(
    new Set(['128/0', '129/0', '3/0', '143/0', '1/4', '4/2', '4/1', '2/0']),
  )
})

describe('errors may not answer errors', () => {
  test('which in ICMPv4 are the five types of RFC 1122 section 3.2.2', () => {
    expect(Array.from({ length: 256 }, (_, type) => type).filter(icmpv4.isError)).toEqual([3, 4, 5, 11, 12])
  })

  test('and in ICMPv6 all types below 128', () => {
    expect(Array.from({ length: 256 }, (_, type) => type).filter(icmpv6.isError)).toEqual(
      Array.from({ length: 128 }, (_, type) => type),
    )
  })
})

describe('a message is described in one line', () => {
  const line4 = (name: string) => {
    const packet = load4(vector(whole4, name).bytes)
    return icmpv4.describe(packet.view, packet.transport)
  }
  const line6 = (name: string) => {
    const packet = load6(vector(whole6, name).bytes)
    return icmpv6.describe(packet.view, packet.transport)
  }

  test('in ICMPv4', () => {
    expect(line4('ping request')).toBe('ICMP echo request id 20265 seq 1')
    expect(line4('ping reply')).toBe('ICMP echo reply id 20265 seq 1')
    expect(line4('Time Exceeded in transit')).toBe('ICMP time exceeded in transit')
    expect(line4('Destination Unreachable: port')).toBe('ICMP port unreachable')
    expect(line4('Destination Unreachable: fragmentation needed, MTU 1300')).toBe('ICMP fragmentation needed mtu 1300')
  })

  test('in ICMPv6', () => {
    expect(line6('ping request')).toBe('ICMPv6 echo request id 20272 seq 1')
    expect(line6('Packet Too Big, MTU 1300')).toBe('ICMPv6 packet too big mtu 1300')
    expect(line6('Parameter Problem: unknown option')).toBe('ICMPv6 parameter problem code 2 pointer 42')
    expect(line6('Destination Unreachable: port')).toBe('ICMPv6 port unreachable')
    expect(line6('multicast listener report behind a hop-by-hop header with Router Alert')).toBe(
      'ICMPv6 multicast listener report v2',
    )
  })

  test('whatever the type and code', () => {
    const packet = new Packet()
    for (let type = 0; type < 256; type++)
      for (let code = 0; code < 20; code++) {
        packet.bytes.set([type, code, 0, 0, 0, 0, 0, 0], HEADROOM)
        for (const line of [icmpv4.describe(packet.view, HEADROOM), icmpv6.describe(packet.view, HEADROOM)])
          expect(line).toMatch(/^ICMP(v6)? [a-z]/)
      }
  })
})
