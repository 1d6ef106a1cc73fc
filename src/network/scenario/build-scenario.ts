/** Builds the network of a scenario, and lets its events happen. */
import type { Clock } from '../../base/clock.ts'
import type { Network } from '../network.ts'
import { echo } from './echo-service.ts'
import { joinGroup } from './group-members.ts'
import { placing, ScenarioError } from './scenario-error.ts'
import type { EchoSpec, Scenario, ScenarioEvent } from './scenario-types.ts'
import { buildNetwork } from './topology.ts'

/**
 * Builds the network of a scenario, its echo services included, and schedules its events.
 * @throws {ScenarioError} for what cannot be built
 */
export function buildScenario(
  scenario: Scenario,
  options: { seed?: number | string; clock?: 'virtual' | 'real' | Clock; lineage?: number } = {},
): Network {
  const { hosts = {}, routers = {}, switches = {}, segments = {}, links = [], events = [], anycast = {} } = scenario
  const network = placed(scenario, () =>
    buildNetwork({
      seed: options.seed ?? scenario.seed ?? 1,
      clock: options.clock ?? 'virtual',
      ...(options.lineage === undefined ? {} : { lineage: options.lineage }),
      hosts: withoutServices(hosts),
      routers: withoutServices(routers),
      switches: filled(switches),
      segments: filled(segments),
      links,
    }),
  )
  try {
    for (const [group, nodes] of Object.entries({ routers, hosts }))
      for (const [name, spec] of Object.entries(nodes))
        for (const [index, port] of (spec?.echo ?? []).entries())
          placing([group, name, 'echo', index], () => echo(network.stack(name), port))
    for (const [group, nodes] of Object.entries({ routers, hosts }))
      for (const [name, spec] of Object.entries(nodes))
        for (const [index, address] of (spec?.groups ?? []).entries())
          placing([group, name, 'groups', index], () => joinGroup(network.stack(name), address))
    for (const [address, names] of Object.entries(anycast))
      placing(['anycast', address], () => network.anycast(address, ...names))
  } catch (error) {
    network.close()
    throw error
  }
  for (const event of events) network.at(event.at, () => happen(network, event))
  return network
}

/** Lets an event happen now. */
export function happen(
  network: Network,
  { link, state, impair, change, from, partition, heal, node, filter, updateRoutes }: ScenarioEvent,
): void {
  if (state !== undefined) network.cable(link as string)[state]()
  if (impair !== undefined) network.cable(link as string).impair(impair, from)
  if (change !== undefined) network.cable(link as string).change(change, from)
  if (partition !== undefined) network.partition(...partition)
  if (heal !== undefined) network.heal()
  if (filter !== undefined) network.filter(node as string, filter)
  if (updateRoutes !== undefined) network.updateRoutes()
}

function withoutServices<Spec extends EchoSpec>(
  nodes: Readonly<Record<string, Spec | null>>,
): Record<string, Omit<Spec, 'echo' | 'groups'>> {
  return Object.fromEntries(
    Object.entries(nodes).map(([name, spec]) => {
      const { echo: _echo, groups: _groups, ...rest } = spec ?? ({} as Spec)
      return [name, rest]
    }),
  )
}

function filled<Spec extends object>(nodes: Readonly<Record<string, Spec | null>>): Record<string, Spec> {
  return Object.fromEntries(Object.entries(nodes).map(([name, spec]) => [name, spec ?? ({} as Spec)]))
}

/**
 * Errors of the network begin with the place: `links[2]: …`, `routers.r1.nat: …`; the option that
 * is to blame may follow: `addresses.a: …`.
 */
function placed<T>(scenario: Scenario, build: () => T): T {
  try {
    return build()
  } catch (error) {
    const place = placeIn(scenario, (error as Error).message)
    if (place === null) throw error
    const { group, steps, reason } = place
    const [prefix = '', option = '', of] = /^([a-z]\w*)(?:\.([^:]+))?: /i.exec(reason) ?? []
    const link = group === 'links' ? scenario.links?.[steps[0] as number] : undefined
    // What is wrong with one direction is not said to be.
    const way = (['forward', 'back'] as const).filter((each) => option in (link?.[each] ?? {})).slice(0, 1)
    const key = option === '' ? [] : [...way, option, ...(of === undefined ? [] : [of])]
    throw new ScenarioError([group, ...steps, ...key], reason.slice(prefix.length))
  }
}

/**
 * A node's name may have dots and colons, so that only the scenario tells where it ends; what
 * follows it may be `nat` or `filter`.
 */
function placeIn(
  scenario: Scenario,
  message: string,
): { group: string; steps: (string | number)[]; reason: string } | null {
  const link = /^links\[(\d+)\]: /.exec(message)
  if (link !== null) return { group: 'links', steps: [Number(link[1])], reason: message.slice(link[0].length) }
  let longest = -1
  let found: ReturnType<typeof placeIn> = null
  for (const group of ['hosts', 'routers', 'switches', 'segments'] as const)
    for (const name of Object.keys(scenario[group] ?? {}))
      for (const part of ['', 'nat', 'filter']) {
        const start = `${group}.${name}${part === '' ? '' : `.${part}`}: `
        if (!message.startsWith(start) || start.length <= longest) continue
        longest = start.length
        found = { group, steps: part === '' ? [name] : [name, part], reason: message.slice(start.length) }
      }
  return found
}
