/**
 * A nic whose MTU is set: below 1280 there is no IPv6 on it (RFC 8200 section 5; Linux:
 * addrconf_notify).
 */
import { expect, test } from 'vitest'
import {
  type EthernetHost,
  ethernetHost,
  linkOption,
  mtuOption,
  OUR_LINK_LOCAL,
  PEER_MAC,
  prefixOption,
  routerAdvertisement,
} from '../ethernet.ts'
import { open, send } from '../host.ts'
import { icmpType, inFrame, pattern } from '../packet.ts'

const ADVERTISED = {
  hopLimit: 33,
  options: [...linkOption(1, PEER_MAC), ...prefixOption('2001:db8:77::', 64, 3600, 1800), ...mtuOption(1400)],
}
// A route to 2001:db8:9::/48.
const ROUTE = [24, 2, 48, 0, 0, 0, 2, 88, 0x20, 1, 0xd, 0xb8, 0, 9, 0, 0]

function learned(): EthernetHost {
  const host = ethernetHost({ addresses: ['10.0.0.1/24', '2001:db8::1/64'], acceptRouterAdvertisements: true })
  host.stack.addRoute({ to: '2001:db8:55::/48', via: 'fe80::5', nic: 'eth0' })
  host.stack.addRoute({ to: '0.0.0.0/0', via: '10.0.0.2' })
  host.link.receive(routerAdvertisement({ ...ADVERTISED, options: [...ADVERTISED.options, ...ROUTE] }))
  return host
}
const addresses = ({ nic }: EthernetHost) => nic.addresses.map(({ address }) => address.toString())
const routes6 = ({ stack }: EthernetHost) =>
  stack.netstat().routes.filter((each) => each.includes('dev eth0') && each.includes(':') && !each.includes('local'))

test('below 1280 takes every route and address of IPv6 away, those learnt from routers too, and leaves IPv4', () => {
  const host = learned()
  expect(addresses(host)).toContain('2001:db8:77::ff:fe00:1')
  host.nic.mtu = 1279
  expect(addresses(host)).toEqual(['10.0.0.1'])
  expect(routes6(host)).toEqual([])
  expect(host.stack.ip.routes.list().filter(({ prefix, nic }) => prefix.family === 6 && !nic.isLoopback)).toEqual([])
  expect(host.stack.netstat().routes.some((each) => each.startsWith('default via 10.0.0.2'))).toBe(true)
  expect(send(open(host.stack, 6).endpoint, pattern(8), '2001:db8:ffff::1', 9)).toBe('ENETUNREACH')
  // Nothing is left that would come later, and nothing more is learnt.
  host.link.receive(routerAdvertisement(ADVERTISED))
  host.after(86_400_000)
  expect(addresses(host)).toEqual(['10.0.0.1'])
  expect(routes6(host)).toEqual([])
})

test('from 1280 on the link-local address is there again, routers are asked, and what they say is learnt', () => {
  const host = learned()
  host.nic.mtu = 1000
  host.take()
  host.nic.mtu = 1500
  expect(addresses(host)).toEqual(['10.0.0.1', OUR_LINK_LOCAL])
  expect(host.nic.hopLimit6).toBe(0)
  const asked = host.after(10_000).filter((each) => icmpType(inFrame(each)) === 133)
  expect(asked).toHaveLength(3)
  host.link.receive(routerAdvertisement(ADVERTISED))
  expect(addresses(host)).toContain('2001:db8:77::ff:fe00:1')
  expect(host.nic.mtuOf(6)).toBe(1400)
})

test('of 1280 and more keeps what was learnt', () => {
  const host = learned()
  host.nic.mtu = 1280
  expect(addresses(host)).toContain('2001:db8:77::ff:fe00:1')
  expect(routes6(host).some((each) => each.startsWith('default via fe80::'))).toBe(true)
})
