/**
 * A span of time: milliseconds, or a number with its unit: `'250us'`, `'150ms'`, `'2s'`, `'1.5m'`,
 * `'1h'`.
 */
export type Duration = number | string

const UNITS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }

/**
 * Milliseconds of a duration.
 * @throws {TypeError} for text of another form; @throws {RangeError} for a negative one, and for
 *   one without end
 */
export function milliseconds(duration: Duration): number {
  const parts = typeof duration === 'number' ? null : /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|m|min|h)\s*$/.exec(duration)
  if (typeof duration !== 'number' && parts === null)
    throw new TypeError(`Not a duration: '${duration}'. Expected milliseconds, or text such as '150ms', '2s' or '1m'.`)
  const value = parts === null ? (duration as number) : Number(parts[1]) * (UNITS[parts[2] as string] as number)
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY))
    throw new RangeError(`The duration ${duration} is out of range: 0 or more milliseconds.`)
  return value
}
