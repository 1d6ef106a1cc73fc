/**
 * The routes that routers advertise on one nic, each until its lifetime ends: default routes,
 * routes to prefixes (RFC 4191) and prefixes on the link.
 *
 * A router that does not answer comes after the others, whatever its preference, until it is heard
 * again: RFC 4191 section 3.2, RFC 4861 section 6.3.6.
 */
import type { Address, Prefix } from '../../base/address.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import { Preference, type Route, type RouteTable } from '../routing/route-table.ts'

/** Linux: the metrics of routes learnt from routers. */
const GATEWAY_METRIC = 1024
const PREFIX_METRIC = 256
/**
 * The bounds keep a flood of advertisements from filling the table. Linux has one of 16 for
 * addresses (max_addresses).
 */
const MAX_ROUTERS = 16
const MAX_PREFIXES = 16
const MAX_ROUTES = 64

interface LearntRoute {
  readonly prefix: Prefix
  /** `null` for a prefix on the link. */
  readonly gateway: Address | null
  preference: Preference
  timer: Timer | null
  /** What is in the route table, if anything. */
  route: Route | null
}

export class LearntRoutes {
  readonly #nic: RouteNic
  readonly #routes: RouteTable
  readonly #clock: Clock
  #learnt: LearntRoute[] = []
  /** Routers that do not answer. */
  #lost: Address[] = []
  /** The MTU of the routes, 0 for the nic's. */
  #mtu = 0

  constructor(nic: RouteNic, routes: RouteTable, clock: Clock) {
    this.#nic = nic
    this.#routes = routes
    this.#clock = clock
  }

  /** Whether there is a default router. */
  get hasRouter(): boolean {
    return this.#learnt.some(isDefault)
  }

  set mtu(mtu: number) {
    if (mtu === this.#mtu) return
    this.#mtu = mtu
    this.#update()
  }

  /**
   * Adds, changes, prolongs or (lifetime 0) removes a route. Lifetimes in milliseconds, `Infinity`
   * included.
   */
  learn(prefix: Prefix, gateway: Address | null, preference: Preference, lifetime: number): void {
    const known = this.#learnt.find((each) => each.prefix.equals(prefix) && isThrough(each, gateway))
    if (lifetime === 0) {
      if (known !== undefined) this.#forget(known)
      return
    }
    const learnt = known ?? { prefix, gateway, preference, timer: null, route: null }
    if (known === undefined) {
      if (this.#isFull(learnt)) return
      this.#learnt.push(learnt)
    }
    learnt.preference = preference
    learnt.timer?.cancel()
    learnt.timer =
      lifetime === Number.POSITIVE_INFINITY ? null : this.#clock.schedule(lifetime, () => this.#forget(learnt))
    this.#update()
  }

  /** A neighbor is no router any more. */
  removeRouter(router: Address): void {
    for (const each of this.#learnt.filter((one) => isThrough(one, router))) this.#forget(each)
  }

  /**
   * A router does not answer: others, if there are any, are turned to. When all of them do not,
   * each has its turn.
   */
  lost(router: Address): void {
    if (!this.#learnt.some((each) => isThrough(each, router))) return
    this.#lost = [...this.#lost.filter((each) => !each.equals(router)), router]
    const routers = this.#learnt.filter(isDefault)
    if (routers.length > 0 && routers.every(({ gateway }) => this.#isLost(gateway)))
      this.#lost = routers.length > 1 ? [router] : []
    this.#update()
  }

  /** A router was heard. */
  found(router: Address): void {
    if (!this.#isLost(router)) return
    this.#lost = this.#lost.filter((each) => !each.equals(router))
    this.#update()
  }

  clear(): void {
    for (const each of [...this.#learnt]) this.#forget(each)
    this.#lost = []
  }

  #isFull(learnt: LearntRoute): boolean {
    const kind = kindOf(learnt)
    return this.#learnt.filter((each) => kindOf(each) === kind).length >= LIMITS[kind]
  }

  #isLost(gateway: Address | null): boolean {
    return gateway !== null && this.#lost.some((each) => each.equals(gateway))
  }

  #forget(learnt: LearntRoute): void {
    learnt.timer?.cancel()
    this.#learnt = this.#learnt.filter((each) => each !== learnt)
    this.#put(learnt, null)
    const { gateway } = learnt
    if (gateway !== null && !this.#learnt.some((each) => isThrough(each, gateway)))
      this.#lost = this.#lost.filter((each) => !each.equals(gateway))
    if (gateway !== null) this.#update()
  }

  /** Makes the route table what it has to be now. */
  #update(): void {
    for (const each of this.#learnt) {
      const lost = this.#isLost(each.gateway)
      if (lost && !isDefault(each) && this.#hasOtherWay(each.prefix)) this.#put(each, null)
      else this.#put(each, lost ? Preference.Lost : each.preference)
    }
  }

  /** Whether a router that answers leads to all of the prefix. */
  #hasOtherWay(to: Prefix): boolean {
    return this.#learnt.some(
      ({ prefix, gateway }) =>
        gateway !== null && !this.#isLost(gateway) && prefix.length <= to.length && prefix.contains(to.address),
    )
  }

  #put(learnt: LearntRoute, preference: Preference | null): void {
    const { route } = learnt
    if (route === null ? preference === null : route.preference === preference && route.mtu === this.#mtu) return
    const { prefix, gateway } = learnt
    const metric = gateway === null ? PREFIX_METRIC : GATEWAY_METRIC
    if (route !== null) this.#routes.remove(route)
    learnt.route =
      preference === null
        ? null
        : { prefix, nic: this.#nic, gateway, metric, source: null, mtu: this.#mtu, kind: 'unicast', preference }
    if (learnt.route !== null) this.#routes.add(learnt.route)
  }
}

type Kind = 'router' | 'prefix' | 'route'
const LIMITS: Record<Kind, number> = { router: MAX_ROUTERS, prefix: MAX_PREFIXES, route: MAX_ROUTES }

function kindOf(learnt: LearntRoute): Kind {
  if (learnt.gateway === null) return 'prefix'
  return isDefault(learnt) ? 'router' : 'route'
}

function isDefault({ prefix, gateway }: LearntRoute): boolean {
  return gateway !== null && prefix.length === 0
}

function isThrough({ gateway }: LearntRoute, router: Address | null): boolean {
  return router === null ? gateway === null : gateway?.equals(router) === true
}
