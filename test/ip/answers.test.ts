/** What Linux answered in the captures is what this stack answers to the same packets. */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { HOST4, HOST6, makeHost, open, PEER4, PEER6 } from '../host.ts'
import { icmpPacket, ipv4, ipv6, pattern, sourceBytes } from '../packet.ts'
import { readVectors, type Vector, vector } from '../vectors/read.ts'

const vectors4 = readVectors('ipv4')
const vectors6 = readVectors('ipv6')

/** The ICMP message of a packet without extension headers. */
const message = (bytes: Uint8Array) => [
  ...bytes.subarray((bytes[0] as number) >>> 4 === 4 ? ((bytes[0] as number) & 15) * 4 : 40),
]
/** The addresses. */
const ends = (bytes: Uint8Array) => [
  ...((bytes[0] as number) >>> 4 === 4 ? bytes.subarray(12, 20) : bytes.subarray(8, 40)),
]

/** What an error quotes: the packet that caused it, as the host saw it. */
function cause(error: Vector): Uint8Array {
  return error.bytes.slice((error.bytes[0] as number) >>> 4 === 4 ? 28 : 48)
}

describe('an echo request', () => {
  test.each([4, 6] as const)('captured over IPv%i is answered as Linux did', (family) => {
    const vectors = family === 4 ? vectors4 : vectors6
    const { link, stack } = makeHost()
    link.receive(vector(vectors, 'ping request').bytes)
    const [reply, ...more] = link.take()
    const expected = vector(vectors, 'ping reply').bytes
    expect(more).toEqual([])
    expect(message(reply as Uint8Array)).toEqual(message(expected))
    expect(ends(reply as Uint8Array)).toEqual(ends(expected))
    expect(stack.drops).toEqual([])
    expect(family === 4 ? stack.counters : stack.counters).toMatchObject(
      family === 4
        ? { IcmpInEchos: 1, IcmpOutEchoReps: 1, IcmpInMsgs: 1, IcmpOutMsgs: 1 }
        : { Icmp6InEchos: 1, Icmp6OutEchoReplies: 1, Icmp6InMsgs: 1, Icmp6OutMsgs: 1 },
    )
  })

  test.each([4, 6] as const)('in fragments captured over IPv%i is answered in fragments', (family) => {
    const vectors = (family === 4 ? vectors4 : vectors6).filter(({ name }) => name.startsWith('ping of 3000'))
    const { link, stack } = makeHost()
    link.receive(...vectors.map(({ bytes }) => bytes))
    const reply = link.take()
    const headers = family === 4 ? 20 : 48
    expect(reply.map((bytes) => bytes.length)).toEqual(vectors.map(({ bytes }) => bytes.length))
    const data = (frames: readonly Uint8Array[]) => frames.flatMap((bytes) => [...bytes.subarray(headers)]).slice(4)
    expect(data(reply)).toEqual(data(vectors.map(({ bytes }) => bytes)))
    expect(stack.counters).toMatchObject(
      family === 4
        ? { IpReasmOKs: 1, IpFragOKs: 1, IpFragCreates: 3 }
        : { Ip6ReasmOKs: 1, Ip6FragOKs: 1, Ip6FragCreates: 3 },
    )
  })

  test.each([
    [4, 'ping request with an odd payload of 3 bytes'],
    [4, 'ping request with TOS 0xb8'],
    [6, 'ping request with flow label 0x12345 and Traffic Class 0x2e'],
  ] as const)('over IPv%i, %s, comes back with its data and its TOS', (family, name) => {
    const request = vector(family === 4 ? vectors4 : vectors6, name).bytes
    const { link } = makeHost()
    link.receive(request)
    const reply = link.take()[0] as Uint8Array
    expect(message(reply).slice(4)).toEqual(message(request).slice(4))
    expect(reply.length).toBe(request.length)
    if (family === 4) expect(reply[1]).toBe(request[1])
  })

  test('with TTL or hop limit 0 or 1 is answered: it has arrived', () => {
    const { link } = makeHost()
    for (const hops of [0, 1])
      link.receive(icmpPacket(8, 0, 1, [], 4, { ttl: hops }), icmpPacket(128, 0, 1, [], 6, { hopLimit: hops }))
    expect(link.take().map((bytes) => ((bytes[0] as number) >>> 4 === 4 ? bytes[8] : bytes[7]) as number)).toEqual([
      64, 64, 64, 64,
    ])
  })

  test('to 127.0.0.1 of ourselves is answered on the loopback alone', () => {
    const { link, stack, clock } = makeHost()
    link.receive(icmpPacket(8, 0, 1, [], 4, { destination: '127.0.0.1' }))
    clock.advance(1)
    expect(link.take()).toEqual([])
    expect(stack.counters.IcmpOutEchoReps).toBe(0)
  })
})

