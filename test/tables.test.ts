/**
 * Keys that were chosen to land in one place: of a hash without a secret, and of one whose secret
 * was guessed. In no table do they make a longer way than other keys do.
 */
import { describe, expect, test } from 'vitest'
import { Address, Prefix } from '../src/base/address.ts'
import { AddressMap } from '../src/base/address-map.ts'
import { ManualClock } from '../src/base/clock.ts'
import { KeyedHash } from '../src/base/hash.ts'
import { Packet } from '../src/base/packet.ts'
import { SeededRandom } from '../src/base/random.ts'
import { Counters } from '../src/ip/counters.ts'
import { Reassembler } from '../src/ip/fragments/reassembler.ts'
import { Memberships } from '../src/ip/groups/memberships.ts'
import { ErrorLimit } from '../src/ip/icmp/error-limit.ts'
import { NEIGHBOR_LIMITS } from '../src/ip/nic/neighbor-limits.ts'
import { type NeighborProtocol, NeighborTable } from '../src/ip/nic/neighbor-table.ts'
import type { Nic } from '../src/ip/nic/nic.ts'
import { WaitingPackets } from '../src/ip/nic/waiting-packets.ts'
import { PathMtu } from '../src/ip/routing/path-mtu.ts'
import { RouteTable } from '../src/ip/routing/route-table.ts'
import type { Port } from '../src/network/nodes/port.ts'
import { Switch } from '../src/network/nodes/switch.ts'
import { Stack } from '../src/stack.ts'
import * as ethernet from '../src/wire/ethernet.ts'

type Words = readonly [number, number, number, number]

const COUNT = 2000
/** With so many random keys one chain of so many is one in a thousand billions. */
const LONGEST = 14

/** The multiplicative inverse of an odd number modulo 2^32. */
function inverse(odd: number): number {
  let x = odd
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(odd, x))
  return x
}

/** Addresses that a sum of products of the words, the usual unkeyed hash, makes one number of. */
function unkeyed(): Words[] {
  const back = inverse(0x27d4eb2f)
  return Array.from({ length: COUNT }, (_, i) => {
    const rest = Math.imul(0x20010db8, 0x9e3779b1) ^ Math.imul(i, 0x85ebca6b) ^ Math.imul(7 * i, 0xc2b2ae35)
    return [0x20010db8, i, 7 * i, Math.imul(rest ^ 0x1234, back)] as const
  })
}

/** IPv4 addresses that a guessed secret puts into one of 256 places. */
function guessed4(): Words[] {
  const guess = new KeyedHash(new SeededRandom('guess'))
  const found: Words[] = []
  for (let i = 0; found.length < COUNT; i++)
    if ((guess.address(0, 0, 0xffff, i) & 255) === 9) found.push([0, 0, 0xffff, i])
  return found
}

/** And of IPv6. */
function guessed6(): Words[] {
  const guess = new KeyedHash(new SeededRandom('guess'))
  const found: Words[] = []
  for (let i = 0; found.length < COUNT; i++)
    if ((guess.address(0x20010db8, i, 0, 1) & 255) === 9) found.push([0x20010db8, i, 0, 1])
  return found
}

const keys: [string, Words[]][] = [
  ['for an unkeyed hash', unkeyed()],
  ['for a guessed secret, IPv4', guessed4()],
  ['for a guessed secret, IPv6', guessed6()],
]

const nic = { index: 1, name: 'eth0', isUp: true } as unknown as Nic
const random = () => new SeededRandom('stack')

test('the keys are what they are said to be', () => {
  const old = ([w0, w1, w2, w3]: Words) =>
    Math.imul(w0, 0x9e3779b1) ^ Math.imul(w1, 0x85ebca6b) ^ Math.imul(w2, 0xc2b2ae35) ^ Math.imul(w3, 0x27d4eb2f)
  expect(new Set(unkeyed().map(old)).size).toBe(1)
  const guess = new AddressMap<boolean>(new KeyedHash(new SeededRandom('guess')))
  for (const words of guessed6()) guess.set(...words, true)
  expect(guess.longestChain).toBeGreaterThan(100)
})

