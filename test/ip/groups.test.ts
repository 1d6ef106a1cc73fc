/**
 * Group management of a host: IGMP (RFC 9776, RFC 2236, RFC 1112) and MLD (RFC 9777, RFC 2710),
 * side by side.
 */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import type { Endpoint } from '../../src/udp/endpoint.ts'
import {
  bytesOf,
  type EthernetHost,
  ethernetHost,
  frame,
  groupMac6,
  hex,
  OTHER_MAC,
  OUR_LINK_LOCAL,
  OUR_MAC,
  OUR4,
  OUR6,
  PEER_LINK_LOCAL,
  PEER_MAC,
  PEER4,
} from '../ethernet.ts'
import { dropCount, type Mailbox, makeHost, open } from '../host.ts'
import { datagram, icmp, ipv4, ipv6 } from '../packet.ts'
import { slowChecksum } from '../twins/checksum.ts'
import { readVectors, vector } from '../vectors/read.ts'

const vectors = readVectors('ethernet')
const linux = (name: string) => hex(vector(vectors, name).bytes)
const two = (value: number) => [(value >>> 8) & 255, value & 255]

interface Query {
  readonly group?: string
  readonly sources?: readonly string[]
  readonly response?: number
  /** The field itself, for a time that {@link response} has no room for. */
  readonly code?: number
  readonly version?: 1 | 2 | 3
  readonly robustness?: number
  readonly hopLimit?: number
  readonly destination?: string
}

/** One protocol: where its groups and queries are, and how its messages read. */
interface Protocol {
  readonly name: string
  readonly family: 4 | 6
  readonly group: string
  readonly other: string
  readonly sources: readonly [string, string, string]
  readonly own: string
  /** A query in a frame: version 3 (and MLDv2) unless told otherwise; milliseconds. */
  query(query: Query): Uint8Array
  /** Another host's report of an older version. */
  heard(group: string, destination?: string, hopLimit?: number): Uint8Array
  /**
   * What a frame of ours says: records `type group sources…`, or `report`, `v1 report`, `leave`.
   */
  read(frame: string): string
  readonly timeout: number
}

const toBytes = (text: string) => Uint8Array.from((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)))
const RECORDS = ['', 'is-in', 'is-ex', 'to-in', 'to-ex', 'allow', 'block']

function readRecords(bytes: Uint8Array, at: number, size: number): string {
  const view = new DataView(bytes.buffer)
  const address = (offset: number) => Address.fromBytes(bytes.subarray(offset, offset + size)).toString()
  const count = view.getUint16(at + 6)
  let offset = at + 8
  const records = []
  for (let i = 0; i < count; i++) {
    const sources = view.getUint16(offset + 2)
    const listed = Array.from({ length: sources }, (_, index) => address(offset + 4 + size * (index + 1)))
    records.push([RECORDS[bytes[offset] as number], address(offset + 4), ...listed].join(' '))
    offset += 4 + size * (sources + 1)
  }
  expect(offset).toBe(bytes.length)
  return records.join(', ')
}

const igmpProtocol: Protocol = {
  name: 'IGMP',
  family: 4,
  group: '239.1.2.3',
  other: '239.7.7.7',
  sources: ['10.0.0.9', '10.0.0.77', '192.0.2.5'],
  own: OUR4,
  query({ group = '0.0.0.0', sources = [], response = 10_000, version = 3, robustness = 2, ...other }) {
    const code = other.code ?? (version === 1 ? 0 : response / 100)
    const tail = version < 3 ? [] : [robustness, 125, ...two(sources.length), ...sources.flatMap(bytesOf)]
    return igmpFrame(
      [0x11, code, 0, 0, ...bytesOf(group), ...tail],
      other.destination ?? (group === '0.0.0.0' ? '224.0.0.1' : group),
      other.hopLimit,
    )
  },
  heard: (group, destination = group, hopLimit = 1) =>
    igmpFrame([0x16, 0, 0, 0, ...bytesOf(group)], destination, hopLimit),
  read(text) {
    const bytes = toBytes(text)
    expect(text.slice(24, 32)).toBe('080046c0')
    expect(text.slice(44, 48)).toBe('0102')
    expect(text.slice(68, 76)).toBe('94040000')
    const destination = Address.fromBytes(bytes.subarray(30, 34)).toString()
    const group = () => Address.fromBytes(bytes.subarray(42, 46)).toString()
    const [kind] = bytes.subarray(38) as unknown as [number]
    if (kind === 0x22) {
      expect(destination).toBe('224.0.0.22')
      return readRecords(bytes, 38, 4)
    }
    expect(destination).toBe(kind === 0x17 ? '224.0.0.2' : group())
    return `${kind === 0x12 ? 'v1 report' : kind === 0x16 ? 'report' : 'leave'} ${group()}`
  },
  timeout: 2 * 125_000 + 10_000,
}

