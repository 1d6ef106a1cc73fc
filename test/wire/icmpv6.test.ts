/** ICMPv6 messages on the wire: what Linux sent and tshark reads. */
import { describe, expect, test } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../src/base/packet.ts'
import * as icmpv6 from '../../src/wire/icmpv6.ts'
import * as ipv6 from '../../src/wire/ipv6.ts'
import { dirtyPackets } from '../dirty.ts'
import { everyBitCounts } from '../every-bit.ts'
import { readVectors, type Vector, vector } from '../vectors/read.ts'

/**
 * Whole ICMP messages: a first fragment has the fields too, but not the bytes that its checksum
 * covers.
 */
const whole6 = readVectors('ipv6').filter(
  (each) => each.text('icmpv6.type') !== '' && each.text('ipv6.fraghdr.ident') === '',
)

function load6(bytes: Uint8Array): Packet {
  const packet = new Packet().load(bytes)
  expect(ipv6.parse(packet)).toBe(Drop.None)
  expect(ipv6.walk(packet)).toBe(Drop.None)
  return packet
}

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
    everyBitCounts(packet, icmpv6.parse)
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
  expect(new Set(whole6.map((each) => `${each.number('icmpv6.type')}/${each.number('icmpv6.code')}`))).toEqual(
    new Set(['128/0', '129/0', '3/0', '143/0', '1/4', '4/2', '4/1', '2/0']),
  )
})

test('errors, which no error may answer, are all types below 128', () => {
  expect(Array.from({ length: 256 }, (_, type) => type).filter(icmpv6.isError)).toEqual(
    Array.from({ length: 128 }, (_, type) => type),
  )
})

describe('a message is described in one line', () => {
  const line6 = (name: string) => {
    const packet = load6(vector(whole6, name).bytes)
    return icmpv6.describe(packet.view, packet.transport)
  }

  test('that says what it is', () => {
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
        expect(icmpv6.describe(packet.view, HEADROOM)).toMatch(/^ICMP(v6)? [a-z]/)
      }
  })
})
