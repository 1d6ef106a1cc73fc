/**
 * Which merged packets (`Packet.segmentLength`) a router passes on as they are: those that it would
 * pass on by one route, segment by segment, without a word. All others come to IP in segments.
 */
import { isLinkLocal, MAPPED } from '../base/address.ts'
import { Cast, type Packet } from '../base/packet.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import type { OwnAddresses } from './addresses.ts'
import type { RouteNic } from './routing/route-nic.ts'
import type { RouteTable } from './routing/route-table.ts'

/** The packet has no IPv4 options and no extension headers, and has not been parsed. */
export function passesMerged(packet: Packet, nic: RouteNic, routes: RouteTable, addresses: OwnAddresses): boolean {
  const { view, start, cast } = packet
  if (cast !== Cast.Unicast) return false
  const four = ipv4.version(view, start) === 4
  if ((four ? ipv4.ttl(view, start) : ipv6.hopLimit(view, start)) <= 1) return false
  const to = start + (four ? ipv4.DESTINATION : ipv6.DESTINATION)
  const from = start + (four ? ipv4.SOURCE : ipv6.SOURCE)
  if (four) {
    const word = view.getInt32(to)
    if (word >>> 28 >= 0xe || addresses.isBroadcast4(word) || isLinkLocal(0, 0, MAPPED, word)) return false
    if (isLinkLocal(0, 0, MAPPED, view.getInt32(from))) return false
    return leads(packet, nic, routes, 0, 0, MAPPED, word)
  }
  const d0 = view.getInt32(to)
  const d1 = view.getInt32(to + 4)
  const d2 = view.getInt32(to + 8)
  const d3 = view.getInt32(to + 12)
  if (d0 >>> 24 === 0xff || addresses.isDestination6(d0, d1, d2, d3) || isLinkLocal(d0, d1, d2, d3)) return false
  if (isLinkLocal(view.getInt32(from), view.getInt32(from + 4), view.getInt32(from + 8), view.getInt32(from + 12)))
    return false
  return leads(packet, nic, routes, d0, d1, d2, d3)
}

/** Whether the route leads to another link, which takes merged packets and is wide enough. */
function leads(
  { segmentLength }: Packet,
  nic: RouteNic,
  routes: RouteTable,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
): boolean {
  const route = routes.lookup(d0, d1, d2, d3, 0)
  if (route === null || route.kind !== 'unicast' || route.nic === nic) return false
  const { link } = route.nic
  // On Ethernet it might have to wait for a neighbor.
  if (link.medium !== 'ip' || link.offload.merged !== true) return false
  const family = d0 === 0 && d1 === 0 && d2 === MAPPED ? 4 : 6
  return segmentLength <= route.nic.mtuOf(family) && (route.mtu === 0 || segmentLength <= route.mtu)
}
