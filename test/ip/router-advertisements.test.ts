/**
 * What a host learns from routers, and what a router tells: RFC 4861 section 6, RFC 4862 section
 * 5.5.
 */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { Segment } from '../../src/link/segment.ts'
import { Stack } from '../../src/stack.ts'
import {
  advertisement,
  type EthernetHost,
  ethernetHost,
  groupMac6,
  hex,
  linkOption,
  mtuOption,
  ndFrame,
  OTHER_MAC,
  OUR_LINK_LOCAL,
  OUR_MAC,
  OVERRIDE,
  PEER_LINK_LOCAL,
  PEER_MAC,
  prefixOption,
  type RouterFields,
  routerAdvertisement,
  SOLICITED,
} from '../ethernet.ts'
import { dropCount, open, send } from '../host.ts'
import { hopLimit, icmpType, inFrame, macDestination, source } from '../packet.ts'
import { readVectors, vector } from '../vectors/read.ts'

const DAY = 86_400_000
const PREFIX = '2001:db8:77::'
const MADE = '2001:db8:77::ff:fe00:1'
const SOLICITATION = hex(vector(readVectors('ethernet'), 'router solicitation').bytes)

/** A host without addresses of its own that listens to routers. */
function listener(options = {}): EthernetHost {
  return ethernetHost({ addresses: [], acceptRouterAdvertisements: true, ...options })
}
const routes = ({ stack }: EthernetHost) =>
  stack
    .netstat()
    .routes.filter(
      (each) => each.includes('dev eth0') && !/^(fe80::|ff00::)/.test(each) && !each.startsWith('multicast'),
    )
const addresses = ({ nic }: EthernetHost) =>
  nic.addresses.map(({ address }) => address.toString()).filter((each) => each !== OUR_LINK_LOCAL)
const hear = (host: EthernetHost, router: RouterFields, fields = {}) =>
  host.link.receive(routerAdvertisement(router, fields))
const withPrefix = (valid: number, preferred: number, flags?: number, length = 64): RouterFields => ({
  options: [...linkOption(1, PEER_MAC), ...prefixOption(PREFIX, length, valid, preferred, flags)],
})

describe('a host', () => {
  test('asks for routers as Linux does, three times, four seconds apart', () => {
    const host = ethernetHost({ addresses: [], acceptRouterAdvertisements: true, quiet: false })
    const times: number[] = []
    for (let at = 0; at < 30_000; at += 10) for (const each of host.after(10)) if (each === SOLICITATION) times.push(at)
    const [first = 0, second = 0, third = 0] = times
    expect(times).toHaveLength(3)
    expect(first).toBeLessThanOrEqual(1000)
    expect([second - first, third - second]).toEqual([4000, 4000])
  })

  test('asks no more when a router has spoken', () => {
    const host = ethernetHost({ addresses: [], acceptRouterAdvertisements: true, quiet: false })
    host.after(1000)
    hear(host, {})
    expect(host.after(30_000)).not.toContain(SOLICITATION)
  })

  test('does neither ask nor listen when it forwards, or was told not to', () => {
    for (const options of [{ forwarding: true }, { acceptRouterAdvertisements: false }]) {
      const host = listener(options)
      expect(host.after(10_000)).not.toContain(SOLICITATION)
      hear(host, withPrefix(3600, 1800))
      expect(dropCount(host.stack, 'NdIgnored')).toBe(1)
      expect(addresses(host)).toEqual([])
      expect(routes(host)).toEqual([])
    }
  })
})

