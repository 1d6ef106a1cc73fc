/**
 * Routes: longest prefix first, then lowest metric (Linux's order). One table for both families.
 *
 * Each prefix length in use has a hash map of its own, so a lookup costs one probe per length in
 * use, however many routes there are.
 */
import { type Address, masksOf, type Prefix } from '../../base/address.ts'
import { AddressMap } from '../../base/address-map.ts'
import { KeyedHash } from '../../base/hash.ts'
import { SystemRandom } from '../../base/random.ts'
import type { RouteNic } from './route-nic.ts'

/** RFC 4191 section 2.1; one that is lost, which does not answer, comes last. */
export const Preference = { Lost: -2, Low: -1, Medium: 0, High: 1 } as const
export type Preference = (typeof Preference)[keyof typeof Preference]

/** What a destination is, as Linux's `RTN_*`. */
export type RouteKind =
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'anycast'
  | 'multicast'
  | 'unreachable'
  | 'prohibit'
  | 'blackhole'

export interface Route {
  readonly prefix: Prefix
  readonly nic: RouteNic
  /** `null` when the destination is on the link. */
  readonly gateway: Address | null
  readonly metric: number
  /** The source address to prefer; `null` lets selection decide. */
  readonly source: Address | null
  /** An MTU below the nic's, or 0. */
  readonly mtu: number
  readonly kind: RouteKind
  /** Which of several routes with one metric is taken, as routers advertise it. Default medium. */
  readonly preference?: Preference
}

/** Many routes that are alike, of different prefixes, each made when it is asked for. */
export interface RouteSource {
  /** The prefix lengths that there are, in the 128-bit form. */
  readonly lengths: readonly number[]
  /** The route to a prefix; of a prefix with several of them, the first one or `null`. */
  find(length: number, w0: number, w1: number, w2: number, w3: number): Route | null
  /** All of them in their order. */
  all(): Route[]
  /** Those of prefixes that have several, in the order of {@link all}. */
  contested(): Route[]
  /** Those that somebody has asked for. */
  made(): Route[]
  /** Takes one away; `false` when it is none of them. */
  delete(route: Route): boolean
}

/** The routes of one prefix length. */
class Level {
  readonly length: number
  /** The best route of each prefix, which nearly always is the only one. */
  readonly best: AddressMap<Route>
  /** The further ones of a prefix, in their order; `null` while no prefix has any. */
  others: AddressMap<Route[]> | null = null
  readonly #hash: KeyedHash
  /** IPv4 and IPv6 lengths are both counted in the 128-bit form. */
  readonly m0: number
  readonly m1: number
  readonly m2: number
  readonly m3: number
  constructor(length: number, hash: KeyedHash) {
    this.length = length
    this.#hash = hash
    this.best = new AddressMap(hash)
    const [m0, m1, m2, m3] = masksOf(length)
    this.m0 = m0
    this.m1 = m1
    this.m2 = m2
    this.m3 = m3
  }

