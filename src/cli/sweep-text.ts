/** What the commands say of a sweep. */
import type { SweepPoint } from '../network/campaign/plan.ts'
import type { Estimate } from '../network/campaign/sweep.ts'
import { number } from './flow-text.ts'

/** A line for each flow of each combination. */
export function table(points: readonly SweepPoint[]): string[] {
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
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)))
  return all.map((row) => row.map((text, column) => text.padStart(widths[column] as number)).join('  '))
}

function cell(estimate: Estimate | undefined, factor = 1): string {
  if (estimate === undefined) return '-'
  const { mean, low, high } = estimate
  if (low === null || high === null || low === high) return number(mean * factor)
  return `${number(mean * factor)} [${number(low * factor)},${number(high * factor)}]`
}
