/**
 * The routes of one node to the subnets of the whole network, each made when it is asked for: of a
 * million routes that fifty routers have to ten thousand hosts, a run uses a part.
 */
import type { Prefix } from '../../base/address.ts'
import { AddressMap } from '../../base/address-map.ts'
import { KeyedHash } from '../../base/hash.ts'
import { SystemRandom } from '../../base/random.ts'
import { longLength, type Route, type RouteSource } from '../../ip/routing/route-table.ts'

/** Where subnets are. */
interface Subnetted {
  readonly prefixes: readonly Prefix[]
}

/** A subnet of a domain. */
interface Subnet<Domain> {
  readonly prefix: Prefix
  readonly domain: Domain
}

/** Which domain has a prefix: one index for all nodes, as things were when it was made. */
export class SubnetIndex<Domain extends Subnetted> {
  readonly #byLength = new Map<number, AddressMap<Subnet<Domain>>>()
  readonly #prefixes = new Map<Domain, readonly Prefix[]>()
  /** Prefixes that more than one domain has, such as those of two ways out of the network. */
  readonly #contested: Subnet<Domain>[] = []

  constructor(domains: Iterable<Domain>) {
    // What the secret is changes nothing that can be seen.
    const hash = new KeyedHash(new SystemRandom())
    for (const domain of domains) {
      this.#prefixes.set(domain, domain.prefixes)
      for (const prefix of domain.prefixes) {
        const length = longLength(prefix)
        const { w0, w1, w2, w3 } = prefix.address
        const subnets = this.#byLength.get(length) ?? new AddressMap(hash)
        this.#byLength.set(length, subnets)
        const known = subnets.get(w0, w1, w2, w3)
        if (known === undefined) subnets.set(w0, w1, w2, w3, { prefix, domain })
        else this.#contested.push(known, { prefix, domain })
      }
    }
  }

  /** In the 128-bit form. */
  get lengths(): number[] {
    return [...this.#byLength.keys()]
  }

  /** All subnets whose prefix another domain has as well. */
  get contested(): ReadonlySet<Prefix> {
    return new Set(this.#contested.map(({ prefix }) => prefix))
  }

  prefixesOf(domain: Domain): readonly Prefix[] {
    return this.#prefixes.get(domain) ?? []
  }

  find(length: number, w0: number, w1: number, w2: number, w3: number): Subnet<Domain> | undefined {
    return this.#byLength.get(length)?.get(w0, w1, w2, w3)
  }
}

/** The ways of a node to domains. */
interface Ways<Domain, Way> extends Iterable<readonly [Domain, Way]> {
  get(domain: Domain): Way | undefined
}

/** The routes of one node: to each domain that it has a way to, over that way. */
export class RoutesOnDemand<Domain extends Subnetted, Way> implements RouteSource {
  readonly #index: SubnetIndex<Domain>
  readonly #ways: Ways<Domain, Way>
  readonly #routeOver: (prefix: Prefix, way: Way) => Route | null
  /** `null` where there is none, or none any more. */
  readonly #made = new Map<Prefix, Route | null>()

  constructor(
    index: SubnetIndex<Domain>,
    ways: Ways<Domain, Way>,
    routeOver: (prefix: Prefix, way: Way) => Route | null,
  ) {
    this.#index = index
    this.#ways = ways
    this.#routeOver = routeOver
  }

  get lengths(): readonly number[] {
    return this.#index.lengths
  }

  find(length: number, w0: number, w1: number, w2: number, w3: number): Route | null {
    const subnet = this.#index.find(length, w0, w1, w2, w3)
    if (subnet === undefined) return null
    const made = this.#made.get(subnet.prefix)
    if (made !== undefined) return made
    const way = this.#ways.get(subnet.domain)
    return way === undefined ? null : this.#make(subnet.prefix, way)
  }

  all(): Route[] {
    const routes: Route[] = []
    for (const [domain, way] of this.#ways)
      for (const prefix of this.#index.prefixesOf(domain)) {
        const made = this.#made.get(prefix)
        const route = made === undefined ? this.#make(prefix, way) : made
        if (route !== null) routes.push(route)
      }
    return routes
  }

  contested(): Route[] {
    const { contested } = this.#index
    return contested.size === 0 ? [] : this.all().filter(({ prefix }) => contested.has(prefix))
  }

  made(): Route[] {
    return [...this.#made.values()].filter((route) => route !== null)
  }

  delete(route: Route): boolean {
    if (this.#made.get(route.prefix) !== route) return false
    this.#made.set(route.prefix, null)
    return true
  }

  #make(prefix: Prefix, way: Way): Route | null {
    const route = this.#routeOver(prefix, way)
    this.#made.set(prefix, route)
    return route
  }
}
