import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { ChecksumState, HEADROOM, Packet } from '../../src/base/packet.ts'
import { PmtuMode } from '../../src/ip/routing/pmtu-mode.ts'
import { dropCount, HOST4, HOST6, makeHost, open, PEER4, PEER6, send, TestLink } from '../host.ts'
import { datagram, pattern } from '../packet.ts'

const ends = { 4: { ours: HOST4, peer: PEER4 }, 6: { ours: HOST6, peer: PEER6 } } as const
/** In any order of the reader: what a frame says, decoded by the obvious code. */
function decode(frame: Uint8Array) {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const four = (frame[0] as number) >>> 4 === 4
  const at = four ? ((frame[0] as number) & 15) * 4 : 40
  const text = (from: number, length: number) => Address.fromBytes(frame.subarray(from, from + length)).toString()
  return {
    source: four ? text(12, 4) : text(8, 16),
    destination: four ? text(16, 4) : text(24, 16),
    hopLimit: four ? frame[8] : frame[7],
    tos: four ? frame[1] : (view.getUint16(0) >>> 4) & 255,
    dontFragment: four ? (frame[6] as number) >>> 6 : 1,
    flowLabel: four ? 0 : view.getUint32(0) & 0xfffff,
    sourcePort: view.getUint16(at),
    destinationPort: view.getUint16(at + 2),
    payload: frame.slice(at + 8),
  }
}

test('a link-local address is one of its link: the same one elsewhere is somebody else (RFC 4007 section 6)', () => {
  const { stack, link, clock } = makeHost()
  const other = new TestLink('eth1')
  stack.addNic(other, { addresses: ['fe80::21/64'] })
  const { endpoint, mailbox } = open(stack, 6, 5000)
  expect(send(endpoint, pattern(3), 'fe80::20', 5000, null, 3)).toBe('')
  expect([link, other].map((each) => each.take().length)).toEqual([0, 1])
  expect(send(endpoint, pattern(3), 'fe80::20', 5000, null, 2)).toBe('')
  expect([link, other].map((each) => each.take().length)).toEqual([0, 0])
  clock.settle()
  expect(mailbox.received.map(({ from }) => from)).toEqual(['fe80::20'])
  expect(endpoint.connect(Address.parse('fe80::20'), 9, 3)).toBe('')
  expect(endpoint.localAddress.toString()).toBe('fe80::21')
})

