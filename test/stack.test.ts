import { describe, expect, test } from 'vitest'
import { Address } from '../src/base/address.ts'
import { ManualClock } from '../src/base/clock.ts'
import { Drop } from '../src/base/drop.ts'
import { SeededRandom } from '../src/base/random.ts'
import { Segment } from '../src/link/segment.ts'
import { Stack } from '../src/stack.ts'
import { dropCount, HOST4, Mailbox, makeHost, open, PEER4, PEER6, send, TestLink } from './host.ts'
import { datagram, hopLimit, icmpPacket, pattern } from './packet.ts'

const newStack = () => new Stack({ clock: new ManualClock(), random: new SeededRandom('stack') })

describe('a stack of its own', () => {
  test('has a loopback and nothing else', () => {
    const stack = newStack()
    expect(stack.netstat()).toEqual({
      nics: [
        {
          name: 'lo',
          index: 1,
          up: true,
          mtu: 65_536,
          addresses: ['127.0.0.1/8', '::1/128'],
          rxPackets: 0,
          rxBytes: 0,
          txPackets: 0,
          txBytes: 0,
          txDropped: 0,
        },
      ],
      routes: expect.arrayContaining(['local 127.0.0.0/8 dev lo src 127.0.0.1', 'local ::1/128 dev lo src ::1']),
      sockets: [],
      counters: {},
      drops: [],
    })
    expect([stack.name, stack.nic('lo'), stack.nic(1), stack.nic('eth0'), stack.nic(2)]).toEqual([
      'host',
      stack.loopback,
      stack.loopback,
      undefined,
      undefined,
    ])
  })

  test('runs on the machine’s own clock and randomness when it is given none', async () => {
    const stack = new Stack()
    const { mailbox } = open(stack, 4, 7, '127.0.0.1')
    const { endpoint } = open(stack, 4)
    expect(send(endpoint, pattern(10), '127.0.0.1', 7)).toBe('')
    for (let i = 0; i < 100 && mailbox.received.length === 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 1))
    expect(mailbox.received.map(({ payload }) => payload)).toEqual([pattern(10)])
    stack.close()
  })

  test('refuses options out of range', () => {
    for (const options of [
      { hopLimit: 0 },
      { hopLimit: 256 },
      { hopLimit: 1.5 },
      { icmpRateLimit: -1 },
      { icmpRateLimit: Number.NaN },
    ])
      expect(() => new Stack(options), JSON.stringify(options)).toThrow(RangeError)
    expect(new Stack({ hopLimit: 255, icmpRateLimit: 0 }).name).toBe('host')
  })

  test('sends with the hop limit that it was given', () => {
    const { stack, link } = makeHost({ hopLimit: 99 })
    const { endpoint } = open(stack, 4)
    send(endpoint, pattern(1), PEER4, 9)
    link.receive(icmpPacket(8, 0, 1, [], 4))
    expect(link.take().map(hopLimit)).toEqual([99, 99])
  })

  test('does the same for the same seed, byte for byte', () => {
    const run = (seed: string) => {
      const { stack, link } = makeHost({ random: new SeededRandom(seed) })
      for (const [family, peer] of [
        [4, PEER4],
        [6, PEER6],
      ] as const) {
        const { endpoint } = open(stack, family)
        for (const size of [10, 3000]) send(endpoint, pattern(size), peer, 9)
      }
      return link.take().map((frame) => Buffer.from(frame).toString('hex'))
    }
    expect(run('a')).toEqual(run('a'))
    expect(run('a')).not.toEqual(run('b'))
  })
})

