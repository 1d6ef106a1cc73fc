/**
 * The paths of one host: which route leads to a destination, and how long a packet on it may be.
 */
import { type Address, isMulticast, MAPPED, Prefix } from '../../base/address.ts'
import type { PathMtu } from './path-mtu.ts'
import type { NicList, RouteNic } from './route-nic.ts'
import type { Route, RouteTable } from './route-table.ts'

const MULTICAST6 = Prefix.parse('ff00::/8')
const LIMITED_BROADCAST = Prefix.parse('255.255.255.255/32')

export class Paths {
  readonly #nics: NicList
  readonly #routes: RouteTable
  readonly #pathMtu: PathMtu

  constructor(nics: NicList, routes: RouteTable, pathMtu: PathMtu) {
    this.#nics = nics
    this.#routes = routes
    this.#pathMtu = pathMtu
  }

  /**
   * The route to a destination, over one nic when `nic` is not 0; groups and 255.255.255.255
   * without a route of their own take the default route, as in Linux.
   */
  route(w0: number, w1: number, w2: number, w3: number, nic: number): Route | null {
    const found = this.#routes.lookup(w0, w1, w2, w3, nic)
    if (nic === 0 || !(isMulticast(w0, w1, w2, w3) || isLimitedBroadcast(w0, w1, w2, w3))) return found
    // A group or 255.255.255.255 that is pinned to a nic is on its link, with or without a route.
    const over = this.#nics[nic]
    if (over === undefined || !over.isUp) return null
    return routeOnLink(over, w2 === MAPPED ? 4 : 6, found)
  }

  /** The MTU towards a destination over a route: the nic's, the route's and the path's least. */
  mtuTo(route: Route, w0: number, w1: number, w2: number, w3: number): number {
    let mtu = route.nic.mtuOf(w2 === MAPPED && w0 === 0 && w1 === 0 ? 4 : 6)
    if (route.mtu !== 0 && route.mtu < mtu) mtu = route.mtu
    const known = this.#pathMtu.lookup(w0, w1, w2, w3)
    return known !== 0 && known < mtu ? known : mtu
  }

  /**
   * Believes a too-big report about a packet of `length` bytes that this host sent to `to`.
   * @returns the path MTU now in force, or 0
   */
  reportMtu(to: Address, mtu: number, length: number): number {
    const { w0, w1, w2, w3 } = to
    const route = this.#routes.lookup(w0, w1, w2, w3, 0)
    return route === null ? 0 : this.#pathMtu.report(w0, w1, w2, w3, mtu, length, this.mtuTo(route, w0, w1, w2, w3))
  }
}

/**
 * A route for groups and 255.255.255.255 over a nic; of one that was found for them alone the MTU
 * counts. No source: IPv4 takes the nic's first address, not the one that goes with a gateway
 * (Linux: ip_route_output_key, which looks for routes of groups in 224.0.0.0/4 and below).
 */
function routeOnLink(nic: RouteNic, family: 4 | 6, found: Route | null): Route {
  const own = found !== null && found.prefix.length >= (family === 4 ? 4 : 8) ? found : null
  if (own !== null && own.gateway === null && own.source === null) return own
  const prefix = own?.prefix ?? (family === 4 ? LIMITED_BROADCAST : MULTICAST6)
  return { prefix, nic, gateway: null, metric: 0, source: null, mtu: own?.mtu ?? 0, kind: 'multicast' }
}

function isLimitedBroadcast(w0: number, w1: number, w2: number, w3: number): boolean {
  return w3 === -1 && w2 === MAPPED && w0 === 0 && w1 === 0
}