describe.each([4, 6] as const)('sending over IPv%i', (family) => {
  const { ours, peer } = ends[family]

  test('makes the packet that the obvious code makes', () => {
    fc.assert(
      fc.property(
        fc.nat(1400),
        fc.integer({ min: 1, max: 0xffff }),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(255),
        (size, port, hops, tos) => {
          const { stack, link } = makeHost()
          const { endpoint } = open(stack, family, 5000)
          endpoint.hopLimit = hops
          endpoint.tos = tos
          expect(send(endpoint, pattern(size), peer, port)).toBe('')
          const [frame, ...more] = link.take()
          expect(more).toEqual([])
          const expected = datagram(pattern(size), family, {
            source: ours,
            destination: peer,
            sourcePort: 5000,
            destinationPort: port,
            ttl: hops,
            hopLimit: hops,
            tos,
            trafficClass: tos,
            dontFragment: true,
            identification: 0,
          })
          const flowLabel = decode(frame as Uint8Array).flowLabel
          if (family === 6) {
            expect(flowLabel).toBeGreaterThan(0)
            const view = new DataView(expected.buffer)
            view.setUint32(0, view.getUint32(0) | flowLabel)
          }
          expect(frame).toEqual(expected)
        },
      ),
      { seed: 768, numRuns: 40 },
    )
  })

  test('writes a computed checksum of 0 as 0xffff', () => {
    const { stack, link } = makeHost()
    const { endpoint } = open(stack, family, 5000)
    const checksumOf = (payload: Uint8Array) => {
      expect(send(endpoint, payload, peer, 9)).toBe('')
      const frame = link.take()[0] as Uint8Array
      return new DataView(frame.buffer).getUint16((family === 4 ? 20 : 40) + 6)
    }
    const zero = checksumOf(Uint8Array.of(0, 0))
    expect(checksumOf(Uint8Array.of(zero >>> 8, zero & 255))).toBe(0xffff)
  })

  test('in fragments gives a peer the datagram', () => {
    const { stack, link } = makeHost()
    const { endpoint } = open(stack, family, 5000)
    // The answers of a mirror: the same stack gets its own fragments back with the ends exchanged.
    for (const size of [1473, 4000, 20_000, family === 4 ? 65_507 : 65_527]) {
      expect(send(endpoint, pattern(size, size), peer, 9)).toBe('')
      const frames = link.take()
      expect(frames.length).toBe(Math.ceil((size + 8) / (family === 4 ? 1480 : 1448)))
      const far = makeHost()
      const there = open(far.stack, family, 9)
      const address = Address.parse(peer)
      far.nic.addAddress(`${address}/${family === 4 ? 32 : 128}`)
      far.nic.removeAddress(Address.parse(ours))
      far.link.receive(...frames)
      expect(there.mailbox.received.map(({ payload }) => payload)).toEqual([pattern(size, size)])
      expect(there.mailbox.received[0]).toMatchObject({ from: ours, port: 5000, fragments: frames.length })
      expect(there.mailbox.flushes).toBe(1)
      expect(far.stack.drops).toEqual([])
    }
  })

  test('counts what it sent', () => {
    const { stack } = makeHost()
    const { endpoint } = open(stack, family)
    send(endpoint, pattern(10), peer, 9)
    send(endpoint, pattern(3000), peer, 9)
    const prefix = family === 4 ? '' : '6'
    expect(stack.counters).toMatchObject({
      [`Udp${prefix}OutDatagrams`]: 2,
      [`Ip${prefix}OutRequests`]: 2,
      [`Ip${prefix}FragOKs`]: 1,
      [`Ip${prefix}FragCreates`]: 3,
    })
    const [, eth0] = stack.netstat().nics
    expect(eth0).toMatchObject({ name: 'eth0', txPackets: 4, txDropped: 0 })
  })

  test('binds to a random port first', () => {
    const { stack, link } = makeHost()
    const endpoint = stack.udp.createEndpoint(family, open(stack, family).mailbox)
    expect(send(endpoint, pattern(1), peer, 9)).toBe('')
    expect(endpoint.isBound).toBe(true)
    expect(decode(link.take()[0] as Uint8Array).sourcePort).toBe(endpoint.localPort)
  })

  test('refuses what cannot be sent', () => {
    const { stack, link } = makeHost()
    const { endpoint } = open(stack, family)
    const most = family === 4 ? 65_507 : 65_527
    expect(send(endpoint, new Uint8Array(most + 1), peer, 9)).toBe('EMSGSIZE')
    expect(send(endpoint, new Uint8Array(100_000), peer, 9)).toBe('EMSGSIZE')
    expect(send(endpoint, pattern(1), peer, 0)).toBe('EINVAL')
    expect(send(endpoint, pattern(1), null, 0)).toBe('EDESTADDRREQ')
    endpoint.close()
    expect(send(endpoint, pattern(1), peer, 9)).toBe('EBADF')
    expect(endpoint.bind(Address.parse(ours), 0)).toBe('EBADF')
    expect(link.take()).toEqual([])
    expect(stack.drops).toEqual([])
  })

  test('without a route is ENETUNREACH, and over a route that forbids it the error of its kind', () => {
    const { stack } = makeHost()
    for (const route of stack.ip.routes.list()) if (route.gateway !== null) stack.removeRoute(route)
    const { endpoint } = open(stack, family)
    const to = family === 4 ? ['203.0.113.0/24', '203.0.113.9'] : ['2001:db8:c::/48', '2001:db8:c::9']
    expect(send(endpoint, pattern(1), to[1] as string, 9)).toBe('ENETUNREACH')
    for (const [kind, errno] of [
      ['unreachable', 'EHOSTUNREACH'],
      ['prohibit', 'EACCES'],
      ['blackhole', 'EINVAL'],
    ] as const) {
      const [route] = stack.addRoute({ to: to[0] as string, kind })
      expect(send(endpoint, pattern(1), to[1] as string, 9)).toBe(errno)
      if (route !== undefined) stack.removeRoute(route)
    }
  })

  test('with PMTU mode "do" is EMSGSIZE above the path MTU, with "dont" and "want" it is fragments', () => {
    const { stack, link } = makeHost()
    const { endpoint } = open(stack, family)
    const fits = family === 4 ? 1472 : 1452
    for (const [mode, large, df] of [
      [PmtuMode.Dont, '', 0],
      [PmtuMode.Want, '', 1],
      [PmtuMode.Do, 'EMSGSIZE', 1],
      [PmtuMode.Probe, 'EMSGSIZE', 1],
    ] as const) {
      endpoint.pmtuMode = mode
      expect(send(endpoint, pattern(fits), peer, 9)).toBe('')
      if (family === 4) expect(decode(link.take()[0] as Uint8Array).dontFragment).toBe(df)
      expect(send(endpoint, pattern(fits + 1), peer, 9)).toBe(large)
      link.take()
    }
    expect(stack.drops).toEqual([])
  })

  test('takes the settings of one datagram before those of the socket', () => {
    const { stack, link, nic } = makeHost()
    const { endpoint } = open(stack, family)
    const second = family === 4 ? '198.51.100.77' : '2001:db8:b::77'
    nic.addAddress(`${second}/${family === 4 ? 24 : 64}`)
    // Of equal addresses the first is the default in IPv4, the last in IPv6.
    const [usual, other] = family === 4 ? [ours, second] : [second, ours]
    expect(send(endpoint, pattern(1), peer, 9, { hopLimit: 3, tos: 0x20, source: Address.parse(other) })).toBe('')
    expect(send(endpoint, pattern(1), peer, 9)).toBe('')
    const [first, next] = link.take().map(decode)
    expect(first).toMatchObject({ hopLimit: 3, tos: 0x20, source: other })
    expect(next).toMatchObject({ hopLimit: 64, tos: 0, source: usual })
    expect(send(endpoint, pattern(1), peer, 9, { source: Address.parse(peer) })).toBe('EINVAL')
  })

  test('leaves a checksum to the device only for what leaves whole', () => {
    const { stack, link } = makeHost({ offload: { checksum: true } })
    const { endpoint } = open(stack, family, 5000)
    send(endpoint, pattern(100), peer, 9)
    send(endpoint, pattern(2000), peer, 9)
    const [partial, first] = link.take() as [Uint8Array, Uint8Array]
    const field = (frame: Uint8Array, at: number) => new DataView(frame.buffer).getUint16(at + 6)
    const right = datagram(pattern(100), family, {
      source: ours,
      destination: peer,
      sourcePort: 5000,
      destinationPort: 9,
    })
    const at = family === 4 ? 20 : 40
    expect(field(partial, at)).not.toBe(field(right, at))
    const whole = datagram(pattern(2000), family, {
      source: ours,
      destination: peer,
      sourcePort: 5000,
      destinationPort: 9,
    })
    expect(field(first, family === 4 ? 20 : 48)).toBe(field(whole, at))
  })
})

