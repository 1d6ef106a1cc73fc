/**
 * What no error answers: RFC 4443 section 2.4 (e), RFC 1122 section 3.2.2, RFC 1812 section
 * 4.3.2.7.
 */
import { describe, expect, test } from 'vitest'
import { HOST6, makeHost, PEER6, TestLink } from '../host.ts'
import { datagram, fragmentHeader, hex, icmpPacket, ipv4, ipv6, pattern } from '../packet.ts'

const FAR6 = '2001:db8:c::9'

function makeRouter() {
  const host = makeHost({ forwarding: true })
  const outside = new TestLink('eth1', 1300)
  host.stack.addNic(outside, { addresses: ['2001:db8:c::1/64', '192.0.2.1/24'] })
  for (const route of host.stack.ip.routes.list()) if (route.prefix.length === 0) host.stack.removeRoute(route)
  return { ...host, outside }
}

/** What draws an error about a packet that is passed on, for any other message. */
const ways: readonly (readonly [string, object])[] = [
  ['whose hop limit runs out', { destination: FAR6, hopLimit: 1 }],
  ['without a route', { destination: '2001:db8:dead::1', hopLimit: 64 }],
  ['beyond the scope of its source', { destination: FAR6, source: 'fe80::9', hopLimit: 64 }],
]
const body = [...pattern(32)]

describe('a router', () => {
  test.each(ways)('answers an echo request %s, but neither a redirect nor an error', (_, fields) => {
    const { link, stack } = makeRouter()
    const ends = { source: '2001:db8:b::9', ...fields }
    link.receive(icmpPacket(128, 0, 0, body, 6, ends))
    expect(link.take()).toHaveLength(1)
    for (const type of [137, 1, 2, 3, 4, 100, 127]) link.receive(icmpPacket(type, 0, 0, body, 6, ends))
    expect(link.take().map(hex)).toEqual([])
    expect(stack.drops.reduce((sum, { count }) => sum + count, 0)).toBe(8)
  })

  test('answers no redirect that is too big for the next link', () => {
    const { link } = makeRouter()
    const ends = { source: '2001:db8:b::9', destination: FAR6 }
    link.receive(icmpPacket(137, 0, 0, pattern(1400), 6, ends))
    expect(link.take()).toEqual([])
    link.receive(icmpPacket(136, 0, 0, pattern(1400), 6, ends))
    expect(link.take()).toHaveLength(1)
  })

  test('answers no redirect with a bad option, nor one behind extension headers', () => {
    const { link } = makeRouter()
    const source = '2001:db8:b::9'
    const behind = (next: number, message: ArrayLike<number>) => [next, 0, 0x9e, 4, 0, 0, 0, 0, ...Array.from(message)]
    const message = icmpPacket(137, 0, 0, body, 6, { source, destination: HOST6 }).subarray(40)
    for (const next of [0, 60]) link.receive(ipv6(behind(58, message), { source, next }))
    link.receive(ipv6(behind(58, message), { source, next: 60, destination: FAR6, hopLimit: 1 }))
    expect(link.take()).toEqual([])
    for (const next of [0, 60])
      link.receive(ipv6(behind(17, datagram([1], 6, { source }).subarray(40)), { source, next }))
    expect(link.take()).toHaveLength(2)
  })
})

describe('a host', () => {
  test('answers no redirect in fragments of which the rest never comes', () => {
    const { link, clock } = makeHost()
    const message = icmpPacket(137, 0, 0, body, 6, { source: PEER6, destination: HOST6 }).subarray(40)
    link.receive(ipv6([...fragmentHeader(58, 0, true), ...message.subarray(0, 32)], { next: 44 }))
    clock.advance(61_000)
    expect(link.take()).toEqual([])
  })

  test('answers no ICMPv4 redirect or error of an unknown kind', () => {
    const { link } = makeHost()
    for (const type of [3, 4, 5, 11, 12, 41, 200])
      link.receive(ipv4([type, ...pattern(27)], { protocol: 1, options: [0x83, 3, 4, 0] }))
    expect(link.take()).toEqual([])
  })
})