describe('a default router', () => {
  test('is taken for its lifetime, prolonged, and let go when it says so', () => {
    const host = listener()
    hear(host, { lifetime: 1800 })
    const route = `default via ${PEER_LINK_LOCAL} dev eth0 metric 1024`
    expect(routes(host)).toEqual([route])
    expect(host.stack.neighbors).toMatchObject([
      { address: PEER_LINK_LOCAL, hardwareAddress: PEER_MAC, state: 'STALE', router: true },
    ])
    host.after(1_799_999)
    hear(host, { lifetime: 1800 })
    host.after(1_799_999)
    expect(routes(host)).toEqual([route])
    host.after(1)
    expect(routes(host)).toEqual([])
    hear(host, { lifetime: 1800 })
    hear(host, { lifetime: 0 })
    expect(routes(host)).toEqual([])
    host.after(4_000_000)
    expect(routes(host)).toEqual([])
  })

  test('that says it is a host is none any more (RFC 4861 section 7.2.5)', () => {
    const host = listener()
    hear(host, {})
    host.link.receive(
      advertisement(PEER_LINK_LOCAL, SOLICITED | OVERRIDE, { source: PEER_LINK_LOCAL, destination: OUR_LINK_LOCAL }),
    )
    expect(routes(host)).toEqual([])
  })

  test('that does not answer gives way to another (RFC 4861 section 6.3.6)', () => {
    const host = listener()
    const other = 'fe80::ff:fe00:3'
    hear(host, withPrefix(3600, 1800))
    hear(host, { options: linkOption(1, OTHER_MAC) }, { source: other, mac: OTHER_MAC })
    host.take()
    const { endpoint } = open(host.stack, 6)
    const to = () => {
      send(endpoint, Uint8Array.of(1), '2001:db8:ffff::1', 7)
      return host.take()[0]?.slice(0, 12)
    }
    expect(to()).toBe('020000000002')
    // Five seconds of doubt, three probes.
    host.after(8000)
    expect(to()).toBe('020000000003')
    host.after(8000)
    expect(host.stack.neighbors.map(({ state }) => state)).toEqual(['FAILED', 'FAILED'])
    to()
    expect(host.stack.neighbors.find(({ address }) => address === PEER_LINK_LOCAL)?.state).toBe('INCOMPLETE')
    expect(routes(host).filter((each) => each.startsWith('default'))).toHaveLength(2)
  })

  test('takes packets for everywhere', () => {
    const host = listener()
    hear(host, withPrefix(3600, 1800))
    host.take()
    const { endpoint } = open(host.stack, 6)
    expect(send(endpoint, Uint8Array.of(1), '2001:db8:ffff::1', 7)).toBe('')
    const [sent] = host.take()
    expect(macDestination(sent as string)).toBe('02:00:00:00:00:02')
    expect(source(inFrame(sent as string))).toBe(MADE)
  })

  test('one of sixteen at most: a flood of them fills no table', () => {
    const host = listener()
    for (let i = 1; i <= 40; i++) hear(host, { options: [] }, { source: `fe80::${i}` })
    expect(routes(host)).toHaveLength(16)
  })
})