test('one flow has one IPv6 flow label, another flow another (RFC 6437 section 3)', () => {
  const { stack, link } = makeHost()
  const { endpoint } = open(stack, 6, 5000)
  for (const port of [7, 8, 7, 9]) expect(send(endpoint, pattern(1), PEER6, port)).toBe('')
  const labels = link.take().map((frame) => decode(frame).flowLabel)
  expect(labels[2]).toBe(labels[0])
  expect(new Set(labels).size).toBe(3)
  expect(labels).not.toContain(0)
})

test(
  'the flow label depends on every word of the destination, and not in a way that one label tells another ' +
    '(RFC 6437 section 3)',
  () => {
    const { stack, link } = makeHost()
    stack.addRoute({ to: '::/0', nic: 'eth0' })
    const { endpoint } = open(stack, 6, 5000)
    const label = (to: string, port: number) => {
      expect(send(endpoint, pattern(1), to, port)).toBe('')
      return decode(link.take()[0] as Uint8Array).flowLabel as number
    }
    const labels = ['2001:db8::1', '2002:db8::1', '2001:db9::1', '2001:db8:1::1', '2001:db8::1:0:1', '2001:db8::2'].map(
      (to) => label(to, 7),
    )
    expect(new Set(labels).size).toBe(labels.length)
    // The same two ports, towards different hosts: labels do not differ by what the ports differ by.
    const differences = new Set<number>()
    for (let host = 1; host <= 100; host++)
      differences.add(label(`2001:db8::${host}`, 7) ^ label(`2001:db8::${host}`, 8))
    expect(differences.size).toBeGreaterThan(95)
  },
)

