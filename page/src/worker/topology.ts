/** The network of a scenario as the page draws it. */
import { faultTexts } from '../../../src/cli/report/fault-text.ts'
import type { Network, Scenario } from '../../../src/network/index.ts'
import type { NodeKind, Topology, TopologyCable, TopologyNode } from '../protocol.ts'

export function topologyOf(scenario: Scenario, network: Network): Topology {
  return {
    nodes: network.nodes.map(({ name, kind }) => node(scenario, network, name, kind)),
    cables: cables(scenario, network),
  }
}

function node(scenario: Scenario, network: Network, name: string, kind: NodeKind): TopologyNode {
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
  const shown = router?.nat !== undefined ? 'nat' : router?.filter !== undefined ? 'firewall' : kind
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
