/** The way up from IP: what carries UDP, and the answer when nobody takes a datagram. */
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

export class Upper {
  readonly #icmp: Icmp
  #udp: UpperLayer | null = null

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

  /** No packet comes for now: what was delivered may go on. */
  idle(): void {
    this.#udp?.idle()
  }
}
