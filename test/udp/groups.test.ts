import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { Packet } from '../../src/base/packet.ts'
import type { Subscriber } from '../../src/ip/groups/memberships.ts'
import { EndpointGroups, type GroupHost } from '../../src/udp/groups.ts'

/** Two nics, 1 and 2, that write down what they are told; groups are routed over nic 1. */
function makeGroups(family: 4 | 6 = 4) {
  const told: string[] = []
  const text = ({ group, exclude, sources }: Subscriber) =>
    `${group} ${exclude ? 'all but' : 'only'} [${sources.join(' ')}]`
  const nic = (index: number) => ({
    index,
    memberships: { changed: (each: Subscriber) => void told.push(`${index}: changed ${text(each)}`) },
    join: (each: Subscriber) => void told.push(`${index}: join ${text(each)}`),
    leave: (each: Subscriber) => void told.push(`${index}: leave ${text(each)}`),
  })
  const nics = [undefined, nic(1), nic(2)]
  const host: GroupHost = {
    nicByIndex: (index) => nics[index],
    route: (w0) => (w0 >>> 24 === 0xff ? null : { nic: { index: 1 } }),
  }
  return { groups: new EndpointGroups(host, family), told }
}

const G = Address.parse('239.1.1.1')
const A = Address.parse('10.0.0.1')
const B = Address.parse('10.0.0.2')

function datagram(source: Address, group = G) {
  const packet = new Packet(64)
  packet.family = group.family
  Object.assign(packet, { s0: source.w0, s1: source.w1, s2: source.w2, s3: source.w3 })
  Object.assign(packet, { d0: group.w0, d1: group.w1, d2: group.w2, d3: group.w3 })
  return packet
}

describe('the groups of an endpoint', () => {
  test('are joined once a nic, on the route’s nic when none is named', () => {
    const { groups, told } = makeGroups()
    expect([groups.join(G, 0), groups.join(G, 1), groups.join(G, 2), groups.join(G, 3)]).toEqual([
      '',
      'EADDRINUSE',
      '',
      'ENODEV',
    ])
    expect(told).toEqual(['1: join 239.1.1.1 all but []', '2: join 239.1.1.1 all but []'])
  })

  test('are left nic by nic, all of them at the end', () => {
    const { groups, told } = makeGroups()
    for (const nic of [1, 2]) groups.join(G, nic)
    groups.join(Address.parse('239.1.1.2'), 2)
    told.length = 0
    expect([groups.leave(G, 2), groups.leave(G, 2), groups.leave(G, 9), groups.leave(A, 1)]).toEqual([
      '',
      'EADDRNOTAVAIL',
      'ENODEV',
      'EINVAL',
    ])
    groups.leaveAll()
    groups.leaveAll()
    expect(told.map((each) => each.slice(0, 18))).toEqual([
      '2: leave 239.1.1.1',
      '1: leave 239.1.1.1',
      '2: leave 239.1.1.2',
    ])
  })

  test('without a route and a nic are ENODEV, and EINVAL when they are none of the endpoint’s family', () => {
    const six = Address.parse('ff15::1')
    expect(makeGroups(6).groups.join(six, 0)).toBe('ENODEV')
    expect([makeGroups(4).groups.join(six, 1), makeGroups(4).groups.join(A, 1)]).toEqual(['EINVAL', 'EINVAL'])
    expect(makeGroups(6).groups.join(G, 1)).toBe('')
  })

  test('are at most 20 of a udp4 endpoint (igmp_max_memberships)', () => {
    const { groups } = makeGroups()
    const joined = Array.from({ length: 21 }, (_, i) => groups.join(Address.parse(`239.2.0.${i}`), 1))
    expect(joined).toEqual([...Array(20).fill(''), 'ENOBUFS'])
  })

  test('from one source tell the nic of every change, and of the last one only that the group is left', () => {
    const { groups, told } = makeGroups()
    expect([groups.joinSource(G, A, 1), groups.joinSource(G, B, 1), groups.joinSource(G, B, 1)]).toEqual([
      '',
      '',
      'EADDRNOTAVAIL',
    ])
    expect(groups.blockSource(G, A, 1)).toBe('EINVAL')
    expect([groups.leaveSource(G, A, 1), groups.leaveSource(G, A, 1), groups.leaveSource(G, B, 1)]).toEqual([
      '',
      'EADDRNOTAVAIL',
      '',
    ])
    expect(groups.leaveSource(G, B, 1)).toBe('EINVAL')
    expect(told).toEqual([
      '1: join 239.1.1.1 only [10.0.0.1]',
      '1: changed 239.1.1.1 only [10.0.0.1 10.0.0.2]',
      '1: changed 239.1.1.1 only [10.0.0.2]',
      '1: leave 239.1.1.1 only [10.0.0.2]',
    ])
  })

  test.each([
    [4, 10],
    [6, 64],
  ] as const)('have at most so many sources in IPv%i: %i (igmp_max_msf, mld_max_msf)', (family, most) => {
    const { groups } = makeGroups(family)
    const group = Address.parse(family === 4 ? '239.1.1.1' : 'ff15::1')
    const source = (i: number) => Address.parse(family === 4 ? `10.0.0.${i + 1}` : `2001:db8::${i + 1}`)
    const joined = Array.from({ length: most + 1 }, (_, i) => groups.joinSource(group, source(i), 1))
    expect(joined).toEqual([...Array(most).fill(''), 'ENOBUFS'])
  })

  test('decide which datagrams of a nic are wanted', () => {
    const { groups } = makeGroups()
    // Linux: IP_MULTICAST_ALL.
    expect(groups.allows(datagram(A), 1)).toBe(true)
    groups.join(G, 1)
    groups.blockSource(G, B, 1)
    groups.joinSource(G, B, 2)
    const wanted = (nic: number) => [A, B].map((source) => groups.allows(datagram(source), nic))
    expect([wanted(1), wanted(2)]).toEqual([
      [true, false],
      [false, true],
    ])
    groups.unblockSource(G, B, 1)
    expect(wanted(1)).toEqual([true, true])
    // A udp6 endpoint has no IP_MULTICAST_ALL.
    expect(makeGroups(6).groups.allows(datagram(A), 1)).toBe(false)
  })
})
