/** Round places for the ticks of an axis. */

/** Places of drawings have a digit behind the point: more is not seen. */
export function tenth(value: number): number {
  return Math.round(value * 10) / 10
}

/** Values between two ends, each a round number, about as many as wanted. */
export function ticksOf(from: number, to: number, wanted: number): number[] {
  if (!(to > from)) return [from]
  const step = roundStep((to - from) / Math.max(1, wanted))
  const found: number[] = []
  for (let index = Math.ceil(from / step - 1e-9); index * step <= to + step * 1e-9; index++)
    found.push(Number((index * step).toPrecision(12)))
  return found
}

/** Powers of ten and, where there is room, their double and fivefold. */
export function logTicksOf(from: number, to: number, wanted: number): number[] {
  const decades = Math.log10(to / from)
  const factors = decades * 3 <= wanted ? [1, 2, 5] : [1]
  const each = Math.max(1, Math.ceil(decades / wanted))
  const found: number[] = []
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    if (power % each !== 0) continue
    for (const factor of factors) {
      const value = Number((factor * 10 ** power).toPrecision(12))
      if (value >= from * 0.999999 && value <= to * 1.000001) found.push(value)
    }
  }
  return found.length > 0 ? found : [from]
}

/** The smallest of 1, 2, 5 and 10 times a power of ten that is not below a number. */
export function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return Number((([1, 2, 5].find((factor) => factor * power >= least * 0.999999) ?? 10) * power).toPrecision(12))
}

/** Four digits, and no more zeros than a large number needs: `12k`, `1.5M`. */
export function short(value: number): string {
  const unit = [1e9, 1e6, 1e4].find((each) => Math.abs(value) >= each)
  if (unit === undefined) return `${Number(value.toPrecision(4))}`
  return unit === 1e4
    ? `${Number((value / 1e3).toPrecision(4))}k`
    : `${Number((value / unit).toPrecision(4))}${unit === 1e9 ? 'G' : 'M'}`
}
