/** A scenario: a network from plain data, what happens to it, and who sends what. */
import { Address } from '../../base/address.ts'
import type { Stack } from '../../stack.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import type { Network } from '../network.ts'
import type { FilterSpec } from '../nodes/filter.ts'
import type { HostOptions, SegmentSettings } from '../settings.ts'
import { type Duration, milliseconds } from '../time/duration.ts'
import { type ImpairmentSpec, impairmentsOf } from './impairment-spec.ts'
import { checkScenarioForm, ScenarioError } from './scenario-schema.ts'
import { buildNetwork, type LinkSpec, type RouterSpec } from './topology.ts'

/** What a scenario adds to a host: UDP ports whose datagrams are sent back. */
interface EchoSpec {
  echo?: readonly number[]
}

/** One thing that happens at a time. */
export interface ScenarioEvent {
  at: Duration
  link?: string
  state?: 'up' | 'down'
  impair?: ImpairmentSpec
  from?: string
  partition?: readonly (readonly string[])[]
  heal?: true
  node?: string
  filter?: FilterSpec | null
  updateRoutes?: true
}

/** Who sends what to whom. */
export interface FlowSpec {
  name?: string
  from: string
  to: string
  /** Where it is sent, when that is not the receiver's own address. */
  address?: string
  /** Default 4. */
  family?: 4 | 6
  /** Default 20000 and the flow's number. */
  port?: number
  /** Default 30000 and the flow's number. */
  fromPort?: number
  /** Bytes of payload, 8 at least. Default 1000. */
  size?: number | { uniform: [number, number] }
  /** Datagrams a second, or payload bits a second as text. Default 100. */
  rate?: number | string
  count?: number
  start?: Duration
  stop?: Duration
  pattern?: 'constant' | 'poisson' | { burst: number }
  mode?: 'one-way' | 'echo'
  ttl?: number
  tos?: number
  /** Default want, as sockets. */
  dontFragment?: 'off' | 'want' | 'do' | 'probe'
}

export interface Scenario {
  name?: string
  description?: string
  /** Default 1. */
  seed?: number | string
  /** When flows without `count` and `stop` end. Default 10 s. */
  duration?: Duration
  hosts?: Readonly<Record<string, (HostOptions & EchoSpec) | null>>
  routers?: Readonly<Record<string, (RouterSpec & EchoSpec) | null>>
  switches?: Readonly<Record<string, { subnet?: string | readonly string[] } | null>>
  segments?: Readonly<Record<string, SegmentSettings | null>>
  links?: readonly LinkSpec[]
  events?: readonly ScenarioEvent[]
  flows?: readonly FlowSpec[]
}

const ACTIONS = ['state', 'impair', 'partition', 'heal', 'filter', 'updateRoutes'] as const

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

/** What a flow is given when it does not say. */
export function flowPorts(
  flow: FlowSpec,
  index: number,
): { name: string; from: string; fromPort: number; port: number } {
  const { name = `${flow.from}-${flow.to}`, from, fromPort = 30_000 + index, port = 20_000 + index } = flow
  return { name, from, fromPort, port }
}

/**
 * Builds the network of a scenario, its echo services included, and schedules its events.
 * @throws {ScenarioError} for what cannot be built
 */
export function buildScenario(
  scenario: Scenario,
  options: { seed?: number | string; clock?: 'virtual' | 'real'; lineage?: number } = {},
): Network {
  const { hosts = {}, routers = {}, switches = {}, segments = {}, links = [], events = [] } = scenario
  const network = placed(scenario, () =>
    buildNetwork({
      seed: options.seed ?? scenario.seed ?? 1,
      clock: options.clock ?? 'virtual',
      ...(options.lineage === undefined ? {} : { lineage: options.lineage }),
      hosts: withoutEcho(hosts),
      routers: withoutEcho(routers),
      switches: filled(switches),
      segments: filled(segments),
      links,
    }),
  )
  try {
    for (const [group, nodes] of Object.entries({ routers, hosts }))
      for (const [name, spec] of Object.entries(nodes))
        for (const [index, port] of (spec?.echo ?? []).entries())
          tried([group, name, 'echo', index], () => echo(network.stack(name), port))
  } catch (error) {
    network.close()
    throw error
  }
  for (const event of events) network.at(event.at, () => happen(network, event))
  return network
}

