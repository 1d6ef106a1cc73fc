/** Checks a scenario beyond its form: names, addresses, events, and ways between hosts. */
import { Address } from '../../base/address.ts'
import type { Network } from '../network.ts'
import { milliseconds } from '../time/duration.ts'
import { buildScenario, happen } from './build-scenario.ts'
import { type ImpairmentSpec, impairmentsOf } from './impairment-spec.ts'
import { placing, ScenarioError } from './scenario-error.ts'
import { checkScenarioForm } from './scenario-schema.ts'
import { type FlowSpec, flowPorts, type Scenario, type ScenarioEvent } from './scenario-types.ts'

const ACTIONS = ['state', 'impair', 'change', 'partition', 'heal', 'filter', 'updateRoutes'] as const

/**
 * A value that was read from a file, as a scenario: form, names, addresses and ways between hosts
 * are checked.
 * @throws {ScenarioError} with the place of what is wrong
 */
export function checkScenario(value: unknown): Scenario {
  checkScenarioForm(value)
  const scenario = value as Scenario
  const network = buildScenario(scenario)
  try {
    for (const [index, event] of (scenario.events ?? []).entries()) checkEvent(network, event, index)
    for (const [index, { on }] of (scenario.programs ?? []).entries())
      checkProgramHost(network, on, ['programs', index, 'on'])
    const parts = partsOf(scenario)
    const keys = new Set<string>()
    for (const [index, flow] of (scenario.flows ?? []).entries()) {
      checkFlow(network, parts, flow, index)
      const { from, fromPort, port } = flowPorts(flow, index)
      const key = `${from} ${fromPort} ${port}`
      if (keys.has(key)) throw new ScenarioError(['flows', index], `another flow of ${from} has the same two ports`)
      keys.add(key)
      const { echo = [] } = nodeNamed(scenario.hosts, flow.to) ?? nodeNamed(scenario.routers, flow.to) ?? {}
      if (echo.includes(port))
        throw new ScenarioError(
          ['flows', index, 'port'],
          `${flow.to} has its echo service on ${port}: give the flow another port`,
        )
    }
  } finally {
    network.close()
  }
  return scenario
}

/** The entry of a node; none for a word that every object has, such as `constructor`. */
function nodeNamed<Spec>(nodes: Readonly<Record<string, Spec | null>> | undefined, name: string): Spec | null {
  return nodes !== undefined && Object.hasOwn(nodes, name) ? (nodes[name] ?? null) : null
}

function checkEvent(network: Network, event: ScenarioEvent, index: number): void {
  const path = ['events', index]
  const actions = ACTIONS.filter((name) => event[name] !== undefined)
  const [action] = actions
  if (action === undefined || actions.length > 1) throw new ScenarioError(path, `expected one of ${ACTIONS.join(', ')}`)
  if (action === 'state' || action === 'impair' || action === 'change') {
    if (event.link === undefined) throw new ScenarioError(path, `${action} needs a link`)
    placing([...path, 'link'], () => network.cable(event.link as string))
  }
  if (action === 'filter' && event.node === undefined) throw new ScenarioError(path, 'filter needs a node')
  const key = action === 'filter' ? 'node' : action
  if (action === 'impair' || action === 'change')
    placing([...path, action], () => impairmentsOf(event[action] as ImpairmentSpec))
  if (action !== 'updateRoutes') placing([...path, key], () => happen(network, event))
}

/** @throws {ScenarioError} for a place where no program can run: no host, or one without a cable */
export function checkProgramHost(network: Network, on: string, path: readonly (string | number)[]): void {
  placing(path, () => {
    network.stack(on)
    const router = network.nodes.some(({ name, kind }) => name === on && kind === 'router')
    if (router) throw new Error(`${on} is a router: programs run on hosts`)
    if (!network.cables.some(({ ends }) => ends.some(({ node }) => node === on)))
      throw new Error(`${on} has no cable: name it under links`)
  })
}

function checkFlow(network: Network, parts: Map<string, number>, flow: FlowSpec, index: number): void {
  const path = ['flows', index]
  for (const key of ['from', 'to'] as const) placing([...path, key], () => network.stack(flow[key]))
  const { from, to, family = 4, address, size, start = 0, stop } = flow
  if (from === to) throw new ScenarioError([...path, 'to'], `${to} would send to itself`)
  if (parts.get(from) !== parts.get(to))
    throw new ScenarioError([...path, 'to'], `${to} cannot be reached from ${from}: no links lead there`)
  for (const key of ['from', 'to'] as const)
    if (!(key === 'to' && address !== undefined)) placing([...path, key], () => network.address(flow[key], family))
  if (address !== undefined && Address.tryParse(address)?.family !== family)
    throw new ScenarioError([...path, 'address'], `'${address}' is no IPv${family} address`)
  if (typeof size === 'object' && size.uniform[0] > size.uniform[1])
    throw new ScenarioError([...path, 'size'], 'the second size is below the first')
  if (stop !== undefined && milliseconds(stop) < milliseconds(start))
    throw new ScenarioError([...path, 'stop'], 'it is before the start')
}

/** The number of the connected part in which each node is. */
function partsOf({ links = [], ...scenario }: Scenario): Map<string, number> {
  const parts = new Map<string, number>()
  for (const group of [scenario.hosts, scenario.routers, scenario.switches, scenario.segments])
    for (const name of Object.keys(group ?? {})) parts.set(name, parts.size)
  for (const { between } of links) {
    const [kept, gone] = between.map((name) => parts.get(name))
    for (const [name, part] of parts) if (part === gone) parts.set(name, kept as number)
  }
  return parts
}
