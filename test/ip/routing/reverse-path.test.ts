import { describe, expect, test } from 'vitest'
import { Address, Prefix } from '../../../src/base/address.ts'
import { Packet } from '../../../src/base/packet.ts'
import { type ReversePath, ReversePathFilter } from '../../../src/ip/routing/reverse-path.ts'
import type { RouteNic } from '../../../src/ip/routing/route-nic.ts'
import { RouteTable } from '../../../src/ip/routing/route-table.ts'

/** 192.0.2.0/24 is behind nic 2, 198.51.100.0/24 behind nic 3; nothing else has a route. */
function expects(mode: ReversePath, source: string, nic: number): boolean {
  const routes = new RouteTable()
  for (const [to, index] of [
    ['192.0.2.0/24', 2],
    ['198.51.100.0/24', 3],
  ] as const)
    routes.add({
      prefix: Prefix.parse(to),
      nic: { index, isUp: true } as RouteNic,
      gateway: null,
      metric: 0,
      source: null,
      mtu: 0,
      kind: 'unicast',
    })
  const { w0: s0, w1: s1, w2: s2, w3: s3 } = Address.parse(source)
  return new ReversePathFilter(mode, routes).expects(Object.assign(new Packet(64), { s0, s1, s2, s3 }), nic)
}

describe('the reverse path of a packet', () => {
  test.each<[ReversePath, string, string, number, boolean]>([
    ['off', 'that nothing leads to', '203.0.113.1', 2, true],
    ['loose', 'that nothing leads to', '203.0.113.1', 2, false],
    ['strict', 'that nothing leads to', '203.0.113.1', 2, false],
    ['off', 'behind another nic', '192.0.2.1', 3, true],
    ['loose', 'behind another nic', '192.0.2.1', 3, true],
    ['strict', 'behind another nic', '192.0.2.1', 3, false],
    ['strict', 'behind its nic', '192.0.2.1', 2, true],
    ['strict', 'of the link', 'fe80::1', 2, true],
  ])('%s, from a source %s (%s by nic %i), is expected: %s', (mode, _, source, nic, expected) => {
    expect(expects(mode, source, nic)).toBe(expected)
  })
})
