/** The packets on their cables at one time, painted over the drawing. */

import { LOST, QUEUED, type Topology } from '../protocol.ts'
import type { Change } from '../state/difference.ts'
import type { RunModel } from '../state/model.ts'
import { flowColor } from './palette.ts'
import type { Point } from './places.ts'

/** Where the drawing's origin is, in pixels, and how large nodes and packets are. */
export interface Frame {
  readonly x: number
  readonly y: number
  readonly size: number
}

/** What was painted where, for the pointer. */
export interface Target {
  readonly datagram: number
  readonly x: number
  readonly y: number
}

/** What is to be seen of packets. */
interface Look {
  readonly selected: number
  /** Milliseconds for which a drop is seen. */
  readonly recent: number
  /** Queues, as `node.nic`, whose CoDel is giving up or marking what comes out. */
  readonly acting: ReadonlySet<string>
  /** Datagrams that fare otherwise than before the last change are outlined. */
  readonly changes: ReadonlyMap<number, Change>
  readonly good: string
  readonly bad: string
  readonly ink: string
  readonly paper: string
}

interface Ways {
  /** By `node nic`: the nodes to which the cable leads, one after the other. */
  readonly cables: ReadonlyMap<string, readonly string[]>
  readonly places: ReadonlyMap<string, Point>
  /** Those that were asked for, by `node nic node`. */
  readonly legs: Map<string, readonly Leg[]>
}

/** A straight part of a way. */
interface Leg {
  readonly x: number
  readonly y: number
  readonly dx: number
  readonly dy: number
  readonly length: number
  readonly angle: number
}

/** From a node's middle to where its cable begins. */
const NODE = 44
/** Between packets at one place. */
const STACKED = 16
/** The sine of an angle from which on words are not turned: on their heads, or nearly, nobody reads them. */
const UPRIGHT = 0.5

/** Ways for frames: over a cable, and behind a segment over a second one. */
export function waysOf({ cables, nodes }: Topology, places: ReadonlyMap<string, Point>): Ways {
  const segments = new Set(nodes.filter(({ kind }) => kind === 'segment').map(({ name }) => name))
  const found = new Map<string, string[]>()
  for (const { ends } of cables)
    for (const [end, other] of [ends, [ends[1], ends[0]] as const]) {
      if (end.nic === '') continue
      found.set(`${end.node} ${end.nic}`, segments.has(other.node) ? [end.node, other.node] : [end.node])
    }
  return { cables: found, places, legs: new Map() }
}

/** The room that a packet takes on its cable. */
interface Spot {
  readonly x: number
  readonly y: number
  readonly half: number
}

export function paint(
  context: CanvasRenderingContext2D,
  model: RunModel,
  ways: Ways,
  time: number,
  view: Frame,
  look: Look,
): Target[] {
  const targets: Target[] = []
  const { frames } = model.run
  const rows: number[] = []
  model.inFlight(time, (row) => rows.push(row))
  const labelled = rows.length <= 40 && view.size > 0.7
  const queued = new Map<string, number>()
  /** How long the one that has waited longest does. */
  const longest = new Map<string, number>()
  const taken = new Map<string, Spot[][]>()
  for (const row of rows) {
    const id = frames.datagram[row] as number
    const from = model.text(frames.from[row] as number)
    const nic = model.text(frames.nic[row] as number)
    const [left, start] = [frames.left[row] as number, frames.start[row] as number]
    const length = frames.length[row] as number
    const color = flowColor(model.flowOf(id))
    if (time < left && ((frames.flags[row] as number) & QUEUED) !== 0) {
      const key = `${from} ${nic}`
      const waiting = queued.get(key) ?? 0
      queued.set(key, waiting + 1)
      longest.set(key, Math.max(longest.get(key) ?? 0, time - start))
      const at = beginOf(model, ways, row)
      if (at === null || waiting >= 40) continue
      const [x, y] = onScreen([at.x + at.nx * (16 + waiting * 3.2), at.y + at.ny * (16 + waiting * 3.2)], view)
      bar(context, x, y, at, color, view.size, id === look.selected)
      targets.push({ datagram: id, x, y })
      continue
    }
    const end = model.frameEnd(row)
    const share =
      time < left
        ? 0.04 * ((time - start) / Math.max(1e-9, left - start))
        : 0.04 + 0.96 * ((time - left) / Math.max(1e-9, end - left))
    const at = along(model, ways, row, share)
    if (at === null) continue
    const offset = frames.offset[row] as number
    const label = labelled ? `${frames.ttl[row]}${offset < 0 ? '' : `·${offset}`}` : ''
    // What would hide another of the same cable stands above it.
    const wide = label === '' ? 0 : context.measureText(label).width + 9
    // Words that are not turned with their cable lie across it: they need less of it, and more beside it.
    const [cos, sin] = [Math.abs(Math.cos(at.angle)), Math.abs(Math.sin(at.angle))]
    const isAcross = label !== '' && sin >= UPRIGHT
    const half = (isAcross ? Math.min(wide / cos, STACKED / sin) : wide) / 2
    const lanes = taken.get(`${from} ${nic}`) ?? []
    taken.set(`${from} ${nic}`, lanes)
    const isFree = (lane: readonly Spot[] = []) =>
      lane.every((spot) => Math.hypot(spot.x - at.x, spot.y - at.y) >= spot.half + half)
    const above = labelled ? [...lanes, []].findIndex(isFree) : 0
    if (above > 12) continue
    lanes[above] = [...(lanes[above] ?? []), { x: at.x, y: at.y, half }]
    const side = Math.cos(at.angle) >= 0 ? -1 : 1
    const beside = isAcross ? Math.min((wide + 2) / sin, STACKED / cos) : STACKED * view.size
    const shift = above * beside * side
    const [x, y] = onScreen([at.x - Math.sin(at.angle) * shift, at.y + Math.cos(at.angle) * shift], view)
    slice(context, x, y, at.angle, { id, color, length, label, isFragment: offset >= 0 }, view.size, look)
    targets.push({ datagram: id, x, y })
  }
  for (const [key, count] of queued) {
    if (count < 3) continue
    const row = rows.find(
      (each) => `${model.text(frames.from[each] as number)} ${model.text(frames.nic[each] as number)}` === key,
    )
    const at = row === undefined ? null : beginOf(model, ways, row)
    if (at === null) continue
    const reach = 22 + Math.min(count, 40) * 3.2
    const [x, y] = onScreen([at.x + at.nx * reach, at.y + at.ny * reach], view)
    const law = look.acting.has(key.replace(' ', '.')) ? ', CoDel acts' : ''
    words(context, `${count} wait, ${(longest.get(key) as number).toFixed(1)} ms${law}`, x, y, look.ink, look.paper)
  }
  paintDrops(context, model, ways, time, view, look, targets)
  return targets
}

