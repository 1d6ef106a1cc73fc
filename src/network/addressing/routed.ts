/** Nodes and the domains in which they are, as routing sees them. */
import type { Address, Prefix } from '../../base/address.ts'
import type { Nic } from '../../ip/nic/nic.ts'
import type { Route } from '../../ip/routing/route-table.ts'
import type { Stack } from '../../stack.ts'

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

/** The first step of a way. */
export interface Way {
  readonly cost: number
  readonly nic: Nic
  readonly via: Member
}
