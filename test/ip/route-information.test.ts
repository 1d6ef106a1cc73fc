/**
 * Router preferences and routes that routers advertise: RFC 4191, and what Linux makes of them
 * (ndisc_router_discovery, rt6_route_rcv).
 */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import {
  advertisement,
  bytesOf,
  type EthernetHost,
  ethernetHost,
  linkOption,
  mtuOption,
  ndFrame,
  OTHER_MAC,
  OUR_LINK_LOCAL,
  OVERRIDE,
  PEER_LINK_LOCAL,
  PEER_MAC,
  prefixOption,
  ROUTER,
  type RouterFields,
  routerAdvertisement,
  SOLICITED,
} from '../ethernet.ts'
import { dropCount, open, send } from '../host.ts'
import { icmpType, inFrame, pattern } from '../packet.ts'

const PEER = PEER_LINK_LOCAL
const OTHER = 'fe80::ff:fe00:3'
const LOW = 3
const MEDIUM = 0
const HIGH = 1
const RESERVED = 2
const FAR = '2001:db8:9::7'

/** 16 bytes, of IPv4 in its mapped form as well. */
const bytes16 = (text: string) => {
  const bytes = bytesOf(text)
  return bytes.length === 16 ? bytes : [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes]
}

/** A route information option; lifetime in seconds, `units` of 8 bytes. */
function routeOption(
  prefix: string,
  length: number,
  lifetime: number,
  preference = MEDIUM,
  units = length === 0 ? 1 : length <= 64 ? 2 : 3,
) {
  const seconds = [24, 16, 8, 0].map((shift) => (lifetime >>> shift) & 255)
  return [24, units, length, preference << 3, ...seconds, ...bytes16(prefix).slice(0, units * 8 - 8)]
}

interface Said extends RouterFields {
  readonly preference?: number
  readonly from?: string
}

/** A host that listens to routers, with an address to send from. */
function listener(options = {}): EthernetHost {
  return ethernetHost({ addresses: ['2001:db8:77::1/64'], acceptRouterAdvertisements: true, ...options })
}

function hear(host: EthernetHost, { preference = MEDIUM, from = PEER, ...router }: Said) {
  const mac = from === PEER ? PEER_MAC : OTHER_MAC
  const { options = [], lifetime = 1800 } = router
  // The preference is in the byte in front of the lifetime, which the helper writes as 16 bits.
  const said = { ...router, lifetime: (preference << 19) | lifetime, options: [...linkOption(1, mac), ...options] }
  host.link.receive(routerAdvertisement(said, { source: from, mac }))
}

/** The router that takes a packet to an address, or what `send` says. */
function taker(host: EthernetHost, to: string): string {
  host.take()
  const error = send(open(host.stack, 6).endpoint, Uint8Array.of(1), to, 9)
  if (error !== '') return error
  const mac = host.take()[0]?.slice(0, 12)
  return mac === '020000000002' ? PEER : mac === '020000000003' ? OTHER : `${mac}`
}

const routes = ({ stack }: EthernetHost) => stack.netstat().routes.filter((each) => each.includes(' metric 1024'))

describe('a default router', () => {
  test.each([
    [HIGH, MEDIUM, PEER],
    [MEDIUM, HIGH, OTHER],
    [LOW, MEDIUM, OTHER],
    [MEDIUM, LOW, PEER],
    [HIGH, HIGH, PEER],
    [RESERVED, MEDIUM, PEER],
    [LOW, RESERVED, OTHER],
    [RESERVED, HIGH, OTHER],
  ])('of preference %i, heard before one of %i: packets go to %s (RFC 4191 section 2.2)', (first, second, taken) => {
    const host = listener()
    hear(host, { preference: first })
    hear(host, { preference: second, from: OTHER })
    expect(taker(host, FAR)).toBe(taken)
  })

  test('is preferred as it says last', () => {
    const host = listener()
    hear(host, {})
    hear(host, { from: OTHER })
    expect(taker(host, FAR)).toBe(PEER)
    hear(host, { preference: LOW })
    expect(taker(host, FAR)).toBe(OTHER)
    hear(host, { preference: HIGH })
    expect(taker(host, FAR)).toBe(PEER)
    expect(routes(host)).toEqual([
      `default via ${OTHER} dev eth0 metric 1024`,
      `default via ${PEER} dev eth0 metric 1024 pref high`,
    ])
  })

  test('comes behind a route that was configured, whatever it says', () => {
    const host = listener()
    host.stack.addRoute({ to: '::/0', via: OTHER, nic: 'eth0', metric: 1000 })
    host.stack.addNeighbor('eth0', OTHER, OTHER_MAC)
    hear(host, { preference: HIGH })
    expect(taker(host, FAR)).toBe(OTHER)
  })

  test('that does not answer gives way to one of less preference, until it is heard again (section 3.2)', () => {
    const host = listener()
    hear(host, { preference: HIGH })
    hear(host, { preference: LOW, from: OTHER })
    expect(taker(host, FAR)).toBe(PEER)
    // Five seconds of doubt, three probes.
    host.after(8000)
    expect(taker(host, FAR)).toBe(OTHER)
    hear(host, { preference: HIGH })
    expect(taker(host, FAR)).toBe(PEER)
  })

  test('that does not answer counts again when it answers a solicitation', () => {
    const host = listener()
    hear(host, { preference: HIGH })
    hear(host, { from: OTHER })
    taker(host, FAR)
    host.after(8000)
    expect(taker(host, FAR)).toBe(OTHER)
    // A packet for the router itself is a reason to ask for it.
    send(open(host.stack, 6).endpoint, Uint8Array.of(1), PEER, 9, null, host.nic.index)
    const fields = { source: PEER, destination: OUR_LINK_LOCAL }
    host.link.receive(advertisement(PEER, ROUTER | SOLICITED | OVERRIDE, fields))
    expect(taker(host, FAR)).toBe(PEER)
  })
})

