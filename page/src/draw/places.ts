/** Places of nodes without a search: in columns, by how many cables they are away from the first sender. */
import type { Topology } from '../protocol.ts'

export type Point = readonly [x: number, y: number]

export const COLUMN = 190
export const ROW = 96
/** Each brings nodes nearer to those that they are connected to. */
const SWEEPS = 6

/** A column for each distance, from left to right; in it, nodes stand beside their neighbors. */
export function inColumns(topology: Topology, first: string | undefined): Map<string, Point> {
  const distance = distances(topology, first)
  const columns: string[][] = []
  for (const [name, column] of distance) {
    columns[column] ??= []
    columns[column].push(name)
  }
  const neighbors = neighborsOf(topology)
  const y = new Map<string, number>()
  for (const names of columns) for (const [row, name] of names.entries()) y.set(name, row * ROW)
  for (let sweep = 0; sweep < SWEEPS; sweep++)
    for (const [column, names] of sweep % 2 === 0 ? columns.entries() : [...columns.entries()].reverse())
      align(names, y, (name) => (neighbors.get(name) ?? []).filter((other) => distance.get(other) !== column))
  return new Map([...distance].map(([name, column]) => [name, [column * COLUMN, Math.round(y.get(name) as number)]]))
}

/** Moves the nodes of a column to the middle of their neighbors, as far as they have room. */
function align(names: readonly string[], y: Map<string, number>, besides: (name: string) => readonly string[]): void {
  const wanted = names.map((name) => {
    const others = besides(name).map((other) => y.get(other) as number)
    const at =
      others.length === 0 ? (y.get(name) as number) : others.reduce((sum, each) => sum + each, 0) / others.length
    return { name, at }
  })
  wanted.sort((a, b) => a.at - b.at)
  let next = Number.NEGATIVE_INFINITY
  let moved = 0
  for (const { name, at } of wanted) {
    y.set(name, Math.max(at, next))
    moved += Math.max(at, next) - at
    next = Math.max(at, next) + ROW
  }
  for (const { name } of wanted) y.set(name, (y.get(name) as number) - moved / wanted.length)
}

function neighborsOf({ nodes, cables }: Topology): Map<string, string[]> {
  const neighbors = new Map<string, string[]>(nodes.map(({ name }) => [name, []]))
  for (const { ends } of cables) {
    neighbors.get(ends[0].node)?.push(ends[1].node)
    neighbors.get(ends[1].node)?.push(ends[0].node)
  }
  return neighbors
}

/** How many cables each node is away from the first sender; others begin at 0 too. */
export function distances(topology: Topology, first: string | undefined): Map<string, number> {
  const neighbors = neighborsOf(topology)
  const found = new Map<string, number>()
  const hosts = topology.nodes.filter(({ kind }) => kind === 'host').map(({ name }) => name)
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

const DIRECTIONS: Readonly<Record<string, Point>> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
}
/** The cosine of the angle between an arrow and a cable along which it leads. */
const ALONG = 0.5

/** The node to which a cable leads in the direction of an arrow key; `undefined` for none. */
export function besideOf(
  name: string,
  key: string,
  { cables }: Topology,
  places: ReadonlyMap<string, Point>,
): string | undefined {
  const [own, direction] = [places.get(name), DIRECTIONS[key]]
  if (own === undefined || direction === undefined) return undefined
  let best = ALONG
  let found: string | undefined
  for (const { ends } of cables)
    for (const [one, other] of [ends, [ends[1], ends[0]] as const]) {
      const at = one.node === name ? places.get(other.node) : undefined
      if (at === undefined) continue
      const [dx, dy] = [at[0] - own[0], at[1] - own[1]]
      const along = (dx * direction[0] + dy * direction[1]) / (Math.hypot(dx, dy) || 1)
      if (along > best) [best, found] = [along, other.node]
    }
  return found
}

/** The nodes as one reads: by columns, then downwards. */
export function readingOrder(places: ReadonlyMap<string, Point>): string[] {
  return [...places].sort(([, a], [, b]) => Math.round((a[0] - b[0]) / 60) || a[1] - b[1]).map(([name]) => name)
}
