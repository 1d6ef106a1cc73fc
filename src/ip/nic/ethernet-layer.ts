/**
 * Ethernet below one nic: takes the frame header off and puts it on, and finds the neighbor to send
 * to.
 *
 * Groups and broadcast addresses need no neighbor: RFC 1112 section 6.4, RFC 2464 section 7.
 */
import { type Address, MAPPED } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import { branch, type Random } from '../../base/random.ts'
import * as ethernet from '../../wire/ethernet.ts'
import { addressHigh, addressLow } from '../../wire/hardware-address.ts'
import { NdLayer, type NdNic } from '../nd/nd-layer.ts'
import type { SlaacAddresses } from '../nd/slaac.ts'
import type { AddressOwner } from './address-owner.ts'
import { ArpLayer } from './arp-layer.ts'
import type { FrameSender } from './frame-sender.ts'
import type { LinkHost } from './link-host.ts'
import type { NicAddress } from './nic-address.ts'

/** The nic above. */
export interface EthernetNic extends NdNic {
  /** Takes a packet whose frame header is gone. */
  receive(packet: Packet): void
  /** Sends a frame. */
  transmit(packet: Packet): Drop
}

export class EthernetLayer implements FrameSender {
  /** The nic's own hardware address. */
  readonly high: number
  readonly low: number
  readonly arp: ArpLayer
  readonly nd: NdLayer
  readonly #nic: EthernetNic
  readonly #host: LinkHost

  /** `owner`: the nic's addresses. */
  constructor(
    nic: EthernetNic,
    hardwareAddress: Uint8Array,
    owner: AddressOwner & SlaacAddresses,
    host: LinkHost,
    clock: Clock,
    random: Random,
  ) {
    this.#nic = nic
    this.#host = host
    this.high = addressHigh(hardwareAddress)
    this.low = addressLow(hardwareAddress)
    this.arp = new ArpLayer(this, nic, owner, host, clock, branch(random, 'arp'))
    this.nd = new NdLayer(this, nic, owner, host, clock, branch(random, 'nd'))
  }

  close(): void {
    this.arp.close()
    this.nd.close()
  }

  /** A frame from the link: its IP packet goes up, an ARP message is handled here. */
  input(packet: Packet): void {
    const drop = this.#input(packet)
    if (drop !== Drop.None) this.#host.counters.drop(drop, packet)
  }

  #input(packet: Packet): Drop {
    const { view, start } = packet
    const drop = ethernet.parse(packet, this.high, this.low)
    if (drop !== Drop.None) return drop
    packet.senderHigh = ethernet.sourceHigh(view, start)
    packet.senderLow = ethernet.sourceLow(view, start)
    const type = ethernet.payloadType(view, packet.start)
    if (type === ethernet.ARP) return this.arp.input(packet)
    if (packet.end === packet.start) return Drop.FrameTooShort
    if (view.getUint8(packet.start) >>> 4 !== (type === ethernet.IPV4 ? 4 : 6)) return Drop.IpVersion
    this.#nic.receive(packet)
    return Drop.None
  }

  /** Sends an IP packet to its next hop, or holds it until the neighbor answers. */
  output(packet: Packet): Drop {
    const { n0, n1, n2, n3 } = packet
    if (packet.family === 4) {
      if (n3 >>> 28 === 0xe) return this.transmit(packet, ethernet.GROUP4_HIGH, ethernet.group4Low(n3), ethernet.IPV4)
      if (this.#host.addresses.isBroadcastOn(this.#nic, n3))
        return this.transmit(packet, ethernet.BROADCAST_HIGH, ethernet.BROADCAST_LOW, ethernet.IPV4)
      const neighbor = this.arp.neighbors.resolve(packet, 0, 0, MAPPED, n3)
      return neighbor === null ? Drop.None : this.transmit(packet, neighbor.high, neighbor.low, ethernet.IPV4)
    }
    if (n0 >>> 24 === 0xff) return this.transmit(packet, ethernet.GROUP6_HIGH, n3, ethernet.IPV6)
    const neighbor = this.nd.neighbors.resolve(packet, n0, n1, n2, n3)
    return neighbor === null ? Drop.None : this.transmit(packet, neighbor.high, neighbor.low, ethernet.IPV6)
  }

  /** Puts the frame header in front of `packet.start` and sends the frame. */
  transmit(packet: Packet, high: number, low: number, type: number): Drop {
    packet.start -= ethernet.HEADER
    ethernet.encode(packet.view, packet.start, high, low, this.high, this.low, type)
    const drop = this.#nic.transmit(packet)
    packet.start += ethernet.HEADER
    return drop
  }

  // ── own addresses ──

  /** Looks for others that use the address; the nic is told what came out. */
  check(added: NicAddress): void {
    if (added.address.family === 4) this.arp.check(added)
    else this.nd.check(added)
  }

  stopCheck(added: NicAddress): void {
    if (added.address.family === 4) this.arp.stopCheck(added)
    else this.nd.stopCheck(added)
  }

  /** Another station has an address of ours: another one may be made. */
  duplicate(address: Address): void {
    this.nd.discovery.slaac.duplicate(address)
  }

  assigned(added: NicAddress, checked: boolean): void {
    if (added.address.family === 4) this.arp.assigned(added, checked)
    else this.nd.assigned(added)
  }
}
