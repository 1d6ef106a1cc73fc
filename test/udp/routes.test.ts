/**
 * Which bound address may reach which destination: a part of what
 * `test/differential/bound-addresses.test.ts` compares with the kernel.
 */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { dropCount, HOST4, HOST6, makeHost, open, PEER4, PEER6, send, TestLink } from '../host.ts'
import { pattern, sourceBytes } from '../packet.ts'

const ETH0 = 2
const ETH1 = 3

/** The host with a second link, one of whose link-local addresses is one of the first as well. */
function makeTwo() {
  const host = makeHost()
  const other = new TestLink('eth1')
  host.stack.addNic(other, { addresses: ['203.0.113.20/24', '2001:db8:c::20/64', 'fe80::20/64', 'fe80::21/64'] })
  /** Sources of what went out, by link. */
  const sources = () =>
    [host.link, other].map((link) => link.take().map((frame) => Address.fromBytes(sourceBytes(frame)).toString()))
  return { ...host, other, sources }
}

describe.each([
  [4, '127.0.0.1', PEER4],
  [4, '127.0.0.2', '203.0.113.9'],
  [4, '127.0.0.1', '198.51.100.255'],
  [6, '::ffff:127.0.0.1', PEER4],
  [6, '::1', PEER6],
  [6, '::1', 'ff05::5'],
] as const)('a udp%i endpoint bound to %s', (family, from, to) => {
  test(`neither sends nor connects to ${to}: EINVAL`, () => {
    const { stack, sources } = makeTwo()
    const { endpoint } = open(stack, family, 0, from)
    expect(send(endpoint, pattern(1), to, 9)).toBe('EINVAL')
    expect(endpoint.connect(Address.parse(to), 9)).toBe('EINVAL')
    expect(endpoint.remoteAddress).toBe(null)
    expect(sources()).toEqual([[], []])
    expect(dropCount(stack, 'IpLoopbackLeaves')).toBe(0)
  })
})

test('a source that is asked for is one of the host, and leaves by no wrong way', () => {
  const { stack, sources } = makeTwo()
  const { endpoint } = open(stack, 4)
  const by = (source: string, to = PEER4, nic?: number) =>
    send(endpoint, pattern(1), to, 9, { source: Address.parse(source), ...(nic === undefined ? {} : { nic }) })
  expect(['127.0.0.1', '192.0.2.77', '198.51.100.255', '239.1.1.1', '255.255.255.255'].map((each) => by(each))).toEqual(
    Array(5).fill('EINVAL'),
  )
  expect([by('0.0.0.0'), by('203.0.113.20')]).toEqual(['', ''])
  expect(sources()).toEqual([[HOST4, '203.0.113.20'], []])
  // A group leaves by the nic of its source.
  expect([by('203.0.113.20', '239.1.1.1'), by(HOST4, '239.1.1.1')]).toEqual(['', ''])
  expect(sources()).toEqual([[HOST4], ['203.0.113.20']])
  // What has no route over the nic that is asked for is on its link.
  expect(by('0.0.0.0', '192.0.2.200', ETH1)).toBe('')
  expect(sources()).toEqual([[], ['203.0.113.20']])
  // But there is nobody else on the loopback's.
  expect(by('0.0.0.0', '192.0.2.200', 1)).toBe('ENETUNREACH')
  expect(by('0.0.0.0', '127.0.0.1', ETH0)).toBe('EINVAL')
})

test('an IPv6 source that is asked for is on the nic that is asked for, if it is of less than global scope', () => {
  const { stack, sources } = makeTwo()
  const { endpoint } = open(stack, 6)
  const by = (source: string, to: string, nic?: number, zone = 0) =>
    send(endpoint, pattern(1), to, 9, { source: Address.parse(source), ...(nic === undefined ? {} : { nic }) }, zone)
  expect(by('fe80::21', PEER6)).toBe('EINVAL')
  expect(by('fe80::21', 'fe80::9', ETH0)).toBe('EINVAL')
  expect(by('fe80::21', 'fe80::9', ETH1, ETH0)).toBe('EINVAL')
  expect(by('::1', 'fe80::9', ETH0)).toBe('EINVAL')
  expect(by('::ffff:198.51.100.20', PEER6)).toBe('EINVAL')
  expect(sources()).toEqual([[], []])
  expect([by('fe80::21', 'fe80::9', ETH1), by(HOST6, 'fe80::9', ETH1), by('::', 'fe80::9', ETH1)]).toEqual(['', '', ''])
  expect(sources()).toEqual([[], ['fe80::21', HOST6, 'fe80::21']])
})

