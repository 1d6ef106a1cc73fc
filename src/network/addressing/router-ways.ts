/**
 * Shortest paths (Dijkstra) over routers and the broadcast domains that join them, as the nics were
 * when they were computed.
 *
 * They lead from router to router; a domain is reached by the nearest router that is in it. So a
 * network of few routers and many hosts costs what its routers cost, and a way to a domain is
 * looked for when somebody asks for it.
 */
import type { Member, RoutedDomain, RoutedNode, Way } from './routed.ts'

/** Where a router meets others. */
interface Crossing {
  readonly domain: RoutedDomain
  readonly own: Member
  readonly others: readonly Member[]
}

/** The routers of each domain, and where they meet. */
export class RouterMap {
  /** By domain, the routers whose nics in it are up. */
  readonly #routers = new Map<RoutedDomain, readonly RoutedNode[]>()
  readonly #crossings = new Map<RoutedNode, Crossing[]>()

  constructor(domains: Iterable<RoutedDomain>) {
    for (const domain of domains) {
      const up = domain.members.filter(({ node, nic }) => node.forwards && nic.isUp)
      this.#routers.set(
        domain,
        up.map(({ node }) => node),
      )
    }
  }

  /** Whether a router is in a domain, with a nic that is up. */
  isIn(domain: RoutedDomain, router: RoutedNode): boolean {
    return this.#routers.get(domain)?.includes(router) === true
  }

  routersOf(domain: RoutedDomain): readonly RoutedNode[] {
    return this.#routers.get(domain) ?? []
  }

  waysFrom(router: RoutedNode): RouterWays {
    return new RouterWays(this, router, this.#reachedFrom(router))
  }

  /** The routers that one reaches, the nearest first, and the way to each. */
  #reachedFrom(from: RoutedNode): Map<RoutedNode, Way> {
    const reached = new Map<RoutedNode, Way>()
    const queue = new Queue()
    const enter = ({ others, own }: Crossing, cost: number, first: Way | null) => {
      for (const via of others)
        if (via.node !== from && !reached.has(via.node)) queue.add(cost, via.node, first ?? { cost, nic: own.nic, via })
    }
    for (const crossing of this.#crossingsOf(from)) enter(crossing, crossing.domain.cost, null)
    for (let next = queue.take(); next !== null; next = queue.take()) {
      const { node, cost, first } = next
      if (reached.has(node)) continue
      reached.set(node, { cost, nic: first.nic, via: first.via })
      for (const crossing of this.#crossingsOf(node)) enter(crossing, cost + crossing.domain.cost, first)
    }
    return reached
  }

  #crossingsOf(router: RoutedNode): readonly Crossing[] {
    const known = this.#crossings.get(router)
    if (known !== undefined) return known
    const crossings: Crossing[] = []
    for (const { domain, member: own } of router.places) {
      if (!own.nic.isUp || this.routersOf(domain).length < 2) continue
      const others = domain.members.filter(({ node, nic }) => node !== router && node.forwards && nic.isUp)
      crossings.push({ domain, own, others })
    }
    this.#crossings.set(router, crossings)
    return crossings
  }
}

/** The best way from a router to every domain that is not its own. */
export class RouterWays implements Iterable<[RoutedDomain, Way]> {
  readonly #map: RouterMap
  /** Domains of its own. */
  readonly #own: ReadonlySet<RoutedDomain>
  readonly #reached: ReadonlyMap<RoutedNode, Way>
  /** How many other routers are nearer. */
  readonly #ranks = new Map<RoutedNode, number>()

  constructor(map: RouterMap, from: RoutedNode, reached: ReadonlyMap<RoutedNode, Way>) {
    this.#map = map
    this.#own = new Set(from.places.map(({ domain }) => domain))
    this.#reached = reached
    for (const node of reached.keys()) this.#ranks.set(node, this.#ranks.size)
  }

  get(domain: RoutedDomain): Way | undefined {
    if (this.#own.has(domain)) return undefined
    let nearest: RoutedNode | undefined
    let least = Number.POSITIVE_INFINITY
    for (const router of this.#map.routersOf(domain)) {
      const rank = this.#ranks.get(router) ?? Number.POSITIVE_INFINITY
      if (rank >= least) continue
      least = rank
      nearest = router
    }
    return nearest === undefined ? undefined : this.#reached.get(nearest)
  }

  /** The nearest first. */
  *[Symbol.iterator](): Generator<[RoutedDomain, Way], void> {
    const seen = new Set(this.#own)
    for (const [router, way] of this.#reached)
      for (const { domain } of router.places) {
        if (seen.has(domain) || !this.#map.isIn(domain, router)) continue
        seen.add(domain)
        yield [domain, way]
      }
  }
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