describe('a prefix', () => {
  test('is on the link and makes an address, each by its own flag', () => {
    const host = listener()
    hear(host, { ...withPrefix(3600, 1800, 0x80), lifetime: 0 })
    expect(routes(host)).toEqual([`${PREFIX}/64 dev eth0 metric 256`])
    expect(addresses(host)).toEqual([])
    const other = listener()
    hear(other, { ...withPrefix(3600, 1800, 0x40), lifetime: 0 })
    expect(routes(other).filter((each) => each.includes('/64'))).toEqual([])
    expect(addresses(other)).toEqual([MADE])
  })

  test('leaves the link when its lifetime ends, and at once with lifetime 0', () => {
    const host = listener()
    hear(host, { ...withPrefix(3600, 1800, 0x80), lifetime: 0 })
    host.after(3_599_999)
    expect(routes(host)).toHaveLength(1)
    host.after(1)
    expect(routes(host)).toEqual([])
    hear(host, { ...withPrefix(3600, 1800, 0x80), lifetime: 0 })
    hear(host, { ...withPrefix(0, 0, 0x80), lifetime: 0 })
    expect(routes(host)).toEqual([])
  })

  test.each([
    ['of another length than 64 (RFC 4862 section 5.5.3 (d))', withPrefix(3600, 1800, 0x40, 63)],
    ['preferred longer than valid (c)', withPrefix(1800, 3600, 0x40)],
    ['of lifetime 0', withPrefix(0, 0, 0x40)],
    ['that is link-local (b)', { options: prefixOption('fe80::', 64, 3600, 1800) }],
    ['that is a group', { options: prefixOption('ff02::', 64, 3600, 1800) }],
    ['with an impossible length', withPrefix(3600, 1800, 0xc0, 129)],
    ['in an option that is too short', { options: [3, 1, 64, 0xc0, 0, 0, 0, 9] }],
  ])('makes no address: %s', (_, router) => {
    const host = listener()
    hear(host, router)
    expect(addresses(host)).toEqual([])
    expect(dropCount(host.stack, 'NdMalformed')).toBe(0)
  })

  test('makes an address that is checked for duplicates like any other', () => {
    const host = listener({ dad: true })
    hear(host, withPrefix(3600, 1800))
    expect(host.nic.tentativeAddresses.map(({ address }) => address.toString())).toEqual([MADE])
    expect(addresses(host)).toEqual([])
    host.after(2000)
    expect(addresses(host)).toEqual([MADE])
  })
})

describe('an address made from a prefix', () => {
  test('is deprecated when its preferred lifetime ends, and gone when its valid one does', () => {
    const host = listener()
    hear(host, withPrefix(10_000, 5000))
    const made = () => host.nic.addresses.find(({ address }) => address.equals(Address.parse(MADE)))
    expect(made()?.deprecated).toBe(false)
    host.after(4_999_999)
    expect(made()?.deprecated).toBe(false)
    host.after(1)
    expect(made()?.deprecated).toBe(true)
    host.after(4_999_999)
    expect(made()).toBeDefined()
    host.after(1)
    expect(made()).toBeUndefined()
  })

  test('deprecated is a source only when there is no other (RFC 6724 rule 3)', () => {
    const host = listener()
    hear(host, withPrefix(10_000, 0))
    const route = host.stack.ip.route(0x20010db8, 0x770000, 0, 0x9999, 0)
    const select = () =>
      host.stack.ip.selectSource(route as NonNullable<typeof route>, 0x20010db8, 0x770000, 0, 0x9999)?.toString()
    expect(select()).toBe(MADE)
    host.nic.addAddress('2001:db8:1::5/64')
    expect(select()).toBe('2001:db8:1::5')
    hear(host, withPrefix(10_000, 5000))
    expect(select()).toBe(MADE)
  })

  test('cannot be taken away by one advertisement: two hours are left to it (RFC 4862 section 5.5.3 (e))', () => {
    const host = listener()
    const lives = (milliseconds: number) => {
      host.after(milliseconds - 1)
      expect(addresses(host)).toEqual([MADE])
      host.after(1)
      expect(addresses(host)).toEqual([])
    }
    hear(host, withPrefix(30 * 86_400, 86_400))
    hear(host, withPrefix(1, 1))
    lives(7_200_000)
    // Less than two hours are left: a shorter lifetime is not believed, a longer one is.
    hear(host, withPrefix(3600, 600))
    host.after(600_000)
    hear(host, withPrefix(60, 60))
    lives(3_000_000)
    hear(host, withPrefix(3600, 600))
    hear(host, withPrefix(5400, 600))
    lives(5_400_000)
    hear(host, withPrefix(86_400, 600))
    hear(host, withPrefix(7201, 600))
    lives(7_201_000)
  })

  test('may live longer than a timer can wait, and for ever', () => {
    const host = listener()
    hear(host, { ...withPrefix(60 * 86_400, 50 * 86_400), lifetime: 0 })
    host.after(59 * DAY)
    expect(addresses(host)).toEqual([MADE])
    expect(host.nic.addresses.find(({ address }) => address.equals(Address.parse(MADE)))?.deprecated).toBe(true)
    host.after(DAY)
    expect(addresses(host)).toEqual([])
    hear(host, withPrefix(0xffffffff, 0xffffffff))
    host.after(1000 * DAY)
    expect(addresses(host)).toEqual([MADE])
  })

  test('goes with the nic', () => {
    const host = listener()
    hear(host, withPrefix(3600, 1800))
    host.stack.removeNic(host.nic)
    expect(host.stack.netstat().routes.filter((each) => each.includes('eth0'))).toEqual([])
    host.clock.advance(DAY)
    expect(host.stack.neighbors).toEqual([])
  })
})

