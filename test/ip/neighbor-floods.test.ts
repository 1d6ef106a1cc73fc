/**
 * What strangers can do to the neighbors of a host: ARP and Neighbor Discovery side by side. What
 * is counted is work and bytes, never time.
 */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { OVERHEAD } from '../../src/ip/nic/waiting-packets.ts'
import { Stack, type StackOptions } from '../../src/stack.ts'
import type { Endpoint } from '../../src/udp/endpoint.ts'
import {
  advertisement,
  arpFrame,
  type EthernetHost,
  ethernetHost,
  hex,
  OVERRIDE,
  SOLICITED,
  solicitation,
} from '../ethernet.ts'
import { dropCount, open, send, TestLink } from '../host.ts'
import { inFrame, isArp, isUdp } from '../packet.ts'

interface Family {
  readonly name: string
  readonly family: 4 | 6
  readonly peer: string
  /** The i-th stranger's address, and a frame in which it asks for us. */
  stranger(i: number): string
  asks(i: number): Uint8Array
  /** The answer of whoever has an address. */
  answer(address: string): Uint8Array
}

const macOf = (i: number) =>
  `02:77:00:${[(i >>> 16) & 255, (i >>> 8) & 255, i & 255].map((each) => each.toString(16).padStart(2, '0')).join(':')}`
const arp: Family = {
  name: 'ARP',
  family: 4,
  peer: '10.0.0.2',
  stranger: (i) => `10.${9 + (i >>> 16)}.${(i >>> 8) & 255}.${i & 255}`,
  asks: (i) => arpFrame({ sender: arp.stranger(i), senderMac: macOf(i) }),
  answer: (sender) => arpFrame({ operation: 2, sender, targetMac: '02:00:00:00:00:01', target: '10.0.0.1' }),
}
const nd: Family = {
  name: 'Neighbor Discovery',
  family: 6,
  peer: '2001:db8::2',
  stranger: (i) => Address.parse(`2001:db8::9:${(i >>> 16).toString(16)}:${(i & 0xffff).toString(16)}`).toString(),
  asks: (i) => solicitation('2001:db8::1', { source: nd.stranger(i), mac: macOf(i) }),
  answer: (target) => advertisement(target, SOLICITED | OVERRIDE),
}

const hostOf = (options: StackOptions = {}) => ethernetHost({ addresses: ['10.0.0.1/8', '2001:db8::1/64'], ...options })
const isIp = (each: string) => !isArp(each) && isUdp(inFrame(each))
const stateOf = ({ stack }: EthernetHost, address: string) =>
  stack.neighbors.find((each) => each.address === address)?.state
const small = { gcThresh1: 8, gcThresh2: 16, gcThresh3: 24 }

const endpoints = new WeakMap<Stack, Map<number, Endpoint>>()
function say({ stack }: EthernetHost, family: 4 | 6, to: string, bytes = 1): string {
  const known = endpoints.get(stack) ?? new Map<number, Endpoint>()
  endpoints.set(stack, known)
  const endpoint = known.get(family) ?? open(stack, family).endpoint
  known.set(family, endpoint)
  return send(endpoint, new Uint8Array(bytes), to, 7)
}

