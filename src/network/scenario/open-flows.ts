/** The flows of a scenario with their sockets, before they start. */
import type { Network } from '../network.ts'
import { FlowSockets } from './flow-sockets.ts'
import { Flow } from './flow-source.ts'
import type { RunWatcher } from './run-types.ts'
import { flowPorts, type Scenario } from './scenario-types.ts'

export function openFlows(
  network: Network,
  scenario: Scenario,
  seed: number | string,
  watch: RunWatcher | undefined,
): Flow[] {
  const sockets = new FlowSockets(network, watch !== undefined && watch.onlyNotes !== true)
  const specs = scenario.flows ?? []
  const labels = flowLabels(specs.map((spec, index) => flowPorts(spec, index).name))
  const flows = specs.map(
    (spec, index) => new Flow(network, scenario, spec, index, labels[index] as string, seed, sockets, watch),
  )
  sockets.flows = flows
  return flows
}

/**
 * What tells flows apart wherever they are in the list: the name, and for those that share it which
 * of them it is. A flow that is added changes the label of none that has another name.
 */
export function flowLabels(names: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name} #${count}`
  })
}