describe('what else routers say', () => {
  test('the hop limit becomes that of what is sent', () => {
    const host = listener()
    hear(host, { ...withPrefix(3600, 1800), hopLimit: 33 })
    host.stack.addNeighbor('eth0', '2001:db8:77::9', PEER_MAC)
    host.take()
    const { endpoint } = open(host.stack, 6)
    send(endpoint, Uint8Array.of(1), '2001:db8:77::9', 7)
    expect(hopLimit(inFrame(host.take()[0] as string))).toBe(33)
    hear(host, { hopLimit: 0 })
    send(endpoint, Uint8Array.of(1), '2001:db8:77::9', 7)
    expect(hopLimit(inFrame(host.take()[0] as string))).toBe(33)
  })

  test("the MTU counts for their routes, from 1280 up to the link's own", () => {
    const host = listener()
    const mtu = () => {
      const route = host.stack.ip.route(0x20010db8, 0x770000, 0, 0x9999, 0)
      return host.stack.ip.mtuTo(route as NonNullable<typeof route>, 0x20010db8, 0x770000, 0, 0x9999)
    }
    const say = (value: number) =>
      hear(host, { options: [...prefixOption(PREFIX, 64, 3600, 1800), ...mtuOption(value)] })
    say(1400)
    expect(mtu()).toBe(1400)
    expect(routes(host)).toEqual([
      `default via ${PEER_LINK_LOCAL} dev eth0 metric 1024 mtu 1400`,
      `${PREFIX}/64 dev eth0 metric 256 mtu 1400`,
      `${MADE}/128 dev eth0 metric 256`,
    ])
    say(1279)
    say(1501)
    expect(mtu()).toBe(1400)
    say(1280)
    expect(mtu()).toBe(1280)
  })

  test('the timers become those of neighbors', () => {
    const host = listener()
    hear(host, { ...withPrefix(3600, 1800), reachable: 2000, retrans: 100 })
    const { endpoint } = open(host.stack, 6)
    host.take()
    send(endpoint, Uint8Array.of(1), '2001:db8:77::9', 7)
    expect(host.take()).toHaveLength(1)
    expect(host.after(100)).toHaveLength(1)
    host.link.receive(advertisement('2001:db8:77::9', SOLICITED, { destination: MADE, source: '2001:db8:77::9' }))
    const state = () => host.stack.neighbors.find(({ address }) => address === '2001:db8:77::9')?.state
    host.after(999)
    expect(state()).toBe('REACHABLE')
    host.after(2001)
    expect(state()).toBe('STALE')
  })

  test.each([
    ['a Retrans Timer of 1 ms counts as 10 ms', { retrans: 1 }, 30],
    ['one of 10 s is taken', { retrans: 10_000 }, 30_000],
    ['one of more than a minute is not', { retrans: 60_001 }, 3000],
    ['nor one of 49 days', { retrans: 0xffffffff }, 3000],
  ])('%s: a host that is silent is given up in time', (_, fields, time) => {
    const host = listener()
    hear(host, { ...withPrefix(3600, 1800), ...fields })
    const { endpoint } = open(host.stack, 6)
    send(endpoint, Uint8Array.of(1), '2001:db8:77::9', 7)
    const state = () => host.stack.neighbors.find(({ address }) => address === '2001:db8:77::9')?.state
    host.after(time - 1)
    expect(state()).toBe('INCOMPLETE')
    host.after(1)
    expect(state()).toBe('FAILED')
  })

  test.each([
    ['a Reachable Time of 1 ms counts as 100 ms', { reachable: 1 }, 49, 150],
    ['one of an hour is taken', { reachable: 3_600_000 }, 1_799_999, 5_400_001],
    ['one of more is not', { reachable: 3_600_001 }, 14_999, 45_001],
    ['nor one of 49 days', { reachable: 0xffffffff }, 14_999, 45_001],
  ])('%s: a host that answered is believed for as long', (_, fields, least, most) => {
    const host = listener()
    hear(host, { ...withPrefix(86_400, 86_400), lifetime: 9000, ...fields })
    const { endpoint } = open(host.stack, 6)
    send(endpoint, Uint8Array.of(1), '2001:db8:77::9', 7)
    host.link.receive(advertisement('2001:db8:77::9', SOLICITED, { destination: MADE, source: '2001:db8:77::9' }))
    const state = () => host.stack.neighbors.find(({ address }) => address === '2001:db8:77::9')?.state
    host.after(least)
    expect(state()).toBe('REACHABLE')
    host.after(most - least)
    expect(state()).toBe('STALE')
  })
})

