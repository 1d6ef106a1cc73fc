/**
 * A scenario in real time, with programs of the machine on its hosts.
 *
 * The run is over when the programs that are waited for have ended: those with an expected exit
 * code, and the last one. Then the others, servers mostly, are ended.
 */
import type { Network } from '../network/network.ts'
import type { Datagram } from '../network/observe/datagram.ts'
import type { DropRow } from '../network/observe/drops.ts'
import { buildScenario } from '../network/scenario/build-scenario.ts'
import { checkProgramHost } from '../network/scenario/check-scenario.ts'
import type { Flow } from '../network/scenario/flow-source.ts'
import { openHops } from '../network/scenario/hops.ts'
import { openFlows } from '../network/scenario/open-flows.ts'
import type { FlowResult, HopResult, RunWatcher } from '../network/scenario/run-types.ts'
import type { Scenario } from '../network/scenario/scenario-types.ts'
import { spanOf } from '../network/scenario/span.ts'
import { Tally } from '../network/scenario/tally.ts'
import { type DropExample, DropExamples } from './drop-examples.ts'
import { type HostDevices, plugHost } from './host-device.ts'
import { mountHostFiles, mountProc } from './host-files.ts'
import { type Lag, Lateness } from './lateness.ts'
import { Namespace } from './namespace.ts'
import { PreciseClock } from './precise-clock.ts'
import { Priority } from './priority.ts'
import { type LineSink, Program, type ProgramPlan, type ProgramResult } from './program.ts'
import { warmUp } from './warm-up.ts'

/** Datagrams whose lives are remembered at a time. */
const REMEMBERED = 20_000
/** Milliseconds that programs have to end when they are told to. */
const PATIENCE = 3000
/** Milliseconds between two looks at how late the process is when nothing else is due. */
const BEAT = 20

/** A host whose namespace is there already. */
export interface ForeignHost {
  readonly on: string
  /** A path, or a name of `ip netns`. */
  readonly netns: string
}

export interface LabOptions {
  readonly seed: number | string
  readonly programs: readonly ProgramPlan[]
  readonly foreign: readonly ForeignHost[]
  readonly lines: LineSink
  /** Told what the user has to know. */
  note(text: string): void
  /** Gets a pcapng stream of all links. */
  readonly capture?: (chunk: Uint8Array) => void
  /** Told of each datagram. */
  readonly watch?: RunWatcher
  /** Whether to keep an example of each kind of drop. */
  readonly explain: boolean
  /** Whether packets of no use go first, so that the first of the programs are not late. */
  readonly isWarm: boolean
  /**
   * Given, once programs may run, what ends the run: the first call politely, the second at once.
   */
  started(stop: (signal: NodeJS.Signals) => void): void
}

export interface LabResult {
  seed: number | string
  /** Milliseconds from the beginning to the end. */
  time: number
  /** Whether it was stopped by a signal. */
  interrupted: boolean
  /** How late the network did what had a time. */
  lag: Lag
  programs: ProgramResult[]
  flows: FlowResult[]
  /** Both directions of each cable, in the order of the cables. */
  hops: HopResult[]
  drops: DropRow[]
  explain: DropExample[]
}

/**
 * Runs programs on the hosts of a scenario, of which no flow begins or ends there
 * (`taken-hosts.ts`); this process is alone in network, mount and process
 * namespaces of its own (`sandbox.ts`).
 * @throws {ScenarioError} for what cannot be built; {Error} when a device or a program cannot be
 *   had
 */
export async function runLab(scenario: Scenario, options: LabOptions): Promise<LabResult> {
  if (options.isWarm) await warmUp(lineageOf(options))
  const priority = new Priority()
  const namespaces = openNamespaces(options)
  const programs: Program[] = []
  try {
    for (const plan of options.programs)
      programs.push(new Program(plan, namespaces.get(plan.on) as Namespace, options.lines))
    return await inRealTime(scenario, options, namespaces, programs, priority)
  } finally {
    for (const program of programs) program.close()
    for (const namespace of namespaces.values()) namespace.close()
  }
}

/** How many datagrams' lives the network remembers. */
function lineageOf({ watch, explain }: LabOptions): number {
  return watch !== undefined || explain ? REMEMBERED : 0
}

/** The namespaces by host: those that are there, and new ones. */
function openNamespaces({ programs, foreign }: LabOptions): Map<string, Namespace> {
  const namespaces = new Map<string, Namespace>()
  for (const { on, netns } of foreign) namespaces.set(on, Namespace.open(netns))
  for (const { on } of programs) if (!namespaces.has(on)) namespaces.set(on, Namespace.make(on))
  return namespaces
}

/** The network's time begins. */
async function inRealTime(
  scenario: Scenario,
  options: LabOptions,
  namespaces: ReadonlyMap<string, Namespace>,
  programs: readonly Program[],
  priority: Priority,
): Promise<LabResult> {
  const lateness = new Lateness()
  const clock = new PreciseClock(lateness)
  const network = buildScenario(scenario, { seed: options.seed, clock, lineage: lineageOf(options) })
  const lab = new Lab(network, clock, scenario, options, namespaces, programs)
  try {
    if (options.capture !== undefined) network.capture(options.capture)
    lab.plug()
    await lab.run(() => {
      priority.check()
      clock.schedule(BEAT, () => {})
    })
    return { ...lab.result(), lag: lateness.lag }
  } finally {
    lab.close()
    network.close()
    clock.close()
  }
}

