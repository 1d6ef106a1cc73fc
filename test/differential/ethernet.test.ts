/**
 * Redirects, router advertisements and group queries: the kernel on a TAP and the stack on Ethernet
 * go the same ways, and ask and answer alike.
 */
import { afterEach, describe, expect, test } from 'vitest'
import { describeOnTun } from '../tun/namespace.ts'
import { address, type Bytes, icmp, ip4, ip6, join, options, pattern, u8, u16, u32, udp } from './raw-ip.ts'
import { frame, GROUPS, makeStations, OUR_MAC, OUR4, OUR6, type Station, way } from './stations.ts'

/** Two routers of the link, and a third station. */
const FIRST = { mac: '02:00:00:00:00:02', 4: '10.9.0.2', 6: 'fe80::2' }
const SECOND = { mac: '02:00:00:00:00:03', 4: '10.9.0.3', 6: 'fe80::3' }
const THIRD = { mac: '02:00:00:00:00:04', 4: '10.9.0.4', 6: 'fe80::4' }
type Router = typeof FIRST
const ALL_NODES = 'ff02::1'
const ALL_NODES_MAC = '33:33:00:00:00:01'
const FAR = { 4: '192.0.2.9', 6: '2001:db8:9::9' }
const OURS = { 4: OUR4, 6: OUR6 }

