/**
 * IP on the way down: the next hop, the header, and fragments where the packet is longer than the
 * path's MTU.
 */
import { isMulticast } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import { ChecksumState, type Packet } from '../base/packet.ts'
import { completeChecksum } from '../link/checksum-offload.ts'
import { longestPart } from '../link/segmenter.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import { UDP } from '../wire/protocol.ts'
import type { OwnAddresses } from './addresses.ts'
import type { Counters } from './counters.ts'
import { Fragmenter } from './fragments/fragmenter.ts'
import type { Identification } from './fragments/identification.ts'
import { isHostGroup } from './host-only.ts'
import type { Ipv4Options } from './ipv4-options.ts'
import { MIN_PMTU4, type PathMtu } from './routing/path-mtu.ts'
import type { Paths } from './routing/paths.ts'
import { PmtuMode } from './routing/pmtu-mode.ts'
import type { NicList, RouteNic } from './routing/route-nic.ts'
import type { Route } from './routing/route-table.ts'

export interface OutputParts {
  readonly counters: Counters
  readonly nics: NicList
  readonly addresses: OwnAddresses
  readonly paths: Paths
  readonly pathMtu: PathMtu
  readonly options: Ipv4Options
  readonly identification: Identification
}

export class Output {
  readonly #counters: Counters
  readonly #nics: NicList
  readonly #addresses: OwnAddresses
  readonly #paths: Paths
  readonly #pathMtu: PathMtu
  readonly #options: Ipv4Options
  readonly #identification: Identification
  readonly #fragmenter = new Fragmenter()
  readonly #sendFragment = (fragment: Packet, nic: RouteNic): Drop => {
    this.#counters.of(fragment.family).IpFragCreates++
    return nic.output(fragment)
  }

  constructor({ counters, nics, addresses, paths, pathMtu, options, identification }: OutputParts) {
    this.#counters = counters
    this.#nics = nics
    this.#addresses = addresses
    this.#paths = paths
    this.#pathMtu = pathMtu
    this.#options = options
    this.#identification = identification
  }

  /**
   * Sends the upper-layer message at `packet.start` with the packet's addresses, protocol, hop
   * limit and TOS over a route.
   *
   * With `loop`, a multicast or broadcast packet also comes back to this host as if it had arrived
   * by the same nic; with hop limit 0 it does not leave at all.
   *
   * `options` are IPv4 options, a multiple of 4 bytes, to whose route and timestamp this host's
   * entry is added.
   *
   * @returns what went wrong, for the caller to count; `Drop.IpDontFragment` when it is longer than
   *   the path and `mode` forbids fragments
   */
  send(packet: Packet, route: Route, mode: PmtuMode, loop: boolean, options: Uint8Array | null): Drop {
    const { nic } = route
    const four = packet.family === 4
    const header = four ? ipv4.HEADER + (options === null ? 0 : options.length) : ipv6.HEADER
    const length = packet.end - packet.start + header
    const mtu =
      mode === PmtuMode.Probe
        ? nic.mtuOf(packet.family)
        : this.#paths.mtuTo(route, packet.d0, packet.d1, packet.d2, packet.d3)
    if (length > mtu && mode >= PmtuMode.Do) return Drop.IpDontFragment
    this.#chooseNextHop(packet, route)
    packet.moreFragments = 0
    packet.fragmentOffset = 0
    packet.looped = 0
    packet.nic = 0
    return four
      ? this.#send4(packet, nic, length, mtu, mode, loop, options)
      : this.#send6(packet, nic, length, mtu, loop)
  }

  #send4(
    packet: Packet,
    nic: RouteNic,
    length: number,
    mtu: number,
    mode: PmtuMode,
    loop: boolean,
    options: Uint8Array | null,
  ): Drop {
    this.#counters.four.IpOutRequests++
    const { d0, d1, d2, d3 } = packet
    const free =
      mode === PmtuMode.Dont || (mode === PmtuMode.Want && mtu <= MIN_PMTU4 && this.#pathMtu.isLocked(d0, d1, d2, d3))
    packet.dontFragment = !free && length <= mtu ? 1 : 0
    // RFC 6864 section 4.1: an atomic datagram needs no identification (a socket's are numbered
    // where that saves frames); any other one must not be predictable.
    if (packet.dontFragment === 0) packet.identification = this.#identification.next(packet) & 0xffff
    else if (!nic.numbered || packet.protocol !== UDP) packet.identification = 0
    const header = ipv4.HEADER + (options === null ? 0 : options.length)
    packet.start -= header
    if (options !== null) {
      packet.bytes.set(options, packet.start + ipv4.HEADER)
      this.#options.recordAll(packet, packet.start + ipv4.HEADER, packet.start + header)
    }
    ipv4.encode(packet, packet.start, header)
    if (loop) this.#loopBack(packet, nic)
    if (packet.hopLimit === 0) return Drop.None
    if (length <= mtu) return nic.output(packet)
    if (options === null && sentLong(packet, nic, mtu)) return Drop.None
    this.#counters.four.IpFragOKs++
    return this.#fragmenter.fragment4(packet, mtu, nic, this.#sendFragment)
  }

  #send6(packet: Packet, nic: RouteNic, length: number, mtu: number, loop: boolean): Drop {
    this.#counters.six.IpOutRequests++
    packet.start -= ipv6.HEADER
    ipv6.encode(packet, packet.start, packet.protocol)
    if (loop) this.#loopBack(packet, nic)
    if (packet.hopLimit === 0 || (isHostGroup(packet.d0) && !nic.isLoopback)) return Drop.None
    if (length <= mtu) return nic.output(packet)
    if (sentLong(packet, nic, mtu)) return Drop.None
    this.#counters.six.IpFragOKs++
    const identification = this.#identification.next(packet)
    return this.#fragmenter.fragment6(packet, mtu, identification, 0, ipv6.NEXT_HEADER, nic, this.#sendFragment)
  }

  /**
   * Sends a packet whose IP header is complete, as a router does: IPv4 is fragmented when it is
   * longer than `mtu`. The caller counts a drop.
   */
  forward(packet: Packet, route: Route, mtu: number): Drop {
    this.#chooseNextHop(packet, route)
    packet.nic = 0
    if (packet.family === 6 || longestPart(packet) <= mtu) return route.nic.output(packet)
    this.#counters.four.IpFragOKs++
    return this.#fragmenter.fragment4(packet, mtu, route.nic, this.#sendFragment)
  }

  /**
   * Sends a packet whose IP header a program has written, whatever it says, to the packet's
   * destination over a route: IPv4's length, identification, source and checksum are filled in
   * (Linux: raw_send_hdrinc). The packet fits the nic. `loop` is that of {@link send}.
   */
  sendWritten(packet: Packet, route: Route, loop: boolean): Drop {
    const { nic } = route
    this.#counters.of(packet.family).IpOutRequests++
    this.#chooseNextHop(packet, route)
    packet.looped = 0
    packet.nic = 0
    if (packet.family === 4) {
      if (packet.identification === 0 && packet.dontFragment === 0)
        packet.identification = this.#identification.next(packet) & 0xffff
      ipv4.complete(packet, packet.start)
    }
    if (loop) this.#loopBack(packet, nic)
    return nic.output(packet)
  }

  /** A copy of a multicast or broadcast packet goes to this host's own sockets. */
  #loopBack(packet: Packet, nic: RouteNic): void {
    if (nic.isLoopback) return
    packet.nic = nic.index
    const drop = (this.#nics[1] as RouteNic).link.send(packet)
    if (drop !== Drop.None) this.#counters.drop(drop, packet)
    packet.nic = 0
  }

  /**
   * RFC 1112 section 6.4, RFC 1122 section 3.3.6: a group or a broadcast address is on the link,
   * whatever the route says.
   */
  #chooseNextHop(packet: Packet, { gateway, nic }: Route): void {
    const { d0, d1, d2, d3 } = packet
    if (
      gateway === null ||
      isMulticast(d0, d1, d2, d3) ||
      (packet.family === 4 && this.#addresses.isBroadcastOn(nic, d3))
    ) {
      packet.n0 = d0
      packet.n1 = d1
      packet.n2 = d2
      packet.n3 = d3
      return
    }
    packet.n0 = gateway.w0
    packet.n1 = gateway.w1
    packet.n2 = gateway.w2
    packet.n3 = gateway.w3
  }
}

/**
 * Whether the device took a datagram to fragment it itself; else its checksum is complete now.
 */
function sentLong(packet: Packet, nic: RouteNic, mtu: number): boolean {
  if (packet.checksumState !== ChecksumState.Partial) return false
  if (nic.transmitLong(packet, mtu)) return true
  completeChecksum(packet)
  return false
}
