import { Network } from '../network.ts'
import type { FilterSpec } from '../nodes/filter.ts'
import type {
  ConnectOptions,
  HostOptions,
  NatSettings,
  NetworkOptions,
  SegmentSettings,
  SwitchSettings,
} from '../settings.ts'

/** A network as plain data, as a file has it. Keys are the names of nodes. */
export interface Topology extends NetworkOptions {
  hosts?: Readonly<Record<string, HostOptions>>
  routers?: Readonly<Record<string, RouterSpec>>
  switches?: Readonly<Record<string, SwitchSettings>>
  segments?: Readonly<Record<string, SegmentSettings>>
  links?: readonly LinkSpec[]
}

/** A router with what it does besides forwarding. */
export interface RouterSpec extends HostOptions {
  nat?: NatSettings
  filter?: FilterSpec
}

/** A cable between two nodes; `forward` is from the first to the second. */
export interface LinkSpec extends ConnectOptions {
  between: readonly [string, string]
}

const KEYS = new Set(['seed', 'clock', 'lineage', 'hosts', 'routers', 'switches', 'segments', 'links'])

/**
 * Builds a network from plain data. Cables between switches come first, whatever their place in the
 * list.
 * @throws {Error} what the network's own methods throw, with the place in the topology in front:
 *   `links[2]: …`
 */
export function buildNetwork(topology: Topology): Network {
  for (const key of Object.keys(topology))
    if (!KEYS.has(key)) throw new TypeError(`${key}: a topology has no such key; it has ${[...KEYS].join(', ')}.`)
  const { hosts = {}, routers = {}, switches = {}, segments = {}, links = [], ...options } = topology
  checkNames({ switches, segments, routers, hosts })
  const network = new Network(options)
  try {
    for (const [name, spec] of Object.entries(switches)) at(`switches.${name}`, () => network.switch(name, spec ?? {}))
    for (const [name, spec] of Object.entries(segments)) at(`segments.${name}`, () => network.segment(name, spec ?? {}))
    for (const [name, spec] of Object.entries(routers))
      at(`routers.${name}`, () => {
        const { nat: _nat, filter: _filter, ...rest } = spec ?? {}
        network.router(name, rest)
      })
    for (const [name, spec] of Object.entries(hosts)) at(`hosts.${name}`, () => network.host(name, spec ?? {}))
    const trunks = (link: LinkSpec) => Number(link.between.every((name) => Object.hasOwn(switches, name)))
    const order = links.map((link, index) => ({ link, index })).sort((a, b) => trunks(b.link) - trunks(a.link))
    for (const { link, index } of order)
      at(`links[${index}]`, () => {
        const { between, ...rest } = link
        network.connect(between[0], between[1], rest)
      })
    for (const [name, spec] of Object.entries(routers)) {
      const { nat, filter } = spec ?? {}
      if (nat !== undefined) at(`routers.${name}.nat`, () => network.nat(name, nat))
      if (filter !== undefined) at(`routers.${name}.filter`, () => network.filter(name, filter))
    }
  } catch (error) {
    network.close()
    throw error
  }
  return network
}

/** @throws {Error} for a name in two groups, at the second place, and naming the first */
function checkNames(groups: Readonly<Record<string, Readonly<Record<string, unknown>>>>): void {
  const places = new Map<string, string>()
  for (const [group, nodes] of Object.entries(groups))
    for (const name of Object.keys(nodes)) {
      const other = places.get(name)
      if (other !== undefined)
        throw new Error(
          `${group}.${name}: ${other} has a node named ${name} too (${other}.${name}): give one of them another name.`,
        )
      places.set(name, group)
    }
}

function at(place: string, build: () => unknown): void {
  try {
    build()
  } catch (error) {
    const message = `${place}: ${(error as Error).message}`
    const Kind = error instanceof RangeError ? RangeError : error instanceof TypeError ? TypeError : Error
    throw new Kind(message, { cause: error })
  }
}