describeOnTun('on an Ethernet the kernel and the stack', () => {
  let stations: ReturnType<typeof makeStations> | null = null
  afterEach(() => {
    stations?.close()
    stations = null
  })

  /** Both, with the routers' hardware addresses known, after some preparation. */
  function both(prepare: (station: Station) => void = () => {}): Station[] {
    stations = makeStations()
    const { kernel, stack } = stations
    for (const each of [kernel, stack]) {
      for (const { mac, ...addresses } of [FIRST, SECOND, THIRD])
        for (const known of Object.values(addresses)) each.neighbor(known, mac)
      prepare(each)
      each.frames()
    }
    return [kernel, stack]
  }

  /** What one of them sends to some destinations. */
  function ways(station: Station, destinations: readonly string[], size = 20): string[] {
    return destinations.flatMap((to) => {
      const error = station.send(pattern(size), to)
      return [`${to} ${error}`, ...station.frames().map(way)]
    })
  }

  describe('follow a redirect, or do not', () => {
    interface Redirect {
      by?: Router
      /** The source, where it is not the router's own. */
      from?: string
      target?: string
      to?: string
      code?: number
      hopLimit?: number
      /** In place of what was sent. */
      quote?: Bytes
      noQuote?: boolean
    }

    /** A redirect about a packet that the station sent. */
    function redirect(family: 4 | 6, sent: Bytes, fields: Redirect): Bytes {
      const { by = FIRST, from = by[family], target = SECOND[family], to = FAR[family] } = fields
      const quote = fields.quote ?? sent
      const { code = family === 4 ? 1 : 0 } = fields
      if (family === 4)
        return frame(
          OUR_MAC,
          by.mac,
          ip4({ source: from, destination: OUR4, protocol: 1, payload: icmp(5, code, address(target), quote) }),
        )
      const padded = join(quote, new Uint8Array((8 - (quote.length % 8)) % 8))
      const option = fields.noQuote === true ? u8() : join(u8(4, 1 + padded.length / 8, 0, 0), u32(0), padded)
      const payload = icmp(137, code, u32(0), join(address(target), address(to), option), { from, to: OUR6 })
      return frame(
        OUR_MAC,
        by.mac,
        ip6({ source: from, destination: OUR6, next: 58, hopLimit: fields.hopLimit ?? 255, payload }),
      )
    }

    const echo = (family: 4 | 6): Bytes =>
      family === 4
        ? ip4({ source: FAR[4], destination: OUR4, protocol: 1, payload: icmp(8, 0, u32(7), pattern(16)) })
        : ip6({
            source: FAR[6],
            destination: OUR6,
            next: 58,
            payload: icmp(128, 0, u32(7), pattern(16), { from: FAR[6], to: OUR6 }),
          })
    const datagram = (family: 4 | 6, port: number): Bytes => {
      const payload = udp({ from: FAR[family], to: OURS[family], port })
      return family === 4
        ? ip4({ source: FAR[4], destination: OUR4, payload })
        : ip6({ source: FAR[6], destination: OUR6, payload })
    }
    /**
     * What draws a packet that goes out, by its name; `null` sends a datagram. Linux does not
     * remember what it said about a closed port in IPv4.
     */
    const drawn = {
      'an echo reply': (family: 4 | 6) => echo(family),
      'a closed port': (family: 4 | 6) => (family === 6 ? datagram(6, 9) : null),
      'a datagram': (family: 4 | 6) => (family === 4 ? 'send' : null),
    } as const

    // Not among them, for Linux goes there: to a broadcast address (it sends to all of the link),
    // and in IPv6 to an address of ours (it sends nothing).
    const foreign = { 4: '203.0.113.7', 6: 'fd09::7' }
    const cases = (family: 4 | 6): [string, Redirect][] => [
      ['of the first hop', {}],
      ['of another router', { by: THIRD }],
      ['of an address that is no router', { from: family === 4 ? '10.9.0.77' : 'fe80::77' }],
      ['to the router itself', { target: FIRST[family] }],
      ['to an address of no link', { target: foreign[family] }],
      ['to a group', { target: family === 4 ? '224.0.0.9' : 'ff02::9' }],
      ['of code 2', { code: 2 }],
      ['of code 5', { code: 5 }],
      ...((family === 4
        ? [
            ['to nobody', { target: '0.0.0.0' }],
            ['to an address of ours', { target: OUR4 }],
            ['of code 0', { code: 0 }],
          ]
        : [
            ['to the destination itself', { target: FAR[6] }],
            ['about a group', { to: 'ff0e::1', target: 'ff0e::1', noQuote: true }],
            ['from afar', { hopLimit: 254 }],
            ['from a global address', { from: 'fd09::2' }],
            ['without a quote', { noQuote: true }],
          ]) as [string, Redirect][]),
    ]

    for (const family of [4, 6] as const)
      for (const [what, draw] of Object.entries(drawn)) {
        const drawing = draw(family)
        if (drawing === null) continue
        test.each(cases(family))(`IPv${family}, about ${what}: %s`, (_, fields) => {
          const seen = both((station) => station.gateway(FIRST[family])).map((station) => {
            if (family === 6) station.neighbor(FAR[6], THIRD.mac)
            if (drawing === 'send') station.send(pattern(20), FAR[family])
            else station.input(frame(OUR_MAC, FIRST.mac, drawing))
            const [sent] = station.frames() as [Bytes]
            station.input(redirect(family, sent.slice(14), fields))
            return ways(station, [FAR[family]])
          })
          expect(seen[1]).toEqual(seen[0])
        })
      }
  })

  describe('learn the same ways from router advertisements', () => {
    interface Advertisement {
      by?: Router
      from?: string
      lifetime?: number
      preference?: number
      hopLimit?: number
      advertised?: number
      code?: number
      options?: Bytes[]
    }
    const LOW = 3
    const HIGH = 1
    const RESERVED = 2

    function advertisement({
      by = FIRST,
      from = by[6],
      lifetime = 1800,
      preference = 0,
      advertised = 0,
      ...rest
    }: Advertisement): Bytes {
      const mac = join(u8(1, 1), Uint8Array.from(by.mac.split(':').map((pair) => Number.parseInt(pair, 16))))
      const second = join(u8(advertised, preference << 3), u16(lifetime))
      const body = join(u32(0), u32(0), mac, ...(rest.options ?? []))
      const payload = icmp(134, rest.code ?? 0, second, body, { from, to: ALL_NODES })
      return frame(
        ALL_NODES_MAC,
        by.mac,
        ip6({ source: from, destination: ALL_NODES, next: 58, hopLimit: rest.hopLimit ?? 255, payload }),
      )
    }

    const route = (
      prefix: string,
      length: number,
      preference = 0,
      lifetime = 600,
      units = length === 0 ? 1 : length <= 64 ? 2 : 3,
    ) => join(u8(24, units, length, preference << 3), u32(lifetime), address(prefix).slice(0, units * 8 - 8))
    const mtu = (bytes: number) => join(u8(5, 1, 0, 0), u32(bytes))
    const prefix = (text: string, flags: number, length = 64, valid = 3600, preferred = 1800) =>
      join(u8(3, 4, length, flags), u32(valid), u32(preferred), u32(0), address(text))

    const NEAR = '2001:db8:77::9'
    const EVERYWHERE = [FAR[6], '2001:db8:a::1', 'fd09::9', NEAR, 'ff05::5']

    test.each<[string, Advertisement[]]>([
      ['one router', [{}]],
      ['two of one preference', [{}, { by: SECOND }]],
      ['the second is preferred', [{}, { by: SECOND, preference: HIGH }]],
      ['the first is preferred', [{ preference: HIGH }, { by: SECOND }]],
      ['the first is not preferred', [{ preference: LOW }, { by: SECOND }]],
      ['a reserved preference is medium', [{ preference: RESERVED }, { by: SECOND }]],
      ['low comes behind a reserved one', [{ preference: LOW }, { by: SECOND, preference: RESERVED }]],
      ['a preference changes', [{}, { by: SECOND }, { preference: LOW }]],
      ['a router goes', [{ preference: HIGH }, { by: SECOND }, { lifetime: 0 }]],
      ['a route to a prefix', [{}, { by: SECOND, lifetime: 0, options: [route('2001:db8:9::', 48)] }]],
      ['a route to a host', [{}, { by: SECOND, options: [route(FAR[6], 128)] }]],
      [
        'a route to half the prefix',
        [{}, { by: SECOND, options: [route('2001:db8:9::', 64), route('2001:db8::', 20)] }],
      ],
      [
        'two routes, the second preferred',
        [{ options: [route('2001:db8:9::', 48)] }, { by: SECOND, options: [route('2001:db8:9::', 48, HIGH)] }],
      ],
      [
        'a preferred route changes',
        [
          { options: [route('2001:db8:9::', 48)] },
          { by: SECOND, options: [route('2001:db8:9::', 48)] },
          { options: [route('2001:db8:9::', 48, LOW)] },
        ],
      ],
      [
        'a route goes',
        [
          {},
          { by: SECOND, lifetime: 0, options: [route('2001:db8:9::', 48)] },
          { by: SECOND, lifetime: 0, options: [route('2001:db8:9::', 48, 0, 0)] },
        ],
      ],
      [
        'a route of reserved preference',
        [{}, { by: SECOND, lifetime: 0, options: [route('2001:db8:9::', 48, RESERVED)] }],
      ],
      ['a route that does not fit', [{}, { by: SECOND, lifetime: 0, options: [route('2001:db8:9::', 96, 0, 600, 2)] }]],
      ['a route of a wrong length', [{}, { by: SECOND, lifetime: 0, options: [route('2001:db8:9::', 129)] }]],
      ['a route of no bits is a default router', [{ lifetime: 0, options: [route('::', 0)] }]],
      [
        'a route of no bits says more than the header',
        [{}, { by: SECOND, preference: LOW, options: [route('::', 0, HIGH)] }],
      ],
      ['a route of no bits and no time', [{}, { by: SECOND, preference: HIGH, options: [route('::', 0, HIGH, 0)] }]],
      ['a route for ever', [{}, { by: SECOND, lifetime: 0, options: [route('2001:db8:9::', 48, 0, 0xffffffff)] }]],
      ['a hop limit', [{ advertised: 33 }, { advertised: 0 }]],
      ['an MTU', [{ options: [mtu(1400)] }]],
      ['an MTU that changes', [{ options: [mtu(1400)] }, {}, { options: [mtu(1300)] }]],
      ['an MTU that grows', [{ options: [mtu(1300)] }, { options: [mtu(1500)] }]],
      ['MTUs that cannot be', [{ options: [mtu(1279)] }, { options: [mtu(1501)] }]],
      ['a prefix on the link', [{ options: [prefix('2001:db8:77::', 0x80)] }]],
      ['a prefix of which addresses are made', [{ options: [prefix('2001:db8:77::', 0x40)] }]],
      ['a prefix for both', [{ options: [prefix('2001:db8:77::', 0xc0)] }]],
      ['a prefix that is deprecated', [{ options: [prefix('2001:db8:77::', 0xc0, 64, 3600, 0)] }]],
      ['a prefix of another length', [{ options: [prefix('2001:db8:77::', 0xc0, 48)] }]],
      [
        'a prefix that goes',
        [{ options: [prefix('2001:db8:77::', 0x80)] }, { options: [prefix('2001:db8:77::', 0x80, 64, 0, 0)] }],
      ],
      ['from a global address', [{ from: 'fd09::2' }]],
      ['from afar', [{ hopLimit: 254 }]],
      ['of another code', [{ code: 1 }]],
      ['with an option of length 0', [{ options: [u8(24, 0, 0, 0, 0, 0, 0, 0)] }]],
    ])('%s', (_, said) => {
      const seen = both().map((station) => {
        station.neighbor('fd09::9', THIRD.mac)
        station.neighbor(NEAR, THIRD.mac)
        for (const each of said) station.input(advertisement(each))
        station.settle()
        return [...ways(station, EVERYWHERE), ...ways(station, EVERYWHERE, 1400)]
      })
      expect(seen[1]).toEqual(seen[0])
    })
  })

  describe('take a query of a group, or do not', () => {
    const ALERT4 = u8(148, 4, 0, 0)
    const { 4: group4, 6: group6 } = GROUPS
    /** The longest time to answer in: 12.7 s and 30 s, so that the timer is seen while it runs. */
    const LONGEST = { 4: 127, 6: 30_000 }
    const general4 = icmp(0x11, LONGEST[4], u32(0), u8())
    /** Version 2, about the group. */
    const about4 = icmp(0x11, LONGEST[4], address(group4), u8())
    /** Version 3: no suppression, robustness 2, interval 125 s. */
    const about4v3 = icmp(0x11, LONGEST[4], address(group4), u8(2, 125, 0, 0))

    /** Asks twice: the time to answer in is random, and may be over when one looks. */
    function isAsked(station: Station, family: 4 | 6, query: Bytes): boolean {
      return [1, 2].some(() => {
        station.input(query)
        return station.isAsked(family)
      })
    }

    test.each<[string, string, string, Bytes]>([
      ['from a neighbor', '10.9.0.9', group4, about4],
      ['from a neighbor, version 3', '10.9.0.9', group4, about4v3],
      ['from nobody (RFC 4541 2.1.1)', '0.0.0.0', group4, about4],
      ['from nobody, version 3', '0.0.0.0', group4, about4v3],
      ['from nobody about all groups', '0.0.0.0', '224.0.0.1', general4],
      ['from another network', '192.0.2.1', group4, about4],
      ['from this host', OUR4, group4, about4],
      ['from a group', '224.0.0.9', group4, about4],
      ['from everybody', '255.255.255.255', group4, about4],
      ['from 127.0.0.1', '127.0.0.1', group4, about4],
    ])('IGMP %s', (_, source, destination, payload) => {
      const seen = both().map((station) => {
        const packet = ip4({ source, destination, protocol: 2, ttl: 1, options: ALERT4, payload })
        const to = destination === group4 ? '01:00:5e:01:02:03' : '01:00:5e:00:00:01'
        return isAsked(station, 4, frame(to, FIRST.mac, packet))
      })
      expect(seen[1]).toBe(seen[0])
    })

    const query6 = (from: string, to: string, alert: Bytes, hopLimit: number, extra: Bytes) => {
      const payload = icmp(130, 0, u16(LONGEST[6]), join(u16(0), address(group6), extra), { from, to })
      return ip6({ source: from, destination: to, next: 0, hopLimit, payload: join(options(58, alert), payload) })
    }
    const ALERT6 = u8(5, 2, 0, 0)
    const v2 = u8(2, 125, 0, 0)
    test.each<[string, string, Bytes, number, Bytes]>([
      ['from a link-local address', 'fe80::9', ALERT6, 1, u8()],
      ['from a link-local address, version 2', 'fe80::9', ALERT6, 1, v2],
      ['from a global address', 'fd09::9', ALERT6, 1, u8()],
      ['from nobody', '::', ALERT6, 1, u8()],
      ['from afar', 'fe80::9', ALERT6, 2, u8()],
      ['without a Router Alert', 'fe80::9', u8(1, 2, 0, 0), 1, u8()],
      ['with another Router Alert', 'fe80::9', u8(5, 2, 0, 1), 1, u8()],
    ])('MLD %s', (_, source, alert, hopLimit, extra) => {
      const query = frame('33:33:00:02:00:03', FIRST.mac, query6(source, group6, alert, hopLimit, extra))
      const seen = both().map((station) => isAsked(station, 6, query))
      expect(seen[1]).toBe(seen[0])
    })
  })
})