function igmpFrame(message: readonly number[], destination: string, hopLimit = 1): Uint8Array {
  const checksum = slowChecksum(Uint8Array.from(message))
  const payload = [...message.slice(0, 2), ...two(checksum), ...message.slice(4)]
  const packet = ipv4(payload, { protocol: 2, ttl: hopLimit, source: PEER4, destination, options: [0x94, 4, 0, 0] })
  if (destination === OUR4) return frame(OUR_MAC, PEER_MAC, 0x0800, packet)
  const [, b = 0, c = 0, d = 0] = bytesOf(destination)
  return frame(
    `01:00:5e:${[b & 127, c, d].map((each) => each.toString(16).padStart(2, '0')).join(':')}`,
    PEER_MAC,
    0x0800,
    packet,
  )
}

const mldProtocol: Protocol = {
  name: 'MLD',
  family: 6,
  group: 'ff15::1234',
  other: 'ff15::7777',
  sources: ['2001:db8::9', '2001:db8::77', '2001:db8:5::5'],
  own: OUR6,
  query({ group = '::', sources = [], response = 10_000, version = 3, robustness = 2, ...other }) {
    const tail = version < 3 ? [] : [robustness, 125, ...two(sources.length), ...sources.flatMap(bytesOf)]
    const destination = other.destination ?? (group === '::' ? 'ff02::1' : group)
    return mldFrame(130, (other.code ?? response) << 16, [...bytesOf(group), ...tail], destination, other.hopLimit)
  },
  heard: (group, destination = group, hopLimit = 1) => mldFrame(131, 0, bytesOf(group), destination, hopLimit),
  read(text) {
    const bytes = toBytes(text)
    expect(text.slice(24, 29)).toBe('86dd6')
    expect(text.slice(40, 44)).toBe('0001')
    expect(text.slice(108, 124)).toBe('3a00050200000100')
    const destination = Address.fromBytes(bytes.subarray(38, 54)).toString()
    const group = () => Address.fromBytes(bytes.subarray(70, 86)).toString()
    const [kind] = bytes.subarray(62) as unknown as [number]
    if (kind === 143) {
      expect(destination).toBe('ff02::16')
      return readRecords(bytes, 62, 16)
    }
    expect(destination).toBe(kind === 132 ? 'ff02::2' : group())
    return `${kind === 131 ? 'report' : 'leave'} ${group()}`
  },
  timeout: 2 * 125_000 + 10_000,
}

function mldFrame(type: number, rest: number, body: readonly number[], destination: string, hopLimit = 1): Uint8Array {
  const message = icmp(type, 0, rest, body, 6, { source: PEER_LINK_LOCAL, destination })
  const packet = ipv6([58, 0, 5, 2, 0, 0, 1, 0, ...message], {
    next: 0,
    hopLimit,
    source: PEER_LINK_LOCAL,
    destination,
  })
  return frame(destination === OUR6 ? OUR_MAC : groupMac6(destination), PEER_MAC, 0x86dd, packet)
}

/** What was said within a time, with the millisecond. */
function listen(
  host: EthernetHost,
  { read }: Protocol,
  milliseconds: number,
  step = 10,
): { at: number; said: string }[] {
  const said: { at: number; said: string }[] = []
  for (let at = 0; at < milliseconds; at += step)
    for (const each of host.after(step)) said.push({ at, said: read(each) })
  return said
}
const texts = (heard: readonly { said: string }[]) => heard.map(({ said }) => said)

