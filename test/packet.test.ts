import { describe, expect, test } from 'vitest'
import {
  addressText,
  checksumsHold,
  datagram,
  destination,
  destinationPort,
  fragmentOffset,
  hopLimit,
  icmpCode,
  icmpPacket,
  icmpType,
  isIcmp,
  nextHeader,
  source,
  sourcePort,
  udpPayload,
} from './packet.ts'
import { readVectors } from './vectors/read.ts'

describe.each(readVectors('ipv4'))(
  'the getters of tests read IPv4 as tshark does: $name',
  ({ bytes, number, text }) => {
    test('the getters read addresses, TTL, protocol and fragment offset', () => {
      expect([source(bytes), destination(bytes)]).toEqual([text('ip.src'), text('ip.dst')])
      expect([hopLimit(bytes), nextHeader(bytes)]).toEqual([number('ip.ttl'), number('ip.proto')])
      if (fragmentOffset(bytes) !== 0 || text('icmp.type') === '') return
      expect([icmpType(bytes), icmpCode(bytes)]).toEqual([number('icmp.type'), number('icmp.code')])
    })
  },
)

describe.each(readVectors('ipv6'))(
  'the getters of tests read IPv6 as tshark does: $name',
  ({ bytes, number, text }) => {
    test('the getters read addresses, hop limit, next header and the ICMPv6 type', () => {
      expect([source(bytes), destination(bytes)]).toEqual([text('ipv6.src'), text('ipv6.dst')])
      expect([hopLimit(bytes), nextHeader(bytes)]).toEqual([number('ipv6.hlim'), number('ipv6.nxt')])
      if (text('icmpv6.type') === '' || !isIcmp(bytes)) return
      expect([icmpType(bytes), icmpCode(bytes)]).toEqual([number('icmpv6.type'), number('icmpv6.code')])
    })
  },
)

test.each([4, 6] as const)(
  'the getters of tests read what the builders wrote over IPv%i, and one flipped bit breaks a checksum',
  (family) => {
    const packet = datagram([1, 2, 3], family, { sourcePort: 9, destinationPort: 10, ttl: 3, hopLimit: 3 })
    expect([sourcePort(packet), destinationPort(packet), hopLimit(packet)]).toEqual([9, 10, 3])
    expect([...udpPayload(packet)]).toEqual([1, 2, 3])
    expect(checksumsHold(packet)).toBe(true)
    expect(checksumsHold(icmpPacket(3, 1, 0, packet, family))).toBe(true)
    packet[packet.length - 1] = 2
    expect(checksumsHold(packet)).toBe(false)
  },
)

test('the getters of tests write addresses as RFC 5952 asks', () => {
  const texts = [
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['00000000000000000000000000000000', '::'],
    ['20010db8000100010001000100010000', '2001:db8:1:1:1:1:1:0'],
    ['0a000001', '10.0.0.1'],
  ] as const
  for (const [bytes, text] of texts) expect(addressText(Buffer.from(bytes, 'hex'))).toBe(text)
})
