/** A plot: lines over an axis of numbers or names, with a cursor, a zoom, and its numbers as a table. */
import { type Signal, signal, useSignal } from '@preact/signals'
import type { SVGAttributes } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Line, Plot } from '../../../src/cli/report/plot.ts'
import { short } from '../draw/axis.ts'
import { flowColor } from '../draw/palette.ts'
import { bandOf, barsOf, coincident, dashOf, type Framed, framed, pathOf, placesOf } from '../draw/plot-lines.ts'
import * as state from '../state/state.ts'

const HEIGHT = 190
/** As wide as it is drawn before it is known how wide it may be. */
const WIDTH = 560

/** What plots of a group share: where the pointer is, and the part of the axis that is shown. */
interface Shared {
  readonly row: Signal<number | null>
  readonly part: Signal<readonly [number, number] | null>
}

const groups = new Map<string, Shared>()
const fresh = (): Shared => ({ row: signal(null), part: signal(null) })

function sharedOf(group: string): Shared {
  const found = groups.get(group) ?? fresh()
  groups.set(group, found)
  return found
}

interface Given {
  readonly plot: Plot
  /** The row at which the rest of the page is; -1 for none. */
  readonly now?: number
  /** Something at this row was pointed at. */
  readonly go?: (row: number) => void
}

