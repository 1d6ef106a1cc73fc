/**
 * A router's work on packets for others: RFC 1812 section 5.2 and 5.3, RFC 8200 section 3, RFC 4007
 * section 9. Order and answers are Linux's (ip_forward, ip6_forward). Groups are never forwarded.
 */
import { type Address, isLinkLocal, isLoopback, isUnspecified, MAPPED } from '../base/address.ts'
import { update } from '../base/checksum.ts'
import { Drop } from '../base/drop.ts'
import { Cast, ChecksumState, type Packet } from '../base/packet.ts'
import { completeChecksum } from '../link/checksum-offload.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import type { Counters } from './counters.ts'
import { ErrorReason } from './icmp/error-reasons.ts'
import type { Icmp } from './icmp/icmp.ts'
import type { Nic } from './nic/nic.ts'
import type { ReceivedOptions } from './received-options.ts'
import type { Redirector } from './routing/redirector.ts'
import { RememberedRoutes } from './routing/remembered-routes.ts'
import type { Route, RouteTable } from './routing/route-table.ts'

/** What a forwarder asks of its host. */
export interface ForwardingHost {
  readonly routes: RouteTable
  readonly icmp: Icmp
  /** Is shown packets with a Router Alert; `true` keeps one from going on its way. */
  readonly onRouterAlert: ((packet: Packet, nic: Nic, value: number) => boolean) | null
  selectSource(route: Route, w0: number, w1: number, w2: number, w3: number): Address | null
  /** Sends a packet whose IP header is complete. */
  transmit(packet: Packet, route: Route, mtu: number): Drop
}

export class Forwarder {
  readonly #host: ForwardingHost
  readonly #counters: Counters
  readonly #redirector: Redirector | null
  readonly #remembered: RememberedRoutes

  /** Without a redirector it sends no redirects. */
  constructor(host: ForwardingHost, counters: Counters, redirector: Redirector | null) {
    this.#host = host
    this.#counters = counters
    this.#redirector = redirector
    this.#remembered = new RememberedRoutes(host.routes)
  }

