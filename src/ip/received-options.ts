/**
 * What a received IPv4 header's options hold, and what a router writes into them. One object serves
 * all packets: the receiver fills it and lends it to the forwarder with the packet.
 */
import type { Packet } from '../base/packet.ts'
import * as ipv4 from '../wire/ipv4.ts'
import type { Route } from './routing/route-table.ts'

export class ReceivedOptions {
  /** Offset of a source route from the start of the IP header; 0 without one. */
  sourceRoute = 0
  /** Whether the source route names every stop. */
  strict = false
  /** Offset in the buffer of the source route's next stop, once it is the destination; 0 before. */
  stopSlot = 0
  /** A Router Alert with value 0 (RFC 2113): "examine". */
  routerAlert = false
  /** Offset in the buffer of this host's entry in a recorded route; 0 without one. */
  routeSlot = 0
  /** Offset in the buffer of this host's address in a timestamp; 0 without one. */
  timestampSlot = 0

  clear(): void {
    this.sourceRoute = 0
    this.strict = false
    this.stopSlot = 0
    this.routerAlert = false
    this.routeSlot = 0
    this.timestampSlot = 0
  }

  /**
   * A strict source route whose next hop is not on a link of this router (RFC 1812 section 5.2.7.1,
   * code 5).
   */
  leavesStrictRoute(route: Route): boolean {
    return this.sourceRoute !== 0 && this.strict && route.gateway !== null
  }

  /**
   * Writes what a router adds before it sends the packet on: the address of the nic that the packet
   * leaves by (RFC 1812 section 4.2.2.1), in the slots that this host filled, and in the place of
   * the stop that becomes the destination.
   */
  forward(packet: Packet, word: number): void {
    const { view, network } = packet
    if (this.routeSlot !== 0) view.setInt32(this.routeSlot, word)
    if (this.timestampSlot !== 0) view.setInt32(this.timestampSlot, word)
    if (this.stopSlot === 0) return
    const at = network + this.sourceRoute
    view.setInt32(network + ipv4.DESTINATION, packet.d3)
    view.setInt32(this.stopSlot, word)
    view.setUint8(at + 2, this.stopSlot - at + 5)
  }
}
