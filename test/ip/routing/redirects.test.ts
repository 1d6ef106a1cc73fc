import { describe, expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import type { Endpoint } from '../../../src/udp/endpoint.ts'
import {
  type ArpFields,
  arpFrame,
  bytesOf,
  bytesOfMac,
  type EthernetHost,
  ethernetHost,
  frame,
  hex,
  linkOption,
  ndFrame,
  OTHER_MAC,
  OUR_MAC,
  OUR4,
  OUR6,
  PEER_MAC,
} from '../../ethernet.ts'
import { dropCount, HOST4, HOST6, makeHost, open, send } from '../../host.ts'
import { datagram, icmpPacket, inFrame, ipv4, ipv6, isUdp, pattern, udp } from '../../packet.ts'

/** A router, a better one on the same link, and a host behind both. */
const FAMILIES = {
  4: { router: '198.51.100.1', better: '198.51.100.2', far: '192.0.2.10', host: HOST4 },
  6: { router: 'fe80::1', better: 'fe80::2', far: '2001:db8:a::10', host: HOST6 },
}

const bare = (family: 4 | 6) => {
  const host = makeHost()
  const { router } = FAMILIES[family]
  for (const route of host.stack.ip.routes.list()) if (route.prefix.length === 0) host.stack.removeRoute(route)
  host.stack.addRoute({ to: 'default', via: router, nic: 'eth0' })
  return host
}

interface Redirect {
  readonly from?: string
  readonly to?: string
  readonly target?: string
  readonly code?: number
}

/**
 * A redirect about a packet that was sent: IPv6 puts it into an option (4) behind the two
 * addresses.
 */
function redirect(family: 4 | 6, quote: Uint8Array | null, fields: Redirect = {}) {
  const { router, better, far, host } = FAMILIES[family]
  const { from = router, to = far, target = better, code = family === 4 ? 1 : 0 } = fields
  const ends = { source: from, destination: host, hopLimit: 255 }
  if (family === 4) return icmpPacket(5, code, Address.parse(target).w3, (quote as Uint8Array).subarray(0, 28), 4, ends)
  const padded = quote === null ? [] : [...quote, ...new Array((8 - (quote.length % 8)) % 8).fill(0)]
  const option = quote === null ? [] : [4, 1 + padded.length / 8, 0, 0, 0, 0, 0, 0, ...padded]
  return icmpPacket(137, code, 0, [...bytesOf(target), ...bytesOf(to), ...option], 6, ends)
}

/** The first hop to a destination now: a gateway, or `null` when it is on the link. */
function firstHop({ stack }: { stack: EthernetHost['stack'] }, to: string): string | null {
  const { w0, w1, w2, w3 } = Address.parse(to)
  return stack.ip.routes.lookup(w0, w1, w2, w3, 0)?.gateway?.toString() ?? null
}

describe.each([4, 6] as const)('a redirect over IPv%i (RFC 1122 section 3.2.2.2, RFC 4861 section 8)', (family) => {
  const { router, better, far, host: own } = FAMILIES[family]
  const sentOne = (host: ReturnType<typeof makeHost>, endpoint?: Endpoint) => {
    expect(send(endpoint ?? open(host.stack, family, 5000).endpoint, pattern(8), far, 9)).toBe('')
    return host.link.take()[0] as Uint8Array
  }

  test('of the present first hop about a datagram of ours is followed, for that one host', () => {
    const host = bare(family)
    host.link.receive(redirect(family, sentOne(host)))
    expect(host.stack.drops).toEqual([])
    expect(firstHop(host, far)).toBe(better)
    expect(firstHop(host, family === 4 ? '192.0.2.11' : '2001:db8:a::11')).toBe(router)
    expect(host.stack.counters[family === 4 ? 'IcmpInRedirects' : 'Icmp6InRedirects']).toBe(1)
  })

  test('counts for five minutes', () => {
    const host = bare(family)
    host.link.receive(redirect(family, sentOne(host)))
    host.clock.advance(299_999)
    expect(firstHop(host, far)).toBe(better)
    host.clock.advance(1)
    expect(firstHop(host, far)).toBe(router)
  })

  test('of the new first hop leads on, and of the old one no more', () => {
    const host = bare(family)
    const quote = sentOne(host)
    const third = family === 4 ? '198.51.100.3' : 'fe80::3'
    host.link.receive(redirect(family, quote), redirect(family, quote, { target: third }))
    expect(firstHop(host, far)).toBe(better)
    expect(dropCount(host.stack, 'IcmpRedirect')).toBe(1)
    host.link.receive(redirect(family, quote, { from: better, target: third }))
    expect(firstHop(host, far)).toBe(third)
    expect(host.stack.ip.routes.list().filter(({ metric }) => metric < 0)).toHaveLength(1)
  })

  test('about an echo request that is outstanding is followed as well', () => {
    const host = bare(family)
    const echo = host.stack.ip.icmp.openEcho(family, { reply: () => {}, error: () => {} })
    echo.send(Address.parse(far), 7, pattern(8))
    const request = host.link.take()[0] as Uint8Array
    const other = request.slice()
    other[(family === 4 ? 20 : 40) + 7] = 8
    host.link.receive(redirect(family, other))
    expect(firstHop(host, far)).toBe(router)
    host.link.receive(redirect(family, request))
    expect(firstHop(host, far)).toBe(better)
  })

  /** What the host answers by its gateway, and what drew the answer. */
  const answers: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ['an echo reply', [icmpPacket(family === 4 ? 8 : 128, 0, 7, pattern(8), family, { source: far })]],
    ['a port unreachable error', [datagram(pattern(8), family, { source: far, destinationPort: 9 })]],
    [
      'an error about a protocol',
      [family === 4 ? ipv4(pattern(8), { source: far, protocol: 200 }) : ipv6(pattern(8), { source: far, next: 200 })],
    ],
    ...(family === 4
      ? ([['a timestamp reply', [icmpPacket(13, 0, 7, pattern(12), 4, { source: far })]]] as const)
      : []),
  ]

  test.each(answers)('about %s of ours is followed as well', (_, packets) => {
    const host = bare(family)
    host.link.receive(...packets)
    const [answer] = host.link.take() as [Uint8Array]
    host.link.receive(redirect(family, answer))
    expect(firstHop(host, far)).toBe(better)
    expect(dropCount(host.stack, 'IcmpUnmatched')).toBe(0)
  })

  test.each([
    [
      'an echo reply of another host',
      icmpPacket(family === 4 ? 0 : 129, 0, 7, pattern(8), family, { source: far, destination: far }),
    ],
    [
      'a message that only routers and other hosts send',
      icmpPacket(family === 4 ? 13 : 130, 0, 7, pattern(24), family, { source: own, destination: far }),
    ],
    [
      'a protocol that is not spoken here',
      family === 4
        ? ipv4(pattern(20), { source: own, destination: far, protocol: 6 })
        : ipv6(pattern(20), { source: own, destination: far, next: 6 }),
    ],
  ])('about %s is discarded', (_, quote) => {
    const host = bare(family)
    host.link.receive(redirect(family, quote))
    expect(dropCount(host.stack, 'IcmpUnmatched')).toBe(1)
    expect(firstHop(host, far)).toBe(router)
  })

  if (family === 4)
    test.each(['224.0.0.251', '255.255.255.255', '198.51.100.255'])(
      'about %s, which has no first hop, is discarded',
      (to) => {
        const host = bare(4)
        const { endpoint } = open(host.stack, 4, 5000)
        endpoint.broadcast = true
        send(endpoint, pattern(8), to, 9)
        host.stack.addRoute({ to: '198.51.100.255/32', via: router, metric: -1 })
        host.link.receive(redirect(4, host.link.take()[0] as Uint8Array, { to }))
        expect(dropCount(host.stack, 'IcmpRedirect')).toBe(1)
      },
    )

  test('is forgotten with the route it stands in for, and with the stack', () => {
    const host = bare(family)
    const quote = sentOne(host)
    host.link.receive(redirect(family, quote))
    const [route] = host.stack.ip.routes.list().filter(({ gateway }) => gateway?.toString() === router)
    host.stack.removeRoute(route as Parameters<typeof host.stack.removeRoute>[0])
    expect(firstHop(host, far)).toBe(null)
    expect(host.clock.pending).toBe(0)
    host.stack.addRoute({ to: 'default', via: router, nic: 'eth0' })
    host.link.receive(redirect(family, quote))
    host.stack.close()
    expect(host.clock.pending).toBe(0)
  })

  test.each<[string, Redirect]>([
    ['from another host', { from: family === 4 ? '198.51.100.9' : 'fe80::9' }],
    ['to a gateway that is on no link of ours', { target: family === 4 ? '203.0.113.9' : '2001:db8:f::9' }],
    ['to a group', { target: family === 4 ? '224.0.0.9' : 'ff02::9' }],
    ['to an address of our own', { target: family === 4 ? own : 'fe80::20' }],
    ['to the gateway that sent it', { target: router }],
    ...(family === 4
      ? ([
          ['to a broadcast address', { target: '198.51.100.255' }],
          ['to nobody', { target: '0.0.0.0' }],
          ['of an unknown code', { code: 4 }],
        ] as [string, Redirect][])
      : ([
          ['with a code', { code: 1 }],
          ['from a global address', { from: '2001:db8:b::1' }],
          ['about another destination than the packet had', { to: '2001:db8:a::11' }],
          ['about a group', { to: 'ff0e::1', target: 'ff0e::1' }],
        ] as [string, Redirect][])),
  ])('%s is discarded', (_, fields) => {
    const host = bare(family)
    host.link.receive(redirect(family, sentOne(host), fields))
    expect(host.stack.drops).toMatchObject([{ count: 1 }])
    expect(firstHop(host, far)).toBe(router)
  })

  test('about a packet that nobody here sent is discarded', () => {
    const host = bare(family)
    const { endpoint } = open(host.stack, family, 5000)
    const quote = sentOne(host, endpoint)
    endpoint.close()
    host.link.receive(redirect(family, quote))
    expect(dropCount(host.stack, 'IcmpUnmatched')).toBe(1)
    expect(firstHop(host, far)).toBe(router)
  })

  test.each([{ forwarding: true }, { acceptRedirects: false }])('is not for a stack with %o', (options) => {
    const host = makeHost(options)
    const gateway = family === 4 ? '198.51.100.1' : '2001:db8:b::1'
    host.link.receive(redirect(family, sentOne(host), family === 4 ? {} : { from: 'fe80::1' }))
    expect(dropCount(host.stack, 'IcmpRedirect')).toBe(1)
    expect(firstHop(host, far)).toBe(gateway)
  })

  test('of more than 1024 hosts forgets the oldest', () => {
    const host = bare(family)
    const { endpoint } = open(host.stack, family, 5000)
    const name = (at: number) => (family === 4 ? `203.0.${at >> 8}.${at & 255}` : `2001:db8:a::${at.toString(16)}`)
    for (let at = 1; at <= 1025; at++) {
      send(endpoint, pattern(8), name(at), 9)
      host.link.receive(redirect(family, host.link.take()[0] as Uint8Array, { to: name(at) }))
    }
    expect(host.stack.drops).toEqual([])
    expect([1, 2, 1025].map((at) => firstHop(host, name(at)))).toEqual([router, better, better])
  })
})

