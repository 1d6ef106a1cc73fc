import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { Drop } from '../../src/base/drop.ts'
import { ChecksumState, HEADROOM, Packet } from '../../src/base/packet.ts'
import type { Route } from '../../src/ip/routing/route-table.ts'
import * as ipv4 from '../../src/wire/ipv4.ts'
import * as ipv6 from '../../src/wire/ipv6.ts'
import { UDP } from '../../src/wire/protocol.ts'
import { dropCount, HOST4, HOST6, makeHost, open, PEER4, PEER6, send, TestLink } from '../host.ts'
import { datagram, pattern } from '../packet.ts'

/** A packet of this host, with addresses that no checked way gives it. */
function crafted(from: string, to: string, length = 100): Packet {
  const packet = new Packet()
  packet.reset(HEADROOM, HEADROOM + length)
  const [source, destination] = [Address.parse(from), Address.parse(to)]
  packet.family = to.includes(':') ? 6 : 4
  packet.protocol = UDP
  packet.hopLimit = 64
  ;[packet.s0, packet.s1, packet.s2, packet.s3] = [source.w0, source.w1, source.w2, source.w3]
  ;[packet.d0, packet.d1, packet.d2, packet.d3] = [destination.w0, destination.w1, destination.w2, destination.w3]
  return packet
}

const pairs = [
  ['127.0.0.1', PEER4],
  ['127.255.255.255', PEER4],
  [HOST4, '127.0.0.1'],
  [HOST4, '127.3.2.1'],
  ['::1', PEER6],
  [HOST6, '::1'],
] as const

describe('a packet from', () => {
  test.each(pairs)('%s to %s leaves by no way of the IP layer, and is counted as IpLoopbackLeaves', (from, to) => {
    const { stack, link, nic } = makeHost()
    const { d0, d1, d2, d3 } = crafted(PEER4, from.includes(':') ? PEER6 : PEER4)
    const route = stack.ip.route(d0, d1, d2, d3, 0) as Route
    // As sockets and ICMP send, whole and in fragments.
    expect(stack.ip.output(crafted(from, to), route, 0)).toBe(Drop.IpLoopbackLeaves)
    expect(stack.ip.output(crafted(from, to, 4000), route, 0)).toBe(Drop.IpLoopbackLeaves)
    // As a router sends, and who has a packet that is complete.
    const ready = crafted(from, to)
    ready.start -= ready.family === 4 ? ipv4.HEADER : ipv6.HEADER
    if (ready.family === 4) ipv4.encode(ready, ready.start, ipv4.HEADER)
    else ipv6.encode(ready, ready.start, UDP)
    expect(stack.ip.transmit(ready, route, 1500)).toBe(Drop.IpLoopbackLeaves)
    expect(nic.output(ready)).toBe(Drop.IpLoopbackLeaves)
    expect(link.take()).toEqual([])
    stack.counters.drop(Drop.IpLoopbackLeaves, ready)
    const { counters } = stack
    expect(ready.family === 4 ? counters.IpOutDiscards : counters.Ip6OutDiscards).toBe(1)
    expect(stack.drops).toEqual([{ reason: 'IpLoopbackLeaves', layer: 'ip', count: 1 }])
  })

  test('does not get into a device that fragments either', () => {
    const { stack } = makeHost()
    let taken = 0
    const link = Object.assign(new TestLink('eth1', 1500, { checksum: true } as never), {
      sendLong: () => {
        taken++
        return Drop.None
      },
    })
    const nic = stack.addNic(link, { addresses: ['10.0.0.1/24'] })
    const long = (from: string) =>
      Object.assign(crafted(from, '10.0.0.2', 4000), { checksumState: ChecksumState.Partial })
    expect(nic.transmitLong(long('127.0.0.1'), 1500)).toBe(false)
    expect(nic.transmitLong(long('10.0.0.1'), 1500)).toBe(true)
    expect(taken).toBe(1)
  })
})

test.each(['127.0.0.1', '127.0.0.9'])(
  'an echo request from %s to another host is EINVAL, and leaves nothing',
  (from) => {
    const { stack, link } = makeHost()
    const echo = stack.ip.icmp.openEcho(4, { reply() {}, error() {} })
    expect(echo.send(Address.parse(PEER4), 1, pattern(8), { source: Address.parse(from) })).toBe('EINVAL')
    expect(echo.send(Address.parse(PEER4), 2, pattern(8))).toBe('')
    expect(link.take().length).toBe(1)
    expect(dropCount(stack, 'IpLoopbackLeaves')).toBe(1)
  },
)

test('inside the host loopback addresses are as good as others', () => {
  const { stack, clock, link } = makeHost()
  for (const [family, from] of [
    [4, '127.0.0.1'],
    [6, '::1'],
  ] as const) {
    const { endpoint } = open(stack, family, 0, from)
    const { mailbox } = open(stack, family, 5000 + family)
    for (const to of family === 4 ? ['127.0.0.1', '127.9.9.9', HOST4] : ['::1', HOST6]) {
      expect(send(endpoint, pattern(3), to, 5000 + family)).toBe('')
      clock.settle()
      expect(mailbox.received.splice(0).map((each) => [each.from, each.to])).toEqual([[from, to]])
    }
  }
  expect(link.take()).toEqual([])
})

test.each([
  ['127.0.0.1', HOST4],
  [PEER4, '127.0.0.1'],
  [PEER4, '127.255.255.255'],
  ['::1', HOST6],
  [PEER6, '::1'],
])('a packet from %s to %s that comes by a link is a martian, to hosts and routers', (from, to) => {
  for (const forwarding of [false, true]) {
    const { stack, link } = makeHost({ forwarding })
    const { mailbox } = open(stack, to.includes(':') ? 6 : 4, 5000)
    link.receive(
      datagram(pattern(4), to.includes(':') ? 6 : 4, { source: from, destination: to, destinationPort: 5000 }),
    )
    expect(mailbox.received).toEqual([])
    expect(link.take()).toEqual([])
    expect(dropCount(stack, 'IpMartianSource') + dropCount(stack, 'IpMartianDestination')).toBe(1)
  }
})

test('a group of interface scope ends at the host (RFC 4291 section 2.7)', () => {
  const { stack, clock, link } = makeHost()
  const { mailbox } = open(stack, 6, 5000)
  const { endpoint } = open(stack, 6)
  expect(send(endpoint, pattern(3), 'ff01::1', 5000, null, 2)).toBe('')
  clock.settle()
  expect(mailbox.received.map((each) => each.to)).toEqual(['ff01::1'])
  expect(link.take()).toEqual([])
  expect(send(endpoint, pattern(3), 'ff02::1', 5000, null, 2)).toBe('')
  expect(link.take().length).toBe(1)
})