describe('a route information option (RFC 4191 section 2.3)', () => {
  const to9 = (preference = MEDIUM, lifetime = 600) => routeOption('2001:db8:9::', 48, lifetime, preference)

  test('leads to its prefix by the router, and nothing else goes there', () => {
    const host = listener()
    hear(host, { from: OTHER })
    hear(host, { lifetime: 0, options: to9() })
    expect(taker(host, FAR)).toBe(PEER)
    expect(taker(host, '2001:db8:a::7')).toBe(OTHER)
    expect(routes(host)).toEqual([
      `default via ${OTHER} dev eth0 metric 1024`,
      `2001:db8:9::/48 via ${PEER} dev eth0 metric 1024`,
    ])
  })

  test.each([
    [HIGH, MEDIUM, PEER],
    [MEDIUM, HIGH, OTHER],
    [LOW, MEDIUM, OTHER],
  ])('of preference %i, and one of %i from another router: packets go to %s', (first, second, taken) => {
    const host = listener()
    hear(host, { options: to9(first) })
    hear(host, { from: OTHER, options: to9(second) })
    expect(taker(host, FAR)).toBe(taken)
  })

  test('counts for its lifetime, prolonged by each, and ends at once with 0', () => {
    const host = listener()
    hear(host, { lifetime: 0, options: to9() })
    host.after(599_999)
    hear(host, { lifetime: 0, options: to9() })
    host.after(599_999)
    expect(routes(host)).toHaveLength(1)
    host.after(1)
    expect(routes(host)).toEqual([])
    hear(host, { lifetime: 0, options: to9() })
    hear(host, { lifetime: 0, options: to9(MEDIUM, 0) })
    expect(routes(host)).toEqual([])
    hear(host, { lifetime: 0, options: to9(MEDIUM, 0xffffffff) })
    host.after(86_400_000 * 100)
    expect(routes(host)).toHaveLength(1)
  })

  test('of length 0 says more than the header of the router as a default one, and wins (section 3.1)', () => {
    const host = listener()
    hear(host, { lifetime: 0, options: routeOption('::', 0, 60, HIGH) })
    hear(host, { preference: HIGH, from: OTHER, options: routeOption('::', 0, 60, LOW) })
    expect(taker(host, FAR)).toBe(PEER)
    hear(host, { preference: HIGH, options: routeOption('::', 0, 0) })
    expect(taker(host, FAR)).toBe(OTHER)
    host.after(60_000)
    expect(routes(host)).toEqual([])
  })

  test.each<[string, number[]]>([
    ['a reserved preference', to9(RESERVED)],
    ['a prefix longer than the option', routeOption('2001:db8:9::', 65, 600, MEDIUM, 2)],
    ['no prefix at all', routeOption('2001:db8:9::', 1, 600, MEDIUM, 1)],
    ['a length beyond 128', routeOption('2001:db8:9::', 129, 600, MEDIUM, 3)],
    [
      'more than three units',
      [
        ...routeOption('2001:db8:9::', 48, 600, MEDIUM, 3).slice(0, 1),
        4,
        48,
        0,
        0,
        0,
        2,
        88,
        ...bytesOf('2001:db8:9::'),
        ...pattern(8),
      ],
    ],
    ['a link-local prefix', routeOption('fe80::', 64, 600)],
    ['a prefix of groups', routeOption('ff00::', 8, 600)],
    ['a mapped prefix', routeOption('10.0.0.0', 96, 600)],
    ['a mapped prefix of less than 32 bits', routeOption('10.0.0.0', 8, 600, MEDIUM, 3)],
  ])('with %s is ignored', (_, option) => {
    const host = listener()
    hear(host, { lifetime: 0, options: option })
    expect(routes(host)).toEqual([])
    // The rest of the advertisement counts.
    hear(host, { lifetime: 0, options: [...option, ...to9()] })
    expect(routes(host)).toHaveLength(1)
  })

  test.each([
    [8, '2001::', 2],
    [48, '2001:db8:9::', 3],
    [64, '2001:db8:9::', 2],
    [128, FAR, 3],
  ])('of %i bits may be as long as it likes: %s in %i units', (length, prefix, units) => {
    const host = listener()
    hear(host, { lifetime: 0, options: routeOption(prefix, length, 600, MEDIUM, units) })
    expect(taker(host, FAR)).toBe(PEER)
  })

  test('bits behind the prefix are cleared', () => {
    const host = listener()
    hear(host, { lifetime: 0, options: routeOption('2001:db8:9:ffff::', 48, 600) })
    expect(routes(host)).toEqual([`2001:db8:9::/48 via ${PEER} dev eth0 metric 1024`])
  })

  test(
    'of a router that does not answer gives way to a shorter one of another router, until the router is ' + 'heard',
    () => {
      const host = listener()
      hear(host, { options: to9(HIGH) })
      hear(host, { from: OTHER })
      expect(taker(host, FAR)).toBe(PEER)
      host.after(8000)
      expect(taker(host, FAR)).toBe(OTHER)
      hear(host, { options: to9(HIGH) })
      expect(taker(host, FAR)).toBe(PEER)
    },
  )

  test('of the only router stays when it does not answer', () => {
    const host = listener()
    hear(host, { options: to9() })
    taker(host, FAR)
    host.after(8000)
    expect(routes(host)).toHaveLength(2)
  })

  test('goes when the router says that it is none any more', () => {
    const host = listener()
    hear(host, { options: to9() })
    host.link.receive(advertisement(PEER, SOLICITED | OVERRIDE, { source: PEER, destination: OUR_LINK_LOCAL }))
    expect(routes(host)).toEqual([])
  })

  test('64 are remembered at most', () => {
    const host = listener()
    for (let at = 0; at < 100; at++)
      hear(host, { lifetime: 0, options: routeOption(`2001:db8:${at.toString(16)}::`, 48, 600) })
    expect(routes(host)).toHaveLength(64)
  })

  test('is not heeded by a router', () => {
    const host = listener({ forwarding: true })
    hear(host, { options: to9(HIGH) })
    expect(routes(host)).toEqual([])
    expect(dropCount(host.stack, 'NdIgnored')).toBe(1)
  })
})