describe.each([4, 6] as const)('receiving over IPv%i', (family) => {
  const { ours, peer } = ends[family]

  test('hands on the payload and where it came from, once per wake-up', () => {
    const { stack, link, nic } = makeHost()
    const { mailbox } = open(stack, family, 7)
    link.receive(
      ...[0, 1, 2].map((size) =>
        datagram(pattern(size, 5), family, { ttl: 9, hopLimit: 9, tos: 0xb8, trafficClass: 0xb8 }),
      ),
    )
    expect(mailbox.received.map(({ payload }) => payload)).toEqual([pattern(0), pattern(1, 5), pattern(2, 5)])
    expect(mailbox.received[2]).toMatchObject({
      from: peer,
      port: 40_000,
      to: ours,
      hopLimit: 9,
      tos: 0xb8,
      nic: nic.index,
      fragments: 1,
    })
    expect(mailbox.flushes).toBe(1)
    link.receive()
    expect(mailbox.flushes).toBe(1)
  })

  test('ignores what lies behind the datagram', () => {
    const { stack, link } = makeHost()
    const { mailbox } = open(stack, family, 7)
    link.receive(Uint8Array.from([...datagram(pattern(3), family), ...new Array<number>(20).fill(0xaa)]))
    expect(mailbox.received[0]?.payload).toEqual(pattern(3))
  })

  test('believes the device that the checksum is right', () => {
    const { stack, link } = makeHost()
    const { mailbox } = open(stack, family, 7)
    const packet = new Packet().load(datagram(pattern(3), family, { checksum: 0x1234 }))
    packet.checksumState = ChecksumState.Verified
    link.receivePacket(packet)
    expect(mailbox.received.length).toBe(1)
    packet.load(datagram(pattern(3), family, { checksum: 0x1234 }))
    link.receivePacket(packet)
    expect([mailbox.received.length, dropCount(stack, 'UdpChecksum')]).toEqual([1, 1])
  })

  test('keeps no packet: what it gave away stays as it was', () => {
    const { stack, link } = makeHost()
    const { mailbox } = open(stack, family, 7)
    const packet = new Packet().load(datagram(pattern(30), family))
    link.receivePacket(packet)
    packet.bytes.fill(0xff, HEADROOM)
    expect(mailbox.received[0]?.payload).toEqual(pattern(30))
  })

  test('a receiver that throws does not keep the others waiting', () => {
    const { stack, link } = makeHost()
    const { mailbox: first } = open(stack, family, 7, undefined, (endpoint) => (endpoint.boundNic = 0))
    const { mailbox: second } = open(stack, family, 8)
    first.flush = () => {
      throw new Error('a listener failed')
    }
    expect(() => link.receive(datagram([1], family), datagram([2], family, { destinationPort: 8 }))).toThrow(
      'a listener failed',
    )
    link.receive()
    expect(second.flushes).toBe(1)
  })
})

