/**
 * The engine as the page uses it: the calls of the protocol. What a run does not need (the reader of
 * texts, the bytes of frames, programs) is loaded with the first call that does.
 */
import { neighborsOf } from '../../../src/cli/report/neighbors.ts'
import { timePlots } from '../../../src/cli/report/series.ts'
import { topologyOf } from '../../../src/cli/report/topology.ts'
import {
  buildScenario,
  type Network,
  type RunOptions,
  type RunWatcher,
  runScenario,
  type Scenario,
  type ScenarioResult,
  type Schema,
} from '../../../src/network/index.ts'
import type { RunningPrograms, startPrograms } from '../../../src/shell/programs.ts'
import type { Detail, Edit, Engine, Loaded, Run, RunRequest, TextFault } from '../protocol.ts'
import { partsOfLife, partsOfPrograms, partsOfText } from './parts.ts'
import { RunRecorder } from './run-recorder.ts'
import type { Place } from './syntax-fault.ts'

/** Milliseconds between two words about how far a run is. */
const PROGRESS = 150
/** Milliseconds of simulated time after which code that has no end is ended. */
const CODE_TIME = 60_000
/** Events of a run that the page keeps: about 66 bytes each, with their share of frames. */
const MOST_EVENTS = 4_000_000
/** The machine's time, also while programs see that of their network. */
const machineNow = performance.now.bind(performance)

export class ScenarioEngine implements Engine {
  /** The text that was read last: reading it again would give the same. */
  #read: { readonly text: string; readonly scenario: Scenario } | null = null
  #progress: (time: number) => void
  readonly #placeOf: (script: string) => Promise<Place | null>
  /** Loaded with the first program: most runs have none. */
  #startPrograms: typeof startPrograms | null = null
  #programs: RunningPrograms | null = null

  readonly #mostEvents: number

  /**
   * `progress` is told how far a run is; `placeOf` tells where the syntax error of a script is; a run
   * ends when it has more than `mostEvents`.
   */
  constructor(
    progress: (time: number) => void,
    placeOf: (script: string) => Promise<Place | null> = () => Promise.resolve(null),
    mostEvents = MOST_EVENTS,
  ) {
    this.#progress = progress
    this.#placeOf = placeOf
    this.#mostEvents = mostEvents
  }

  async load(text: string): Promise<Loaded> {
    const { ScenarioTextError } = await import('../../../src/cli/scenario-text.ts')
    try {
      const scenario = await this.#scenarioOf(text)
      const network = buildScenario(scenario, { lineage: 0 })
      try {
        return { scenario, topology: topologyOf(scenario, network) }
      } finally {
        network.close()
      }
    } catch (error) {
      if (!(error instanceof ScenarioTextError)) throw error
      const { line, column, message } = error
      return { fault: { line, column, message } }
    }
  }

  async schema(): Promise<Schema> {
    return (await import('../../../src/network/scenario/scenario-schema.ts')).SCENARIO_SCHEMA
  }

  async check(code: string): Promise<TextFault | null> {
    const { syntaxFault } = await import('./syntax-fault.ts')
    return syntaxFault(code, this.#placeOf)
  }

  /** Whether an error that nobody caught is that of a program, which has been told. */
  takes(error: unknown): boolean {
    return this.#programs?.takes(error) ?? false
  }

  async edit(text: string, edits: readonly Edit[]): Promise<string> {
    return (await import('./edit.ts')).edited(text, edits)
  }

  async run(request: RunRequest): Promise<Run> {
    const scenario = await this.#scenarioOf(request.text)
    const begun = machineNow()
    const network = buildScenario(scenario, { lineage: 0 })
    const recorder = new RunRecorder(scenario.flows?.length ?? 0, neighborsOf(network), this.#mostEvents)
    network.close()
    const result = await this.#simulate(request, {
      watch: recorder,
      started(stop) {
        recorder.onFull = stop
      },
    })
    return {
      seed: result.seed,
      time: result.time,
      interrupted: result.interrupted,
      full: recorder.isFull,
      took: machineNow() - begun,
      texts: recorder.texts,
      flows: result.flows,
      said: this.#programs?.said ?? [],
      plots: timePlots(recorder.recorder, result.flows).plots,
      ...recorder.columns(),
    }
  }

  async detail(request: RunRequest, id: number): Promise<Detail> {
    const [{ FrameCollector }] = await Promise.all([import('./frame-bytes.ts'), partsOfLife()])
    const collector = new FrameCollector(id)
    let life = ''
    let start = 0
    let explain: Network['explain'] = () => ''
    await this.#simulate(request, {
      capture: collector.write,
      watch: {
        onlyNotes: true,
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

  async capture(request: RunRequest): Promise<Uint8Array> {
    const blocks: Uint8Array[] = []
    await this.#simulate(request, { capture: (block) => blocks.push(block) })
    return (await import('./frame-bytes.ts')).joined(blocks)
  }

  /** @throws {ScenarioTextError} */
  async #scenarioOf(text: string): Promise<Scenario> {
    if (this.#read?.text === text) return this.#read.scenario
    const { readScenarioText } = await import('../../../src/cli/scenario-text.ts')
    await partsOfText(text)
    const scenario = readScenarioText(text)
    this.#read = { text, scenario }
    return scenario
  }

  async #simulate(
    request: RunRequest,
    { watch, capture, prepare, started }: Pick<RunOptions, 'watch' | 'capture' | 'prepare' | 'started'>,
  ): Promise<ScenarioResult> {
    const { text, seed, programs = [] } = request
    const until = request.until ?? (programs.some(({ code }) => code !== undefined) ? CODE_TIME : undefined)
    if (programs.length > 0) this.#startPrograms ??= (await import('../../../src/shell/programs.ts')).startPrograms
    await partsOfPrograms(programs)
    let stop = () => {}
    let time = () => 0
    let told = machineNow()
    const tell = () => {
      const now = machineNow()
      if (now - told < PROGRESS) return
      told = now
      this.#progress(time())
    }
    return runScenario(await this.#scenarioOf(text), {
      ...(seed === undefined ? {} : { seed }),
      ...(watch === undefined ? {} : { watch: watched(watch, tell) }),
      ...(capture === undefined ? {} : { capture: telling(capture, tell) }),
      started(end, now) {
        stop = end
        time = now
        started?.(end, now)
      },
      prepare: (network) => {
        prepare?.(network)
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

/** Takes the same, and calls `tell` whenever it does. */
function telling<Args extends unknown[]>(take: (...args: Args) => void, tell: () => void): (...args: Args) => void {
  return (...args) => {
    tell()
    take(...args)
  }
}

/** A watcher that is told the same, and `tell` whenever something was sent. */
function watched(watch: RunWatcher, tell: () => void): RunWatcher {
  return {
    onlyNotes: watch.onlyNotes ?? false,
    sent: telling(watch.sent.bind(watch), tell),
    arrived: (...args) => watch.arrived(...args),
    ended: (...args) => watch.ended(...args),
  }
}
