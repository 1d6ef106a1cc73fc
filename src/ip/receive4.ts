/**
 * IPv4 on the way up, in the order of things: parse, admit, options, forward or reassemble,
 * deliver.
 */
import { MAPPED } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import { Cast, type Packet } from '../base/packet.ts'
import * as ipv4 from '../wire/ipv4.ts'
import { ICMPV4, IGMP, UDP } from '../wire/protocol.ts'
import type { OwnAddresses } from './addresses.ts'
import type { Counters } from './counters.ts'
import type { Forwarder } from './forwarder.ts'
import type { Reassembler } from './fragments/reassembler.ts'
import { ErrorReason } from './icmp/error-reasons.ts'
import type { Icmp } from './icmp/icmp.ts'
import type { Ipv4Options } from './ipv4-options.ts'
import type { Nic } from './nic/nic.ts'
import { ReceivedOptions } from './received-options.ts'
import type { ReversePathFilter } from './routing/reverse-path.ts'
import type { RouteTable } from './routing/route-table.ts'
import { Strangers } from './strangers.ts'
import type { Upper } from './upper.ts'

export interface Receive4Parts {
  readonly counters: Counters
  readonly addresses: OwnAddresses
  readonly routes: RouteTable
  readonly reversePath: ReversePathFilter
  readonly options: Ipv4Options
  /** `null` for a host that is no router. */
  readonly forwarder: Forwarder | null
  readonly reassembler: Reassembler
  readonly icmp: Icmp
  readonly upper: Upper
  /** Only addresses of the nic of arrival are a destination (RFC 1122 section 3.3.4.2). */
  readonly strongHost: boolean
  /** Packets with source routes are not refused. */
  readonly sourceRoute: boolean
}

export class Receive4 {
  readonly #counters: Counters
  readonly #addresses: OwnAddresses
  readonly #routes: RouteTable
  readonly #reversePath: ReversePathFilter
  readonly #options: Ipv4Options
  readonly #forwarder: Forwarder | null
  readonly #reassembler: Reassembler
  readonly #icmp: Icmp
  readonly #upper: Upper
  readonly #strongHost: boolean
  readonly #takesSourceRoutes: boolean
  /** Of the packet at hand. */
  readonly #found = new ReceivedOptions()
  /**
   * Addresses and nic of the last packet that was admitted for this host. Nearly all packets have
   * those of the one before, so they need not be checked again.
   */
  #knownSource = 0
  #knownDestination = 0
  #knownNic: Nic | null = null
  /** For which state of the routes that holds: it changes with every address. */
  #knownGeneration = -1
  readonly #strangers: Strangers

  constructor(parts: Receive4Parts) {
    this.#counters = parts.counters
    this.#addresses = parts.addresses
    this.#routes = parts.routes
    this.#reversePath = parts.reversePath
    this.#options = parts.options
    this.#forwarder = parts.forwarder
    this.#reassembler = parts.reassembler
    this.#icmp = parts.icmp
    this.#upper = parts.upper
    this.#strongHost = parts.strongHost
    this.#takesSourceRoutes = parts.sourceRoute
    this.#strangers = new Strangers(parts.addresses, parts.routes)
  }

