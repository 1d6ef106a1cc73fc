/**
 * The packet ladder: a column for each node, time downwards, an arrow for each frame; fragments,
 * copies and drops are marked.
 */

import { icmpName } from '../../network/observe/icmp-names.ts'
import type { Summary } from '../../network/observe/ip-frame.ts'
import { protocolNames } from '../../wire/text.ts'
import type { Hop, Moment } from './life.ts'
import { backdrop, html, type Markup, rounded } from './markup.ts'
import type { Recorded } from './recorder.ts'

/** Between two columns: as wide as a screen allows, within bounds. */
const LEAST_COLUMN = 240
const MOST_COLUMN = 420
const SCREEN = 1050
/** For the times at the left, and for labels at the right of the last node. */
const LEFT = 130
const RIGHT = 190
const ROW = 17
/** Where time jumps by this many milliseconds, and a hundred times as many, there is more room. */
const JUMP = 1

/** What happens at one height: frames leave and arrive, or something is discarded. */
interface Point {
  readonly moment: Moment
  readonly recorded: Recorded
  readonly kind: 'leaves' | 'arrives' | 'lost' | 'dropped'
  y: number
}

/** Draws a column for each node that has packets. `order` lists the nodes from left to right. */
export function drawLadder(recorded: readonly Recorded[], order: readonly string[]): Markup {
  const points = pointsOf(recorded)
  const used = new Set(points.map(({ moment }) => moment.node))
  const columns = order.filter((name) => used.has(name))
  const step = Math.max(LEAST_COLUMN, Math.min(MOST_COLUMN, SCREEN / Math.max(1, columns.length - 1)))
  const xOf = new Map(columns.map((name, index) => [name, LEFT + Math.round(index * step)]))
  const { height, times } = placeInTime(points)
  const yOf = new Map(points.map(({ moment, y }) => [moment, y]))
  const width = LEFT + Math.round(Math.max(0, columns.length - 1) * step) + RIGHT
  const x = (node: string) => xOf.get(node) as number
  const y = (moment: Moment) => yOf.get(moment) as number
  const hops = recorded.flatMap((each) => each.life.hops.map((hop) => ({ ...each, hop })))
  return html`<div class="scroll ladder"><svg class="names" width="${width}" height="34" aria-hidden="true">
    ${columns.map((name) => html`<text x="${x(name)}" y="22">${name}</text>`)}</svg>
<svg width="${width}" height="${height}" role="img" aria-label="Packet ladder">
<g class="lifelines">${columns.map((name) => html`<path d="M${x(name)} 0V${height}"/>`)}</g>
<g class="times">${times.map(
    ({ time, y: at }) => html`
  <path d="M${LEFT - 30} ${at}H${width - RIGHT}"/><text x="${LEFT - 36}" y="${at + 4}">
  ${time.toFixed(3)}</text>`,
  )}</g>
${hops.map(({ hop, datagram, flow }) => arrows(hop, datagram.packet, flow, x, y, order))}
${hops.map(({ hop, datagram, flow }) => label(hop, datagram.id, datagram.packet, flow, x, y, order))}
${recorded.flatMap(({ life }) => life.drops.map((drop) => dropMark(x(drop.node), y(drop), drop.reason)))}
</svg></div>
`
}

// ── where ──

function pointsOf(recorded: readonly Recorded[]): Point[] {
  const points = recorded.flatMap((each) => {
    const point = (moment: Moment, kind: Point['kind']): Point => ({ moment, recorded: each, kind, y: 0 })
    return [
      ...each.life.hops.flatMap(({ start, arrivals, lost }) => [
        point(start, 'leaves'),
        ...arrivals.map((moment) => point(moment, 'arrives')),
        ...(lost === null ? [] : [point(lost, 'lost')]),
      ]),
      ...each.life.drops.map((moment) => point(moment, 'dropped')),
    ]
  })
  return points.sort(
    (a, b) =>
      a.moment.time - b.moment.time ||
      a.recorded.datagram.id - b.recorded.datagram.id ||
      a.moment.order - b.moment.order,
  )
}

/** Each point gets a row, but what arrives and goes on, or is discarded, at once. */
function placeInTime(points: readonly Point[]): { height: number; times: { time: number; y: number }[] } {
  const times: { time: number; y: number }[] = []
  let y = 4
  let before: Point | undefined
  for (const point of points) {
    const gap = before === undefined ? 0 : point.moment.time - before.moment.time
    const goesOn =
      before?.kind === 'arrives' &&
      point.kind !== 'arrives' &&
      gap === 0 &&
      before.recorded === point.recorded &&
      before.moment.node === point.moment.node
    if (!goesOn) y += ROW + (gap > JUMP * 100 ? 20 : gap > JUMP ? 8 : 0)
    point.y = y
    if (before === undefined || gap > 0) times.push({ time: point.moment.time, y })
    before = point
  }
  return { height: y + ROW, times }
}

// ── shapes ──

