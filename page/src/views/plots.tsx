/** The run over time: lines of each flow, with the cursor in all of them. */
import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Line, Plot } from '../../../src/cli/report/plot.ts'
import { flowColor, flowDash } from '../draw/palette.ts'
import { seek } from '../state/actions.ts'
import * as state from '../state/state.ts'
import { Swatch } from './flows.tsx'

const HEIGHT = 150
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 10, 8, 22]

export function PlotsView() {
  const plots = state.model.value?.run.plots ?? []
  void state.theme.value
  if (plots.length === 0) return <p class="empty">Plots need a flow that sends something.</p>
  return (
    <div class="plots scroll" tabIndex={0} role="region" aria-label="Plots">
      {plots.map((plot) => (
        <PlotFigure plot={plot} key={plot.title} />
      ))}
    </div>
  )
}

function PlotFigure({ plot }: { plot: Plot }) {
  const { title, note, yLabel, lines } = plot
  const box = useRef<HTMLDivElement>(null)
  const cursor = useRef<SVGPathElement>(null)
  const width = useSignal(480)
  useEffect(() => {
    const element = box.current as HTMLDivElement
    const observer = new ResizeObserver(() => {
      width.value = Math.max(200, element.clientWidth)
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const x = plot.x as readonly number[]
  const last = ((x.at(-1) ?? 1) + ((x[1] ?? 0) - (x[0] ?? 0)) / 2) * 1000
  const top = niceTop(
    Math.max(0, ...lines.flatMap(({ values, high = [] }) => [...values, ...high]).map((value) => value ?? 0)),
  )
  const inner = width.value - LEFT - RIGHT
  const xAt = (seconds: number) => LEFT + (seconds * 1000 * inner) / last
  const yAt = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)
  useSignalEffect(() => {
    const at = LEFT + (Math.min(state.time.value, last) * (width.value - LEFT - RIGHT)) / last
    cursor.current?.setAttribute('d', `M${at} ${TOP}V${HEIGHT - BOTTOM}`)
  })
  const go = (event: MouseEvent) => {
    const { left } = (event.currentTarget as SVGElement).getBoundingClientRect()
    state.isPlaying.value = false
    seek(((event.clientX - left - LEFT) * last) / inner)
  }
  return (
    <figure>
      <figcaption>
        <b>{title}</b>, {yLabel} <span class="muted">{note}</span>
      </figcaption>
      <div ref={box}>
        <svg width={width.value} height={HEIGHT} onClick={go} role="img" aria-label={`${title} over time`}>
          {[0, 0.5, 1].map((share) => (
            <g key={share}>
              <path class="grid" d={`M${LEFT} ${yAt(top * share)}H${width.value - RIGHT}`} />
              <text x={LEFT - 6} y={yAt(top * share) + 4} text-anchor="end">
                {short(top * share)}
              </text>
            </g>
          ))}
          {[0, 0.25, 0.5, 0.75, 1].map((share) => (
            <text
              key={share}
              x={LEFT + inner * share}
              y={HEIGHT - 6}
              text-anchor={share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}
            >
              {short((last * share) / 1000)} s
            </text>
          ))}
          {lines.map((line) => (
            <g key={line.name}>
              {line.low !== undefined && line.high !== undefined ? (
                <path d={bandOf(line, x, xAt, yAt)} fill={flowColor(line.color)} opacity="0.14" />
              ) : null}
              <path
                d={pathOf(line.values, x, xAt, yAt)}
                fill="none"
                stroke={flowColor(line.color)}
                stroke-width={line.dashed === true ? 1 : 1.6}
                stroke-dasharray={line.dashed === true ? '2 3' : flowDash(line.color)}
              >
                <title>{line.name}</title>
              </path>
            </g>
          ))}
          <path class="cursor" ref={cursor} />
        </svg>
      </div>
      <p class="legend">
        {lines
          .filter(({ dashed }) => dashed !== true)
          .map(({ name, color }) => (
            <span key={name}>
              <Swatch flow={color} /> {name}
            </span>
          ))}
      </p>
    </figure>
  )
}

type Scale = (value: number) => number

function pathOf(values: readonly (number | null)[], x: readonly number[], xAt: Scale, yAt: Scale): string {
  let path = ''
  let pen = 'M'
  for (const [index, value] of values.entries()) {
    if (value === null) pen = 'M'
    else {
      path += `${pen}${xAt(x[index] as number).toFixed(1)} ${yAt(value).toFixed(1)}`
      // One point alone would not be seen.
      if (pen === 'M') path += 'h0.5'
      pen = 'L'
    }
  }
  return path
}

function bandOf({ low = [], high = [] }: Line, x: readonly number[], xAt: Scale, yAt: Scale): string {
  const points = [...x.keys()].filter((index) => low[index] !== null && high[index] !== null)
  const at = (index: number, values: readonly (number | null)[]) =>
    `${xAt(x[index] as number).toFixed(1)} ${yAt(values[index] as number).toFixed(1)}`
  return points.length < 2
    ? ''
    : `M${points.map((index) => at(index, high)).join('L')}L${points
        .reverse()
        .map((index) => at(index, low))
        .join('L')}Z`
}

function niceTop(most: number): number {
  if (most <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= most * 1.02) ?? 10) * power
}

function short(value: number): string {
  return `${Number(value.toPrecision(3))}`
}