test(
  '0.0.0.0 is the bound address, and 127.0.0.1 without one; :: is ::1, and 127.0.0.1 to who is bound to ' + 'IPv4',
  () => {
    const { stack } = makeTwo()
    const peerOf = (family: 4 | 6, bound: string, to: string) => {
      const { endpoint } = open(stack, family, 0, bound)
      expect(endpoint.connect(Address.parse(to), 9)).toBe('')
      return endpoint.remoteAddress?.toString()
    }
    expect(peerOf(4, '0.0.0.0', '0.0.0.0')).toBe('127.0.0.1')
    expect(peerOf(4, HOST4, '0.0.0.0')).toBe(HOST4)
    expect(peerOf(6, `::ffff:${HOST4}`, '::ffff:0.0.0.0')).toBe(HOST4)
    expect(peerOf(6, `::ffff:${HOST4}`, '::')).toBe('127.0.0.1')
    expect(peerOf(6, '::ffff:0.0.0.0', '::')).toBe('127.0.0.1')
    expect(peerOf(6, HOST6, '::')).toBe('::1')
    expect(peerOf(6, '::', '::')).toBe('::1')
  },
)

test('who is bound to IPv4 reaches no IPv6 (EAFNOSUPPORT), and who is bound to IPv6 no IPv4 (ENETUNREACH)', () => {
  const { stack } = makeTwo()
  for (const bound of [`::ffff:${HOST4}`, '::ffff:0.0.0.0', '::ffff:239.1.1.1']) {
    const { endpoint } = open(stack, 6, 0, bound)
    expect([send(endpoint, pattern(1), PEER6, 9), endpoint.connect(Address.parse(PEER6), 9)]).toEqual([
      'EAFNOSUPPORT',
      'EAFNOSUPPORT',
    ])
  }
  for (const bound of [HOST6, '::1', 'ff05::1']) {
    const { endpoint } = open(stack, 6, 0, bound)
    expect([send(endpoint, pattern(1), PEER4, 9), endpoint.connect(Address.parse(PEER4), 9)]).toEqual([
      'ENETUNREACH',
      'ENETUNREACH',
    ])
  }
})

describe('a zone', () => {
  const scoped = (stack: ReturnType<typeof makeTwo>['stack'], address: string, nic: number) => {
    const mine = stack.udp.createEndpoint(6, { receive() {}, flush() {}, icmp() {} })
    expect(mine.bind(Address.parse(address), 5001, nic)).toBe('')
    return mine
  }

  test('of the bound address keeps the endpoint to its nic', () => {
    const { stack, sources } = makeTwo()
    const endpoint = scoped(stack, 'fe80::20', ETH1)
    expect(endpoint.connect(Address.parse('fe80::9'), 9, ETH0)).toBe('EINVAL')
    expect(['2001:db8:b::9', '::1', HOST6].map((to) => send(endpoint, pattern(1), to, 9))).toEqual(
      Array(3).fill('ENETUNREACH'),
    )
    expect(send(endpoint, pattern(1), '2001:db8:c::9', 9)).toBe('')
    expect(sources()).toEqual([[], ['fe80::20']])
  })

  test('of the peer is that of the endpoint, until it has no peer', () => {
    const { stack, sources } = makeTwo()
    const { endpoint } = open(stack, 6, 5000)
    expect(endpoint.connect(Address.parse('fe80::9'), 9, ETH1)).toBe('')
    expect([endpoint.localAddress.toString(), endpoint.device]).toEqual(['fe80::21', ETH1])
    endpoint.disconnect()
    expect([endpoint.localAddress.toString(), endpoint.device]).toEqual(['::', 0])
    expect(send(endpoint, pattern(1), 'fe80::9', 9, null, ETH0)).toBe('')
    expect(sources()).toEqual([['fe80::20'], []])
  })

  test('says nothing about a global address', () => {
    const { stack, sources } = makeTwo()
    const { endpoint } = open(stack, 6)
    expect(send(endpoint, pattern(1), PEER6, 9, null, ETH1)).toBe('')
    expect(sources()).toEqual([[HOST6], []])
  })
})

test('IP_MULTICAST_IF by address is the source of groups, IPv6 groups do not heed it', () => {
  const { stack, sources } = makeTwo()
  stack.nic('eth0')?.addAddress('198.51.100.21/24')
  const socket = stack.udp.createEndpoint(6, { receive() {}, flush() {}, icmp() {} })
  expect(socket.bind(Address.ANY6, 5000)).toBe('')
  socket.multicastNic4 = ETH0
  socket.multicastSource4 = Address.parse('198.51.100.21')
  socket.multicastNic6 = ETH1
  expect([send(socket, pattern(1), '239.1.1.1', 9), send(socket, pattern(1), 'ff05::5', 9)]).toEqual(['', ''])
  expect(sources()).toEqual([['198.51.100.21'], ['2001:db8:c::20']])
})

test('a host without an address asks for one from 0.0.0.0 (RFC 1122 section 3.2.1.3)', () => {
  const { stack, nic, sources } = makeTwo()
  for (const each of [nic, stack.nic('eth1')])
    for (const { address } of each?.addresses ?? []) if (address.family === 4) each?.removeAddress(address)
  const { endpoint } = open(stack, 4, 68)
  endpoint.broadcast = true
  endpoint.boundNic = ETH0
  expect(send(endpoint, pattern(1), '255.255.255.255', 67)).toBe('')
  expect(sources()).toEqual([['0.0.0.0'], []])
})
