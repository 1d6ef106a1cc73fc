/** To which nodes the cable of each nic leads. */
import type { Network } from '../../network/network.ts'
import type { Neighbors } from './life.ts'

/** Of a network whose cables are all there. */
export function neighborsOf(network: Network): Neighbors {
  const found = new Map<string, string[]>()
  for (const { ends } of network.cables)
    for (const [end, other] of [ends, [ends[1], ends[0]] as const]) {
      if (end.port === null) continue
      // Behind the end without a port is a wire with further cables.
      const nodes =
        other.port !== null
          ? [other.node]
          : network.cables.flatMap((cable) =>
              cable.ends.some(({ node }) => node === other.node)
                ? cable.ends.map(({ node }) => node).filter((node) => node !== other.node && node !== end.node)
                : [],
            )
      found.set(`${end.node} ${end.port.name}`, nodes)
    }
  return (node, nic) => found.get(`${node} ${nic}`) ?? []
}
