/** The directions of cables of which a sweep has something to say. */
import type { SweepPoint } from '../network/campaign/plan.ts'
import type { HopEstimate, HopMeasure } from '../network/campaign/sweep.ts'

/** The columns of a table of them; `factor` makes the unit of the title of the measure's. */
const COLUMNS = [
  { measure: 'offered', title: 'frames', factor: 1 },
  { measure: 'utilization', title: 'busy %', factor: 100 },
  { measure: 'meanLength', title: 'queue mean', factor: 1 },
  { measure: 'maxLength', title: 'max', factor: 1 },
  { measure: 'meanWait', title: 'wait mean ms', factor: 1 },
  { measure: 'p99Wait', title: 'p99 ms', factor: 1 },
  { measure: 'dropped', title: 'dropped', factor: 1 },
  { measure: 'marked', title: 'marked', factor: 1 },
] as const satisfies readonly { measure: HopMeasure; title: string; factor: number }[]

/** Where the combinations differ in one of these, a hop is worth its lines. */
const TELLING = ['utilization', 'dropped', 'marked'] as const satisfies readonly HopMeasure[]
/** Means that are closer, as a share of the greatest, do not differ: chance alone makes them so. */
const CLOSE = 0.1

/** What is told of one direction of a cable in one combination. */
interface ToldHop {
  readonly parameters: SweepPoint['parameters']
  readonly hop: HopEstimate
}

/**
 * Those with a rate before which frames waited, or in whose load, drops or marks the combinations
 * differ; `place` is theirs among all, the same in each combination.
 */
export function toldHops(points: readonly SweepPoint[]): { readonly place: number; readonly name: string }[] {
  return (points[0]?.hops ?? []).flatMap(({ link, from, to }, place) =>
    isTold(points.flatMap(({ hops }) => hops[place] ?? [])) ? [{ place, name: `${link}: ${from} > ${to}` }] : [],
  )
}

/** The lines of a table of them, and its columns: that of marks only where there are some. */
export function hopTable(points: readonly SweepPoint[]) {
  const told = toldHops(points)
  const rows: ToldHop[] = points.flatMap(({ parameters, hops }) =>
    told.flatMap(({ place }) => hops[place] ?? []).map((hop) => ({ parameters, hop })),
  )
  const isMarked = rows.some(({ hop }) => (hop.measures.marked?.mean ?? 0) > 0)
  return { rows, columns: COLUMNS.filter(({ measure }) => measure !== 'marked' || isMarked) }
}

/** Whether one direction of a cable, in all combinations, has something to say. */
function isTold(hops: readonly HopEstimate[]): boolean {
  const means = (measure: HopMeasure) => hops.map(({ measures }) => measures[measure]?.mean ?? 0)
  if (hops.every(({ measures }) => measures.utilization === undefined)) return false
  const differ = (all: readonly number[]) => Math.min(...all) < (1 - CLOSE) * Math.max(...all)
  return Math.max(...means('maxLength')) > 0 || TELLING.some((measure) => differ(means(measure)))
}
