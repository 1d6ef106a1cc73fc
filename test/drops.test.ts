/**
 * Every reason to discard a packet of the network, the packet that has it, and the counter that
 * Linux would move.
 */
import { describe, expect, test } from 'vitest'
import { Address } from '../src/base/address.ts'
import { Drop, type DropName } from '../src/base/drop.ts'
import type { Counters } from '../src/ip/counters.ts'
import { dropCount, HOST4, HOST6, type Host, makeHost, open, PEER4, PEER6, send } from './host.ts'
import { datagram, fragmentHeader, icmpBody, icmpKind, icmpPacket, ipv4, ipv6, pattern, udp } from './packet.ts'

type CounterName = { [K in keyof Counters]: Counters[K] extends number ? K : never }[keyof Counters]

interface Row {
  readonly drop: DropName
  /** What the packet is. */
  readonly packet: string
  readonly bytes: Uint8Array | readonly Uint8Array[]
  /** The counters that move by one, `drop` apart. */
  readonly counters?: readonly CounterName[]
  /** How many frames the stack sends in answer. */
  readonly answers?: number
  readonly prepare?: (host: Host) => unknown
}

/** A packet with bytes changed and nothing mended. */
function changed(packet: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const bytes = packet.slice()
  bytes.set(values, at)
  return bytes
}

const hello4 = datagram([1, 2, 3], 4)
const hello6 = datagram([1, 2, 3], 6)
const listen = ({ stack }: Host) => open(stack, 6, 7)
const first4 = udp(pattern(64), 4).subarray(0, 32)
const first6 = udp(pattern(64), 6).subarray(0, 32)
const frag6 = (payload: ArrayLike<number>, offset: number, more: boolean, next = 17) =>
  ipv6([...fragmentHeader(next, offset, more), ...Array.from(payload)], { next: 44 })
const GROUP4 = '239.1.2.3'
const GROUP6 = 'ff15::1234'

