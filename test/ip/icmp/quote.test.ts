/** The packet that an ICMP error quotes, read in place. */
import { describe, expect, test } from 'vitest'
import { Packet } from '../../../src/base/packet.ts'
import { Quote } from '../../../src/ip/icmp/quote.ts'
import { HOST4, HOST6, PEER4, PEER6 } from '../../host.ts'
import { datagram, fragmentHeader, icmpPacket, ipv6, udp } from '../../packet.ts'

/** A message of the family with the bytes at its start; where they end. */
function message(family: 4 | 6, bytes: Uint8Array): { packet: Packet; end: number } {
  const packet = new Packet(2000).load(bytes)
  packet.family = family
  packet.nic = 3
  return { packet, end: packet.end }
}

const families = [
  { family: 4 as const, header: 20, host: HOST4, peer: PEER4 },
  { family: 6 as const, header: 40, host: HOST6, peer: PEER6 },
]

describe.each(families)('a datagram quoted in ICMP of IPv$family', ({ family, header, host, peer }) => {
  const bytes = datagram([1, 2, 3], family, { source: host, destination: peer, sourcePort: 4000, destinationPort: 53 })

  test('is read without a change to the message around it', () => {
    const { packet, end } = message(family, bytes)
    const before = { ...packet }
    const quote = new Quote()
    expect(quote.open(packet, packet.start, end)).toBe(true)
    expect({ ...packet }).toEqual(before)
    expect(quote).toMatchObject({ family, isUdp: true, isIcmp: false, totalLength: bytes.length })
    expect([`${quote.source}`, `${quote.destination}`]).toEqual([host, peer])
    expect(quote.view.getUint16(quote.transport + 2)).toBe(53)
  })

  test('is whole enough with 8 bytes of its own header, and too short with 7', () => {
    const { packet } = message(family, bytes)
    const quote = new Quote()
    for (let length = 0; length < header + 8; length++)
      expect(quote.open(packet, packet.start, packet.start + length)).toBe(false)
    expect(quote.open(packet, packet.start, packet.start + header + 8)).toBe(true)
  })

  test('has an answer with the addresses exchanged, of the nic by which the message came', () => {
    const { packet, end } = message(family, bytes)
    const quote = new Quote()
    quote.open(packet, packet.start, end)
    const { answer } = quote
    expect([answer.s0, answer.s1, answer.s2, answer.s3]).toEqual([quote.d0, quote.d1, quote.d2, quote.d3])
    expect([answer.d0, answer.d1, answer.d2, answer.d3]).toEqual([quote.s0, quote.s1, quote.s2, quote.s3])
    expect(answer).toMatchObject({ family, nic: 3, protocol: 17 })
    expect(quote.answer).toBe(answer)
  })

  test('leaves nothing behind for the next one', () => {
    const quote = new Quote()
    const other = family === 4 ? 6 : 4
    const [ours, theirs] = [message(family, bytes), message(other, datagram([], other))]
    quote.open(theirs.packet, theirs.packet.start, theirs.end)
    quote.open(ours.packet, ours.packet.start, ours.end)
    const fresh = new Quote()
    fresh.open(ours.packet, ours.packet.start, ours.end)
    expect({ ...quote }).toEqual({ ...fresh })
  })

  test('is an echo message when it is one', () => {
    const echo = icmpPacket(family === 4 ? 8 : 128, 0, 0x1234_0007, [9], family)
    const { packet, end } = message(family, echo)
    const quote = new Quote()
    quote.open(packet, packet.start, end)
    expect(quote).toMatchObject({ isUdp: false, isIcmp: true, identifier: 0x1234, sequence: 7 })
    expect(quote.icmpType).toBe(family === 4 ? 8 : 128)
  })
})

describe('a quoted IPv6 fragment', () => {
  const payload = udp([1, 2, 3, 4, 5, 6, 7, 8], 6)

  test('that is the first is its datagram', () => {
    const { packet, end } = message(6, ipv6([...fragmentHeader(17, 0, true), ...payload], { next: 44 }))
    const quote = new Quote()
    expect(quote.open(packet, packet.start, end)).toBe(true)
    expect(quote).toMatchObject({ isUdp: true, fragmentOffset: 0, transport: packet.start + 48 })
  })

  test('that is a later one is nobody’s', () => {
    const { packet, end } = message(6, ipv6([...fragmentHeader(17, 8, false), ...payload], { next: 44 }))
    const quote = new Quote()
    expect(quote.open(packet, packet.start, end)).toBe(true)
    expect(quote).toMatchObject({ isUdp: false, isIcmp: false })
  })
})
