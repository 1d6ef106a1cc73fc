/** Values of a sweep that are quantities: where they stand on an axis. */
import { bitsPerSecond } from '../../network/scenario/impairment-spec.ts'
import { milliseconds } from '../../network/time/duration.ts'

const READERS: readonly ((text: string) => number)[] = [
  (text) => (/^\s*[-+]?[\d.]+\s*%$/.test(text) ? Number.parseFloat(text) : Number.NaN),
  (text) => (/bit(\/s)?$/.test(text) ? bitsPerSecond(text) : Number.NaN),
  milliseconds,
]

/** Numbers, percentages, rates or durations, all of one kind, as numbers; else `null`. */
export function quantitiesOf(values: readonly (number | string)[]): number[] | null {
  if (values.every((value) => typeof value === 'number')) return [...values]
  for (const read of READERS)
    try {
      const found = values.map((value) => (typeof value === 'number' ? Number.NaN : read(value)))
      if (found.every(Number.isFinite)) return found
    } catch {
      // Of another kind.
    }
  return null
}
