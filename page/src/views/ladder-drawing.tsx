/** Frames as a ladder: a column for each node, time downwards, an arrow for each frame. */

import { tenth } from '../draw/axis.ts'
import { shortened } from '../draw/measures.ts'
import { flowColor, flowDash } from '../draw/palette.ts'
import { COPY, DAMAGED, LOST, MARKED, MORE, QUEUED } from '../protocol.ts'
import { select } from '../state/cursor.ts'
import type { Dropped, RunModel } from '../state/model.ts'
import * as state from '../state/state.ts'
import { timeText } from './words.ts'

export const ROW = 17
const LEFT = 84
const RIGHT = 120
/** Pixels beside the columns. */
export const BESIDE = LEFT + RIGHT
/** About as wide as a letter is. */
const LETTER = 6.4

interface Mark {
  readonly time: number
  readonly y: number
}

interface Arrow {
  readonly row: number
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
}

export interface Laid {
  readonly columns: readonly { readonly name: string; readonly x: number }[]
  readonly arrows: readonly Arrow[]
  readonly inside: readonly {
    readonly x: number
    readonly y: number
    readonly reason: string
    readonly datagram: number
  }[]
  readonly marks: readonly Mark[]
  readonly width: number
  readonly height: number
}

/** The names of the columns, which stay in sight. */
export function LadderNames({ laid }: { laid: Laid }) {
  return (
    <div class="names" style={{ width: `${laid.width}px` }}>
      {laid.columns.map(({ name, x }) => (
        <span key={name} style={{ left: `${x}px` }} title={name}>
          {shortened(name, 16)}
        </span>
      ))}
    </div>
  )
}

/** Elements of the window before are changed, not made anew: their place is their key. */
export function LadderLines({ laid, model, selected }: { laid: Laid; model: RunModel; selected: number }) {
  return (
    <>
      {laid.columns.map(({ name, x }) => (
        <path class="life" d={`M${x} 0V${laid.height}`} key={name} />
      ))}
      {laid.marks.map(({ time, y }, place) => (
        <text class="at" x={LEFT - 16} y={y + 4} key={place}>
          {timeText(time)}
        </text>
      ))}
      {laid.arrows.map((arrow, place) => (
        <FrameArrow arrow={arrow} model={model} selected={selected} key={place} />
      ))}
      {laid.inside.map(({ x, y, reason, datagram }) => (
        <g class="drop" key={`${datagram} ${y}`} onClick={(event) => picked(event, datagram)}>
          <path d={`M${x - 5} ${y - 5}l10 10m0 -10l-10 10`} />
          <text x={x + 10} y={y + 4}>
            {reason}
          </text>
        </g>
      ))}
    </>
  )
}

function picked(event: MouseEvent, datagram: number, at?: number): void {
  event.stopPropagation()
  select(datagram, at)
}

function FrameArrow({ arrow, model, selected }: { arrow: Arrow; model: RunModel; selected: number }) {
  const { row, x0, y0, x1, y1 } = arrow
  const { frames } = model.run
  const id = frames.datagram[row] as number
  const flags = frames.flags[row] as number
  const flow = model.flowOf(id)
  const color = flowColor(flow)
  const lost = (flags & LOST) !== 0
  const length = Math.hypot(x1 - x0, y1 - y0) || 1
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length]
  const corner = (side: number) => `${tenth(x1 - 8 * ux - side * 3.5 * uy)} ${tenth(y1 - 8 * uy + side * 3.5 * ux)}`
  const right = x1 >= x0
  const label = labelOf(model, row)
  const change = state.difference.value?.datagrams.get(id)
  return (
    <g
      class={`arrow${(frames.offset[row] as number) < 0 ? '' : ' fragment'}${selected === id ? ' selected' : selected > 0 ? ' other' : ''}`}
      onClick={(event) => picked(event, id, frames.start[row])}
    >
      <title>{detailsOf(model, row)}</title>
      <path class="grip" d={`M${x0} ${y0}L${x1} ${y1}`} />
      {change === undefined ? null : <path class={`change ${change}`} d={`M${x0} ${y0}L${x1} ${y1}`} />}
      <path d={`M${x0} ${y0}L${x1} ${y1}`} stroke={color} stroke-dasharray={flowDash(flow)} />
      {lost ? (
        <g class="drop">
          <path d={`M${x1 - 5} ${y1 - 5}l10 10m0 -10l-10 10`} />
          <text x={x1 + (right ? 10 : -10)} y={y1 + 4} text-anchor={right ? 'start' : 'end'}>
            {model.text(frames.reason[row] as number)}
          </text>
        </g>
      ) : (
        <path d={`M${x1} ${y1}L${corner(1)}L${corner(-1)}Z`} fill={color} stroke="none" />
      )}
      <text x={x0 + (right ? 7 : -7)} y={y0 - 4} text-anchor={right ? 'start' : 'end'}>
        {label}
      </text>
    </g>
  )
}