  /**
   * Takes a packet, parsed, whose destination is no address of this host, and what its IPv4 options
   * are.
   */
  forward(packet: Packet, nic: Nic, options: ReceivedOptions | null): Drop {
    // RFC 1812 section 5.3.4: what came by a link-level broadcast is not for others.
    if (packet.cast !== Cast.Unicast) return Drop.IpLinkBroadcast
    if (packet.looped === 1) return Drop.IpNotForUs
    if (this.#host.onRouterAlert !== null) {
      const alert = routerAlert(packet, options)
      if (alert >= 0 && this.#host.onRouterAlert(packet, nic, alert)) return Drop.None
    }
    const six = packet.family === 6
    const { s0, s1, s2, s3, d0, d1, d2, d3, view, network } = packet
    if (isUnspecified(s0, s1, s2, s3) || isLoopback(s0, s1, s2, s3)) return Drop.IpMartianSource
    // RFC 6890: 240.0.0.0/4 and the rest of 0.0.0.0/8 go nowhere.
    if (!six && (s3 >>> 28 === 15 || s3 >>> 24 === 0)) return Drop.IpMartianSource
    if (!six && (d3 >>> 28 === 15 || d3 >>> 24 === 0)) return Drop.IpMartianDestination
    if (six && d0 === 0 && d1 === 0 && d2 === MAPPED) return Drop.IpMartianDestination
    const linkLocal = isLinkLocal(d0, d1, d2, d3)
    const route =
      six && linkLocal ? this.#host.routes.lookup(d0, d1, d2, d3, nic.index) : this.#remembered.lookup(d0, d1, d2, d3)
    if (route === null || route.kind !== 'unicast') return this.#noRoute(packet, nic, route)
    if (packet.hopLimit <= 1) {
      this.#host.icmp.sendError(packet, nic, ErrorReason.HopLimitExceeded)
      return Drop.IpHopLimitExceeded
    }
    // RFC 3927 section 7: whatever the TTL says.
    if (!six && (linkLocal || isLinkLocal(s0, s1, s2, s3))) return Drop.IpBeyondScope
    // RFC 4007 section 9: a packet may go back to the link that its addresses belong to.
    if (six && route.nic !== nic && isLinkLocal(s0, s1, s2, s3)) {
      this.#host.icmp.sendError(packet, nic, ErrorReason.BeyondScope)
      return Drop.IpBeyondScope
    }
    if (options?.leavesStrictRoute(route) === true) {
      this.#host.icmp.sendError(packet, nic, ErrorReason.SourceRouteFailed)
      return Drop.IpSourceRoute
    }
    const wide = route.nic.mtuOf(packet.family)
    const mtu = route.mtu !== 0 && route.mtu < wide ? route.mtu : wide
    const merged = packet.segmentLength > 0
    const tooLong = (merged ? packet.segmentLength : packet.networkEnd - network) > mtu
    if (tooLong && packet.dontFragment === 1) {
      this.#host.icmp.sendError(packet, nic, ErrorReason.TooBig, mtu)
      return Drop.IpDontFragment
    }
    packet.start = network
    packet.end = packet.networkEnd
    // Left out between a kernel and this router; the next wire may be one where it has to be there.
    if (packet.checksumState === ChecksumState.Partial && !merged && (tooLong || !route.nic.link.offload.checksum))
      completeChecksum(packet)
    packet.hopLimit--
    const redirector = route.nic === nic ? this.#redirector : null
    if (six) {
      // The quote is what was received, as Linux has it; in IPv4 it is what is sent.
      redirector?.consider(packet, nic, route)
      view.setUint8(network + ipv6.HOP_LIMIT, packet.hopLimit)
      this.#counters.six.IpForwDatagrams++
    } else {
      this.#counters.four.IpForwDatagrams++
      if (options !== null) this.#recordRoute(packet, route, options)
      this.#decrement4(view, network)
      if (redirector !== null && (options === null || options.sourceRoute === 0))
        redirector.consider(packet, nic, route)
    }
    return this.#host.transmit(packet, route, mtu)
  }

  /** RFC 1624 equation 3 over the word of TTL and protocol. */
  #decrement4(view: DataView, at: number): void {
    const before = view.getUint16(at + ipv4.TTL)
    const after = before - 0x100
    view.setUint16(at + ipv4.TTL, after)
    view.setUint16(at + ipv4.HEADER_CHECKSUM, update(view.getUint16(at + ipv4.HEADER_CHECKSUM), before, after))
  }

  #recordRoute(packet: Packet, route: Route, options: ReceivedOptions): void {
    const own = this.#host.selectSource(route, packet.d0, packet.d1, packet.d2, packet.d3)
    options.forward(packet, own === null ? 0 : own.w3)
    ipv4.rewriteChecksum(packet.view, packet.network)
  }

  #noRoute(packet: Packet, nic: Nic, route: Route | null): Drop {
    if (route?.kind === 'blackhole') return Drop.IpNoRoute
    this.#host.icmp.sendError(packet, nic, noRouteReason(packet.family, route))
    return Drop.IpNoRoute
  }
}

/** The value of the packet's Router Alert, or -1. */
function routerAlert(packet: Packet, options: ReceivedOptions | null): number {
  if (packet.family === 6) return ipv6.routerAlert(packet.view, packet.network)
  return options?.routerAlert === true ? 0 : -1
}

/** Linux: ICMP tells a missing route from one that leads nowhere, ICMPv6 does not. */
function noRouteReason(family: number, route: Route | null): ErrorReason {
  if (route?.kind === 'prohibit') return ErrorReason.Prohibited
  return route === null || family === 6 ? ErrorReason.NoRoute : ErrorReason.HostUnreachable
}
