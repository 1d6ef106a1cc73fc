/** A run over time: what was recorded, in bins of equal width, as plots. */
import type { FlowResult } from '../../network/scenario/flow.ts'
import type { Line, Plot } from './plot.ts'
import type { FlowRecord, Recorder } from './recorder.ts'
import { seeLatency, seeLosses, seeQueues, seeShares, seeThroughput, short } from './see.ts'

/** Lines of one plot that can still be told apart. */
const MOST_LINES = 12
const MOST_BINS = 200
const LEAST_BINS = 25
/** So few show hardly anything over time: rather than fewer, bins without a datagram. */
const FEWEST_BINS = 8
/** A bin has so many datagrams of the slowest flow, where there are enough bins. */
const PER_BIN = 2
/** Points of a distribution. */
const SHARES = 200

export function timePlots(recorder: Recorder, results: readonly FlowResult[]): { plots: Plot[]; leftOut: number } {
  const shown = recorder.flows.slice(0, MOST_LINES)
  const nameOf = (index: number) => (results[index] as FlowResult).name
  const { width, count, slowest } = binsOf(shown)
  if (count === 0) return { plots: [], leftOut: 0 }
  const x = Array.from({ length: count }, (_, index) => Number((((index + 0.5) * width) / 1000).toPrecision(9)))
  const bin = (time: number) => Math.min(count - 1, Math.floor(time / width))
  const each = (draw: (flow: FlowRecord, index: number) => Line[]) => shown.flatMap(draw)
  const common = { x, xLabel: 'time, s', group: 'time' as const }
  const perBin =
    `bins of ${width} ms` +
    (slowest === null ? '' : `, each with about ${short(slowest.perBin)} of the slowest flow, ${nameOf(slowest.index)}`)
  const traffic = shown.map((flow, index) => ({
    name: nameOf(index),
    sent: throughput(flow.sent, flow.lengths, count, width, bin),
    arrived: throughput(flow.arrived, flow.lengths, count, width, bin),
  }))
  const latencies = each((flow, index) => [{ name: nameOf(index), color: index, ...latency(flow, count, bin) }])
  const plots: Plot[] = [
    {
      ...common,
      title: 'Throughput',
      note: `payload that arrived, and that was sent (dashed); ${perBin}`,
      see: seeThroughput(traffic, x, width / 1000),
      yLabel: 'kbit/s',
      lines: traffic.flatMap(({ name, sent, arrived }, color) => [
        { name, color, values: arrived },
        { name: `${name}, sent`, color, dashed: true, values: sent },
      ]),
    },
    {
      ...common,
      title: 'Latency',
      note: `median and range, by the time of sending; echo flows: round trips; ${perBin}`,
      see: seeLatency(latencies, x),
      yLabel: 'ms',
      lines: latencies,
    },
    ...distribution(shown, nameOf),
  ]
  const losses = each((flow, index) => [{ name: nameOf(index), color: index, values: lost(flow, count, bin) }])
  if (losses.some(({ values }) => values.some((value) => value !== null && value > 0)))
    plots.push({
      ...common,
      title: 'Losses',
      note: `datagrams that did not arrive, by the time of sending; ${perBin}`,
      see: seeLosses(losses, x),
      yLabel: 'datagrams',
      lines: losses,
    })
  const queues = [...recorder.waiting].map(([name, changes]) => ({
    name,
    values: mostWaiting(changes, count, width, bin),
  }))
  if (queues.length > 0) {
    const lines = queues
      .sort((a, b) => Math.max(...b.values) - Math.max(...a.values))
      .slice(0, MOST_LINES)
      .map((queue, index) => ({ ...queue, color: index }))
    plots.push({
      ...common,
      title: 'Queues',
      note:
        'the most frames that waited at once, each until its last bit had left; ' +
        `bins of ${width} ms${queues.length > MOST_LINES ? `; the ${MOST_LINES} longest` : ''}`,
      see: seeQueues(lines, x),
      yLabel: 'frames',
      lines,
    })
  }
  return { plots, leftOut: recorder.flows.length - shown.length }
}

interface Bins {
  /** Milliseconds. */
  readonly width: number
  readonly count: number
  /** The flow with the fewest datagrams in a bin, while it sends. */
  readonly slowest: { readonly index: number; readonly perBin: number } | null
}

/**
 * Bins of a round width, not so narrow that the slowest flow leaves some empty: it would look like
 * one that stops and goes.
 */