/** What a frame is, in a line. */
function labelOf(model: RunModel, row: number): string {
  const { frames, datagrams } = model.run
  const id = frames.datagram[row] as number
  const flags = frames.flags[row] as number
  const offset = frames.offset[row] as number
  const marks = [
    ...((flags & QUEUED) !== 0 ? ['waits'] : []),
    ...((flags & MARKED) !== 0 ? ['CE'] : []),
    ...((flags & DAMAGED) !== 0 ? ['damaged'] : []),
    ...((flags & COPY) !== 0 ? ['copy'] : []),
  ]
  const what =
    offset >= 0
      ? `frag ${offset}–${offset + (frames.part[row] as number) - 1}${(flags & MORE) === 0 ? ', the last' : ''}`
      : `${shortened(model.text(datagrams.title[id - 1] as number), 26)} ${frames.length[row]} B`
  return [`#${model.numberOf(id)} ${what} · ttl ${frames.ttl[row]}`, ...marks].join(' · ')
}

/** What the headers of a frame say, and when it was where. */
function detailsOf(model: RunModel, row: number): string {
  const { frames, datagrams } = model.run
  const id = frames.datagram[row] as number
  const at = (time: number) => `${time.toFixed(3)} ms`
  const [start, left, end] = [frames.start[row] as number, frames.left[row] as number, frames.end[row] as number]
  const identification = frames.identification[row] as number
  const isLost = ((frames.flags[row] as number) & LOST) !== 0
  return [
    labelOf(model, row),
    `${model.text(datagrams.title[id - 1] as number)}: ${model.text(frames.way[row] as number)}`,
    `${frames.length[row]} bytes, TTL ${frames.ttl[row]}${identification < 0 ? '' : `, identification ${identification}`}`,
    `leaves ${model.text(frames.from[row] as number)}.${model.text(frames.nic[row] as number)} at ${at(start)}` +
      (left > start ? `, its last bit at ${at(left)}` : ''),
    ...(Number.isNaN(end)
      ? []
      : isLost
        ? [`dropped at ${at(end)}: ${model.text(frames.reason[row] as number)}`]
        : [`arrives at ${model.text(frames.to[row] as number)} at ${at(end)}`]),
  ].join('\n')
}

/** The place of a time between the marks. */
export function yAt(marks: readonly Mark[], time: number): number {
  const index = marks.findLastIndex((mark) => mark.time <= time)
  if (index < 0) return 0
  const [mark, next] = [marks[index] as Mark, marks[index + 1]]
  if (next === undefined) return mark.y + Math.min(ROW, time > mark.time ? ROW : 0)
  return mark.y + ((next.y - mark.y) * (time - mark.time)) / (next.time - mark.time)
}

