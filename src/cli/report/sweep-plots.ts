/**
 * A sweep as plots: each measure against a parameter, a line for each flow and each combination of
 * the other parameters.
 */
import type { SweepPoint } from '../../network/campaign/plan.ts'
import type { Measure, Sweep } from '../../network/campaign/sweep.ts'
import type { Line, Plot } from './plot.ts'
import { quantitiesOf } from './quantity.ts'
import { seeSweep } from './see.ts'

const MEASURES: { measure: Measure; title: string; unit: string; factor: number }[] = [
  { measure: 'lossRate', title: 'Loss', unit: '%', factor: 100 },
  { measure: 'meanLatency', title: 'Mean latency', unit: 'ms', factor: 1 },
  { measure: 'p99Latency', title: '99th percentile of latency', unit: 'ms', factor: 1 },
  { measure: 'throughput', title: 'Throughput', unit: 'kbit/s', factor: 0.001 },
  { measure: 'received', title: 'Received', unit: 'datagrams', factor: 1 },
  { measure: 'duplicated', title: 'Duplicated', unit: 'datagrams', factor: 1 },
  { measure: 'reordered', title: 'Reordered', unit: 'datagrams', factor: 1 },
  { measure: 'fragments', title: 'Fragments', unit: 'fragments', factor: 1 },
]
/** Of one plot; beyond it every flow gets plots of its own. */
const MOST_LINES = 8

/** None for repetitions without a parameter. */
export function sweepPlots(points: readonly SweepPoint[], sweeps: readonly Sweep[], repeat: number): Plot[] {
  const axis = sweeps.toSorted((a, b) => b.values.length - a.values.length)[0]
  if (axis === undefined) return []
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
  const flows = points[0]?.flows ?? []
  const line = (measure: Measure, factor: number, key: string, flow: number, color: number, name: string): Line => {
    const values = new Array<number | null>(x.length).fill(null)
    const low = new Array<number | null>(x.length).fill(null)
    const high = new Array<number | null>(x.length).fill(null)
    for (const { parameters, flows: measured } of combinations.get(key) as SweepPoint[]) {
      const value = parameters[axis.name] as number | string
      const row = rowOf.get(value) as number
      const found = measured[flow]?.measures[measure]
      if (found === undefined) continue
      values[row] = found.mean * factor
      if (found.low === null || found.high === null) continue
      low[row] = found.low * factor
      high[row] = found.high * factor
    }
    return { name, color, values, ...(repeat > 1 ? { low, high, bars: true } : {}) }
  }
  const keys = [...combinations.keys()]
  const together = flows.length * keys.length <= MOST_LINES || keys.length === 1
  const groups = together ? [flows.map((_, index) => index)] : flows.map((_, index) => [index])
  const note = repeat > 1 ? `means of ${repeat} runs with 95 % confidence intervals` : 'single runs'
  return groups.flatMap((group) =>
    MEASURES.flatMap(({ measure, title, unit, factor }) => {
      const lines = group.flatMap((flow, place) =>
        keys.map((key, number) => {
          const name = [...(together ? [flows[flow]?.name] : []), ...(key === '' ? [] : [key])].join(', ')
          return line(measure, factor, key, flow, place * keys.length + number, name)
        }),
      )
      if (!lines.some(({ values }) => values.some((value) => value !== null && value !== 0))) return []
      return {
        title: together ? title : `${title}: ${flows[group[0] as number]?.name}`,
        note,
        see: seeSweep(lines, x, unit),
        xLabel: axis.name,
        yLabel: unit,
        x,
        ...(at === null || at.every((each, row) => each === x[row]) ? {} : { at }),
        ...(log ? { log } : {}),
        lines,
      }
    }),
  )
}
