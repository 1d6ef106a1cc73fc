import { MAPPED } from '../../src/base/address.ts'
import type { Packet } from '../../src/base/packet.ts'
import type { Endpoint } from '../../src/udp/endpoint.ts'

/**
 * The endpoint for a unicast datagram, by asking each (`endpoints`: oldest first): an exact address
 * before any address, then a peer before none, then a device binding before none, then the family's
 * own socket before a dual-stack one, then the newest (Linux: udp4_lib_lookup and compute_score).
 */
export function slowLookup(endpoints: readonly Endpoint[], packet: Packet, sourcePort: number): Endpoint | null {
  const candidates = endpoints
    .filter((each) => hears(each, packet, sourcePort))
    .map((endpoint, age) => ({
      endpoint,
      rank: [
        !endpoint.localAddress.isUnspecified,
        endpoint.remoteAddress !== null,
        endpoint.boundNic !== 0,
        endpoint.family === packet.family,
      ]
        .map(Number)
        .concat(age),
    }))
  candidates.sort((a, b) => {
    const differs = a.rank.findIndex((each, at) => each !== b.rank[at])
    return (b.rank[differs] ?? 0) - (a.rank[differs] ?? 0)
  })
  return candidates[0]?.endpoint ?? null
}

function hears(endpoint: Endpoint, packet: Packet, sourcePort: number): boolean {
  const { localAddress, remoteAddress } = endpoint
  if (endpoint.family === 4 && packet.family === 6) return false
  if (endpoint.family === 6 && packet.family === 4 && endpoint.ipv6Only) return false
  if (localAddress.isUnspecified) {
    if (localAddress.w2 === MAPPED && packet.family === 6) return false
  } else if (!localAddress.is(packet.d0, packet.d1, packet.d2, packet.d3)) return false
  if (
    remoteAddress !== null &&
    (endpoint.remotePort !== sourcePort || !remoteAddress.is(packet.s0, packet.s1, packet.s2, packet.s3))
  )
    return false
  return endpoint.boundNic === 0 || endpoint.boundNic === packet.nic
}
