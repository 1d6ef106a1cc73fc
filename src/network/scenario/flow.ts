/** Runs the flows of a scenario in simulated time: the room's entry for runs. */
import { wholeNanoseconds } from '../../base/clock.ts'
import type { Datagram } from '../observe/datagram.ts'
import { buildScenario } from './build-scenario.ts'
import { openHops } from './hops.ts'
import { openFlows } from './open-flows.ts'
import type { RunOptions, ScenarioResult } from './run-types.ts'
import type { Scenario } from './scenario-types.ts'
import { spanOf } from './span.ts'
import { Tally } from './tally.ts'

export type {
  FlowDrop,
  FlowMarks,
  FlowResult,
  HopResult,
  Latency,
  QueueFigures,
  RunOptions,
  RunWatcher,
  ScenarioResult,
  Volume,
} from './run-types.ts'

/** Datagrams whose lives are remembered at a time, for who watches them. */
const REMEMBERED = 20_000
/**
 * Fragments wait so long for the rest (RFC 8200 section 4.5): behind it what was discarded is
 * known.
 */
const REASSEMBLY = 61_000

/**
 * Runs a scenario in simulated time to its end, and counts. @throws {ScenarioError} for what cannot
 * be built
 */
export async function runScenario(scenario: Scenario, options: RunOptions = {}): Promise<ScenarioResult> {
  const seed = options.seed ?? scenario.seed ?? 1
  const { watch } = options
  const network = buildScenario(scenario, { seed, lineage: watch === undefined ? 0 : REMEMBERED })
  try {
    if (options.capture !== undefined) network.capture(options.capture)
    const hops = openHops(network, spanOf(scenario))
    const flows = openFlows(network, scenario, seed, watch)
    const tally = new Tally(flows)
    network.onLife(tally)
    const ended = (datagram: Datagram) => watch?.ended(datagram, tally.flowOf(datagram.id)?.index ?? -1)
    network.onForget(ended)
    let paused = false
    const stop = () => {
      paused = true
      network.pause()
    }
    options.started?.(stop, () => network.now)
    options.prepare?.(network)
    for (const flow of flows) flow.start()
    await network.run()
    const time = network.now
    const hopResults = hops.results(time)
    if (!paused) await network.runFor(REASSEMBLY)
    for (const datagram of network.eachDatagram()) ended(datagram)
    return {
      seed,
      time: wholeNanoseconds(time),
      interrupted: paused,
      flows: flows.map((flow) => flow.result(paused ? flow.knownLost(tally.lostOf(flow)) : undefined)),
      hops: hopResults,
    }
  } finally {
    network.close()
  }
}