describe('on the host itself', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.9.9.9', '127.0.0.1'],
    [HOST4, HOST4],
    ['0.0.0.0', '127.0.0.1'],
    ['::1', '::1'],
    [HOST6, HOST6],
    ['::', '::1'],
  ])('a datagram to %s comes from %s, in a later turn, and leaves no wire', (to, from) => {
    const { stack, link, clock } = makeHost()
    const family = to.includes(':') ? 6 : 4
    const { mailbox } = open(stack, family, 7)
    const { endpoint } = open(stack, family)
    expect(send(endpoint, pattern(4000), to, 7)).toBe('')
    expect(mailbox.received).toEqual([])
    clock.settle()
    expect(mailbox.received.map(({ payload, from, fragments }) => ({ payload, from, fragments }))).toEqual([
      { payload: pattern(4000), from, fragments: 1 },
    ])
    expect(link.take()).toEqual([])
    expect(stack.drops).toEqual([])
  })

  test('a closed port is refused', () => {
    const { stack, clock } = makeHost()
    const { endpoint, mailbox } = open(stack, 4)
    endpoint.connect(Address.LOOPBACK4, 9)
    send(endpoint, pattern(1), null, 0)
    clock.settle()
    expect(mailbox.errors.map(({ errno }) => errno)).toEqual(['ECONNREFUSED'])
  })

  test('a datagram of a dual-stack socket to ::ffff:127.0.0.1 is IPv4', () => {
    const { stack, clock } = makeHost()
    const { mailbox } = open(stack, 4, 7)
    const { endpoint } = open(stack, 6)
    expect(send(endpoint, pattern(1), '::ffff:127.0.0.1', 7)).toBe('')
    clock.settle()
    expect(mailbox.received[0]).toMatchObject({ from: '127.0.0.1', to: '127.0.0.1' })
    endpoint.ipv6Only = true
    expect(send(endpoint, pattern(1), '::ffff:127.0.0.1', 7)).toBe('ENETUNREACH')
  })
})

describe('broadcast', () => {
  test.each(['255.255.255.255', '198.51.100.255'])(
    'to %s needs the permission, leaves, and comes back to this host',
    (to) => {
      const { stack, link, clock } = makeHost()
      const { endpoint, mailbox } = open(stack, 4, 7)
      expect(send(endpoint, pattern(1), to, 7)).toBe('EACCES')
      endpoint.broadcast = true
      expect(send(endpoint, pattern(1), to, 7)).toBe('')
      clock.settle()
      expect(link.take().map(decode)).toMatchObject([{ destination: to, source: HOST4, hopLimit: 64 }])
      expect(mailbox.received).toMatchObject([{ from: HOST4, to, nic: 2 }])
      endpoint.broadcast = false
      expect(send(endpoint, pattern(1), to, 7)).toBe('EACCES')
    },
  )

  test('from the wire reaches every socket of the port', () => {
    const { stack, link } = makeHost()
    const share = { prepare: (endpoint: { reuseAddress: boolean }) => (endpoint.reuseAddress = true) }
    const mailboxes = [
      open(stack, 4, 7, '0.0.0.0', share.prepare),
      open(stack, 4, 7, '0.0.0.0', share.prepare),
      open(stack, 6, 7, '::', share.prepare),
    ].map(({ mailbox }) => mailbox)
    const exact = open(stack, 4, 7, HOST4, share.prepare)
    link.receive(datagram([1], 4, { destination: '198.51.100.255' }))
    expect(mailboxes.map(({ received }) => received.length)).toEqual([1, 1, 1])
    expect(exact.mailbox.received).toEqual([])
    expect(stack.counters.UdpInDatagrams).toBe(3)
  })
})

