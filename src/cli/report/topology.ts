/** The network of a scenario as it is drawn. */
import { CODEL_INTERVAL, CODEL_TARGET } from '../../link/impairment/queue-discipline.ts'
import type { Network, Scenario } from '../../network/index.ts'
import type { FilterSpec } from '../../network/nodes/filter.ts'
import type { ImpairmentSpec } from '../../network/scenario/impairment-spec.ts'
import type { RouterSpec } from '../../network/scenario/topology.ts'
import { faultTexts } from './fault-text.ts'

/** A router that translates, or filters, is drawn as such. */
export type DrawnKind = 'host' | 'router' | 'switch' | 'segment' | 'nat' | 'firewall'

export interface Topology {
  readonly nodes: readonly TopologyNode[]
  readonly cables: readonly TopologyCable[]
}

export interface TopologyNode {
  readonly name: string
  readonly kind: DrawnKind
  readonly nics: readonly { readonly name: string; readonly addresses: readonly string[] }[]
  /** What it does besides forwarding: a word to mark it with, and a line that says how. */
  readonly does: readonly { readonly mark: 'NAT' | 'filter'; readonly text: string }[]
}

/** `index` is the place in the scenario's list of links. */
export interface TopologyCable {
  readonly name: string
  readonly index: number
  readonly ends: readonly [CableEnd, CableEnd]
  readonly mtu: number
  /** In words, for each direction: `10 ms`, `loss 1 %`. */
  readonly faults: readonly [readonly string[], readonly string[]]
  /** Whether packets can end on it by a fault. */
  readonly loses: boolean
  /** The rules of CoDel, in milliseconds, in each direction that has it. */
  readonly codel?: readonly [CodelLaw | null, CodelLaw | null]
}

export interface CodelLaw {
  readonly target: number
  readonly interval: number
  readonly ecn: boolean
}

interface CableEnd {
  readonly node: string
  /** `''` at a segment, which has no nics. */
  readonly nic: string
}

export function topologyOf(scenario: Scenario, network: Network): Topology {
  return {
    nodes: network.nodes.map(({ name, kind }) => node(scenario, network, name, kind)),
    cables: cables(scenario, network),
  }
}

type MessageRate = NonNullable<FilterSpec['icmp']>
type Kind = Network['nodes'][number]['kind']

function node(scenario: Scenario, network: Network, name: string, kind: Kind): TopologyNode {
  const stack = kind === 'host' || kind === 'router' ? network.stack(name) : null
  const nics = (stack?.nics ?? [])
    .filter(({ name: nic }) => nic !== 'lo')
    .map((nic) => ({
      name: nic.name,
      addresses: nic.addresses
        .filter(({ address }) => !address.isLinkLocal && !address.isLoopback)
        .map(({ address }) => `${address}`),
    }))
  const router = kind === 'router' ? entry(scenario.routers, name) : null
  const shown: DrawnKind = router?.nat !== undefined ? 'nat' : router?.filter !== undefined ? 'firewall' : kind
  return { name, kind: shown, nics, does: router === null ? [] : doings(router) }
}

function doings({ nat, filter }: RouterSpec): TopologyNode['does'] {
  const does: TopologyNode['does'][number][] = []
  if (nat !== undefined) {
    const { outside, mapping = 'endpoint-independent', filtering = 'address-and-port-dependent' } = nat
    does.push({ mark: 'NAT', text: `NAT to ${outside}: ${mapping} mapping, ${filtering} filtering` })
  }
  if (filter !== undefined) {
    const { icmp, icmpErrors, block = [], drop } = filter
    const rate = (limit: MessageRate) => (typeof limit === 'number' ? limit : limit.rate)
    const passing = (limit: MessageRate, name: string) =>
      rate(limit) === 0 ? `no ${name}` : `${rate(limit)} ${name} a second`
    const words = [
      ...(icmp === undefined ? [] : [passing(icmp, 'ICMP messages')]),
      ...(icmpErrors === undefined ? [] : [passing(icmpErrors, 'ICMP errors')]),
      ...(block.length === 0 ? [] : [`not ${block.join(', ')}`]),
      ...(drop === undefined ? [] : ['what a function lets pass']),
    ]
    does.push({ mark: 'filter', text: `filter: ${words.length === 0 ? 'lets all pass' : words.join('; ')}` })
  }
  return does
}

/** The entry of a name; none for a word that every object has. */
function entry<Spec>(of: Readonly<Record<string, Spec | null>> | undefined, name: string): Spec | null {
  return of !== undefined && Object.hasOwn(of, name) ? (of[name] ?? null) : null
}

function cables({ links = [] }: Scenario, network: Network): TopologyCable[] {
  const byName = new Map(network.cables.map((cable) => [cable.name, cable]))
  const taken = new Set<string>()
  return links.map((link, index) => {
    // Cables without a name are numbered in the order of their making, which is not the list's.
    const found = [...byName.values()].find(
      (cable) =>
        !taken.has(cable.name) &&
        (link.name === undefined || link.name === cable.name) &&
        cable.ends.every(({ node: end }, way) => end === link.between[way]),
    )
    const name = found?.name ?? link.between.join('-')
    taken.add(name)
    const { mtu: _mtu, ...both } = link
    const ways: readonly ImpairmentSpec[] = [
      { ...both, ...link.forward },
      { ...both, ...link.back },
    ]
    const codel = ways.map(lawOf)
    return {
      name,
      index,
      ends: [0, 1].map((way) => ({
        node: link.between[way] as string,
        nic: found?.ends[way]?.port?.name ?? '',
      })) as unknown as TopologyCable['ends'],
      mtu: found?.ends.find(({ nic }) => nic !== null)?.nic?.mtu ?? link.mtu ?? 1500,
      faults: ways.map(faultTexts) as unknown as TopologyCable['faults'],
      loses: ways.some(({ loss = 0, corruption = 0, mtu }) => loss !== 0 || corruption !== 0 || mtu !== undefined),
      ...(codel.every((law) => law === null) ? {} : { codel: codel as [CodelLaw | null, CodelLaw | null] }),
    }
  })
}

/** As the queue itself has them (RFC 8289 sections 4.3 and 4.4). */
function lawOf({ queue }: ImpairmentSpec): CodelLaw | null {
  if (queue === undefined || !('codel' in queue)) return null
  const { target = CODEL_TARGET, interval = CODEL_INTERVAL, ecn = false } = queue.codel
  return { target, interval, ecn }
}
