/**
 * What the kernel's side of a host's device is told (rtnetlink(7)): hardware address, addresses,
 * routes. All of it is about the namespace that this thread is in.
 */
import { writeFileSync } from 'node:fs'
import type { Address, Cidr, Prefix } from '../base/address.ts'
import {
  type Attribute,
  encode,
  LITTLE,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  request,
  viewOf,
  word,
} from '../link/device/netlink.ts'
import type { Libc } from '../link/device/tun-libc.ts'
import { changeInterface, findInterface } from '../link/device/tun-netlink.ts'
import { awaitLocal } from '../link/device/tun-setup.ts'

const AF_INET = 2
const AF_INET6 = 10

const RTM_NEWLINK = 16
const RTM_NEWADDR = 20
const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25
const NLM_F_EXCL = 0x200

// struct ifinfomsg: family u8, pad u8, type u16, index s32, flags u32, change u32
const IFINFOMSG = 16
const IFLA_ADDRESS = 1
const IFLA_CARRIER = 33

// struct ifaddrmsg: family u8, prefix length u8, flags u8, scope u8, index u32
const IFADDRMSG = 8
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_BROADCAST = 4
const IFA_FLAGS = 8
const IFA_F_NODAD = 0x02

// struct rtmsg: family u8, destination length u8, source length u8, TOS u8, table u8, protocol u8,
// scope u8, type u8, flags u32
const RTMSG = 12
const RT_TABLE_MAIN = 254
const RTPROT_STATIC = 4
const RTN_UNICAST = 1
const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5

/** A way to a prefix over a gateway. */
export interface KernelRoute {
  readonly prefix: Prefix
  readonly gateway: Address
}

/**
 * Lets interfaces that are made from now on be what a host of a network is: its addresses are
 * unique, and it is told its routes.
 */
export function quietNamespace(libc: Libc): void {
  const lo = findInterface(libc, 'lo')
  if (lo !== null && !lo.up) changeInterface(libc, lo.index, { up: true })
  for (const [setting, value] of [
    ['ipv6/conf/default/accept_dad', '0'],
    ['ipv6/conf/default/router_solicitations', '0'],
    // A route over a cable that is pulled does not count, as in the hosts of a network.
    ['ipv6/conf/default/ignore_routes_with_linkdown', '1'],
    ['ipv4/conf/default/ignore_routes_with_linkdown', '1'],
  ]) {
    try {
      writeFileSync(`/proc/sys/net/${setting}`, value as string)
    } catch {
      // No IPv6, or a container whose /proc/sys cannot be written: it only takes a second longer.
    }
  }
}

/**
 * Gives an interface its carrier or takes it, as a cable does that is plugged in or pulled (Linux
 * 4.20 for TUN and TAP). Programs see `NO-CARRIER`, and the kernel tells them of the change.
 */
export function setCarrier(libc: Libc, index: number, isOn: boolean): void {
  const fixed = new Uint8Array(IFINFOMSG)
  viewOf(fixed).setInt32(4, index, LITTLE)
  const attributes: Attribute[] = [[IFLA_CARRIER, Uint8Array.of(isOn ? 1 : 0)]]
  request(libc, encode(RTM_NEWLINK, NLM_F_ACK, fixed, attributes), 'set the carrier')
}

/** Of Ethernet; the interface is down. */
export function setHardwareAddress(libc: Libc, index: number, address: Uint8Array): void {
  const fixed = new Uint8Array(IFINFOMSG)
  viewOf(fixed).setInt32(4, index, LITTLE)
  request(libc, encode(RTM_NEWLINK, NLM_F_ACK, fixed, [[IFLA_ADDRESS, address]]), 'set the hardware address')
}

/** Gives an interface that is up its addresses; they can be used when this returns. */
export function addAddresses(libc: Libc, index: number, addresses: readonly Cidr[]): void {
  for (const cidr of addresses) addAddress(libc, index, cidr)
  for (const { address } of addresses) if (address.family === 6) awaitLocal(libc, address)
}

function addAddress(libc: Libc, index: number, { address, prefix }: Cidr): void {
  const fixed = new Uint8Array(IFADDRMSG)
  const view = viewOf(fixed)
  view.setUint8(0, address.family === 4 ? AF_INET : AF_INET6)
  view.setUint8(1, prefix.length)
  view.setUint32(4, index, LITTLE)
  const bytes = address.toBytes()
  const attributes: Attribute[] = [
    [IFA_LOCAL, bytes],
    [IFA_ADDRESS, bytes],
  ]
  if (address.family === 6) attributes.push([IFA_FLAGS, word(IFA_F_NODAD)])
  else if (prefix.broadcast !== null) attributes.push([IFA_BROADCAST, prefix.broadcast.toBytes()])
  const message = encode(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, fixed, attributes)
  request(libc, message, `add the address ${address}/${prefix.length}`)
}

/** @throws {Error} `EEXIST` when there is a route to this prefix already */
export function addRoute(libc: Libc, index: number, route: KernelRoute): void {
  const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
  request(libc, routeMessage(RTM_NEWROUTE, flags, index, route), `add the route to ${route.prefix}`)
}

/** @throws {Error} `ESRCH` when there is no such route */
export function removeRoute(libc: Libc, index: number, route: KernelRoute): void {
  request(libc, routeMessage(RTM_DELROUTE, NLM_F_ACK, index, route), `remove the route to ${route.prefix}`)
}

function routeMessage(type: number, flags: number, index: number, { prefix, gateway }: KernelRoute): Uint8Array {
  const fixed = new Uint8Array(RTMSG)
  fixed[0] = prefix.family === 4 ? AF_INET : AF_INET6
  fixed[1] = prefix.length
  fixed[4] = RT_TABLE_MAIN
  fixed[5] = RTPROT_STATIC
  fixed[7] = RTN_UNICAST
  const attributes: Attribute[] = [
    [RTA_GATEWAY, gateway.toBytes()],
    [RTA_OIF, word(index)],
  ]
  if (prefix.length > 0) attributes.push([RTA_DST, prefix.address.toBytes()])
  return encode(type, flags, fixed, attributes)
}