describe('multicast', () => {
  const groups = { 4: '239.1.2.3', 6: 'ff15::1234' } as const

  test.each([4, 6] as const)(
    'over IPv%i leaves with hop limit 1, comes back only to a member, and not when that is switched off',
    (family) => {
      const { stack, link, clock, nic } = makeHost()
      const group = Address.parse(groups[family])
      const { endpoint, mailbox } = open(stack, family, 7)
      const exchange = () => {
        expect(send(endpoint, pattern(1), groups[family], 7, null, nic.index)).toBe('')
        clock.settle()
        const seen = mailbox.received.splice(0).length
        const frames = link.take().filter((frame) => (family === 4 ? frame[9] : frame[6]) === 17)
        return [frames.length, seen]
      }
      expect(exchange()).toEqual([1, 0])
      expect(endpoint.groups.join(group, nic.index)).toBe('')
      expect(exchange()).toEqual([1, 1])
      endpoint.multicastLoop = false
      expect(exchange()).toEqual([1, 0])
      endpoint.multicastLoop = true
      // With hop limit 0 it stays on the host.
      endpoint.multicastHopLimit = 0
      expect(exchange()).toEqual([0, 1])
      expect(endpoint.groups.leave(group, nic.index)).toBe('')
      expect(exchange()).toEqual([0, 0])
    },
  )

  test.each([4, 6] as const)('over IPv%i from the wire reaches every member, until it leaves', (family) => {
    const { stack, link, nic } = makeHost()
    const group = Address.parse(groups[family])
    const sockets = [1, 2].map(() => open(stack, family, 7, undefined, (endpoint) => (endpoint.reuseAddress = true)))
    const arrive = () => {
      link.receive(datagram([1], family, { destination: groups[family] }))
      return sockets.map(({ mailbox }) => mailbox.received.splice(0).length)
    }
    expect(arrive()).toEqual([0, 0])
    expect(dropCount(stack, 'IpNotMember')).toBe(1)
    for (const { endpoint } of sockets) expect(endpoint.groups.join(group, nic.index)).toBe('')
    expect(arrive()).toEqual([1, 1])
    sockets[0]?.endpoint.close()
    expect(arrive()).toEqual([0, 1])
    expect(sockets[1]?.endpoint.groups.leave(group, nic.index)).toBe('')
    expect(arrive()).toEqual([0, 0])
    expect(dropCount(stack, 'IpNotMember')).toBe(2)
  })

  test('from a source that the socket did not ask for is dropped by name', () => {
    const { stack, link, nic } = makeHost()
    const { endpoint, mailbox } = open(stack, 4, 7)
    const group = Address.parse('232.1.2.3')
    expect(endpoint.groups.joinSource(group, Address.parse(PEER4), nic.index)).toBe('')
    link.receive(
      datagram([1], 4, { destination: '232.1.2.3' }),
      datagram([2], 4, { destination: '232.1.2.3', source: '192.0.2.11' }),
    )
    expect(mailbox.received.map(({ payload }) => [...payload])).toEqual([[1]])
    expect(dropCount(stack, 'IpSourceFilter') + dropCount(stack, 'UdpSourceFilter')).toBe(1)
  })

  test('for a source that another socket alone asked for is dropped at the socket', () => {
    const { stack, link, nic } = makeHost()
    const [a, b] = [1, 2].map(() => open(stack, 4, 7, undefined, (endpoint) => (endpoint.reuseAddress = true))) as [
      ReturnType<typeof open>,
      ReturnType<typeof open>,
    ]
    const group = Address.parse('232.1.2.3')
    a.endpoint.groups.joinSource(group, Address.parse(PEER4), nic.index)
    b.endpoint.groups.joinSource(group, Address.parse('192.0.2.11'), nic.index)
    b.endpoint.close()
    a.endpoint.groups.joinSource(group, Address.parse('192.0.2.12'), nic.index)
    link.receive(datagram([1], 4, { destination: '232.1.2.3', source: '192.0.2.11' }))
    expect(a.mailbox.received).toEqual([])
    const c = open(stack, 4, 8)
    c.endpoint.groups.joinSource(group, Address.parse('192.0.2.11'), nic.index)
    link.receive(datagram([1], 4, { destination: '232.1.2.3', source: '192.0.2.11' }))
    expect(a.mailbox.received).toEqual([])
    expect(dropCount(stack, 'UdpSourceFilter')).toBe(1)
  })

  test.each([
    ['join', 'an address that is no group', (e: Ep) => e.groups.join(Address.parse(PEER4), 2), 'EINVAL'],
    ['join', 'a nic that there is not', (e: Ep) => e.groups.join(Address.parse('239.0.0.1'), 99), 'ENODEV'],
    [
      'join',
      'twice',
      (e: Ep) => e.groups.join(Address.parse('239.0.0.1'), 2) + e.groups.join(Address.parse('239.0.0.1'), 2),
      'EADDRINUSE',
    ],
    ['leave', 'what was not joined', (e: Ep) => e.groups.leave(Address.parse('239.0.0.1'), 2), 'EADDRNOTAVAIL'],
    [
      'joinSource',
      'after joining for any source',
      (e: Ep) =>
        e.groups.join(Address.parse('239.0.0.1'), 2) +
        e.groups.joinSource(Address.parse('239.0.0.1'), Address.parse(PEER4), 2),
      'EINVAL',
    ],
    [
      'joinSource',
      'the same twice',
      (e: Ep) => [1, 2].map(() => e.groups.joinSource(Address.parse('239.0.0.1'), Address.parse(PEER4), 2)).join(''),
      'EADDRNOTAVAIL',
    ],
    [
      'leaveSource',
      'what was not joined',
      (e: Ep) => e.groups.leaveSource(Address.parse('239.0.0.1'), Address.parse(PEER4), 2),
      'EINVAL',
    ],
    [
      'join',
      'a 21st group',
      (e: Ep) => Array.from({ length: 21 }, (_, at) => e.groups.join(Address.parse(`239.0.0.${at}`), 2)).join(''),
      'ENOBUFS',
    ],
  ])('%s %s is refused', (_name, _what, act, errno) => {
    const { stack } = makeHost()
    expect(act(open(stack, 4).endpoint)).toBe(errno)
  })
})

