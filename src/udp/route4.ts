/**
 * By which nic and from which address a datagram goes over IPv4, in Linux's order:
 * ip_route_output_key_hash_rcu, __mkroute_output.
 */
import { Address, Prefix } from '../base/address.ts'
import type { IpLayer } from '../ip/ip-layer.ts'
import type { Nic } from '../ip/nic/nic.ts'
import type { Route } from '../ip/routing/route-table.ts'
import type { Endpoint, SendOptions } from './endpoint.ts'
import type { Errno } from './errno.ts'
import { choose, refusal } from './route-choice.ts'

/**
 * Puts route and source into the endpoint's cache.
 * @param from the address that is asked for; `null` or 0.0.0.0 for any
 * @param over the nic that is asked for, 0 for any
 */
export function route4(ip: IpLayer, endpoint: Endpoint, to: Address, from: Address | null, over: number): Errno {
  if (from?.family === 6) return 'EINVAL'
  const bound = from === null || from.isUnspecified ? null : from
  if (bound !== null && (ip.isBroadcast4(bound.w3) || !ip.isLocal(bound.w0, bound.w1, bound.w2, bound.w3)))
    return 'EINVAL'
  const cast = to.isMulticast || to.isLimitedBroadcast
  // A group or 255.255.255.255 leaves by the nic of the source.
  const home = bound !== null && over === 0 && cast ? ip.nicOf(bound) : undefined
  const asked = home ?? ip.nicByIndex(over)
  if (over !== 0 && asked?.isUp !== true) return asked === undefined ? 'ENODEV' : 'ENETUNREACH'
  const route =
    cast && asked !== undefined ? ip.route(to.w0, to.w1, to.w2, to.w3, asked.index) : find(ip, endpoint, to, asked)
  const refused = refusal(endpoint, route)
  if (refused !== '') return refused
  const broadcast = to.isLimitedBroadcast || (route as Route).kind === 'broadcast'
  const source = bound ?? sourceOver(ip, route as Route, to, asked)
  return source === null ? 'EADDRNOTAVAIL' : choose(endpoint, to, route as Route, source, broadcast)
}

/**
 * An own address is reached over the loopback nic, when no other one than that or the one that has
 * it is asked for.
 */
function find(ip: IpLayer, endpoint: Endpoint, to: Address, asked: Nic | undefined): Route | null {
  const { w0, w1, w2, w3 } = to
  const { routes } = ip
  const local = asked !== undefined && ip.isLocal(w0, w1, w2, w3)
  if (asked === undefined || (local && (asked.isLoopback || ip.nicOf(to) === asked)))
    return routes.lookup(w0, w1, w2, w3, 0)
  const found = routes.lookup(w0, w1, w2, w3, asked.index)
  if (found !== null) return found
  // Linux: what has no route over the nic that was asked for is on its link. But there is nobody
  // else on the loopback's, and a program that keeps to one nic is told of a destination that is
  // not reached there.
  return asked.isLoopback || endpoint.boundNic === asked.index ? null : onLink(asked)
}

/** 127.0.0.0/8 is reached from 127.0.0.1 alone, an own address from itself. */
function sourceOver(ip: IpLayer, route: Route, to: Address, asked: Nic | undefined): Address | null {
  const { w0, w1, w2, w3 } = to
  // Linux: the addresses of the loopback nic have host scope: no source for what is only sent over
  // it.
  if (asked?.isLoopback && !to.isLoopback) return sendable(ip) ?? Address.LOOPBACK4
  const source = ip.selectSource(route, w0, w1, w2, w3)
  // RFC 1122 section 3.2.1.3 (a): how a host asks for its address.
  return source === null && to.isLimitedBroadcast ? Address.ANY4 : source
}

/** The first address of the host that is not for itself or one link alone. */
function sendable(ip: IpLayer): Address | null {
  for (const nic of ip.nics) for (const { address } of nic.addresses) if (isGlobal4(address)) return address
  return null
}

function isGlobal4(address: Address): boolean {
  return address.family === 4 && !address.isLoopback && !address.isLinkLocal
}

const EVERYTHING = Prefix.parse('0.0.0.0/0')

function onLink(nic: Nic): Route {
  return { prefix: EVERYTHING, nic, gateway: null, metric: 0, source: null, mtu: 0, kind: 'unicast' }
}

/**
 * Where a datagram to 0.0.0.0 or :: goes: to the address that it is from, else to the first one of
 * the nic that is asked for, else to the loopback address. A udp6 endpoint takes :: for ::1, and
 * for 127.0.0.1 when it is bound to an IPv4-mapped address.
 */
export function destinationForAny(
  ip: IpLayer,
  endpoint: Endpoint,
  given: Address,
  options: SendOptions | null,
): Address {
  const { sourceAddress } = endpoint
  if (given.family === 6 && endpoint.family === 6)
    return sourceAddress?.family === 4 ? Address.LOOPBACK4 : Address.LOOPBACK6
  const from = options?.source ?? sourceAddress
  if (from !== null && from.family === 4 && !from.isUnspecified) return from
  const nic = ip.nicByIndex(options?.nic || endpoint.device)
  return nic?.addresses.find(({ address }) => address.family === 4)?.address ?? Address.LOOPBACK4
}
