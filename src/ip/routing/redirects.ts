/**
 * Better first hops that routers told of: RFC 1122 section 3.2.2.2, RFC 4861 section 8.3. One is a
 * route to one host, in front of all others, for five minutes (Linux: ip_rt_gc_timeout), until its
 * gateway no longer answers, or until the route that it stands in for is gone.
 *
 * Who sent the packet that a redirect is about has been checked before; here it is checked against
 * the routes.
 */
import { type Address, Prefix } from '../../base/address.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { OwnAddresses } from '../addresses.ts'
import type { RouteNic } from './route-nic.ts'
import type { Route, RouteTable } from './route-table.ts'

const EXPIRES = 300_000
/** Redirects that are remembered; of more, the oldest is forgotten. */
const LIMIT = 1024
/** Before every route that was configured. */
const METRIC = -1

/** The nic by which a redirect came. */
export interface RedirectedNic extends RouteNic {
  readonly isRouter: boolean
}

interface Redirect {
  readonly route: Route
  /** The route whose gateway sent the redirect. */
  readonly insteadOf: Route
  readonly timer: Timer
}

export class Redirects {
  readonly #routes: RouteTable
  readonly #addresses: OwnAddresses
  readonly #isAccepting: boolean
  readonly #clock: Clock
  #learnt: Redirect[] = []

  /** `isAccepting`: whether this host believes redirects at all. */
  constructor(routes: RouteTable, addresses: OwnAddresses, isAccepting: boolean, clock: Clock) {
    this.#routes = routes
    this.#addresses = addresses
    this.#isAccepting = isAccepting
    this.#clock = clock
    routes.onRemove = (route) => this.#routeRemoved(route)
  }

  /**
   * Takes what the router `from` says: `target` is the better first hop to `destination`, or (the
   * two being equal, IPv6) the destination is on the link of `nic`.
   */
  accept(nic: RedirectedNic, from: Address, destination: Address, target: Address): Drop {
    // Linux: accept_redirects, off for a router.
    if (!this.#isAccepting || nic.isRouter) return Drop.IcmpRedirect
    const { w0, w1, w2, w3 } = destination
    // A group or a broadcast address has no first hop.
    if (destination.isMulticast || (destination.family === 4 && this.#addresses.isBroadcastOn(nic, w3)))
      return Drop.IcmpRedirect
    const present = this.#routes.lookup(w0, w1, w2, w3, 0)
    // Only the present first hop may tell of another one.
    if (present === null || present.kind !== 'unicast' || present.nic !== nic || present.gateway?.equals(from) !== true)
      return Drop.IcmpRedirect
    const onLink = destination.family === 6 && target.equals(destination)
    if (!onLink && (target.equals(from) || !this.#isNeighbor(nic, target))) return Drop.IcmpRedirect
    const known = this.#learnt.find(({ route }) => route === present)
    if (known !== undefined) this.#forget(known)
    else if (this.#learnt.length >= LIMIT) this.#forget(this.#learnt[0] as Redirect)
    const route: Route = {
      ...present,
      prefix: new Prefix(destination, destination.family === 4 ? 32 : 128),
      gateway: onLink ? null : target,
      metric: METRIC,
    }
    const redirect: Redirect = {
      route,
      insteadOf: known?.insteadOf ?? present,
      timer: this.#clock.schedule(EXPIRES, () => this.#forget(redirect)),
    }
    this.#learnt.push(redirect)
    this.#routes.add(route)
    return Drop.None
  }

  /**
   * A neighbor does not answer: what goes to it by a redirect takes the old way again (RFC 1122
   * section 3.3.1.4).
   */
  neighborLost(nic: RouteNic, address: Address): void {
    for (const each of [...this.#learnt]) {
      const { gateway, prefix } = each.route
      if (each.route.nic === nic && (gateway ?? prefix.address).equals(address)) this.#forget(each)
    }
  }

  close(): void {
    for (const each of [...this.#learnt]) this.#forget(each)
  }

  /**
   * A router of IPv6 goes by its link-local address; one of IPv4 has another host's address of a
   * network on the link.
   */
  #isNeighbor(nic: RouteNic, target: Address): boolean {
    const { w0, w1, w2, w3 } = target
    if (target.family === 6) return target.isLinkLocal && !nic.hasWords(w0, w1, w2, w3)
    if (!this.#addresses.isUnicast4(w3) || this.#addresses.isLocal(w0, w1, w2, w3)) return false
    return nic.addresses.some(({ address, prefix }) => address.family === 4 && prefix.contains(target))
  }

  #forget(redirect: Redirect): void {
    redirect.timer.cancel()
    this.#learnt = this.#learnt.filter((each) => each !== redirect)
    this.#routes.remove(redirect.route)
  }

  #routeRemoved(route: Route): void {
    for (const each of this.#learnt.filter(({ route: own, insteadOf }) => own === route || insteadOf === route))
      this.#forget(each)
  }
}
