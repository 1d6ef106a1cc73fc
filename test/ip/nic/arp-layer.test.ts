/** ARP of a host on Ethernet, and the neighbor states that Neighbor Discovery shares with it. */
import { describe, expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import type { AddressEvent } from '../../../src/ip/nic/nic.ts'
import {
  type ArpFields,
  arpBody,
  arpFrame,
  BROADCAST,
  bytesOf,
  type EthernetHost,
  ethernetHost,
  frame,
  hex,
  OTHER_MAC,
  OUR_MAC,
  OUR4,
  OUR6,
  PEER_MAC,
  PEER4,
  solicitation,
} from '../../ethernet.ts'
import { dropCount, open, send, TestLink } from '../../host.ts'
import { datagram } from '../../packet.ts'
import { readVectors, vector } from '../../vectors/read.ts'

const vectors = readVectors('ethernet')
const REQUEST = hex(vector(vectors, 'ARP request').bytes)

/** A frame of ours with an ARP message, in hex. */
function ours(fields: ArpFields & { to?: string }): string {
  const { to = BROADCAST } = fields
  return hex(frame(to, OUR_MAC, 0x0806, arpBody({ senderMac: OUR_MAC, sender: OUR4, ...fields })))
}

const reply = (fields: ArpFields = {}) => arpFrame({ operation: 2, targetMac: OUR_MAC, target: OUR4, ...fields })
const isIp = (each: string) => each.slice(24, 28) === '0800'
const stateOf = ({ stack }: EthernetHost, address = PEER4) =>
  stack.neighbors.find((each) => each.address === address)?.state

/** Sends a datagram of one byte to a host of the link. */
function say(host: EthernetHost, byte = 1, to = PEER4): string {
  const { endpoint } = open(host.stack, 4)
  const error = send(endpoint, Uint8Array.of(byte), to, 7)
  endpoint.close()
  return error
}

/** Lets the peer be found. */
function resolved(host: EthernetHost): void {
  say(host)
  host.link.receive(reply())
  host.take()
  expect(stateOf(host)).toBe('REACHABLE')
}

describe('a packet for a host that is not known (RFC 826, RFC 1122 section 2.3.2)', () => {
  test('makes the request that Linux makes, and waits for the answer', () => {
    const host = ethernetHost()
    expect(say(host, 0x41)).toBe('')
    expect(host.take()).toEqual([REQUEST])
    expect(stateOf(host)).toBe('INCOMPLETE')
    host.link.receive(vector(vectors, 'ARP reply').bytes)
    const [sent, ...rest] = host.take()
    expect(rest).toEqual([])
    expect(sent).toMatch(/^02000000000202000000000108004500001d/)
    expect(sent?.slice(-2)).toBe('41')
    expect(host.stack.neighbors).toEqual([
      { nic: 'eth0', address: PEER4, hardwareAddress: PEER_MAC, state: 'REACHABLE', router: false },
    ])
  })

  test('is asked for once a second, three times, however many packets wait; then they are discarded by name', () => {
    const host = ethernetHost()
    for (let byte = 0; byte < 5; byte++) say(host, byte)
    expect(host.take()).toEqual([REQUEST])
    expect(host.after(999)).toEqual([])
    expect(host.after(1)).toEqual([REQUEST])
    say(host, 5)
    expect(host.after(1000)).toEqual([REQUEST])
    expect(dropCount(host.stack, 'NeighborUnreachable')).toBe(0)
    expect(host.after(1000)).toEqual([])
    expect(stateOf(host)).toBe('FAILED')
    expect(dropCount(host.stack, 'NeighborUnreachable')).toBe(6)
    expect(host.stack.counters.IpOutDiscards).toBe(6)
    expect(host.after(60_000)).toEqual([])
  })

  test(
    'is told to the socket as host unreachable, as Linux does (without IP_RECVERR a connected socket hears ' +
      'nothing)',
    () => {
      const host = ethernetHost()
      const { endpoint, mailbox } = open(host.stack, 4)
      endpoint.receiveErrors = true
      send(endpoint, Uint8Array.of(1, 2, 3), PEER4, 7)
      const silent = open(host.stack, 4)
      silent.endpoint.connect(Address.parse(PEER4), 7)
      send(silent.endpoint, Uint8Array.of(1), null, 0)
      host.after(3000)
      expect(
        mailbox.errors.map(({ error, errno }) => [
          error.type,
          error.code,
          error.offender.toString(),
          error.destinationPort,
          errno,
        ]),
      ).toEqual([[3, 1, OUR4, 7, 'EHOSTUNREACH']])
      expect(silent.mailbox.errors.map(({ errno }) => errno)).toEqual([''])
    },
  )

  test.each([
    [4, '192.0.2.1/24', '192.0.2.10', '10.0.0.77', 20],
    [6, '2001:db8:a::1/64', '2001:db8:a::10', '2001:db8::77', 40],
  ] as const)(
    'is told to who sent it, when a router gives it up: IPv%i',
    (family, own, source, destination, header) => {
      const host = ethernetHost({ forwarding: true })
      const other = new TestLink('wire')
      host.stack.addNic(other, { addresses: [own] })
      other.receive(datagram([1, 2, 3], family, { source, destination }))
      host.after(3000)
      expect(dropCount(host.stack, 'NeighborUnreachable')).toBe(1)
      const [error, ...rest] = other.take().filter((each) => each[family === 4 ? 9 : 6] === (family === 4 ? 1 : 58))
      expect(rest).toEqual([])
      expect([...(error as Uint8Array).slice(header, header + 2)]).toEqual(family === 4 ? [3, 1] : [1, 3])
      const quoted = (error as Uint8Array).slice(header + 8)
      expect(hex(quoted)).toContain(hex(bytesOf(destination)))
    },
  )

  test('begins anew with the next packet', () => {
    const host = ethernetHost()
    say(host)
    host.after(5000)
    say(host)
    expect(host.take()).toEqual([REQUEST])
    expect(stateOf(host)).toBe('INCOMPLETE')
    host.link.receive(reply())
    expect(host.take().filter(isIp)).toHaveLength(1)
  })

  test('waits with up to a hundred others; the oldest goes first', () => {
    const host = ethernetHost()
    for (let byte = 0; byte < 104; byte++) say(host, byte)
    expect(dropCount(host.stack, 'NeighborQueueFull')).toBe(3)
    host.take()
    host.link.receive(reply())
    const bytes = host.take().map((each) => Number.parseInt(each.slice(-2), 16))
    expect(bytes).toEqual(Array.from({ length: 101 }, (_, at) => at + 3))
  })

  test('leaves in whole fragments, and each of them waits', () => {
    const host = ethernetHost()
    const { endpoint } = open(host.stack, 4)
    endpoint.pmtuMode = 0
    send(endpoint, new Uint8Array(4000), PEER4, 7)
    expect(host.take()).toEqual([REQUEST])
    host.link.receive(reply())
    const fragments = host.take()
    expect(fragments.map((each) => each.length / 2 - 14)).toEqual([1500, 1500, 1068])
    expect(fragments.every((each) => each.startsWith('020000000002020000000001080045'))).toBe(true)
  })
})

describe('a neighbor that is known (RFC 4861 section 7.3)', () => {
  test('is reachable for 15 to 45 seconds, then stale, and probed only when a packet was sent to it', () => {
    const host = ethernetHost()
    resolved(host)
    host.after(14_999)
    expect(stateOf(host)).toBe('REACHABLE')
    expect(host.after(30_001)).toEqual([])
    expect(stateOf(host)).toBe('STALE')
    expect(host.after(600_000)).toEqual([])
    say(host)
    expect(host.take().filter(isIp)).toHaveLength(1)
    expect(stateOf(host)).toBe('DELAY')
    expect(host.after(4999)).toEqual([])
    const probe = ours({ to: PEER_MAC, targetMac: PEER_MAC, target: PEER4 })
    expect(host.after(1)).toEqual([probe])
    expect(stateOf(host)).toBe('PROBE')
    say(host)
    expect(host.take().filter(isIp)).toHaveLength(1)
    expect(host.after(1000)).toEqual([probe])
    host.link.receive(reply())
    expect(stateOf(host)).toBe('REACHABLE')
    expect(host.after(14_999)).toEqual([])
  })

  test('is lost after three probes, and asked for anew by the next packet', () => {
    const host = ethernetHost()
    resolved(host)
    host.after(45_001)
    say(host)
    host.after(5000)
    expect(host.after(3000)).toHaveLength(2)
    expect(stateOf(host)).toBe('FAILED')
    host.take()
    say(host)
    expect(host.take()).toEqual([REQUEST])
  })

  test(
    'moves to another hardware address when it says so, but not within a second of an answer (Linux: ' + 'locktime)',
    () => {
      const host = ethernetHost()
      resolved(host)
      host.clock.advance(1000)
      const moved = () => reply({ senderMac: OTHER_MAC })
      host.link.receive(moved())
      expect(host.stack.neighbors[0]?.hardwareAddress).toBe(PEER_MAC)
      host.clock.advance(1)
      host.link.receive(moved())
      expect(host.stack.neighbors[0]).toMatchObject({ hardwareAddress: OTHER_MAC, state: 'REACHABLE' })
      host.link.receive(arpFrame({ sender: PEER4, target: PEER4 }))
      expect(host.stack.neighbors[0]).toMatchObject({ hardwareAddress: PEER_MAC, state: 'STALE' })
    },
  )

  test('can be set for good: it is never asked for, and no message changes it', () => {
    const host = ethernetHost()
    host.stack.addNeighbor('eth0', PEER4, PEER_MAC)
    say(host)
    expect(host.take().every(isIp)).toBe(true)
    host.link.receive(reply({ senderMac: OTHER_MAC }))
    host.after(600_000)
    expect(host.stack.neighbors).toEqual([
      { nic: 'eth0', address: PEER4, hardwareAddress: PEER_MAC, state: 'PERMANENT', router: false },
    ])
    expect(host.stack.removeNeighbor('eth0', PEER4)).toBe(true)
    expect(host.stack.removeNeighbor('eth0', PEER4)).toBe(false)
    expect(() => host.stack.addNeighbor('eth9', PEER4, PEER_MAC)).toThrow(/No nic is named eth9/)
    expect(() => host.stack.addNeighbor('lo', PEER4, PEER_MAC)).toThrow(/no hardware addresses/)
    expect(() => host.stack.addNeighbor('eth0', PEER4, 'ff:ff:ff:ff:ff:ff')).toThrow(TypeError)
  })

  test('gives what waits when it is set by hand, and lets it go when it is removed', () => {
    const host = ethernetHost()
    say(host)
    say(host, 1, '10.0.0.77')
    host.take()
    host.stack.addNeighbor('eth0', PEER4, PEER_MAC)
    expect(host.take().filter(isIp)).toHaveLength(1)
    host.stack.removeNeighbor('eth0', '10.0.0.77')
    expect(dropCount(host.stack, 'NeighborUnreachable')).toBe(1)
    expect(host.after(10_000)).toEqual([])
  })

  test('that was heard longest ago makes room when there is no other', () => {
    const host = ethernetHost({ addresses: ['10.0.0.1/8'] })
    const hear = (i: number) => host.link.receive(arpFrame({ sender: `10.9.${i >> 8}.${i & 255}` }))
    for (let i = 0; i < 1024; i++) {
      hear(i)
      host.clock.advance(1)
    }
    host.link.receive(reply({ sender: '10.9.0.0' }))
    hear(1024)
    const known = host.stack.neighbors.map(({ address }) => address)
    expect(known).toHaveLength(1024)
    expect(known).toContain('10.9.0.0')
    expect(known).not.toContain('10.9.0.1')
  })

  test('keeps its place when a scan of the network fills the table', () => {
    const host = ethernetHost({ addresses: ['10.0.0.1/8'] })
    for (let i = 0; i < 1000; i++) say(host, 1, `10.8.${i >> 8}.${i & 255}`)
    resolved(host)
    for (let i = 0; i < 2000; i++) say(host, 1, `10.9.${i >> 8}.${i & 255}`)
    expect(host.stack.neighbors).toHaveLength(1024)
    expect(stateOf(host)).toBe('REACHABLE')
    expect(dropCount(host.stack, 'NeighborTableFull')).toBe(3000 - 1023)
  })
})

describe('a request', () => {
  test('for our address is answered, and its sender is known then', () => {
    const host = ethernetHost()
    host.link.receive(arpFrame())
    expect(host.take()).toEqual([ours({ operation: 2, to: PEER_MAC, targetMac: PEER_MAC, target: PEER4 })])
    expect(stateOf(host)).toBe('STALE')
  })

  test("for another nic's address is answered too (Linux: arp_ignore 0), for loopback and strangers not", () => {
    const host = ethernetHost()
    host.nic.addAddress('172.16.0.1/24')
    host.take()
    host.link.receive(arpFrame({ target: '172.16.0.1' }))
    expect(host.take()).toEqual([
      ours({ operation: 2, sender: '172.16.0.1', to: PEER_MAC, targetMac: PEER_MAC, target: PEER4 }),
    ])
    host.link.receive(
      arpFrame({ target: '127.0.0.1' }),
      arpFrame({ target: '10.0.0.9' }),
      arpFrame({ target: '10.0.0.255' }),
    )
    expect(host.take()).toEqual([])
  })

  test('for others makes no entry, but updates one that is there, whatever the operation', () => {
    const host = ethernetHost()
    host.link.receive(arpFrame({ target: '10.0.0.9' }), reply({ sender: '10.0.0.9', senderMac: OTHER_MAC }))
    expect(host.stack.neighbors).toEqual([])
    resolved(host)
    host.clock.advance(1001)
    host.link.receive(arpFrame({ target: '10.0.0.9', senderMac: OTHER_MAC }))
    expect(host.stack.neighbors).toMatchObject([{ hardwareAddress: OTHER_MAC, state: 'STALE' }])
  })

  test('from 0.0.0.0 is answered, and teaches nothing (RFC 5227 section 2.1.1)', () => {
    const host = ethernetHost()
    host.link.receive(arpFrame({ sender: '0.0.0.0' }))
    expect(host.take()).toEqual([ours({ operation: 2, to: PEER_MAC, targetMac: PEER_MAC, target: '0.0.0.0' })])
    expect(host.stack.neighbors).toEqual([])
  })

  test('of our own that comes back is nothing new', () => {
    const host = ethernetHost()
    host.link.receive(Uint8Array.from(bytes(ours({ target: OUR4 }))))
    expect(host.take()).toEqual([])
    expect(dropCount(host.stack, 'AddressConflict')).toBe(0)
  })

  test('that is malformed is discarded by name', () => {
    const host = ethernetHost()
    host.link.receive(arpFrame({ operation: 3 }), arpFrame().subarray(0, 41))
    expect(dropCount(host.stack, 'ArpMalformed')).toBe(2)
    expect(host.take()).toEqual([])
  })
})

const bytes = (text: string) => (text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
const events = (host: EthernetHost) => {
  const seen: AddressEvent[] = []
  host.nic.onAddress = (event) => seen.push(event)
  return seen
}

describe('an address of our own', () => {
  const announcement = ours({ target: OUR4 })

  test('is announced when it is added (RFC 5227 section 2.3)', () => {
    const host = ethernetHost({ addresses: [], linkLocal: false })
    host.nic.addAddress(`${OUR4}/24`)
    expect(host.take()).toEqual([announcement])
  })

  test('is probed for three times and announced twice, if asked for, and belongs to nobody meanwhile', () => {
    const host = ethernetHost({ addresses: [`${OUR4}/24`], conflictDetection: true, linkLocal: false, quiet: false })
    const probe = ours({ sender: '0.0.0.0', target: OUR4 })
    const times: number[] = []
    for (let at = 0; host.nic.tentativeAddresses.length > 0; at += 10) {
      expect(host.nic.addresses).toEqual([])
      host.link.receive(arpFrame({ target: OUR4, sender: PEER4 }))
      for (const each of host.after(10)) if (each === probe) times.push(at)
    }
    const [first = 0, second = 0, third = 0] = times
    expect(times).toHaveLength(3)
    expect(first).toBeLessThanOrEqual(1000)
    for (const gap of [second - first, third - second]) {
      expect(gap).toBeGreaterThanOrEqual(980)
      expect(gap).toBeLessThanOrEqual(2010)
    }
    expect(host.nic.addresses.map(({ address }) => address.toString())).toEqual([OUR4])
    expect(host.clock.now() - third).toBeGreaterThanOrEqual(1990)
    expect(host.after(3000)).toEqual([announcement])
  })

  test.each([
    ['an announcement', { sender: OUR4, target: OUR4 }],
    ['a reply', { operation: 2, sender: OUR4, target: PEER4 }],
    ['a probe for the same address', { sender: '0.0.0.0', target: OUR4 }],
  ])('is not taken when somebody else has it: %s', (_, fields) => {
    const host = ethernetHost({ addresses: [`${OUR4}/24`], conflictDetection: true, linkLocal: false, quiet: false })
    const seen = events(host)
    host.after(1500)
    host.link.receive(arpFrame({ ...fields, to: BROADCAST }))
    expect(seen).toEqual([{ kind: 'duplicate', address: Address.parse(OUR4), hardwareAddress: PEER_MAC }])
    expect(dropCount(host.stack, 'AddressConflict')).toBe(1)
    expect(host.after(20_000)).toEqual([])
    expect(host.nic.addresses).toEqual([])
    expect(host.nic.tentativeAddresses).toEqual([])
  })

  test('is defended, once in ten seconds, and the other station is named (RFC 5227 section 2.4)', () => {
    const host = ethernetHost()
    const seen = events(host)
    const theirs = arpFrame({ sender: OUR4, target: OUR4 })
    host.link.receive(theirs)
    expect(host.take()).toEqual([announcement])
    host.clock.advance(9999)
    host.link.receive(theirs)
    expect(host.take()).toEqual([])
    host.clock.advance(1)
    host.link.receive(theirs)
    expect(host.take()).toEqual([announcement])
    expect(seen).toEqual(
      Array.from({ length: 3 }, () => ({ kind: 'conflict', address: Address.parse(OUR4), hardwareAddress: PEER_MAC })),
    )
    expect(dropCount(host.stack, 'AddressConflict')).toBe(3)
    expect(host.stack.neighbors).toEqual([])
  })

  test('taken away while it is probed for leaves nothing behind', () => {
    const host = ethernetHost({ addresses: [`${OUR4}/24`], conflictDetection: true, linkLocal: false, quiet: false })
    host.after(1500)
    expect(host.nic.removeAddress(Address.parse(OUR4))).toBe(true)
    expect(host.after(20_000)).toEqual([])
    expect(host.nic.addresses).toEqual([])
  })
})

describe('frames', () => {
  test('for others, with tags, of unknown types, too short and of the wrong version are discarded by name', () => {
    const host = ethernetHost()
    const packet = datagram([1], 4, { destination: OUR4, source: PEER4 })
    host.link.receive(
      frame(OTHER_MAC, PEER_MAC, 0x0800, packet),
      frame(OUR_MAC, PEER_MAC, 0x8100, [0, 5, 8, 0, ...packet]),
      frame(OUR_MAC, PEER_MAC, 0x88cc, packet),
      frame(OUR_MAC, PEER_MAC, 0x0800, packet).subarray(0, 13),
      frame(OUR_MAC, PEER_MAC, 0x0800, []),
      frame(OUR_MAC, PEER_MAC, 0x86dd, packet),
    )
    expect(host.stack.drops.map(({ reason, count }) => [reason, count])).toEqual([
      ['FrameTooShort', 2],
      ['FrameOtherHost', 1],
      ['FrameUnknownType', 1],
      ['FrameVlanTagged', 1],
      ['IpVersion', 1],
    ])
    expect(host.take()).toEqual([])
  })

  test('with a priority tag are as good as those without: datagrams, ARP and Neighbor Discovery', () => {
    const host = ethernetHost()
    const tag = (bytes: Uint8Array) =>
      Uint8Array.from([...bytes.subarray(0, 12), 0x81, 0, 0xa0, 0, ...bytes.subarray(12)])
    const { mailbox } = open(host.stack, 4, 5000)
    host.link.receive(
      tag(
        frame(
          OUR_MAC,
          PEER_MAC,
          0x0800,
          datagram([1, 2], 4, { destination: OUR4, source: PEER4, destinationPort: 5000 }),
        ),
      ),
    )
    expect(mailbox.received.map(({ payload }) => [...payload])).toEqual([[1, 2]])
    host.link.receive(tag(arpFrame()), tag(solicitation(OUR6)))
    // The answers have no tag.
    expect(host.take().map((each) => each.slice(24, 28))).toEqual(['0806', '86dd'])
    expect(host.stack.drops).toEqual([])
  })

  test('are padded to 46 bytes: the packet ends where its length says (RFC 894)', () => {
    const host = ethernetHost()
    const { mailbox } = open(host.stack, 4, 7)
    const packet = datagram([1, 2, 3], 4, { destination: OUR4, source: PEER4 })
    host.link.receive(frame(OUR_MAC, PEER_MAC, 0x0800, [...packet, ...new Array(46 - packet.length).fill(0xee)]))
    expect(mailbox.received.map(({ payload }) => [...payload])).toEqual([[1, 2, 3]])
  })

  test('with a unicast packet for all stations draw no ICMP error (RFC 1122 section 3.2.2)', () => {
    const host = ethernetHost()
    host.stack.addNeighbor('eth0', PEER4, PEER_MAC)
    const packet = datagram([1], 4, { destination: OUR4, source: PEER4, destinationPort: 9999 })
    host.link.receive(frame(BROADCAST, PEER_MAC, 0x0800, packet))
    expect(host.take()).toEqual([])
    host.link.receive(frame(OUR_MAC, PEER_MAC, 0x0800, packet))
    expect(host.take().filter(isIp)).toHaveLength(1)
  })

  test('to the broadcast addresses and to groups need no neighbor', () => {
    const host = ethernetHost()
    const { endpoint } = open(host.stack, 4)
    endpoint.broadcast = true
    for (const to of ['255.255.255.255', '10.0.0.255', '239.129.2.3', '224.0.0.1'])
      expect(send(endpoint, Uint8Array.of(1), to, 7, { nic: host.nic.index }), to).toBe('')
    expect(host.take().map((each) => each.slice(0, 12))).toEqual([
      'ffffffffffff',
      'ffffffffffff',
      '01005e010203',
      '01005e000001',
    ])
    expect(host.stack.neighbors).toEqual([])
  })

  test('to a host behind a gateway go to the gateway', () => {
    const host = ethernetHost()
    host.stack.addRoute({ to: 'default', via: PEER4 })
    say(host, 1, '203.0.113.5')
    expect(host.take()).toEqual([REQUEST])
    host.link.receive(reply())
    expect(host.take()[0]).toMatch(new RegExp(`^020000000002.*${hex(bytesOf('203.0.113.5'))}`))
  })
})