describe('a nic', () => {
  test('brings the routes of its addresses, and takes them along', () => {
    const stack = newStack()
    const before = stack.netstat().routes
    const link = new TestLink()
    const nic = stack.addNic(link, { addresses: ['192.0.2.7/24', '2001:db8::7/64'] })
    const routes = stack.netstat().routes
    for (const each of [
      '192.0.2.0/24 dev eth0 src 192.0.2.7',
      'broadcast 192.0.2.255/32 dev eth0 src 192.0.2.7',
      '2001:db8::/64 dev eth0 metric 256',
      'multicast ff00::/8 dev eth0 metric 256',
      'local 192.0.2.7/32 dev lo src 192.0.2.7',
    ])
      expect(routes).toContain(each)
    stack.removeNic(nic)
    expect(stack.netstat().routes).toEqual(before)
    expect(link.closed).toBe(true)
    expect(stack.nics).toEqual([stack.loopback])
  })

  test('keeps what another address still needs when one goes', () => {
    const stack = newStack()
    const nic = stack.addNic(new TestLink(), { addresses: ['192.0.2.7/24', '192.0.2.8/24'] })
    nic.removeAddress(Address.parse('192.0.2.7'))
    expect(stack.netstat().routes.filter((route) => route.includes('192.0.2.'))).toContainEqual(
      expect.stringMatching(/^192\.0\.2\.0\/24 dev eth0/),
    )
    expect(stack.ip.isBroadcast4(Address.parse('192.0.2.255').w3)).toBe(true)
    expect(nic.removeAddress(Address.parse('192.0.2.7'))).toBe(false)
    nic.removeAddress(Address.parse('192.0.2.8'))
    expect(stack.netstat().routes.filter((route) => route.includes('192.0.2.'))).toEqual([])
    expect(stack.ip.isBroadcast4(Address.parse('192.0.2.255').w3)).toBe(false)
  })

  test('is refused with a taken name, a malformed address or an MTU out of range, and leaves nothing behind', () => {
    const stack = newStack()
    stack.addNic(new TestLink('eth0'))
    expect(() => stack.addNic(new TestLink('eth0'))).toThrow(/eth0 already/)
    expect(() => stack.addNic(new TestLink('eth1'), { addresses: ['192.0.2.7'] })).not.toThrow()
    expect(() => stack.addNic(new TestLink('eth2'), { addresses: ['192.0.2/24'] })).toThrow(TypeError)
    expect(() => stack.addNic(new TestLink('eth2'), { addresses: ['224.0.0.1/24'] })).toThrow(TypeError)
    expect(() => stack.addNic(new TestLink('eth2'), { addresses: ['10.1.0.1/24', '::/64'] })).toThrow(TypeError)
    for (const mtu of [67, 1501, 1400.5]) expect(() => stack.addNic(new TestLink('eth2'), { mtu })).toThrow(RangeError)
    expect(stack.nics.map(({ name }) => name)).toEqual(['lo', 'eth0', 'eth1'])
    expect(stack.netstat().routes.filter((route) => route.includes('10.1.0'))).toEqual([])
  })

  test('has IPv6 addresses only while its MTU is 1280 or more', () => {
    const stack = newStack()
    expect(() => stack.addNic(new TestLink('eth0', 1279), { addresses: ['10.1.0.1/24', 'fd01::1/64'] })).toThrow(
      new RangeError(
        'fd01::1 cannot be an address of eth0: IPv6 needs an MTU of 1280 at least (RFC 8200 section 5), ' +
          'and it has 1279.',
      ),
    )
    expect(() => stack.addNic(new TestLink('eth0'), { mtu: 1279, addresses: ['fd01::1/64'] })).toThrow(RangeError)
    expect(stack.nics.map(({ name }) => name)).toEqual(['lo'])
    const nic = stack.addNic(new TestLink('eth0'), { mtu: 1280, addresses: ['10.1.0.1/24', 'fd01::1/64'] })
    nic.mtu = 1279
    expect(nic.addresses.map(({ address }) => `${address}`)).toEqual(['10.1.0.1'])
    expect(stack.netstat().routes.filter((route) => route.includes('fd01'))).toEqual([])
    expect(() => nic.addAddress('fd01::1/64')).toThrow(RangeError)
    nic.mtu = 1500
    nic.addAddress('fd01::1/64')
    expect(nic.addresses).toHaveLength(2)
  })

  test('on Ethernet makes its link-local address when its MTU allows it', () => {
    const stack = new Stack({ clock: new ManualClock(), random: new SeededRandom('stack'), dad: false })
    const link = new TestLink('eth0', 1500, undefined, Uint8Array.of(2, 0, 0, 0, 0, 1))
    const nic = stack.addNic(link, { mtu: 1000, addresses: ['10.1.0.1/24'] })
    const six = () => nic.addresses.map(({ address }) => `${address}`).filter((text) => text.includes(':'))
    expect(six()).toEqual([])
    nic.mtu = 1280
    expect(six()).toEqual(['fe80::ff:fe00:1'])
    nic.mtu = 1000
    expect(six()).toEqual([])
  })

  test('with an MTU below the link’s fragments to it', () => {
    const { stack, link, nic } = makeHost()
    const { endpoint } = open(stack, 4)
    send(endpoint, pattern(1000), PEER4, 9)
    nic.mtu = 576
    send(endpoint, pattern(1000), PEER4, 9)
    expect(link.take().map((frame) => frame.length)).toEqual([1028, 572, 476])
  })

  test('counts packets and bytes', () => {
    const { stack, link } = makeHost()
    link.receive(icmpPacket(8, 0, 1, pattern(10), 4), Uint8Array.of(1))
    expect(stack.netstat().nics[1]).toMatchObject({ rxPackets: 2, rxBytes: 39, txPackets: 1, txBytes: 38 })
  })

  test('that a program sets down or up is heeded by the next datagram of a socket', () => {
    const { stack, link } = makeHost()
    const other = new TestLink()
    // On the link of the peer; the first nic has the default route.
    const nearer = stack.addNic(other, { addresses: ['192.0.2.77/24'], name: 'eth1' })
    const { endpoint } = open(stack, 4)
    const leftBy = () => {
      expect(send(endpoint, pattern(1), PEER4, 9)).toBe('')
      return [link.take().length, other.take().length]
    }
    expect(leftBy()).toEqual([0, 1])
    nearer.isUp = false
    expect(leftBy()).toEqual([1, 0])
    nearer.isUp = true
    expect(leftBy()).toEqual([0, 1])
  })

  test('that fails is told to the listener, and is down when that is for good', () => {
    const { stack, link, nic } = makeHost()
    const told: unknown[] = []
    stack.onLinkFailure = (each, error, fatal) => told.push([each.name, error.message, fatal])
    link.fail(new Error('unplugged'), false)
    expect(nic.isUp).toBe(true)
    link.fail(new Error('deleted'), true)
    expect(nic.isUp).toBe(false)
    expect(told).toEqual([
      ['eth0', 'unplugged', false],
      ['eth0', 'deleted', true],
    ])
    expect(send(open(stack, 4).endpoint, pattern(1), PEER4, 9)).toBe('ENETUNREACH')
  })
})

