/** The port table by itself, rule by rule: with holders of ports that are no sockets. */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { KeyedHash } from '../../src/base/hash.ts'
import { Packet } from '../../src/base/packet.ts'
import { type Random, SeededRandom } from '../../src/base/random.ts'
import { type PortHolder, PortTable } from '../../src/udp/port-table.ts'

const PORT = 7
const HASH = new KeyedHash(new SeededRandom(1))
/** With more than this a port is hashed by addresses. */
const CROWDED = 8

interface Spec extends Partial<Omit<PortHolder, 'localAddress' | 'remoteAddress'>> {
  readonly local?: string
  readonly remote?: string
}

function holder({ local, remote, ...rest }: Spec = {}): PortHolder {
  const family = rest.family ?? 4
  return {
    family,
    localAddress: Address.parse(local ?? (family === 4 ? '0.0.0.0' : '::')),
    localPort: PORT,
    localNic: 0,
    remoteAddress: remote === undefined ? null : Address.parse(remote),
    remotePort: remote === undefined ? 0 : 1000,
    remoteNic: 0,
    boundNic: 0,
    reuseAddress: false,
    reusePort: false,
    ipv6Only: false,
    dualStack: family === 6 && rest.ipv6Only !== true,
    ...rest,
  }
}

function datagram(source: string, destination: string, nic = 2, looped = 0): Packet {
  const packet = new Packet()
  const [from, to] = [Address.parse(source), Address.parse(destination)]
  packet.family = from.family
  packet.nic = nic
  packet.looped = looped
  Object.assign(packet, { s0: from.w0, s1: from.w1, s2: from.w2, s3: from.w3 })
  Object.assign(packet, { d0: to.w0, d1: to.w1, d2: to.w2, d3: to.w3 })
  return packet
}

/** A table with these, added in their order. */
function tableOf(...holders: PortHolder[]): PortTable<PortHolder> {
  const table = new PortTable<PortHolder>(new SeededRandom(1))
  for (const each of holders) table.add(each)
  return table
}

/** So many others on the port that it is hashed. */
const crowd = () => Array.from({ length: CROWDED + 1 }, (_, at) => holder({ local: `10.9.0.${at + 1}` }))

describe('the holders of a port', () => {
  test('are listed newest first; nobody has another port', () => {
    const [a, b] = [holder({ local: '10.0.0.1' }), holder({ local: '10.0.0.2' })]
    const table = tableOf(a, b)
    expect(table.endpoints(PORT)).toEqual([b, a])
    expect(table.endpoints(8)).toEqual([])
    expect(table.candidates(datagram('10.0.0.9', '10.0.0.1'), 1000, PORT)).toEqual([b, a])
    expect(table.candidates(datagram('10.0.0.9', '10.0.0.1'), 1000, 8)).toEqual([])
  })

  test('are those that a datagram may be for, in a crowd', () => {
    const any = holder()
    const bound = holder({ local: '10.0.0.1' })
    const connected = holder({ local: '10.0.0.2', remote: '10.0.0.9' })
    const both = holder({ local: '10.0.0.1', remote: '10.0.0.8' })
    const table = tableOf(...crowd(), any, bound, connected, both)
    const candidates = (source: string, destination: string) =>
      table.candidates(datagram(source, destination), 1000, PORT)
    expect(candidates('10.0.0.9', '10.0.0.3')).toEqual([any])
    expect(candidates('10.0.0.9', '10.0.0.1')).toEqual([bound, any])
    expect(candidates('10.0.0.9', '10.0.0.2')).toEqual([connected, any])
    expect(candidates('10.0.0.8', '10.0.0.1')).toEqual([both, bound, any])
  })

  test('are as many as a lookup may have to compare', () => {
    expect(tableOf().longestChain).toBe(0)
    expect(tableOf(holder(), holder(), holder()).longestChain).toBe(3)
    const same = Array.from({ length: 10 }, () => holder({ local: '10.0.0.1' }))
    expect(tableOf(...same, holder({ local: '10.0.0.2' })).longestChain).toBe(10)
    const flows = Array.from({ length: 4 }, () => holder({ local: '10.0.0.1', remote: '10.0.0.9' }))
    const table = tableOf(...crowd(), ...flows, holder({ localPort: 8 }))
    expect(table.longestChain).toBe(4)
  })

  test('are left alone by who is not there', () => {
    for (const others of [[holder({ local: '10.0.0.1' })], [...crowd(), holder({ local: '10.0.0.1' })]]) {
      const table = tableOf(...others)
      table.remove(holder({ local: '10.0.0.1' }))
      table.remove(holder({ local: '10.0.0.5' }))
      table.remove(holder({ localPort: 8 }))
      expect(table.all().length).toBe(others.length)
      expect(table.lookup(datagram('10.0.0.9', '10.0.0.1'), 1000, PORT)).toBe(others.at(-1))
    }
  })

  test('are forgotten when they go, from a crowd as well', () => {
    const leaving = [
      holder(),
      holder({ local: '10.0.0.1' }),
      holder({ local: '10.0.0.1', remote: '10.0.0.9' }),
      holder({ local: '10.0.0.1' }),
    ]
    const table = tableOf(...crowd(), ...leaving)
    const found = () => table.lookup(datagram('10.0.0.9', '10.0.0.1'), 1000, PORT)
    for (const at of [2, 3, 1, 0]) {
      expect(found()).toBe(leaving[at])
      table.remove(leaving[at] as PortHolder)
    }
    expect(found()).toBe(null)
  })
})