type Ep = ReturnType<typeof open>['endpoint']

describe('bind', () => {
  const bind = (family: 4 | 6, address: string, nic = 0, prepare = (_: Ep) => {}) => {
    const { stack } = makeHost()
    const endpoint = stack.udp.createEndpoint(family, open(stack, family).mailbox)
    prepare(endpoint)
    return endpoint.bind(Address.parse(address), 7, nic)
  }

  test('takes own addresses, groups, broadcast addresses and any', () => {
    for (const address of [
      HOST4,
      '127.0.0.1',
      '127.1.2.3',
      '239.1.2.3',
      '255.255.255.255',
      '198.51.100.255',
      '0.0.0.0',
    ])
      expect(bind(4, address), address).toBe('')
    for (const address of [HOST6, '::1', '::', 'ff15::1', '::ffff:127.0.0.1'])
      expect(bind(6, address), address).toBe('')
  })

  test('refuses what is not here', () => {
    expect(bind(4, PEER4)).toBe('EADDRNOTAVAIL')
    expect(bind(6, PEER6)).toBe('EADDRNOTAVAIL')
    expect(bind(4, '::1')).toBe('EAFNOSUPPORT')
    expect(bind(6, '127.0.0.1', 0, (endpoint) => (endpoint.ipv6Only = true))).toBe('EINVAL')
  })

  test('wants a zone for a link-local address', () => {
    expect(bind(6, 'fe80::20')).toBe('EINVAL')
    expect(bind(6, 'fe80::20', 1)).toBe('EADDRNOTAVAIL')
    expect(bind(6, 'fe80::20', 2)).toBe('')
    // Linux: __ipv6_addr_needs_scope_id holds for groups of scope 1 and 2 too.
    expect(['ff01::1', 'ff02::1', 'ff05::1'].map((group) => bind(6, group))).toEqual(['EINVAL', 'EINVAL', ''])
    expect(bind(6, 'ff02::1', 2)).toBe('')
  })

  test('twice is EINVAL', () => {
    const { stack } = makeHost()
    expect(open(stack, 4, 7).endpoint.bind(Address.ANY4, 8)).toBe('EINVAL')
  })
})

