/** What the commands say of a sweep. */
import type { SweepPoint } from '../network/campaign/plan.ts'
import type { Estimate } from '../network/campaign/sweep.ts'
import { number } from './flow-text.ts'
import { hopTable } from './sweep-hops.ts'

/** A table of the flows; and one of the hops, where there is something to say of them. */
export function sweepLines(points: readonly SweepPoint[]): string[] {
  const hops = hopLines(points)
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

/** A line for each direction of a cable that has something to say, in each combination. */
function hopLines(points: readonly SweepPoint[]): string[] {
  const { rows, columns } = hopTable(points)
  if (rows.length === 0) return []
  const names = Object.keys(points[0]?.parameters ?? {})
  const head = [...names, 'link', 'from > to', ...columns.map(({ title }) => title)]
  const lines = rows.map(({ parameters, hop: { link, from, to, measures } }) => [
    ...names.map((each) => `${parameters[each]}`),
    link,
    `${from} > ${to}`,
    ...columns.map(({ measure, factor }) => cell(measures[measure], factor)),
  ])
  return aligned([head, ...lines])
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
