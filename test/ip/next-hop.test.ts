import { expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import type { SendOptions } from '../../src/udp/endpoint.ts'
import { bytesOfMac, type EthernetHost, ethernetHost, hex, OUR4, PEER_MAC } from '../ethernet.ts'
import { open, send, TestLink } from '../host.ts'
import { pattern } from '../packet.ts'

const BROADCAST = 'ff:ff:ff:ff:ff:ff'
/** An IPv4 destination, and the station that it is sent to. */
const GROUPS4 = [
  ['224.0.0.251', '01:00:5e:00:00:fb'],
  ['239.129.1.1', '01:00:5e:01:01:01'],
  ['255.255.255.255', BROADCAST],
  ['10.0.0.255', BROADCAST],
] as const
const GROUPS6 = [
  ['ff02::5', '33:33:00:00:00:05'],
  ['ff05::1:3', '33:33:00:01:00:03'],
  ['ff0e::5', '33:33:00:00:00:05'],
] as const
const GROUPS = [...GROUPS4, ...GROUPS6]

/**
 * Every route leads to a router whose hardware address is known: whatever goes to it shows at once.
 */
function routed(): EthernetHost {
  const host = ethernetHost()
  const { stack } = host
  for (const via of ['10.0.0.2', '2001:db8::2']) {
    stack.addNeighbor('eth0', via, PEER_MAC)
    stack.addRoute({ to: 'default', via })
  }
  stack.addRoute({ to: '224.0.0.0/4', via: '10.0.0.2' })
  stack.addRoute({ to: '10.0.0.255/32', via: '10.0.0.2', metric: -1 })
  stack.addRoute({ to: '255.255.255.255/32', via: '10.0.0.2' })
  for (const to of ['ff02::/16', 'ff05::/16', 'ff0e::/16']) stack.addRoute({ to, via: '2001:db8::2' })
  return host
}

const stations = (frames: readonly string[]) =>
  frames.map((each) => (each.slice(0, 12).match(/../g) as string[]).join(':'))

function sendTo({ stack }: EthernetHost, to: string, options: SendOptions | null = null, zone = 0, size = 8): string {
  const family = to.includes(':') ? 6 : 4
  return send(
    open(stack, family, 0, undefined, (endpoint) => {
      endpoint.broadcast = true
      endpoint.multicastLoop = false
    }).endpoint,
    pattern(size),
    to,
    9,
    options,
    zone,
  )
}

test.each(GROUPS)(
  '%s goes to %s, whatever gateway the routes name (RFC 1112 section 6.4, RFC 1122 section 3.3.6)',
  (to, station) => {
    const host = routed()
    expect(sendTo(host, to, null, to.startsWith('ff02') ? host.nic.index : 0)).toBe('')
    expect(stations(host.take())).toEqual([station])
    expect(host.stack.drops).toEqual([])
  },
)

test.each(GROUPS)('%s goes to %s over the nic that a datagram names', (to, station) => {
  const host = routed()
  expect(sendTo(host, to, { nic: host.nic.index })).toBe('')
  expect(stations(host.take())).toEqual([station])
})

test.each(GROUPS4)('%s goes to %s from a socket bound to an address', (to, station) => {
  const host = routed()
  const { endpoint } = open(host.stack, 4, 0, OUR4)
  endpoint.broadcast = true
  expect(send(endpoint, pattern(8), to, 9)).toBe('')
  expect(stations(host.take())).toEqual([station])
})

test.each(GROUPS)('every fragment to %s goes to %s', (to, station) => {
  const host = routed()
  expect(sendTo(host, to, null, to.startsWith('ff02') ? host.nic.index : 0, 3000)).toBe('')
  expect(stations(host.take())).toEqual([station, station, station])
})

test.each(['224.0.0.1', '255.255.255.255', 'ff02::1'])(
  'an echo request to %s goes to all, not to the gateway',
  (to) => {
    const host = routed()
    const echo = host.stack.ip.icmp.openEcho(to.includes(':') ? 6 : 4, { reply: () => {}, error: () => {} })
    expect(echo.send(Address.parse(to), 1, pattern(8))).toBe('')
    expect(stations(host.take()).every((each) => each !== PEER_MAC)).toBe(true)
  },
)

test('what is one host goes to the gateway as before', () => {
  const host = routed()
  for (const to of ['192.0.2.1', '10.0.1.255', '2001:db8:9::1']) expect(sendTo(host, to)).toBe('')
  expect(stations(host.take())).toEqual([PEER_MAC, PEER_MAC, PEER_MAC])
})

/** A second link with its own gateway. */
function twoLinks(): EthernetHost & { second: TestLink; index: number } {
  const host = routed()
  const second = new TestLink('eth1', 1500, undefined, Uint8Array.from(bytesOfMac('02:00:00:00:01:01')))
  const nic = host.stack.addNic(second, { addresses: ['10.1.0.1/24', '10.2.0.1/24'] })
  host.stack.addNeighbor('eth1', '10.2.0.2', '02:00:00:00:01:02')
  host.stack.addRoute({ to: '0.0.0.0/0', via: '10.2.0.2', metric: 5 })
  host.after(5000)
  second.take()
  return { ...host, second, index: nic.index }
}

test(
  "another link's broadcast address is one host's: it goes to the gateway of the link that is asked for " + '(Linux)',
  () => {
    const host = twoLinks()
    const { endpoint } = open(host.stack, 4)
    expect(send(endpoint, pattern(8), '10.0.0.255', 9, { nic: host.index })).toBe('')
    expect(stations(host.second.take().map(hex))).toEqual(['02:00:00:00:01:02'])
    expect(send(endpoint, pattern(8), '10.1.0.255', 9, { nic: host.index })).toBe('EACCES')
  },
)

test.each([
  ['by the default route it comes from the address that goes with the gateway', 0, '0a020001'],
  ['over a nic that is asked for it comes from the first address of that nic', 1, '0a010001'],
])('a datagram to a group: %s (Linux: fib_result_prefsrc, ip_route_output_key)', (_, pinned, source) => {
  const host = twoLinks()
  for (const route of host.stack.ip.routes.list())
    if (route.nic.index !== host.index && !route.nic.isLoopback) host.stack.removeRoute(route)
  expect(sendTo(host, '239.1.1.1', { nic: pinned * host.index })).toBe('')
  const [sent] = host.second.take().map(hex) as [string]
  expect(stations([sent])).toEqual(['01:00:5e:01:01:01'])
  expect(sent.slice(28 + 24, 28 + 32)).toBe(source)
})

test('the MTU of a route for groups counts over a nic that is asked for, too', () => {
  const host = routed()
  host.stack.addRoute({ to: '239.0.0.0/8', via: '10.0.0.2', mtu: 600 })
  expect(sendTo(host, '239.1.1.1', { nic: host.nic.index, pmtuMode: 2 }, 0, 600)).toBe('EMSGSIZE')
  expect(sendTo(host, '238.1.1.1', { nic: host.nic.index, pmtuMode: 2 }, 0, 600)).toBe('')
})

test('an IPv6 address that ends in ffff:ffff is no broadcast address: without a route it is unreachable', () => {
  const host = ethernetHost()
  expect(sendTo(host, '2001:db8:9::ffff:ffff', { nic: host.nic.index })).toBe('ENETUNREACH')
})
