/** The MIB counters under Linux's names, and what drops count as. */
import { describe, expect, test } from 'vitest'
import { Drop, type DropName, dropCounters } from '../../src/base/drop.ts'
import { Packet } from '../../src/base/packet.ts'
import { type CounterName, Counters } from '../../src/ip/counters.ts'

function packetOf(family: number): Packet {
  const packet = new Packet(0)
  packet.family = family
  return packet
}

const drops = Object.entries(Drop).filter(([name]) => name !== 'None') as [DropName, Drop][]

describe('the counters of a stack', () => {
  test('are zero at first, and then not printed', () => {
    const counters = new Counters()
    expect(counters.nonZero()).toEqual({})
    expect(new Set(Object.values(counters.toJSON()))).toEqual(new Set([0]))
  })

  test('have a name for every field of IPv4, and for every field of IPv6', () => {
    for (const family of [4, 6]) {
      const counters = new Counters()
      const mib = counters.of(family) as unknown as Record<string, number>
      const fields = Object.keys(mib)
      for (const field of fields) mib[field] = 1
      const own = /^IcmpIn(Timestamps)|^IcmpOut(TimestampReps)/
      const other = /PktTooBigs|GroupMemb|Router|Neighbor|MLDv2/
      const printed = fields.filter((field) => !(family === 4 ? other : own).test(field))
      expect(Object.keys(counters.nonZero())).toHaveLength(printed.length)
    }
  })

  test('say IPv6 as Linux does, where its words are others', () => {
    const counters = new Counters()
    counters.six.IpForwDatagrams = 1
    counters.six.IcmpInParmProbs = 2
    counters.six.IcmpOutEchoReps = 3
    counters.four.IpForwDatagrams = 4
    counters.four.IcmpInParmProbs = 5
    expect(counters.nonZero()).toEqual({
      IpForwDatagrams: 4,
      Ip6OutForwDatagrams: 1,
      IcmpInParmProbs: 5,
      Icmp6InParmProblems: 2,
      Icmp6OutEchoReplies: 3,
    })
    expect(counters.Ip6OutForwDatagrams).toBe(1)
  })

  test('are printed in the order of /proc/net/snmp and /proc/net/snmp6, whatever moved first', () => {
    const counters = new Counters()
    counters.six.UdpInDatagrams++
    counters.drop(Drop.IpChecksum, packetOf(4))
    counters.four.IcmpInMsgs++
    counters.four.IpInReceives++
    expect(Object.keys(counters.nonZero())).toEqual(['IpInReceives', 'IpInHdrErrors', 'IcmpInMsgs', 'Udp6InDatagrams'])
    expect(JSON.parse(JSON.stringify(counters))).toMatchObject({ IpInReceives: 1, IpInHdrErrors: 1, Ip6InReceives: 0 })
  })
})

describe('a drop', () => {
  test.each(drops)('of %s moves its counters once, in its own family only', (_, drop) => {
    for (const family of [0, 4, 6]) {
      const counters = new Counters()
      counters.drop(drop, packetOf(family))
      counters.drop(drop, packetOf(family))
      const expected = dropCounters(drop).map((name) =>
        family === 6 ? name.replace(/^[A-Z][a-z]+/, (layer) => `${layer}6`) : name,
      )
      expect(counters.nonZero()).toEqual(Object.fromEntries(expected.map((name) => [name, 2])))
      for (const name of expected) expect(counters[name as CounterName]).toBe(2)
      expect(counters.dropCount(drop)).toBe(2)
    }
  })

  test('is listed in the order of the codes, with both families in one row', () => {
    const counters = new Counters()
    counters.drop(Drop.UdpNoPort, packetOf(4))
    counters.drop(Drop.UdpNoPort, packetOf(6))
    counters.drop(Drop.LinkDown, packetOf(4))
    expect(counters.drops).toEqual([
      { reason: 'LinkDown', layer: 'link', count: 1 },
      { reason: 'UdpNoPort', layer: 'udp', count: 2 },
    ])
  })
})
