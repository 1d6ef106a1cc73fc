/**
 * Ethernet below one nic: takes the frame header off and puts it on, and finds the neighbor to send
 * to.
 *
 * Groups and broadcast addresses need no neighbor: RFC 1112 section 6.4, RFC 2464 section 7.
 */
import { isLinkLocal, MAPPED } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { Cast, type Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import * as ethernet from '../../wire/ethernet.ts'
import { addressHigh, addressLow, formatHardwareAddress } from '../../wire/hardware-address.ts'
import { ErrorReason } from '../icmp/error-reasons.ts'
import type { IpLayer } from '../ip-layer.ts'
import { NdLayer } from '../nd/nd-layer.ts'
import { ArpLayer } from './arp-layer.ts'
import type { Nic, NicAddress } from './nic.ts'

export class EthernetLayer {
  /** The nic's own hardware address. */
  readonly high: number
  readonly low: number
  readonly arp: ArpLayer
  readonly nd: NdLayer
  readonly #nic: Nic
  readonly #ip: IpLayer
  /** Sender of the frame that is being processed. */
  #sourceHigh = 0
  #sourceLow = 0

  constructor(nic: Nic, hardwareAddress: Uint8Array, ip: IpLayer, clock: Clock, random: Random) {
    this.#nic = nic
    this.#ip = ip
    this.high = addressHigh(hardwareAddress)
    this.low = addressLow(hardwareAddress)
    this.arp = new ArpLayer(this, nic, ip, clock, random)
    this.nd = new NdLayer(this, nic, ip, clock, random)
  }

  close(): void {
    this.arp.close()
    this.nd.close()
  }

  /** Whether the frame that is being processed has our own source address. */
  get isOwnFrame(): boolean {
    return this.#sourceHigh === this.high && this.#sourceLow === this.low
  }

  /** Its source address as text. */
  get sourceText(): string {
    return formatHardwareAddress(this.#sourceHigh, this.#sourceLow)
  }

  /** A frame from the link: its IP packet goes up, an ARP message is handled here. */
  input(packet: Packet): void {
    const drop = this.#input(packet)
    if (drop !== Drop.None) this.#ip.counters.drop(drop, packet)
  }

  #input(packet: Packet): Drop {
    const { view, start } = packet
    const drop = ethernet.parse(packet, this.high, this.low)
    if (drop !== Drop.None) return drop
    this.#sourceHigh = ethernet.sourceHigh(view, start)
    this.#sourceLow = ethernet.sourceLow(view, start)
    const type = ethernet.payloadType(view, packet.start)
    if (type === ethernet.ARP) return this.arp.input(packet)
    if (packet.end === packet.start) return Drop.FrameTooShort
    if (view.getUint8(packet.start) >>> 4 !== (type === ethernet.IPV4 ? 4 : 6)) return Drop.IpVersion
    this.#ip.input(packet, this.#nic)
    return Drop.None
  }

  /** Sends an IP packet to its next hop, or holds it until the neighbor answers. */
  output(packet: Packet): Drop {
    const { n0, n1, n2, n3 } = packet
    if (packet.family === 4) {
      if (n3 >>> 28 === 0xe) return this.transmit(packet, ethernet.GROUP4_HIGH, ethernet.group4Low(n3), ethernet.IPV4)
      if (this.#ip.isBroadcastOn(this.#nic, n3))
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

  /**
   * Tells who sent a packet that the neighbor does not answer; our own sockets hear it as they hear
   * a router's error (Linux: dst_link_failure).
   */
  reportUnreachable(packet: Packet): void {
    packet.cast = Cast.Unicast
    const { s0, s1, s2, s3 } = packet
    const own = this.#ip.isLocal(s0, s1, s2, s3)
    // By which nic another host's packet came is not known any more: by the one that leads back,
    // most likely.
    const from = own || isLinkLocal(s0, s1, s2, s3) ? null : this.#ip.routes.lookup(s0, s1, s2, s3, 0)
    const nic = this.#ip.nicByIndex(own ? 1 : (from?.nic.index ?? 0)) ?? this.#nic
    this.#ip.icmp.sendError(packet, nic, ErrorReason.HostUnreachable)
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

  assigned(added: NicAddress, checked: boolean): void {
    if (added.address.family === 4) this.arp.assigned(added, checked)
    else this.nd.assigned(added)
  }
}