describe('a route', () => {
  test('is shown as ip route shows it, and removed by what adding returned', () => {
    const { stack } = makeHost()
    const [route] = stack.addRoute({ to: '203.0.113.0/24', via: '198.51.100.9', metric: 5, source: HOST4, mtu: 1400 })
    const line = '203.0.113.0/24 via 198.51.100.9 dev eth0 src 198.51.100.20 metric 5 mtu 1400'
    expect(stack.netstat().routes).toContain(line)
    expect(stack.netstat().routes).toContain('default via 198.51.100.1 dev eth0')
    if (route === undefined) throw new Error('no route')
    expect(stack.removeRoute(route)).toBe(true)
    expect(stack.removeRoute(route)).toBe(false)
    expect(stack.netstat().routes).not.toContain(line)
  })

  test('over a nic without a gateway may be of both families', () => {
    const stack = newStack()
    stack.addNic(new TestLink())
    expect(stack.addRoute({ to: 'default', nic: 'eth0' }).map(({ prefix }) => prefix.toString())).toEqual([
      '0.0.0.0/0',
      '::/0',
    ])
  })

  test('with an MTU of its own fragments to it', () => {
    const { stack, link } = makeHost()
    stack.addRoute({ to: '203.0.113.0/24', via: '198.51.100.9', mtu: 600 })
    send(open(stack, 4).endpoint, pattern(1000), '203.0.113.1', 9)
    expect(link.take().length).toBe(2)
  })

  test.each([
    [{ to: '203.0.113.0/24' }, /needs a gateway/],
    [{ to: '203.0.113.0/24', via: '10.99.0.1' }, /10\.99\.0\.1 is on no link/],
    [{ to: '203.0.113.0/24', via: '203.0.113.1' }, /is on no link/],
    [{ to: '203.0.113.0/24', nic: 'eth9' }, /No nic is named eth9: there are lo, eth0/],
    [{ to: '203.0.113.0/24', via: '2001:db8:b::1' }, /different families/],
    [{ to: '203.0.113.0/24', via: 'gateway' }, /Not an IP address/],
    [{ to: 'everywhere', via: '198.51.100.1' }, /Not an address/],
  ])('%o is refused', (options, message) => {
    const { stack } = makeHost()
    const before = stack.netstat().routes
    expect(() => stack.addRoute(options)).toThrow(message)
    expect(stack.netstat().routes).toEqual(before)
  })
})

