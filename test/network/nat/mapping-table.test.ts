import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { KeyedHash } from '../../../src/base/hash.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { type Mapping, MappingTable } from '../../../src/network/nat/mapping-table.ts'
import { type NatOptions, readNatOptions } from '../../../src/network/nat/nat-options.ts'
import { ICMPV4, TCP, UDP } from '../../../src/wire/protocol.ts'

const INSIDE = 0x0a000001
const REMOTE = 0x0b000000

function make(options: NatOptions = {}, hasSocket: (port: number) => boolean = () => false, seed = 1) {
  const clock = new ManualClock()
  const random = new SeededRandom(seed)
  const table = new MappingTable(clock, new KeyedHash(random), random, readNatOptions(options), hasSocket)
  return { clock, table }
}

test('a mapping remembers 1024 remote ends, and forgets the one that it sent to longest ago', () => {
  const { table } = make()
  const send = (port: number) => table.map(UDP, INSIDE, 5000, REMOTE, port) as Mapping
  for (let port = 1; port <= 1024; port++) send(port)
  const mapping = send(1)
  expect(table.lets(mapping, REMOTE, 2)).toBe(true)
  send(1025)
  expect([1, 2, 3, 1024, 1025, 1026].map((port) => table.lets(mapping, REMOTE, port))).toEqual([
    true,
    false,
    true,
    true,
    true,
    false,
  ])
})

test('a remote end may send as long as the mapping holds that sent to it', () => {
  const { clock, table } = make({ timeout: 1000 })
  const mapping = table.map(UDP, INSIDE, 5000, REMOTE, 1) as Mapping
  clock.advance(800)
  table.map(UDP, INSIDE, 5000, REMOTE, 2)
  clock.advance(300)
  expect([1, 2].map((port) => table.lets(mapping, REMOTE, port))).toEqual([false, true])
})

test.each([
  ['endpoint-independent', [true, true, true]],
  ['address-dependent', [true, true, false]],
  ['address-and-port-dependent', [true, false, false]],
] as const)(
  '%s: the same mapping, and the same leave to send, for the end, another port, another address',
  (kind, same) => {
    const { table } = make({ mapping: kind, filtering: kind })
    const ends = [
      [REMOTE, 1],
      [REMOTE, 2],
      [REMOTE + 1, 1],
    ] as const
    const first = table.map(UDP, INSIDE, 5000, REMOTE, 1) as Mapping
    expect(ends.map(([to, port]) => table.lets(first, to, port))).toEqual(same)
    expect(ends.map(([to, port]) => table.inside(UDP, INSIDE, 5000, to, port) === first)).toEqual(same)
    expect(ends.map(([to, port]) => table.map(UDP, INSIDE, 5000, to, port) === first)).toEqual(same)
  },
)

test('UDP ports and identifiers of echo messages are mapped apart', () => {
  const { table } = make({ timeout: 1000 })
  const udp = table.map(UDP, INSIDE, 7, REMOTE, 9) as Mapping
  const echo = table.map(ICMPV4, INSIDE, 7, REMOTE, 7) as Mapping
  expect([udp.outsidePort, echo.outsidePort]).toEqual([7, 7])
  expect(table.outside(UDP, 7)).toBe(udp)
  expect(table.outside(ICMPV4, 7)).toBe(echo)
  expect([table.left(udp), table.left(echo)]).toEqual([1000, 60_000])
})

test('a mapping that has ended gives its port back, and the next one gets it', () => {
  const { clock, table } = make({ timeout: 1000 })
  table.map(UDP, INSIDE, 5000, REMOTE, 1)
  const second = table.map(UDP, INSIDE + 1, 5000, REMOTE, 1) as Mapping
  expect(second.outsidePort).not.toBe(5000)
  clock.advance(600)
  table.used(second)
  clock.advance(600)
  expect(table.all).toEqual([second])
  expect(table.outside(UDP, 5000)).toBe(null)
  expect(table.map(UDP, INSIDE + 2, 5000, REMOTE, 1)?.outsidePort).toBe(5000)
  expect(table.all.map(({ address }) => address)).toEqual([INSIDE + 1, INSIDE + 2])
  table.clear()
  expect(table.all).toEqual([])
  expect(table.inside(UDP, INSIDE + 1, 5000, REMOTE, 1)).toBe(null)
})

