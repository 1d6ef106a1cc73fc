/**
 * The report of `tungram sim`: one HTML page that needs nothing else, neither network nor, but for
 * the plots, scripts.
 */
import { closeSync, existsSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { LabResult } from '../../namespaces/lab.ts'
import type { SweepPoint } from '../../network/campaign/plan.ts'
import type { Estimate, Measure, Sweep } from '../../network/campaign/sweep.ts'
import type { FlowResult, ScenarioResult } from '../../network/scenario/flow.ts'
import { buildScenario, type Scenario } from '../../network/scenario/scenario.ts'
import { plural } from '../output.ts'
import { drawLadder } from './ladder.ts'
import { html, type Markup, NOTHING, rounded } from './markup.ts'
import { neighborsOf } from './neighbors.ts'
import { type Plot, plotAssets, plotHtml } from './plot.ts'
import { Recorder } from './recorder.ts'
import { timePlots } from './series.ts'
import { STYLE } from './style.ts'
import { sweepPlots } from './sweep-plots.ts'
import { drawTopology, linkTable } from './topology-drawing.ts'

export class Report {
  /** To be told of a single run. */
  readonly recorder: Recorder
  readonly #path: string
  readonly #file: string
  readonly #scenario: Scenario
  readonly #topology: { order: readonly string[]; drawing: Markup }
  readonly #assets = plotAssets()

  /**
   * Checks first that the page can be written. `file` is the scenario's; the ladder shows the first
   * `ladder` packets.
   * @throws {Error} when it cannot
   */
  constructor(path: string, file: string, scenario: Scenario, ladder: number) {
    try {
      const isNew = !existsSync(path)
      closeSync(openSync(path, 'a'))
      if (isNew) unlinkSync(path)
    } catch (error) {
      throw new Error(`the report cannot be written: ${(error as Error).message}`, { cause: error })
    }
    this.#path = path
    this.#file = basename(file)
    this.#scenario = scenario
    const network = buildScenario(scenario)
    this.#topology = drawTopology(scenario, network)
    this.recorder = new Recorder(scenario.flows?.length ?? 0, ladder, neighborsOf(network))
    network.close()
  }

  /** Writes the page of a single run; `lab` is what programs did in real time. */
  run({ seed, time, interrupted, flows }: ScenarioResult, lab: Programs | null = null): void {
    const { recorder } = this
    const { plots, leftOut } = timePlots(recorder, flows)
    const facts: Fact[] = [
      ['seed', `${seed}`],
      [lab === null ? 'simulated time' : 'real time', `${(time / 1000).toFixed(3)} s`],
      ...(lab === null ? [] : [['late by p50 / p99 / worst', lagText(lab)] as const]),
    ]
    this.#write(
      facts,
      interrupted,
      NOTHING,
      html`
${lab === null ? NOTHING : section('Programs', html`${programTable(lab.programs)}${allDrops(lab.drops)}`)}
${lab !== null && flows.length === 0 ? NOTHING : section('Flows', html`${flowTable(flows)}${dropTable(flows)}`)}
${
  plots.length === 0
    ? NOTHING
    : section(
        'Over time',
        html`${
          leftOut === 0
            ? NOTHING
            : html`
          <p>The first flows; ${leftOut} more are in the table above.</p>`
        }${plotGrid(plots)}`,
      )
}
${recorder.first.length === 0 ? NOTHING : section('Packet ladder', this.#ladder(flows))}`,
    )
  }

  /** Writes the page of a sweep, or of repetitions. */
  sweep(
    points: readonly SweepPoint[],
    sweeps: readonly Sweep[],
    seed: number | string,
    repeat: number,
    interrupted: boolean,
  ): void {
    const facts: Fact[] = [
      ['seed', `${seed}`],
      ...sweeps.map(({ name, values }): Fact => [name, valuesText(values)]),
      ['runs of each combination', `${repeat}`],
    ]
    const plots = sweepPlots(points, sweeps, repeat)
    const names = sweeps.map(({ name }) => name).join(', ')
    this.#write(
      facts,
      interrupted,
      names === '' ? NOTHING : html`<p class="note">As in the file; the sweep changes ${names}.</p>`,
      html`
${plots.length === 0 ? NOTHING : section('Sweep', plotGrid(plots))}
${section('Results', sweepTable(points, sweeps))}`,
    )
  }

  #write(facts: readonly Fact[], interrupted: boolean, topologyNote: Markup, content: Markup): void {
    const { name, description } = this.#scenario
    const title = name ?? this.#file
    const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${title} – tungram sim</title>
