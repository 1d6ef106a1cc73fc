import { describe, expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { Stack } from '../../../src/stack.ts'
import { TestLink } from '../../host.ts'

/** The source that a datagram to an address gets, from a stack with these addresses per nic. */
function sourceFor(
  to: string,
  nics: Record<string, readonly string[]>,
  routes: readonly { to: string; via?: string; nic?: string; source?: string }[] = [],
): string | null {
  const stack = new Stack({ clock: new ManualClock(), random: new SeededRandom(1) })
  for (const [name, addresses] of Object.entries(nics)) stack.addNic(new TestLink(name), { addresses })
  for (const route of routes) stack.addRoute(route)
  const { w0, w1, w2, w3 } = Address.parse(to)
  const route = stack.ip.route(w0, w1, w2, w3, 0)
  return route === null ? null : (stack.ip.selectSource(route, w0, w1, w2, w3)?.toString() ?? null)
}

describe('the source address in IPv4', () => {
  test('is the one whose prefix holds the destination', () => {
    const nics = { eth0: ['10.0.0.1/24', '10.0.1.1/24', '10.0.1.2/24'] }
    expect(sourceFor('10.0.0.9', nics)).toBe('10.0.0.1')
    expect(sourceFor('10.0.1.9', nics)).toBe('10.0.1.1')
  })

  test('is the one whose prefix holds the gateway', () => {
    const nics = { eth0: ['10.0.0.1/24', '10.0.1.1/24'] }
    expect(sourceFor('192.0.2.1', nics, [{ to: 'default', via: '10.0.1.254' }])).toBe('10.0.1.1')
    expect(sourceFor('192.0.2.1', nics, [{ to: 'default', via: '10.0.0.254' }])).toBe('10.0.0.1')
  })

  test('is the route’s own, when it has one', () => {
    const nics = { eth0: ['10.0.0.1/24', '10.0.0.2/24'] }
    expect(sourceFor('192.0.2.1', nics, [{ to: '192.0.2.0/24', via: '10.0.0.254', source: '10.0.0.2' }])).toBe(
      '10.0.0.2',
    )
  })

  test('is that of another nic, when the outgoing one has none', () => {
    expect(sourceFor('192.0.2.1', { eth0: [], eth1: ['10.0.0.1/24'] }, [{ to: 'default', nic: 'eth0' }])).toBe(
      '10.0.0.1',
    )
  })

  test('of the loopback is 127.0.0.1', () => {
    expect(sourceFor('127.7.7.7', { eth0: ['10.0.0.1/24'] })).toBe('127.0.0.1')
  })

  test('is none where there is no route', () => {
    expect(sourceFor('192.0.2.1', { eth0: ['10.0.0.1/24'] })).toBe(null)
  })
})

describe('the source address in IPv6 (RFC 6724 section 5)', () => {
  const viaRouter = [{ to: '::/0', via: '2001:db8:1::ffff' }]

  test('rule 1: is the destination itself, when it is ours', () => {
    expect(sourceFor('2001:db8:1::1', { eth0: ['2001:db8:1::1/64', '2001:db8:1::2/64'] })).toBe('2001:db8:1::1')
    expect(sourceFor('2001:db8:1::2', { eth0: ['2001:db8:1::1/64', '2001:db8:1::2/64'] })).toBe('2001:db8:1::2')
  })

  test('rule 2: has the smallest scope that is large enough', () => {
    const nics = { eth0: ['fe80::1/64', '2001:db8:1::1/64'] }
    expect(sourceFor('2001:db8:2::1', nics, viaRouter)).toBe('2001:db8:1::1')
    expect(sourceFor('fe80::9', nics)).toBe('fe80::1')
    expect(sourceFor('ff02::1', nics)).toBe('fe80::1')
    expect(sourceFor('ff0e::1', nics)).toBe('2001:db8:1::1')
  })

  test('rule 5: is one of the outgoing nic', () => {
    const nics = { eth0: ['2001:db8:1::1/64'], eth1: ['2001:db8:2::1/64'] }
    expect(sourceFor('2001:db8:2:0:ffff::1', nics, viaRouter)).toBe('2001:db8:2::1')
    expect(sourceFor('2001:db8:3::1', nics, viaRouter)).toBe('2001:db8:1::1')
  })

  test('rule 3 goes before rule 5: a deprecated address of the outgoing nic gives way to another nic’s', () => {
    const stack = new Stack({ clock: new ManualClock(), random: new SeededRandom(1) })
    const near = stack.addNic(new TestLink('eth0'), { addresses: ['2001:db8:1::1/64'] })
    stack.addNic(new TestLink('eth1'), { addresses: ['2001:db8:2::1/64'] })
    const source = () => {
      const { w0, w1, w2, w3 } = Address.parse('2001:db8:1::9')
      const route = stack.ip.route(w0, w1, w2, w3, 0)
      return route === null ? null : stack.ip.selectSource(route, w0, w1, w2, w3)?.toString()
    }
    expect(source()).toBe('2001:db8:1::1')
    near.setDeprecated(Address.parse('2001:db8:1::1'), true)
    expect(source()).toBe('2001:db8:2::1')
  })

  test('rule 6: is of the kind of the destination, whatever they have in common', () => {
    // Unique local (RFC 4193), 6to4 (RFC 3056) and Teredo (RFC 4380) addresses are good for their
    // own kind.
    const nics = { eth0: ['2001:db8:1::1/64', 'fd00::1/64', '2002:c000:201::1/64', '2001:0:1::1/64'] }
    expect(sourceFor('fc12::1', nics, viaRouter)).toBe('fd00::1')
    expect(sourceFor('2002:1::1', nics, viaRouter)).toBe('2002:c000:201::1')
    expect(sourceFor('2001:0:ffff::1', nics, viaRouter)).toBe('2001:0:1::1')
    // 2001:1::/32 has more bits in common with Teredo's prefix, and f000::/8 with unique local
    // addresses.
    expect(sourceFor('2001:1::1', nics, viaRouter)).toBe('2001:db8:1::1')
    expect(sourceFor('f000::1', nics, viaRouter)).toBe('2001:db8:1::1')
  })

  test('rule 8 counts the prefix alone, not the interface identifier', () => {
    const nics = { eth0: ['2001:db8:1::1:1/64', '2001:db8:1::ffff:1/64'] }
    expect(sourceFor('2001:db8:1::1:2', nics)).toBe('2001:db8:1::ffff:1')
    expect(sourceFor('2001:db8:1::ffff:2', { eth0: nics.eth0.slice().reverse() })).toBe('2001:db8:1::1:1')
  })

  test('is the one that was added last, when nothing else tells them apart (Linux: ipv6_link_dev_addr)', () => {
    const nics = { eth0: ['2001:db8:1::1/64', '2001:db8:1::2/64', '2001:db8:1::3/64'] }
    expect(sourceFor('2001:db8:1::9', nics)).toBe('2001:db8:1::3')
  })

  test('rule 8: has the longest prefix in common with the destination', () => {
    const nics = { eth0: ['2001:db8:1::1/64', '2001:db8:1000::1/64', '2001:db9::1/64'] }
    expect(sourceFor('2001:db8:1000:9::9', nics, viaRouter)).toBe('2001:db8:1000::1')
    expect(sourceFor('2001:db8:2::1', nics, viaRouter)).toBe('2001:db8:1::1')
    expect(sourceFor('2001:db9:5::1', nics, viaRouter)).toBe('2001:db9::1')
  })

  test('is never a link-local one of another nic', () => {
    expect(sourceFor('fe80::9', { eth0: ['fe80::1/64'], eth1: ['fe80::2/64'] })).toMatch(/^fe80::[12]$/)
    const route = [{ to: '2001:db8:9::/64', nic: 'eth1' }]
    expect(sourceFor('2001:db8:9::9', { eth0: ['fe80::1/64'], eth1: ['fe80::2/64'] }, route)).toBe('fe80::2')
  })

  test('of the loopback is ::1', () => {
    expect(sourceFor('::1', { eth0: ['2001:db8:1::1/64'] })).toBe('::1')
  })
})
