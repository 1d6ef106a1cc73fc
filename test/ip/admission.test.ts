/**
 * What a packet's addresses allow is remembered from one packet to the next: it must not outlive
 * what it was found from.
 */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { HOST4, makeHost, open, PEER4, TestLink } from '../host.ts'
import { datagram, icmpPacket, ipv4, pattern } from '../packet.ts'

const toHost = () => datagram([1], 4, { destinationPort: 5000 })

/** Reasons of drops that were counted since the last call. */
function watch({ stack }: ReturnType<typeof makeHost>) {
  const reasons: string[] = []
  stack.onDrop((reason) => reasons.push(reason))
  return () => reasons.splice(0)
}

test('an address that was taken away is no longer ours with the next packet', () => {
  const host = makeHost()
  const drops = watch(host)
  host.link.receive(toHost(), toHost())
  expect(drops()).toEqual(['UdpNoPort', 'UdpNoPort'])
  host.nic.removeAddress(Address.parse(HOST4))
  host.link.receive(toHost())
  expect(drops()).toEqual(['IpNotForUs'])
  host.nic.addAddress(`${HOST4}/24`)
  host.link.receive(toHost())
  expect(drops()).toEqual(['UdpNoPort'])
})

test("a peer's address that became ours is no source any more", () => {
  const host = makeHost()
  const drops = watch(host)
  host.link.receive(toHost())
  host.nic.addAddress(`${PEER4}/24`)
  host.link.receive(toHost())
  expect(drops()).toEqual(['UdpNoPort', 'IpMartianSource'])
})

test('a martian source between packets of a good one is still found', () => {
  const host = makeHost()
  const drops = watch(host)
  host.link.receive(toHost(), datagram([1], 4, { destinationPort: 5000, source: '224.0.0.9' }), toHost())
  expect(drops()).toEqual(['UdpNoPort', 'IpMartianSource', 'UdpNoPort'])
})

test('in the strong host model the other nic with the same packet is another matter', () => {
  const host = makeHost({ strongHost: true })
  const drops = watch(host)
  const other = new TestLink('eth1')
  host.stack.addNic(other, { addresses: ['203.0.113.1/24'] })
  host.link.receive(toHost())
  other.receive(toHost())
  host.link.receive(toHost())
  expect(drops()).toEqual(['UdpNoPort', 'IpNotForUs', 'UdpNoPort'])
})

describe('a source that is a broadcast address of its link', () => {
  const BROADCAST = '198.51.100.255'
  const packets = [
    ['an echo request', icmpPacket(8, 0, 7, pattern(8), 4, { source: BROADCAST })],
    ['a datagram for a closed port', datagram([1], 4, { source: BROADCAST, destinationPort: 9 })],
    ['a datagram for an open port', datagram([1], 4, { source: BROADCAST, destinationPort: 5000 })],
    ['a protocol that is unknown', ipv4(pattern(8), { source: BROADCAST, protocol: 200 })],
    ['a datagram for another network', datagram([1], 4, { source: BROADCAST, destination: '192.0.2.9' })],
    ['one whose TTL runs out', datagram([1], 4, { source: BROADCAST, destination: '192.0.2.9', ttl: 1 })],
    [
      'one that is too long',
      datagram(pattern(1300), 4, { source: BROADCAST, destination: '192.0.2.9', dontFragment: true }),
    ],
    ['one without a route', datagram([1], 4, { source: BROADCAST, destination: '203.0.113.9' })],
  ] as const

  test.each(packets)('is neither answered nor forwarded: %s (RFC 1122 3.2.1.3, RFC 1812 4.2.3.1)', (_, packet) => {
    const host = makeHost({ forwarding: true })
    const { mailbox } = open(host.stack, 4, 5000)
    for (const route of host.stack.ip.routes.list()) if (route.prefix.length === 0) host.stack.removeRoute(route)
    const outside = new TestLink('eth1', 1200)
    host.stack.addNic(outside, { addresses: ['192.0.2.1/24'] })
    const drops = watch(host)
    host.link.receive(packet)
    expect(drops()).toEqual(['IpMartianSource'])
    expect([host.link.take(), outside.take(), mailbox.received]).toEqual([[], [], []])
  })

  test('is one host where the link has no such broadcast address (RFC 3021)', () => {
    const host = makeHost()
    host.nic.removeAddress(Address.parse(HOST4))
    host.nic.addAddress('198.51.100.254/31')
    host.link.receive(icmpPacket(8, 0, 7, pattern(8), 4, { source: BROADCAST, destination: '198.51.100.254' }))
    expect(host.link.take()).toHaveLength(1)
  })
})

describe('the source 0.0.0.0 (Linux: ip_route_input_slow, ip_mc_validate_source)', () => {
  const from = (source: string, destination: string, protocol = 17) =>
    protocol === 17
      ? datagram([1], 4, { source, destination, destinationPort: 5000 })
      : // A query of version 2 about all groups.
        ipv4([0x11, 100, 0xee, 0x9b, 0, 0, 0, 0], { source, destination, protocol, ttl: 1, options: [0x94, 4, 0, 0] })

  test.each([
    ['0.0.0.0', '255.255.255.255', 17, []],
    ['0.0.0.0', '224.0.0.1', 17, []],
    ['0.0.0.0', '224.0.0.1', 2, []],
    ['0.0.0.0', '239.1.1.1', 17, ['IpMartianSource']],
    ['0.0.0.0', HOST4, 17, ['IpMartianSource']],
    ['0.1.2.3', HOST4, 17, []],
    ['0.0.0.0', '198.51.100.255', 17, ['IpMartianSource']],
  ] as const)('from %s to %s, protocol %i: discarded are %o', (source, destination, protocol, expected) => {
    const host = makeHost()
    const { endpoint } = open(host.stack, 4, 5000)
    endpoint.groups.join(Address.parse('239.1.1.1'), host.nic.index)
    const drops = watch(host)
    host.link.receive(from(source, destination, protocol))
    expect(drops()).toEqual(expected)
  })

  test('is no matter of the reverse path', () => {
    const host = makeHost({ reversePath: 'strict' })
    open(host.stack, 4, 5000)
    const drops = watch(host)
    host.link.receive(from('0.0.0.0', '224.0.0.1'))
    expect(drops()).toEqual([])
  })
})
