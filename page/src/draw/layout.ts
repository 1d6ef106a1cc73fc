/** Where nodes stand that were not put anywhere by hand: in columns, with few crossings. */
import { Graph, layout } from '@dagrejs/dagre'
import type { Topology, TopologyCable } from '../protocol.ts'
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

function laidOut(topology: Topology, first: string | undefined): Map<string, Point> {
  const laid = arrange(topology, first, {
    way: { rankdir: 'LR', nodesep: 46, ranksep: COLUMN - 84, edgesep: 20 },
    node: { width: 84, height: 50 },
    words: () => ({}),
  })
  return new Map(laid.nodes.map(([name, { x, y }]) => [name, [Math.round(x), Math.round(y)] as Point]))
}

/** What dagre is to know: the way that cables lead, the room of a node and that of the words at a cable. */
export interface Room {
  readonly way: { readonly rankdir: 'LR' | 'TB'; nodesep: number; ranksep: number; edgesep: number }
  readonly node: { readonly width: number; readonly height: number }
  words(cable: TopologyCable): { readonly width?: number; readonly height?: number }
}

/** The places of nodes that have a cable; the bends of cables, from end to end, with the middle of their words. */
export interface Arranged {
  readonly nodes: readonly (readonly [name: string, at: At])[]
  readonly cables: ReadonlyMap<TopologyCable, At & { readonly points: readonly At[] }>
}

interface At {
  readonly x: number
  readonly y: number
}

export function arrange({ nodes, cables }: Topology, first: string | undefined, room: Room): Arranged {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ ...room.way })
  graph.setDefaultEdgeLabel(() => ({}))
  const joined = new Set(cables.flatMap(({ ends }) => ends.map(({ node }) => node)))
  if (joined.size === 0) return { nodes: [], cables: new Map() }
  const rank = distances({ nodes, cables }, first)
  // dagre has its nodes as keys of objects, where a name such as 'constructor' is there before.
  const key = new Map(nodes.map(({ name }, index) => [name, `n${index}`]))
  for (const name of [...key.keys()].reverse())
    if (joined.has(name)) graph.setNode(key.get(name) as string, { ...room.node })
  const edges = cables.map((cable) => {
    const [a, b] = [cable.ends[0].node, cable.ends[1].node]
    const [from, to] = (rank.get(a) ?? 0) <= (rank.get(b) ?? 0) ? [a, b] : [b, a]
    const edge = { v: key.get(from) as string, w: key.get(to) as string, name: `${cable.index}` }
    graph.setEdge(edge, { labelpos: 'c', ...room.words(cable) })
    return [cable, edge] as const
  })
  layout(graph)
  return {
    nodes: [...joined].map((name) => [name, graph.node(key.get(name) as string) as At]),
    cables: new Map(
      edges.map(([cable, edge]) => {
        const { points, ...at } = graph.edge(edge) as Partial<At> & { points: At[] }
        // An edge without words has no place for them.
        const { x, y } = { ...(points[points.length >> 1] as At), ...at }
        return [cable, { x, y, points: edge.v === key.get(cable.ends[0].node) ? points : points.reverse() }]
      }),
    ),
  }
}
