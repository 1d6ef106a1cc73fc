/**
 * Impairments as plain data, which a file can hold; everything that keeps a state is made anew for
 * each direction of each cable.
 */
import type { Impairments } from '../../link/impairment/impairment.ts'
import {
  bernoulli,
  bitErrorRate,
  bySize,
  type Chooser,
  correlated,
  type Delay,
  frames,
  type GilbertElliott,
  gilbertElliott,
  normal,
  pareto,
  pattern,
  type Rate,
  traceRate,
  uniform,
} from '../../link/impairment/impairment-models.ts'
import {
  type CodelOptions,
  codel,
  type PriorityOptions,
  priorityBands,
  type Queue,
  type QueueLimit,
  tailDrop,
} from '../../link/impairment/queue-discipline.ts'
import { type Duration, milliseconds } from '../time/duration.ts'

/** Which frames: a probability (`0.01` or `'1%'`), a model in words, or a function that chooses. */
export type ChooserSpec =
  | number
  | string
  | { probability: number; correlation?: number }
  | { gilbertElliott: GilbertElliott }
  | { bySize: { from: number; to?: number; probability?: number } }
  | { pattern: string }
  | { frames: number[] }
  | { bitErrorRate: number }
  | Chooser

/**
 * How long: a duration, a distribution of durations, or a function that draws. `correlation` is
 * that of neighboring frames.
 */
export type DelaySpec =
  | Duration
  | { uniform: [low: Duration, high: Duration]; correlation?: number }
  | { normal: { mean: Duration; deviation: Duration }; correlation?: number }
  | { pareto: { minimum: Duration; shape: number }; correlation?: number }
  | Delay

/**
 * Bits per second (`1e6` or `'1Mbit'`), the text of a trace of opportunities to send
 * ({@link traceRate}), or a function.
 */
export type RateSpec = number | string | { trace: string } | Rate

export type QueueSpec = { tailDrop: QueueLimit } | { codel: CodelOptions } | { priorityBands: PriorityOptions } | Queue

/** {@link Impairments}, in which every model may be plain data. */
export interface ImpairmentSpec {
  mtu?: number
  rate?: RateSpec
  queue?: QueueSpec
  loss?: ChooserSpec
  corruption?: ChooserSpec
  duplication?: ChooserSpec
  delay?: DelaySpec
  /** The delay varies evenly by so much to either side. */
  jitter?: Duration
  keepOrder?: boolean
  fcs?: boolean
  reordering?: ChooserSpec
}

/** The names that an impairment has. */
export const IMPAIRMENTS = [
  'mtu',
  'rate',
  'queue',
  'loss',
  'corruption',
  'duplication',
  'delay',
  'jitter',
  'keepOrder',
  'fcs',
  'reordering',
] as const satisfies (keyof ImpairmentSpec)[]

/**
 * Models from data whose form was checked. Functions are taken as they are, so one that keeps a
 * state is shared by all who name it.
 * @throws {TypeError | RangeError} for what no model can be made of (a trace without opportunities,
 *   jitter of a distribution), with its name
 */
export function impairmentsOf(spec: ImpairmentSpec): Impairments {
  const made: Impairments = {}
  for (const [name, value] of Object.entries(spec)) {
    if (value === undefined) continue
    try {
      switch (name as keyof ImpairmentSpec) {
        case 'mtu':
          made.mtu = value as number
          break
        case 'rate':
          made.rate = rateOf(value as RateSpec)
          break
        case 'queue':
          made.queue = queueOf(value as QueueSpec)
          break
        case 'delay':
        case 'jitter':
          made.delay = jittered(spec.delay ?? 0, spec.jitter)
          break
        case 'keepOrder':
        case 'fcs':
          made[name as 'fcs'] = value as boolean
          break
        case 'loss':
        case 'corruption':
        case 'duplication':
        case 'reordering':
          made[name as 'loss'] = chooserOf(value as ChooserSpec)
          break
      }
    } catch (error) {
      const message = `${name}: ${(error as Error).message}`
      throw error instanceof RangeError
        ? new RangeError(message, { cause: error })
        : new TypeError(message, { cause: error })
    }
  }
  return made
}

function rateOf(spec: RateSpec): number | Rate {
  if (typeof spec === 'object') return traceRate(spec.trace)
  if (typeof spec !== 'string') return spec
  return bitsPerSecond(spec)
}

/** Of text such as '256kbit', '10Mbit' or '1Gbit/s'. */
export function bitsPerSecond(text: string): number {
  const [, number, unit] = /^\s*([\d.]+)\s*([kMG]?)bit/.exec(text) as RegExpExecArray
  return Number(number) * ({ k: 1e3, M: 1e6, G: 1e9 }[unit as string] ?? 1)
}

function queueOf(spec: QueueSpec): Queue {
  if (typeof spec === 'function') return spec
  if ('codel' in spec) return codel(spec.codel)
  return 'priorityBands' in spec ? priorityBands(spec.priorityBands) : tailDrop(spec.tailDrop)
}

function chooserOf(spec: ChooserSpec): Chooser {
  if (typeof spec === 'number') return bernoulli(spec)
  if (typeof spec === 'function') return spec
  // '0.5%'
  if (typeof spec === 'string') return bernoulli(Number.parseFloat(spec) / 100)
  if ('probability' in spec) return bernoulli(spec.probability, spec.correlation)
  if ('gilbertElliott' in spec) return gilbertElliott(spec.gilbertElliott)
  if ('bySize' in spec) return bySize(spec.bySize.from, spec.bySize.to, spec.bySize.probability)
  if ('pattern' in spec) return pattern(spec.pattern)
  if ('frames' in spec) return frames(...spec.frames)
  return bitErrorRate(spec.bitErrorRate)
}

function jittered(spec: DelaySpec, jitter: Duration | undefined): number | Delay {
  if (jitter === undefined) return delayOf(spec)
  if (typeof spec !== 'number' && typeof spec !== 'string')
    throw new TypeError('Jitter belongs to a delay that is one duration; a distribution has its own.')
  const middle = milliseconds(spec)
  const half = milliseconds(jitter)
  return uniform(Math.max(0, middle - half), middle + half)
}

function delayOf(spec: DelaySpec): number | Delay {
  if (typeof spec === 'number' || typeof spec === 'string') return milliseconds(spec)
  if (typeof spec === 'function') return spec
  const { correlation } = spec
  let delay: Delay
  if ('uniform' in spec) delay = uniform(milliseconds(spec.uniform[0]), milliseconds(spec.uniform[1]))
  else if ('normal' in spec) delay = normal(milliseconds(spec.normal.mean), milliseconds(spec.normal.deviation))
  else delay = pareto(milliseconds(spec.pareto.minimum), spec.pareto.shape)
  return correlation === undefined ? delay : correlated(delay, correlation)
}
