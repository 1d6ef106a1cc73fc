/** What the commands say of a sweep. */
import type { SweepPoint } from '../network/campaign/plan.ts'
import type { Estimate, HopEstimate, HopMeasure } from '../network/campaign/sweep.ts'
import { number } from './flow-text.ts'

/** A table of the flows; and one of the hops, where there is something to say of them. */
export function sweepLines(points: readonly SweepPoint[]): string[] {
  const hops = hopTable(points)
  return [...flowTable(points), ...(hops.length === 0 ? [] : ['', ...hops])]
}

/** A line for each flow of each combination. */
function flowTable(points: readonly SweepPoint[]): string[] {
  const names = Object.keys(points[0]?.parameters ?? {})
  const head = [...names, 'flow', 'sent', 'lost %', 'mean ms', 'p99 ms', 'kbit/s', 'fragments', 'reordered']
  const rows = points.flatMap(({ parameters, flows }) =>
    flows.map(({ name, measures }) => [
      ...names.map((each) => `${parameters[each]}`),
      name,
      cell(measures.sent),
      cell(measures.lossRate, 100),
      cell(measures.meanLatency),
      cell(measures.p99Latency),
      cell(measures.throughput, 0.001),
      cell(measures.fragments),
      cell(measures.reordered),
    ]),
  )
  return aligned([head, ...rows])
}

const HOP_COLUMNS = [
  { measure: 'offered', title: 'frames', factor: 1 },
  { measure: 'utilization', title: 'busy %', factor: 100 },
  { measure: 'meanLength', title: 'queue mean', factor: 1 },
  { measure: 'maxLength', title: 'max', factor: 1 },
  { measure: 'meanWait', title: 'wait mean ms', factor: 1 },
  { measure: 'p99Wait', title: 'p99 ms', factor: 1 },
  { measure: 'dropped', title: 'dropped', factor: 1 },
  { measure: 'marked', title: 'marked', factor: 1 },
] as const
/** Where one of these is not the same in all combinations, a hop is worth its lines. */
const TELLING = ['utilization', 'maxLength', 'dropped', 'marked'] as const satisfies readonly HopMeasure[]

/**
 * A line for each direction of a cable in each combination, of those with a rate: where frames
 * waited, or where the combinations differ.
 */
function hopTable(points: readonly SweepPoint[]): string[] {
  const names = Object.keys(points[0]?.parameters ?? {})
  // All combinations have the same cables, in the same order.
  const isShown = (points[0]?.hops ?? []).map((_, index) => isTold(points.flatMap(({ hops }) => hops[index] ?? [])))
  const shown = points.flatMap(({ parameters, hops }) =>
    hops.filter((_, index) => isShown[index]).map((hop) => ({ parameters, hop })),
  )
  if (shown.length === 0) return []
  const columns = HOP_COLUMNS.filter(
    ({ measure }) => measure !== 'marked' || shown.some(({ hop }) => (hop.measures.marked?.mean ?? 0) > 0),
  )
  const head = [...names, 'link', 'from > to', ...columns.map(({ title }) => title)]
  const rows = shown.map(({ parameters, hop: { link, from, to, measures } }) => [
    ...names.map((each) => `${parameters[each]}`),
    link,
    `${from} > ${to}`,
    ...columns.map(({ measure, factor }) => cell(measures[measure], factor)),
  ])
  return aligned([head, ...rows])
}

/** Whether one direction of a cable, in all combinations, has something to say. */
function isTold(hops: readonly HopEstimate[]): boolean {
  const means = (measure: HopMeasure) => hops.map(({ measures }) => measures[measure]?.mean ?? 0)
  if (hops.every(({ measures }) => measures.utilization === undefined)) return false
  return Math.max(...means('maxLength')) > 0 || TELLING.some((measure) => new Set(means(measure)).size > 1)
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)))
  return rows.map((row) => row.map((text, column) => text.padStart(widths[column] as number)).join('  '))
}

function cell(estimate: Estimate | undefined, factor = 1): string {
  if (estimate === undefined) return '-'
  const { mean, low, high } = estimate
  if (low === null || high === null || low === high) return number(mean * factor)
  return `${number(mean * factor)} [${number(low * factor)},${number(high * factor)}]`
}