describe('connect', () => {
  test.each([4, 6] as const)('over IPv%i chooses the local address, and disconnect gives it up', (family) => {
    const { stack, link } = makeHost()
    const { endpoint } = open(stack, family, 7)
    const { ours, peer } = ends[family]
    expect(endpoint.connect(Address.parse(peer), 9)).toBe('')
    expect(endpoint.localAddress.toString()).toBe(ours)
    expect(stack.netstat().sockets).toMatchObject([
      { localAddress: ours, localPort: 7, remoteAddress: peer, remotePort: 9 },
    ])
    expect(send(endpoint, pattern(1), null, 0)).toBe('')
    expect(decode(link.take()[0] as Uint8Array)).toMatchObject({ destination: peer, destinationPort: 9 })
    endpoint.disconnect()
    expect(endpoint.localAddress.isUnspecified).toBe(true)
    expect(stack.netstat().sockets).toMatchObject([{ remoteAddress: null, remotePort: null }])
    expect(send(endpoint, pattern(1), null, 0)).toBe('EDESTADDRREQ')
    link.receive(datagram([1], family, { source: family === 4 ? '192.0.2.99' : '2001:db8::99' }))
    expect(stack.drops).toEqual([])
  })

  test('refuses what has no route, another family, and broadcast without permission', () => {
    const { stack } = makeHost()
    for (const route of stack.ip.routes.list()) if (route.gateway !== null) stack.removeRoute(route)
    const { endpoint } = open(stack, 4)
    expect(endpoint.connect(Address.parse('203.0.113.9'), 9)).toBe('ENETUNREACH')
    expect(endpoint.connect(Address.parse(PEER6), 9)).toBe('EAFNOSUPPORT')
    expect(endpoint.connect(Address.parse('198.51.100.255'), 9)).toBe('EACCES')
    const six = open(stack, 6).endpoint
    expect(six.connect(Address.parse('fe80::1'), 9)).toBe('EINVAL')
    expect(six.connect(Address.parse('ff02::1'), 9)).toBe('EINVAL')
    expect(six.connect(Address.parse('fe80::1'), 9, 2)).toBe('')
    expect(six.localAddress.toString()).toBe('fe80::20')
  })
})

describe('the receive and send buffers', () => {
  test('have Linux’s sizes: doubled, bounded, 212992 at first', () => {
    const { stack } = makeHost()
    const { endpoint } = open(stack, 4)
    expect([endpoint.receiveBuffer, endpoint.sendBuffer]).toEqual([212_992, 212_992])
    endpoint.setReceiveBuffer(10_000)
    endpoint.setSendBuffer(10_000)
    expect([endpoint.receiveBuffer, endpoint.sendBuffer]).toEqual([20_000, 20_000])
    endpoint.setReceiveBuffer(1)
    endpoint.setSendBuffer(1)
    expect([endpoint.receiveBuffer, endpoint.sendBuffer]).toEqual([2304, 4608])
    endpoint.setReceiveBuffer(1e9)
    endpoint.setSendBuffer(1e9)
    expect([endpoint.receiveBuffer, endpoint.sendBuffer]).toEqual([425_984, 425_984])
  })
})