describe('a free port', () => {
  /** Draws these one after another, the last one again and again; `asked` has the bounds. */
  const drawing = (...draws: number[]) => {
    const asked: number[] = []
    const below = (bound: number) => {
      asked.push(bound)
      return (draws.length > 1 ? draws.shift() : draws[0]) as number
    }
    return { asked, random: { below } as unknown as Random }
  }

  test('is drawn sixteen times from Linux’s range, then from those that are left', () => {
    const { asked, random } = drawing(0)
    const table = new PortTable<PortHolder>(random, HASH)
    expect(table.freePort(holder())).toBe(32_768)
    table.add(holder({ localPort: 32_768 }))
    asked.length = 0
    expect(table.freePort(holder())).toBe(32_769)
    expect(asked).toEqual([...Array.from({ length: 16 }, () => 28_232), 28_231])
  })

  test('may be the last of the range', () => {
    const { random } = drawing(28_231)
    expect(new PortTable<PortHolder>(random, HASH).freePort(holder())).toBe(60_999)
  })

  test('is the one that is left, and 0 when there is none', () => {
    const { random } = drawing(0)
    const table = new PortTable<PortHolder>(random, HASH)
    for (let localPort = 32_768; localPort < 60_999; localPort++) table.add(holder({ localPort }))
    expect(table.freePort(holder())).toBe(60_999)
    table.add(holder({ localPort: 60_999 }))
    expect(table.freePort(holder())).toBe(0)
  })

  test('is one that nobody has with this address, whoever else has it', () => {
    const { random } = drawing(...Array.from({ length: 16 }, () => 0), 0)
    const table = new PortTable<PortHolder>(random, HASH)
    table.add(holder({ localPort: 32_768, local: '10.0.0.1' }))
    table.add(holder({ localPort: 32_768, local: '10.0.0.2' }))
    expect(table.freePort(holder({ local: '10.0.0.1' }))).toBe(32_769)
    expect(table.freePort(holder({ local: '10.0.0.3' }))).toBe(32_768)
  })
})

