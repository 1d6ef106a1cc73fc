/** The span of time that a scenario's figures are about. */
import { milliseconds } from '../time/duration.ts'
import type { Scenario } from './scenario-types.ts'

/** Milliseconds: from then until before then. */
export interface Span {
  readonly from: number
  /** Infinite where there is no end. */
  readonly to: number
}

export function isIn({ from, to }: Span, time: number): boolean {
  return time >= from && time < to
}

export function spanOf({ measure: { from = 0, to } = {} }: Scenario): Span {
  return { from: milliseconds(from), to: to === undefined ? Number.POSITIVE_INFINITY : milliseconds(to) }
}
