/** What the layers of a link, Ethernet, ARP and Neighbor Discovery, ask of their host. */
import type { Address } from '../../base/address.ts'
import type { KeyedHash } from '../../base/hash.ts'
import type { Packet } from '../../base/packet.ts'
import type { OwnAddresses } from '../addresses.ts'
import type { Counters } from '../counters.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import type { RouteTable } from '../routing/route-table.ts'
import type { NeighborLimits } from './neighbor-limits.ts'
import type { WaitingPackets } from './waiting-packets.ts'

export interface LinkHost {
  readonly counters: Counters
  /** Of all tables whose keys come from others. */
  readonly hash: KeyedHash
  readonly routes: RouteTable
  readonly addresses: OwnAddresses
  readonly neighborLimits: NeighborLimits
  /** Packets of all nics that wait for their neighbors. */
  readonly waiting: WaitingPackets
  readonly nics: readonly RouteNic[]
  /** A neighbor on the nic's link does not answer any more, or never did. */
  neighborLost(nic: RouteNic, address: Address): void
  /** Nor can this packet, parsed, be sent to it: who sent the packet is told. */
  neighborUnreachable(packet: Packet, nic: RouteNic): void
}
