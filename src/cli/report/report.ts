/**
 * The report of `tungram sim`: one HTML page that needs nothing else, no network, and no scripts to
 * be read. The page's own views draw it: here, and once more in the browser, where they answer.
 */
import { closeSync, existsSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Script } from 'node:vm'
import type { SweepPoint } from '../../network/campaign/plan.ts'
import type { Sweep } from '../../network/campaign/sweep.ts'
import type { ScenarioResult } from '../../network/scenario/flow.ts'
import { buildScenario, type Scenario } from '../../network/scenario/scenario.ts'
import { hasWaiting } from '../hop-text.ts'
import { frozenLadder } from './frozen.ts'
import type { Neighbors } from './life.ts'
import { neighborsOf } from './neighbors.ts'
import { Recorder } from './recorder.ts'
import type { Drawing, Fact, Programs, ReportData } from './report-data.ts'
import { seeRun } from './see.ts'
import { timePlots } from './series.ts'
import { sweepPlots } from './sweep-plots.ts'
import { type Topology, topologyOf } from './topology.ts'

export class Report {
  /** To be told of a single run. */
  readonly recorder: Recorder
  readonly #path: string
  readonly #file: string
  readonly #scenario: Scenario
  readonly #topology: Topology
  readonly #neighbors: Neighbors
  readonly #views = viewsOf()

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
    this.#topology = topologyOf(scenario, network)
    this.#neighbors = neighborsOf(network)
    this.recorder = new Recorder(scenario.flows?.length ?? 0, ladder, this.#neighbors)
    network.close()
  }

  /** Writes the page of a single run; `lab` is what programs did in real time. */
  run({ seed, time, interrupted, flows, hops }: ScenarioResult, lab: Programs | null = null): void {
    const { recorder } = this
    this.#write(
      [
        ['seed', `${seed}`],
        [lab === null ? 'simulated time' : 'real time', `${(time / 1000).toFixed(3)} s`],
        ...(lab === null ? [] : [['late by p50 / p99 / worst', lagText(lab)] as const]),
      ],
      {
        see: seeRun(flows),
        interrupted,
        topologyNote: '',
        run: {
          lab,
          flows,
          hops: hops.filter(hasWaiting),
          ...timePlots(recorder, flows),
          ladder: frozenLadder(recorder, this.#neighbors),
        },
      },
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
    const names = sweeps.map(({ name }) => name)
    const plots = sweepPlots(points, sweeps, repeat)
    this.#write(
      [
        ['seed', `${seed}`],
        ...sweeps.map(({ name, values }): Fact => [name, valuesText(values)]),
        ['runs of each combination', `${repeat}`],
      ],
      {
        see: plots[0]?.see ?? '',
        interrupted,
        topologyNote: names.length === 0 ? '' : `As in the file; the sweep changes ${names.join(', ')}.`,
        sweep: { names, points, plots },
      },
    )
  }

  #write(
    facts: readonly Fact[],
    rest: Omit<ReportData, 'title' | 'description' | 'facts' | 'topology' | 'drawing'>,
  ): void {
    const { name, description = '', flows } = this.#scenario
    const first = flows?.[0]?.from
    const data: ReportData = {
      title: name ?? this.#file,
      description,
      facts: [['scenario', this.#file], ...facts, ['tungram', version()]],
      topology: this.#topology,
      first,
      drawing: this.#views.drawing(this.#topology, first),
      ...rest,
    }
    writeFileSync(this.#path, this.#views.page(data))
  }
}

/** What `tools/report/build.mjs` makes of `page/src/report`: for this process, and for browsers. */
interface Views {
  page(data: ReportData): string
  drawing(topology: Topology, first: string | undefined): Drawing | null
}

/** @throws {Error} when they were not built */
function viewsOf(): Views {
  const [script, style, search] = ['views.js', 'views.css', 'drawing.js'].map((name) => {
    try {
      return readFileSync(new URL(name, import.meta.url), 'utf8')
    } catch (error) {
      throw new Error(`the views of the report are not there: run npm run build (${(error as Error).message})`, {
        cause: error,
      })
    }
  }) as [string, string, string]
  const { page } = new Script(`${script};tungramReport`).runInThisContext() as {
    page(data: ReportData, assets: { script: string; style: string }): string
  }
  const { drawingOf } = new Script(`${search};tungramDrawing`).runInThisContext() as { drawingOf: Views['drawing'] }
  return { page: (data) => page(data, { script, style }), drawing: drawingOf }
}

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

function lagText({ lag }: Programs): string {
  return `${lag.p50} / ${lag.p99} / ${lag.worst} ms`
}

function valuesText(values: readonly (number | string)[]): string {
  return values.length <= 6
    ? values.join(', ')
    : `${values[0]}, ${values[1]}, … ${values.at(-1)} (${values.length} values)`
}