const rows: Row[] = [
  { drop: 'IpVersion', packet: 'an empty frame', bytes: new Uint8Array(0) },
  { drop: 'IpVersion', packet: 'version 5', bytes: changed(hello4, 0, 0x55) },
  {
    drop: 'IpTooShort',
    packet: '19 bytes of IPv4',
    bytes: hello4.slice(0, 19),
    counters: ['IpInReceives', 'IpInHdrErrors'],
  },
  {
    drop: 'IpTooShort',
    packet: '39 bytes of IPv6',
    bytes: hello6.slice(0, 39),
    counters: ['Ip6InReceives', 'Ip6InHdrErrors'],
  },
  { drop: 'IpHeaderLength', packet: 'IHL 4', bytes: changed(hello4, 0, 0x44), counters: ['IpInHdrErrors'] },
  { drop: 'IpTotalLength', packet: 'IPv4 that is cut', bytes: hello4.slice(0, 25), counters: ['IpInHdrErrors'] },
  { drop: 'IpTotalLength', packet: 'IPv6 that is cut', bytes: hello6.slice(0, 45), counters: ['Ip6InHdrErrors'] },
  {
    drop: 'IpChecksum',
    packet: 'a wrong header checksum',
    bytes: changed(hello4, 10, 0x12, 0x34),
    counters: ['IpInHdrErrors'],
  },
  ...['127.0.0.1', '224.0.0.1', '239.255.255.255', '255.255.255.255', '0.0.0.0', HOST4].map(
    (source): Row => ({
      drop: 'IpMartianSource',
      packet: `from ${source}`,
      bytes: datagram([], 4, { source }),
      counters: ['IpInAddrErrors'],
      prepare: listen,
    }),
  ),
  ...['::1', 'ff02::1', '::ffff:192.0.2.10'].map(
    (source): Row => ({
      drop: 'IpMartianSource',
      packet: `from ${source}`,
      bytes: mapped(source, HOST6),
      counters: ['Ip6InAddrErrors'],
      prepare: listen,
    }),
  ),
  ...['127.0.0.1', '0.0.0.0'].map(
    (destination): Row => ({
      drop: 'IpMartianDestination',
      packet: `to ${destination}`,
      bytes: datagram([], 4, { destination }),
      counters: ['IpInAddrErrors'],
    }),
  ),
  ...['::1', '::', '::ffff:198.51.100.20', 'ff00::1', 'ff01::1'].map(
    (destination): Row => ({
      drop: 'IpMartianDestination',
      packet: `to ${destination}`,
      bytes: mapped(PEER6, destination),
      counters: ['Ip6InAddrErrors'],
    }),
  ),
  {
    drop: 'IpNotForUs',
    packet: 'to another IPv4 host',
    bytes: datagram([], 4, { destination: '198.51.100.21' }),
    counters: ['IpInAddrErrors'],
  },
  {
    drop: 'IpNotForUs',
    packet: 'to another IPv6 host',
    bytes: datagram([], 6, { destination: '2001:db8:b::21' }),
    counters: ['Ip6InAddrErrors'],
  },
  { drop: 'IpNotMember', packet: 'to an IPv4 group', bytes: datagram([], 4, { destination: GROUP4 }) },
  { drop: 'IpNotMember', packet: 'to an IPv6 group', bytes: datagram([], 6, { destination: GROUP6 }) },
  {
    drop: 'IpUnknownProtocol',
    packet: 'of protocol 253 in IPv4',
    bytes: ipv4([1, 2, 3], { protocol: 253 }),
    counters: ['IpInUnknownProtos', 'IcmpOutDestUnreachs'],
    answers: 1,
  },
  {
    drop: 'IpUnknownProtocol',
    packet: 'of next header 253 in IPv6',
    bytes: ipv6([1, 2, 3], { next: 253 }),
    counters: ['Ip6InUnknownProtos', 'Icmp6OutParmProblems'],
    answers: 1,
  },
  {
    drop: 'IpUnknownProtocol',
    packet: 'with hop-by-hop options behind destination options',
    bytes: ipv6([0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0], { next: 60 }),
    answers: 1,
  },
  {
    drop: 'IpRawChecksum',
    packet: 'whose checksum a raw endpoint finds wrong',
    bytes: ipv6(pattern(20), { next: 253 }),
    prepare: ({ stack }) => stack.openRaw({ family: 6, protocol: 253, checksumOffset: 2 }),
  },
  {
    drop: 'IpRawReceiveBuffer',
    packet: 'for which a raw endpoint has no room',
    bytes: [ipv4(pattern(20), { protocol: 253 }), ipv4(pattern(20), { protocol: 253 })],
    prepare: ({ stack }) => {
      stack.openRaw({ family: 4, protocol: 253 }).receiveBuffer = 600
    },
  },
  { drop: 'IpNoNextHeader', packet: 'No Next Header', bytes: ipv6([1, 2, 3], { next: 59 }) },
  {
    drop: 'IpExtensionHeader',
    packet: 'destination options that do not fit',
    bytes: ipv6([17, 1, 1, 4, 0, 0, 0, 0], { next: 60 }),
    counters: ['Ip6InHdrErrors'],
  },
  {
    drop: 'IpUnknownOption',
    packet: 'an option that is discarded in silence',
    bytes: ipv6([17, 0, 0x5e, 4, 0, 0, 0, 0], { next: 60 }),
    counters: ['Ip6InHdrErrors'],
  },
  {
    drop: 'IpUnknownOption',
    packet: 'an option that must be known',
    bytes: ipv6([17, 0, 0x9e, 4, 0, 0, 0, 0], { next: 60 }),
    counters: ['Ip6InHdrErrors', 'Icmp6OutParmProblems'],
    answers: 1,
  },
  {
    drop: 'IpRoutingHeader',
    packet: 'a routing header with segments left',
    bytes: ipv6([17, 0, 0, 1, 0, 0, 0, 0], { next: 43 }),
    counters: ['Ip6InHdrErrors', 'Icmp6OutParmProblems'],
    answers: 1,
  },

  {
    drop: 'FragmentLength',
    packet: 'an IPv6 fragment of 9 bytes that is not the last',
    bytes: frag6(first6.subarray(0, 9), 0, true),
    counters: ['Ip6ReasmFails', 'Icmp6OutParmProblems'],
    answers: 1,
  },
  {
    drop: 'FragmentLength',
    packet: 'an IPv4 fragment without payload',
    bytes: ipv4([], { offset: 8, moreFragments: true }),
    counters: ['IpReasmFails'],
  },
  {
    drop: 'FragmentLength',
    packet: 'an IPv6 fragment without payload',
    bytes: frag6([], 8, true),
    counters: ['Ip6ReasmFails'],
  },
  {
    drop: 'FragmentTooBig',
    packet: 'an IPv4 fragment beyond 65535',
    bytes: ipv4(pattern(32), { offset: 65_504 }),
    counters: ['IpReasmFails'],
  },
  {
    drop: 'FragmentTooBig',
    packet: 'an IPv6 fragment beyond 65535',
    bytes: frag6(pattern(32), 65_512, false),
    counters: ['Ip6ReasmFails', 'Icmp6OutParmProblems'],
    answers: 1,
  },
  {
    drop: 'FragmentOverlap',
    packet: 'IPv4 fragments that overlap in part',
    bytes: [ipv4(first4, { moreFragments: true }), ipv4(pattern(32), { offset: 24, moreFragments: true })],
    counters: ['IpReasmFails'],
  },
  {
    drop: 'FragmentOverlap',
    packet: 'IPv6 fragments that overlap in part',
    bytes: [frag6(first6, 0, true), frag6(pattern(32), 24, true)],
    counters: ['Ip6ReasmFails'],
  },
  {
    drop: 'FragmentDuplicate',
    packet: 'an IPv4 fragment twice',
    bytes: [ipv4(first4, { moreFragments: true }), ipv4(first4, { moreFragments: true })],
  },
  {
    drop: 'FragmentDuplicate',
    packet: 'an IPv6 fragment twice',
    bytes: [frag6(first6, 0, true), frag6(first6, 0, true)],
  },
  {
    drop: 'FragmentEcn',
    packet: 'Not-ECT and CE in one IPv4 datagram',
    bytes: [ipv4(first4, { moreFragments: true }), ipv4(pattern(8), { offset: 32, tos: 3 })],
    counters: ['IpReasmFails'],
  },
  {
    drop: 'FragmentEcn',
    packet: 'Not-ECT and CE in one IPv6 datagram',
    bytes: [
      frag6(first6, 0, true),
      ipv6([...fragmentHeader(17, 32, false), ...pattern(8)], { next: 44, trafficClass: 3 }),
    ],
    counters: ['Ip6ReasmFails'],
  },
  {
    drop: 'FragmentHeaderChain',
    packet: 'a first fragment with half a UDP header',
    bytes: ipv6([...fragmentHeader(60, 0, true), 17, 0, 1, 4, 0, 0, 0, 0], { next: 44 }),
    counters: ['Ip6ReasmFails', 'Icmp6OutParmProblems'],
    answers: 1,
  },

  {
    drop: 'IcmpTooShort',
    packet: '7 bytes of ICMPv4',
    bytes: ipv4(pattern(7), { protocol: 1 }),
    counters: ['IcmpInMsgs', 'IcmpInErrors'],
  },
  {
    drop: 'IcmpTooShort',
    packet: '7 bytes of ICMPv6',
    bytes: ipv6(pattern(7), { next: 58 }),
    counters: ['Icmp6InMsgs', 'Icmp6InErrors'],
  },
  {
    drop: 'IcmpChecksum',
    packet: 'an echo request with a wrong checksum',
    bytes: icmpPacket(8, 0, 1, [], 4, { checksum: 0x1234 }),
    counters: ['IcmpInErrors', 'IcmpInCsumErrors'],
  },
  {
    drop: 'IcmpChecksum',
    packet: 'an ICMPv6 echo request with a wrong checksum',
    bytes: icmpPacket(128, 0, 1, [], 6, { checksum: 0x1234 }),
    counters: ['Icmp6InErrors', 'Icmp6InCsumErrors'],
  },
  ...[4, 15, 17, 40, 255].map(
    (type): Row => ({
      drop: 'IcmpUnknownType',
      packet: `ICMPv4 type ${type}`,
      bytes: icmpPacket(type, 0, 0, pattern(28), 4),
      counters: ['IcmpInMsgs'],
    }),
  ),
  ...[100, 200, 255].map(
    (type): Row => ({
      drop: 'IcmpUnknownType',
      packet: `ICMPv6 type ${type}`,
      bytes: icmpPacket(type, 0, 0, pattern(28), 6),
      counters: ['Icmp6InMsgs'],
    }),
  ),
  {
    drop: 'IcmpUnmatched',
    packet: 'an error about a datagram that no socket sent',
    bytes: icmpPacket(
      3,
      3,
      0,
      datagram([], 4, { source: HOST4, destination: PEER4, sourcePort: 7, destinationPort: 9 }),
      4,
    ),
    counters: ['IcmpInDestUnreachs', 'IcmpInErrors'],
  },
  {
    drop: 'IcmpUnmatched',
    packet: 'an ICMPv6 error about a datagram that no socket sent',
    bytes: icmpPacket(
      1,
      4,
      0,
      datagram([], 6, { source: HOST6, destination: PEER6, sourcePort: 7, destinationPort: 9 }),
      6,
    ),
    counters: ['Icmp6InDestUnreachs', 'Icmp6InErrors'],
  },
  {
    drop: 'IcmpUnmatched',
    packet: 'an error about a datagram of another host',
    bytes: icmpPacket(
      3,
      3,
      0,
      datagram([], 4, { source: PEER4, destination: HOST4, destinationPort: 9, sourcePort: 7 }),
      4,
    ),
    prepare: listen,
  },
  {
    drop: 'IcmpEchoBroadcast',
    packet: 'an echo request to 255.255.255.255',
    bytes: icmpPacket(8, 0, 1, [], 4, { destination: '255.255.255.255' }),
  },
  {
    drop: 'IcmpEchoBroadcast',
    packet: 'an echo request to the directed broadcast',
    bytes: icmpPacket(8, 0, 1, [], 4, { destination: '198.51.100.255' }),
  },
  {
    drop: 'IcmpEchoBroadcast',
    packet: 'an echo request to all hosts',
    bytes: icmpPacket(8, 0, 1, [], 4, { destination: '224.0.0.1' }),
  },

  { drop: 'UdpTooShort', packet: '7 bytes of UDP over IPv4', bytes: ipv4(pattern(7)), counters: ['UdpInErrors'] },
  { drop: 'UdpTooShort', packet: '7 bytes of UDP over IPv6', bytes: ipv6(pattern(7)), counters: ['Udp6InErrors'] },
  { drop: 'UdpLength', packet: 'a UDP length of 7', bytes: datagram([], 4, { length: 7 }), counters: ['UdpInErrors'] },
  {
    drop: 'UdpLength',
    packet: 'a UDP length beyond the packet, to a closed port',
    bytes: datagram([], 6, { length: 9, destinationPort: 99 }),
    counters: ['Udp6InErrors'],
  },
  {
    drop: 'UdpChecksum',
    packet: 'a wrong checksum over IPv4',
    bytes: datagram([1], 4, { checksum: 0x1234 }),
    counters: ['UdpInErrors', 'UdpInCsumErrors'],
    prepare: listen,
  },
  {
    drop: 'UdpChecksum',
    packet: 'a wrong checksum over IPv6',
    bytes: datagram([1], 6, { checksum: 0x1234 }),
    counters: ['Udp6InErrors', 'Udp6InCsumErrors'],
    prepare: listen,
  },
  {
    drop: 'UdpChecksum',
    packet: 'a wrong checksum to a closed port',
    bytes: datagram([1], 4, { checksum: 0x1234, destinationPort: 99 }),
    counters: ['UdpInCsumErrors'],
  },
  {
    drop: 'UdpZeroChecksum',
    packet: 'no checksum over IPv6',
    bytes: datagram([1], 6, { checksum: 0 }),
    counters: ['Udp6InErrors'],
    prepare: listen,
  },
  {
    drop: 'UdpNoPort',
    packet: 'to a closed port over IPv4',
    bytes: datagram([1], 4, { destinationPort: 99 }),
    counters: ['UdpNoPorts', 'IcmpOutDestUnreachs', 'IcmpOutMsgs', 'IpInDelivers'],
    answers: 1,
  },
  {
    drop: 'UdpNoPort',
    packet: 'to a closed port over IPv6',
    bytes: datagram([1], 6, { destinationPort: 99 }),
    counters: ['Udp6NoPorts', 'Icmp6OutDestUnreachs', 'Icmp6OutMsgs', 'Ip6InDelivers'],
    answers: 1,
  },
  {
    drop: 'UdpNoPort',
    packet: 'to a closed port of a broadcast address',
    bytes: datagram([1], 4, { destinationPort: 99, destination: '255.255.255.255' }),
  },
  {
    drop: 'UdpNoPort',
    packet: 'to a closed port of all nodes',
    bytes: datagram([1], 6, { destinationPort: 99, destination: 'ff02::1' }),
  },
]

