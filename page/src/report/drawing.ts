/**
 * The drawing of a report's network, by dagre, which also makes room for the words at cables. It is
 * made where the run is: a browser gets places, and not the search for them.
 */
import type { Drawing, DrawnCable, Place } from '../../../src/cli/report/report-data.ts'
import { type Arranged, arrange } from '../draw/layout.ts'
import { HEIGHT, LINE, shortened, WIDTH, wordsOf } from '../draw/measures.ts'
import type { Topology, TopologyCable } from '../protocol.ts'

/** Above this a drawing would hide what it shows. */
const MOST_DRAWN = 200
/** What a screen of 1280 pixels leaves to it. */
const WIDE = 1230
/** A node with the words above and below it. */
const NODE = { width: WIDTH + 24, height: HEIGHT + 26 }
/** A drawing that leads to the right is shrunk so far before it leads downwards. */
const LEAST_SCALE = 0.8
const LETTER = 6.6
/** Letters of a line at a cable; a fault may be described at length. */
const MOST_LETTERS = 30
const MARGIN = 12

/** `null` where there is nothing, or too much, to draw. */
export function drawingOf(topology: Topology, first: string | undefined): Drawing | null {
  const { nodes } = topology
  if (nodes.length === 0 || nodes.length > MOST_DRAWN) return null
  // To the right, as one reads; downwards where that would be too wide.
  const [right, down] = (['LR', 'TB'] as const).map((rankdir) => drawn(topology, first, rankdir)) as [Drawing, Drawing]
  const scale = ({ width }: Drawing) => Math.min(1, WIDE / width)
  return scale(right) >= Math.min(LEAST_SCALE, scale(down)) ? right : down
}

function drawn(topology: Topology, first: string | undefined, rankdir: 'LR' | 'TB'): Drawing {
  const mtu = commonest(topology.cables.map((cable) => cable.mtu))
  const laid = arrange(topology, first, {
    way: { rankdir, nodesep: 14, ranksep: rankdir === 'LR' ? 72 : 44, edgesep: 12 },
    node: NODE,
    words: (cable) => roomOf(linesOf(cable, mtu, '→←')),
  })
  const turn = isReversed(topology, laid, rankdir) ? -1 : 1
  const at = ({ x, y }: { x: number; y: number }): Place => (rankdir === 'LR' ? [x, turn * y] : [turn * x, y])
  const places = new Map<string, Place>(laid.nodes.map(([name, place]) => [name, at(place)]))
  addLoose(topology, places)
  const cables = topology.cables.map((cable) => {
    const [from, to] = cable.ends.map(({ node }) => places.get(node)) as [Place, Place]
    const { points, ...middle } = laid.cables.get(cable) as NonNullable<ReturnType<Arranged['cables']['get']>>
    return {
      // The first and last are on the edges of the room of a node, not of its box.
      points: [from, ...points.slice(1, -1).map(at), to],
      at: at(middle),
      lines: linesOf(cable, mtu, arrowsOf(from, to)),
    }
  })
  return {
    ...framed(
      topology.nodes.map(({ name }) => places.get(name) as Place),
      cables,
    ),
    mtu,
    rankdir,
  }
}

/** Whether nodes that stand beside each other are rather in the reverse order of the file: dagre does not mind. */
function isReversed({ nodes }: Topology, laid: Arranged, rankdir: 'LR' | 'TB'): boolean {
  const place = new Map(laid.nodes)
  const last = new Map<number, number>()
  let forward = 0
  for (const { name } of nodes) {
    const at = place.get(name)
    if (at === undefined) continue
    const [rank, beside] = rankdir === 'LR' ? [at.x, at.y] : [at.y, at.x]
    const before = last.get(rank)
    if (before !== undefined) forward += Math.sign(beside - before)
    last.set(rank, beside)
  }
  return forward < 0
}

