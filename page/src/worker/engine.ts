/** The engine as the page uses it: what it was given last, and the calls of the protocol. */
import { neighborsOf } from '../../../src/cli/report/neighbors.ts'
import { timePlots } from '../../../src/cli/report/series.ts'
import { readScenarioText, ScenarioTextError } from '../../../src/cli/scenario-text.ts'
import {
  buildScenario,
  type Network,
  type RunOptions,
  type RunWatcher,
  runScenario,
  SCENARIO_SCHEMA,
  type Scenario,
  type ScenarioResult,
  type Schema,
} from '../../../src/network/index.ts'
import type { RunningPrograms, startPrograms } from '../../../src/shell/programs.ts'
import type { Detail, Edit, Engine, Loaded, Run, RunRequest, TextFault } from '../protocol.ts'
import { edited } from './edit.ts'
import { FrameCollector } from './frame-bytes.ts'
import { RunRecorder } from './run-recorder.ts'
import type { Place } from './syntax-fault.ts'
import { topologyOf } from './topology.ts'

/** Milliseconds between two words about how far a run is. */
const PROGRESS = 150
/** Milliseconds of simulated time after which code that has no end is ended. */
const CODE_TIME = 60_000
/** The machine's time, also while programs see that of their network. */
const machineNow = performance.now.bind(performance)

export class ScenarioEngine implements Engine {
  #scenario: Scenario = {}
  #request: RunRequest = {}
  #progress: (time: number) => void
  readonly #placeOf: (script: string) => Promise<Place | null>
  /** Loaded with the first program: most runs have none. */
  #startPrograms: typeof startPrograms | null = null
  #programs: RunningPrograms | null = null

  /** `progress` is told how far a run is; `placeOf` tells where the syntax error of a script is. */
  constructor(
    progress: (time: number) => void,
    placeOf: (script: string) => Promise<Place | null> = () => Promise.resolve(null),
  ) {
    this.#progress = progress
    this.#placeOf = placeOf
  }

  load(text: string): Loaded {
    try {
      const scenario = readScenarioText(text)
      const network = buildScenario(scenario, { lineage: 0 })
      try {
        const topology = topologyOf(scenario, network)
        this.#scenario = scenario
        return { scenario, topology }
      } finally {
        network.close()
      }
    } catch (error) {
      if (!(error instanceof ScenarioTextError)) throw error
      const { line, column, message } = error
      return { fault: { line, column, message } }
    }
  }

  schema(): Schema {
    return SCENARIO_SCHEMA
  }

  async check(code: string): Promise<TextFault | null> {
    const { syntaxFault } = await import('./syntax-fault.ts')
    return syntaxFault(code, this.#placeOf)
  }

  /** Whether an error that nobody caught is that of a program, which has been told. */
  takes(error: unknown): boolean {
    return this.#programs?.takes(error) ?? false
  }

  edit(text: string, edits: readonly Edit[]): string {
    return edited(text, edits)
  }

  async run(request: RunRequest): Promise<Run> {
    this.#request = request
    if (this.#startPrograms === null && request.programs !== undefined && request.programs.length > 0)
      this.#startPrograms = (await import('../../../src/shell/programs.ts')).startPrograms
    const scenario = this.#scenario
    const begun = machineNow()
    const network = buildScenario(scenario, { lineage: 0 })
    const recorder = new RunRecorder(scenario.flows?.length ?? 0, neighborsOf(network))
    network.close()
    const result = await this.#again({ watch: recorder })
    return {
      seed: result.seed,
      time: result.time,
      interrupted: result.interrupted,
      took: machineNow() - begun,
      texts: recorder.texts.list,
      flows: result.flows,
      said: this.#programs?.said ?? [],
      plots: timePlots(recorder.recorder, result.flows).plots,
      ...recorder.columns(),
    }
  }

  async detail(id: number): Promise<Detail> {
    const collector = new FrameCollector(id)
    let life = ''
    let start = 0
    let explain: Network['explain'] = () => ''
    await this.#again({
      capture: collector.write,
      watch: {
        sent() {},
        arrived() {},
        // Here its causes and what it caused are remembered still.
        ended(datagram) {
          if (datagram.id === id) life = explain(datagram)
        },
      },
      prepare(network) {
        start = network.clock.wallTime()
        explain = network.explain.bind(network)
      },
    })
    if (life === '') throw new Error(`There is no datagram ${id} in this run.`)
    return { id, life, frames: collector.frames(start) }
  }

  async capture(): Promise<Uint8Array> {
    const blocks: Uint8Array[] = []
    await this.#again({ capture: (block) => blocks.push(block) })
    const file = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const block of blocks) {
      file.set(block, at)
      at += block.length
    }
    return file
  }

  /** The last run once more, or for the first time: it is the same to the byte. */
  #again(options: Pick<RunOptions, 'watch' | 'capture' | 'prepare'>): Promise<ScenarioResult> {
    const { seed, programs = [] } = this.#request
    const until = this.#request.until ?? (programs.some(({ code }) => code !== undefined) ? CODE_TIME : undefined)
    let stop = () => {}
    let time = () => 0
    let told = machineNow()
    const tell = () => {
      const now = machineNow()
      if (now - told < PROGRESS) return
      told = now
      this.#progress(time())
    }
    const { watch } = options
    return runScenario(this.#scenario, {
      ...options,
      ...(seed === undefined ? {} : { seed }),
      ...(watch === undefined ? {} : { watch: telling(watch, tell) }),
      started(end, now) {
        stop = end
        time = now
      },
      prepare: (network) => {
        options.prepare?.(network)
        this.#programs = this.#startPrograms?.(network, programs, tell) ?? null
        if (until === undefined) return
        network.at(until, () => {
          this.#programs?.end()
          stop()
        })
      },
    })
  }
}

/** A watcher that is told the same, and `tell` whenever something was sent. */
function telling(watch: RunWatcher, tell: () => void): RunWatcher {
  return {
    sent(...args) {
      tell()
      watch.sent(...args)
    },
    arrived: (...args) => watch.arrived(...args),
    ended: (...args) => watch.ended(...args),
  }
}
