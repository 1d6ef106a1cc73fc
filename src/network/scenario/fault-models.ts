/**
 * The faults of one direction of a cable as they were last described. Models keep a state (the
 * state of a chain, the place in a pattern, what a queue has learnt): a fault that is described as
 * before goes on, whatever else changes.
 */
import type { Impairments } from '../../link/impairment/impairment.ts'
import { type ImpairmentSpec, impairmentsOf } from './impairment-spec.ts'

/** What a model is made of, where that is not the key of its own name. */
const SOURCES: Partial<Record<keyof Impairments, readonly (keyof ImpairmentSpec)[]>> = {
  delay: ['delay', 'jitter'],
}

export class FaultModels {
  #spec: ImpairmentSpec = {}
  #made: Impairments = {}

  /** How the faults are described now. */
  get spec(): ImpairmentSpec {
    return this.#spec
  }

  /**
   * Describes the faults anew; `use` is given the models, and may throw: then nothing has changed.
   * @throws {TypeError | RangeError} for what no model can be made of
   */
  change(spec: ImpairmentSpec, use: (made: Impairments) => void): void {
    const made = impairmentsOf(spec)
    for (const name of Object.keys(made) as (keyof Impairments)[]) {
      const sources = SOURCES[name] ?? [name]
      if (sources.every((each) => isSame(spec[each], this.#spec[each])))
        Object.assign(made, { [name]: this.#made[name] })
    }
    use(made)
    this.#spec = structured(spec)
    this.#made = made
  }
}

/** A copy that does not change with what the caller keeps; functions are kept as they are. */
function structured<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(structured) as Value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, structured(each)])) as Value
}

/** Whether two descriptions are alike, key by key; a function is like itself only. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>]
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((key) => isSame(one[key], other[key]))
}
