/** The network of a scenario as it is drawn. */
import type { Network, Scenario } from '../../network/index.ts'
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
}

/** `index` is the place in the scenario's list of links. */
export interface TopologyCable {
  readonly name: string
  readonly index: number
  readonly ends: readonly [CableEnd, CableEnd]
  readonly mtu: number
  /** In words, for each direction: `10 ms`, `loss 1 %`. */
  readonly faults: readonly [readonly string[], readonly string[]]
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
  return { name, kind: shown, nics }
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
    return {
      name,
      index,
      ends: [0, 1].map((way) => ({
        node: link.between[way] as string,
        nic: found?.ends[way]?.port?.name ?? '',
      })) as unknown as TopologyCable['ends'],
      mtu: found?.ends.find(({ nic }) => nic !== null)?.nic?.mtu ?? link.mtu ?? 1500,
      faults: [faultTexts({ ...both, ...link.forward }), faultTexts({ ...both, ...link.back })],
    }
  })
}