function arrows(
  hop: Hop,
  packet: Summary,
  flow: number,
  x: (node: string) => number,
  y: (moment: Moment) => number,
  order: readonly string[],
): Markup {
  const { start, arrivals, lost } = hop
  const [x0, y0] = [x(start.node), y(start)]
  const kind = `frame ${colorClass(flow, packet)}${hop.packet.fragment === null ? '' : ' fragment'}`
  const lines = arrivals.map((end, index) => {
    const copy = arrivals.slice(0, index).some(({ node }) => node === end.node)
    return html`<g class="${kind}${copy ? ' copy' : ''}">${arrow(x0, y0, x(end.node), y(end))}</g>`
  })
  if (lost !== null) {
    const [x1, y1] = [lostX(hop, x, order), y(lost)]
    lines.push(html`<g class="${kind}"><path d="M${x0} ${y0}L${x1} ${y1}"/></g>${dropMark(x1, y1, lost.reason)}`)
  } else if (arrivals.length === 0)
    lines.push(html`<g class="${kind} copy"><path d="M${x0} ${y0}h${toRight(hop, order) ? 60 : -60}"/></g>`)
  return html`${lines}
`
}

function arrow(x0: number, y0: number, x1: number, y1: number): Markup {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length]
  const corner = (side: number) => `${rounded(x1 - 8 * ux - side * 3.5 * uy)} ${rounded(y1 - 8 * uy + side * 3.5 * ux)}`
  return html`<path d="M${x0} ${y0}L${x1} ${y1}"/><path class="head" d="M${x1} ${y1}L${corner(1)}L${corner(-1)}Z"/>`
}

/** On the way to the node where it would have come, or in front of the one that refused it. */
function lostX(hop: Hop, x: (node: string) => number, order: readonly string[]): number {
  const { start, lost } = hop
  const from = x(start.node)
  if (lost !== null && lost.node !== start.node) return from + (x(lost.node) - from) * 0.8
  return from + (toRight(hop, order) ? 1 : -1) * LEAST_COLUMN * 0.5
}

/** `order` is that of the nodes from left to right. */
function toRight({ toward, start }: Hop, order: readonly string[]): boolean {
  return toward === undefined || order.indexOf(toward) >= order.indexOf(start.node)
}

function dropMark(x: number, y: number, reason: string): Markup {
  return html`<g class="drop"><path d="M${x - 5} ${y - 5}l10 10m0 -10l-10 10"/><text
    x="${x + 11}" y="${y + 4}">${reason}</text></g>`
}

/** Where the frame leaves: what it is; the rest of its headers shows under the pointer. */
function label(
  hop: Hop,
  id: number,
  whole: Summary,
  flow: number,
  x: (node: string) => number,
  y: (moment: Moment) => number,
  order: readonly string[],
): Markup {
  const { start, packet } = hop
  const right = toRight(hop, order)
  const marks = [
    ...(hop.queued ? ['waits'] : []),
    ...(hop.corrupted ? ['damaged'] : []),
    ...(hop.arrivals.length > 1 ? ['copies'] : []),
  ]
  const text = [`#${id} ${frameText(packet, whole)}`, ...marks].join(', ')
  return html`${backdrop(x(start.node) + (right ? 9 : -9), y(start) - 3, text, right ? 'start' : 'end')}
    <text class="what ${colorClass(flow, whole)}${right ? '' : ' left'}"
    x="${x(start.node) + (right ? 11 : -11)}"
    y="${y(start) - 3}">${text}<title>${details(hop, id, whole)}</title></text>
`
}

function frameText({ fragment, length, flags }: Summary, whole: Summary): string {
  if (fragment !== null)
    return `frag ${fragment.offset}–${fragment.offset + fragment.length - 1}${fragment.more ? '' : ', the last'}`
  if (whole.type !== null) return icmpName(whole.family, whole.type, whole.code ?? 0)
  const name = protocolNames[whole.protocol] ?? `protocol ${whole.protocol}`
  return `${name}${flags === null ? '' : ` [${flags}]`}, ${length} B`
}

function details({ start, nic, packet, left, arrivals, lost }: Hop, id: number, whole: Summary): string {
  const { source, destination, hopLimit, length, fragment } = packet
  const at = (time: number) => `${time.toFixed(3)} ms`
  const ports = [packet.sourcePort ?? whole.sourcePort, packet.destinationPort ?? whole.destinationPort]
  return [
    `datagram ${id}: ${frameText(packet, whole)}`,
    `${source} > ${destination}${ports[0] === null ? '' : `, ports ${ports.join(' > ')}`}`,
    `${length} bytes, hop limit ${hopLimit}${fragment === null ? '' : `, identification ${fragment.identification}`}`,
    `leaves ${start.node}.${nic} at ` +
      `${at(start.time)}${left === null || left === start.time ? '' : `, its last bit at ${at(left)}`}`,
    ...arrivals.map(({ node, time }) => `arrives at ${node} at ${at(time)}`),
    ...(lost === null ? [] : [`dropped at ${at(lost.time)}: ${lost.reason}`]),
  ].join('\n')
}

/** Flows have the colours of the plots. */
function colorClass(flow: number, { type }: Summary): string {
  return flow < 0 || type !== null ? 'other' : `c${flow % 8}`
}
