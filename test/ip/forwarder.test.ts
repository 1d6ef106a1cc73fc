/**
 * A router between the two networks of the captures: what Linux's router answered there, this one
 * answers too.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { Cast, Packet } from '../../src/base/packet.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { Stack, type StackOptions } from '../../src/stack.ts'
import { dropCount, makeHost, open, PEER4, TestLink } from '../host.ts'
import { datagram, hex, icmpKind, icmpPacket, ipv4, ipv6, pattern } from '../packet.ts'
import { readVectors, vector } from '../vectors/read.ts'

const vectors4 = readVectors('ipv4')
const vectors6 = readVectors('ipv6')

function makeRouter(options: StackOptions & { outMtu?: number } = {}) {
  const clock = new ManualClock()
  const stack = new Stack({
    clock,
    random: new SeededRandom('router'),
    icmpRateLimit: false,
    forwarding: true,
    ...options,
  })
  const inside = new TestLink('r0')
  const outside = new TestLink('r1', options.outMtu)
  stack.addNic(inside, { addresses: ['192.0.2.1/24', '2001:db8:a::1/64', 'fe80::1/64'] })
  const six = outside.mtu < 1280 ? [] : ['2001:db8:b::1/64', 'fe80::2/64']
  stack.addNic(outside, { addresses: ['198.51.100.1/24', ...six] })
  return { stack, inside, outside, clock }
}

/** The ICMP message of a packet without options. */
const message = (bytes: Uint8Array) => hex(bytes.subarray((bytes[0] as number) >>> 4 === 4 ? 20 : 40))
const addresses = (bytes: Uint8Array) =>
  hex((bytes[0] as number) >>> 4 === 4 ? bytes.subarray(12, 20) : bytes.subarray(8, 40))

describe('a router', () => {
  test.each([4, 6] as const)('passes IPv%i on with one hop less, and changes nothing else', (family) => {
    fc.assert(
      fc.property(
        fc.nat(1400),
        fc.integer({ min: 2, max: 255 }),
        fc.nat(255),
        fc.nat(0xffff),
        (size, hops, tos, identification) => {
          const { stack, inside, outside } = makeRouter()
          const fields = { tos, trafficClass: tos, identification, dontFragment: size % 2 === 0 }
          inside.receive(datagram(pattern(size), family, { ...fields, ttl: hops, hopLimit: hops }))
          expect(outside.take().map(hex)).toEqual([
            hex(datagram(pattern(size), family, { ...fields, ttl: hops - 1, hopLimit: hops - 1 })),
          ])
          expect([stack.drops, inside.take()]).toEqual([[], []])
          expect(family === 4 ? stack.counters.IpForwDatagrams : stack.counters.Ip6OutForwDatagrams).toBe(1)
        },
      ),
      { seed: 1812, numRuns: 40 },
    )
  })

  test('leaves what lies behind the packet behind', () => {
    const { inside, outside } = makeRouter()
    const packet = datagram(pattern(3), 4)
    inside.receive(Uint8Array.from([...packet, 0, 0, 0, 0]))
    expect(outside.take()[0]?.length).toBe(packet.length)
  })

  test('is also a host', () => {
    const { stack, inside } = makeRouter()
    const { mailbox } = open(stack, 4, 7)
    inside.receive(
      datagram([1], 4, { destination: '198.51.100.1' }),
      icmpPacket(8, 0, 1, [], 4, { destination: '192.0.2.1' }),
    )
    expect(mailbox.received.length).toBe(1)
    expect(inside.take().length).toBe(1)
  })

  test('fragments IPv4 without Don’t Fragment to the MTU of the way', () => {
    const { inside, outside } = makeRouter({ outMtu: 600 })
    inside.receive(datagram(pattern(1200), 4, { ttl: 9, identification: 77 }))
    const fragments = outside.take()
    expect(fragments.map((each) => [each.length, each[8]])).toEqual([
      [596, 8],
      [596, 8],
      [76, 8],
    ])
    const far = makeHost()
    const { mailbox } = open(far.stack, 4, 7)
    far.link.receive(...fragments)
    expect(mailbox.received.map(({ payload }) => hex(payload))).toEqual([hex(pattern(1200))])
  })
})

