/** What is to be seen in a run or a plot, in a sentence: where to look first. */
import type { FlowResult } from '../../network/scenario/flow.ts'
import type { Line } from './plot.ts'

/** Three digits. */
export function short(value: number): string {
  return `${Number(value.toPrecision(3))}`
}

const known = (values: readonly (number | null)[]) => values.filter((value) => value !== null)
const sum = (values: readonly (number | null)[]) => values.reduce<number>((total, each) => total + (each ?? 0), 0)

/** The line with the largest value of all, and where that is; `null` without any. */
export function highest(
  lines: readonly Line[],
  of: (line: Line) => readonly (number | null)[] = ({ values }) => values,
): { line: Line; row: number; value: number } | null {
  let found: { line: Line; row: number; value: number } | null = null
  for (const line of lines)
    for (const [row, value] of of(line).entries())
      if (value !== null && value > (found?.value ?? Number.NEGATIVE_INFINITY)) found = { line, row, value }
  return found
}

/** What was sent and what has arrived in each bin, of each flow. */
export interface Traffic {
  readonly name: string
  readonly sent: readonly number[]
  readonly arrived: readonly number[]
}

/** `x` has the middles of the bins, in seconds, `width` is theirs. */
export function seeThroughput(flows: readonly Traffic[], x: readonly number[], width: number): string {
  let silence: { name: string; from: number; length: number } | null = null
  for (const { name, sent, arrived } of flows)
    for (let from = 0; from < x.length; from++) {
      let length = 0
      while (from + length < x.length && sent[from + length] !== 0 && arrived[from + length] === 0) length++
      if (length >= 2 && length > (silence?.length ?? 0)) silence = { name, from, length }
      from += length
    }
  const silent = flows.find(({ sent, arrived }) => sum(sent) > 0 && sum(arrived) === 0)
  if (silent !== undefined) return `Of ${silent.name} nothing arrives.`
  if (silence !== null) {
    const { name, from, length } = silence
    const begin = (x[from] as number) - width / 2
    const end = begin + length * width
    return `Of ${name} nothing arrives between ${short(Math.max(0, begin))} s and ${short(end)} s.`
  }
  const shares = flows
    .filter(({ sent }) => sum(sent) > 0)
    .map((flow) => ({ flow, share: sum(flow.arrived) / sum(flow.sent) }))
  const least = shares.sort((a, b) => a.share - b.share)[0]
  if (least === undefined) return ''
  return least.share > 0.99
    ? 'What is sent arrives.'
    : `Of what ${least.flow.name} sends ${short(least.share * 100)} % arrive.`
}

export function seeLatency(lines: readonly Line[], x: readonly number[]): string {
  const most = highest(lines, ({ high = [] }) => high)
  if (most === null) return ''
  const { line, row, value } = most
  const least = Math.min(...known(line.low ?? []))
  return value > least * 1.5
    ? `${line.name} takes ${short(least)} ms at least, and ${short(value)} ms around ${short(x[row] as number)} s.`
    : `Nothing takes longer than ${short(value)} ms.`
}

export function seeShares(name: string, half: number, most: number): string {
  return `Half of ${name} arrives within ${short(half)} ms, 99 % within ${short(most)} ms.`
}

export function seeLosses(lines: readonly Line[], x: readonly number[]): string {
  const most = highest(lines)
  if (most === null) return ''
  const all = sum(most.line.values)
  return `${most.line.name} loses ${all} in all, most around ${short(x[most.row] as number)} s: ${most.value}.`
}

export function seeQueues(lines: readonly Line[], x: readonly number[]): string {
  const most = highest(lines)
  return most === null
    ? ''
    : `The longest queue is at ${most.line.name}: ${most.value} frames around ${short(x[most.row] as number)} s.`
}

/** The line that changes most between the ends of the parameter. */
export function seeSweep(lines: readonly Line[], x: readonly (number | string)[], unit: string): string {
  const changes = lines.map(({ name, values }) => {
    const rows = [...values.keys()].filter((row) => values[row] !== null)
    const [first = 0, last = 0] = [rows[0], rows.at(-1)]
    return { name, first, last, from: (values[first] ?? 0) as number, to: (values[last] ?? 0) as number }
  })
  const most = changes.sort((a, b) => Math.abs(b.to - b.from) - Math.abs(a.to - a.from))[0]
  if (most === undefined || most.first === most.last) return ''
  const { name, first, last, from, to } = most
  return short(from) === short(to)
    ? `It is the same at ${x[first]} and at ${x[last]}: ${short(from)} ${unit}.`
    : `${name} goes from ${short(from)} ${unit} at ${x[first]} to ${short(to)} ${unit} at ${x[last]}.`
}

/** What became of a run as a whole. */
export function seeRun(flows: readonly FlowResult[]): string {
  const sent = flows.reduce((total, flow) => total + flow.sent, 0)
  if (sent === 0) return ''
  const received = flows.reduce((total, flow) => total + flow.received, 0)
  const lost = flows.reduce((total, flow) => total + flow.lost, 0)
  const all = `${received} of ${sent} datagrams arrived.`
  const kinds = flows.flatMap(({ name, drops }) => drops.map((drop) => ({ ...drop, name })))
  const most = kinds.sort((a, b) => b.count - a.count)[0]
  if (most === undefined) return lost === 0 ? all : `${all} ${lost} were lost.`
  const { node, nic, reason, count, name } = most
  const place = nic === '' ? node : `${node}.${nic}`
  return `${all} Most was dropped at ${place}: ${reason}, ${count} ${count === 1 ? 'packet' : 'packets'} of ${name}.`
}
