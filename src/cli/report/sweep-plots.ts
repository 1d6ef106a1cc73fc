/**
 * A sweep as plots: each measure against a parameter, a line for each flow, or each direction of a
 * cable, and each combination of the other parameters.
 */
import type { SweepPoint } from '../../network/campaign/plan.ts'
import type { Estimate, HopMeasure, Measure, Sweep } from '../../network/campaign/sweep.ts'
import { toldHops } from '../sweep-hops.ts'
import type { Line, Plot } from './plot.ts'
import { quantitiesOf } from './quantity.ts'
import { seeSweep } from './see.ts'

/** What is compared: a flow, or a direction of a cable, with what each combination found of it. */
interface Subject {
  readonly name: string
  measures(point: SweepPoint): Readonly<Partial<Record<string, Estimate>>>
}

interface Shown<M> {
  readonly measure: M
  readonly title: string
  readonly unit: string
  readonly factor: number
}

const FLOW_MEASURES: Shown<Measure>[] = [
  { measure: 'lossRate', title: 'Loss', unit: '%', factor: 100 },
  { measure: 'meanLatency', title: 'Mean latency', unit: 'ms', factor: 1 },
  { measure: 'p99Latency', title: '99th percentile of latency', unit: 'ms', factor: 1 },
  { measure: 'throughput', title: 'Throughput', unit: 'kbit/s', factor: 0.001 },
  { measure: 'received', title: 'Received', unit: 'datagrams', factor: 1 },
  { measure: 'duplicated', title: 'Duplicated', unit: 'datagrams', factor: 1 },
  { measure: 'reordered', title: 'Reordered', unit: 'datagrams', factor: 1 },
  { measure: 'fragments', title: 'Fragments', unit: 'fragments', factor: 1 },
]
const HOP_MEASURES: Shown<HopMeasure>[] = [
  { measure: 'utilization', title: 'Cables busy', unit: '%', factor: 100 },
  { measure: 'meanLength', title: 'Mean queue', unit: 'frames', factor: 1 },
  { measure: 'meanWait', title: 'Mean wait in a queue', unit: 'ms', factor: 1 },
  { measure: 'p99Wait', title: '99th percentile of waits', unit: 'ms', factor: 1 },
  { measure: 'dropped', title: 'Dropped at cables', unit: 'frames', factor: 1 },
  { measure: 'marked', title: 'Marked (CE)', unit: 'frames', factor: 1 },
]
/** Of one plot; beyond it every flow, and every direction of a cable, gets plots of its own. */
const MOST_LINES = 8

/** None for repetitions without a parameter. */
export function sweepPlots(points: readonly SweepPoint[], sweeps: readonly Sweep[], repeat: number): Plot[] {
  const axis = sweeps.toSorted((a, b) => b.values.length - a.values.length)[0]
  if (axis === undefined) return []
  const flows = (points[0]?.flows ?? []).map(
    ({ name }, place): Subject => ({ name, measures: ({ flows }) => flows[place]?.measures ?? {} }),
  )
  const hops = toldHops(points).map(
    ({ name, place }): Subject => ({ name, measures: ({ hops }) => hops[place]?.measures ?? {} }),
  )
  const plotsOf = plotter(points, axis, sweeps, repeat)
  return [...plotsOf(FLOW_MEASURES, flows), ...plotsOf(HOP_MEASURES, hops)]
}

/** Makes plots against the values of `axis`. */
function plotter(points: readonly SweepPoint[], axis: Sweep, sweeps: readonly Sweep[], repeat: number) {
  const others = sweeps.filter((each) => each !== axis)
  const quantities = quantitiesOf(axis.values)
  const order = [...axis.values.keys()]
  if (quantities !== null) order.sort((a, b) => (quantities[a] as number) - (quantities[b] as number))
  const x = order.map((place) => axis.values[place] as number | string)
  const at = quantities === null ? null : order.map((place) => quantities[place] as number)
  // Values of equal factors, as of a range `1e6..1e9:log10`.
  const log = at !== null && (at[0] as number) > 0 && (at.at(-1) as number) / (at[0] as number) > 50
  const rowOf = new Map(x.map((value, row) => [value, row]))
  const combinations = new Map<string, SweepPoint[]>()
  for (const point of points) {
    const key = others.map(({ name }) => `${name} ${point.parameters[name]}`).join(', ')
    combinations.set(key, [...(combinations.get(key) ?? []), point])
  }
  const keys = [...combinations.keys()]
  const note = repeat > 1 ? `means of ${repeat} runs with 95 % confidence intervals` : 'single runs'

  const line = (
    subject: Subject,
    { measure, factor }: Shown<string>,
    key: string,
    color: number,
    name: string,
  ): Line => {
    const values = new Array<number | null>(x.length).fill(null)
    const low = new Array<number | null>(x.length).fill(null)
    const high = new Array<number | null>(x.length).fill(null)
    for (const point of combinations.get(key) as SweepPoint[]) {
      const value = point.parameters[axis.name] as number | string
      const row = rowOf.get(value) as number
      const found = subject.measures(point)[measure]
      if (found === undefined) continue
      values[row] = found.mean * factor
      if (found.low === null || found.high === null) continue
      low[row] = found.low * factor
      high[row] = found.high * factor
    }
    return { name, color, values, ...(repeat > 1 ? { low, high, bars: true } : {}) }
  }

  return (measures: readonly Shown<string>[], subjects: readonly Subject[]): Plot[] => {
    const together = subjects.length * keys.length <= MOST_LINES || keys.length === 1
    const groups = together ? [subjects] : subjects.map((each) => [each])
    return groups.flatMap((group) =>
      measures.flatMap((shown) => {
        const lines = group.flatMap((subject, place) =>
          keys.map((key, number) => {
            const name = [...(together ? [subject.name] : []), ...(key === '' ? [] : [key])].join(', ')
            return line(subject, shown, key, place * keys.length + number, name)
          }),
        )
        if (!lines.some(({ values }) => values.some((value) => value !== null && value !== 0))) return []
        return {
          title: together ? shown.title : `${shown.title}: ${group[0]?.name}`,
          note,
          see: seeSweep(lines, x, shown.unit),
          xLabel: axis.name,
          yLabel: shown.unit,
          x,
          ...(at === null || at.every((each, row) => each === x[row]) ? {} : { at }),
          ...(log ? { log } : {}),
          lines,
        }
      }),
    )
  }
}
