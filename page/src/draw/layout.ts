/** Where nodes stand that were not put anywhere by hand: in columns, with few crossings. */
import { Graph, layout } from '@dagrejs/dagre'
import type { Topology } from '../protocol.ts'
import type { Places } from '../state/state.ts'

export type Point = readonly [x: number, y: number]

/** Above this the search for few crossings takes too long to wait for. */
const MOST_LAID_OUT = 150
const COLUMN = 190
const ROW = 96

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

/** How many cables each node is away from the first sender; others begin at 0 too. */
function distances({ nodes, cables }: Topology, first: string | undefined): Map<string, number> {
  const neighbors = new Map<string, string[]>(nodes.map(({ name }) => [name, []]))
  for (const { ends } of cables) {
    neighbors.get(ends[0].node)?.push(ends[1].node)
    neighbors.get(ends[1].node)?.push(ends[0].node)
  }
  const found = new Map<string, number>()
  const hosts = nodes.filter(({ kind }) => kind === 'host').map(({ name }) => name)
  for (const start of [first, ...hosts, ...neighbors.keys()]) {
    let front = start === undefined || found.has(start) ? [] : [start]
    for (let distance = 0; front.length > 0; distance++) {
      const fresh = [...new Set(front)].filter((name) => !found.has(name))
      for (const name of fresh) found.set(name, distance)
      front = fresh.flatMap((name) => neighbors.get(name) ?? [])
    }
  }
  return found
}

function inColumns(topology: Topology, first: string | undefined): Map<string, Point> {
  const filled: number[] = []
  return new Map(
    [...distances(topology, first)].map(([name, column]) => {
      const row = filled[column] ?? 0
      filled[column] = row + 1
      return [name, [column * COLUMN, row * ROW * 0.7] as Point]
    }),
  )
}

/** The nodes as one reads: by columns, then downwards. */
export function readingOrder(places: ReadonlyMap<string, Point>): string[] {
  return [...places].sort(([, a], [, b]) => Math.round((a[0] - b[0]) / 60) || a[1] - b[1]).map(([name]) => name)
}
