/** The runs of a sweep, and the points that their results make. */
import type { ScenarioResult } from '../scenario/flow.ts'
import { checkScenario, type Scenario } from '../scenario/scenario.ts'
import { type FlowEstimate, type HopEstimate, summarizeHops, summarizeRuns, withParameters } from './sweep.ts'

/** One combination of the parameters' values. */
export type Parameters = Readonly<Record<string, number | string>>

/** One run of one combination. */
export interface RunTask {
  readonly index: number
  readonly scenario: Scenario
  readonly seed: number | string
}

/** One combination of parameters, and what its runs say together. */
export interface SweepPoint {
  parameters: Parameters
  flows: FlowEstimate[]
  hops: HopEstimate[]
}

/**
 * A task for each run of each combination, those of one combination behind each other. The first
 * run of a combination has the seed itself, further ones have seeds made from it; a swept `seed` is
 * the seed.
 * @throws {Error} for a combination that makes no scenario
 */
export function planRuns(
  scenario: Scenario,
  seed: number | string,
  points: readonly Parameters[],
  repeat: number,
): RunTask[] {
  const tasks: RunTask[] = []
  for (const parameters of points) {
    let changed: Scenario
    try {
      changed = checkScenario(withParameters(scenario, parameters))
    } catch (error) {
      throw new Error(`with ${parametersText(parameters)}: ${(error as Error).message}`, { cause: error })
    }
    const base = parameters.seed ?? seed
    for (let i = 0; i < repeat; i++)
      tasks.push({ index: tasks.length, scenario: changed, seed: i === 0 ? base : `${base} ${i}` })
  }
  return tasks
}

/**
 * What the results say, in the order of the tasks that {@link planRuns} made of the same points;
 * `undefined` is a run that was not done. A point none of whose runs was done is left out.
 */
export function pointsOf(
  points: readonly Parameters[],
  repeat: number,
  results: readonly (ScenarioResult | undefined)[],
): SweepPoint[] {
  return points.flatMap((parameters, index) => {
    const own = results.slice(index * repeat, (index + 1) * repeat).filter((result) => result !== undefined)
    return own.length === 0 ? [] : [{ parameters, flows: summarizeRuns(own), hops: summarizeHops(own) }]
  })
}

/** Digits of a mean and its interval; what is behind them is the dust of binary fractions. */
const DIGITS = 9

/** The same with numbers for people: {@link pointsOf} with as many digits as mean something. */
export function roundedPoints(points: readonly SweepPoint[]): SweepPoint[] {
  return JSON.parse(
    JSON.stringify(points, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(DIGITS)) : value)),
  )
}

function parametersText(parameters: Parameters): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
}
