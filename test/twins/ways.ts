import type { Member, RoutedDomain, RoutedNode, Way } from '../../src/network/addressing/routed.ts'

/**
 * The best way from a router to every domain that is not its own, by Dijkstra's algorithm with a
 * list for a queue, over all domains: the nearest first, of equals the one that was met first.
 */
export function slowWays(from: RoutedNode): Map<RoutedDomain, Way> {
  const found = new Map<RoutedDomain, Way>()
  const own = new Set(from.places.map(({ domain }) => domain))
  const done = new Set<RoutedNode>([from])
  const queue: { cost: number; node: RoutedNode; first: Way }[] = []
  const enter = (domain: RoutedDomain, cost: number, first: Way | null, { nic }: Member) => {
    for (const via of domain.members)
      if (via.node.forwards && !done.has(via.node) && via.nic.isUp)
        queue.push({ cost, node: via.node, first: first ?? { cost, nic, via } })
  }
  for (const { domain, member } of from.places) if (member.nic.isUp) enter(domain, domain.cost, null, member)
  while (queue.length > 0) {
    const least = Math.min(...queue.map(({ cost }) => cost))
    const at = queue.findIndex(({ cost }) => cost === least)
    const [{ node, cost, first }] = queue.splice(at, 1) as [(typeof queue)[0]]
    if (done.has(node)) continue
    done.add(node)
    for (const { domain, member } of node.places) {
      if (!member.nic.isUp) continue
      if (!own.has(domain) && !found.has(domain)) found.set(domain, { ...first, cost })
      enter(domain, cost + domain.cost, first, member)
    }
  }
  return found
}