/** Points of time get rows of their own, with more room where time jumps. */
export function lay(
  model: RunModel,
  order: readonly string[],
  /** Frames, by the time at which they leave. */
  rows: readonly number[],
  /** Whether something that was discarded within a node is shown. */
  isShown: (drop: Dropped) => boolean,
  /** Pixels for all columns, as far as they can be spread. */
  room = 760,
): Laid {
  const { frames } = model.run
  const ends = new Set(
    rows.flatMap((row) => [model.text(frames.from[row] as number), model.text(frames.to[row] as number)]),
  )
  const names = order.filter((name) => ends.has(name))
  // Where there is much room a few columns do not take all of it.
  const widest = Math.max(300, room / 4)
  const step = Math.max(170, Math.min(widest, room / Math.max(1, names.length - 1)))
  const columns = names.map((name, index) => ({ name, x: LEFT + index * step }))
  const xOf = new Map(columns.map(({ name, x }) => [name, x]))
  const inside = model.drops.filter((drop) => drop.nic === '' && xOf.has(drop.node) && isShown(drop))
  /** The frame with which a datagram came that is discarded then; -1 for none that is shown. */
  const broughtBy = (time: number, datagram: number) =>
    rows.findLast((row) => frames.datagram[row] === datagram && model.frameEnd(row) <= time) ?? -1
  interface Slot {
    readonly time: number
    readonly kind: 'leaves' | 'arrives' | 'inside'
    readonly row: number
    /** Of what is discarded, among the drops. */
    readonly drop: number
    y: number
  }
  const slots: Slot[] = [
    ...rows.flatMap((row): Slot[] => [
      { time: frames.start[row] as number, kind: 'leaves', row, drop: -1, y: 0 },
      { time: model.frameEnd(row), kind: 'arrives', row, drop: -1, y: 0 },
    ]),
    ...inside.map(
      ({ time, datagram }, drop): Slot => ({ time, kind: 'inside', row: broughtBy(time, datagram), drop, y: 0 }),
    ),
  ]
  const rank = { arrives: 0, inside: 1, leaves: 2 }
  slots.sort((a, b) => a.time - b.time || a.row - b.row || rank[a.kind] - rank[b.kind])
  const marks: Mark[] = []
  let y = 14
  let before: Slot | undefined
  for (const slot of slots) {
    const gap = before === undefined ? 0 : slot.time - before.time
    if (before !== undefined && !(before.kind === 'arrives' && slot.kind !== 'arrives' && gap === 0))
      y += ROW + (gap > 100 ? 18 : gap > 1 ? 7 : 0)
    slot.y = y
    if (before === undefined || gap > 0) marks.push({ time: slot.time, y })
    before = slot
  }
  const leaves = new Map<number, number>()
  const arrives = new Map<number, number>()
  const within: number[] = []
  for (const slot of slots) {
    if (slot.kind === 'inside') within[slot.drop] = slot.y
    else (slot.kind === 'leaves' ? leaves : arrives).set(slot.row, slot.y)
  }
  const arrows = rows.flatMap((row): Arrow[] => {
    const x0 = xOf.get(model.text(frames.from[row] as number))
    if (x0 === undefined) return []
    const to = xOf.get(model.text(frames.to[row] as number)) ?? x0 + 60
    const isLost = ((frames.flags[row] as number) & LOST) !== 0
    // The mark stands behind what is written at the arrow's beginning.
    const near = Math.min(0.85, (labelOf(model, row).length * LETTER + 14) / step)
    const part = !isLost ? 1 : frames.lostAt[row] === frames.from[row] ? Math.max(0.45, near) : 0.85
    return [
      { row, x0, y0: leaves.get(row) as number, x1: tenth(x0 + (to - x0) * part), y1: arrives.get(row) as number },
    ]
  })
  return {
    columns,
    arrows,
    marks,
    inside: inside.map(({ node, reason, datagram }, index) => ({
      x: xOf.get(node) as number,
      y: within[index] as number,
      reason,
      datagram,
    })),
    width: LEFT + Math.max(0, columns.length - 1) * step + RIGHT,
    height: y + 40,
  }
}