describe('a redirect on Ethernet', () => {
  const isTo = (mac: string) => (text: string) => text.startsWith(hex(bytesOfMac(mac)))
  const reply = (fields: ArpFields) => arpFrame({ operation: 2, target: OUR4, targetMac: OUR_MAC, ...fields })

  test('sends datagrams over IPv4 to the better router, and to the old one again when that does not answer', () => {
    const host = ethernetHost()
    host.stack.addRoute({ to: 'default', via: '10.0.0.2' })
    const { endpoint } = open(host.stack, 4, 5000)
    send(endpoint, pattern(8), '192.0.2.10', 9)
    host.link.receive(reply({ sender: '10.0.0.2', senderMac: PEER_MAC }))
    const datagrams = () => host.take().filter((text) => isUdp(inFrame(text)))
    expect(datagrams().filter(isTo(PEER_MAC))).toHaveLength(1)
    const quote = ipv4(
      udp(pattern(8), 4, { source: OUR4, destination: '192.0.2.10', sourcePort: 5000, destinationPort: 9 }),
      {
        source: OUR4,
        destination: '192.0.2.10',
      },
    )
    const message = icmpPacket(5, 1, Address.parse('10.0.0.3').w3, quote.subarray(0, 28), 4, {
      source: '10.0.0.2',
      destination: OUR4,
    })
    host.link.receive(frame(OUR_MAC, PEER_MAC, 0x0800, message))
    send(endpoint, pattern(8), '192.0.2.10', 9)
    host.link.receive(reply({ sender: '10.0.0.3', senderMac: OTHER_MAC }))
    expect(datagrams().filter(isTo(OTHER_MAC))).toHaveLength(1)
    // It falls silent: after the probes the datagrams take the old way.
    for (let second = 0; second < 60; second++) {
      send(endpoint, pattern(8), '192.0.2.10', 9)
      host.clock.advance(1000)
    }
    host.take()
    expect(firstHop(host, '192.0.2.10')).toBe('10.0.0.2')
  })

  test(
    'over IPv6 makes the target a neighbor at once, a router or (RFC 4861 section 8.3) the destination on ' +
      'the link',
    () => {
      const host = ethernetHost()
      host.stack.addRoute({ to: '::/0', via: 'fe80::ff:fe00:2', nic: 'eth0' })
      const send6 = (target: string, to: string) =>
        host.link.receive(
          ndFrame(137, 0, [...bytesOf(target), ...bytesOf(to), ...linkOption(2, OTHER_MAC)], {
            source: 'fe80::ff:fe00:2',
            destination: OUR6,
          }),
        )
      send6('fe80::ff:fe00:3', '2001:db8:a::10')
      send6('2001:db8:a::11', '2001:db8:a::11')
      expect(host.stack.drops).toEqual([])
      expect(firstHop(host, '2001:db8:a::10')).toBe('fe80::ff:fe00:3')
      expect(firstHop(host, '2001:db8:a::11')).toBe(null)
      expect(
        host.stack.neighbors.map(({ address, hardwareAddress, router }) => [address, hardwareAddress, router]),
      ).toEqual([
        ['fe80::ff:fe00:3', OTHER_MAC, true],
        ['2001:db8:a::11', OTHER_MAC, false],
      ])
      const { endpoint } = open(host.stack, 6, 5000)
      host.take()
      send(endpoint, pattern(8), '2001:db8:a::10', 9)
      send(endpoint, pattern(8), '2001:db8:a::11', 9)
      expect(host.take().filter(isTo(OTHER_MAC))).toHaveLength(2)
    },
  )
})
