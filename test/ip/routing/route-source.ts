import type { Prefix } from '../../../src/base/address.ts'
import type { Route, RouteSource } from '../../../src/ip/routing/route-table.ts'
import { RoutesOnDemand, SubnetIndex } from '../../../src/network/addressing/routes-on-demand.ts'

/** A source that makes these routes: each is the way to a domain with its prefix. */
export function sourceOf(routes: readonly Route[]): RouteSource {
  const domains = routes.map((route) => ({ prefixes: [route.prefix], route }))
  const ways = new Map(domains.map((domain) => [domain, domain.route] as const))
  return new RoutesOnDemand(new SubnetIndex(domains), ways, (_prefix: Prefix, route: Route) => route)
}