describe('an ICMP error of Linux is this stack’s too, quote and all', () => {
  test.each([
    ['Destination Unreachable: port', 4],
    ['Destination Unreachable: protocol', 4],
    ['Destination Unreachable: port', 6],
    ['Parameter Problem: unknown option', 6],
    ['Parameter Problem: unknown next header', 6],
  ] as const)('%s, over IPv%i', (name, family) => {
    const expected = vector(family === 4 ? vectors4 : vectors6, name)
    const { link } = makeHost()
    link.receive(cause(expected))
    const [error, ...more] = link.take()
    expect(more).toEqual([])
    expect(message(error as Uint8Array)).toEqual(message(expected.bytes))
    expect(ends(error as Uint8Array)).toEqual(ends(expected.bytes))
    // RFC 1812 section 4.3.2.5: internetwork control.
    if (family === 4) expect(error?.[1]).toBe(expected.bytes[1])
  })

  test.each([
    [4, 576],
    [6, 1280],
  ] as const)('over IPv%i it is not longer than %i bytes', (family, limit) => {
    const { link } = makeHost()
    for (const size of [0, 1, limit - 57, limit - 56, limit - 55, limit, 1400]) {
      const packet = family === 4 ? ipv4(pattern(size), { protocol: 253 }) : ipv6(pattern(size), { next: 253 })
      link.receive(packet)
      const error = link.take()[0] as Uint8Array
      const headers = family === 4 ? 28 : 48
      expect(error.length).toBe(Math.min(limit, packet.length + headers))
      expect(error.subarray(headers)).toEqual(packet.subarray(0, error.length - headers))
    }
  })
})

describe('no ICMP error answers', () => {
  const silent = (name: string, ...frames: Uint8Array[]) =>
    test(name, () => {
      const { link } = makeHost()
      link.receive(...frames)
      expect(link.take()).toEqual([])
    })
  silent(
    'a packet to a broadcast address',
    ipv4([], { protocol: 253, destination: '255.255.255.255' }),
    ipv4([], { protocol: 253, destination: '198.51.100.255' }),
  )
  silent(
    'a packet to a group',
    ipv4([], { protocol: 253, destination: '224.0.0.1' }),
    ipv6([], { next: 253, destination: 'ff02::1' }),
  )
  silent('a packet from no host', ipv6([], { next: 253, source: '::' }))
  silent('a fragment that is not the first', ipv4(pattern(8), { protocol: 253, offset: 8 }))
  silent(
    'an ICMP error',
    icmpPacket(3, 3, 0, ipv4(pattern(8), { source: HOST4, destination: PEER4 }), 4),
    icmpPacket(1, 4, 0, ipv6(pattern(8), { source: HOST6, destination: PEER6 }), 6),
  )
  silent('an unknown ICMPv6 error', icmpPacket(100, 0, 0, [], 6))

  test('an unknown destination option to a group, but for the one that asks for it even so', () => {
    const option = (type: number) => ipv6([59, 0, type, 4, 0, 0, 0, 0], { next: 60, destination: 'ff02::1' })
    const { link } = makeHost()
    link.receive(option(0xde))
    expect(link.take()).toEqual([])
    link.receive(option(0x9e))
    const [error] = link.take()
    expect(message(error as Uint8Array).slice(0, 2)).toEqual([4, 2])
    // The source is one host's address, not the group's.
    expect([...sourceBytes(error as Uint8Array)]).not.toContain(0xff)
  })
})