describe('mappings of TCP', () => {
  const [FIN, SYN, RST, ACK] = [1, 2, 4, 16]
  const options = { tcpTimeout: 10_000, tcpOpeningTimeout: 1000, tcpClosingTimeout: 2000 }

  test('end when their last connection does, whatever timer that has', () => {
    const { clock, table } = make(options)
    const out = (port: number, flags: number) => table.map(TCP, INSIDE, 5000, REMOTE, port, flags) as Mapping
    const mapping = out(1, SYN)
    expect(table.left(mapping)).toBe(1000)
    table.received(mapping, REMOTE, 1, SYN | ACK)
    expect(table.left(mapping)).toBe(10_000)
    clock.advance(500)
    out(2, SYN)
    expect(table.left(mapping)).toBe(9500)
    out(1, RST)
    // The RST and the SYN came at the same time, and the RST has the longer timer.
    expect(table.left(mapping)).toBe(2000)
    clock.advance(600)
    table.received(mapping, REMOTE, 2, SYN | ACK)
    expect(table.left(mapping)).toBe(10_000)
    out(2, FIN | ACK)
    table.received(mapping, REMOTE, 2, FIN | ACK)
    expect(table.left(mapping)).toBe(2000)
    clock.advance(2001)
    expect(table.outside(TCP, 5000)).toBe(null)
  })

  test('give their ports back, those of the short timers while the long ones hold', () => {
    const { clock, table } = make(options)
    const open = (address: number) => {
      const mapping = table.map(TCP, address, 5000, REMOTE, 1, SYN) as Mapping
      table.received(mapping, REMOTE, 1, SYN | ACK)
      return mapping
    }
    const first = open(INSIDE)
    const second = open(INSIDE + 1)
    expect(second.outsidePort).not.toBe(5000)
    table.map(TCP, INSIDE, 5000, REMOTE, 1, RST)
    clock.advance(2001)
    expect(table.map(TCP, INSIDE + 2, 5000, REMOTE, 1, SYN)?.outsidePort).toBe(5000)
    expect(table.all).not.toContain(first)
    expect(table.all).toContain(second)
  })

  test('are none for a RST, and have ports of their own', () => {
    const { table } = make({}, (port) => port === 5000)
    expect(table.map(TCP, INSIDE, 5000, REMOTE, 1, RST)).toBe(null)
    table.map(UDP, INSIDE, 5001, REMOTE, 1)
    expect(table.map(TCP, INSIDE, 5001, REMOTE, 1, SYN)?.outsidePort).toBe(5001)
    // The router's sockets are those of UDP.
    expect(table.map(TCP, INSIDE, 5000, REMOTE, 1, SYN)?.outsidePort).toBe(5000)
    expect(table.map(TCP, INSIDE, 80, REMOTE, 1, SYN)?.outsidePort).toBe(80)
    expect(table.map(TCP, INSIDE + 1, 80, REMOTE, 1, SYN)?.outsidePort).toBeLessThan(1024)
  })

  test('remember 1024 connections, and forget the one that is silent for longest', () => {
    const { table } = make()
    const send = (port: number) => table.map(TCP, INSIDE, 5000, REMOTE, port, SYN) as Mapping
    for (let port = 1; port <= 1024; port++) send(port)
    const mapping = send(1)
    send(1025)
    expect([1, 2, 3, 1025, 1026].map((port) => table.lets(mapping, REMOTE, port))).toEqual([
      true,
      false,
      true,
      true,
      false,
    ])
  })
})

test("the router's own sockets keep their ports", () => {
  const { table } = make({}, (port) => port === 5000)
  expect(table.map(UDP, INSIDE, 5000, REMOTE, 1)?.outsidePort).not.toBe(5000)
  expect(table.map(ICMPV4, INSIDE, 5000, REMOTE, 5000)?.outsidePort).toBe(5000)
})

test('thousands of inside endpoints stay in short chains', () => {
  const { table } = make({ mapping: 'address-and-port-dependent' })
  for (let i = 0; i < 20_000; i++) table.map(UDP, INSIDE + (i >> 4), 5000 + (i & 15), REMOTE, i & 15)
  expect(table.longestChain).toBeLessThan(16)
})

test.each([true, false])('what comes in makes a mapping hold longer only with inboundRefresh: %s', (inboundRefresh) => {
  const { clock, table } = make({ timeout: 1000, inboundRefresh })
  const mapping = table.map(UDP, INSIDE, 5000, REMOTE, 1) as Mapping
  clock.advance(400)
  table.received(mapping, REMOTE, 1, 0)
  expect(table.left(mapping)).toBe(inboundRefresh ? 1000 : 600)
  expect(mapping.sessions.size).toBe(0)
})