describe.each([arp, nd])('$name', ({ family, peer, stranger, asks, answer }: Family) => {
  const neighbors = (host: EthernetHost) =>
    host.stack.neighbors.filter(({ address }) => (family === 4) === !address.includes(':'))

  test('a neighbor that is being resolved keeps its place, however many strangers ask for us meanwhile', () => {
    const host = hostOf({ neighborLimits: small })
    let asked = 0
    const flood = (count: number) => {
      for (let i = 0; i < count; i++) host.link.receive(asks(asked++))
    }
    flood(50)
    host.clock.advance(10_000)
    for (let round = 0; round < 5; round++) {
      const to = stranger(0x20000 + round)
      say(host, family, to)
      flood(50)
      expect(stateOf(host, to)).toBe('INCOMPLETE')
      host.take()
      host.link.receive(answer(to))
      expect(host.take().filter(isIp)).toHaveLength(1)
    }
    expect(neighbors(host)).toHaveLength(small.gcThresh3)
    expect(host.stack.drops.filter(({ reason }) => reason.startsWith('Neighbor'))).toEqual([])
  })

  test('a neighbor that is talked to keeps its place through all its states, and nothing sent to it is lost', () => {
    const host = hostOf({ neighborLimits: small })
    say(host, family, peer)
    host.link.receive(answer(peer))
    host.take()
    let asked = 0
    let arrived = 0
    const seen = new Set<string>()
    for (let second = 0; second < 120; second++) {
      for (let i = 0; i < 30; i++) host.link.receive(asks(asked++))
      expect(say(host, family, peer)).toBe('')
      // It answers what it is asked; nobody else does.
      const frames = host.after(500)
      seen.add(stateOf(host, peer) as string)
      if (stateOf(host, peer) === 'PROBE') host.link.receive(answer(peer))
      arrived += [...frames, ...host.after(500)].filter((each) => isIp(each) && each.startsWith('020000000002')).length
    }
    expect(arrived).toBe(120)
    expect([...seen]).toEqual(expect.arrayContaining(['DELAY', 'PROBE', 'REACHABLE']))
  })

  test('those of our own scan stay until they fail: others find no place, by name, and then there is one again', () => {
    const host = hostOf()
    for (let i = 0; i < 1024; i++) say(host, family, stranger(i))
    for (let i = 1024; i < 1500; i++) expect(say(host, family, stranger(i))).toBe('')
    expect(dropCount(host.stack, 'NeighborTableFull')).toBe(476)
    expect(stateOf(host, stranger(0))).toBe('INCOMPLETE')
    host.after(3000)
    expect(dropCount(host.stack, 'NeighborUnreachable')).toBe(1024)
    say(host, family, peer)
    host.link.receive(answer(peer))
    expect(host.take().filter(isIp)).toHaveLength(1)
  })

  test('a full table answers who asks for us all the same', () => {
    const host = hostOf({ neighborLimits: { gcThresh1: 2, gcThresh2: 4, gcThresh3: 4 } })
    for (let i = 0; i < 4; i++) say(host, family, stranger(i))
    host.take()
    host.link.receive(asks(9))
    expect(neighbors(host).map(({ address }) => address)).toEqual([0, 1, 2, 3].map(stranger))
    if (family === 4) expect(host.take()).toHaveLength(1)
  })

  test(
    'thresholds: above the first the unused of a minute go, above the second the unchanged of five seconds, ' +
      'above the third the oldest',
    () => {
      const host = hostOf({ neighborLimits: { gcThresh1: 4, gcThresh2: 8, gcThresh3: 12 } })
      const known = () => neighbors(host).length
      let next = 0
      const hear = (count: number) => {
        for (let i = 0; i < count; i++) host.link.receive(asks(next++))
      }
      hear(3)
      host.after(600_000)
      hear(1)
      expect(known()).toBe(4)
      // Three of the four were not heard of for ten minutes: they make room as far as the first
      // threshold goes.
      hear(1)
      expect(known()).toBe(4)
      hear(4)
      expect(neighbors(host).map(({ address }) => address)).toEqual([3, 4, 5, 6, 7, 8].map(stranger))
      hear(20)
      expect(neighbors(host).map(({ address }) => address)).toEqual(
        Array.from({ length: 12 }, (_, i) => stranger(17 + i)),
      )
      host.after(9001)
      hear(1)
      // An advertisement to a stranger is followed by probes, which fail: those go first of all.
      expect(known()).toBe(family === 4 ? 9 : 4)
    },
  )

  test('one set by hand takes no place of others, and finds its own in a full table', () => {
    const host = hostOf({ neighborLimits: { gcThresh1: 0, gcThresh2: 0, gcThresh3: 2 } })
    for (let i = 0; i < 2; i++) say(host, family, stranger(i))
    for (let i = 5; i < 9; i++) host.stack.addNeighbor('eth0', stranger(i), macOf(i))
    expect(neighbors(host)).toHaveLength(6)
    host.stack.addNeighbor('eth0', stranger(0), macOf(0))
    say(host, family, stranger(2))
    expect(stateOf(host, stranger(2))).toBe('INCOMPLETE')
    for (let i = 5; i < 9; i++) expect(host.stack.removeNeighbor('eth0', stranger(i))).toBe(true)
    say(host, family, stranger(3))
    expect(stateOf(host, stranger(3))).toBeUndefined()
    host.stack.removeNeighbor('eth0', stranger(2))
    say(host, family, stranger(3))
    expect(stateOf(host, stranger(3))).toBe('INCOMPLETE')
  })

  test(
    'packets wait for a neighbor within 208 KiB, what it takes to keep them included; the oldest give way ' +
      '(Linux: unres_qlen_bytes)',
    () => {
      const host = jumboHost()
      for (let i = 0; i < 101; i++) say(host, family, peer, 8900)
      const size = 8900 + 8 + (family === 4 ? 20 : 40) + OVERHEAD
      const most = Math.floor(212_992 / size)
      expect(host.stack.ip.waiting.bytes).toBe(most * size)
      expect(dropCount(host.stack, 'NeighborQueueFull')).toBe(101 - most)
      host.take()
      host.link.receive(answer(peer))
      expect(host.take().filter(isIp)).toHaveLength(most)
      expect(host.stack.ip.waiting.bytes).toBe(0)
    },
  )

  test('packets wait for all neighbors within 4 MiB, and one that just began is spared', () => {
    const host = jumboHost()
    for (let i = 0; i < 100; i++) {
      for (let n = 0; n < 20; n++) say(host, family, stranger(i), 8900)
      expect(host.stack.ip.waiting.bytes).toBeLessThanOrEqual(4 * 1024 * 1024)
    }
    say(host, family, peer)
    for (let n = 0; n < 20; n++) for (let i = 0; i < 100; i++) say(host, family, stranger(i), 8900)
    expect(host.stack.ip.waiting.bytes).toBeGreaterThan(4 * 1024 * 1024 - 10_000)
    host.take()
    host.link.receive(answer(peer))
    expect(host.take().filter(isIp)).toHaveLength(1)
    host.after(3000)
    expect(host.stack.ip.waiting.bytes).toBe(0)
    expect(dropCount(host.stack, 'NeighborQueueFull') + dropCount(host.stack, 'NeighborUnreachable')).toBe(2 * 100 * 20)
  })

  test('a packet that is larger than what may wait is dropped by name, and its neighbor asked for all the same', () => {
    const host = hostOf({ neighborLimits: { queueBytes: 300 } })
    say(host, family, peer, 100)
    expect(host.take()).toHaveLength(1)
    expect(dropCount(host.stack, 'NeighborQueueFull')).toBe(1)
    expect(host.stack.ip.waiting.bytes).toBe(0)
  })
})

