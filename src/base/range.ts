/**
 * Ranges of numbers in the words of JSON Schema, so that a check and a schema read the same one.
 */

export interface NumberRange {
  readonly type: 'number' | 'integer'
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
}

/** Whether a number is in the range; NaN is in none. */
export function isWithin(value: number, { type, minimum, exclusiveMinimum, maximum }: NumberRange): boolean {
  if (type === 'integer' ? !Number.isInteger(value) : Number.isNaN(value)) return false
  if (minimum !== undefined && value < minimum) return false
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return false
  return maximum === undefined || value <= maximum
}
