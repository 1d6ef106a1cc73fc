/**
 * By which nic and from which address a datagram goes over IPv6, in Linux's order:
 * ip6_datagram_send_ctl, ip6_route_output_flags, ip6_dst_lookup_tail.
 */
import type { Address } from '../base/address.ts'
import type { Route } from '../ip/routing/route-table.ts'
import type { Errno } from './errno.ts'
import { choose, type RouteAsker, type RouteChoice, type RouteHost, refusal } from './route-choice.ts'
import type { SendOptions } from './send-options.ts'

/**
 * Chooses route and source.
 * @param from the address that is asked for, `null` for any
 * @param over the nic that is asked for, 0 for any
 */
export function route6(
  ip: RouteHost,
  asker: RouteAsker,
  choice: RouteChoice,
  to: Address,
  from: Address | null,
  over: number,
): Errno {
  const { w0, w1, w2, w3 } = to
  // Elsewhere another nic will do for a source that is given.
  const strict =
    asker.device !== 0 || to.isMulticast || to.isLinkLocal || to.isLoopback || (over !== 0 && from === null)
  const route = find(ip, to, over, strict)
  const refused = refusal(asker, route)
  if (refused !== '') return refused
  if (from !== null && from.family === 4) return 'EAFNOSUPPORT'
  if (from !== null) return choose(asker, choice, to, route as Route, from, false)
  // To an own address the datagram comes from that very address (RFC 6724 section 5, rule 1), by
  // whatever nic it leaves.
  const own = (route as Route).kind === 'local' || (over !== 0 && !to.isLinkLocal && ip.isLocal(w0, w1, w2, w3))
  const source = own ? to : ip.selectSource(route as Route, w0, w1, w2, w3)
  return source === null ? 'EADDRNOTAVAIL' : choose(asker, choice, to, route as Route, source, false)
}

function find(ip: RouteHost, to: Address, over: number, strict: boolean): Route | null {
  const { w0, w1, w2, w3 } = to
  const { routes } = ip
  if (over === 0) return routes.lookup(w0, w1, w2, w3, 0)
  const nic = ip.nicByIndex(over)
  if (nic === undefined) return null
  // What is an own address of another nic is somebody else's on this one (RFC 4007 section 6).
  if (ip.isLocal(w0, w1, w2, w3) && (!strict || nic.hasWords(w0, w1, w2, w3))) return routes.lookup(w0, w1, w2, w3, 0)
  // Linux has no groups on the loopback nic.
  const found = nic.isLoopback ? null : ip.route(w0, w1, w2, w3, over)
  if (strict) return found
  const best = routes.lookup(w0, w1, w2, w3, 0)
  return found !== null && found.prefix.length === best?.prefix.length ? found : best
}

/**
 * What a datagram's own nic and source may be (IPV6_PKTINFO). `over` is the nic that the socket or
 * the destination's zone asks for.
 */
export function checkOwnSource(ip: RouteHost, options: SendOptions, over: number): Errno {
  const { source, nic = 0 } = options
  if (nic !== 0 && over !== 0 && nic !== over) return 'EINVAL'
  if (source === undefined || (source.isUnspecified && source.family === 6)) return ''
  const asked = nic || over
  if (source.isLinkLocal && source.family === 6 && asked === 0) return 'EINVAL'
  const { w0, w1, w2, w3 } = source
  const home = asked !== 0 && (source.isLinkLocal || source.isLoopback) ? ip.nicByIndex(asked) : undefined
  const own = source.family === 6 && (home === undefined ? ip.isLocal(w0, w1, w2, w3) : home.hasWords(w0, w1, w2, w3))
  return own ? '' : 'EINVAL'
}