describe('a router', () => {
  const isAdvertisement = (each: string) => icmpType(inFrame(each)) === 134
  const ours = (rest: number, options: readonly number[], reachable = 0, retrans = 0) => {
    const word = (value: number) => [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
    const body = [...word(reachable), ...word(retrans), ...linkOption(1, OUR_MAC), ...options]
    return hex(
      ndFrame(134, rest, body, {
        source: OUR_LINK_LOCAL,
        destination: 'ff02::1',
        mac: OUR_MAC,
        to: groupMac6('ff02::1'),
      }),
    )
  }

  test('says what it was told to, and ends with lifetime 0', () => {
    const host = ethernetHost({ forwarding: true })
    host.nic.advertise({
      prefixes: [
        `${PREFIX}/64`,
        {
          prefix: '2001:db8:78::/64',
          onLink: false,
          validLifetime: Number.POSITIVE_INFINITY,
          preferredLifetime: 60_000,
        },
      ],
      mtu: 1400,
      hopLimit: 50,
      interval: 10_000,
      reachableTime: 20_000,
      retransTimer: 500,
    })
    const options = [
      ...mtuOption(1400),
      ...prefixOption(PREFIX, 64, 30 * 86_400, 7 * 86_400),
      ...prefixOption('2001:db8:78::', 64, 0xffffffff, 60, 0x40),
    ]
    const [first, ...rest] = host.after(500).filter(isAdvertisement)
    expect(first).toBe(ours((50 << 24) | 30, options, 20_000, 500))
    expect(rest).toEqual([])
    host.nic.advertise(null)
    expect(host.take()).toEqual([ours(50 << 24, options, 20_000, 500)])
    expect(host.after(60_000)).toEqual([])
    host.nic.advertise({ lifetime: 9_000_000 })
    host.after(1000)
    host.stack.close()
    expect(host.take()).toEqual([ours(64 << 24, [])])
  })

  test(
    'speaks at random times between a third of the interval and all of it, the first three times within 16 ' + 's',
    () => {
      const host = ethernetHost({ forwarding: true })
      host.nic.advertise({ interval: 60_000 })
      const times: number[] = []
      for (let at = 0; at < 1_000_000; at += 10)
        for (const each of host.after(10)) if (isAdvertisement(each)) times.push(at)
      const gaps = times.slice(1).map((time, index) => time - (times[index] as number))
      expect(times[0]).toBeLessThanOrEqual(500)
      expect(gaps.slice(0, 2).every((gap) => gap <= 16_000)).toBe(true)
      expect(gaps.slice(2).every((gap) => gap >= 19_990 && gap <= 60_010)).toBe(true)
      expect(new Set(gaps.slice(2)).size).toBeGreaterThan(5)
      expect(times.length).toBeGreaterThan(17)
    },
  )

  test('answers a solicitation within half a second, but not oftener than every three seconds', () => {
    const host = ethernetHost({ forwarding: true })
    host.nic.advertise({ interval: 1_800_000 })
    host.after(40_000)
    const ask = () =>
      host.link.receive(ndFrame(133, 0, linkOption(1, PEER_MAC), { source: PEER_LINK_LOCAL, destination: 'ff02::2' }))
    ask()
    expect(host.after(500).filter(isAdvertisement)).toHaveLength(1)
    ask()
    ask()
    expect(host.after(2400).filter(isAdvertisement)).toHaveLength(0)
    expect(host.after(1100).filter(isAdvertisement)).toHaveLength(1)
    expect(host.stack.neighbors).toMatchObject([{ address: PEER_LINK_LOCAL, router: false }])
  })

  test('waits for its link-local address', () => {
    const host = ethernetHost({ forwarding: true, dad: true, quiet: false })
    host.nic.advertise({})
    const sent = host.after(40_000).filter(isAdvertisement)
    expect(sent.length).toBeGreaterThan(0)
    expect(sent.every((each) => source(inFrame(each)) === OUR_LINK_LOCAL)).toBe(true)
  })

  test('refuses what cannot be', () => {
    const { nic } = ethernetHost()
    for (const options of [
      { interval: 3999 },
      { interval: 1_800_001 },
      { lifetime: -1 },
      { lifetime: 9_000_001 },
      { hopLimit: 256 },
      { mtu: 70_000 },
    ])
      expect(() => nic.advertise(options)).toThrow(RangeError)
    expect(() => nic.advertise({ prefixes: ['10.0.0.0/8'] })).toThrow(TypeError)
    expect(() =>
      nic.advertise({ prefixes: [{ prefix: '2001:db8::/64', validLifetime: 1, preferredLifetime: 2 }] }),
    ).toThrow(RangeError)
    expect(nic.isRouter).toBe(false)
  })

  test('configures every host of its link, which reach each other and the world through it', () => {
    const clock = new ManualClock()
    const random = new SeededRandom('slaac')
    const wire = new Segment({ clock, random, medium: 'ethernet' })
    const router = new Stack({ name: 'router', clock, random, forwarding: true })
    router
      .addNic(wire.link(), { name: 'lan', addresses: ['2001:db8:77::1/64'] })
      .advertise({ prefixes: ['2001:db8:77::/64'] })
    const hosts = ['a', 'b'].map((name) => {
      const stack = new Stack({ name, clock, random })
      stack.addNic(wire.link(), { name: 'eth0' })
      return stack
    })
    clock.advance(10_000)
    const [a, b] = hosts as [Stack, Stack]
    const global = (stack: Stack) =>
      stack
        .nic('eth0')
        ?.addresses.find(({ address }) => address.toString().startsWith('2001:db8:77:'))
        ?.address.toString()
    expect(global(a)).toMatch(/^2001:db8:77:/)
    expect(global(b)).not.toBe(global(a))
    const { mailbox } = open(b, 6, 7)
    const { endpoint } = open(a, 6)
    expect(send(endpoint, Uint8Array.of(9), global(b) as string, 7)).toBe('')
    clock.advance(100)
    expect(mailbox.received.map(({ from }) => from)).toEqual([global(a)])
    expect(send(endpoint, Uint8Array.of(9), '2001:db8:dead::1', 7)).toBe('')
    clock.advance(100)
    expect(router.counters.Ip6InReceives).toBeGreaterThan(0)
    expect(router.counters.dropCount(41)).toBe(1)
  })
})
