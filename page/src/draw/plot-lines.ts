/** Where the lines of a plot run: numbers of a plot as places in pixels. */
import type { Line, Plot } from '../../../src/cli/report/plot.ts'
import { logTicksOf, roundStep, short, tenth, ticksOf } from './axis.ts'
import { flowDash } from './palette.ts'

const [LEFT, RIGHT, TOP, BOTTOM] = [52, 14, 26, 34]

/** The scales of a plot. A place is a number of x, `from` and `to` are ends on the axis, which may be logarithms. */
export interface Framed {
  readonly left: number
  readonly inner: number
  readonly top: number
  readonly bottom: number
  readonly from: number
  readonly to: number
  readonly xTicks: readonly { readonly at: number; readonly text: string }[]
  readonly yTicks: readonly number[]
  xAt(place: number): number
  yAt(value: number): number
  onAxis(place: number): number
  /** What is under a pixel, on the axis. */
  atPixel(pixel: number): number
  isIn(place: number): boolean
  /** The row whose place is next to a pixel. */
  nearest(places: readonly number[], pixel: number): number
  /** A part of the axis within what there is; `null` for all of it. */
  bounded(from: number, to: number): readonly [number, number] | null
}

/** Where each x stands: numbers and quantities at theirs, other names side by side. */
export function placesOf({ x, at }: Plot): readonly number[] {
  return at ?? x.map((each, row) => (typeof each === 'number' ? each : row))
}

export function framed(
  plot: Plot,
  lines: readonly Line[],
  part: readonly [number, number] | null,
  width: number,
  height: number,
): Framed {
  const places = placesOf(plot)
  const onAxis = plot.log === true ? Math.log10 : (place: number) => place
  const [first, last] = [onAxis(Math.min(...places)), onAxis(Math.max(...places))]
  const pad = (last - first) * (plot.group === 'time' ? 0.005 : 0.03) || 0.5
  const [least, most] = [first - pad, last + pad]
  const [from, to] = part ?? [least, most]
  const inner = width - LEFT - RIGHT
  const bottom = height - BOTTOM
  const isIn = (place: number) => onAxis(place) >= from && onAxis(place) <= to
  const highest = Math.max(
    0,
    ...lines.flatMap(({ values, high = [] }) =>
      places.map((place, row) => (isIn(place) ? Math.max(values[row] ?? 0, high[row] ?? 0) : 0)),
    ),
  )
  const step = highest > 0 ? roundStep(highest / 4) : 0.5
  const ceiling = Math.ceil((highest || 1) / step - 1e-9) * step
  const xAt = (place: number) => tenth(LEFT + ((onAxis(place) - from) / (to - from)) * inner)
  const atPixel = (pixel: number) => from + ((pixel - LEFT) / inner) * (to - from)
  return {
    left: LEFT,
    inner,
    top: TOP,
    bottom,
    from,
    to,
    xTicks: xTicksOf(plot, places, [from, to], inner, isIn),
    yTicks: ticksOf(0, ceiling, ceiling / step),
    xAt,
    yAt: (value) => tenth(TOP + (bottom - TOP) * (1 - value / ceiling)),
    onAxis,
    atPixel,
    isIn,
    nearest(of, pixel) {
      const wanted = atPixel(pixel)
      let best = 0
      for (const [row, place] of of.entries())
        if (Math.abs(onAxis(place) - wanted) < Math.abs(onAxis(of[best] as number) - wanted)) best = row
      return best
    },
    bounded(begin, end) {
      const [low, high] = [Math.max(least, begin), Math.min(most, end)]
      return high - low >= (most - least) * 0.999 || high <= low ? null : [low, high]
    },
  }
}

/** Names where they stand, as many as there is room for; else round numbers. */
function xTicksOf(
  { x, at, log }: Plot,
  places: readonly number[],
  [from, to]: readonly [number, number],
  inner: number,
  isIn: (place: number) => boolean,
): { at: number; text: string }[] {
  const named = x.some((each) => typeof each === 'string')
  if (named) {
    const rows = [...x.keys()].filter((row) => isIn(places[row] as number))
    const room = Math.max(1, ...rows.map((row) => `${x[row]}`.length)) * 7 + 8
    const found: { at: number; text: string }[] = []
    let free = Number.NEGATIVE_INFINITY
    for (const row of rows) {
      const place = places[row] as number
      const pixel = (((log === true ? Math.log10(place) : place) - from) / (to - from)) * inner
      if (pixel < free) continue
      free = pixel + room
      found.push({ at: place, text: `${x[row]}` })
    }
    if (at === undefined || found.length > 0) return found
  }
  const wanted = Math.max(2, Math.floor(inner / 90))
  const values = log === true ? logTicksOf(10 ** from, 10 ** to, wanted) : ticksOf(from, to, wanted)
  return values.map((value) => ({ at: value, text: short(value) }))
}

/** A second channel beside the colour; what was sent is dotted. */
export function dashOf({ color, dashed }: Line): string {
  return dashed === true ? '2 3' : flowDash(color)
}

/** How many later lines run over most of this one. */
export function coincident(line: Line, lines: readonly Line[]): number {
  const own = line.values
  const most = Math.max(...lines.flatMap(({ values }) => values.map((value) => value ?? 0))) || 1
  return lines.slice(lines.indexOf(line) + 1).filter(({ values, dashed, dots }) => {
    // Dots, also those of what was sent, cover nothing.
    if (dashed !== line.dashed || dots === true) return false
    let [known, same] = [0, 0]
    for (const [row, value] of own.entries()) {
      const other = values[row] ?? null
      if (value === null || other === null) continue
      known++
      if (Math.abs(value - other) <= most * 0.004) same++
    }
    return known > 0 && same >= known * 0.6
  }).length
}

const point = (frame: Framed, place: number, value: number) =>
  `${frame.xAt(place).toFixed(1)} ${frame.yAt(value).toFixed(1)}`

export function pathOf(values: readonly (number | null)[], places: readonly number[], frame: Framed): string {
  let path = ''
  let pen = 'M'
  for (const [row, value] of values.entries()) {
    if (value === null) pen = 'M'
    else {
      path += pen + point(frame, places[row] as number, value)
      // One point alone would not be seen.
      if (pen === 'M') path += 'h0.5'
      pen = 'L'
    }
  }
  return path
}

/** The intervals as a band, which is broken where there is none. */
export function bandOf({ low = [], high = [] }: Line, places: readonly number[], frame: Framed): string {
  let path = ''
  for (let from = 0; from < places.length; from++) {
    let to = from
    while (to < places.length && low[to] !== null && high[to] !== null) to++
    const rows = Array.from({ length: to - from }, (_, index) => from + index)
    const ends = (values: readonly (number | null)[]) =>
      rows.map((row) => point(frame, places[row] as number, values[row] as number))
    if (rows.length > 1) path += `M${[...ends(high), ...ends(low).reverse()].join('L')}Z`
    from = to
  }
  return path
}

/** The intervals as bars with ends. */
export function barsOf({ low = [], high = [] }: Line, places: readonly number[], frame: Framed): string {
  return places
    .map((place, row) => {
      const [from, to] = [low[row] ?? null, high[row] ?? null]
      if (from === null || to === null || from === to) return ''
      const [x, bottom, top] = [frame.xAt(place), frame.yAt(from), frame.yAt(to)].map((each) => each.toFixed(1))
      const left = (Number(x) - 4).toFixed(1)
      return `M${x} ${bottom}V${top}M${left} ${bottom}h8M${left} ${top}h8`
    })
    .join('')
}
