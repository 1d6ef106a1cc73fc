/**
 * The metrics of the IETF for one stream of packets: jitter (RFC 3550), delay variation (RFC 5481),
 * reordering (RFC 4737), loss patterns (RFC 3357). Times are milliseconds.
 */
import { wholeNanoseconds } from '../../base/clock.ts'

/** What arrived, in the order of arrival; each datagram once. */
export interface Arrival {
  readonly number: number
  readonly sent: number
  readonly time: number
}

export interface DelayVariation {
  /**
   * Packet delay variation: the delay less the smallest one (RFC 5481 section 4.2). `p999` is the
   * 99.9th percentile, which the RFC proposes for comparisons.
   */
  pdv: { mean: number; p50: number; p90: number; p99: number; p999: number; max: number }
  /**
   * Inter-packet delay variation: the delay less that of the datagram sent before it, for pairs of
   * which both arrived (RFC 5481 section 4.1); `meanAbsolute` is the mean of its size.
   */
  ipdv: { min: number; meanAbsolute: number; p99Absolute: number; max: number } | null
}

export interface Reordering {
  /** Those reordered among those received (RFC 4737 section 4.1). */
  ratio: number
  /** How many arrivals before it the first later one came (section 4.2). */
  extent: { mean: number; max: number } | null
  /** How much later than that one, in milliseconds (section 4.3). */
  lateTime: { mean: number; max: number } | null
  /**
   * The largest n for which a datagram is n-reordered: n later ones came right before it (section
   * 5.4). From 3 on, TCP takes it for lost.
   */
  maxN: number
}

export interface LossPattern {
  /** Runs of losses (RFC 3357 section 6: loss periods). */
  periods: number
  /** Datagrams in a run. */
  length: { mean: number; max: number } | null
  /** Datagrams from one loss to the next (loss distance); 1 within a run. */
  distance: { min: number; mean: number } | null
  /** Datagrams that arrived between two runs (inter-loss-period lengths). */
  between: { min: number; mean: number } | null
}

/**
 * The estimate of interarrival jitter after the last datagram (RFC 3550 section 6.4.1 and appendix
 * A.8); `null` for fewer than two.
 */
export function jitterOf(arrivals: readonly Arrival[]): number | null {
  if (arrivals.length < 2) return null
  let jitter = 0
  for (const [index, { sent, time }] of arrivals.entries()) {
    const before = arrivals[index - 1]
    if (before === undefined) continue
    const difference = Math.abs(time - sent - (before.time - before.sent))
    jitter += (difference - jitter) / 16
  }
  return wholeNanoseconds(jitter)
}

export function delayVariationOf(arrivals: readonly Arrival[]): DelayVariation | null {
  if (arrivals.length === 0) return null
  const sent = [...arrivals].sort((a, b) => a.number - b.number)
  // Loops: a run has millions of them.
  const delays = new Float64Array(sent.length)
  const changes: number[] = []
  let before: Arrival | undefined
  for (const [index, each] of sent.entries()) {
    const delay = each.time - each.sent
    delays[index] = delay
    if (before !== undefined && before.number === each.number - 1) changes.push(delay - (before.time - before.sent))
    before = each
  }
  const least = delays.reduce((low, each) => Math.min(low, each))
  const over = delays.map((each) => each - least).sort()
  const sizes = new Float64Array(changes).map(Math.abs).sort()
  return {
    pdv: {
      mean: wholeNanoseconds(meanOf(over)),
      p50: wholeNanoseconds(rank(over, 0.5)),
      p90: wholeNanoseconds(rank(over, 0.9)),
      p99: wholeNanoseconds(rank(over, 0.99)),
      p999: wholeNanoseconds(rank(over, 0.999)),
      max: wholeNanoseconds(rank(over, 1)),
    },
    ipdv:
      changes.length === 0
        ? null
        : {
            min: wholeNanoseconds(changes.reduce((low, each) => Math.min(low, each))),
            meanAbsolute: wholeNanoseconds(meanOf(sizes)),
            p99Absolute: wholeNanoseconds(rank(sizes, 0.99)),
            max: wholeNanoseconds(changes.reduce((high, each) => Math.max(high, each))),
          },
  }
}

export function reorderingOf(arrivals: readonly Arrival[]): Reordering {
  /** Arrivals that were in order: each has a higher number than all before. */
  const inOrder: { index: number; number: number }[] = []
  const extents: number[] = []
  const lates: number[] = []
  let maxN = 0
  for (const [index, { number, time }] of arrivals.entries()) {
    const last = inOrder.at(-1)
    if (last === undefined || number > last.number) {
      inOrder.push({ index, number })
      continue
    }
    const first = earliestAbove(inOrder, number)
    extents.push(index - first)
    lates.push(time - (arrivals[first] as Arrival).time)
    let n = 0
    while (n < index && (arrivals[index - 1 - n] as Arrival).number > number) n++
    maxN = Math.max(maxN, n)
  }
  const spread = (values: readonly number[]) =>
    values.length === 0
      ? null
      : {
          mean: wholeNanoseconds(meanOf(values)),
          max: wholeNanoseconds(values.reduce((high, each) => Math.max(high, each))),
        }
  return {
    ratio: arrivals.length === 0 ? 0 : extents.length / arrivals.length,
    extent: spread(extents),
    lateTime: spread(lates),
    maxN,
  }
}

/** `lost`: of each datagram that was sent, in their order, whether it did not arrive. */
export function lossPatternOf(lost: readonly boolean[]): LossPattern {
  const lengths: number[] = []
  const distances: number[] = []
  const between: number[] = []
  let last = -1
  for (const [at, isLost] of lost.entries()) {
    if (!isLost) continue
    if (last >= 0) distances.push(at - last)
    if (last >= 0 && at === last + 1) lengths[lengths.length - 1] = (lengths.at(-1) as number) + 1
    else {
      lengths.push(1)
      if (last >= 0) between.push(at - last - 1)
    }
    last = at
  }
  const least = (values: readonly number[]) =>
    values.length === 0
      ? null
      : { min: values.reduce((low, each) => Math.min(low, each)), mean: wholeNanoseconds(meanOf(values)) }
  const longest = lengths.reduce((high, each) => Math.max(high, each), 0)
  return {
    periods: lengths.length,
    length: lengths.length === 0 ? null : { mean: wholeNanoseconds(meanOf(lengths)), max: longest },
    distance: least(distances),
    between: least(between),
  }
}

/** The index of the first arrival with a higher number: those in order rise. */
function earliestAbove(inOrder: readonly { index: number; number: number }[], number: number): number {
  let low = 0
  let high = inOrder.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((inOrder[middle] as { number: number }).number > number) high = middle
    else low = middle + 1
  }
  return (inOrder[low] as { index: number }).index
}

function meanOf(values: readonly number[] | Float64Array): number {
  let sum = 0
  for (const each of values) sum += each
  return sum / values.length
}

/** The nearest rank. */
export function rank(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
}

/** A rate or a share with as many digits as mean something. */
export function nineDigits(value: number): number {
  return Number(value.toPrecision(9))
}
