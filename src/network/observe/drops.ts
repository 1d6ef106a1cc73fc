/** What was discarded in a network: one row by node, nic and reason. */
import { Drop, type DropLayer, type DropName, dropLayer, dropName } from '../../base/drop.ts'

/** One reason for which something was discarded. */
export interface DropRow {
  node: string
  /** The nic at which, or on whose wire, it happened; `null` within the host. */
  nic: string | null
  reason: DropName
  layer: DropLayer
  count: number
}

/** What discards: a node with ports. */
export interface DroppingNode {
  readonly name: string
  /** `null` in a switch. */
  readonly stack: { readonly drops: readonly { readonly reason: DropName; readonly count: number }[] } | null
  readonly ports: readonly { readonly name: string; readonly drops: ReadonlyMap<Drop, number> }[]
}

export function dropRows(nodes: readonly DroppingNode[]): DropRow[] {
  const rows: DropRow[] = []
  const add = (node: string, nic: string | null, drop: Drop, count: number) => {
    if (count > 0) rows.push({ node, nic, reason: dropName(drop), layer: dropLayer(drop), count })
  }
  for (const { name, stack, ports } of nodes) {
    // A stack counts what its ports discarded too: the rest was within the host.
    const within = new Map<Drop, number>(stack?.drops.map(({ reason, count }) => [Drop[reason], count]))
    for (const port of ports)
      for (const [drop, count] of port.drops) {
        add(name, port.name, drop, count)
        within.set(drop, (within.get(drop) ?? 0) - count)
      }
    for (const [drop, count] of within) add(name, null, drop, count)
  }
  return rows
}
