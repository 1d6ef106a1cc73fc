/**
 * What the choices of both families share: the result, which is the endpoint's remembered route,
 * and what a kind of route means to a sender.
 */
import type { Address } from '../base/address.ts'
import type { Route } from '../ip/routing/route-table.ts'
import type { Endpoint } from './endpoint.ts'
import type { Errno } from './errno.ts'

/** What a route, or its lack, means to who sends. */
export function refusal(endpoint: Endpoint, route: Route | null): Errno {
  if (route === null) return 'ENETUNREACH'
  if (route.kind === 'unreachable') return 'EHOSTUNREACH'
  if (route.kind === 'prohibit') return 'EACCES'
  if (route.kind === 'blackhole') return 'EINVAL'
  return endpoint.dontRoute && route.gateway !== null ? 'ENETUNREACH' : ''
}

/** The end of every choice: loopback addresses stay here, broadcasts need permission. */
export function choose(endpoint: Endpoint, to: Address, route: Route, source: Address, broadcast: boolean): Errno {
  // Linux refuses sources of IPv4 alone; of IPv6, and of destinations, what leaves would be a
  // martian to every receiver.
  if (!route.nic.isLoopback && (source.isLoopback || to.isLoopback)) return 'EINVAL'
  if (broadcast && !endpoint.broadcast) return 'EACCES'
  endpoint.route = route
  endpoint.routeSource = source
  endpoint.routeBroadcast = broadcast
  return ''
}
