/** Scenarios with parameters changed, and what repetitions say together. */
import type { FlowResult, HopResult, ScenarioResult } from '../scenario/flow.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { type Estimate, estimate, estimateShare } from './estimate.ts'
import type { Sweep } from './parse-sweep.ts'

export { type Estimate, estimate, estimateShare } from './estimate.ts'
export { parseSweep, type Sweep } from './parse-sweep.ts'

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
  'corrupted',
  'fragments',
  'throughput',
  'meanLatency',
  'p99Latency',
] as const
export type Measure = (typeof MEASURES)[number]

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
      const found = measure === 'lossRate' ? lossRate(flows) : estimated(flows, measure)
      if (found !== null) measures[measure] = found
    }
    return { name, runs: flows.length, measures }
  })
}

function lossRate(flows: readonly FlowResult[]): Estimate | null {
  const runs = flows.flatMap(({ sent, lost }) => (sent === 0 ? [] : [{ hits: lost, trials: sent }]))
  return runs.length === 0 ? null : estimateShare(runs)
}

function estimated(flows: readonly FlowResult[], measure: Exclude<Measure, 'lossRate'>): Estimate | null {
  const values = flows.flatMap((flow) => measureOf(flow, measure) ?? [])
  return values.length === 0 ? null : estimate(values)
}

function measureOf(flow: FlowResult, measure: Exclude<Measure, 'lossRate'>): number | null {
  if (measure === 'meanLatency') return flow.latency?.mean ?? null
  if (measure === 'p99Latency') return flow.latency?.p99 ?? null
  return flow[measure]
}

/**
 * What is compared of a direction of a cable: frames and bytes, a share of time, frames that wait,
 * and milliseconds of waiting.
 */
export type HopMeasure =
  | 'offered'
  | 'sent'
  | 'sentBytes'
  | 'dropped'
  | 'marked'
  | 'utilization'
  | 'meanLength'
  | 'maxLength'
  | 'meanWait'
  | 'p95Wait'
  | 'p99Wait'
  | 'maxWait'

const HOP_FIGURES: Record<HopMeasure, (hop: HopResult) => number | null | undefined> = {
  offered: ({ offered }) => offered.frames,
  sent: ({ sent }) => sent.frames,
  sentBytes: ({ sent }) => sent.bytes,
  dropped: ({ drops }) => Object.values(drops).reduce((sum, each) => sum + each, 0),
  marked: ({ marks }) => marks,
  utilization: ({ utilization }) => utilization,
  meanLength: ({ queue }) => queue?.length.mean,
  maxLength: ({ queue }) => queue?.length.max,
  meanWait: ({ queue }) => queue?.wait?.mean,
  p95Wait: ({ queue }) => queue?.wait?.p95,
  p99Wait: ({ queue }) => queue?.wait?.p99,
  maxWait: ({ queue }) => queue?.wait?.max,
}

/** One direction of a cable over all repetitions; a measure is missing where no run had it. */
export interface HopEstimate {
  link: string
  from: string
  to: string
  runs: number
  measures: Partial<Record<HopMeasure, Estimate>>
}

/** @returns one entry for each direction of each cable */
export function summarizeHops(results: readonly ScenarioResult[]): HopEstimate[] {
  return (results[0]?.hops ?? []).map(({ link, from, to }, index) => {
    const hops = results.flatMap((result) => result.hops[index] ?? [])
    const measures: Partial<Record<HopMeasure, Estimate>> = {}
    for (const [measure, figureOf] of Object.entries(HOP_FIGURES)) {
      const values = hops.flatMap((hop) => figureOf(hop) ?? [])
      if (values.length > 0) measures[measure as HopMeasure] = estimate(values)
    }
    return { link, from, to, runs: hops.length, measures }
  })
}