/** Builds the packet by hand when an address is a mapped one, which the builder takes for IPv4. */
function mapped(source: string, destination: string): Uint8Array {
  const words = (text: string) => {
    const ffff = /^::ffff:(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
    return ffff === null ? null : [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ffff.slice(1).map(Number)]
  }
  const bytes = ipv6(udp([], 6), {
    source: words(source) === null ? source : '::',
    destination: words(destination) === null ? destination : '::',
  })
  bytes.set(words(source) ?? [], 8)
  bytes.set(words(destination) ?? [], 24)
  return bytes
}

describe.each(rows)('$packet', (row) => {
  test(`is dropped as ${row.drop}, once`, () => {
    const host = makeHost()
    row.prepare?.(host)
    const frames = row.bytes instanceof Uint8Array ? [row.bytes] : row.bytes
    host.link.receive(...frames.slice(0, -1))
    expect(host.stack.drops).toEqual([])
    const { counters } = host.stack
    const before = (row.counters ?? []).map((name) => counters[name])
    const told: string[] = []
    host.stack.onDrop((reason, layer) => told.push(`${reason} ${layer}`))
    host.link.receive(...frames.slice(-1))

    const [dropped] = host.stack.drops
    expect(host.stack.drops).toEqual([{ reason: row.drop, layer: dropped?.layer, count: 1 }])
    expect(told).toEqual([`${row.drop} ${dropped?.layer}`])
    expect(
      Object.fromEntries((row.counters ?? []).map((name, at) => [name, counters[name] - (before[at] as number)])),
    ).toEqual(Object.fromEntries((row.counters ?? []).map((name) => [name, 1])))
    expect(host.link.take().length).toBe(row.answers ?? 0)
    for (const socket of host.stack.netstat().sockets) expect(socket.receiveQueue).toBe(0)
  })
})

describe('a drop that takes more than a packet', () => {
  test('IpNoRoute: an answer that has no way back', () => {
    const host = makeHost()
    for (const route of host.stack.ip.routes.list()) if (route.gateway !== null) host.stack.removeRoute(route)
    host.link.receive(icmpPacket(8, 0, 1, [], 4), icmpPacket(128, 0, 1, [], 6))
    expect(host.link.take()).toEqual([])
    expect(dropCount(host.stack, 'IpNoRoute')).toBe(2)
    expect(host.stack.counters).toMatchObject({ IpOutNoRoutes: 1, Ip6OutNoRoutes: 1 })
  })

  test.each([
    ['LinkDown', 'ENETDOWN', 1],
    ['LinkQueueFull', 'ENOBUFS', 0],
    ['LinkRefused', '', 1],
    ['LinkMtuExceeded', '', 1],
  ] as const)('%s of the link: the sender hears %s, and what nobody hears of is counted', (name, errno, count) => {
    for (const family of [4, 6] as const) {
      const host = makeHost()
      const { endpoint } = open(host.stack, family)
      host.link.answer = Drop[name]
      expect(send(endpoint, pattern(10), family === 4 ? PEER4 : PEER6, 9)).toBe(errno)
      expect(dropCount(host.stack, name)).toBe(count)
      expect(host.stack.counters[family === 4 ? 'IpOutDiscards' : 'Ip6OutDiscards']).toBe(count)
      expect(host.nic.txDropped).toBe(1)
      // Nobody hears of an echo reply that is lost.
      host.link.receive(icmpPacket(family === 4 ? 8 : 128, 0, 1, [], family))
      expect(dropCount(host.stack, name)).toBe(count + 1)
    }
  })

  test('IcmpRateLimited: an error beyond the limit', () => {
    const host = makeHost({ icmpRateLimit: 1000 })
    // Each from another source, as there may be a limit per destination too.
    for (let i = 0; i < 60; i++) host.link.receive(datagram([], 4, { source: `192.0.2.${i + 1}`, destinationPort: 99 }))
    // 50 on average: an error costs none, one or two tokens.
    const sent = host.link.take().length
    expect(sent).toBeGreaterThan(35)
    expect(sent).toBeLessThan(60)
    expect(dropCount(host.stack, 'IcmpRateLimited')).toBe(60 - sent)
    expect(host.stack.counters.IcmpOutRateLimitHost).toBe(60 - sent)
    host.clock.advance(5)
    for (let i = 0; i < 10; i++)
      host.link.receive(datagram([], 4, { source: `192.0.2.${i + 101}`, destinationPort: 99 }))
    const more = host.link.take().length
    expect(more).toBeGreaterThan(0)
    expect(more).toBeLessThanOrEqual(10)
    // Echo is not limited.
    host.link.receive(...Array.from({ length: 100 }, (_, at) => icmpPacket(8, 0, at, [], 4)))
    expect(host.link.take().length).toBe(100)
  })

  test('no ICMP error at all with a limit of 0', () => {
    const host = makeHost({ icmpRateLimit: 0 })
    for (let i = 0; i < 100; i++)
      host.link.receive(datagram([], 4, { source: `192.0.2.${i + 1}`, destinationPort: 99 }))
    expect(host.link.take()).toEqual([])
    expect(dropCount(host.stack, 'IcmpRateLimited')).toBe(100)
  })

  test('FragmentTimeout: 30 s in IPv4, 60 s in IPv6, told to the sender when the first fragment is there', () => {
    const host = makeHost()
    host.link.receive(ipv4(first4, { moreFragments: true }), frag6(first6, 0, true))
    host.link.receive(ipv4(first4, { moreFragments: true, offset: 32, identification: 2 }))
    host.clock.advance(29_999)
    expect(host.stack.drops).toEqual([])
    host.clock.advance(1)
    expect(dropCount(host.stack, 'FragmentTimeout')).toBe(2)
    expect(host.stack.counters).toMatchObject({
      IpReasmTimeout: 2,
      IpReasmFails: 2,
      IcmpOutTimeExcds: 1,
      Ip6ReasmTimeout: 0,
    })
    const [error4, ...more] = host.link.take()
    expect(more).toEqual([])
    expect(icmpKind(error4 as Uint8Array)).toEqual([11, 1])
    expect(icmpBody(error4 as Uint8Array)).toEqual(ipv4(first4, { moreFragments: true }))
    host.clock.advance(30_000)
    expect(host.stack.counters).toMatchObject({ Ip6ReasmTimeout: 1, Ip6ReasmFails: 1, Icmp6OutTimeExcds: 1 })
    const [error6] = host.link.take()
    expect(icmpKind(error6 as Uint8Array)).toEqual([3, 1])
    expect(icmpBody(error6 as Uint8Array)).toEqual(frag6(first6, 0, true))
    expect(host.clock.nextTime).toBe(Number.POSITIVE_INFINITY)
  })

  test('FragmentMemory: a source that holds more than its share loses its oldest datagrams', () => {
    const host = makeHost()
    for (let id = 0; id < 1000; id++)
      host.link.receive(ipv4(pattern(1480), { moreFragments: true, identification: id }))
    const lost = dropCount(host.stack, 'FragmentMemory')
    expect(lost).toBeGreaterThan(200)
    expect(host.stack.counters.IpReasmFails).toBe(lost)
    // Another source is not disturbed, and the newest of the flood is still there.
    const whole = udp(pattern(64), 4, { source: '192.0.2.11' })
    const { mailbox } = open(host.stack, 4, 7)
    host.link.receive(
      ipv4(whole.subarray(0, 32), { source: '192.0.2.11', moreFragments: true }),
      ipv4(whole.subarray(32), { source: '192.0.2.11', offset: 32 }),
    )
    expect(mailbox.received.length).toBe(1)
    expect(dropCount(host.stack, 'FragmentMemory')).toBe(lost)
  })

  test.each([4, 6] as const)('UdpReceiveBuffer: IPv%i datagrams that the program does not take', (family) => {
    const host = makeHost()
    const { endpoint, mailbox } = open(host.stack, family, 7)
    mailbox.hold = true
    endpoint.setReceiveBuffer(4000)
    for (let i = 0; i < 20; i++) host.link.receive(datagram(pattern(488), family))
    // 8000 bytes, of which each takes 488 and the bookkeeping's 512.
    expect(mailbox.received.length).toBe(8)
    expect(dropCount(host.stack, 'UdpReceiveBuffer')).toBe(12)
    const { counters } = host.stack
    expect(
      family === 4
        ? [counters.UdpInDatagrams, counters.UdpRcvbufErrors, counters.UdpInErrors]
        : [counters.Udp6InDatagrams, counters.Udp6RcvbufErrors, counters.Udp6InErrors],
    ).toEqual([8, 12, 12])
    expect(host.stack.netstat().sockets[0]?.receiveQueue).toBe(8000)
    endpoint.release(488)
    host.link.receive(datagram(pattern(488), family), datagram(pattern(488), family))
    expect(mailbox.received.length).toBe(9)
  })

  test('UdpReceiveBuffer: one datagram always fits into an empty buffer', () => {
    const host = makeHost({ mtu: 9000 })
    const { endpoint, mailbox } = open(host.stack, 4, 7)
    mailbox.hold = true
    endpoint.setReceiveBuffer(1)
    expect(endpoint.receiveBuffer).toBe(2304)
    host.link.receive(datagram(pattern(4000), 4), datagram(pattern(4000), 4))
    expect(mailbox.received.length).toBe(1)
    expect(dropCount(host.stack, 'UdpReceiveBuffer')).toBe(1)
  })

  test('UdpNoPort: a connected socket hears its peer alone, and others find the port closed', () => {
    const host = makeHost()
    const { endpoint, mailbox } = open(host.stack, 4, 7)
    expect(endpoint.connect(address(PEER4), 40_000)).toBe('')
    host.link.receive(
      datagram([1], 4),
      datagram([2], 4, { sourcePort: 40_001 }),
      datagram([3], 4, { source: '192.0.2.11' }),
    )
    expect(mailbox.received.map(({ payload }) => [...payload])).toEqual([[1]])
    expect(dropCount(host.stack, 'UdpNoPort')).toBe(2)
    expect(host.link.take().length).toBe(2)
  })
})

function address(text: string) {
  return Address.parse(text)
}
