/** The tables of a report. */
import type { Programs, SweepPart } from '../../../src/cli/report/report-data.ts'
import { hopTable } from '../../../src/cli/sweep-hops.ts'
import type { Estimate, FlowResult, HopResult } from '../../../src/network/index.ts'
import type { Topology } from '../protocol.ts'

type Cell = string | number

/** Numbers, also with an interval, are set right. */
function isNumeric(cell: Cell | undefined): boolean {
  return typeof cell === 'number' || (typeof cell === 'string' && cell.includes(' ['))
}

export function Table({
  id,
  name,
  head,
  rows,
}: {
  id: string
  name: string
  head: readonly string[]
  rows: readonly (readonly Cell[])[]
}) {
  const numeric = head.map((_, column) => rows.some((row) => isNumeric(row[column])))
  const of = (column: number) => (numeric[column] === true ? { class: 'number' } : {})
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={name}>
      <table id={id}>
        <thead>
          <tr>
            {head.map((each, column) => (
              <th scope="col" key={each} {...of(column)}>
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) =>
                column === 0 ? (
                  <th scope="row" key={head[column]}>
                    {cell}
                  </th>
                ) : (
                  <td key={head[column]} {...of(column)}>
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export function CableTable({ topology: { cables } }: { topology: Topology }) {
  const cell = (texts: readonly string[]) => (texts.length === 0 ? '–' : texts.join(', '))
  const rows = cables.map(({ name, ends, mtu, faults }) => [
    name,
    `${ends[0].node} and ${ends[1].node}`,
    mtu,
    cell(faults[0]),
    cell(faults[1]),
  ])
  return <Table id="cables" name="Cables" head={['cable', 'between', 'MTU', 'there →', '← back']} rows={rows} />
}

const LATENCIES = ['min', 'mean', 'p50', 'p90', 'p99', 'max'] as const

export function FlowTable({ flows }: { flows: readonly FlowResult[] }) {
  const head = ['flow', 'way', 'sent', 'received', 'lost', 'lost %', 'duplicated', 'reordered', 'kbit/s']
  const more = [...LATENCIES.map((each) => `${each} ms`), 'fragments', 'not sent', 'ICMP caused']
  const rows = flows.map((flow) => [
    flow.name,
    `${flow.from} > ${flow.to}${flow.mode === 'echo' ? ' and back' : ''}`,
    flow.sent,
    flow.received,
    flow.lost,
    flow.sent === 0 ? '–' : round((100 * flow.lost) / flow.sent),
    flow.duplicated,
    flow.reordered,
    round(flow.throughput / 1000),
    ...LATENCIES.map((each) => (flow.latency === null ? '–' : round(flow.latency[each]))),
    flow.fragments,
    counted(flow.errors),
    counted(flow.icmp),
  ])
  return <Table id="flows" name="Flows" head={[...head, ...more]} rows={rows} />
}

/** Directions of cables; all have a queue. */
export function HopTable({ hops }: { hops: readonly HopResult[] }) {
  const head = ['cable', 'way', 'frames', 'sent', 'bytes', 'busy %', 'queue mean', 'p99', 'max']
  const waits = ['wait mean ms', 'p99 ms', 'max ms', 'dropped', 'marked']
  const rows = hops.map(({ link, from, to, offered, sent, utilization, queue, drops, marks }) => [
    link,
    `${from} > ${to}`,
    offered.frames,
    sent.frames,
    sent.bytes,
    utilization === null ? '–' : round(100 * utilization),
    ...(['mean', 'p99', 'max'] as const).map((each) => (queue === null ? '–' : round(queue.length[each]))),
    ...(['mean', 'p99', 'max'] as const).map((each) => (queue?.wait == null ? '–' : round(queue.wait[each]))),
    counted(drops),
    marks,
  ])
  return <Table id="hops" name="Queues" head={[...head, ...waits]} rows={rows} />
}

export function DropTable({ flows }: { flows: readonly FlowResult[] }) {
  const rows = flows.flatMap(({ name, drops }) =>
    drops.map(({ node, nic, reason, count }) => [name, nic === '' ? node : `${node}.${nic}`, reason, count]),
  )
  if (rows.length === 0) return <p>Nothing was dropped.</p>
  return (
    <>
      <h3>Drops</h3>
      <p class="note">Each fragment and copy counts.</p>
      <Table id="drops" name="Drops" head={['flow', 'where', 'reason', 'count']} rows={rows} />
    </>
  )
}

export function ProgramTables({ programs, drops }: Programs) {
  const seconds = (time: number | null) => (time === null ? '–' : (time / 1000).toFixed(3))
  const rows = programs.map(({ on, command, started, ended, code, signal, stopped, ok }) => [
    on,
    command,
    seconds(started),
    seconds(ended),
    signal ?? code ?? '–',
    stopped ? 'ended with the run' : ok ? 'as expected' : 'NOT as expected',
  ])
  const dropped = drops.map(({ node, nic, reason, count }) => [nic === null ? node : `${node}.${nic}`, reason, count])
  return (
    <>
      <Table
        id="programs"
        name="Programs"
        head={['host', 'program', 'started s', 'ended s', 'exit', 'end']}
        rows={rows}
      />
      {dropped.length === 0 ? (
        <p>Nothing was dropped.</p>
      ) : (
        <>
          <h3>Drops</h3>
          <Table id="all-drops" name="Drops" head={['where', 'reason', 'count']} rows={dropped} />
        </>
      )}
    </>
  )
}

const COLUMNS = [
  { measure: 'sent', title: 'sent', factor: 1 },
  { measure: 'received', title: 'received', factor: 1 },
  { measure: 'lossRate', title: 'lost %', factor: 100 },
  { measure: 'meanLatency', title: 'mean ms', factor: 1 },
  { measure: 'p99Latency', title: 'p99 ms', factor: 1 },
  { measure: 'throughput', title: 'kbit/s', factor: 0.001 },
  { measure: 'fragments', title: 'fragments', factor: 1 },
  { measure: 'duplicated', title: 'duplicated', factor: 1 },
  { measure: 'reordered', title: 'reordered', factor: 1 },
] as const

export function SweepTable({ points, names }: SweepPart) {
  const rows = points.flatMap(({ parameters, flows }) =>
    flows.map(({ name, runs, measures }) => [
      ...names.map((each) => parameters[each] ?? ''),
      name,
      runs,
      ...COLUMNS.map(({ measure, factor }) => estimateText(measures[measure], factor)),
    ]),
  )
  const head = [...names, 'flow', 'runs', ...COLUMNS.map(({ title }) => title)]
  return <Table id="results" name="Results" head={head} rows={rows} />
}

/** Nothing where no direction of a cable has something to say. */
export function SweepHopTable({ points, names }: SweepPart) {
  const { rows, columns } = hopTable(points)
  if (rows.length === 0) return null
  const head = [...names, 'cable', 'way', 'runs', ...columns.map(({ title }) => title)]
  const cells = rows.map(({ parameters, hop: { link, from, to, runs, measures } }) => [
    ...names.map((each) => parameters[each] ?? ''),
    link,
    `${from} > ${to}`,
    runs,
    ...columns.map(({ measure, factor }) => estimateText(measures[measure], factor)),
  ])
  return (
    <>
      <h3>Cables</h3>
      <p class="note">
        Directions with a rate where frames waited, or where the combinations differ. Lengths are frames.
      </p>
      <Table id="hop-results" name="Cables" head={head} rows={cells} />
    </>
  )
}

function estimateText(estimate: Estimate | undefined, factor: number): Cell {
  if (estimate === undefined) return '–'
  const { mean, low, high } = estimate
  if (low === null || high === null || low === high) return round(mean * factor)
  return `${round(mean * factor)} [${round(low * factor)}, ${round(high * factor)}]`
}

function counted(counts: Readonly<Record<string, number>>): string {
  const texts = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  return texts.length === 0 ? '–' : texts.join(', ')
}

/** Three decimals at most. */
function round(value: number): number {
  return Number(value.toFixed(3))
}
