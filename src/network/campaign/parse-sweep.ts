/** The values of a sweep from the text of a command line. */
import { milliseconds } from '../time/duration.ts'

/** One parameter and its values. */
export interface Sweep {
  /** `mtu`, `flows.video.size`, `links.r1-b.forward.loss`, `links.0.mtu`. */
  readonly name: string
  readonly values: readonly (number | string)[]
}

/** The most values of one sweep. */
const MOST_VALUES = 100_000

const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?`
/** A number, perhaps with a unit behind it: `1e-3`, `.1`, `10ms`, `2.5Mbit`, `1%`. */
const QUANTITY = new RegExp(`^(${NUMBER})([a-zA-Z%/]*)$`)
const RANGE = new RegExp(`^(${NUMBER}[a-zA-Z%/]*)\\.\\.(${NUMBER}[a-zA-Z%/]*)(?::(.+))?$`)

/**
 * Reads a list, `loss=0,1e-3,.1` or `delay=1ms,1s`, a range, `mtu=576..9000:4` (from, to, step) or
 * `delay=10ms..50ms:10ms`, and a range of equal factors, `rate=1e6..1e9:log10`: each value is ten
 * times the one before.
 * @throws {TypeError} for text of another form
 */
export function parseSweep(text: string): Sweep {
  const [, name, values] = /^([^=\s]+)=(.+)$/.exec(text) ?? []
  if (name === undefined || values === undefined)
    throw new TypeError(
      `'${text}' is no sweep; expected NAME=FROM..TO:STEP, NAME=FROM..TO:logBASE or NAME=VALUE,VALUE,…`,
    )
  const range = RANGE.exec(values)
  if (range === null) return { name, values: values.split(',').map((each) => scalarOf(each)) }
  const [, from = '', to = '', step = '1'] = range
  const base = /^log(\d+(?:\.\d+)?)$/.exec(step)?.[1]
  const ends = base === undefined ? sameUnit(text, [from, to, step]) : sameUnit(text, [from, to])
  const [low = 0, high = 0, distance = 0] = ends.values
  const all = base === undefined ? steps(text, low, high, distance) : factors(text, low, high, Number(base))
  return { name, values: all.map((each) => (ends.unit === '' ? each : `${each}${ends.unit}`)) }
}

function scalarOf(text: string): number | string {
  const [, number, unit] = QUANTITY.exec(text) ?? []
  return number !== undefined && unit === '' ? Number(number) : text
}

/** Quantities in one unit: durations in milliseconds when theirs differ; a step may lack it. */
function sameUnit(text: string, quantities: readonly string[]): { values: number[]; unit: string } {
  const parts = quantities.map((each) => {
    const [, number, unit = ''] = QUANTITY.exec(each) ?? []
    if (number === undefined) throw new TypeError(`'${text}': '${each}' is no number, perhaps with a unit`)
    return { each, number: Number(number), unit }
  })
  const unit = parts[0]?.unit ?? ''
  if (parts.every((part, index) => part.unit === unit || (index === 2 && part.unit === '')))
    return { values: parts.map(({ number }) => number), unit }
  try {
    return { values: parts.map(({ each }) => milliseconds(each)), unit: 'ms' }
  } catch {
    throw new TypeError(`'${text}': ${quantities.join(', ')} are in different units`)
  }
}

function steps(text: string, from: number, to: number, step: number): number[] {
  if (!(from <= to && step > 0)) throw new TypeError(`'${text}': a range goes upwards, with a step above 0`)
  const count = Math.floor((to - from) / step + 1e-9) + 1
  checkCount(text, count)
  // Decimal steps without the dust of binary ones.
  return Array.from({ length: count }, (_, index) => rounded(from + index * step))
}

function factors(text: string, from: number, to: number, base: number): number[] {
  if (!(from > 0 && from <= to && base > 1))
    throw new TypeError(`'${text}': a logarithmic range begins above 0 and goes upwards, with a base above 1`)
  const count = Math.floor(Math.log(to / from) / Math.log(base) + 1e-9) + 1
  checkCount(text, count)
  return Array.from({ length: count }, (_, index) => rounded(from * base ** index))
}

function checkCount(text: string, count: number): void {
  if (count > MOST_VALUES) throw new TypeError(`'${text}' has ${count} values; ${MOST_VALUES} at most`)
}

function rounded(value: number): number {
  return Number(value.toPrecision(12))
}
