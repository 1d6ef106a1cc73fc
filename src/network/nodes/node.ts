/** The three kinds of node: a stack that is a host or a router, a switch, and a segment. */
import type { Prefix } from '../../base/address.ts'
import type { Route } from '../../ip/routing/route-table.ts'
import type { Segment } from '../../link/segment.ts'
import type { Stack } from '../../stack.ts'
import type { Member, RoutedDomain, RoutedNode } from '../addressing/routed.ts'
import type { FilterGate } from './filter.ts'
import type { Gate, PacketHook, Port, PortOwner } from './port.ts'
import { Switch } from './switch.ts'

/** A host or a router. */
export class StackNode implements PortOwner, RoutedNode {
  readonly name: string
  readonly stack: Stack
  readonly forwards: boolean
  readonly ports: Port[] = []
  readonly places: { domain: RoutedDomain; member: Member }[] = []
  readonly anycast: Prefix[] = []
  routes: Route[] = []
  outputGate: FilterGate | null = null
  inputGate: Gate | null = null
  seen = 0
  portReports = false
  receiving: Port | null = null
  /** The NAT of a router, which sits on all of its ports. */
  nat: (PacketHook & { close(): void }) | null = null

  constructor(name: string, stack: Stack, forwards: boolean) {
    this.name = name
    this.stack = stack
    this.forwards = forwards
  }
}

/** An Ethernet wire for any number of nodes; it has no ports of its own. */
export interface Lan {
  readonly name: string
  readonly wire: Segment
}

export type Node = StackNode | Switch | Lan
export type NodeKind = 'host' | 'router' | 'switch' | 'segment'

export function isLan(node: Node): node is Lan {
  return 'wire' in node
}

export function kindOf(node: Node): NodeKind {
  if (node instanceof StackNode) return node.forwards ? 'router' : 'host'
  return node instanceof Switch ? 'switch' : 'segment'
}
