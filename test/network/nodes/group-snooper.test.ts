import { afterEach, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { Packet } from '../../../src/base/packet.ts'
import { readCapture } from '../../../src/link/capture/capture-reader.ts'
import { Network } from '../../../src/network/network.ts'
import type { Stack } from '../../../src/stack.ts'
import { ipv4 } from '../../packet.ts'
import { listen } from '../host.ts'

let network: Network
afterEach(() => network.close())

/** Hosts on a switch that snoops, with a router for the way to groups. */
async function make(snooping = true) {
  network = new Network({ seed: 1 })
  network.switch('sw', { subnet: ['192.0.2.0/24', '2001:db8::/64'], snooping })
  network.router('r')
  network.connect('r', 'sw')
  const hosts = ['a', 'b', 'c', 'd'].map((name) => network.host(name))
  for (const host of hosts) network.connect(host, 'sw')
  // The routes are there from here on.
  await network.runFor('100ms')
  return hosts as [(typeof hosts)[0], (typeof hosts)[0], (typeof hosts)[0], (typeof hosts)[0]]
}

/** A socket of a member. */
async function member(host: Stack, group: string, type: 'udp4' | 'udp6' = 'udp4') {
  const made = listen(network, host, 9, type)
  await network.runFor('1ms')
  made.socket.addMembership(group)
  return made
}

const FOUR = '239.1.2.3'
const SIX = 'ff15::77'

/** The nodes at which the datagrams to a port arrived, without the switch. */
function reached(port: number): string[] {
  const nodes = network
    .datagrams({ port })
    .flatMap(({ events }) => events.filter(({ what }) => what === 'arrived').map(({ node }) => node))
  return nodes.filter((node) => node !== 'sw').sort()
}

/** Counts the IGMP packets that come to nodes from now on. */
function igmpAt(...names: string[]): (name: string) => number {
  const chunks = new Map(names.map((name): [string, Uint8Array[]] => [name, []]))
  for (const [name, own] of chunks) network.capture((chunk) => own.push(chunk), { of: [name] })
  // 14 bytes of Ethernet in front, IGMP behind.
  return (name) =>
    [...readCapture(Buffer.concat(chunks.get(name) ?? []))].filter(
      ({ bytes, direction }) => direction === 'in' && bytes[12] === 8 && bytes[13] === 0 && bytes[14 + 9] === 2,
    ).length
}

test.each([
  ['udp4', FOUR],
  ['udp6', SIX],
] as const)('%s: a group reaches its members, and nobody else', async (type, group) => {
  const [a, b, c, d] = await make()
  const members = [await member(b, group, type), await member(c, group, type)]
  listen(network, d, 9, type)
  await network.runFor('1s')
  const sender = a.dgram.createSocket(type)
  sender.send('x', 9, group)
  await network.runFor('1s')
  expect(reached(9)).toEqual(['b', 'c'])
  expect(members.map(({ received }) => received.length)).toEqual([1, 1])
  // One leaves, and is forgotten at once.
  members[0]?.socket.dropMembership(group)
  await network.runFor('5s')
  sender.send('y', 9, group)
  await network.runFor('1s')
  expect(members.map(({ received }) => received.length)).toEqual([1, 2])
  expect(reached(9)).toEqual(['b', 'c', 'c'])
})

test('a group of nobody ends at the switch, by name; without snooping it goes to all', async () => {
  const [a] = await make()
  await network.runFor('1s')
  a.dgram.createSocket('udp4').send('x', 9, FOUR)
  await network.runFor('1s')
  expect(reached(9)).toEqual([])
  expect(network.datagrams({ port: 9 })[0]?.events.at(-1)).toMatchObject({ node: 'sw', reason: 'WireNoReceiver' })
  network.close()
  const [plain] = await make(false)
  plain.dgram.createSocket('udp4').send('x', 9, FOUR)
  await network.runFor('1s')
  expect(reached(9)).toEqual(['b', 'c', 'd', 'r'])
})

test('where nobody asks again, members are forgotten 260 s after they joined', async () => {
  const [a, b] = await make()
  const { received } = await member(b, FOUR)
  const sender = a.dgram.createSocket('udp4')
  // The report is repeated within a second or so.
  for (const time of ['255s', '263s'] as const) network.at(time, () => sender.send(time, 9, FOUR))
  await network.runFor('270s')
  expect(received.map(({ text }) => text)).toEqual(['255s'])
})

test('link-local groups go everywhere, and so do broadcasts', async () => {
  const [a] = await make()
  await network.runFor('1s')
  const sender = a.dgram.createSocket('udp4').bind(5000)
  await network.runFor('1ms')
  sender.setBroadcast(true)
  sender.send('x', 9, '224.0.0.250')
  sender.send('x', 10, '192.0.2.255')
  await network.runFor('1s')
  expect([reached(9), reached(10)]).toEqual(Array(2).fill(['b', 'c', 'd', 'r']))
})

test('who queries is a router: all groups and all reports go there', async () => {
  const [a, b, , d] = await make()
  // A general query of IGMPv2 (RFC 2236 section 2), from a host that plays a router.
  const querier = d.openRaw({ family: 4, protocol: 2 })
  expect(querier.send(Uint8Array.of(0x11, 100, 0xee, 0x9b, 0, 0, 0, 0), '224.0.0.1')).toBe('')
  await network.runFor('100ms')
  const heard = igmpAt('c', 'd')
  await member(b, FOUR)
  await network.runFor('12s')
  a.dgram.createSocket('udp4').send('x', 9, FOUR)
  await network.runFor('1s')
  expect(reached(9)).toEqual(['b', 'd'])
  expect([heard('c'), heard('d') > 0]).toEqual([0, true])
})

test('a query without a source is from no router (RFC 4541 section 2.1.1)', async () => {
  const [a, b, , d] = await make()
  // IPv4 header and query of IGMPv2 as they are, for a stack gives its packets an address.
  const asking = ipv4(Uint8Array.of(0x11, 100, 0xee, 0x9b, 0, 0, 0, 0), {
    source: '0.0.0.0',
    destination: '224.0.0.1',
    protocol: 2,
    ttl: 1,
  })
  const frame = new Packet().load(Uint8Array.of(1, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 0x77, 8, 0, ...asking))
  expect(d.nic('eth0')?.link.send(frame)).toBe(Drop.None)
  await member(b, FOUR)
  await network.runFor('12s')
  a.dgram.createSocket('udp4').send('x', 9, FOUR)
  await network.runFor('1s')
  expect(reached(9)).toEqual(['b'])
})

test('what it does not know of IGMP goes everywhere (RFC 4541 section 2.1.1)', async () => {
  const [a] = await make()
  const heard = igmpAt('b', 'c', 'd')
  // Of type 0x30, to a group that nobody has joined.
  a.openRaw({ family: 4, protocol: 2 }).send(Uint8Array.of(0x30, 0, 0xcf, 0xff, 0, 0, 0, 0), FOUR)
  await network.runFor('1s')
  expect(['b', 'c', 'd'].map(heard)).toEqual([1, 1, 1])
})