describe("the messages are Linux's, byte for byte", () => {
  const now = (host: EthernetHost) => host.after(0)

  test('IGMPv3: a source allowed and a group joined; both left', () => {
    const host = ethernetHost()
    const { endpoint } = open(host.stack, 4)
    endpoint.groups.joinSource(Address.parse('232.1.2.3'), Address.parse('10.0.0.9'), host.nic.index)
    endpoint.groups.join(Address.parse('239.1.2.3'), host.nic.index)
    expect(now(host)).toEqual([linux('IGMPv3 report that allows a source and changes to exclude')])
    host.after(3000)
    endpoint.groups.leave(Address.parse('239.1.2.3'), host.nic.index)
    endpoint.groups.leave(Address.parse('232.1.2.3'), host.nic.index)
    expect(texts(now(host).map((each) => ({ said: igmpProtocol.read(each) })))).toEqual([
      'block 232.1.2.3 10.0.0.9, to-in 239.1.2.3',
    ])
  })

  test('IGMPv2: a report and a leave', () => {
    const host = ethernetHost()
    host.link.receive(igmpProtocol.query({ version: 2 }))
    const { endpoint } = open(host.stack, 4)
    endpoint.groups.join(Address.parse('239.1.2.4'), host.nic.index)
    expect(now(host)).toEqual([linux('IGMPv2 report')])
    endpoint.groups.leave(Address.parse('239.1.2.4'), host.nic.index)
    expect(now(host)).toEqual([linux('IGMPv2 leave')])
  })

  test('MLDv2: a group joined', () => {
    const host = ethernetHost()
    const { endpoint } = open(host.stack, 6)
    endpoint.groups.join(Address.parse('ff15::1234'), host.nic.index)
    expect(now(host)).toEqual([linux('MLDv2 report that changes to exclude')])
  })

  test('MLDv1: a report and a done', () => {
    const host = ethernetHost()
    host.link.receive(mldProtocol.query({ version: 2 }))
    const { endpoint } = open(host.stack, 6)
    endpoint.groups.join(Address.parse('ff15::1235'), host.nic.index)
    expect(now(host)).toEqual([linux('MLDv1 report')])
    endpoint.groups.leave(Address.parse('ff15::1235'), host.nic.index)
    expect(now(host)).toEqual([linux('MLDv1 done')])
  })

  test('MLDv2 without a link-local address: from nobody (RFC 3590)', () => {
    const host = ethernetHost({ addresses: ['fe80::ff:fe00:1/64'], dad: true, quiet: false })
    expect(host.after(0)).toEqual([linux('MLDv2 report from no address')])
    const later = host.after(10_000).filter((each) => each.slice(124, 126) === '8f')
    expect(later.filter((each) => each.slice(44, 76) === hex(bytesOf(OUR_LINK_LOCAL))).length).toBeGreaterThan(0)
  })
})

