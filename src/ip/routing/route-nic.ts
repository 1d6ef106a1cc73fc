/** What routing and sending know of a nic. */
import type { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { Link } from '../../link/link.ts'
import type { NicAddress } from '../nic/nic-address.ts'

/** The nic of a route. */
export interface RouteNic {
  /** Unique in the stack, from 1 (the loopback). */
  readonly index: number
  readonly name: string
  readonly link: Link
  /** Routes over a nic that is down do not count. */
  readonly isUp: boolean
  readonly isLoopback: boolean
  /** @internal See {@link Link.numbered}. */
  readonly numbered: boolean
  readonly addresses: readonly NicAddress[]
  /** @internal The hop limit that routers advertise for the link, or 0. */
  readonly hopLimit6: number
  /** The largest packet of a family that leaves whole, in bytes. */
  mtuOf(family: number): number
  /** @internal Whether the nic has the address with these words. */
  hasWords(w0: number, w1: number, w2: number, w3: number): boolean
  /** @internal Whether a packet to this group can be for this host. */
  isMember(w0: number, w1: number, w2: number, w3: number): boolean
  /** @internal Sends one packet, not longer than the MTU, to the packet's next hop. */
  output(packet: Packet): Drop
  /**
   * Hands a datagram longer than `mtu` to a device that fragments; `false` if it is not taken.
   * @internal
   */
  transmitLong(packet: Packet, mtu: number): boolean
}

/** The nics of a host by index: none at 0, the loopback at 1, `undefined` where one was removed. */
export type NicList<N extends RouteNic = RouteNic> = readonly (N | undefined)[]
