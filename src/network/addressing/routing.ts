/**
 * Shortest paths (Dijkstra) over routers and the broadcast domains that join them, and the routes
 * that follow, installed in every stack.
 */
import { Address, Prefix } from '../../base/address.ts'
import type { Nic } from '../../ip/nic/nic.ts'
import type { Route } from '../../ip/routing/route-table.ts'
import type { Stack } from '../../stack.ts'
import { RoutesOnDemand, SubnetIndex } from './routes-on-demand.ts'

/** A stack's place in a domain. */
export interface Member {
  readonly node: RoutedNode
  readonly nic: Nic
  /** One address of each family at most: what others use as their next hop. */
  readonly gateways: readonly Address[]
}

/** Where everybody reaches everybody without a router: a cable, a segment, switches. */
export interface RoutedDomain {
  readonly prefixes: readonly Prefix[]
  readonly members: readonly Member[]
  /** What the way through it costs; 1 or so. */
  readonly cost: number
}

export interface RoutedNode {
  readonly stack: Stack
  readonly forwards: boolean
  readonly places: readonly { readonly domain: RoutedDomain; readonly member: Member }[]
  /** Addresses that others have too. */
  readonly anycast: readonly Prefix[]
  /** What was installed before, without the routes that are made on demand. */
  routes: Route[]
}

const DEFAULTS = [new Prefix(Address.ANY4, 0), new Prefix(Address.ANY6, 0)] as const

/** By router, the best way to each domain. */
type Tables = ReadonlyMap<RoutedNode, Map<RoutedDomain, Way>>

/** The first step of a way. */
interface Way {
  readonly cost: number
  readonly nic: Nic
  readonly via: Member
}

/** Replaces the routes that an earlier call installed. */
export function installRoutes(nodes: readonly RoutedNode[]): void {
  const routers = nodes.filter((node) => node.forwards)
  const tables: Tables = new Map(routers.map((router) => [router, ways(router)]))
  const shared = sharedBy(nodes)
  const index = new SubnetIndex(new Set(nodes.flatMap(({ places }) => places.map(({ domain }) => domain))))
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

/** The best way from a router to every domain that is not its own. */
function ways(from: RoutedNode): Map<RoutedDomain, Way> {
  const found = new Map<RoutedDomain, Way>()
  const own = new Set(from.places.map(({ domain }) => domain))
  const done = new Set<RoutedNode>([from])
  const queue = new Queue()
  const enter = (domain: RoutedDomain, cost: number, first: Way | null, nic: Nic | null) => {
    for (const via of domain.members) {
      if (!via.node.forwards || done.has(via.node) || !via.nic.isUp) continue
      queue.add(cost, via.node, first ?? { cost, nic: nic as Nic, via })
    }
  }
  for (const { domain, member } of from.places) if (member.nic.isUp) enter(domain, domain.cost, null, member.nic)
  for (let next = queue.take(); next !== null; next = queue.take()) {
    const { node, cost, first } = next
    if (done.has(node)) continue
    done.add(node)
    for (const { domain, member } of node.places) {
      if (!member.nic.isUp || found.has(domain)) continue
      if (!own.has(domain)) found.set(domain, { cost, nic: first.nic, via: first.via })
      enter(domain, cost + domain.cost, first, null)
    }
  }
  return found
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
    for (const [domain, { cost }] of tables.get(gate.via.node) as Map<RoutedDomain, Way>)
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
  best: ReadonlyMap<RoutedDomain, Way>,
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

interface Entry {
  readonly cost: number
  readonly sequence: number
  readonly node: RoutedNode
  readonly first: Way
}

/** Least cost first; among equals the one that came first. */
class Queue {
  readonly #heap: Entry[] = []
  #sequence = 0

  add(cost: number, node: RoutedNode, first: Way): void {
    const heap = this.#heap
    const entry = { cost, sequence: this.#sequence++, node, first }
    let at = heap.length
    for (; at > 0; at = (at - 1) >> 1) {
      const parent = heap[(at - 1) >> 1] as Entry
      if (before(parent, entry)) break
      heap[at] = parent
    }
    heap[at] = entry
  }

  take(): Entry | null {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return null
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++
      if (before(last, heap[child] as Entry)) break
      heap[at] = heap[child] as Entry
      at = child
    }
    heap[at] = last
    return first
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.cost < b.cost || (a.cost === b.cost && a.sequence < b.sequence)
}