describe.each([igmpProtocol, mldProtocol])('$name', (protocol: Protocol) => {
  const { family, group, other, query, read } = protocol
  const [first, second, third] = protocol.sources
  const solicited = family === 6 ? ['is-ex ff02::1:ff00:1'] : []

  function member(
    join: (endpoint: Endpoint, nic: number) => void = (endpoint, nic) =>
      endpoint.groups.join(Address.parse(group), nic),
  ) {
    const host = ethernetHost()
    const { endpoint } = open(host.stack, family)
    join(endpoint, host.nic.index)
    return { host, endpoint, nic: host.nic.index }
  }
  /** A member whose joining was said. */
  function settled(join?: Parameters<typeof member>[0]) {
    const made = member(join)
    made.host.after(20_000)
    return made
  }
  const include =
    (...sources: string[]) =>
    (endpoint: Endpoint, nic: number) => {
      for (const source of sources)
        expect(endpoint.groups.joinSource(Address.parse(group), Address.parse(source), nic)).toBe('')
    }
  const say = (host: EthernetHost) => host.after(0).map(read)

  describe('a change of what the host wants', () => {
    test('is told at once, and once more within a second (robustness 2)', () => {
      const { host } = member()
      const said = listen(host, protocol, 20_000)
      expect(texts(said)).toEqual([`to-ex ${group}`, `to-ex ${group}`])
      expect(said[0]?.at).toBe(0)
      expect(said[1]?.at).toBeLessThanOrEqual(1000)
    })

    test('is told as often as the querier wants', () => {
      const host = ethernetHost()
      host.link.receive(query({ robustness: 5 }))
      host.after(20_000)
      open(host.stack, family).endpoint.groups.join(Address.parse(group), host.nic.index)
      expect(texts(listen(host, protocol, 20_000))).toEqual(Array.from({ length: 5 }, () => `to-ex ${group}`))
    })

    test.each([
      ['INCLUDE to a larger INCLUDE', include(first), include(second), `allow ${group} ${second}`],
      [
        'INCLUDE (A, B) to INCLUDE (B)',
        include(first, second),
        (e: Endpoint, n: number) => e.groups.leaveSource(Address.parse(group), Address.parse(first), n),
        `block ${group} ${first}`,
      ],
      [
        'INCLUDE to nothing',
        include(first),
        (e: Endpoint, n: number) => e.groups.leave(Address.parse(group), n),
        `block ${group} ${first}`,
      ],
      [
        'EXCLUDE () to EXCLUDE (A)',
        undefined,
        (e: Endpoint, n: number) => e.groups.blockSource(Address.parse(group), Address.parse(first), n),
        `block ${group} ${first}`,
      ],
      [
        'EXCLUDE () to nothing',
        undefined,
        (e: Endpoint, n: number) => e.groups.leave(Address.parse(group), n),
        `to-in ${group}`,
      ],
    ] as const)('%s is told as such (RFC 9776 section 5.1)', (_, before, change, record) => {
      const { host, endpoint, nic } = settled(before)
      change(endpoint, nic)
      expect(texts(listen(host, protocol, 20_000))).toEqual([record, record])
    })

    test('that is undone before it was told again says what is true now', () => {
      const { host, endpoint, nic } = settled(include(first))
      include(second)(endpoint, nic)
      expect(say(host)).toEqual([`allow ${group} ${second}`])
      endpoint.groups.leaveSource(Address.parse(group), Address.parse(second), nic)
      expect(texts(listen(host, protocol, 20_000))).toEqual([`block ${group} ${second}`, `block ${group} ${second}`])
    })

    test('of the mode swallows changes of sources before it', () => {
      const { host, endpoint, nic } = settled(include(first))
      include(second)(endpoint, nic)
      const all = open(host.stack, family).endpoint
      all.groups.join(Address.parse(group), nic)
      expect(texts(listen(host, protocol, 20_000))).toEqual([`to-ex ${group}`, `to-ex ${group}`])
      endpoint.close()
      expect(listen(host, protocol, 5000)).toEqual([])
    })

    test('by a second socket that wants the same is no change', () => {
      const { host, nic } = settled()
      const again = open(host.stack, family).endpoint
      again.groups.join(Address.parse(group), nic)
      expect(listen(host, protocol, 5000)).toEqual([])
      again.close()
      expect(listen(host, protocol, 5000)).toEqual([])
    })

    test('of several groups in one turn is one report', () => {
      const { host, endpoint, nic } = member()
      endpoint.groups.join(Address.parse(other), nic)
      expect(say(host)).toEqual([`to-ex ${group}, to-ex ${other}`])
    })

    test('that does not fit one packet is told in several', () => {
      const host = ethernetHost()
      const groups = Array.from({ length: 300 }, (_, at) =>
        family === 4 ? `239.9.${at >> 8}.${at & 255}` : `ff15::9:${at.toString(16)}`,
      )
      const sockets = Array.from({ length: 15 }, () => open(host.stack, family).endpoint)
      groups.forEach((each, at) => {
        expect(sockets[at % 15]?.groups.join(Address.parse(each), host.nic.index)).toBe('')
      })
      const frames = host.after(0)
      const limit = family === 4 ? 1500 : 1280
      expect(frames.every((each) => each.length / 2 - 14 <= limit)).toBe(true)
      expect(frames.map(read).join(', ').split(', ').sort()).toEqual(
        groups.map((each) => `to-ex ${Address.parse(each)}`).sort(),
      )
      expect(frames).toHaveLength(family === 4 ? 2 : 5)
    })

    test('is told on a link of IP packets too, and never on the loopback', () => {
      const { stack, clock, link, nic } = makeHost()
      const { endpoint } = open(stack, family)
      endpoint.groups.join(Address.parse(group), nic.index)
      endpoint.groups.join(Address.parse(other), 1)
      clock.advance(5000)
      const frames = link.take()
      expect(frames).toHaveLength(2)
      expect(stack.netstat().nics.find(({ name }) => name === 'lo')?.txPackets).toBe(0)
    })
  })

  describe('a query', () => {
    test('for all groups is answered once, at a random time within what it allows', () => {
      const { host, endpoint, nic } = settled()
      include2(endpoint, other, first, nic)
      host.after(20_000)
      const times = Array.from({ length: 12 }, () => {
        host.link.receive(query({ response: 8000 }))
        const said = listen(host, protocol, 9000)
        expect(texts(said)).toEqual([[...solicited, `is-ex ${group}`, `is-in ${other} ${first}`].join(', ')])
        return said[0]?.at ?? -1
      })
      expect(Math.max(...times)).toBeLessThanOrEqual(8000)
      expect(Math.max(...times)).toBeGreaterThan(4000)
      expect(Math.min(...times)).toBeLessThan(4000)
    })

    test('for a group is answered for that group, and for a stranger not', () => {
      const { host } = settled()
      host.link.receive(query({ group, response: 1000 }))
      expect(texts(listen(host, protocol, 2000))).toEqual([`is-ex ${group}`])
      host.link.receive(query({ group: other, response: 1000 }))
      expect(listen(host, protocol, 2000)).toEqual([])
    })

    test('for sources is answered with those that are wanted, and not at all when none is', () => {
      const { host } = settled(include(first, second))
      host.link.receive(query({ group, sources: [second, third], response: 1000 }))
      expect(texts(listen(host, protocol, 2000))).toEqual([`is-in ${group} ${second}`])
      host.link.receive(query({ group, sources: [third], response: 1000 }))
      expect(listen(host, protocol, 2000)).toEqual([])
      const all = settled()
      all.endpoint.groups.blockSource(Address.parse(group), Address.parse(first), all.nic)
      all.host.after(5000)
      all.host.link.receive(query({ group, sources: [first, third], response: 1000 }))
      expect(texts(listen(all.host, protocol, 2000))).toEqual([`is-in ${group} ${third}`])
    })

    test('for sources adds to one that is still to be answered; one for the group answers all', () => {
      const { host } = settled(include(first, second))
      host.link.receive(
        query({ group, sources: [first], response: 1000 }),
        query({ group, sources: [second, third], response: 1000 }),
      )
      expect(texts(listen(host, protocol, 2000))).toEqual([`is-in ${group} ${first} ${second}`])
      host.link.receive(query({ group, sources: [first], response: 1000 }), query({ group, response: 1000 }))
      expect(texts(listen(host, protocol, 2000))).toEqual([`is-in ${group} ${first} ${second}`])
      host.link.receive(query({ group, response: 1000 }), query({ group, sources: [first], response: 1000 }))
      expect(texts(listen(host, protocol, 2000))).toEqual([`is-in ${group} ${first} ${second}`])
    })

    test('that leaves more time does not put an answer off, one that leaves less brings it forward', () => {
      for (const [a, b] of [
        [500, 12_000],
        [12_000, 500],
      ] as const) {
        const { host } = settled()
        host.link.receive(query({ group, response: a }), query({ group, response: b }))
        expect(texts(listen(host, protocol, 500))).toEqual([`is-ex ${group}`])
        expect(listen(host, protocol, 15_000)).toEqual([])
      }
    })

    test('is not answered when an answer to a general one comes sooner', () => {
      const { host } = settled()
      host.link.receive(query({ response: 100 }), query({ group, response: 12_000 }))
      expect(texts(listen(host, protocol, 13_000))).toEqual([[...solicited, `is-ex ${group}`].join(', ')])
    })

    test('that is malformed is discarded by name', () => {
      const { host } = settled()
      const cut = query({ group, sources: [first] })
      cut[cut.length - 1] = 0xee
      host.link.receive(cut)
      expect(dropCount(host.stack, family === 4 ? 'GroupReportMalformed' : 'IcmpChecksum')).toBe(1)
      expect(listen(host, protocol, 12_000)).toEqual([])
    })
  })

  describe('a query that nobody may send is discarded by name, and answered by none', () => {
    const elsewhere = family === 4 ? '224.0.0.251' : 'ff02::1:ff00:1'
    const refused: [string, Query][] = [
      ['from beyond the link (its TTL or hop limit is not 1)', { hopLimit: 64 }],
      ['to this host alone from beyond the link', { group, sources: [first], destination: protocol.own, hopLimit: 64 }],
      ['about all groups to one group', { destination: group }],
      ['about all groups of the older version to one group', { destination: group, version: 2 }],
      ['about a group to another one', { group, destination: elsewhere }],
      ['about all groups from some sources', { sources: [first, second] }],
      ['about a group that is none', { group: protocol.own, destination: family === 4 ? '224.0.0.1' : 'ff02::1' }],
    ]
    test.each(refused)('%s', (_, fields) => {
      const { host } = settled()
      host.link.receive(query({ response: 1000, ...fields }))
      expect(dropCount(host.stack, 'GroupReportMalformed')).toBe(1)
      expect(listen(host, protocol, 2000)).toEqual([])
    })

    test(
      'while one to this host alone, by its link, is answered (RFC 9776 section 4.1.12, RFC 9777 section ' + '5.1.15)',
      () => {
        const { host } = settled()
        host.link.receive(query({ group, response: 1000, destination: protocol.own }))
        expect(texts(listen(host, protocol, 2000))).toEqual([`is-ex ${group}`])
      },
    )

    test("and another host's report does not quiet us when it is from beyond the link, or not to its group", () => {
      const { host } = settled()
      host.link.receive(query({ group, response: 1000, version: 2 }))
      host.link.receive(
        protocol.heard(group, group, 64),
        protocol.heard(group, protocol.own),
        protocol.heard(group, elsewhere),
      )
      expect(dropCount(host.stack, 'GroupReportMalformed')).toBe(3)
      expect(texts(listen(host, protocol, 2000))).toEqual([`report ${group}`])
    })
  })

  describe('many queries with many sources', () => {
    /** Queries for sources that nobody wants, `count` in each, none twice. */
    const flood = (queries: number, count: number, fields: Query = {}) =>
      Array.from({ length: queries }, (_, number) => {
        const name = (index: number) => (number * count + index + 1).toString(16)
        const sources = Array.from({ length: count }, (_, index) =>
          family === 4
            ? Address.fromIPv4(0xc6120000 + number * count + index).toString()
            : `2001:db8:ffff::${name(index)}`,
        )
        return query({ group, response: 10_000, ...fields, sources })
      })

    test('leave nothing behind but what the host wants of them (Linux: igmp_marksources, mld_marksources)', () => {
      const { host } = settled(include(first, second))
      host.link.receive(...flood(100, 80), query({ group, sources: [second], response: 10_000 }), ...flood(100, 80))
      expect(texts(listen(host, protocol, 11_000))).toEqual([`is-in ${group} ${second}`])
      host.link.receive(...flood(100, 80))
      expect(host.clock.pending).toBe(0)
    })

    test('are answered with the whole group where it wants all sources but some', () => {
      const { host } = settled()
      host.link.receive(...flood(100, 80))
      expect(texts(listen(host, protocol, 11_000))).toEqual([`is-ex ${group}`])
      // Few enough to be remembered one by one.
      host.link.receive(...flood(2, 20))
      const [said, ...more] = texts(listen(host, protocol, 11_000))
      expect(more).toEqual([])
      expect(said?.split(' ').length).toBe(2 + 40)
    })

    test('are answered within a minute, whatever they allow', () => {
      const { host } = settled()
      const code = family === 4 ? 0xff : 0xffff
      for (let round = 0; round < 20; round++) {
        host.link.receive(query({ group, code }))
        expect(texts(listen(host, protocol, 60_000, 1000))).toEqual([`is-ex ${group}`])
        host.link.receive(query({ code }))
        expect(listen(host, protocol, 60_000, 1000)).toHaveLength(1)
      }
    })
  })

  describe('an older querier (version 2 of IGMP, 1 of MLD)', () => {
    const old = (fields = {}) => query({ version: 2, ...fields })

    test('is spoken to in its language: a report at once and once more, a leave at the end', () => {
      const host = ethernetHost()
      host.link.receive(old())
      const { endpoint } = open(host.stack, family)
      host.after(15_000)
      endpoint.groups.join(Address.parse(group), host.nic.index)
      const said = listen(host, protocol, 30_000)
      expect(texts(said)).toEqual([`report ${group}`, `report ${group}`])
      expect(said[0]?.at).toBe(0)
      expect(said[1]?.at).toBeLessThanOrEqual(10_000)
      endpoint.groups.leave(Address.parse(group), host.nic.index)
      expect(say(host)).toEqual([`leave ${group}`])
      expect(listen(host, protocol, 20_000)).toEqual([])
    })

    test('is answered for each group in its own time, and only once when it asks again', () => {
      const { host, endpoint, nic } = settled()
      endpoint.groups.join(Address.parse(other), nic)
      host.after(20_000)
      host.link.receive(old({ response: 10_000 }))
      host.link.receive(old({ response: 10_000 }))
      const said = listen(host, protocol, 11_000).filter(({ said }) => !said.includes('ff02::1:ff'))
      expect(texts(said).sort()).toEqual([`report ${group}`, `report ${other}`])
      host.link.receive(old({ group, response: 1000 }))
      expect(texts(listen(host, protocol, 2000))).toEqual([`report ${group}`])
    })

    test('that leaves more time does not put an answer off, one that leaves less brings it forward', () => {
      for (const [a, b] of [
        [500, 12_000],
        [12_000, 500],
      ] as const) {
        const { host } = settled()
        host.link.receive(old({ group, response: a }), old({ group, response: b }))
        expect(texts(listen(host, protocol, 500))).toEqual([`report ${group}`])
        expect(listen(host, protocol, 15_000)).toEqual([])
      }
    })

    test('needs no second report when another host has spoken, and no leave from us then', () => {
      const { host, endpoint, nic } = settled()
      host.link.receive(old({ group, response: 10_000 }), protocol.heard(group))
      expect(listen(host, protocol, 11_000)).toEqual([])
      endpoint.groups.leave(Address.parse(group), nic)
      expect(listen(host, protocol, 11_000)).toEqual([])
    })

    test('stops what was to be said in the newer language', () => {
      const { host } = member()
      expect(say(host)).toEqual([`to-ex ${group}`])
      host.link.receive(old({ response: 1000 }))
      expect(texts(listen(host, protocol, 5000)).filter((said) => !said.includes('ff02::1:ff'))).toEqual([
        `report ${group}`,
      ])
    })

    test(
      'is forgotten when it was silent for the robustness times the interval, and one response (RFC 9776 ' +
        'section 8.12)',
      () => {
        const { host, endpoint, nic } = settled()
        host.link.receive(old({ response: 10_000 }))
        host.after(protocol.timeout - 1)
        endpoint.groups.join(Address.parse(other), nic)
        expect(say(host)).toEqual([`report ${other}`])
        host.after(20_000)
        endpoint.groups.leave(Address.parse(other), nic)
        expect(say(host)).toEqual([`to-in ${other}`])
      },
    )

    test('wins over a newer one on the same link', () => {
      const { host } = settled()
      host.link.receive(old({ group, response: 1000 }))
      host.after(2000)
      host.link.receive(query({ response: 1000 }))
      expect(texts(listen(host, protocol, 2000))).toContain(`report ${group}`)
    })
  })

  describe('what is received', () => {
    const port = 5000
    /** As in Linux: the IP layer of IPv4 has the nic's filter, in IPv6 only sockets have theirs. */
    const refused = family === 4 ? 'IpSourceFilter' : 'UdpSourceFilter'
    const from = (source: string, to = group) =>
      frame(
        family === 4
          ? `01:00:5e:${bytesOf(to)
              .slice(1)
              .map((each, at) => (at === 0 ? each & 127 : each).toString(16).padStart(2, '0'))
              .join(':')}`
          : groupMac6(to),
        OTHER_MAC,
        family === 4 ? 0x0800 : 0x86dd,
        datagram([1], family, { source, destination: to, destinationPort: port }),
      )
    const socket = ({ stack }: EthernetHost) =>
      open(stack, family, port, undefined, (endpoint) => (endpoint.reuseAddress = true))
    const heard = ({ received }: Mailbox) => received.map(({ from: source }) => source)

    test('is what was joined, on the nic where it was joined', () => {
      const host = ethernetHost()
      const { endpoint, mailbox } = socket(host)
      host.link.receive(from(first))
      expect(dropCount(host.stack, 'IpNotMember')).toBe(1)
      endpoint.groups.join(Address.parse(group), 1)
      host.link.receive(from(first))
      expect(dropCount(host.stack, 'IpNotMember')).toBe(2)
      endpoint.groups.join(Address.parse(group), host.nic.index)
      host.link.receive(from(first))
      expect(heard(mailbox)).toEqual([first])
    })

    test('has the same hardware address as another group: only the IP address decides (RFC 1112 section 6.4)', () => {
      const { host } = settled()
      const alias = family === 4 ? '239.129.2.3' : 'ff18::1234'
      host.link.receive(from(first, alias))
      expect(dropCount(host.stack, 'IpNotMember')).toBe(1)
    })

    test('comes from the sources asked for', () => {
      const host = ethernetHost()
      const { endpoint, mailbox } = socket(host)
      include(first, second)(endpoint, host.nic.index)
      host.link.receive(from(first), from(second), from(third))
      expect(heard(mailbox)).toEqual([first, second])
      expect(dropCount(host.stack, refused)).toBe(1)
      endpoint.groups.leaveSource(Address.parse(group), Address.parse(first), host.nic.index)
      host.link.receive(from(first), from(second))
      expect(heard(mailbox)).toEqual([first, second, second])
    })

    test('does not come from the sources that are blocked', () => {
      const host = ethernetHost()
      const { endpoint, mailbox } = socket(host)
      endpoint.groups.join(Address.parse(group), host.nic.index)
      endpoint.groups.blockSource(Address.parse(group), Address.parse(first), host.nic.index)
      host.link.receive(from(first), from(second))
      expect(heard(mailbox)).toEqual([second])
      endpoint.groups.unblockSource(Address.parse(group), Address.parse(first), host.nic.index)
      host.link.receive(from(first))
      expect(heard(mailbox)).toEqual([second, first])
    })

    test('goes to each socket by its own filter, and the nic takes what any of them wants', () => {
      const host = ethernetHost()
      const a = socket(host)
      const b = socket(host)
      include(first)(a.endpoint, host.nic.index)
      b.endpoint.groups.join(Address.parse(group), host.nic.index)
      b.endpoint.groups.blockSource(Address.parse(group), Address.parse(first), host.nic.index)
      b.endpoint.groups.blockSource(Address.parse(group), Address.parse(second), host.nic.index)
      // What b refuses and a wants is not refused by the nic: EXCLUDE (second).
      expect(say(host)).toEqual([`to-ex ${group} ${second}`])
      host.link.receive(from(first), from(second), from(third))
      expect(heard(a.mailbox)).toEqual([first])
      expect(heard(b.mailbox)).toEqual([third])
      expect(dropCount(host.stack, refused)).toBe(1)
    })
  })

  test("modes do not mix on one socket, sources are counted, and errors are Linux's (RFC 3678 section 4.1.3)", () => {
    const { endpoint, nic } = settled()
    const [g, a, b] = [group, first, second].map((text) => Address.parse(text)) as [Address, Address, Address]
    expect(endpoint.groups.joinSource(g, a, nic)).toBe('EINVAL')
    expect(endpoint.groups.blockSource(g, a, nic)).toBe('')
    expect(endpoint.groups.blockSource(g, a, nic)).toBe('EADDRNOTAVAIL')
    expect(endpoint.groups.unblockSource(g, b, nic)).toBe('EADDRNOTAVAIL')
    const only = settled(include(first)).endpoint
    expect(only.groups.blockSource(g, a, nic)).toBe('EINVAL')
    expect(only.groups.joinSource(g, a, nic)).toBe('EADDRNOTAVAIL')
    const limit = family === 4 ? 10 : 64
    const many = Array.from({ length: limit }, (_, at) =>
      Address.parse(family === 4 ? `172.16.0.${at + 1}` : `2001:db8:f::${at + 1}`),
    )
    expect(many.map((source) => only.groups.joinSource(g, source, nic))).toEqual([
      ...new Array(limit - 1).fill(''),
      'ENOBUFS',
    ])
  })
})

