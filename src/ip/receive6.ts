/**
 * IPv6 on the way up, in the order of things: parse, admit, extension headers, forward or
 * reassemble, deliver.
 */
import { isLoopback, isUnspecified, MAPPED } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import { Cast, type Packet } from '../base/packet.ts'
import * as ipv6 from '../wire/ipv6.ts'
import { FRAGMENT, ICMPV6, NO_NEXT_HEADER, TCP, UDP } from '../wire/protocol.ts'
import type { OwnAddresses } from './addresses.ts'
import type { Counters } from './counters.ts'
import type { Forwarder } from './forwarder.ts'
import type { Reassembler } from './fragments/reassembler.ts'
import type { Icmp } from './icmp/icmp.ts'
import type { Nic } from './nic/nic.ts'
import type { ReversePathFilter } from './routing/reverse-path.ts'
import type { Upper } from './upper.ts'

export interface Receive6Parts {
  readonly counters: Counters
  readonly addresses: OwnAddresses
  readonly reversePath: ReversePathFilter
  /** `null` for a host that is no router. */
  readonly forwarder: Forwarder | null
  readonly reassembler: Reassembler
  readonly icmp: Icmp
  readonly upper: Upper
  /** Only addresses of the nic of arrival are a destination. */
  readonly strongHost: boolean
}

export class Receive6 {
  readonly #counters: Counters
  readonly #addresses: OwnAddresses
  readonly #reversePath: ReversePathFilter
  readonly #forwarder: Forwarder | null
  readonly #reassembler: Reassembler
  readonly #icmp: Icmp
  readonly #upper: Upper
  readonly #strongHost: boolean

  constructor(parts: Receive6Parts) {
    this.#counters = parts.counters
    this.#addresses = parts.addresses
    this.#reversePath = parts.reversePath
    this.#forwarder = parts.forwarder
    this.#reassembler = parts.reassembler
    this.#icmp = parts.icmp
    this.#upper = parts.upper
    this.#strongHost = parts.strongHost
  }

  /** The packet at `packet.start`, which came by the nic. */
  input(packet: Packet, nic: Nic): Drop {
    let drop = ipv6.parse(packet)
    if (drop !== Drop.None && packet.problem < 0) return drop
    const admitted = this.#admit(packet, nic)
    // The hop-by-hop header is every node's business, a router's too.
    const forward = admitted === Drop.IpNotForUs && this.#forwarder !== null
    if (admitted !== Drop.None && !forward) return admitted
    if (drop === Drop.None) {
      if (forward) return (this.#forwarder as Forwarder).forward(packet, nic, null)
      drop = ipv6.walk(packet)
    }
    if (drop !== Drop.None) {
      this.#icmp.sendProblem(packet, nic)
      return drop
    }
    if (packet.fragmentHeader === 0) return this.#deliver(packet, nic)
    if (packet.fragmentOffset === 0) {
      drop = checkHeaderChain(packet)
      if (drop !== Drop.None) {
        this.#icmp.sendProblem(packet, nic)
        return drop
      }
      // RFC 6946: an atomic fragment is a packet by itself.
      if (packet.moreFragments === 0) return this.#deliverWalked(packet, nic)
    }
    const whole = this.#reassembler.add(packet)
    if (whole === null) this.#icmp.sendProblem(packet, nic)
    else {
      const result = this.#deliverWalked(whole, nic)
      if (result !== Drop.None) this.#counters.drop(result, whole)
    }
    return Drop.None
  }

  /** Addresses that no packet may have here, and whether it is for us. */
  #admit(packet: Packet, nic: Nic): Drop {
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
    // RFC 4291 section 2.7: a group is never a source. Mapped addresses never leave a host.
    if (s0 >>> 24 === 0xff || (s0 === 0 && s1 === 0 && s2 === MAPPED)) return Drop.IpMartianSource
    if ((d0 === 0 && d1 === 0 && d2 === MAPPED) || isUnspecified(d0, d1, d2, d3)) return Drop.IpMartianDestination
    if (packet.looped === 0) {
      if (isLoopback(s0, s1, s2, s3)) return Drop.IpMartianSource
      if (isLoopback(d0, d1, d2, d3)) return Drop.IpMartianDestination
      if (!isUnspecified(s0, s1, s2, s3) && !this.#reversePath.expects(packet, nic.index)) return Drop.IpReversePath
    }
    if (d0 >>> 24 === 0xff) {
      const scope = (d0 >>> 16) & 15
      // RFC 4291 section 2.7: scope 0 is reserved, scope 1 stays on the host.
      if (scope === 0 || (scope === 1 && packet.looped === 0)) return Drop.IpMartianDestination
      const drop = nic.admit(packet)
      if (drop !== Drop.None) return drop
      packet.cast = Cast.Multicast
      return Drop.None
    }
    if (!this.#addresses.isDestination6(d0, d1, d2, d3)) return Drop.IpNotForUs
    // A link-local address is one of its link's (RFC 4007 section 6), in every host model.
    const own =
      packet.looped === 1 ||
      !(this.#strongHost || d0 >>> 22 === 0x3fa) ||
      nic.hasWords(d0, d1, d2, d3) ||
      nic.isAnycast(d0, d1, d2, d3)
    return own ? Drop.None : Drop.IpNotForUs
  }

  /** Goes on behind a fragment header. */
  #deliverWalked(packet: Packet, nic: Nic): Drop {
    packet.fragmentOffset = 0
    packet.moreFragments = 0
    const drop = ipv6.walk(packet)
    if (drop !== Drop.None) {
      this.#icmp.sendProblem(packet, nic)
      return drop
    }
    return this.#deliver(packet, nic)
  }

  #deliver(packet: Packet, nic: Nic): Drop {
    this.#counters.six.IpInDelivers++
    const taken = this.#upper.raw?.deliver(packet) === true
    switch (packet.protocol) {
      case UDP:
        return this.#upper.deliverUdp(packet, nic)
      case ICMPV6:
        return this.#icmp.input6(packet, nic)
      default:
        return this.#upper.unknown(packet, nic, taken)
    }
  }
}

/**
 * RFC 7112: a first fragment holds every header up to the upper layer's; Linux asks for its fixed
 * part (UDP, ICMPv6, TCP).
 */
function checkHeaderChain(packet: Packet): Drop {
  if (packet.moreFragments === 0) return Drop.None
  const found = ipv6.skip(packet.view, packet.protocol, packet.transport, packet.end)
  const next = found & 0xff
  const need = next === UDP || next === ICMPV6 ? 8 : next === TCP ? 20 : 1
  if (found >= 0 && (next === NO_NEXT_HEADER || next === FRAGMENT || packet.end - (found >> 8) >= need))
    return Drop.None
  packet.problem = ipv6.INCOMPLETE_HEADER_CHAIN
  packet.pointer = 0
  return Drop.FragmentHeaderChain
}
