/**
 * What the choices of both families share: who asks whom, the result, and what a kind of route
 * means to a sender.
 */
import type { Address } from '../base/address.ts'
import type { RouteNic } from '../ip/routing/route-nic.ts'
import type { Route } from '../ip/routing/route-table.ts'
import { needsNic } from './bind.ts'
import type { Errno } from './errno.ts'
import type { SendOptions } from './send-options.ts'

/** What the choice asks of the host. */
export interface RouteHost {
  readonly routes: {
    /** Moves with every change of the routes, addresses and nics. */
    readonly generation: number
    /** `nic` 0: over any nic. */
    lookup(w0: number, w1: number, w2: number, w3: number, nic: number): Route | null
  }
  readonly nics: readonly RouteNic[]
  nicByIndex(index: number): RouteNic | undefined
  /** The nic that has the address. */
  nicOf(address: Address): RouteNic | undefined
  isLocal(w0: number, w1: number, w2: number, w3: number): boolean
  isBroadcast4(word: number): boolean
  /** As `routes.lookup`, and a group or 255.255.255.255 over a nic is on its link. */
  route(w0: number, w1: number, w2: number, w3: number, nic: number): Route | null
  selectSource(route: Route, w0: number, w1: number, w2: number, w3: number): Address | null
}

/** What the choice asks of an endpoint. */
export interface RouteAsker {
  readonly family: 4 | 6
  /** What it sends from; `null` lets the route decide. */
  readonly sourceAddress: Address | null
  /** The nic that it keeps to; 0 for all. */
  readonly device: number
  /** That part of `device` which is SO_BINDTODEVICE. */
  readonly boundNic: number
  readonly broadcast: boolean
  readonly dontRoute: boolean
  readonly multicastNic4: number
  readonly multicastSource4: Address | null
  readonly multicastNic6: number
  /** Over IPv4 the source that is asked for may be one of others. */
  readonly anySource?: boolean
}

/** The result: written only when the choice succeeds. */
export interface RouteChoice {
  route: Route | null
  source: Address | null
  /** Whether the destination is an IPv4 broadcast address. */
  broadcast: boolean
}

/**
 * The nic that is asked for, or 0 for what the route says. `given` is the destination as the
 * program gave it, `zone` the nic of its zone.
 */
export function leavingNic(
  asker: RouteAsker,
  address: Address,
  given: Address,
  zone: number,
  options: SendOptions | null,
): number {
  const own = options?.nic ?? 0
  if (address.family === 4) {
    // 0.0.0.0 is this host, whatever is asked for.
    if (given.isUnspecified && given.family === 4) return 0
    return own || asker.device || (address.isMulticast ? asker.multicastNic4 : 0)
  }
  // Linux ignores a zone that says nothing about the address.
  const scoped = zone !== 0 && needsNic(address) ? zone : 0
  return own || scoped || asker.device || (address.isMulticast ? asker.multicastNic6 : 0)
}

/** What a route, or its lack, means to a sender. */
export function refusal(asker: RouteAsker, route: Route | null): Errno {
  if (route === null) return 'ENETUNREACH'
  if (route.kind === 'unreachable') return 'EHOSTUNREACH'
  if (route.kind === 'prohibit') return 'EACCES'
  if (route.kind === 'blackhole') return 'EINVAL'
  return asker.dontRoute && route.gateway !== null ? 'ENETUNREACH' : ''
}

/** The end of every choice: loopback addresses stay here, broadcasts need permission. */
export function choose(
  asker: RouteAsker,
  choice: RouteChoice,
  to: Address,
  route: Route,
  source: Address,
  broadcast: boolean,
): Errno {
  // Linux refuses sources of IPv4 alone; of IPv6, and of destinations, what leaves would be a
  // martian to every receiver.
  if (!route.nic.isLoopback && (source.isLoopback || to.isLoopback)) return 'EINVAL'
  if (broadcast && !asker.broadcast) return 'EACCES'
  choice.route = route
  choice.source = source
  choice.broadcast = broadcast
  return ''
}
