/** The routes that follow from shortest paths over routers, installed in every stack. */
import { Address, Prefix } from '../../base/address.ts'
import type { Route } from '../../ip/routing/route-table.ts'
import type { RoutedDomain, RoutedNode, Way } from './routed.ts'
import { RouterMap, type RouterWays } from './router-ways.ts'
import { RoutesOnDemand, SubnetIndex } from './routes-on-demand.ts'

const DEFAULTS = [new Prefix(Address.ANY4, 0), new Prefix(Address.ANY6, 0)] as const

/** By router, the best way to each domain. */
type Tables = ReadonlyMap<RoutedNode, RouterWays>

/** Replaces the routes that an earlier call installed. */
export function installRoutes(nodes: readonly RoutedNode[]): void {
  const routers = nodes.filter((node) => node.forwards)
  const domains = new Set(nodes.flatMap(({ places }) => places.map(({ domain }) => domain)))
  const map = new RouterMap(domains)
  const tables: Tables = new Map(routers.map((router) => [router, map.waysFrom(router)]))
  const shared = sharedBy(nodes)
  const index = new SubnetIndex(domains)
  for (const node of nodes) {
    for (const route of node.routes) node.stack.removeRoute(route)
    const gates = node.forwards ? [] : gatesOf(node)
    // A host with one router leaves everything to it.
    const [only, ...others] = gates
    const isLed = only !== undefined && others.length === 0
    const best = tables.get(node) ?? (isLed ? new Map<RoutedDomain, Way>() : hostWays(node, gates, tables))
    const { routes } = node.stack.ip
    routes.setSource(isLed ? null : new RoutesOnDemand(index, best, routeOver))
    node.routes = isLed ? DEFAULTS.flatMap((prefix) => routeOver(prefix, only) ?? []) : []
    node.routes.push(...sharedRoutes(node, best, shared))
    for (const route of node.routes) routes.add(route)
  }
}

/** The routers beside a host. */
function gatesOf(host: RoutedNode): Way[] {
  const gates: Way[] = []
  for (const { domain, member } of host.places)
    for (const via of domain.members)
      if (via.node.forwards && member.nic.isUp) gates.push({ cost: domain.cost, nic: member.nic, via })
  return gates
}

/** The best way from a host to every domain that is not its own. */
function hostWays(host: RoutedNode, gates: readonly Way[], tables: Tables): Map<RoutedDomain, Way> {
  const own = new Set(host.places.map(({ domain }) => domain))
  const best = new Map<RoutedDomain, Way>()
  const offer = (domain: RoutedDomain, way: Way) => {
    if (!own.has(domain) && way.cost < (best.get(domain)?.cost ?? Number.POSITIVE_INFINITY)) best.set(domain, way)
  }
  for (const gate of gates) {
    for (const { domain } of gate.via.node.places) offer(domain, gate)
    for (const [domain, { cost }] of tables.get(gate.via.node) as RouterWays)
      offer(domain, { ...gate, cost: gate.cost + cost })
  }
  return best
}

/** The hosts of each address that several have. */
function sharedBy(nodes: readonly RoutedNode[]): Map<string, { prefix: Prefix; hosts: RoutedNode[] }> {
  const shared = new Map<string, { prefix: Prefix; hosts: RoutedNode[] }>()
  for (const node of nodes)
    for (const prefix of node.anycast) {
      const known = shared.get(`${prefix}`)
      if (known === undefined) shared.set(`${prefix}`, { prefix, hosts: [node] })
      else known.hosts.push(node)
    }
  return shared
}

/** Routes to the nearest of the hosts that share an address, of equals the first. */
function sharedRoutes(
  node: RoutedNode,
  best: { get(domain: RoutedDomain): Way | undefined },
  shared: ReturnType<typeof sharedBy>,
): Route[] {
  return [...shared.values()].flatMap(({ prefix, hosts }) => {
    if (hosts.includes(node)) return []
    let nearest: Way | null = null
    for (const { domain, member } of hosts.flatMap((host) => host.places)) {
      if (!member.nic.isUp) continue
      const own = node.places.find((place) => place.domain === domain && place.member.nic.isUp)
      const way = own === undefined ? best.get(domain) : { cost: 0, nic: own.member.nic, via: member }
      if (way === undefined) continue
      const cost = way.cost + domain.cost
      if (nearest === null || cost < nearest.cost) nearest = { ...way, cost }
    }
    return nearest === null ? [] : (routeOver(prefix, nearest) ?? [])
  })
}

function routeOver(prefix: Prefix, { nic, via }: Way): Route | null {
  const gateway = via.gateways.find(({ family }) => family === prefix.family)
  if (gateway === undefined) return null
  return { prefix, nic, gateway, metric: 0, source: null, mtu: 0, kind: 'unicast' }
}