test('a prefix option for IPv4 in its mapped form is ignored: no route, no address, no error', () => {
  const host = listener()
  for (const length of [0, 8, 32, 64, 96, 128])
    hear(host, { options: [...prefixOption('::', length, 600, 600).slice(0, 16), ...bytes16('10.0.0.0')] })
  expect(dropCount(host.stack, 'NdMalformed')).toBe(0)
  expect(host.nic.addresses.map(({ address }) => address.toString())).toEqual(['2001:db8:77::1', OUR_LINK_LOCAL])
  expect(
    host.stack.netstat().routes.filter((each) => each.includes('metric 256') && !/fe80|ff00|2001/.test(each)),
  ).toEqual([])
})

describe('a router that advertises', () => {
  test('says its preference and its routes, which hosts take, and takes them back', () => {
    const host = listener()
    const router = ethernetHost({ forwarding: true, addresses: ['fe80::9/64'] })
    router.nic.advertise({
      preference: 'high',
      routes: [
        '2001:db8:9::/48',
        { prefix: '2001:db8:a::/64', preference: 'low', lifetime: 60_000 },
        { prefix: '::/0', preference: 'low' },
      ],
    })
    const passOn = (frames: readonly string[]) => {
      for (const each of frames) {
        const bytes = Uint8Array.from((each.match(/../g) as string[]).map((pair) => Number.parseInt(pair, 16)))
        // Two stations of one address do not talk: the router's is another one here.
        bytes[11] = 9
        if (bytes[54] === 134) host.link.receive(bytes)
      }
    }
    passOn(router.after(600))
    expect(routes(host)).toEqual([
      '2001:db8:9::/48 via fe80::9 dev eth0 metric 1024',
      '2001:db8:a::/64 via fe80::9 dev eth0 metric 1024 pref low',
      'default via fe80::9 dev eth0 metric 1024 pref low',
    ])
    router.nic.advertise(null)
    passOn(router.take())
    expect(routes(host)).toEqual([])
  })

  test('writes its preference where RFC 4191 has it, and none without a lifetime', () => {
    const byte = (options: object) => {
      const router = ethernetHost({ forwarding: true, addresses: ['fe80::9/64'] })
      router.nic.advertise(options)
      const [said] = router.after(600).filter((each) => icmpType(inFrame(each)) === 134)
      return said?.slice(108 + 10, 108 + 12)
    }
    expect(byte({ preference: 'high' })).toBe('08')
    expect(byte({ preference: 'low' })).toBe('18')
    expect(byte({})).toBe('00')
    expect(byte({ preference: 'low', lifetime: 0 })).toBe('00')
  })

  test.each<[object, string]>([
    [{ preference: 'best' }, 'The preference best of router advertisements is none: it is high, medium or low.'],
    [{ routes: ['10.0.0.0/8'] }, 'Routers advertise IPv6 prefixes, not 10.0.0.0/8.'],
    [{ routes: [{ prefix: '::/0', lifetime: -1 }] }, 'route lifetime -1 of router advertisements is out of range'],
  ])('refuses %o', (options, message) => {
    const router = ethernetHost({ forwarding: true, addresses: ['fe80::9/64'] })
    expect(() => router.nic.advertise(options)).toThrow(message)
  })
})