/** Sends back what comes to a port, in both families. */
export function echo(stack: Stack, port: number): void {
  const waiting: { bytes: Uint8Array; to: Address; port: number; nic: number; source: Address }[] = []
  const endpoint: Endpoint = stack.udp.createEndpoint(6, {
    receive(packet, sourcePort) {
      const { start, end } = packet
      endpoint.release(end - start)
      const to = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
      const source = new Address(packet.d0, packet.d1, packet.d2, packet.d3)
      waiting.push({
        bytes: packet.bytes.slice(start, end),
        to,
        port: sourcePort,
        nic: to.isLinkLocal ? packet.nic : 0,
        source,
      })
    },
    flush() {
      for (const { bytes, to, port: toPort, nic, source } of waiting.splice(0)) {
        const packet = endpoint.beginSend(bytes.length)
        packet.bytes.set(bytes, packet.start)
        endpoint.send(packet, to, toPort, nic, source.isMulticast ? null : { source })
      }
      for (const { link } of stack.nics) link.flush()
    },
    icmp() {},
  })
  const errno = endpoint.bind(Address.ANY6, port)
  if (errno !== '') throw new Error(`the port ${port} of ${stack.name} cannot be opened: ${errno}`)
}

function withoutEcho<Spec extends EchoSpec>(
  nodes: Readonly<Record<string, Spec | null>>,
): Record<string, Omit<Spec, 'echo'>> {
  return Object.fromEntries(
    Object.entries(nodes).map(([name, spec]) => {
      const { echo: _echo, ...rest } = spec ?? ({} as Spec)
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

function happen(
  network: Network,
  { link, state, impair, from, partition, heal, node, filter, updateRoutes }: ScenarioEvent,
): void {
  if (state !== undefined) network.cable(link as string)[state]()
  if (impair !== undefined) network.cable(link as string).impair(impair, from)
  if (partition !== undefined) network.partition(...partition)
  if (heal !== undefined) network.heal()
  if (filter !== undefined) network.filter(node as string, filter)
  if (updateRoutes !== undefined) network.updateRoutes()
}

function checkEvent(network: Network, event: ScenarioEvent, index: number): void {
  const path = ['events', index]
  const actions = ACTIONS.filter((name) => event[name] !== undefined)
  const [action] = actions
  if (action === undefined || actions.length > 1) throw new ScenarioError(path, `expected one of ${ACTIONS.join(', ')}`)
  if (action === 'state' || action === 'impair') {
    if (event.link === undefined) throw new ScenarioError(path, `${action} needs a link`)
    tried([...path, 'link'], () => network.cable(event.link as string))
  }
  if (action === 'filter' && event.node === undefined) throw new ScenarioError(path, 'filter needs a node')
  const key = action === 'filter' ? 'node' : action
  if (action === 'impair') tried([...path, 'impair'], () => impairmentsOf(event.impair as ImpairmentSpec))
  if (action !== 'updateRoutes') tried([...path, key], () => happen(network, event))
}

function checkFlow(network: Network, parts: Map<string, number>, flow: FlowSpec, index: number): void {
  const path = ['flows', index]
  for (const key of ['from', 'to'] as const) tried([...path, key], () => network.stack(flow[key]))
  const { from, to, family = 4, address, size, start = 0, stop } = flow
  if (from === to) throw new ScenarioError([...path, 'to'], `${to} would send to itself`)
  if (parts.get(from) !== parts.get(to))
    throw new ScenarioError([...path, 'to'], `${to} cannot be reached from ${from}: no links lead there`)
  for (const key of ['from', 'to'] as const)
    if (!(key === 'to' && address !== undefined)) tried([...path, key], () => network.address(flow[key], family))
  if (address !== undefined && Address.tryParse(address)?.family !== family)
    throw new ScenarioError([...path, 'address'], `'${address}' is no IPv${family} address`)
  if (typeof size === 'object' && size.uniform[0] > size.uniform[1])
    throw new ScenarioError([...path, 'size'], 'the second size is below the first')
  if (stop !== undefined && milliseconds(stop) < milliseconds(start))
    throw new ScenarioError([...path, 'stop'], 'it is before the start')
}

function tried(path: readonly (string | number)[], action: () => unknown): void {
  try {
    action()
  } catch (error) {
    throw new ScenarioError(path, (error as Error).message)
  }
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