describe('a conflict', () => {
  const conflicts = (first: Spec, second: Spec) => tableOf(holder(first)).conflicts(holder(second), PORT)

  test('is none with oneself, nor on another port', () => {
    const own = holder({ local: '10.0.0.1' })
    expect(tableOf(own).conflicts(own, PORT)).toBe(false)
    expect(tableOf(own).conflicts(holder({ local: '10.0.0.1' }), 8)).toBe(false)
    expect(tableOf(own).conflicts(holder({ local: '10.0.0.1' }), PORT)).toBe(true)
  })

  const ANY4 = {}
  const NET4 = { local: '10.0.0.1' }
  const ANY6 = { family: 6 as const }
  const ONLY6 = { family: 6 as const, ipv6Only: true }
  const MAPPED4 = { family: 6 as const, local: '::ffff:10.0.0.1' }
  const NET6 = { family: 6 as const, local: '2001:db8::1' }
  const NET_ONLY6 = { ...NET6, ipv6Only: true }

  test.each<[string, Spec, Spec, boolean]>([
    ['two of any', ANY4, ANY4, true],
    ['any and an address', ANY4, NET4, true],
    ['any and any of both families', ANY4, ANY6, true],
    ['any and any of IPv6 alone', ANY4, ONLY6, false],
    ['any and a mapped address', ANY4, MAPPED4, true],
    ['any and an IPv6 address', ANY4, NET6, false],
    ['any of both families and an IPv4 address', ANY6, NET4, true],
    ['any of both families and an IPv6 address', ANY6, NET6, true],
    ['any of both families and any of IPv6 alone', ANY6, ONLY6, true],
    ['any of IPv6 alone and an IPv4 address', ONLY6, NET4, false],
    ['any of IPv6 alone and a mapped address', ONLY6, MAPPED4, false],
    ['any of IPv6 alone and an IPv6 address', ONLY6, NET6, true],
    ['any of IPv6 alone and one of IPv6 alone', ONLY6, NET_ONLY6, true],
    ['two of any of IPv6 alone', ONLY6, ONLY6, true],
    ['an IPv4 address and the same one mapped', NET4, MAPPED4, true],
    ['addresses of two families', NET4, NET6, false],
  ])('is one between %s, or none, in either order', (_, first, second, expected) => {
    expect(conflicts(first, second)).toBe(expected)
    expect(conflicts(second, first)).toBe(expected)
  })

  test.each(['reuseAddress', 'reusePort'])('is avoided if both have %s', (option) => {
    const shared = { [option]: true }
    expect(conflicts(shared, shared)).toBe(false)
    expect(conflicts(shared, {})).toBe(true)
    expect(conflicts({}, shared)).toBe(true)
  })

  test('is avoided by other devices, if both have one', () => {
    expect(conflicts({ boundNic: 1 }, { boundNic: 2 })).toBe(false)
    expect(conflicts({ boundNic: 1 }, { boundNic: 1 })).toBe(true)
    expect(conflicts({}, { boundNic: 1 })).toBe(true)
    expect(conflicts({ boundNic: 1 }, {})).toBe(true)
  })

  test('is one of link-local addresses on one link', () => {
    const at = (localNic: number) => ({ family: 6 as const, local: 'fe80::1', localNic })
    expect(conflicts(at(1), at(2))).toBe(false)
    expect(conflicts(at(1), at(1))).toBe(true)
    expect(conflicts(at(0), at(2))).toBe(true)
    expect(conflicts(at(1), at(0))).toBe(true)
    expect(conflicts(at(1), { ...at(1), local: 'fe80::2' })).toBe(false)
  })
})