describe('the path to a destination', () => {
  test('is its route, the source address and the least of the MTUs on the way', () => {
    const { stack } = makeHost()
    const [route] = stack.addRoute({ to: '203.0.113.0/24', via: '198.51.100.9', mtu: 1400 })
    expect(stack.routes).toContain(route)
    expect(stack.pathTo('203.0.113.1')).toEqual({ route, source: Address.parse(HOST4), mtu: 1400 })
    expect(stack.pathTo(PEER6)?.route.nic.name).toBe('eth0')
    expect(stack.pathTo('127.0.0.1')).toMatchObject({ source: Address.LOOPBACK4, mtu: 65_536 })
  })

  test('over a nic takes only the routes over it', () => {
    const { stack } = makeHost()
    expect(stack.pathTo(PEER4, 'eth0')?.mtu).toBe(1500)
    expect(stack.pathTo(PEER4, 'lo')).toBe(null)
    expect(() => stack.pathTo(PEER4, 'eth9')).toThrow(/No nic is named eth9: there are lo, eth0/)
  })

  test('is none where no route leads, and an error for what is no address', () => {
    const stack = newStack()
    expect(stack.pathTo('192.0.2.1')).toBe(null)
    expect(() => stack.pathTo('example')).toThrow(/Not an IP address/)
  })
})

describe('two stacks on a wire', () => {
  test('share nothing but the wire', () => {
    const clock = new ManualClock()
    const segment = new Segment({ clock, random: new SeededRandom(1) })
    const [a, b] = ['10.0.0.1/24', '10.0.0.2/24'].map((address, at) => {
      const stack = new Stack({ name: `host${at}`, clock, random: new SeededRandom(at) })
      stack.addNic(segment.link(), { addresses: [address] })
      return stack
    }) as [Stack, Stack]
    const server = open(b, 4, 7)
    const client = open(a, 4, 7)
    send(client.endpoint, pattern(5000), '10.0.0.2', 7)
    clock.settle()
    expect(server.mailbox.received).toMatchObject([{ payload: pattern(5000), from: '10.0.0.1', port: 7 }])
    expect([
      a.counters.UdpInDatagrams,
      b.counters.UdpInDatagrams,
      a.counters.UdpOutDatagrams,
      b.counters.UdpOutDatagrams,
    ]).toEqual([0, 1, 1, 0])
    send(client.endpoint, pattern(1), '10.0.0.2', 9)
    clock.settle()
    expect([dropCount(a, 'UdpNoPort'), dropCount(b, 'UdpNoPort')]).toEqual([0, 1])
    expect(client.mailbox.errors.map(({ error }) => [error.type, error.code])).toEqual([[3, 3]])
  })
})

describe('a closed stack', () => {
  test('has closed its links and timers, may be closed again, and refuses to send', () => {
    const { stack, link, clock } = makeHost()
    const { endpoint } = open(stack, 4)
    link.receive(datagram(pattern(16), 4, { moreFragments: true }))
    expect(clock.nextTime).toBe(30_000)
    stack.close()
    stack.close()
    expect(link.closed).toBe(true)
    expect(clock.nextTime).toBe(Number.POSITIVE_INFINITY)
    expect(send(endpoint, pattern(1), PEER4, 9)).toBe('ENETDOWN')
    expect(stack.counters.dropCount(Drop.LinkDown)).toBe(1)
    endpoint.close()
    expect(stack.udp.createEndpoint(4, new Mailbox()).bind(Address.ANY4, 0)).toBe('')
  })
})

describe('the drop listener', () => {
  test('is lent the packet with its reason, and may be taken away', () => {
    const { stack, link } = makeHost()
    const seen: string[] = []
    stack.onDrop((reason, layer, packet) => {
      seen.push(`${reason} ${layer} ${packet.family}`)
      packet.bytes[0] = 0
    })
    link.receive(datagram([1], 4, { destinationPort: 99 }), datagram([1], 6, { destinationPort: 99 }))
    stack.onDrop(null)
    link.receive(datagram([1], 4, { destinationPort: 99 }))
    expect(seen).toEqual(['UdpNoPort udp 4', 'UdpNoPort udp 6'])
    expect(stack.drops).toEqual([{ reason: 'UdpNoPort', layer: 'udp', count: 3 }])
  })
})
