/** Where nodes stand that were not put anywhere by hand: in columns, with few crossings. */
import { Graph, layout } from '@dagrejs/dagre'
import type { Topology } from '../protocol.ts'
import type { Places } from '../state/state.ts'
import { COLUMN, distances, inColumns, type Point, ROW } from './places.ts'

/** Above this the search for few crossings takes too long to wait for. */
const MOST_LAID_OUT = 150

/** A place for each node: the one by hand, else one that was found. */
export function placesOf({ nodes, cables }: Topology, first: string | undefined, byHand: Places): Map<string, Point> {
  const found = nodes.length > MOST_LAID_OUT ? inColumns({ nodes, cables }, first) : laidOut({ nodes, cables }, first)
  // Nodes without a cable stand below the others.
  const lowest = Math.max(0, ...[...found.values()].map(([, y]) => y))
  let alone = 0
  const places = new Map<string, Point>()
  for (const { name } of nodes) {
    const own = Object.hasOwn(byHand, name) ? byHand[name] : undefined
    places.set(name, own ?? found.get(name) ?? [(alone++ % 6) * COLUMN, lowest + ROW * (1 + Math.floor(alone / 6))])
  }
  return places
}

function laidOut({ nodes, cables }: Topology, first: string | undefined): Map<string, Point> {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ rankdir: 'LR', nodesep: 46, ranksep: COLUMN - 84, edgesep: 20 })
  graph.setDefaultEdgeLabel(() => ({}))
  const joined = new Set(cables.flatMap(({ ends }) => ends.map(({ node }) => node)))
  const rank = distances({ nodes, cables }, first)
  // dagre has its nodes as keys of objects, where a name such as 'constructor' is there before.
  const key = new Map(nodes.map(({ name }, index) => [name, `n${index}`]))
  for (const name of key.keys()) if (joined.has(name)) graph.setNode(key.get(name) as string, { width: 84, height: 50 })
  for (const { ends, index } of cables) {
    const [a, b] = [ends[0].node, ends[1].node]
    const [from, to] = (rank.get(a) ?? 0) <= (rank.get(b) ?? 0) ? [a, b] : [b, a]
    graph.setEdge(key.get(from) as string, key.get(to) as string, {}, `${index}`)
  }
  if (joined.size === 0) return new Map()
  layout(graph)
  return new Map(
    [...joined].map((name) => {
      const { x, y } = graph.node(key.get(name) as string) as { x: number; y: number }
      return [name, [Math.round(x), Math.round(y)] as Point]
    }),
  )
}