function onScreen([x, y]: Point, { x: dx, y: dy }: Frame): [number, number] {
  return [x + dx, y + dy]
}

/** The way of a frame; none for one of which no end is known. */
function legsOf(model: RunModel, { cables, places, legs }: Ways, row: number): readonly Leg[] {
  const { from, nic, to } = model.run.frames
  const begin = `${model.text(from[row] as number)} ${model.text(nic[row] as number)}`
  const end = model.text(to[row] as number)
  const key = `${begin} ${end}`
  let found = legs.get(key)
  if (found === undefined) {
    const points = end === '' ? [] : [...(cables.get(begin) ?? []), end].map((name) => places.get(name))
    found = points.includes(undefined)
      ? []
      : (points as Point[]).slice(1).map((point, index) => {
          const [x, y] = points[index] as Point
          const [dx, dy] = [point[0] - x, point[1] - y]
          return { x, y, dx, dy, length: Math.hypot(dx, dy), angle: Math.atan2(dy, dx) }
        })
    legs.set(key, found)
  }
  return found
}

/** A place on the frame's way, and the direction there. */
function along(
  model: RunModel,
  ways: Ways,
  row: number,
  share: number,
): { x: number; y: number; angle: number } | null {
  const legs = legsOf(model, ways, row)
  let whole = 0
  for (const { length } of legs) whole += length
  const margin = Math.min(NODE, whole / 4)
  // A lost frame gets part of the way only.
  const far = ((model.run.frames.flags[row] as number) & LOST) !== 0 ? 0.72 : 1
  let rest = margin + share * far * (whole - 2 * margin)
  for (const leg of legs) {
    if (rest <= leg.length || leg === legs.at(-1)) {
      const part = leg.length === 0 ? 0 : rest / leg.length
      return { x: leg.x + leg.dx * part, y: leg.y + leg.dy * part, angle: leg.angle }
    }
    rest -= leg.length
  }
  return null
}

/** Where a cable begins at a node, with the direction beside it. */
function beginOf(model: RunModel, ways: Ways, row: number): { x: number; y: number; nx: number; ny: number } | null {
  const at = along(model, ways, row, 0)
  if (at === null) return null
  // Columns grow upwards, whatever the direction of the cable.
  const up = Math.cos(at.angle) >= 0 ? -1 : 1
  return { x: at.x, y: at.y, nx: -Math.sin(at.angle) * up, ny: Math.cos(at.angle) * up }
}

function bar(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  { nx, ny }: { nx: number; ny: number },
  color: string,
  scale: number,
  selected: boolean,
): void {
  const half = 6 * scale
  context.strokeStyle = color
  context.lineWidth = (selected ? 4 : 2.2) * scale
  context.beginPath()
  context.moveTo(x - ny * half, y + nx * half)
  context.lineTo(x + ny * half, y - nx * half)
  context.stroke()
}