describe('what a router does not pass on', () => {
  test.each([
    ['Time Exceeded in transit', 4, 'IpHopLimitExceeded', 1500],
    ['Time Exceeded in transit', 6, 'IpHopLimitExceeded', 1500],
    ['Destination Unreachable: net', 4, 'IpNoRoute', 1500],
    ['Destination Unreachable: fragmentation needed, MTU 1300', 4, 'IpDontFragment', 1300],
    ['Packet Too Big, MTU 1300', 6, 'IpDontFragment', 1300],
  ] as const)('%s, over IPv%i: is dropped as %s and answered as Linux did', (name, family, drop, outMtu) => {
    const expected = vector(family === 4 ? vectors4 : vectors6, name).bytes
    const { stack, inside, outside } = makeRouter({ outMtu })
    // The error quotes the packet from its start; what was cut off does not matter, but has to be
    // there.
    const quote = expected.subarray(family === 4 ? 28 : 48)
    const view = new DataView(quote.buffer, quote.byteOffset)
    const length = family === 4 ? view.getUint16(2) : 40 + view.getUint16(4)
    const cause = new Uint8Array(length)
    cause.set(quote)
    inside.receive(cause)
    const [answer, ...more] = inside.take()
    expect(more).toEqual([])
    expect(message(answer as Uint8Array)).toBe(message(expected))
    expect(addresses(answer as Uint8Array)).toBe(addresses(expected))
    expect(outside.take()).toEqual([])
    expect(stack.drops).toMatchObject([{ reason: drop, count: 1 }])
  })

  test('counts each under the name of Linux', () => {
    const { stack, inside } = makeRouter({ outMtu: 1300 })
    inside.receive(datagram([], 4, { ttl: 1 }), datagram([], 6, { hopLimit: 1 }))
    inside.receive(datagram([], 4, { destination: '203.0.113.9' }), datagram([], 6, { destination: '2001:db8:f::9' }))
    inside.receive(datagram(pattern(1400), 4, { dontFragment: true }), datagram(pattern(1400), 6))
    expect(stack.counters).toMatchObject({
      IpInHdrErrors: 1,
      Ip6InHdrErrors: 1,
      IpFragFails: 1,
      Ip6FragFails: 1,
      IpForwDatagrams: 0,
      Ip6OutForwDatagrams: 0,
    })
    expect(dropCount(stack, 'IpNoRoute')).toBe(2)
  })

  test.each([
    ['unreachable', 4, 3, 1],
    ['prohibit', 4, 3, 13],
    ['unreachable', 6, 1, 0],
    ['prohibit', 6, 1, 1],
    ['blackhole', 4, -1, -1],
    ['blackhole', 6, -1, -1],
  ] as const)(
    'what a route of kind %s forbids, over IPv%i, is answered with type %i code %i',
    (kind, family, type, code) => {
      const { stack, inside } = makeRouter()
      const [to, destination] = family === 4 ? ['203.0.113.0/24', '203.0.113.9'] : ['2001:db8:f::/48', '2001:db8:f::9']
      stack.addRoute({ to: to as string, kind })
      inside.receive(datagram([], family, { destination: destination as string }))
      const answers = inside.take().map((each) => [...each.subarray(family === 4 ? 20 : 40)].slice(0, 2))
      expect(answers).toEqual(type < 0 ? [] : [[type, code]])
      expect(dropCount(stack, 'IpNoRoute')).toBe(1)
    },
  )

  test('link-local addresses stay on their link: IpBeyondScope', () => {
    const { stack, inside, outside } = makeRouter()
    stack.addRoute({ to: '169.254.0.0/16', nic: 'r1' })
    inside.receive(
      datagram([], 4, { destination: '169.254.9.9' }),
      datagram([], 4, { source: '169.254.9.9' }),
      datagram([], 6, { source: 'fe80::99' }),
    )
    expect(outside.take()).toEqual([])
    expect(dropCount(stack, 'IpBeyondScope')).toBe(3)
    // RFC 4443 section 3.1: beyond scope of source address.
    expect(inside.take().map(icmpKind)).toEqual([[1, 2]])
  })

  test('a frame that everyone on the link got: IpLinkBroadcast', () => {
    const { stack, inside, outside } = makeRouter()
    for (const cast of [Cast.Broadcast, Cast.Multicast]) {
      const packet = new Packet().load(datagram([], 4))
      packet.cast = cast
      inside.receivePacket(packet)
    }
    expect([outside.take(), inside.take()]).toEqual([[], []])
    expect(dropCount(stack, 'IpLinkBroadcast')).toBe(2)
  })

  test('a source that is reached by another nic, when that is asked for: IpReversePath', () => {
    const spoofed = [datagram([], 4, { source: '198.51.100.9' }), datagram([], 6, { source: '2001:db8:b::9' })]
    const unknown = [datagram([], 4, { source: '203.0.113.9' }), datagram([], 6, { source: '2001:db8:f::9' })]
    const dropped = (reversePath: 'off' | 'loose' | 'strict', frames: Uint8Array[]) => {
      const { stack, inside } = makeRouter({ reversePath })
      inside.receive(...frames, datagram([], 4), datagram([], 6))
      return dropCount(stack, 'IpReversePath')
    }
    expect(['off', 'loose', 'strict'].map((mode) => dropped(mode as 'off', spoofed))).toEqual([0, 0, 2])
    expect(['off', 'loose', 'strict'].map((mode) => dropped(mode as 'off', unknown))).toEqual([0, 2, 2])
  })
})

