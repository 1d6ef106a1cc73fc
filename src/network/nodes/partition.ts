/** Groups of hosts that do not hear each other: gates at where packets arrive. */
import { ipOffset, summarize } from '../observe/ip-frame.ts'
import type { StackNode } from './node.ts'
import type { Gate } from './port.ts'

/** Where a partition looks up its hosts. */
export interface PartitionedNetwork {
  /** Hosts and routers. */
  readonly hosts: readonly StackNode[]
  /** @throws {Error} for an unknown name */
  host(name: string): StackNode
}

/**
 * Sets the gates of a partition, in place of those of an earlier one. `addresses` has those of each
 * host by its name.
 * @throws {Error} for an unknown host, or one that is named twice
 */
export function partition(
  network: PartitionedNetwork,
  addresses: ReadonlyMap<string, readonly string[]>,
  groups: readonly (readonly string[])[],
): void {
  const groupOf = new Map<string, number>()
  for (const [index, names] of groups.entries())
    for (const name of names) {
      if (groupOf.has(network.host(name).name)) throw new Error(`${name} is in two groups of the partition.`)
      groupOf.set(name, index)
    }
  // One group alone is cut off from all other hosts.
  if (groups.length === 1)
    for (const { name, forwards } of network.hosts) if (!forwards && !groupOf.has(name)) groupOf.set(name, 1)
  heal(network.hosts)
  const owners = new Map<string, string>()
  for (const [name, each] of addresses) for (const address of each) owners.set(address, name)
  for (const [name, group] of groupOf) {
    const host = network.host(name)
    host.inputGate = gate(host, group, groupOf, owners)
  }
}

/** Ends a partition. */
export function heal(hosts: readonly StackNode[]): void {
  for (const host of hosts) host.inputGate = null
}

function gate(
  { name, forwards }: StackNode,
  group: number,
  groupOf: ReadonlyMap<string, number>,
  owners: ReadonlyMap<string, string>,
): Gate {
  return (packet, medium) => {
    const at = ipOffset(packet, medium)
    if (at < 0) return true
    const { source, destination } = summarize(packet, at)
    const from = groupOf.get(owners.get(source) ?? '')
    // A router passes on what is not addressed to it: the receiver's gate decides.
    return from === undefined || from === group || (forwards && owners.get(destination) !== name)
  }
}