export function PlotFigure({ plot, now = -1, go }: Given) {
  const { title, note, see, xLabel, yLabel, x, lines } = plot
  const own = useRef<Shared | null>(null)
  own.current ??= plot.group === undefined ? fresh() : sharedOf(plot.group)
  const { row, part } = own.current
  const hidden = useSignal<readonly string[]>([])
  const box = useRef<HTMLDivElement>(null)
  const width = useSignal(WIDTH)
  useEffect(() => {
    const element = box.current as HTMLDivElement
    const observer = new ResizeObserver(() => {
      width.value = Math.max(240, element.clientWidth)
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  void state.theme.value
  // Under the heading of a report's part; in the page nothing is above it but the title.
  const Heading = state.isFrozen.value ? 'h3' : 'h2'
  const shown = lines.filter(({ name }) => !hidden.value.includes(name))
  const places = placesOf(plot)
  const frame = framed(plot, shown, part.value, width.value, HEIGHT)
  const at = row.value ?? now
  const isKnown = at >= 0 && at < x.length
  const moves = useMoves(plot, frame, places, own.current, go)
  const toggle = (name: string) => {
    hidden.value = hidden.value.includes(name) ? hidden.value.filter((each) => each !== name) : [...hidden.value, name]
  }
  return (
    <figure class="plot">
      <figcaption>
        <Heading>{title}</Heading>
        <p class="see">{see}</p>
        <p class="note">{note}</p>
      </figcaption>
      <div ref={box}>
        <svg
          width={width.value}
          height={HEIGHT}
          viewBox={`0 0 ${width.value} ${HEIGHT}`}
          tabIndex={0}
          role="img"
          aria-label={`${title}, ${yLabel} against ${xLabel}. ${see} Arrow keys move the cursor, + and − zoom.`}
          {...moves.handlers}
        >
          <Axes plot={plot} frame={frame} />
          {/* Cuts off what is beside the part that is shown. */}
          <svg
            aria-hidden="true"
            x={frame.left}
            y={0}
            width={frame.inner}
            height={HEIGHT}
            viewBox={`${frame.left} 0 ${frame.inner} ${HEIGHT}`}
          >
            {shown.map((line) => (
              <LineShape line={line} lines={shown} places={places} frame={frame} key={line.name} />
            ))}
          </svg>
          {isKnown && frame.isIn(places[at] as number) ? (
            <path class="cursor" d={`M${frame.xAt(places[at] as number).toFixed(1)} ${frame.top}V${frame.bottom}`} />
          ) : null}
          {moves.drawn.value === null ? null : (
            <rect
              class="chosen"
              x={Math.min(...moves.drawn.value)}
              y={frame.top}
              width={Math.abs(moves.drawn.value[1] - moves.drawn.value[0])}
              height={frame.bottom - frame.top}
            />
          )}
        </svg>
      </div>
      <p class="legend">
        {isKnown ? (
          <span class="at">
            {xLabel} {typeof x[at] === 'number' ? short(x[at]) : x[at]}
          </span>
        ) : null}
        {lines.map((line) => (
          <button
            type="button"
            key={line.name}
            aria-pressed={!hidden.value.includes(line.name)}
            title="shows or hides this line"
            onClick={() => toggle(line.name)}
          >
            <Sample line={line} /> {line.name}
            {isKnown ? <b> {valueText(line, at)}</b> : null}
          </button>
        ))}
        {part.value === null ? null : (
          <button type="button" class="link" onClick={() => (part.value = null)}>
            show all
          </button>
        )}
      </p>
      <Numbers plot={plot} />
    </figure>
  )
}

/** The pointer and the keys on a plot; `drawn` is the part that is being chosen, in pixels. */
function useMoves(
  { x }: Plot,
  frame: Framed,
  places: readonly number[],
  { row, part }: Shared,
  go: ((row: number) => void) | undefined,
) {
  const drawn = useSignal<readonly [number, number] | null>(null)
  const pixel = (event: PointerEvent) =>
    event.clientX - (event.currentTarget as SVGElement).getBoundingClientRect().left
  const move = (step: number) => {
    row.value = Math.max(0, Math.min(x.length - 1, (row.value ?? (step > 0 ? -1 : x.length)) + step))
    go?.(row.value)
  }
  const zoom = (factor: number) => {
    const middle = row.value === null ? (frame.from + frame.to) / 2 : frame.onAxis(places[row.value] as number)
    part.value = frame.bounded(middle - (middle - frame.from) * factor, middle + (frame.to - middle) * factor)
  }
  const keys: Record<string, () => void> = {
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    '+': () => zoom(0.5),
    '-': () => zoom(2),
    Escape: () => {
      part.value = null
      row.value = null
    },
  }
  const handlers: SVGAttributes<SVGSVGElement> = {
    onPointerMove(event) {
      const at = pixel(event)
      if (drawn.value !== null) drawn.value = [drawn.value[0], at]
      row.value = frame.nearest(places, at)
    },
    onPointerLeave() {
      row.value = null
      drawn.value = null
    },
    onPointerDown(event) {
      if (event.button === 0) drawn.value = [pixel(event), pixel(event)]
    },
    onPointerUp() {
      const [from, to] = drawn.value ?? [0, 0]
      drawn.value = null
      if (Math.abs(to - from) > 6)
        part.value = frame.bounded(frame.atPixel(Math.min(from, to)), frame.atPixel(Math.max(from, to)))
      else if (row.value !== null) go?.(row.value)
    },
    onDblClick() {
      part.value = null
    },
    onBlur() {
      row.value = null
    },
    onKeyDown(event) {
      const act = Object.hasOwn(keys, event.key) && !event.ctrlKey && !event.metaKey ? keys[event.key] : undefined
      if (act === undefined) return
      event.preventDefault()
      event.stopPropagation()
      act()
    },
  }
  return { handlers, drawn }
}

function Axes({ plot: { xLabel, yLabel }, frame }: { plot: Plot; frame: Framed }) {
  return (
    <g>
      {frame.yTicks.map((value) => (
        <g key={value}>
          <path class="grid" d={`M${frame.left} ${frame.yAt(value)}H${frame.left + frame.inner}`} />
          <text x={frame.left - 6} y={frame.yAt(value) + 4} text-anchor="end">
            {short(value)}
          </text>
        </g>
      ))}
      {frame.xTicks.map(({ at, text }) => (
        <g key={text}>
          <path class="grid" d={`M${frame.xAt(at)} ${frame.bottom}v4`} />
          <text x={frame.xAt(at)} y={frame.bottom + 16} text-anchor="middle">
            {text}
          </text>
        </g>
      ))}
      <text class="axis" x={0} y={11}>
        {yLabel}
      </text>
      <text class="axis" x={frame.left + frame.inner} y={HEIGHT - 3} text-anchor="end">
        {xLabel}
      </text>
    </g>
  )
}

function LineShape({
  line,
  lines,
  places,
  frame,
}: {
  line: Line
  lines: readonly Line[]
  places: readonly number[]
  frame: Framed
}) {
  const color = flowColor(line.color)
  // What another line covers is wider, and stays in sight on both sides of it.
  const over = coincident(line, lines)
  return (
    <g>
      {line.low === undefined ? null : line.bars === true ? (
        <path d={barsOf(line, places, frame)} stroke={color} fill="none" />
      ) : (
        <path d={bandOf(line, places, frame)} fill={color} opacity="0.14" />
      )}
      {line.dots === true ? null : (
        <path
          d={pathOf(line.values, places, frame)}
          fill="none"
          stroke={color}
          stroke-width={(line.dashed === true ? 1 : 1.6) + over * 3}
          stroke-dasharray={over > 0 ? '' : dashOf(line)}
          stroke-linejoin="round"
          opacity={over > 0 ? 0.55 : 1}
        />
      )}
      {line.bars === true || line.dots === true
        ? line.values.map((value, row) =>
            value === null ? null : (
              <circle
                key={places[row]}
                cx={frame.xAt(places[row] as number)}
                cy={frame.yAt(value)}
                r="2.5"
                fill={color}
              />
            ),
          )
        : null}
    </g>
  )
}

function Sample({ line }: { line: Line }) {
  return (
    <svg class="swatch" width="22" height="10" aria-hidden="true">
      {line.dots === true ? (
        <circle cx="11" cy="5" r="3" fill={flowColor(line.color)} />
      ) : (
        <path
          d="M0 5H22"
          stroke={flowColor(line.color)}
          stroke-dasharray={dashOf(line)}
          stroke-width={line.dashed === true ? 1.5 : 3}
        />
      )}
    </svg>
  )
}

function valueText({ values, low, high }: Line, row: number): string {
  const value = values[row] ?? null
  if (value === null) return '–'
  const [from, to] = [low?.[row] ?? null, high?.[row] ?? null]
  return from === null || to === null || from === to ? short(value) : `${short(value)} [${short(from)}, ${short(to)}]`
}

/** The numbers of a plot, with six digits; in a page they are made when they are asked for. */
function Numbers({ plot: { xLabel, yLabel, x, lines } }: { plot: Plot }) {
  const isOpen = useSignal(state.isFrozen.value)
  const columns = lines.flatMap(({ name, values, low, high }) => [
    { label: name, values },
    ...(low === undefined ? [] : [{ label: `${name}, least`, values: low }]),
    ...(high === undefined ? [] : [{ label: `${name}, most`, values: high }]),
  ])
  return (
    <details onToggle={(event) => (isOpen.value ||= event.currentTarget.open)}>
      <summary>Numbers, {yLabel}</summary>
      {isOpen.value ? (
        <div class="scroll" tabIndex={0} role="region" aria-label={`Numbers, ${yLabel}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">{xLabel}</th>
                {columns.map(({ label }) => (
                  <th scope="col" key={label}>
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {x.map((each, row) => (
                <tr key={each}>
                  <th scope="row">{each}</th>
                  {columns.map(({ label, values }) => (
                    <td class="number" key={label}>
                      {digits(values[row] ?? null)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </details>
  )
}

function digits(value: number | null): string {
  return value === null ? '' : `${Number(value.toPrecision(6))}`
}