describe('a datagram', () => {
  const found = (table: PortTable<PortHolder>, packet: Packet) => table.lookup(packet, 1000, PORT)

  test('is for the whole address, to which and from which', () => {
    // They differ from the first one in one word each.
    const others = ['2001:db8::2', '2001:db8::1:0:1', '2001:db8:0:1::1', '2001:db9::1']
    const bound = tableOf(holder({ family: 6, local: '2001:db8::1' }))
    const connected = tableOf(holder({ family: 6, local: '2001:db8::1', remote: '2001:db8::1' }))
    expect(found(bound, datagram('2001:db8::1', '2001:db8::1'))).not.toBe(null)
    expect(found(connected, datagram('2001:db8::1', '2001:db8::1'))).not.toBe(null)
    for (const other of others) {
      expect(found(bound, datagram('2001:db8::1', other)), other).toBe(null)
      expect(found(connected, datagram(other, '2001:db8::1')), other).toBe(null)
    }
  })

  test.each(['localNic', 'remoteNic'])('to or from a link-local address is for its link (%s), or looped', (key) => {
    const table = tableOf(holder({ family: 6, local: 'fe80::1', remote: 'fe80::9', [key]: 3 }))
    expect(found(table, datagram('fe80::9', 'fe80::1', 3))).not.toBe(null)
    expect(found(table, datagram('fe80::9', 'fe80::1', 2))).toBe(null)
    expect(found(table, datagram('fe80::9', 'fe80::1', 1, 1))).not.toBe(null)
  })

  test('of IPv4 matches a socket of both families, one of IPv6 none of IPv4', () => {
    const matches = (spec: Spec, packet: Packet) => PortTable.matches(holder(spec), packet, 1000)
    const [four, six] = [datagram('10.0.0.9', '10.0.0.1'), datagram('2001:db8::9', '2001:db8::1')]
    expect(matches({ family: 6 }, four)).toBe(true)
    expect(matches({ family: 6, ipv6Only: true }, four)).toBe(false)
    expect(matches({ family: 6 }, six)).toBe(true)
    expect(matches({}, six)).toBe(false)
    expect(matches({ family: 6, local: '::ffff:0.0.0.0' }, six)).toBe(false)
    expect(matches({ family: 6, local: '::ffff:0.0.0.0' }, four)).toBe(true)
  })

  test('of a flow is for who is bound to its device rather than for who was found last', () => {
    const free = holder({ local: '10.0.0.1', remote: '10.0.0.9' })
    const onDevice = holder({ local: '10.0.0.1', remote: '10.0.0.9', boundNic: 3 })
    const table = tableOf(...crowd(), onDevice, free)
    for (const [nic, expected] of [
      [2, free],
      [3, onDevice],
      [2, free],
    ] as const)
      expect(found(table, datagram('10.0.0.9', '10.0.0.1', nic))).toBe(expected)
  })
})

describe('equals that share a port', () => {
  const LOCAL = '10.0.0.1'
  const shared = () => holder({ local: LOCAL, reusePort: true, reuseAddress: true })
  const reused = () => holder({ local: LOCAL, reuseAddress: true })

  /** Who gets the datagrams of a hundred flows. */
  const receivers = (table: PortTable<PortHolder>) =>
    new Set(Array.from({ length: 100 }, (_, at) => table.lookup(datagram(`10.0.1.${at + 1}`, LOCAL), 1000, PORT)))

  test('by reusePort have a share each, and nobody of lesser rank has one', () => {
    const [a, b] = [shared(), shared()]
    for (const table of [tableOf(a, b, holder({ reuseAddress: true })), tableOf(holder({ reuseAddress: true }), a, b)])
      expect(receivers(table)).toEqual(new Set([a, b]))
  })

  test('by reuseAddress alone leave all to the newest, also beside one with reusePort', () => {
    const [a, b] = [reused(), reused()]
    expect(receivers(tableOf(a, b))).toEqual(new Set([b]))
    const alone = shared()
    expect(receivers(tableOf(a, alone))).toEqual(new Set([alone]))
    expect(receivers(tableOf(shared(), shared(), b))).toEqual(new Set([b]))
  })

  test('are counted as they come and go', () => {
    const [a, b, c, d] = [reused(), shared(), shared(), reused()]
    const table = tableOf(a, d, b, c)
    expect(receivers(table)).toContain(c)
    expect(receivers(table).size).toBeGreaterThan(1)
    table.remove(d)
    expect(receivers(table).size).toBeGreaterThan(1)
    table.remove(c)
    expect(receivers(table)).toEqual(new Set([b]))
  })
})
