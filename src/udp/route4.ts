/**
 * By which nic and from which address a datagram goes over IPv4, in Linux's order:
 * ip_route_output_key_hash_rcu, __mkroute_output.
 */
import { Address, Prefix } from '../base/address.ts'
import type { RouteNic } from '../ip/routing/route-nic.ts'
import type { Route } from '../ip/routing/route-table.ts'
import type { Errno } from './errno.ts'
import { choose, type RouteAsker, type RouteChoice, type RouteHost, refusal } from './route-choice.ts'
import type { SendOptions } from './send-options.ts'

/**
 * Chooses route and source.
 * @param from the address that is asked for; `null` or 0.0.0.0 for any
 * @param over the nic that is asked for, 0 for any
 */
export function route4(
  ip: RouteHost,
  asker: RouteAsker,
  choice: RouteChoice,
  to: Address,
  from: Address | null,
  over: number,
): Errno {
  if (from?.family === 6) return 'EINVAL'
  const bound = from === null || from.isUnspecified ? null : from
  if (bound !== null && !isSource(ip, asker, bound)) return 'EINVAL'
  const cast = to.isMulticast || to.isLimitedBroadcast
  // A group or 255.255.255.255 leaves by the nic of the source.
  const home = bound !== null && over === 0 && cast ? ip.nicOf(bound) : undefined
  const asked = home ?? ip.nicByIndex(over)
  if (over !== 0 && asked?.isUp !== true) return asked === undefined ? 'ENODEV' : 'ENETUNREACH'
  const route =
    cast && asked !== undefined ? ip.route(to.w0, to.w1, to.w2, to.w3, asked.index) : find(ip, asker, to, asked)
  const refused = refusal(asker, route)
  if (refused !== '') return refused
  const broadcast = to.isLimitedBroadcast || (route as Route).kind === 'broadcast'
  const source = bound ?? sourceOver(ip, route as Route, to, asked)
  return source === null ? 'EADDRNOTAVAIL' : choose(asker, choice, to, route as Route, source, broadcast)
}

function isSource(ip: RouteHost, asker: RouteAsker, from: Address): boolean {
  if (asker.anySource === true) return !from.isMulticast && !from.isLimitedBroadcast
  return !ip.isBroadcast4(from.w3) && ip.isLocal(from.w0, from.w1, from.w2, from.w3)
}

/**
 * An own address is reached over the loopback nic, when no other one than that or the one that has
 * it is asked for.
 */
function find(ip: RouteHost, asker: RouteAsker, to: Address, asked: RouteNic | undefined): Route | null {
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
  return asked.isLoopback || asker.boundNic === asked.index ? null : onLink(asked)
}

/** 127.0.0.0/8 is reached from 127.0.0.1 alone, an own address from itself. */
function sourceOver(ip: RouteHost, route: Route, to: Address, asked: RouteNic | undefined): Address | null {
  const { w0, w1, w2, w3 } = to
  // Linux: the addresses of the loopback nic have host scope: no source for what is only sent over
  // it.
  if (asked?.isLoopback && !to.isLoopback) return sendable(ip) ?? Address.LOOPBACK4
  const source = ip.selectSource(route, w0, w1, w2, w3)
  // RFC 1122 section 3.2.1.3 (a): how a host asks for its address.
  return source === null && to.isLimitedBroadcast ? Address.ANY4 : source
}

/** The first address of the host that is not for itself or one link alone. */
function sendable(ip: RouteHost): Address | null {
  for (const nic of ip.nics) for (const { address } of nic.addresses) if (isGlobal4(address)) return address
  return null
}

function isGlobal4(address: Address): boolean {
  return address.family === 4 && !address.isLoopback && !address.isLinkLocal
}

const EVERYTHING = Prefix.parse('0.0.0.0/0')

function onLink(nic: RouteNic): Route {
  return { prefix: EVERYTHING, nic, gateway: null, metric: 0, source: null, mtu: 0, kind: 'unicast' }
}

/**
 * Where a datagram to 0.0.0.0 or :: goes: to the address that it is from, else to the first one of
 * the nic that is asked for, else to the loopback address. A udp6 endpoint takes :: for ::1, and
 * for 127.0.0.1 when it is bound to an IPv4-mapped address.
 */
export function destinationForAny(
  ip: RouteHost,
  asker: RouteAsker,
  given: Address,
  options: SendOptions | null,
): Address {
  const { sourceAddress } = asker
  if (given.family === 6 && asker.family === 6)
    return sourceAddress?.family === 4 ? Address.LOOPBACK4 : Address.LOOPBACK6
  const from = options?.source ?? sourceAddress
  if (from !== null && from.family === 4 && !from.isUnspecified) return from
  const nic = ip.nicByIndex(options?.nic || asker.device)
  return nic?.addresses.find(({ address }) => address.family === 4)?.address ?? Address.LOOPBACK4
}
