/** Scenarios with parameters changed, and what repetitions say together. */
import type { FlowResult, ScenarioResult } from '../scenario/flow.ts'
import type { Scenario } from '../scenario/scenario.ts'

/** One parameter and its values. */
export interface Sweep {
  /** `mtu`, `flows.video.size`, `links.r1-b.forward.loss`, `links.0.mtu`. */
  readonly name: string
  readonly values: readonly (number | string)[]
}

/** The most runs of one sweep. */
const MOST_VALUES = 100_000

/**
 * Reads `mtu=576..9000:4` (from, to, step) and `loss=0,0.01,0.1` (a list).
 * @throws {TypeError} for text of another form
 */
export function parseSweep(text: string): Sweep {
  const [, name, values] = /^([^=\s]+)=(.+)$/.exec(text) ?? []
  if (name === undefined || values === undefined)
    throw new TypeError(`'${text}' is no sweep; expected NAME=FROM..TO:STEP or NAME=VALUE,VALUE,…`)
  const range = /^(-?[\d.]+?)\.\.(-?[\d.]+?)(?::([\d.]+))?$/.exec(values)
  if (range === null)
    return { name, values: values.split(',').map((each) => (/^-?\d+(\.\d+)?$/.test(each) ? Number(each) : each)) }
  const [from, to, step] = [Number(range[1]), Number(range[2]), Number(range[3] ?? 1)]
  if (!(from <= to && step > 0)) throw new TypeError(`'${text}': a range goes upwards, with a step above 0`)
  const count = Math.floor((to - from) / step + 1e-9) + 1
  if (count > MOST_VALUES) throw new TypeError(`'${text}' has ${count} values; ${MOST_VALUES} at most`)
  // Decimal steps without the dust of binary ones.
  return { name, values: Array.from({ length: count }, (_, index) => Number((from + index * step).toPrecision(12))) }
}

/** All combinations of the values of several sweeps, the last one changing fastest. */
export function combinations(sweeps: readonly Sweep[]): Record<string, number | string>[] {
  let found: Record<string, number | string>[] = [{}]
  for (const { name, values } of sweeps)
    found = found.flatMap((each) => values.map((value) => ({ ...each, [name]: value })))
  return found
}

/**
 * The scenario with parameters changed; the original is left alone. A name with dots leads to a
 * place, links and flows being named by their name or their number; one without dots stands for
 * that key of all links and flows that have it, and for `duration` and `seed`.
 * @throws {TypeError} when there is no such place
 */
export function withParameters(scenario: Scenario, parameters: Readonly<Record<string, number | string>>): Scenario {
  const changed = structuredClone(scenario)
  for (const [name, value] of Object.entries(parameters))
    if (!set(changed, name, value)) throw new TypeError(`the scenario has no '${name}' to sweep`)
  return changed
}

type Plain = Record<string, unknown>

function set(scenario: Scenario, name: string, value: number | string): boolean {
  if (name === 'duration' || name === 'seed') {
    scenario[name] = value
    return true
  }
  if (!name.includes('.')) {
    const places = [...(scenario.links ?? []), ...(scenario.flows ?? [])].flatMap((each) => {
      const { forward, back } = each as unknown as { forward?: Plain; back?: Plain }
      return [each as unknown as Plain, ...(forward ? [forward] : []), ...(back ? [back] : [])]
    })
    const having = places.filter((place) => Object.hasOwn(place, name))
    for (const place of having) place[name] = value
    return having.length > 0
  }
  return setAt(scenario as unknown as Plain, name, value)
}

/** Names may have dots themselves: the longest that fits is tried first. */
function setAt(place: unknown, name: string, value: number | string): boolean {
  if (typeof place !== 'object' || place === null) return false
  if (!name.includes('.')) {
    if (Array.isArray(place)) return false
    ;(place as Plain)[name] = value
    return true
  }
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const step = name.slice(0, dot)
    const next = Array.isArray(place)
      ? entry(place, step)
      : Object.hasOwn(place, step)
        ? (place as Plain)[step]
        : undefined
    if (next !== undefined && setAt(next, name.slice(dot + 1), value)) return true
  }
  return false
}

function entry(list: readonly unknown[], step: string): unknown {
  return (
    (list as Plain[]).find(({ name, between, from, to }) => {
      const proposed = Array.isArray(between) ? between.join('-') : `${from}-${to}`
      return (name ?? proposed) === step
    }) ?? (/^\d+$/.test(step) ? list[Number(step)] : undefined)
  )
}

// ── repetitions ──

/** What is compared between runs. */
export const MEASURES = [
  'sent',
  'received',
  'lossRate',
  'duplicated',
  'reordered',
  'fragments',
  'throughput',
  'meanLatency',
  'p99Latency',
] as const
export type Measure = (typeof MEASURES)[number]

/** A mean with the half width of its 95 % confidence interval; 0 for a single run. */
export interface Estimate {
  mean: number
  halfWidth: number
}

/** One flow over all repetitions; a measure is missing where no run had it. */
export interface FlowEstimate {
  name: string
  runs: number
  measures: Partial<Record<Measure, Estimate>>
}

/** @returns one entry for each flow */
export function summarizeRuns(results: readonly ScenarioResult[]): FlowEstimate[] {
  return (results[0]?.flows ?? []).map(({ name }, index) => {
    const flows = results.flatMap((result) => result.flows[index] ?? [])
    const measures: Partial<Record<Measure, Estimate>> = {}
    for (const measure of MEASURES) {
      const values = flows.flatMap((flow) => measureOf(flow, measure) ?? [])
      if (values.length > 0) measures[measure] = estimate(values)
    }
    return { name, runs: flows.length, measures }
  })
}

function measureOf(flow: FlowResult, measure: Measure): number | null {
  if (measure === 'lossRate') return flow.sent === 0 ? null : flow.lost / flow.sent
  if (measure === 'meanLatency') return flow.latency?.mean ?? null
  if (measure === 'p99Latency') return flow.latency?.p99 ?? null
  return flow[measure]
}

export function estimate(values: readonly number[]): Estimate {
  const count = values.length
  const mean = values.reduce((sum, each) => sum + each, 0) / count
  if (count < 2) return { mean, halfWidth: 0 }
  const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (count - 1)
  return { mean, halfWidth: student(count - 1) * Math.sqrt(variance / count) }
}

/** The 97.5 % quantiles of Student's t for 1 to 10 degrees of freedom. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]

/** Beyond the table: the expansion of Cornish and Fisher, right to 0.001. */
function student(degrees: number): number {
  const known = STUDENT[degrees - 1]
  if (known !== undefined) return known
  const z = 1.959964
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2)
}
