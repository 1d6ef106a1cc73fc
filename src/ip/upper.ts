/**
 * The way up from IP: what carries UDP, copies for raw endpoints, and the answer when nobody takes
 * a datagram.
 */
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import { ErrorReason } from './icmp/error-reasons.ts'
import type { Icmp } from './icmp/icmp.ts'
import type { Nic } from './nic/nic.ts'

/**
 * An upper protocol. Its `input` says what became of the packet; `NoPort` and unknown protocols are
 * answered by IP.
 */
export interface UpperLayer {
  input(packet: Packet, nic: Nic): Drop
  idle(): void
}

/** Raw endpoints: each gets a copy of what is for it, whoever else takes the packet. */
export interface RawSink {
  /**
   * Offers the packet whose upper layer is at `packet.transport … packet.end`; lent.
   * @returns whether an endpoint is open for it
   */
  deliver(packet: Packet): boolean
}

export class Upper {
  readonly #icmp: Icmp
  #udp: UpperLayer | null = null
  /** `null` while there is no raw endpoint: one check a packet. */
  raw: RawSink | null = null

  constructor(icmp: Icmp) {
    this.#icmp = icmp
  }

  attach(udp: UpperLayer): void {
    this.#udp = udp
  }

  /** The datagram at `packet.transport`. */
  deliverUdp(packet: Packet, nic: Nic): Drop {
    const { network } = packet
    const drop = (this.#udp as UpperLayer).input(packet, nic)
    if (drop === Drop.UdpNoPort) {
      // The upper layer narrowed the packet to the payload: an error quotes all of the datagram,
      // but, as Linux, not what is behind it.
      packet.start = network
      packet.networkEnd = packet.end
      this.#icmp.sendError(packet, nic, ErrorReason.PortUnreachable)
    }
    return drop
  }

  /** A protocol that nobody speaks, but for the raw endpoint that took the packet. */
  unknown(packet: Packet, nic: Nic, taken: boolean): Drop {
    if (taken) return Drop.None
    this.#icmp.sendProtocolUnreachable(packet, nic)
    return Drop.IpUnknownProtocol
  }

  /** No packet comes for now: what was delivered may go on. */
  idle(): void {
    this.#udp?.idle()
  }
}