function arrowsOf(from: Place, to: Place): string {
  const [across, along] = [to[0] - from[0], to[1] - from[1]]
  if (Math.abs(across) >= Math.abs(along)) return across >= 0 ? '→←' : '←→'
  return along >= 0 ? '↓↑' : '↑↓'
}

/** Nodes without a cable stand in a row below the others. */
function addLoose({ nodes }: Topology, places: Map<string, Place>): void {
  const lowest = Math.max(-NODE.height, ...[...places.values()].map(([, y]) => y))
  const loose = nodes.filter(({ name }) => !places.has(name))
  for (const [index, { name }] of loose.entries())
    places.set(name, [
      NODE.width / 2 + (NODE.width + 14) * (index % 9),
      lowest + (NODE.height + 14) * (1 + Math.floor(index / 9)),
    ])
}

/** An MTU that is not that of most cables, what loses packets, and all else, in lines of their own. */
function linesOf(cable: TopologyCable, mtu: number, arrows: string): DrawnCable['lines'] {
  const { name, ends } = cable
  const isNamed = !name.startsWith(`${ends[0].node}-${ends[1].node}`)
  const words = wordsOf(cable, arrows)
  const losing = words.filter((word) => LOSING.test(word))
  const line = (mark: DrawnCable['lines'][number]['mark']) => (text: string) => ({
    text: shortened(text, MOST_LETTERS),
    mark,
  })
  return [
    ...(isNamed ? [name] : []).map(line('')),
    ...(cable.mtu === mtu ? [] : [`MTU ${cable.mtu}`]).map(line('mtu')),
    ...joined(words.filter((word) => !LOSING.test(word))).map(line('')),
    ...joined(losing).map(line('loses')),
  ]
}

const LOSING = /^(\S )?(loss|corruption|black hole)/

/** Words in lines; what has an arrow begins a line. */
function joined(words: readonly string[]): string[] {
  const lines: string[] = []
  for (const word of words) {
    const [line = '', arrow] = [lines.at(-1), /^[→←↓↑] /.exec(word)?.[0]]
    const goesOn = arrow === undefined ? word : line.startsWith(arrow) ? word.slice(arrow.length) : null
    if (goesOn !== null && line !== '' && line.length + goesOn.length + 2 <= MOST_LETTERS / 1.5)
      lines[lines.length - 1] = `${line}, ${goesOn}`
    else lines.push(word)
  }
  return lines
}

function roomOf(lines: DrawnCable['lines']): { width?: number; height?: number } {
  if (lines.length === 0) return {}
  return { width: LETTER * Math.max(...lines.map(({ text }) => text.length)) + 6, height: LINE * lines.length + 6 }
}

/** All of it from `MARGIN` on, in whole pixels. */
function framed(nodes: readonly Place[], cables: readonly DrawnCable[]): Omit<Drawing, 'mtu' | 'rankdir'> {
  const around = (at: Place, { width = 0, height = 0 }): Place[] => [
    [at[0] - width / 2, at[1] - height / 2],
    [at[0] + width / 2, at[1] + height / 2],
  ]
  const all = [
    ...nodes.flatMap((at) => around(at, NODE)),
    ...cables.flatMap(({ points, at, lines }) => [...points, ...around(at, roomOf(lines))]),
  ]
  const left = Math.min(...all.map(([x]) => x)) - MARGIN
  const top = Math.min(...all.map(([, y]) => y)) - MARGIN
  const moved = ([x, y]: Place): Place => [Math.round(x - left), Math.round(y - top)]
  const [width, height] = moved([
    Math.max(...all.map(([x]) => x)) + MARGIN,
    Math.max(...all.map(([, y]) => y)) + MARGIN,
  ])
  return {
    width,
    height,
    nodes: nodes.map(moved),
    cables: cables.map(({ points, at, lines }) => ({ points: points.map(moved), at: moved(at), lines })),
  }
}

/** The first of those that are there most often; 1500 for none. */
function commonest(values: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best), [1500, 0])[0]
}
