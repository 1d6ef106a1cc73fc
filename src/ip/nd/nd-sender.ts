/** Sends the messages of Neighbor Discovery of one nic: ICMPv6 with hop limit 255. */
import type { Address } from '../../base/address.ts'
import { Drop } from '../../base/drop.ts'
import { HEADROOM, MAX_PACKET, Packet } from '../../base/packet.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import * as ndp from '../../wire/ndp.ts'
import { ICMPV6 } from '../../wire/protocol.ts'
import type { Counters } from '../counters.ts'

/** Bytes of messages of a fixed length: solicitations and advertisements of neighbors. */
const SHORT = 64

/** The nic's hardware address, which messages tell. */
interface OwnHardware {
  readonly high: number
  readonly low: number
}

export class NdSender {
  readonly #own: OwnHardware
  readonly #nic: { output(packet: Packet): Drop }
  readonly #counters: Counters
  /** As long as it has had to be: a large LAN has many nics. */
  #tx = new Packet(HEADROOM + SHORT)

  constructor(own: OwnHardware, nic: { output(packet: Packet): Drop }, counters: Counters) {
    this.#own = own
    this.#nic = nic
    this.#counters = counters
  }

  /**
   * The transmit packet, for a message to be written at {@link HEADROOM}; `isLong` for more than 64
   * bytes.
   */
  begin(isLong = false): Packet {
    if (isLong && this.#tx.capacity < HEADROOM + MAX_PACKET) this.#tx = new Packet(HEADROOM + MAX_PACKET)
    this.#tx.reset(HEADROOM, HEADROOM)
    return this.#tx
  }

  /** Writes a link-layer address option with our address at `at`; returns the offset behind it. */
  encodeOwnAddress(view: DataView, at: number, option: number): number {
    return ndp.encodeLinkAddress(view, at, option, this.#own.high, this.#own.low)
  }

  /** {@link send} to an address. */
  sendTo(type: number, end: number, source: Address, { w0, w1, w2, w3 }: Address): void {
    this.send(type, end, source, w0, w1, w2, w3)
  }

  /** Sends the message in `HEADROOM … end`, whose bytes 4 and on are written. */
  send(type: number, end: number, source: Address, d0: number, d1: number, d2: number, d3: number): void {
    const packet = this.#tx
    const { view } = packet
    packet.end = end
    packet.start = HEADROOM - ipv6.HEADER
    packet.family = 6
    packet.protocol = ICMPV6
    packet.tos = 0
    packet.flowLabel = 0
    packet.hopLimit = ndp.HOP_LIMIT
    packet.s0 = source.w0
    packet.s1 = source.w1
    packet.s2 = source.w2
    packet.s3 = source.w3
    packet.d0 = d0
    packet.d1 = d1
    packet.d2 = d2
    packet.d3 = d3
    ipv6.encode(packet, packet.start, ICMPV6)
    icmpv6.encode(packet, packet.start, HEADROOM, end, type, 0, view.getInt32(HEADROOM + 4))
    const counters = this.#counters
    counters.six.IpOutRequests++
    counters.six.IcmpOutMsgs++
    if (type === ndp.NEIGHBOR_SOLICITATION) counters.six.IcmpOutNeighborSolicits++
    else if (type === ndp.NEIGHBOR_ADVERTISEMENT) counters.six.IcmpOutNeighborAdvertisements++
    else if (type === ndp.ROUTER_SOLICITATION) counters.six.IcmpOutRouterSolicits++
    else if (type === ndp.REDIRECT) counters.six.IcmpOutRedirects++
    else counters.six.IcmpOutRouterAdvertisements++
    packet.setHopToDestination()
    const drop = this.#nic.output(packet)
    if (drop !== Drop.None) counters.drop(drop, packet)
  }
}