function include2(endpoint: Endpoint, group: string, source: string, nic: number): void {
  expect(endpoint.groups.joinSource(Address.parse(group), Address.parse(source), nic)).toBe('')
}

describe('groups that nobody is told about', () => {
  test('all-hosts, all-nodes, and scopes that do not leave the host', () => {
    const host = ethernetHost()
    const four = open(host.stack, 4).endpoint
    const six = open(host.stack, 6).endpoint
    four.groups.join(Address.parse('224.0.0.1'), host.nic.index)
    for (const group of ['ff02::1', 'ff01::5', 'ff00::5']) six.groups.join(Address.parse(group), host.nic.index)
    expect(host.after(5000)).toEqual([])
    host.link.receive(igmpProtocol.query({}))
    expect(host.after(20_000)).toEqual([])
  })

  test('solicited-node groups are told on Ethernet, for addresses that are still being checked too', () => {
    const host = ethernetHost({ addresses: ['2001:db8::1:2:3/64'], dad: true, linkLocal: false, quiet: false })
    expect(host.after(0).map(mldProtocol.read)).toEqual(['to-ex ff02::1:ff02:3'])
    host.after(5000)
    host.nic.removeAddress(Address.parse('2001:db8::1:2:3'))
    expect(host.after(0).map(mldProtocol.read)).toEqual(['to-in ff02::1:ff02:3'])
  })

  test('a group of two addresses with the same last 24 bits is left with the second', () => {
    const host = ethernetHost({ addresses: ['2001:db8::5:1/64', '2001:db8:1::5:1/64'], linkLocal: false })
    host.nic.removeAddress(Address.parse('2001:db8::5:1'))
    expect(host.after(5000)).toEqual([])
    host.nic.removeAddress(Address.parse('2001:db8:1::5:1'))
    expect(host.after(0).map(mldProtocol.read)).toEqual(['to-in ff02::1:ff05:1'])
  })
})

