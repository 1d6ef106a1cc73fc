import { describe, expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import type { Nic } from '../../../src/ip/nic/nic.ts'
import { NO_OFFLOAD } from '../../../src/link/link.ts'
import { Network } from '../../../src/network/network.ts'
import { Stack, type StackOptions } from '../../../src/stack.ts'
import { arpFrame, bytesOf, bytesOfMac, frame, hex, linkOption, OTHER_MAC, OUR_MAC, PEER_MAC } from '../../ethernet.ts'
import { dropCount, open, send, TestLink } from '../../host.ts'
import { icmpPacket, ipv4, ipv6, pattern, udp } from '../../packet.ts'

const BETTER_MAC = '02:00:00:00:00:09'
const GATEWAY_MAC = '02:00:00:00:00:08'
const TYPE = { 4: 0x0800, 6: 0x86dd }

/**
 * A router with hosts at 10.0.0.0/24 and 2001:db8::/64 behind eth0, and a better router for
 * 192.0.2.0/24 and 2001:db8:a::/64 on that very link.
 */
const FAMILIES = {
  4: { own: '10.0.0.1', host: '10.0.0.2', better: '10.0.0.9', far: '192.0.2.10' },
  6: { own: 'fe80::1', host: '2001:db8::2', better: 'fe80::9', far: '2001:db8:a::10' },
}

function router(options: StackOptions = {}) {
  const clock = new ManualClock()
  const stack = new Stack({ clock, forwarding: true, sendRedirects: true, dad: false, ...options })
  const ethernet = new TestLink('eth0', 1500, NO_OFFLOAD, Uint8Array.from(bytesOfMac(OUR_MAC)))
  const wire = new TestLink('wan0')
  stack.addNic(ethernet, { addresses: ['10.0.0.1/24', '10.1.0.1/24', '2001:db8::1/64', 'fe80::1/64'] })
  stack.addNic(wire, { addresses: ['198.51.100.1/24', '2001:db8:f::1/64'] })
  for (const [address, mac] of [
    ['10.0.0.2', PEER_MAC],
    ['10.0.0.3', OTHER_MAC],
    ['10.0.0.9', BETTER_MAC],
    ['10.1.0.2', PEER_MAC],
    ['2001:db8::2', PEER_MAC],
    ['2001:db8::3', OTHER_MAC],
    ['fe80::9', BETTER_MAC],
    ['2001:db8::9', GATEWAY_MAC],
  ] as const)
    stack.addNeighbor('eth0', address, mac)
  stack.addRoute({ to: '192.0.2.0/24', via: '10.0.0.9' })
  stack.addRoute({ to: '2001:db8:a::/64', via: 'fe80::9', nic: 'eth0' })
  stack.addRoute({ to: '2001:db8:b::/64', via: '2001:db8::9' })
  stack.addRoute({ to: '203.0.113.0/24', via: '198.51.100.9' })
  stack.addRoute({ to: '10.2.0.0/24', via: '10.0.0.2' })
  stack.addRoute({ to: '2001:db8:2::/64', via: '2001:db8::2' })
  clock.advance(5000)
  ethernet.take()
  const typeAt = (bytes: Uint8Array) => (bytes[12] === 8 ? 14 + ((bytes[14] ?? 0) & 15) * 4 : 14 + 40)
  const isRedirect = (bytes: Uint8Array) =>
    bytes[12] === 8 ? bytes[23] === 1 && bytes[typeAt(bytes)] === 5 : bytes[20] === 58 && bytes[typeAt(bytes)] === 137
  return {
    stack,
    clock,
    wire,
    ethernet,
    /** A packet comes by eth0: the redirects that leave by it, and what else does. */
    pass: (family: 4 | 6, packet: Uint8Array, to = OUR_MAC) => {
      ethernet.receive(frame(to, PEER_MAC, TYPE[family], packet))
      const frames = ethernet.take()
      return { redirects: frames.filter(isRedirect), others: frames.filter((each) => !isRedirect(each)) }
    },
  }
}

type Fields = Parameters<typeof ipv4>[1] & { length?: number; hops?: number }

/** A datagram of the host to a destination behind the better router. */
function packet(family: 4 | 6, fields: Fields = {}) {
  const { host, far } = FAMILIES[family]
  const { length = 20, hops = 9, ...rest } = fields
  const ends = { source: host, destination: far, ...rest }
  const datagram = udp(pattern(length), family, { source: ends.source, destination: ends.destination })
  return family === 4 ? ipv4(datagram, { ...ends, ttl: hops }) : ipv6(datagram, { ...ends, hopLimit: hops })
}

describe('a redirect that a router sends', () => {
  test(
    'over IPv4 names the better gateway for one host and quotes what went on (RFC 792, RFC 1812 section ' + '5.2.7.2)',
    () => {
      const { stack, pass } = router()
      const { redirects, others } = pass(4, packet(4))
      const quote = packet(4, { hops: 8 })
      const message = icmpPacket(5, 1, 0x0a000009, quote, 4, {
        source: '10.0.0.1',
        destination: '10.0.0.2',
        tos: 0xc0,
      })
      const sent = (redirects[0] as Uint8Array).slice()
      // Errors may be fragmented, so they have an identification (RFC 6864): as good as any.
      message.set(sent.subarray(18, 22), 4)
      message.set(sent.subarray(24, 26), 10)
      expect(redirects.map(hex)).toEqual([hex(frame(PEER_MAC, OUR_MAC, 0x0800, message))])
      expect(others.map(hex)).toEqual([hex(frame(BETTER_MAC, OUR_MAC, 0x0800, quote))])
      expect(stack.counters).toMatchObject({ IcmpOutMsgs: 1, IcmpOutRedirects: 1, IpForwDatagrams: 1 })
    },
  )

  test(
    'over IPv6 has target, destination, the target’s hardware address and the packet (RFC 4861 sections 4.5 ' +
      'and 8.2)',
    () => {
      const { stack, pass } = router()
      const { redirects, others } = pass(6, packet(6))
      const { own, host, better, far } = FAMILIES[6]
      // 40 + 28 bytes, cut to a multiple of 8.
      const redirected = [4, 1 + 8, 0, 0, 0, 0, 0, 0, ...packet(6).subarray(0, 64)]
      const message = icmpPacket(
        137,
        0,
        0,
        [...bytesOf(better), ...bytesOf(far), ...linkOption(2, BETTER_MAC), ...redirected],
        6,
        {
          source: own,
          destination: host,
          hopLimit: 255,
        },
      )
      expect(redirects.map(hex)).toEqual([hex(frame(PEER_MAC, OUR_MAC, 0x86dd, message))])
      expect(others.map(hex)).toEqual([hex(frame(BETTER_MAC, OUR_MAC, 0x86dd, packet(6, { hops: 8 })))])
      expect(stack.counters).toMatchObject({
        Icmp6OutRedirects: 1,
        Icmp6OutRouterAdvertisements: 0,
        Ip6OutForwDatagrams: 1,
      })
    },
  )

  test('over IPv6 is never longer than 1280 bytes, nor over IPv4 than 576', () => {
    const { pass } = router()
    expect(pass(6, packet(6, { length: 1400 })).redirects.map(({ length }) => length)).toEqual([14 + 1280])
    expect(pass(4, packet(4, { length: 1400 })).redirects.map(({ length }) => length)).toEqual([14 + 576])
  })

  test('over IPv6 lacks the hardware address that the router does not know', () => {
    const { stack, pass } = router()
    stack.removeNeighbor('eth0', 'fe80::9')
    const [message] = pass(6, packet(6)).redirects as [Uint8Array]
    expect(hex(message.subarray(14 + 40 + 40, 14 + 40 + 42))).toBe('0409')
  })

  test('names the destination itself when that is on the link', () => {
    const { pass } = router()
    const four = pass(4, packet(4, { destination: '10.0.0.3' })).redirects as [Uint8Array]
    expect(hex(four[0].subarray(14 + 20, 14 + 28)).replace(/^(....)..../, '$1')).toBe('05010a000003')
    const six = pass(6, packet(6, { destination: '2001:db8::3' })).redirects as [Uint8Array]
    const target = hex(six[0].subarray(14 + 48, 14 + 64))
    expect(target).toBe('20010db8000000000000000000000003')
    expect(hex(six[0].subarray(14 + 64, 14 + 80))).toBe(target)
    expect(hex(six[0].subarray(14 + 80, 14 + 88))).toBe(hex(linkOption(2, OTHER_MAC)))
  })

  test.each<[string, 4 | 6, Fields, StackOptions]>([
    ['by default', 4, {}, { sendRedirects: undefined }],
    ['by default', 6, {}, { sendRedirects: undefined }],
    ['by a host, which forwards nothing', 4, {}, { forwarding: false }],
    ['by a host, which forwards nothing', 6, {}, { forwarding: false }],
    ['about what leaves by another nic', 4, { destination: '203.0.113.7' }, {}],
    ['about what leaves by another nic', 6, { destination: '2001:db8:f::7' }, {}],
    ['to a host that is not on the link', 4, { source: '203.0.113.7' }, {}],
    ['to a host that is behind another router of the link', 4, { source: '10.2.0.7' }, {}],
    ['to a host that is not on the link', 6, { source: '2001:db8:f::7' }, {}],
    ['to a host that is behind another router of the link', 6, { source: '2001:db8:2::7' }, {}],
    ['to a host of another network of the link than the gateway', 4, { source: '10.1.0.2' }, {}],
    ['to the better gateway itself', 4, { source: '10.0.0.9' }, {}],
    ['to the host that the packet goes back to', 4, { destination: '10.0.0.2', source: '10.0.0.2' }, {}],
    ['to a gateway whose link-local address is not known', 6, { destination: '2001:db8:b::7' }, {}],
    ['about a packet whose hops are used up', 4, { hops: 1 }, {}],
    ['about a packet whose hops are used up', 6, { hops: 1 }, {}],
    ['about a later fragment', 4, { offset: 80 }, {}],
    ['about an ICMP message that may be an error', 4, { protocol: 1 }, {}],
    [
      'about a packet with a source route',
      4,
      { destination: '10.0.0.1', options: [131, 7, 4, 192, 0, 2, 10, 0] },
      { sourceRoute: true },
    ],
  ])('is none %s (IPv%i)', (_, family, fields, options) => {
    const { stack, pass, wire } = router(options)
    const { others, redirects } = pass(family, packet(family, fields))
    expect(redirects).toEqual([])
    expect(stack.counters).toMatchObject({ IcmpOutRedirects: 0, Icmp6OutRedirects: 0 })
    const forwarded = stack.counters.IpForwDatagrams + stack.counters.Ip6OutForwDatagrams
    expect(forwarded).toBe(options.forwarding === false || fields.hops === 1 ? 0 : 1)
    expect(others.length + wire.take().length).toBe(options.forwarding === false ? 0 : 1)
  })

  test('is none without a link-local address to send it from', () => {
    const { stack, pass } = router()
    const nic = stack.nic('eth0')
    for (const { address } of nic?.addresses ?? [])
      if (address.family === 6 && address.isLinkLocal) nic?.removeAddress(address)
    stack.addRoute({ to: '2001:db8:a::/64', via: 'fe80::9', nic: 'eth0', metric: -1 })
    const { redirects, others } = pass(6, packet(6))
    expect([redirects.length, others.length]).toEqual([0, 1])
  })

  test('is none on a link between two stations', () => {
    const { stack, wire } = router()
    stack.addRoute({ to: '192.0.2.0/24', via: '198.51.100.9', metric: -1 })
    wire.receive(packet(4, { source: '198.51.100.2' }))
    expect(wire.take()).toHaveLength(1)
    expect(stack.counters).toMatchObject({ IpForwDatagrams: 1, IcmpOutRedirects: 0 })
  })

  test('about a packet that came in a link-layer broadcast is none, and neither is the packet passed on', () => {
    const { stack, pass } = router()
    expect(pass(4, packet(4), 'ff:ff:ff:ff:ff:ff')).toEqual({ redirects: [], others: [] })
    expect(dropCount(stack, 'IpLinkBroadcast')).toBe(1)
  })

  test(
    'over IPv4 backs off, stops after nine and begins anew when the host was silent (Linux: ' + 'ip_rt_send_redirect)',
    () => {
      const { stack, clock, pass } = router()
      const at: number[] = []
      const start = clock.now()
      for (let tick = 0; tick < 2000; tick++) {
        if (pass(4, packet(4)).redirects.length > 0) at.push(clock.now() - start)
        clock.advance(10)
      }
      // More than 40 ms after the first, then twice as long each time.
      expect(at).toEqual([0, 50, 140, 310, 640, 1290, 2580, 5150, 10280])
      expect(stack.counters).toMatchObject({ IcmpOutRedirects: 9, IpForwDatagrams: 2000 })
      // Another host has a count of its own.
      expect(pass(4, packet(4, { source: '10.0.0.3' })).redirects).toHaveLength(1)
      clock.advance(20_470)
      expect(pass(4, packet(4)).redirects).toHaveLength(0)
      clock.advance(20_481)
      expect(pass(4, packet(4)).redirects).toHaveLength(1)
    },
  )

  test(
    'over IPv6 is limited by source and by destination: six at once, then one a second (RFC 4861 section ' + '8.2)',
    () => {
      const { clock, pass } = router()
      const burst = (count: number, fields: (at: number) => Fields) =>
        Array.from({ length: count }, (_, at) => pass(6, packet(6, fields(at))).redirects.length).reduce(
          (sum, each) => sum + each,
          0,
        )
      expect(burst(20, (at) => ({ destination: `2001:db8:a::${at + 1}` }))).toBe(6)
      clock.advance(1000)
      expect(burst(20, (at) => ({ destination: `2001:db8:a::${at + 100}` }))).toBe(1)
      const fresh = router()
      let told = 0
      for (let at = 0; at < 20; at++) {
        fresh.stack.addNeighbor('eth0', `2001:db8::1:${at}`, PEER_MAC)
        told += fresh.pass(6, packet(6, { source: `2001:db8::1:${at}` })).redirects.length
      }
      expect(told).toBe(6)
    },
  )

  test('over IPv4 has no share in the limit of errors', () => {
    const { pass } = router({ icmpRateLimit: 0 })
    expect(pass(4, packet(4)).redirects).toHaveLength(1)
  })

  test('waits for the neighbor whose address is asked for, as any packet', () => {
    const { stack, ethernet, pass } = router()
    stack.removeNeighbor('eth0', '10.0.0.2')
    expect(pass(4, packet(4)).redirects).toEqual([])
    ethernet.receive(
      arpFrame({ operation: 2, sender: '10.0.0.2', senderMac: PEER_MAC, target: '10.0.0.1', targetMac: OUR_MAC }),
    )
    expect(ethernet.take().filter((each) => each[34] === 5)).toHaveLength(1)
  })
})

describe('in a network', () => {
  test.each([4, 6] as const)(
    'a host with a wrong gateway hears of the better one and takes it (IPv%i)',
    async (family) => {
      const network = new Network({ seed: 1 })
      const host = network.host('host')
      network.host('server')
      network.router('first', { sendRedirects: true })
      network.router('second')
      network.segment('lan')
      for (const name of ['host', 'first', 'second']) network.connect(name, 'lan')
      network.connect('second', 'server')
      network.updateRoutes()
      const nicOf = (name: string) => network.stack(name).nics[1] as Nic
      const ownOf = (name: string) =>
        nicOf(name)
          .addresses.find(({ address }) => address.family === family && address.isLinkLocal === (family === 6))
          ?.address.toString()
      for (const name of ['host', 'first'] as const) {
        const { ip } = network.stack(name)
        for (const route of ip.routes.list()) if (route.gateway !== null) ip.routes.remove(route)
        const via = ownOf(name === 'host' ? 'first' : 'second') as string
        network.stack(name).addRoute({ to: family === 4 ? '0.0.0.0/0' : '::/0', via, nic: nicOf(name).name })
      }
      const server = Address.parse(network.address('server', family))
      const firstHop = () => host.ip.routes.lookup(server.w0, server.w1, server.w2, server.w3, 0)?.gateway?.toString()
      expect(firstHop()).toBe(ownOf('first'))
      expect(send(open(host, family).endpoint, pattern(8), server.toString(), 9)).toBe('')
      await network.runFor('1s')
      expect(firstHop()).toBe(ownOf('second'))
      network.close()
    },
  )

  test('the option is true or false', () => {
    const network = new Network({ seed: 1 })
    expect(() => network.router('r', { sendRedirects: 1 as unknown as boolean })).toThrow(TypeError)
    network.close()
  })
})