test('flags are those of TCP alone', () => {
  const { table } = make()
  expect(table.map(UDP, INSIDE, 5000, REMOTE, 1, 4)).not.toBe(null)
})

test('without a free port there is no mapping', () => {
  const { table } = make({}, () => true)
  expect(table.map(UDP, INSIDE, 5000, REMOTE, 1)).toBe(null)
  expect(table.outside(UDP, 5000)).toBe(null)
  expect(table.map(TCP, INSIDE, 5000, REMOTE, 1, 2)?.outsidePort).toBe(5000)
})

test('remote ends are remembered only where the filter asks for them', () => {
  const remembered = (['endpoint-independent', 'address-dependent'] as const).map((filtering) => {
    const mapping = make({ filtering }).table.map(UDP, INSIDE, 5000, REMOTE, 1) as Mapping
    return mapping.peers.size
  })
  expect(remembered).toEqual([0, 1])
})

test('a mapping, and the leave to send, hold to the last millisecond', () => {
  const { clock, table } = make({ timeout: 1000 })
  const mapping = table.map(UDP, INSIDE, 5000, REMOTE, 1) as Mapping
  clock.advance(1000)
  expect(table.lets(mapping, REMOTE, 1)).toBe(true)
  expect(table.all).toEqual([mapping])
  expect(table.outside(UDP, 5000)).toBe(mapping)
  clock.advance(1)
  expect(table.lets(mapping, REMOTE, 1)).toBe(false)
  expect(table.all).toEqual([])
  expect(table.outside(UDP, 5000)).toBe(null)
})

test('all mappings are listed in the order of their making, whatever their protocol', () => {
  const { table } = make()
  table.map(ICMPV4, INSIDE, 1, REMOTE, 1)
  table.map(TCP, INSIDE, 2, REMOTE, 1, 2)
  table.map(UDP, INSIDE, 3, REMOTE, 1)
  table.map(ICMPV4, INSIDE, 4, REMOTE, 1)
  expect(table.all.map(({ port }) => port)).toEqual([1, 2, 3, 4])
})

test('with a filter by address TCP takes a connection from another port of a remote end', () => {
  const lets = (['address-dependent', 'address-and-port-dependent'] as const).map((filtering) => {
    const { table } = make({ filtering })
    const mapping = table.map(TCP, INSIDE, 5000, REMOTE, 1, 2) as Mapping
    return [1, 2].map((port) => table.lets(mapping, REMOTE, port)).concat(table.lets(mapping, REMOTE + 1, 1))
  })
  expect(lets).toEqual([
    [true, true, false],
    [true, false, false],
  ])
})

test('a well-known port is replaced by one, another port by another; identifiers are just numbers', () => {
  const { table } = make()
  const replaced = (protocol: number, port: number) =>
    Array.from(
      { length: 60 },
      (_, at) => table.map(protocol, INSIDE + at, port, REMOTE, 1)?.outsidePort as number,
    ).slice(1)
  expect(replaced(UDP, 80).every((port) => port < 1024)).toBe(true)
  expect(replaced(UDP, 1024).every((port) => port >= 1024)).toBe(true)
  expect(replaced(UDP, 5000).every((port) => port >= 1024)).toBe(true)
  expect(replaced(ICMPV4, 80).some((port) => port >= 1024)).toBe(true)
})

describe.each([
  ['address', (at: number) => [UDP, INSIDE + at, 5000, REMOTE, 1]],
  ['port', (at: number) => [UDP, INSIDE, 1024 + at, REMOTE, 1]],
  ['protocol', (at: number) => [[UDP, ICMPV4, TCP][at % 3] as number, INSIDE, 1024 + Math.floor(at / 3), REMOTE, 1]],
  ['remote address', (at: number) => [UDP, INSIDE, 5000, REMOTE + at, 1]],
  ['remote port', (at: number) => [UDP, INSIDE, 5000, REMOTE, 1 + at]],
] as const)('thousands of mappings that differ in their %s', (_, keyOf) => {
  test('are told apart', () => {
    // Which of them share a chain depends on the seed.
    for (let seed = 1; seed <= 12; seed++) {
      const { table } = make({ mapping: 'address-and-port-dependent' }, () => false, seed)
      const keys = Array.from({ length: 2000 }, (_each, at) => keyOf(at) as Parameters<typeof table.inside>)
      const serials = keys.map((key) => table.map(...key)?.serial)
      expect(serials).toEqual(keys.map((_each, at) => at))
      expect(keys.map((key) => table.inside(...key)?.serial)).toEqual(serials)
    }
  })
})