  /** Adds a route behind those of its prefix that it does not come before. */
  add(route: Route): void {
    const { w0, w1, w2, w3 } = route.prefix.address
    const best = this.best.get(w0, w1, w2, w3)
    const isBest = best === undefined || comesBefore(route, best)
    if (isBest) this.best.set(w0, w1, w2, w3, route)
    if (best === undefined) return
    this.others ??= new AddressMap(this.#hash)
    const others = this.others.get(w0, w1, w2, w3)
    // A router has a route to all groups over each of its hundreds of nics: the list is not copied.
    if (others === undefined) this.others.set(w0, w1, w2, w3, [isBest ? best : route])
    else if (isBest) others.unshift(best)
    else {
      let at = others.length
      while (at > 0 && comesBefore(route, others[at - 1] as Route)) at--
      others.splice(at, 0, route)
    }
  }

  /** All routes of a prefix, the best first. */
  routes({ w0, w1, w2, w3 }: Address): Route[] {
    const best = this.best.get(w0, w1, w2, w3)
    return best === undefined ? [] : [best, ...(this.others?.get(w0, w1, w2, w3) ?? [])]
  }

  setRoutes({ w0, w1, w2, w3 }: Address, [best, ...others]: readonly Route[]): void {
    if (best === undefined) this.best.delete(w0, w1, w2, w3)
    else this.best.set(w0, w1, w2, w3, best)
    if (others.length === 0) this.others?.delete(w0, w1, w2, w3)
    else {
      this.others ??= new AddressMap(this.#hash)
      this.others.set(w0, w1, w2, w3, others)
    }
  }
}

export class RouteTable {
  /** Longest first. */
  #levels: Level[] = []
  /** In the order of their adding; those of the source at its place. */
  readonly #routes = new Set<Route | RouteSource>()
  #source: RouteSource | null = null
  /** Routes of the source that stand in a level: others have the same prefix. */
  #placed: Route[] = []
  /** Moves with every change, so that a remembered lookup can be checked. */
  generation = 0
  /** Told of every route that was removed. */
  onRemove: ((route: Route) => void) | null = null
  readonly #hash: KeyedHash

  /** `hash`: the stack's. */
  constructor(hash = new KeyedHash(new SystemRandom())) {
    this.#hash = hash
  }

  /** Prefixes that a lookup may have to compare in one level. */
  get longestChain(): number {
    return this.#levels.reduce((longest, { best }) => Math.max(longest, best.longestChain), 0)
  }

  get size(): number {
    return this.list().length
  }

  /** The routes to a prefix, the best first. */
  to(prefix: Prefix): readonly Route[] {
    const long = longLength(prefix)
    const { address } = prefix
    const routes = this.#levels.find((each) => each.length === long)?.routes(address) ?? []
    const made = routes.length > 0 ? null : this.#fromSource(prefix)
    return made === null ? routes : [made]
  }

  /** All routes, in the order in which they were added. */
  list(): Route[] {
    return [...this.#routes].flatMap((each) => ('prefix' in each ? each : each.all()))
  }

  add(route: Route): void {
    const level = this.#level(longLength(route.prefix))
    // It was there before.
    const found = level.routes(route.prefix.address).length === 0 ? this.#fromSource(route.prefix) : null
    if (found !== null) this.#place(found)
    level.add(route)
    this.#routes.add(route)
    this.generation++
  }

  remove(route: Route): boolean {
    if (!this.#routes.delete(route) && this.#source?.delete(route) !== true) return false
    this.#take(route)
    this.#tidy()
    this.generation++
    this.onRemove?.(route)
    return true
  }

  removeNic(nic: RouteNic): void {
    for (const route of this.list()) if (route.nic === nic) this.remove(route)
  }

  /**
   * Replaces the routes of the source that was set before by those of another one, as if each was
   * added now; `null` for none.
   */
  setSource(source: RouteSource | null): void {
    const before = this.#source
    const placed = this.#placed
    this.#source = source
    this.#placed = []
    for (const route of placed) this.#take(route)
    if (before !== null) this.#routes.delete(before)
    if (source !== null) {
      for (const length of source.lengths) this.#level(length)
      for (const route of source.contested()) this.#place(route)
      const standing = new Set(this.#placed)
      for (const each of this.#routes) {
        const found = 'prefix' in each ? this.#fromSource(each.prefix) : null
        if (found === null || standing.has(found)) continue
        standing.add(found)
        this.#place(found)
      }
      this.#routes.add(source)
    }
    this.#tidy()
    this.generation++
    for (const route of before?.made() ?? []) this.onRemove?.(route)
  }

  /** The level of a length, which is made if there is none. */
  #level(length: number): Level {
    const known = this.#levels.find((each) => each.length === length)
    if (known !== undefined) return known
    const level = new Level(length, this.#hash)
    let at = this.#levels.length
    while (at > 0 && (this.#levels[at - 1] as Level).length < length) at--
    this.#levels.splice(at, 0, level)
    return level
  }

  /** Drops levels without routes. */
  #tidy(): void {
    const lengths = this.#source?.lengths ?? []
    if (this.#levels.some(({ best, length }) => best.size === 0 && !lengths.includes(length)))
      this.#levels = this.#levels.filter(({ best, length }) => best.size > 0 || lengths.includes(length))
  }

  #fromSource(prefix: Prefix): Route | null {
    const { w0, w1, w2, w3 } = prefix.address
    return this.#source?.find(longLength(prefix), w0, w1, w2, w3) ?? null
  }

  /** Puts a route of the source beside others to its prefix. */
  #place(route: Route): void {
    this.#level(longLength(route.prefix)).add(route)
    this.#placed.push(route)
  }

  /** Takes a route out of its level, if it stands there. */
  #take(route: Route): void {
    const long = longLength(route.prefix)
    const level = this.#levels.find((each) => each.length === long)
    const { address } = route.prefix
    const routes = level?.routes(address) ?? []
    if (routes.includes(route))
      level?.setRoutes(
        address,
        routes.filter((each) => each !== route),
      )
  }

  /**
   * The best route to an address, over one nic when `nic` is not 0; `null` without one. Routes over
   * a nic that is down do not count.
   */
  lookup(w0: number, w1: number, w2: number, w3: number, nic: number): Route | null {
    for (const level of this.#levels) {
      // An IPv4 destination must not match an IPv6 prefix that covers the mapped form (::/0).
      if (level.length < 96 && w0 === 0 && w1 === 0 && w2 === 0xffff) return null
      const p0 = w0 & level.m0
      const p1 = w1 & level.m1
      const p2 = w2 & level.m2
      const p3 = w3 & level.m3
      // Where there is none, no other stands beside one of the source.
      const best = level.best.get(p0, p1, p2, p3) ?? this.#source?.find(level.length, p0, p1, p2, p3)
      if (best === undefined || best === null) continue
      if (leadsOver(best, nic)) return best
      const others = level.others?.get(p0, p1, p2, p3)
      if (others === undefined) continue
      for (const route of others) if (leadsOver(route, nic)) return route
    }
    return null
  }
}

/** Whether it leads over nic `nic`, 0 for any, which is up. */
function leadsOver(route: Route, nic: number): boolean {
  return (nic === 0 || route.nic.index === nic) && route.nic.isUp
}

/** By metric, then by preference; equal ones stay in the order of adding. */
function comesBefore(a: Route, b: Route): boolean {
  return a.metric === b.metric ? preferenceOf(a) > preferenceOf(b) : a.metric < b.metric
}

function preferenceOf({ preference = Preference.Medium }: Route): Preference {
  return preference
}

/** A prefix length in the 128-bit form. */
export function longLength(prefix: Prefix): number {
  return prefix.family === 4 ? prefix.length + 96 : prefix.length
}