  /** The packet at `packet.start`, which came by the nic. */
  input(packet: Packet, nic: Nic): Drop {
    let drop = ipv4.parse(packet)
    if (drop !== Drop.None) return drop
    let local = true
    if (!this.#isKnown(packet, nic)) {
      drop = this.#admit(packet, nic)
      local = drop !== Drop.IpNotForUs
      if (local ? drop !== Drop.None : this.#forwarder === null) return drop
    }
    const options = packet.transport - packet.network > ipv4.HEADER ? this.#found : null
    if (options !== null) {
      drop = this.#options.receive(packet, options)
      if (options.sourceRoute !== 0) {
        // Refused in silence, whatever else is wrong: an answer would have to take the route back.
        if (!this.#takesSourceRoutes) return Drop.IpSourceRoute
        if (drop === Drop.None) drop = this.#followRoute(packet, nic, local, options)
        local = local && options.stopSlot === 0
      }
      if (drop !== Drop.None) {
        this.#icmp.sendProblem(packet, nic)
        return drop
      }
    }
    if (!local) return (this.#forwarder as Forwarder).forward(packet, nic, options)
    if (packet.moreFragments === 0 && packet.fragmentOffset === 0) return this.#deliver(packet, nic)
    const whole = this.#reassembler.add(packet)
    if (whole !== null) {
      const result = this.#deliver(whole, nic)
      if (result !== Drop.None) this.#counters.drop(result, whole)
    }
    return Drop.None
  }

  /** Whether the packet was admitted before: one with its addresses, by its nic. */
  #isKnown({ s3, d3, looped }: Packet, nic: Nic): boolean {
    return (
      s3 === this.#knownSource &&
      d3 === this.#knownDestination &&
      nic === this.#knownNic &&
      this.#knownGeneration === this.#routes.generation &&
      looped === 0
    )
  }

  /** Addresses that no packet may have here, and whether it is for us. */
  #admit(packet: Packet, nic: Nic): Drop {
    const { s3, d3 } = packet
    const addresses = this.#addresses
    if (packet.looped === 0) {
      if (this.#forwarder !== null && this.#strangers.has(s3) && this.#strangers.has(d3))
        return this.#reversePath.expects(packet, nic.index) ? Drop.IpNotForUs : Drop.IpReversePath
      // RFC 1122 section 3.2.1.3, RFC 6890; what Linux discards.
      if (addresses.isBroadcast4(s3) || s3 >>> 28 === 0xe || s3 >>> 24 === 127) return Drop.IpMartianSource
      if (s3 === 0 && !takesNobody(packet)) return Drop.IpMartianSource
      if (addresses.isLocal(0, 0, MAPPED, s3)) return Drop.IpMartianSource
      if (d3 >>> 24 === 0 || d3 >>> 24 === 127) return Drop.IpMartianDestination
      if (s3 !== 0 && !this.#reversePath.expects(packet, nic.index)) return Drop.IpReversePath
    }
    if (d3 >>> 28 === 0xe) {
      const drop = nic.admit(packet)
      if (drop === Drop.None) packet.cast = Cast.Multicast
      return drop
    }
    if (addresses.isBroadcast4(d3)) {
      packet.cast = Cast.Broadcast
      return Drop.None
    }
    if (!addresses.isLocal(0, 0, MAPPED, d3)) return Drop.IpNotForUs
    if (this.#strongHost && packet.looped === 0 && !nic.hasWords(0, 0, MAPPED, d3)) return Drop.IpNotForUs
    // The reverse path may go with the state of a nic.
    if (packet.looped === 0 && this.#reversePath.isOff) {
      this.#knownSource = s3
      this.#knownDestination = d3
      this.#knownNic = nic
      this.#knownGeneration = this.#routes.generation
    }
    return Drop.None
  }

  /**
   * Makes the next stop of a packet's source route, when this host is its present one, the
   * destination (RFC 791 section 3.1).
   */
  #followRoute(packet: Packet, nic: Nic, local: boolean, options: ReceivedOptions): Drop {
    // No stop is a group or a broadcast address (Linux).
    if (packet.cast !== Cast.Unicast) return Drop.IpSourceRoute
    if (!local) {
      if (!options.strict) return Drop.None
      // A strict route has no other stops than those it names.
      this.#icmp.sendError(packet, nic, ErrorReason.ErroneousField, ipv4.DESTINATION)
      return Drop.IpSourceRoute
    }
    const drop = this.#options.followRoute(packet, options)
    if (drop !== Drop.None) this.#icmp.sendError(packet, nic, ErrorReason.ErroneousField, options.sourceRoute + 2)
    if (drop !== Drop.None || options.stopSlot === 0) return drop
    return this.#forwarder === null || packet.d3 >>> 24 === 127 ? Drop.IpSourceRoute : Drop.None
  }

  #deliver(packet: Packet, nic: Nic): Drop {
    this.#counters.four.IpInDelivers++
    const taken = this.#upper.raw?.deliver(packet) === true
    switch (packet.protocol) {
      case UDP:
        return this.#upper.deliverUdp(packet, nic)
      case ICMPV4:
        return this.#icmp.input4(packet, nic)
      case IGMP:
        return nic.igmp(packet)
      default:
        return this.#upper.unknown(packet, nic, taken)
    }
  }
}

/** 224.0.0.0/24 (RFC 5771 section 4). */
const LOCAL_GROUPS = 0xe00000

/**
 * Whether an IPv4 packet from 0.0.0.0, which is nobody, may be for this host: one to
 * 255.255.255.255 or to a group of the link, and all of IGMP (Linux: ip_route_input_slow,
 * ip_mc_validate_source). Switches without an address query groups from 0.0.0.0 (RFC 4541 section
 * 2.1.1).
 */
function takesNobody({ d3, protocol }: Packet): boolean {
  return d3 === -1 || d3 >>> 8 === LOCAL_GROUPS || (d3 >>> 28 === 0xe && protocol === IGMP)
}