describe('options that a host refuses', () => {
  test.each([
    ['a Record Route without room for its length', [7, 2, 0, 0], 20 + 1],
    ['a length of 0', [0x9e, 0, 1, 1], 20],
    ['a length of 1', [1, 0x9e, 1, 1], 21],
    ['a length beyond the header', [0x9e, 9, 1, 1], 20],
    ['a type as the last byte', [1, 1, 1, 0x9e], 23],
  ])('%s: IpOption, with a Parameter Problem that points at it', (_name, options, pointer) => {
    const { stack, link } = makeHost()
    const packet = ipv4(pattern(8), { options })
    link.receive(packet)
    expect(stack.drops).toMatchObject([{ reason: 'IpOption', count: 1 }])
    expect(stack.counters).toMatchObject({ IpInHdrErrors: 1, IcmpOutParmProbs: 1 })
    const [answer] = link.take()
    // An answer may carry options of its own: the message is behind its header.
    const at = ((answer?.[0] as number) & 15) * 4
    expect([answer?.[at], answer?.[at + 1], answer?.[at + 4]]).toEqual([12, 0, pointer])
    // Broadcasts are not answered.
    link.receive(ipv4(pattern(8), { options, destination: '255.255.255.255' }))
    expect(link.take()).toEqual([])
  })

  test.each([
    ['loose', 131],
    ['strict', 137],
  ])('a %s source route: IpSourceRoute, in silence', (_name, type) => {
    const { stack, link } = makeHost()
    link.receive(
      ipv4(pattern(8), { options: [type, 7, 4, 198, 51, 100, 9, 1] }),
      ipv4(pattern(8), { options: [type, 7, 8, 198, 51, 100, 9, 1] }),
    )
    expect(stack.drops).toMatchObject([{ reason: 'IpSourceRoute', count: 2 }])
    expect(stack.counters.IpInHdrErrors).toBe(2)
    expect(link.take()).toEqual([])
  })
})

test('no ICMPv6 error goes to an address that many hosts share: IcmpAmbiguousSource', () => {
  const { stack, link } = makeHost()
  // The subnet-router anycast address of our own link (RFC 4291 section 2.6.1).
  link.receive(datagram([], 6, { source: '2001:db8:b::', destinationPort: 99 }))
  expect(link.take()).toEqual([])
  expect(dropCount(stack, 'IcmpAmbiguousSource')).toBe(1)
  link.receive(datagram([], 6, { source: '2001:db8:b::77', destinationPort: 99 }))
  expect(link.take().length).toBe(1)
})

describe('link-local addresses of IPv6, which are one link’s (RFC 4007 section 9)', () => {
  const OWN = '2001:db8:a::10'

  test('a packet from or to one may go back to that link', () => {
    const { inside, outside } = makeRouter()
    inside.receive(ipv6([], { source: 'fe80::9', destination: OWN }), ipv6([], { source: OWN, destination: 'fe80::9' }))
    expect(inside.take().map((each) => [addresses(each), each[7]])).toEqual([
      [addresses(ipv6([], { source: 'fe80::9', destination: OWN })), 63],
      [addresses(ipv6([], { source: OWN, destination: 'fe80::9' })), 63],
    ])
    expect(outside.take()).toEqual([])
  })

  test('the address of another nic is no address of ours here, nor the source of an answer', () => {
    const { stack, inside, outside } = makeRouter()
    const { mailbox } = open(stack, 6, 7)
    inside.receive(datagram([1], 6, { source: OWN, destination: 'fe80::2', hopLimit: 1 }))
    expect(inside.take().map(addresses)).toEqual([addresses(ipv6([], { source: '2001:db8:a::1', destination: OWN }))])
    expect([mailbox.received, outside.take()]).toEqual([[], []])
  })

  test('nothing is sent to whoever claims to be this nic', () => {
    const { inside, outside } = makeRouter()
    inside.receive(ipv6([], { source: 'fe80::1', destination: '2001:db8:b::7' }))
    expect([inside.take(), outside.take()]).toEqual([[], []])
  })
})

test(
  'an ICMPv6 error comes from the nic that the packet came by, though the way back is another (RFC 4443 ' +
    'section 2.2)',
  () => {
    const { inside, outside } = makeRouter()
    inside.receive(ipv6([], { source: '2001:db8:b::7', destination: '2001:db8:b::9', hopLimit: 1 }))
    expect(inside.take()).toEqual([])
    expect(outside.take().map(addresses)).toEqual([
      addresses(ipv6([], { source: '2001:db8:a::1', destination: '2001:db8:b::7' })),
    ])
  },
)

test.each(['ff02::2', 'ff05::2'])(
  'a router is in the group of all routers %s (RFC 4291 section 2.8)',
  (destination) => {
    const { inside } = makeRouter()
    inside.receive(icmpPacket(128, 0, 7, [], 6, { source: '2001:db8:a::10', destination }))
    expect(inside.take().map((each) => message(each).slice(0, 4))).toEqual(['8100'])
    const { link } = makeHost()
    link.receive(icmpPacket(128, 0, 7, [], 6, { source: '2001:db8:a::10', destination }))
    expect(link.take()).toEqual([])
  },
)

test('a host passes nothing on', () => {
  const { stack, link } = makeHost()
  link.receive(
    datagram([], 4, { destination: PEER4, source: '198.51.100.7' }),
    ipv6([], { destination: '2001:db8:a::10', source: '2001:db8:b::7' }),
  )
  expect(link.take()).toEqual([])
  expect(dropCount(stack, 'IpNotForUs')).toBe(2)
})