describe('an advertised MTU is the MTU of the link for IPv6 (RFC 4861 section 6.3.4)', () => {
  const narrow = (mtu = 1400) => {
    const host = listener({ addresses: ['2001:db8:77::1/64', '10.0.0.1/24'] })
    for (const to of ['2001:db8:77::9', '2001:db8:78::1', 'fe80::9', '10.0.0.9'])
      host.stack.addNeighbor('eth0', to, PEER_MAC)
    host.stack.addRoute({ to: '2001:db8:78::/48', nic: 'eth0' })
    hear(host, { options: mtuOption(mtu) })
    host.take()
    return host
  }

  test.each(['2001:db8:77::9', '2001:db8:78::1', 'fe80::9', 'ff02::5', 'ff05::5', FAR])('for what goes to %s', (to) => {
    const host = narrow()
    const { endpoint } = open(host.stack, 6)
    const zone = /^fe80|^ff02/.test(to) ? host.nic.index : 0
    endpoint.multicastLoop = false
    expect(send(endpoint, pattern(1353), to, 9, { pmtuMode: 2 }, zone)).toBe('EMSGSIZE')
    expect(send(endpoint, pattern(1353), to, 9, { pmtuMode: 3 }, zone)).toBe('EMSGSIZE')
    expect(send(endpoint, pattern(1352), to, 9, { pmtuMode: 2 }, zone)).toBe('')
    expect(send(endpoint, pattern(1353), to, 9, null, zone)).toBe('')
    expect(host.take().map((each) => each.length / 2 - 14 <= 1400)).toEqual([true, true, true])
    expect(endpoint.pathMtu(Address.parse(to), zone)).toBe(1400)
  })

  test('and not for IPv4', () => {
    const host = narrow()
    expect(send(open(host.stack, 4).endpoint, pattern(1472), '10.0.0.9', 9, { pmtuMode: 2 })).toBe('')
    expect(host.nic.mtu).toBe(1500)
  })

  test('for echo replies, too', () => {
    const host = narrow()
    host.link.receive(ndFrame(128, 0, [...pattern(1400)], { source: '2001:db8:77::9', destination: '2001:db8:77::1' }))
    expect(host.take().map((each) => each.length / 2 - 14)).toEqual([1400, 104])
  })

  test.each([1279, 1501, 0])('%i is none', (mtu) => {
    const host = narrow(mtu)
    expect(host.nic.mtuOf(6)).toBe(1500)
  })

  test('counts until another is advertised, or the MTU of the nic is set', () => {
    const host = narrow()
    hear(host, {})
    expect(host.nic.mtuOf(6)).toBe(1400)
    hear(host, { options: mtuOption(1300) })
    expect(host.nic.mtuOf(6)).toBe(1300)
    hear(host, { options: mtuOption(1500) })
    expect(host.nic.mtuOf(6)).toBe(1500)
    hear(host, { options: mtuOption(1300) })
    host.nic.mtu = 1480
    expect(host.nic.mtuOf(6)).toBe(1480)
    expect(host.stack.netstat().routes.filter((each) => each.includes('mtu'))).toEqual([])
  })
})