/** A packet: as long as its bytes, its TTL on it; a fragment has an open side, and its offset. */
function slice(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  angle: number,
  packet: {
    readonly id: number
    readonly color: string
    readonly length: number
    readonly label: string
    readonly isFragment: boolean
  },
  size: number,
  { selected, changes, good, bad, ink, paper }: Look,
): void {
  const { id, color, label, isFragment } = packet
  const room = label === '' ? 0 : context.measureText(label).width + 7
  const half = Math.max(room, (8 + Math.min(26, (packet.length / 1500) * 26)) * size) / 2
  const tall = (label === '' ? 9 : 14) * Math.max(size, label === '' ? 0.5 : 1)
  context.save()
  context.translate(x, y)
  const turn = Math.abs(angle) > Math.PI / 2 ? angle + Math.PI : angle
  if (label === '' || Math.abs(Math.sin(turn)) < UPRIGHT) context.rotate(turn)
  context.fillStyle = paper
  context.fillRect(-half - 1.5, -tall / 2 - 1.5, 2 * half + 3, tall + 3)
  context.fillStyle = color
  context.fillRect(-half, -tall / 2, 2 * half, tall)
  if (isFragment) {
    context.fillStyle = paper
    for (const at of [-tall / 4, tall / 4]) context.fillRect(half - 2, at - 1.5, 2, 3)
  }
  const outline = (stroke: string, away: number) => {
    context.strokeStyle = stroke
    context.strokeRect(-half - away, -tall / 2 - away, 2 * (half + away), tall + 2 * away)
  }
  context.lineWidth = 1.5
  if (id === selected) outline(ink, 2.5)
  const change = changes.get(id)
  if (change !== undefined) {
    context.lineWidth = 2
    // Dashes say it without the colour.
    if (change === 'lost') context.setLineDash([4, 3])
    outline(change === 'lost' ? bad : good, 5.5)
  }
  if (label !== '') {
    context.fillStyle = isLight(color) ? '#111' : '#fff'
    context.fillText(label, 0, 1)
  }
  context.restore()
}

function isLight(color: string): boolean {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
  return red * 0.3 + green * 0.59 + blue * 0.11 > 120
}

function words(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  ink: string,
  paper: string,
): void {
  context.lineJoin = 'round'
  context.lineWidth = 4
  context.strokeStyle = paper
  context.fillStyle = ink
  context.strokeText(text, x, y)
  context.fillText(text, x, y)
}

/** What fell off in the last moments, at its place, with its reason. */
function paintDrops(
  context: CanvasRenderingContext2D,
  model: RunModel,
  ways: Ways,
  time: number,
  view: Frame,
  look: Look,
  targets: Target[],
): void {
  const seen = new Map<string, number>()
  for (const drop of model.dropsIn(time - look.recent, time)) {
    const key = `${drop.node} ${drop.nic}`
    const count = (seen.get(key) ?? 0) + 1
    seen.set(key, count)
    if (count > 3) continue
    const row = model
      .framesOf(drop.datagram)
      .findLast(
        (each) => model.run.frames.end[each] === drop.time && ((model.run.frames.flags[each] as number) & LOST) !== 0,
      )
    const place = row === undefined ? ways.places.get(drop.node) : lostPlace(model, ways, row)
    if (place === undefined || place === null) continue
    const age = Math.min(1, (time - drop.time) / Math.max(1e-9, look.recent))
    const [x, y] = onScreen([place[0], place[1] + (row === undefined ? 34 : 0)], view)
    const fall = y + (18 + age * 16 + (count - 1) * 16) * view.size
    context.globalAlpha = 1 - age * age * 0.8
    context.strokeStyle = look.bad
    context.lineWidth = 2
    context.beginPath()
    for (const side of [-1, 1]) {
      context.moveTo(x - 5, fall - 5 * side)
      context.lineTo(x + 5, fall + 5 * side)
    }
    context.stroke()
    if (count === 1) {
      // At the right edge there is no room behind the mark.
      const isFar = x + 14 + context.measureText(drop.reason).width > context.canvas.clientWidth
      context.textAlign = isFar ? 'right' : 'left'
      words(context, drop.reason, x + (isFar ? -10 : 10), fall + 1, look.bad, look.paper)
      context.textAlign = 'center'
    }
    context.globalAlpha = 1
    targets.push({ datagram: drop.datagram, x, y: fall })
  }
}

function lostPlace(model: RunModel, ways: Ways, row: number): Point | null {
  const { frames } = model.run
  const nearStart = frames.lostAt[row] === frames.from[row]
  const at = along(model, ways, row, nearStart && frames.start[row] === frames.end[row] ? 0.12 : 1)
  return at === null ? null : [at.x, at.y]
}