describe('IGMPv1', () => {
  const { group, query, read } = igmpProtocol

  test('is spoken for 400 seconds after its querier: reports of its own type, and no leave', () => {
    const host = ethernetHost()
    host.link.receive(query({ version: 1 }))
    const { endpoint } = open(host.stack, 4)
    endpoint.groups.join(Address.parse(group), host.nic.index)
    expect(host.after(0).map(read)).toEqual([`v1 report ${group}`])
    host.after(15_000)
    endpoint.groups.leave(Address.parse(group), host.nic.index)
    expect(host.after(10_000)).toEqual([])
    host.after(374_999)
    endpoint.groups.join(Address.parse(group), host.nic.index)
    expect(host.after(0).map(read)).toEqual([`v1 report ${group}`])
    host.after(20_000)
    endpoint.groups.leave(Address.parse(group), host.nic.index)
    expect(host.after(0).map(read)).toEqual([`to-in ${group}`])
  })
})

test('a closed stack says nothing more', () => {
  const host = ethernetHost()
  const { endpoint } = open(host.stack, 4)
  endpoint.groups.join(Address.parse('239.1.2.3'), host.nic.index)
  host.stack.close()
  expect(host.after(60_000)).toEqual([])
  expect(host.clock.nextTime).toBe(Number.POSITIVE_INFINITY)
})
