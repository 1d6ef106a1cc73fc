/** A run over time: what was recorded, in bins of equal width, as plots. */
import type { FlowResult } from '../../network/scenario/flow.ts'
import type { Line, Plot } from './plot.ts'
import type { FlowRecord, Recorder } from './recorder.ts'

/** Lines of one plot that can still be told apart. */
const MOST_LINES = 12
const MOST_BINS = 200
const LEAST_BINS = 40
/** A bin has so many datagrams of the slowest flow, where there are enough bins. */
const PER_BIN = 2

export function timePlots(recorder: Recorder, results: readonly FlowResult[]): { plots: Plot[]; leftOut: number } {
  const shown = recorder.flows.slice(0, MOST_LINES)
  const { width, count } = binsOf(recorder.flows)
  if (count === 0) return { plots: [], leftOut: 0 }
  const x = Array.from({ length: count }, (_, index) => Number((((index + 0.5) * width) / 1000).toPrecision(9)))
  const bin = (time: number) => Math.min(count - 1, Math.floor(time / width))
  const nameOf = (index: number) => (results[index] as FlowResult).name
  const each = (draw: (flow: FlowRecord, index: number) => Line[]) => shown.flatMap(draw)
  const common = { x, xLabel: 'time, s', group: 'time' as const }
  const perBin = `bins of ${width} ms`
  const plots: Plot[] = [
    {
      ...common,
      title: 'Throughput',
      note: `payload that arrived, and that was sent (dashed); ${perBin}`,
      yLabel: 'kbit/s',
      lines: each((flow, index) => [
        { name: nameOf(index), color: index, values: throughput(flow.arrived, flow.lengths, count, width, bin) },
        {
          name: `${nameOf(index)}, sent`,
          color: index,
          dashed: true,
          values: throughput(flow.sent, flow.lengths, count, width, bin),
        },
      ]),
    },
    {
      ...common,
      title: 'Latency',
      note: `median and range, by the time of sending; echo flows: round trips; ${perBin}`,
      yLabel: 'ms',
      lines: each((flow, index) => [{ name: nameOf(index), color: index, ...latency(flow, count, bin) }]),
    },
  ]
  const losses = each((flow, index) => [{ name: nameOf(index), color: index, values: lost(flow, count, bin) }])
  if (losses.some(({ values }) => values.some((value) => value !== null && value > 0)))
    plots.push({
      ...common,
      title: 'Losses',
      note: `datagrams that did not arrive, by the time of sending; ${perBin}`,
      yLabel: 'datagrams',
      lines: losses,
    })
  const queues = [...recorder.waiting].map(([name, changes]) => ({
    name,
    values: mostWaiting(changes, count, width, bin),
  }))
  if (queues.length > 0)
    plots.push({
      ...common,
      title: 'Queues',
      note:
        'the most frames that waited at once, each until its last bit had left; ' +
        `${perBin}${queues.length > MOST_LINES ? `; the ${MOST_LINES} longest` : ''}`,
      yLabel: 'frames',
      lines: queues
        .sort((a, b) => Math.max(...b.values) - Math.max(...a.values))
        .slice(0, MOST_LINES)
        .map((queue, index) => ({ ...queue, color: index })),
    })
  return { plots, leftOut: recorder.flows.length - shown.length }
}

/** Bins of a round width, not so narrow that slow flows leave them empty. */
function binsOf(flows: readonly FlowRecord[]): { width: number; count: number } {
  let end = -1
  let fewest = Number.POSITIVE_INFINITY
  for (const { sent, arrived } of flows) {
    for (const list of [sent, arrived]) for (const time of list) if (time > end) end = time
    if (sent.length > 1) fewest = Math.min(fewest, sent.length)
  }
  if (end <= 0) return { width: 0, count: 0 }
  const bins = Math.max(LEAST_BINS, Math.min(MOST_BINS, fewest / PER_BIN))
  const least = Math.max(end, 1) / bins
  const power = 10 ** Math.floor(Math.log10(least))
  const width = Number(
    (([1, 2, 5, 10].find((step) => step * power >= least * 0.999999) as number) * power).toPrecision(6),
  )
  // What is left over is not worth a bin, which would look like a fall.
  return { width, count: Math.max(1, Math.ceil(end / width - 0.2)) }
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
