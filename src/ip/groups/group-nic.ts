/** What IGMP and MLD know of their nic and its host. */
import type { Drop } from '../../base/drop.ts'
import type { KeyedHash } from '../../base/hash.ts'
import type { Packet } from '../../base/packet.ts'
import type { Counters } from '../counters.ts'
import type { NicAddress } from '../nic/nic-address.ts'

export interface GroupNic {
  readonly addresses: readonly NicAddress[]
  mtuOf(family: number): number
  hasWords(w0: number, w1: number, w2: number, w3: number): boolean
  /** Sends one packet to its next hop. */
  output(packet: Packet): Drop
}

export interface GroupHost {
  readonly counters: Counters
  /** Of all tables whose keys come from others. */
  readonly hash: KeyedHash
}