describe.each(keys)('keys chosen %s', (_, chosen) => {
  test('make no longer chains of routes', () => {
    const table = new RouteTable(new KeyedHash(random()))
    for (const words of chosen) {
      const address = new Address(...words)
      const prefix = new Prefix(address, address.family === 4 ? 32 : 128)
      table.add({ prefix, nic, gateway: null, metric: 0, source: null, mtu: 0, kind: 'unicast' })
    }
    expect(table.longestChain).toBeLessThan(LONGEST)
    for (const words of chosen) expect(table.lookup(...words, 0)?.prefix.address.is(...words)).toBe(true)
  })

  test('make no longer chains of path MTUs, and each keeps its own', () => {
    const table = new PathMtu(new ManualClock(), new KeyedHash(random()))
    chosen.forEach((words, i) => {
      table.report(...words, 1300 + (i % 100), 1500, 1500)
    })
    expect(table.longestChain).toBeLessThan(LONGEST)
    expect(table.size).toBe(COUNT)
    chosen.forEach((words, i) => {
      expect(table.lookup(...words)).toBe(1300 + (i % 100))
    })
  })

  test('make no longer chains of memberships', () => {
    const table = new Memberships(() => {}, new KeyedHash(random()))
    for (const words of chosen) table.add({ group: new Address(...words), exclude: true, sources: [] })
    expect(table.longestChain).toBeLessThan(LONGEST)
    expect(table.list()).toHaveLength(COUNT)
  })

  test('make no longer chains of neighbors', () => {
    const protocol: NeighborProtocol = {
      family: 4,
      solicit: () => {},
      transmit: () => {},
      unreachable: () => {},
      lost: () => {},
    }
    const counters = new Counters()
    const waiting = new WaitingPackets(NEIGHBOR_LIMITS, counters)
    const table = new NeighborTable(
      protocol,
      new ManualClock(),
      random(),
      counters,
      NEIGHBOR_LIMITS,
      waiting,
      new KeyedHash(random()),
    )
    for (const words of chosen) table.addPermanent(new Address(...words), 1, 2)
    expect(table.longestChain).toBeLessThan(LONGEST)
    for (const words of chosen) expect(table.find(...words)?.address.is(...words)).toBe(true)
  })

  test('make no longer chains of sockets', () => {
    const stack = new Stack({ random: random(), clock: new ManualClock() })
    for (const [w0, w1, w2, w3] of chosen) {
      const endpoint = stack.udp.createEndpoint(6, { receive: () => {}, flush: () => {}, icmp: () => {} })
      endpoint.localPort = 7
      endpoint.localAddress = Address.LOOPBACK6
      endpoint.remoteAddress = new Address(w0, w1, w2, w3)
      endpoint.remotePort = 9
      stack.udp.ports.add(endpoint)
    }
    expect(stack.udp.ports.longestChain).toBeLessThan(3)
  })

  test('make no longer chains of error limits, and none pays for another', () => {
    const limit = new ErrorLimit(new ManualClock(), null, { perSecond: 1, burst: 1 }, random())
    for (const words of chosen) expect(limit.take(...words)).toBe(true)
    for (const words of chosen) expect(limit.take(...words)).toBe(false)
    expect(limit.longestChain).toBeLessThan(LONGEST)
  })

  test('make no longer chains of fragments', () => {
    const four = chosen[0]?.[2] === 0xffff
    const reassembler = new Reassembler(four ? 4 : 6, new ManualClock(), random(), new Counters(), {
      timedOut: () => {},
    })
    const packet = new Packet(4096)
    for (const [s0, s1, s2, s3] of chosen) {
      packet.reset(0, four ? 28 : 56)
      packet.family = four ? 4 : 6
      packet.network = 0
      packet.transport = four ? 20 : 48
      packet.fragmentHeader = 40
      Object.assign(packet, {
        s0,
        s1,
        s2,
        s3,
        d0: s0,
        d1: 1,
        d2: s2,
        d3: 1,
        identification: 5,
        protocol: 17,
        moreFragments: 1,
        fragmentOffset: 8,
      })
      reassembler.add(packet)
    }
    expect(reassembler.pending).toBe(COUNT)
    expect(reassembler.longestChain).toBeLessThan(LONGEST)
  })
})

test('identifications chosen for a guessed secret make no longer chains of fragments', () => {
  const guess = new KeyedHash(new SeededRandom('guess'))
  const reassembler = new Reassembler(6, new ManualClock(), random(), new Counters(), { timedOut: () => {} })
  const packet = new Packet(4096)
  for (let identification = 0; reassembler.pending < COUNT / 2; identification++) {
    if ((guess.flow(0x20010db8, 0, 0, 1, 0x20010db8, 0, 0, 2, identification, 0) & 63) !== 0) continue
    packet.reset(0, 56)
    packet.family = 6
    packet.transport = 48
    packet.fragmentHeader = 40
    Object.assign(packet, { s0: 0x20010db8, s1: 0, s2: 0, s3: 1, d0: 0x20010db8, d1: 0, d2: 0, d3: 2 })
    Object.assign(packet, { identification, protocol: 17, moreFragments: 1, fragmentOffset: 8 })
    reassembler.add(packet)
  }
  expect(reassembler.longestChain).toBeLessThan(LONGEST)
})

test('hardware addresses chosen for a guessed secret make no longer chains in a switch', () => {
  const guess = new KeyedHash(new SeededRandom('guess'))
  const device = new Switch('switch', () => 0, new KeyedHash(random()))
  let receive: ((packet: Packet) => void) | null = null
  const port = {
    name: 'one',
    isUp: true,
    attach: (to: { input: (packet: Packet) => void }) => (receive = to.input),
    flush: () => {},
  }
  device.addPort(port as unknown as Port)
  const packet = new Packet(256)
  let sent = 0
  for (let low = 0; sent < COUNT; low++) {
    if ((guess.address(0, 0, 0x0200, low) & 255) !== 9) continue
    packet.reset(0, 64)
    ethernet.encode(packet.view, 0, 0x0200, 1, 0x0200, low, 0x0800)
    ;(receive as unknown as (packet: Packet) => void)(packet)
    sent++
  }
  expect(device.table).toHaveLength(COUNT)
  expect(device.longestChain).toBeLessThan(LONGEST)
})