/** A host whose link takes packets of 9000 bytes. */
function jumboHost(): EthernetHost {
  const host = hostOf()
  const link = new TestLink('eth1', 9000, host.link.offload, Uint8Array.of(2, 0, 0, 0, 0, 1))
  host.stack.removeNic(host.nic)
  const nic = host.stack.addNic(link, {
    addresses: ['10.0.0.1/8', '2001:db8::1/64'],
    acceptRouterAdvertisements: false,
    mtu: 9000,
  })
  const take = () => link.take().map(hex)
  host.clock.advance(5000)
  take()
  return {
    ...host,
    link,
    nic,
    take,
    after: (milliseconds) => {
      host.clock.advance(milliseconds)
      return take()
    },
  }
}

test.each([
  [{ gcThresh3: 0 }, /gcThresh3 0 leaves no room/],
  [{ gcThresh1: -1 }, /gcThresh1 -1 is out of range/],
  [{ queueBytes: 1.5 }, /queueBytes 1.5 is out of range/],
  [{ gcThresh1: 600 }, /out of order: gcThresh1 600, gcThresh2 512, gcThresh3 1024/],
  [{ gcThresh2: 2000 }, /out of order/],
])('limits that cannot be are refused: %j', (neighborLimits, message) => {
  expect(() => new Stack({ neighborLimits })).toThrow(RangeError)
  expect(() => new Stack({ neighborLimits })).toThrow(message)
})