function binsOf(flows: readonly FlowRecord[]): Bins {
  let end = -1
  let slowest = { index: -1, interval: 0 }
  for (const [index, { sent, arrived }] of flows.entries()) {
    for (const list of [sent, arrived]) for (const time of list) if (time > end) end = time
    const times = sent.filter((time) => time !== undefined)
    const interval = times.length < 2 ? 0 : ((times.at(-1) as number) - (times[0] as number)) / (times.length - 1)
    if (interval > slowest.interval) slowest = { index, interval }
  }
  if (end <= 0) return { width: 0, count: 0, slowest: null }
  const { index, interval } = slowest
  const most = Math.max(end / LEAST_BINS, Math.min(interval, end / FEWEST_BINS))
  const least = Math.min(Math.max(end / MOST_BINS, interval * PER_BIN), most)
  const power = 10 ** Math.floor(Math.log10(least))
  const width = Number(
    (([1, 2, 5, 10].find((step) => step * power >= least * 0.999999) as number) * power).toPrecision(6),
  )
  return {
    width,
    // What is left over is not worth a bin, which would look like a fall.
    count: Math.max(1, Math.ceil(end / width - 0.2)),
    slowest: index < 0 ? null : { index, perBin: width / interval },
  }
}

/** How many datagrams of a flow, of those that arrived, took at most so long. */
function distribution(flows: readonly FlowRecord[], nameOf: (index: number) => string): Plot[] {
  const sorted = flows.map(({ sent, arrived }) => {
    const latencies: number[] = []
    // With holes: what did not arrive.
    arrived.forEach((time, number) => {
      latencies.push(time - (sent[number] as number))
    })
    return latencies.sort((a, b) => a - b)
  })
  const known = sorted.filter(({ length }) => length > 0)
  const least = Math.min(...known.map((latencies) => latencies[0] as number))
  const most = Math.max(...known.map((latencies) => latencies.at(-1) as number))
  if (!(most > least)) return []
  // Of latencies that differ by decades most would stand at the left edge.
  const log = least > 0 && most / least > 50
  const x = Array.from({ length: SHARES + 1 }, (_, step) => {
    const part = step / SHARES
    return Number((log ? least * (most / least) ** part : least + (most - least) * part).toPrecision(6))
  })
  x[SHARES] = Math.max(most, x[SHARES] as number)
  const spread = sorted
    .map((latencies, index) => ({ index, half: quantile(latencies, 0.5), most: quantile(latencies, 0.99) }))
    .filter(({ half }) => !Number.isNaN(half))
    .sort((a, b) => b.most - b.half - (a.most - a.half))[0]
  return [
    {
      title: 'Latency, distribution',
      note: 'datagrams that took at most so long, of those that arrived; echo flows: round trips',
      see: spread === undefined ? '' : seeShares(nameOf(spread.index), spread.half, spread.most),
      xLabel: 'latency, ms',
      yLabel: '%',
      x,
      ...(log ? { log } : {}),
      lines: sorted.flatMap((latencies, color) =>
        latencies.length === 0 ? [] : [{ name: nameOf(color), color, values: sharesOf(latencies, x) }],
      ),
    },
  ]
}

/** The value below or at which a share of sorted ones is. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

function sharesOf(sorted: readonly number[], x: readonly number[]): number[] {
  let count = 0
  return x.map((value) => {
    while (count < sorted.length && (sorted[count] as number) <= value) count++
    return Number(((100 * count) / sorted.length).toPrecision(6))
  })
}

function throughput(
  times: readonly number[],
  lengths: readonly number[],
  count: number,
  width: number,
  bin: (time: number) => number,
) {
  const values = new Array<number>(count).fill(0)
  // With holes: what was not sent, or did not arrive.
  times.forEach((time, number) => {
    values[bin(time)] = (values[bin(time)] as number) + ((lengths[number] as number) * 8) / width
  })
  return values
}

function latency({ sent, arrived }: FlowRecord, count: number, bin: (time: number) => number) {
  const bins: number[][] = Array.from({ length: count }, () => [])
  arrived.forEach((time, number) => {
    const start = sent[number] as number
    ;(bins[bin(start)] as number[]).push(time - start)
  })
  for (const each of bins) each.sort((a, b) => a - b)
  return {
    values: bins.map((each) => each[Math.ceil(each.length / 2) - 1] ?? null),
    low: bins.map((each) => each[0] ?? null),
    high: bins.map((each) => each.at(-1) ?? null),
  }
}

function lost({ sent, arrived }: FlowRecord, count: number, bin: (time: number) => number): number[] {
  const values = new Array<number>(count).fill(0)
  sent.forEach((time, number) => {
    if (arrived[number] === undefined) values[bin(time)] = (values[bin(time)] as number) + 1
  })
  return values
}

function mostWaiting(
  changes: { time: number; change: number }[],
  count: number,
  width: number,
  bin: (time: number) => number,
): number[] {
  // What leaves makes room for what comes at the same time.
  const sorted = changes
    .filter(({ time }) => time < count * width)
    .sort((a, b) => a.time - b.time || a.change - b.change)
  const values = new Array<number>(count).fill(0)
  let waiting = 0
  let next = 0
  for (let index = 0; index < count; index++) {
    values[index] = waiting
    for (; next < sorted.length && bin((sorted[next] as { time: number }).time) <= index; next++) {
      waiting += (sorted[next] as { change: number }).change
      values[index] = Math.max(values[index] as number, waiting)
    }
  }
  return values
}