describe('an ICMP error about a datagram of ours', () => {
  test.each([4, 6] as const)('over IPv%i reaches the socket that sent it', (family) => {
    const peer = family === 4 ? PEER4 : PEER6
    const { stack, link } = makeHost()
    const { endpoint, mailbox } = open(stack, family, 5000)
    const other = open(stack, family, 5001)
    expect(endpoint.connect(Address.parse(peer), 9)).toBe('')
    const packet = endpoint.beginSend(3)
    expect(endpoint.send(packet, null, 0, 0, null)).toBe('')
    const [sent] = link.take()
    link.receive(icmpPacket(family === 4 ? 3 : 1, family === 4 ? 3 : 4, 0, sent as Uint8Array, family))
    expect(other.mailbox.errors).toEqual([])
    expect(
      mailbox.errors.map(({ errno, error }) => [
        errno,
        error.offender.toString(),
        error.destination.toString(),
        error.destinationPort,
        error.sourcePort,
      ]),
    ).toEqual([['ECONNREFUSED', peer, peer, 9, 5000]])
    expect(stack.drops).toEqual([])
  })

  test('is told to a socket without a peer, but is no error of its', () => {
    const { stack, link } = makeHost()
    const { endpoint, mailbox } = open(stack, 4, 5000)
    expect(endpoint.send(endpoint.beginSend(0), Address.parse(PEER4), 9, 0, null)).toBe('')
    link.receive(icmpPacket(3, 3, 0, link.take()[0] as Uint8Array, 4))
    expect(mailbox.errors.map(({ errno }) => errno)).toEqual([''])
  })

  test.each([
    [4, 3, 0, ''],
    [4, 3, 1, ''],
    [4, 3, 2, 'ENOPROTOOPT'],
    [4, 3, 3, 'ECONNREFUSED'],
    [4, 3, 13, 'EHOSTUNREACH'],
    [4, 11, 0, ''],
    [4, 12, 0, 'EPROTO'],
    [6, 1, 0, ''],
    [6, 1, 1, 'EACCES'],
    [6, 1, 3, ''],
    [6, 1, 4, 'ECONNREFUSED'],
    [6, 3, 0, ''],
    [6, 4, 0, 'EPROTO'],
  ] as const)('over IPv%i, type %i code %i, is %s on a connected socket, as in Linux', (family, type, code, errno) => {
    const { stack, link } = makeHost()
    const { endpoint, mailbox } = open(stack, family, 5000)
    endpoint.connect(Address.parse(family === 4 ? PEER4 : PEER6), 9)
    endpoint.send(endpoint.beginSend(0), null, 0, 0, null)
    link.receive(icmpPacket(type, code, 0, link.take()[0] as Uint8Array, family))
    expect(mailbox.errors.map((each) => each.errno)).toEqual([errno])
  })

  test.each([4, 6] as const)(
    'that a router sends for its small MTU makes the next datagrams over IPv%i fit',
    (family) => {
      const peer = family === 4 ? PEER4 : PEER6
      const { stack, link } = makeHost()
      const { endpoint } = open(stack, family, 5000)
      const sendOne = (size: number) => {
        expect(endpoint.send(endpoint.beginSend(size), Address.parse(peer), 9, 0, null)).toBe('')
        return link.take()
      }
      const [sent] = sendOne(1400)
      expect(sent?.length).toBe(family === 4 ? 1428 : 1448)
      if (family === 4) expect(sent?.[6]).toBe(0x40)
      const error =
        family === 4
          ? icmpPacket(3, 4, 1300, sent as Uint8Array, 4, { source: '203.0.113.1' })
          : icmpPacket(2, 0, 1300, sent as Uint8Array, 6, { source: '2001:db8:f::1' })
      link.receive(error)
      expect(stack.drops).toEqual([])
      expect(endpoint.pathMtu(Address.parse(peer))).toBe(1300)
      const fragments = sendOne(1400)
      expect(fragments.length).toBe(2)
      for (const each of fragments) expect(each.length).toBeLessThanOrEqual(1300)
      // RFC 1191: DF is no longer of use in a fragment.
      if (family === 4) for (const each of fragments) expect((each[6] as number) & 0x40).toBe(0)
      // Another destination is not concerned.
      expect(
        endpoint.send(
          endpoint.beginSend(1400),
          Address.parse(family === 4 ? '192.0.2.99' : '2001:db8:a::99'),
          9,
          0,
          null,
        ),
      ).toBe('')
      expect(link.take().length).toBe(1)
    },
  )

  test(
    'that says an MTU of 0, as routers before RFC 1191 did, makes it the next plateau (RFC 1191 section ' + '7.1)',
    () => {
      const { stack, link } = makeHost()
      const { endpoint } = open(stack, 4, 5000)
      const report = () => {
        expect(
          endpoint.send(
            endpoint.beginSend(endpoint.pathMtu(Address.parse(PEER4)) - 28),
            Address.parse(PEER4),
            9,
            0,
            null,
          ),
        ).toBe('')
        const [sent] = link.take()
        link.receive(icmpPacket(3, 4, 0, (sent as Uint8Array).subarray(0, 28), 4, { source: '203.0.113.1' }))
        return endpoint.pathMtu(Address.parse(PEER4))
      }
      expect([report(), report(), report(), report(), report()]).toEqual([1492, 1006, 576, 552, 552])
    },
  )

  test('of a datagram that nobody sent changes no path MTU', () => {
    const { stack, link } = makeHost()
    const quote = ipv4(pattern(1400), { source: HOST4, destination: PEER4 })
    link.receive(icmpPacket(3, 4, 600, quote, 4, { source: '203.0.113.1' }))
    expect(stack.drops).toMatchObject([{ reason: 'IcmpUnmatched' }])
    expect(open(stack, 4).endpoint.pathMtu(Address.parse(PEER4))).toBe(1500)
  })
})