<style>${this.#assets.style}${STYLE}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${description === undefined ? NOTHING : html`<p>${description}</p>`}
<dl>${[['scenario', this.#file] as const, ...facts, ['tungram', version()] as const].map(
      ([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`,
    )}</dl>
${interrupted ? html`<p class="interrupted">Interrupted: this is what there was until then.</p>` : NOTHING}
</header>
<main>
${section(
  'Topology',
  html`${topologyNote}${this.#topology.drawing}
  <details><summary>Cables</summary>${linkTable(this.#scenario)}</details>`,
)}
${content}
</main>
<script>${this.#assets.script}</script>
</body>
</html>
`
    writeFileSync(this.#path, page.text)
  }

  #ladder(flows: readonly FlowResult[]): Markup {
    const { first, firstFrames, frames, datagrams, examples } = this.recorder
    const { order } = this.#topology
    const left = frames - firstFrames
    const shown =
      left === 0
        ? `All: ${plural(frames, 'packet')} of ${plural(datagrams, 'datagram')}.`
        : `The first ${plural(firstFrames, 'packet')}, of ${plural(first.length, 'datagram')}; ${left} more ` +
          `of ${plural(datagrams - first.length, 'datagram')} are left out.`
    return html`<p>${shown} A packet counts on each cable; the pointer on
      its label shows its headers. Times are milliseconds.</p>
${ladderLegend(flows)}
${drawLadder(first, order)}
${
  examples.length === 0
    ? NOTHING
    : html`<h3>First drops of other kinds</h3>
${examples.map(({ kinds, recorded }) => html`<h4>${kinds.join(', ')}</h4>${drawLadder(recorded, order)}`)}`
}`
  }
}

type Fact = readonly [string, string]

/** From the package's own description, which lies somewhere above this file. */
function version(): string {
  for (let at = new URL('.', import.meta.url); at.pathname !== '/'; at = new URL('..', at))
    try {
      const found = JSON.parse(readFileSync(new URL('package.json', at), 'utf8'))
      if (found.name === 'tungram') return found.version
    } catch {
      // Not here.
    }
  return 'unknown'
}

// ── parts of the page ──

function section(title: string, content: Markup): Markup {
  return html`<section><h2>${title}</h2>
${content}</section>`
}

function plotGrid(plots: readonly Plot[]): Markup {
  return html`<noscript><p>The plots are drawn by a script; without it, their numbers are in the tables.</p></noscript>
<p class="note">Drag to zoom, double-click to zoom out; click a name to hide its line.</p>
<div class="plots">${plots.map(plotHtml)}</div>`
}

function ladderLegend(flows: readonly FlowResult[]): Markup {
  return html`<p class="legend">${flows
    .slice(0, 8)
    .map(({ name }, index) => html`<span class="c${index}"><i class="line"></i>${name}</span>`)}${
    flows.length > 8 ? html`<span>… further flows repeat the colours</span>` : NOTHING
  }<span class="other"><i class="line"></i>ICMP and other</span><span><i
    class="line dashed"></i>fragment</span><span><i
    class="line dotted"></i>copy, or not followed further</span><span
    class="drop"><b>✕</b> dropped</span></p>`
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[], id: string): Markup {
  /** Numbers, also with an interval, are set right. */
  const numeric = (cell: string | number | undefined) =>
    typeof cell === 'number' || cell?.includes(' [') ? html` class="number"` : NOTHING
  return html`<div class="scroll"><table id="${id}">
<thead><tr>${head.map((each, column) => html`<th scope="col"${numeric(rows[0]?.[column])}>${each}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([
      first = '',
      ...rest
    ]) => html`<tr><th scope="row">${first}</th>${rest.map((each) => html`<td${numeric(each)}>${each}</td>`)}</tr>
`,
  )}</tbody></table></div>`
}

function counted(counts: Record<string, number>): string {
  const texts = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  return texts.length === 0 ? '–' : texts.join(', ')
}

/** What a run with programs adds to a page. */
type Programs = Pick<LabResult, 'programs' | 'drops' | 'lag'>

function lagText({ lag }: Programs): string {
  return `${lag.p50} / ${lag.p99} / ${lag.worst} ms`
}

function programTable(programs: Programs['programs']): Markup {
  const seconds = (time: number | null) => (time === null ? '–' : (time / 1000).toFixed(3))
  const rows = programs.map(({ on, command, started, ended, code, signal, stopped, ok }) => [
    on,
    command,
    seconds(started),
    seconds(ended),
    signal ?? code ?? '–',
    stopped ? 'ended with the run' : ok ? 'as expected' : 'NOT as expected',
  ])
  return table(['host', 'program', 'started s', 'ended s', 'exit', 'end'], rows, 'programs')
}

function allDrops(drops: Programs['drops']): Markup {
  if (drops.length === 0) return html`<p>Nothing was dropped.</p>`
  const rows = drops.map(({ node, nic, reason, count }) => [nic === null ? node : `${node}.${nic}`, reason, count])
  return html`<h3>Drops</h3>${table(['where', 'reason', 'count'], rows, 'all-drops')}`
}

const LATENCIES = ['min', 'mean', 'p50', 'p90', 'p99', 'max'] as const

function flowTable(flows: readonly FlowResult[]): Markup {
  const head = ['flow', 'way', 'sent', 'received', 'lost', 'lost %', 'duplicated', 'reordered']
  const more = ['kbit/s', ...LATENCIES.map((each) => `${each} ms`), 'fragments', 'not sent', 'ICMP caused']
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
  return table([...head, ...more], rows, 'flows')
}

function dropTable(flows: readonly FlowResult[]): Markup {
  const rows = flows.flatMap(({ name, drops }) =>
    drops.map(({ node, nic, reason, count }) => [name, nic === '' ? node : `${node}.${nic}`, reason, count]),
  )
  if (rows.length === 0) return html`<p>Nothing was dropped.</p>`
  return html`<h3>Drops</h3><p class="note">Each fragment and copy counts.</p>
    ${table(['flow', 'where', 'reason', 'count'], rows, 'drops')}`
}

const COLUMNS: { measure: Measure; title: string; factor: number }[] = [
  { measure: 'sent', title: 'sent', factor: 1 },
  { measure: 'received', title: 'received', factor: 1 },
  { measure: 'lossRate', title: 'lost %', factor: 100 },
  { measure: 'meanLatency', title: 'mean ms', factor: 1 },
  { measure: 'p99Latency', title: 'p99 ms', factor: 1 },
  { measure: 'throughput', title: 'kbit/s', factor: 0.001 },
  { measure: 'fragments', title: 'fragments', factor: 1 },
  { measure: 'duplicated', title: 'duplicated', factor: 1 },
  { measure: 'reordered', title: 'reordered', factor: 1 },
]

function sweepTable(points: readonly SweepPoint[], sweeps: readonly Sweep[]): Markup {
  const names = sweeps.map(({ name }) => name)
  const rows = points.flatMap(({ parameters, flows }) =>
    flows.map(({ name, runs, measures }) => [
      ...names.map((each) => parameters[each] ?? ''),
      name,
      runs,
      ...COLUMNS.map(({ measure, factor }) => estimateText(measures[measure], factor)),
    ]),
  )
  return table([...names, 'flow', 'runs', ...COLUMNS.map(({ title }) => title)], rows, 'results')
}

function estimateText(estimate: Estimate | undefined, factor: number): string | number {
  if (estimate === undefined) return '–'
  const { mean, low, high } = estimate
  if (low === null || high === null || low === high) return round(mean * factor)
  return `${rounded(mean * factor)} [${rounded(low * factor)}, ${rounded(high * factor)}]`
}

function round(value: number): number {
  return Number(rounded(value))
}

function valuesText(values: readonly (number | string)[]): string {
  return values.length <= 6
    ? values.join(', ')
    : `${values[0]}, ${values[1]}, … ${values.at(-1)} (${values.length} values)`
}
