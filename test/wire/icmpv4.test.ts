/** ICMP messages on the wire: what Linux sent and tshark reads. */
import { describe, expect, test } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../src/base/packet.ts'
import * as icmpv4 from '../../src/wire/icmpv4.ts'
import * as ipv4 from '../../src/wire/ipv4.ts'
import { dirtyPackets } from '../dirty.ts'
import { everyBitCounts } from '../every-bit.ts'
import { readVectors, type Vector, vector } from '../vectors/read.ts'

/**
 * Whole ICMP messages: a first fragment has the fields too, but not the bytes that its checksum
 * covers.
 */
const whole4 = readVectors('ipv4').filter((each) => each.text('icmp.type') !== '' && each.number('ip.flags.mf') === 0)
function load4(bytes: Uint8Array): Packet {
  const packet = new Packet().load(bytes)
  expect(ipv4.parse(packet)).toBe(Drop.None)
  return packet
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
    everyBitCounts(load4(each.bytes), icmpv4.parse)
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

test('the vectors hold echo and every error that a UDP host meets', () => {
  expect(new Set(whole4.map((each) => `${each.number('icmp.type')}/${each.number('icmp.code')}`))).toEqual(
    new Set(['8/0', '0/0', '11/0', '3/0', '3/3', '3/2', '3/4']),
  )
})

test('errors, which no error may answer, are the five types of RFC 1122 section 3.2.2', () => {
  expect(Array.from({ length: 256 }, (_, type) => type).filter(icmpv4.isError)).toEqual([3, 4, 5, 11, 12])
})

describe('a message is described in one line', () => {
  const line4 = (name: string) => {
    const packet = load4(vector(whole4, name).bytes)
    return icmpv4.describe(packet.view, packet.transport)
  }

  test('that says what it is', () => {
    expect(line4('ping request')).toBe('ICMP echo request id 20265 seq 1')
    expect(line4('ping reply')).toBe('ICMP echo reply id 20265 seq 1')
    expect(line4('Time Exceeded in transit')).toBe('ICMP time exceeded in transit')
    expect(line4('Destination Unreachable: port')).toBe('ICMP port unreachable')
    expect(line4('Destination Unreachable: fragmentation needed, MTU 1300')).toBe('ICMP fragmentation needed mtu 1300')
  })

  test('whatever the type and code', () => {
    const packet = new Packet()
    for (let type = 0; type < 256; type++)
      for (let code = 0; code < 20; code++) {
        packet.bytes.set([type, code, 0, 0, 0, 0, 0, 0], HEADROOM)
        expect(icmpv4.describe(packet.view, HEADROOM)).toMatch(/^ICMP(v6)? [a-z]/)
      }
  })
})