class Lab {
  readonly #network: Network
  readonly #clock: PreciseClock
  readonly #options: LabOptions
  readonly #namespaces: ReadonlyMap<string, Namespace>
  readonly #devices: HostDevices[] = []
  readonly #programs: readonly Program[]
  readonly #hops: ReturnType<typeof openHops>
  readonly #flows: Flow[]
  readonly #tally: Tally<Flow>
  readonly #examples: DropExamples
  readonly #ended: (datagram: Datagram) => void
  #interrupted = false
  /** No program is started any more. */
  #isOver = false

  constructor(
    network: Network,
    clock: PreciseClock,
    scenario: Scenario,
    options: LabOptions,
    namespaces: ReadonlyMap<string, Namespace>,
    programs: readonly Program[],
  ) {
    this.#network = network
    this.#clock = clock
    this.#options = options
    this.#namespaces = namespaces
    this.#programs = programs
    this.#hops = openHops(network, spanOf(scenario))
    this.#flows = openFlows(network, scenario, options.seed, options.watch)
    this.#examples = new DropExamples(network)
    const tally = new Tally(this.#flows)
    this.#tally = tally
    this.#ended = (datagram) => {
      if (options.explain) this.#examples.ended(datagram)
      options.watch?.ended(datagram, tally.flowOf(datagram.id)?.index ?? -1)
    }
    // Without flows there is nothing to count, and merged packets may pass as they are.
    if (this.#flows.length > 0) network.onLife(tally)
    network.onForget(this.#ended)
  }

  /** Makes the devices of the namespaces. */
  plug(): void {
    const network = this.#network
    const { foreign, note } = this.#options
    for (const on of this.#namespaces.keys()) checkProgramHost(network, on, [])
    network.updateRoutes()
    const [first] = this.#namespaces.keys()
    if (first !== undefined)
      for (const file of mountHostFiles(network.stack(first).hosts))
        note(`${file} could not be mounted: programs do not know the network's names`)
    for (const [host, namespace] of this.#namespaces) {
      const isOwn = !foreign.some(({ on }) => on === host)
      const devices = plugHost(network, host, namespace, { clock: this.#clock, isOwn, note })
      this.#devices.push(devices)
      if (!isOwn) note(`${host}: ${devices.names.join(', ')} in ${foreign.find(({ on }) => on === host)?.netns}`)
    }
    network.onRoutes(() => {
      for (const devices of this.#devices) devices.updateRoutes()
    })
    // After what was found by numbers of the processes outside.
    mountProc()
  }

  /** Runs the programs and flows until the run is over. `beat` keeps time being measured. */
  async run(beat: () => void): Promise<void> {
    const stopped = this.#stop()
    const heart = setInterval(beat, BEAT)
    try {
      for (const flow of this.#flows) flow.start()
      const all = this.#programs.map((program) => this.#starts(program, stopped.ended))
      const last = this.#programs.length - 1
      const waited = all.filter((_, index) => index === last || this.#programs[index]?.plan.expect !== null)
      // What cannot be started ends the run at once.
      const failed = new Promise<never>((_, reject) => {
        for (const each of all) each.catch(reject)
      })
      await Promise.race([stopped.ended, failed, waited.length === 0 ? stopped.ended : Promise.all(waited)])
      stopped.end()
      await this.#endAll(all)
    } finally {
      clearInterval(heart)
    }
  }

  result(): Omit<LabResult, 'lag'> {
    const network = this.#network
    const time = network.now
    for (const datagram of network.eachDatagram()) this.#ended(datagram)
    return {
      seed: network.seed,
      time: Math.round(time * 1000) / 1000,
      interrupted: this.#interrupted,
      programs: this.#programs.map((program) => program.result()),
      // Programs end the run, whatever is in flight.
      flows: this.#flows.map((flow) => flow.result(flow.knownLost(this.#tally.lostOf(flow)))),
      hops: this.#hops.results(time),
      drops: network.drops(),
      explain: this.#examples.all,
    }
  }

  close(): void {
    for (const devices of this.#devices) devices.close()
  }

  /** Starts a program at its time; resolves when it has ended. */
  async #starts(program: Program, stopped: Promise<void>): Promise<void> {
    const { start } = program.plan
    let begin = () => {}
    const due = new Promise<void>((resolve) => {
      begin = resolve
    })
    const timer = this.#network.at(start, begin)
    await Promise.race([due, stopped])
    timer.cancel()
    if (!this.#isOver) await program.run(() => this.#network.now)
  }

  /** What ends the run before its time. */
  #stop(): { ended: Promise<void>; end(): void } {
    let settle = () => {}
    const ended = new Promise<void>((resolve) => {
      settle = resolve
    })
    const end = () => {
      this.#isOver = true
      settle()
    }
    this.#options.started((signal) => {
      const again = this.#interrupted
      this.#interrupted = true
      for (const program of this.#programs) program.stop(again ? 'SIGKILL' : signal)
      end()
    })
    return { ended, end }
  }

  /** Ends the programs that still run: politely, and after a while not so. */
  async #endAll(all: readonly Promise<void>[]): Promise<void> {
    if (!this.#interrupted) for (const program of this.#programs) program.stop('SIGTERM')
    const timer = setTimeout(() => {
      for (const program of this.#programs) program.stop('SIGKILL')
    }, PATIENCE)
    await Promise.all(all)
    clearTimeout(timer)
  }
}
