/**
 * IP of one host: what comes in is checked and goes up, what goes out gets its header and is
 * fragmented to the path's MTU.
 *
 * The path allocates nothing here.
 */
import { type Address, isLinkLocal, isLoopback, isMulticast, isUnspecified, MAPPED, Prefix } from '../base/address.ts'
import { AddressMap } from '../base/address-map.ts'
import type { Clock } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import { KeyedHash } from '../base/hash.ts'
import { Cast, ChecksumState, type Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'
import { completeChecksum } from '../link/checksum-offload.ts'
import type { Link } from '../link/link.ts'
import * as icmpv4 from '../wire/icmpv4.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import { FRAGMENT, ICMPV4, ICMPV6, IGMP, NO_NEXT_HEADER, TCP, UDP } from '../wire/protocol.ts'
import type { Counters } from './counters.ts'
import { Forwarder } from './forwarder.ts'
import { Fragmenter } from './fragments/fragmenter.ts'
import { Identification } from './fragments/identification.ts'
import { Reassembler } from './fragments/reassembler.ts'
import { isHostGroup } from './host-only.ts'
import { DESTINATION_RATE, ErrorLimit, HOST_RATE, type Rate } from './icmp/error-limit.ts'
import { Icmp } from './icmp/icmp.ts'
import { Ipv4Options, type OptionsHost } from './ipv4-options.ts'
import { NEIGHBOR_LIMITS, type NeighborLimits } from './nic/neighbor-limits.ts'
import { Nic, type NicAddress, type NicSettings } from './nic/nic.ts'
import { WaitingPackets } from './nic/waiting-packets.ts'
import { MIN_PMTU4, PathMtu } from './routing/path-mtu.ts'
import { PmtuMode } from './routing/pmtu-mode.ts'
import { Redirector } from './routing/redirector.ts'
import { Redirects } from './routing/redirects.ts'
import { type Route, RouteTable } from './routing/route-table.ts'

/**
 * An upper protocol. Its `input` says what became of the packet; `NoPort` and unknown protocols are
 * answered here.
 */
export interface UpperLayer {
  input(packet: Packet, nic: Nic): Drop
  idle(): void
}

export interface IpOptions {
  /** ICMP errors of the whole host; `null` for no limit. */
  icmpRate?: Rate | null | undefined
  /** ICMP errors to one destination; `null` for no limit. */
  icmpDestinationRate?: Rate | null | undefined
  /** TTL and hop limit of what is sent without one of its own. */
  hopLimit?: number | undefined
  /** Packets for others go on their way. */
  forwarding?: boolean | undefined
  /**
   * Only addresses of the nic by which a packet came are its destination (RFC 1122 section
   * 3.3.4.2).
   */
  strongHost?: boolean | undefined
  reversePath?: ReversePath | undefined
  /** Bytes that fragments of one family may wait in. */
  reassemblyMemory?: number | undefined
  /** Packets with IPv4 source routes are not refused. */
  sourceRoute?: boolean | undefined
  /** Redirects are believed; never by a router. */
  acceptRedirects?: boolean | undefined
  /** A router sends them. */
  sendRedirects?: boolean | undefined
  neighborLimits?: NeighborLimits | undefined
}

/**
 * RFC 3704: `loose` discards a packet whose source no route leads to, `strict` one whose source is
 * reached by another nic than it came by (Linux: rp_filter).
 */
export type ReversePath = 'off' | 'loose' | 'strict'

/** RFC 1122 section 3.2.1.7 via RFC 1700; Linux: ip_default_ttl. */
const DEFAULT_HOP_LIMIT = 64

const MULTICAST6 = Prefix.parse('ff00::/8')
const LIMITED_BROADCAST = Prefix.parse('255.255.255.255/32')

interface OwnAddress {
  readonly address: Address
  readonly nic: Nic
  readonly anycast: boolean
}

export class IpLayer implements OptionsHost {
  readonly counters: Counters
  /** Of all tables whose keys come from others. */
  readonly hash: KeyedHash
  readonly routes: RouteTable
  readonly pathMtu: PathMtu
  readonly icmp: Icmp
  readonly redirects: Redirects
  readonly hopLimit: number
  readonly acceptRedirects: boolean
  readonly neighborLimits: NeighborLimits
  /** Packets of all nics that wait for their neighbors. */
  readonly waiting: WaitingPackets
  readonly #clock: Clock
  readonly #random: Random
  readonly #identification: Identification
  readonly #options: Ipv4Options
  readonly #forwarder: Forwarder | null
  readonly #strongHost: boolean
  readonly #reversePath: ReversePath
  readonly #sourceRoute: boolean
  readonly #nics: (Nic | undefined)[] = [undefined]
  /** Own addresses and the nics that have them. An anycast one is a destination only. */
  readonly #local: AddressMap<OwnAddress[]>
  /** Directed broadcast addresses, by word: their nics, once for each address that brings one. */
  readonly #broadcasts = new Map<number, Nic[]>()
  readonly #reassembler4: Reassembler
  readonly #reassembler6: Reassembler
  readonly #fragmenter = new Fragmenter()
  #upper: UpperLayer | null = null
  /**
   * IP_ROUTER_ALERT and IPV6_ROUTER_ALERT: is lent what this router would pass on and that has a
   * Router Alert (RFC 2113 with value 0, RFC 2711 with `value`), at
   * `packet.network … packet.networkEnd`, fragments as they are; `true` keeps it from going on its
   * way.
   */
  onRouterAlert: ((packet: Packet, nic: Nic, value: number) => boolean) | null = null

  /** What the fragmenter's sink needs, set just before; a closure per packet would allocate. */
  #outNic: Nic | null = null
  #n0 = 0
  #n1 = 0
  #n2 = 0
  #n3 = 0
  /**
   * The addresses and the nic of the last IPv4 packet that was one for this host, which nearly all
   * packets after it have too, …
   */
  #knownSource = 0
  #knownDestination = 0
  #knownNic: Nic | null = null
  /** … and the state of the routes for which that holds: they change with every address. */
  #knownGeneration = -1
  readonly #sendFragment = (fragment: Packet): Drop => {
    if (fragment.family === 4) this.counters.IpFragCreates++
    else this.counters.Ip6FragCreates++
    return (this.#outNic as Nic).output(fragment, this.#n0, this.#n1, this.#n2, this.#n3)
  }

  constructor(clock: Clock, random: Random, counters: Counters, options: IpOptions) {
    this.counters = counters
    this.hopLimit = options.hopLimit ?? DEFAULT_HOP_LIMIT
    this.hash = new KeyedHash(random)
    this.routes = new RouteTable(this.hash)
    this.#local = new AddressMap(this.hash)
    this.pathMtu = new PathMtu(clock, this.hash)
    this.redirects = new Redirects(this, clock)
    this.neighborLimits = options.neighborLimits ?? NEIGHBOR_LIMITS
    this.waiting = new WaitingPackets(this.neighborLimits, counters)
    this.acceptRedirects = options.acceptRedirects !== false && options.forwarding !== true
    const { icmpRate = HOST_RATE, icmpDestinationRate = DESTINATION_RATE } = options
    this.#clock = clock
    this.#random = random
    this.#identification = new Identification(clock, random)
    this.#options = new Ipv4Options(this)
    this.icmp = new Icmp(
      this,
      random,
      counters,
      new ErrorLimit(clock, icmpRate, icmpDestinationRate, random, this.hash),
      this.#options,
    )
    if (options.forwarding === true) {
      const redirector = options.sendRedirects === true ? new Redirector(this, clock, random) : null
      this.#forwarder = new Forwarder(this, counters, this.#options, redirector)
    } else this.#forwarder = null
    this.#strongHost = options.strongHost === true
    this.#reversePath = options.reversePath ?? 'off'
    this.#sourceRoute = options.sourceRoute === true
    const timedOut = (packet: Packet) => {
      const nic = this.#nics[packet.nic]
      if (nic !== undefined) this.icmp.sendError(packet, nic, packet.family === 4 ? 11 : 3, 1, 0)
    }
    const memory = options.reassemblyMemory
    this.#reassembler4 = new Reassembler(4, clock, random, counters, { timedOut }, memory, this.hash)
    this.#reassembler6 = new Reassembler(6, clock, random, counters, { timedOut }, memory, this.hash)
  }

  /** Wires the upper layer; called once. */
  attach(upper: UpperLayer): void {
    this.#upper = upper
  }

  close(): void {
    this.#reassembler4.close()
    this.#reassembler6.close()
    this.redirects.close()
    for (const nic of this.nics) {
      nic.close()
      nic.link.close()
    }
  }

  // ── configuration ──

  /** Whether this host forwards packets for others. */
  get isRouter(): boolean {
    return this.#forwarder !== null
  }

  get nics(): Nic[] {
    return this.#nics.filter((nic) => nic !== undefined)
  }

  nicByIndex(index: number): Nic | undefined {
    return this.#nics[index]
  }

  /** Makes a nic over a link; it takes no packets until the link is attached (by the stack). */
  addNic(link: Link, name: string, mtu: number, settings: NicSettings): Nic {
    const nic = new Nic(this, this.#nics.length, name, link, mtu, settings, this.#clock, this.#random)
    this.#nics.push(nic)
    return nic
  }

  removeNic(nic: Nic): void {
    nic.close()
    for (const { address } of nic.addresses) nic.removeAddress(address)
    this.routes.removeNic(nic)
    this.#nics[nic.index] = undefined
    nic.isUp = false
  }

  /** Called by the nic: the routes that come with an address, as Linux's kernel adds them. */
  addressAdded(nic: Nic, { address, prefix }: NicAddress): void {
    this.#addLocal({ address, nic, anycast: false })
    const loopback = this.#nics[1] as Nic
    const add = (to: Prefix, over: Nic, kind: Route['kind'], source: Address | null, metric: number) =>
      this.routes.add({ prefix: to, nic: over, gateway: null, metric, source, mtu: 0, kind })
    add(new Prefix(address, address.family === 4 ? 32 : 128), loopback, 'local', address, 0)
    if (nic.isLoopback) {
      // Linux: the whole of 127.0.0.0/8 is local.
      if (prefix.length < (address.family === 4 ? 32 : 128)) add(prefix, nic, 'local', address, 0)
    } else {
      // Linux: kernel routes have metric 0 in IPv4 and 256 in IPv6.
      add(prefix, nic, 'unicast', address.family === 4 ? address : null, address.family === 4 ? 0 : 256)
    }
    if (prefix.broadcast !== null) {
      add(new Prefix(prefix.broadcast, 32), nic, 'broadcast', address, 0)
      const { w3 } = prefix.broadcast
      this.#broadcasts.set(w3, [...(this.#broadcasts.get(w3) ?? []), nic])
    }
    if (nic.isLoopback) return
    if (
      address.family === 6 &&
      !this.routes.list().some((route) => route.nic === nic && route.prefix.equals(MULTICAST6))
    )
      add(MULTICAST6, nic, 'multicast', null, 256)
  }

  addressRemoved(nic: Nic, { address, prefix }: NicAddress): void {
    this.#removeLocal({ address, nic, anycast: false })
    const host = new Prefix(address, address.family === 4 ? 32 : 128)
    const broadcast = prefix.broadcast
    for (const route of this.routes.list()) {
      const own = route.kind === 'local' && route.prefix.equals(host) && route.source?.equals(address)
      const connected = route.nic === nic && route.gateway === null && route.prefix.equals(prefix)
      const stillUsed = nic.addresses.some((each) => each.prefix.equals(prefix))
      const cast =
        broadcast !== null && route.kind === 'broadcast' && route.nic === nic && route.prefix.address.equals(broadcast)
      if (own || ((connected || cast) && !stillUsed)) this.routes.remove(route)
    }
    if (broadcast !== null) {
      const nics = [...(this.#broadcasts.get(broadcast.w3) ?? [])]
      nics.splice(nics.indexOf(nic), 1)
      if (nics.length > 0) this.#broadcasts.set(broadcast.w3, nics)
      else this.#broadcasts.delete(broadcast.w3)
    }
  }

  /**
   * Called by a router's nic: packets to the address are for this host too (Linux: a route of type
   * anycast in the local table).
   */
  anycastAdded(nic: Nic, address: Address): void {
    this.#addLocal({ address, nic, anycast: true })
    const loopback = this.#nics[1] as Nic
    this.routes.add({
      prefix: new Prefix(address, 128),
      nic: loopback,
      gateway: null,
      metric: 0,
      source: null,
      mtu: 0,
      kind: 'anycast',
    })
  }

  anycastRemoved(nic: Nic, address: Address): void {
    this.#removeLocal({ address, nic, anycast: true })
    const route = this.routes.list().find(({ kind, prefix }) => kind === 'anycast' && prefix.address.equals(address))
    if (route !== undefined) this.routes.remove(route)
  }

  #addLocal(own: OwnAddress): void {
    const { w0, w1, w2, w3 } = own.address
    const known = this.#local.get(w0, w1, w2, w3)
    if (known === undefined) this.#local.set(w0, w1, w2, w3, [own])
    else known.push(own)
  }

  #removeLocal({ address, nic, anycast }: OwnAddress): void {
    const { w0, w1, w2, w3 } = address
    const rest = (this.#local.get(w0, w1, w2, w3) ?? []).filter(
      (each) => !(each.nic === nic && each.anycast === anycast && each.address.equals(address)),
    )
    if (rest.length > 0) this.#local.set(w0, w1, w2, w3, rest)
    else this.#local.delete(w0, w1, w2, w3)
  }

  // ── questions ──

  /**
   * Whether the address is one of this host's; an anycast address, which is no source, does not
   * count.
   */
  isLocal(w0: number, w1: number, w2: number, w3: number): boolean {
    const hosts = this.#local.get(w0, w1, w2, w3)
    if (hosts !== undefined)
      for (const { address, anycast } of hosts) if (!anycast && address.is(w0, w1, w2, w3)) return true
    return (
      w2 === MAPPED && w0 === 0 && w1 === 0 && w3 >>> 24 === 127 && this.#nics[1]?.isUp === true && this.#hasLoopback4()
    )
  }

  /** Whether packets to the IPv6 address are for this host. */
  #isDestination6(w0: number, w1: number, w2: number, w3: number): boolean {
    const hosts = this.#local.get(w0, w1, w2, w3)
    if (hosts !== undefined) for (const { address } of hosts) if (address.is(w0, w1, w2, w3)) return true
    return false
  }

  #hasLoopback4(): boolean {
    return (this.#nics[1] as Nic).addresses.some(({ address }) => address.family === 4)
  }

  /**
   * Whether a packet that came by the nic is for an address of this host: a link-local one is its
   * link's (RFC 4007 section 6).
   */
  isLocalOn(nic: Nic, packet: Packet): boolean {
    const { d0, d1, d2, d3, looped } = packet
    return this.isLocal(d0, d1, d2, d3) && (looped === 1 || d0 >>> 22 !== 0x3fa || nic.hasWords(d0, d1, d2, d3))
  }

  /**
   * Whether a packet that came by the nic is for an anycast address of this host: a link-local one
   * is its link's, too.
   */
  isAnycastOn(nic: Nic, { d0, d1, d2, d3 }: Packet): boolean {
    const hosts = this.#local.get(d0, d1, d2, d3)
    if (hosts === undefined) return false
    const linkLocal = isLinkLocal(d0, d1, d2, d3)
    return hosts.some((each) => each.anycast && each.address.is(d0, d1, d2, d3) && (!linkLocal || each.nic === nic))
  }

  /** The nic that has the address, or `undefined`. */
  nicOf(address: Address): Nic | undefined {
    const { w0, w1, w2, w3 } = address
    const hosts = this.#local.get(w0, w1, w2, w3)
    const found = hosts?.find((each) => !each.anycast && each.address.equals(address))
    if (found !== undefined) return found.nic
    return this.isLocal(w0, w1, w2, w3) ? this.#nics[1] : undefined
  }

  /** Whether an IPv4 word is the limited or a directed broadcast address of ours. */
  isBroadcast4(word: number): boolean {
    return word === -1 || this.#broadcasts.has(word)
  }

  /**
   * Whether an IPv4 word is the limited broadcast address or, on this nic's link, a directed one.
   */
  isBroadcastOn(nic: Nic, word: number): boolean {
    return word === -1 || this.#broadcasts.get(word)?.includes(nic) === true
  }

  /**
   * Whether an IPv4 word can be one host's address (RFC 1122 section 3.2.2: "does not define a
   * single host").
   */
  isUnicast4(word: number): boolean {
    return word >>> 28 < 0xe && !this.isBroadcast4(word) && word >>> 24 !== 0
  }

  /**
   * The source address for a destination over a route. IPv4: the route's own, else the nic's first
   * whose prefix holds the next hop, else its first, else any nic's (Linux: inet_select_addr).
   * IPv6: RFC 6724 section 5 as far as it distinguishes here: same address, scope, not deprecated,
   * outgoing nic (`over`), label, longest common prefix.
   */
  selectSource(route: Route, w0: number, w1: number, w2: number, w3: number, over = route.nic): Address | null {
    if (w2 === MAPPED && w0 === 0 && w1 === 0) {
      // 127.0.0.0/8 is answered from, and reached from, 127.0.0.1 alone.
      if (route.source !== null) return route.source
      const hop = route.gateway
      let first: Address | null = null
      for (const { address, prefix } of route.nic.addresses) {
        if (address.family !== 4) continue
        if (hop === null ? prefix.containsWords(w0, w1, w2, w3) : prefix.contains(hop)) return address
        first ??= address
      }
      if (first !== null) return first
      for (const nic of this.nics)
        for (const { address } of nic.addresses)
          if (address.family === 4 && !nic.isLoopback && !address.isLinkLocal) return address
      return null
    }
    if (route.source !== null) return route.source
    let best: Address | null = null
    let bestScore = -1
    const wanted = scope6(w0, w1, w2, w3)
    const wantedLabel = label6(w0, w1, w2)
    for (const nic of this.#nics) {
      if (nic === undefined || !nic.isUp) continue
      const outgoing = nic === over
      for (const { address, prefix, deprecated, temporary } of nic.addresses) {
        if (address.family !== 6) continue
        // Link-local addresses, and all for link-local and multicast destinations, come from the
        // outgoing nic (RFC 6724 section 4).
        if (!outgoing && (address.isLinkLocal || wanted <= LINK_LOCAL_SCOPE || w0 >>> 24 === 0xff)) continue
        const scope = scope6(address.w0, address.w1, address.w2, address.w3)
        // Rule 2: the smallest scope that is large enough; without one, the largest.
        const scopeScore = scope >= wanted ? 32 - (scope - wanted) : scope
        const sameLabel = label6(address.w0, address.w1, address.w2) === wantedLabel
        // Rule 8 counts no bits of the interface identifier.
        const common = Math.min(commonPrefix(address, w0, w1, w2, w3), prefix.length)
        // Rules 3 (not a deprecated one), 5 (the outgoing nic's), 6 (of the same label), 7 (a
        // temporary one) and 8.
        const better = (deprecated ? 0 : 8) + (outgoing ? 4 : 0) + (sameLabel ? 2 : 0) + (temporary ? 1 : 0)
        const score = (scopeScore << 12) + (better << 8) + common
        if (score > bestScore) {
          bestScore = score
          best = address
        }
      }
    }
    return best
  }

  /**
   * TTL or hop limit of what is sent over a nic without one of its own: for IPv6 what routers
   * advertise (RFC 4861 section 6.3.4).
   */
  hopLimitOver(nic: Nic, family: number): number {
    return family === 6 && nic.hopLimit6 !== 0 ? nic.hopLimit6 : this.hopLimit
  }

  /** The MTU towards a destination over a route: the nic's, the route's and the path's least. */
  mtuTo(route: Route, w0: number, w1: number, w2: number, w3: number): number {
    let mtu = route.nic.mtuOf(w2 === MAPPED && w0 === 0 && w1 === 0 ? 4 : 6)
    if (route.mtu !== 0 && route.mtu < mtu) mtu = route.mtu
    const known = this.pathMtu.lookup(w0, w1, w2, w3)
    return known !== 0 && known < mtu ? known : mtu
  }

  /**
   * Believes a too-big report about a quoted packet that this host sent to `to`. @returns the path
   * MTU now in force, or 0
   */
  reportMtu(quote: Packet, to: Address, mtu: number): number {
    const { view, network } = quote
    const { w0, w1, w2, w3 } = to
    const length =
      quote.family === 4 ? ipv4.totalLength(view, network) : ipv6.payloadLength(view, network) + ipv6.HEADER
    const route = this.routes.lookup(w0, w1, w2, w3, 0)
    return route === null ? 0 : this.pathMtu.report(w0, w1, w2, w3, mtu, length, this.mtuTo(route, w0, w1, w2, w3))
  }

  // ── up ──

  /** A packet from a nic, link header gone. */
  input(packet: Packet, nic: Nic): void {
    const version = packet.end > packet.start ? packet.view.getUint8(packet.start) >>> 4 : 0
    let drop: Drop
    if (version === 4) {
      this.counters.IpInReceives++
      drop = this.#input4(packet, nic)
    } else if (version === 6) {
      this.counters.Ip6InReceives++
      drop = this.#input6(packet, nic)
    } else {
      packet.family = 0
      drop = Drop.IpVersion
    }
    if (drop !== Drop.None) this.counters.drop(drop, packet)
  }

  idle(): void {
    this.#upper?.idle()
  }

  #input4(packet: Packet, nic: Nic): Drop {
    let drop = ipv4.parse(packet)
    if (drop !== Drop.None) return drop
    const { s3, d3 } = packet
    let local = true
    if (
      s3 !== this.#knownSource ||
      d3 !== this.#knownDestination ||
      nic !== this.#knownNic ||
      this.#knownGeneration !== this.routes.generation ||
      packet.looped !== 0
    ) {
      drop = this.#admit4(packet, nic)
      local = drop !== Drop.IpNotForUs
      if (local ? drop !== Drop.None : this.#forwarder === null) return drop
    }
    if (packet.transport - packet.network > ipv4.HEADER) {
      drop = this.#options.receive(packet)
      if (this.#options.sourceRoute !== 0) {
        // Refused in silence, whatever else is wrong: an answer would have to take the route back.
        if (!this.#sourceRoute) return Drop.IpSourceRoute
        if (drop === Drop.None) drop = this.#followRoute(packet, nic, local)
        local = local && this.#options.stopSlot === 0
      }
      if (drop !== Drop.None) {
        this.icmp.sendProblem(packet, nic)
        return drop
      }
    }
    if (!local) return (this.#forwarder as Forwarder).forward(packet, nic)
    if (packet.moreFragments === 0 && packet.fragmentOffset === 0) return this.#deliver4(packet, nic)
    const whole = this.#reassembler4.add(packet)
    if (whole !== null) {
      const result = this.#deliver4(whole, nic)
      if (result !== Drop.None) this.counters.drop(result, whole)
    }
    return Drop.None
  }

  /**
   * Makes the next stop of a packet's source route, when this host is its present one, the
   * destination (RFC 791 section 3.1).
   */
  #followRoute(packet: Packet, nic: Nic, local: boolean): Drop {
    // No stop is a group or a broadcast address (Linux).
    if (packet.cast !== Cast.Unicast) return Drop.IpSourceRoute
    if (!local) {
      if (!this.#options.strict) return Drop.None
      // A strict route has no other stops than those it names.
      this.icmp.sendError(packet, nic, icmpv4.PARAMETER_PROBLEM, 0, ipv4.DESTINATION << 24)
      return Drop.IpSourceRoute
    }
    const drop = this.#options.followRoute(packet)
    if (drop !== Drop.None)
      this.icmp.sendError(packet, nic, icmpv4.PARAMETER_PROBLEM, 0, (this.#options.sourceRoute + 2) << 24)
    if (drop !== Drop.None || this.#options.stopSlot === 0) return drop
    return this.#forwarder === null || packet.d3 >>> 24 === 127 ? Drop.IpSourceRoute : Drop.None
  }

  /** RFC 3704: whether the source is reached at all (loose), and by this nic (strict). */
  #isExpected(packet: Packet, nic: Nic): boolean {
    const { s0, s1, s2, s3 } = packet
    if (isLinkLocal(s0, s1, s2, s3)) return true
    const route = this.routes.lookup(s0, s1, s2, s3, 0)
    if (route === null || route.kind !== 'unicast') return false
    return (
      this.#reversePath === 'loose' ||
      this.routes.lookup(s0, s1, s2, s3, nic.index)?.prefix.length === route.prefix.length
    )
  }

  #deliver4(packet: Packet, nic: Nic): Drop {
    this.counters.IpInDelivers++
    switch (packet.protocol) {
      case UDP:
        return this.#deliverUdp(packet, nic)
      case ICMPV4:
        return this.icmp.input4(packet, nic)
      case IGMP:
        return nic.igmp(packet)
      default:
        this.icmp.sendUnreachable(packet, nic, 'protocol')
        return Drop.IpUnknownProtocol
    }
  }

  #deliverUdp(packet: Packet, nic: Nic): Drop {
    const { network } = packet
    const drop = (this.#upper as UpperLayer).input(packet, nic)
    if (drop === Drop.UdpNoPort) {
      // The upper layer narrowed the packet to the payload: an error quotes all of the datagram,
      // but, as Linux, not what is behind it.
      packet.start = network
      packet.networkEnd = packet.end
      this.icmp.sendUnreachable(packet, nic, 'port')
    }
    return drop
  }

  #input6(packet: Packet, nic: Nic): Drop {
    let drop = ipv6.parse(packet)
    if (drop !== Drop.None && packet.problem < 0) return drop
    const admitted = this.#admit6(packet, nic)
    // The hop-by-hop header is every node's business, a router's too.
    const forward = admitted === Drop.IpNotForUs && this.#forwarder !== null
    if (admitted !== Drop.None && !forward) return admitted
    if (drop === Drop.None) {
      if (forward) return (this.#forwarder as Forwarder).forward(packet, nic)
      drop = ipv6.walk(packet)
    }
    if (drop !== Drop.None) {
      this.icmp.sendProblem(packet, nic)
      return drop
    }
    if (packet.fragmentHeader === 0) return this.#deliver6(packet, nic)
    if (packet.fragmentOffset === 0) {
      drop = this.#checkHeaderChain(packet)
      if (drop !== Drop.None) {
        this.icmp.sendProblem(packet, nic)
        return drop
      }
      // RFC 6946: an atomic fragment is a packet by itself.
      if (packet.moreFragments === 0) return this.#deliverWalked(packet, nic)
    }
    const whole = this.#reassembler6.add(packet)
    if (whole === null) this.icmp.sendProblem(packet, nic)
    else {
      const result = this.#deliverWalked(whole, nic)
      if (result !== Drop.None) this.counters.drop(result, whole)
    }
    return Drop.None
  }

  /** Addresses that no packet may have here, and whether it is for us. */
  #admit4(packet: Packet, nic: Nic): Drop {
    const { s3, d3 } = packet
    if (packet.looped === 0) {
      // RFC 1122 section 3.2.1.3, RFC 6890; what Linux discards.
      if (this.isBroadcast4(s3) || s3 >>> 28 === 0xe || s3 >>> 24 === 127) return Drop.IpMartianSource
      if (s3 === 0 && !takesNobody(packet)) return Drop.IpMartianSource
      if (this.isLocal(0, 0, MAPPED, s3)) return Drop.IpMartianSource
      if (d3 >>> 24 === 0 || d3 >>> 24 === 127) return Drop.IpMartianDestination
      if (this.#reversePath !== 'off' && s3 !== 0 && !this.#isExpected(packet, nic)) return Drop.IpReversePath
    }
    if (d3 >>> 28 === 0xe) {
      const drop = nic.admit(packet)
      if (drop === Drop.None) packet.cast = Cast.Multicast
      return drop
    }
    if (this.isBroadcast4(d3)) {
      packet.cast = Cast.Broadcast
      return Drop.None
    }
    if (!this.isLocal(0, 0, MAPPED, d3)) return Drop.IpNotForUs
    if (this.#strongHost && packet.looped === 0 && !nic.hasWords(0, 0, MAPPED, d3)) return Drop.IpNotForUs
    // The reverse path may go with the state of a nic.
    if (packet.looped === 0 && this.#reversePath === 'off') {
      this.#knownSource = s3
      this.#knownDestination = d3
      this.#knownNic = nic
      this.#knownGeneration = this.routes.generation
    }
    return Drop.None
  }

  /** Addresses that no packet may have here, and whether it is for us. */
  #admit6(packet: Packet, nic: Nic): Drop {
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
    // RFC 4291 section 2.7: a group is never a source. Mapped addresses never leave a host.
    if (s0 >>> 24 === 0xff || (s0 === 0 && s1 === 0 && s2 === MAPPED)) return Drop.IpMartianSource
    if ((d0 === 0 && d1 === 0 && d2 === MAPPED) || isUnspecified(d0, d1, d2, d3)) return Drop.IpMartianDestination
    if (packet.looped === 0) {
      if (isLoopback(s0, s1, s2, s3)) return Drop.IpMartianSource
      if (isLoopback(d0, d1, d2, d3)) return Drop.IpMartianDestination
      if (this.#reversePath !== 'off' && !isUnspecified(s0, s1, s2, s3) && !this.#isExpected(packet, nic))
        return Drop.IpReversePath
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
    if (!this.#isDestination6(d0, d1, d2, d3)) return Drop.IpNotForUs
    // A link-local address is one of its link's (RFC 4007 section 6), in every host model.
    const own =
      packet.looped === 1 ||
      !(this.#strongHost || d0 >>> 22 === 0x3fa) ||
      nic.hasWords(d0, d1, d2, d3) ||
      nic.isAnycast(d0, d1, d2, d3)
    return own ? Drop.None : Drop.IpNotForUs
  }

  /**
   * RFC 7112: a first fragment holds every header up to the upper layer's; Linux asks for its fixed
   * part (UDP, ICMPv6, TCP).
   */
  #checkHeaderChain(packet: Packet): Drop {
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

  /** Goes on behind a fragment header. */
  #deliverWalked(packet: Packet, nic: Nic): Drop {
    packet.fragmentOffset = 0
    packet.moreFragments = 0
    const drop = ipv6.walk(packet)
    if (drop !== Drop.None) {
      this.icmp.sendProblem(packet, nic)
      return drop
    }
    return this.#deliver6(packet, nic)
  }

  #deliver6(packet: Packet, nic: Nic): Drop {
    this.counters.Ip6InDelivers++
    switch (packet.protocol) {
      case UDP:
        return this.#deliverUdp(packet, nic)
      case ICMPV6:
        return this.icmp.input6(packet, nic)
      default:
        this.icmp.sendUnreachable(packet, nic, 'protocol')
        return Drop.IpUnknownProtocol
    }
  }

  // ── down ──

  /**
   * Sends the upper-layer message at `packet.start` with the packet's addresses, protocol, hop
   * limit and TOS over a route.
   *
   * With `loop`, a multicast or broadcast packet also comes back to this host as if it had arrived
   * by the same nic; with hop limit 0 it does not leave at all.
   *
   * `options` are IPv4 options, a multiple of 4 bytes, whose route and timestamp this host's entry
   * is added to.
   *
   * @returns what went wrong, for the caller to count; `Drop.IpDontFragment` when it is longer than
   *   the path and `mode` forbids fragments
   */
  output(packet: Packet, route: Route, mode: PmtuMode, loop = false, options: Uint8Array | null = null): Drop {
    const four = packet.family === 4
    const header = four ? ipv4.HEADER + (options === null ? 0 : options.length) : ipv6.HEADER
    const length = packet.end - packet.start + header
    const mtu =
      mode === PmtuMode.Probe
        ? route.nic.mtuOf(packet.family)
        : this.mtuTo(route, packet.d0, packet.d1, packet.d2, packet.d3)
    if (length > mtu && mode >= PmtuMode.Do) return Drop.IpDontFragment
    this.#chooseNextHop(packet, route)
    const nic = route.nic
    packet.moreFragments = 0
    packet.fragmentOffset = 0
    packet.looped = 0
    packet.nic = 0
    if (four) {
      this.counters.IpOutRequests++
      const { d0, d1, d2, d3 } = packet
      const free =
        mode === PmtuMode.Dont || (mode === PmtuMode.Want && mtu <= MIN_PMTU4 && this.pathMtu.isLocked(d0, d1, d2, d3))
      packet.dontFragment = !free && length <= mtu ? 1 : 0
      // RFC 6864 section 4.1: an atomic datagram needs no identification (a socket's are numbered
      // where that saves frames); any other one must not be predictable.
      if (packet.dontFragment === 0) packet.identification = this.#identification.next(packet) & 0xffff
      else if (!nic.numbered || packet.protocol !== UDP) packet.identification = 0
      packet.start -= header
      if (options !== null) {
        packet.bytes.set(options, packet.start + ipv4.HEADER)
        this.#options.recordAll(packet, packet.start + ipv4.HEADER, packet.start + header)
      }
      ipv4.encode(packet, packet.start, header)
      if (loop) this.#loopBack(packet, nic)
      if (packet.hopLimit === 0) return Drop.None
      if (length <= mtu) return nic.output(packet, this.#n0, this.#n1, this.#n2, this.#n3)
      if (options === null && this.#sentLong(packet, nic, mtu)) return Drop.None
      this.#outNic = nic
      this.counters.IpFragOKs++
      return this.#fragmenter.fragment4(packet, mtu, this.#sendFragment)
    }
    this.counters.Ip6OutRequests++
    packet.start -= ipv6.HEADER
    ipv6.encode(packet, packet.start, packet.protocol)
    if (loop) this.#loopBack(packet, nic)
    if (packet.hopLimit === 0 || (isHostGroup(packet.d0) && !nic.isLoopback)) return Drop.None
    if (length <= mtu) return nic.output(packet, this.#n0, this.#n1, this.#n2, this.#n3)
    if (this.#sentLong(packet, nic, mtu)) return Drop.None
    this.#outNic = nic
    this.counters.Ip6FragOKs++
    return this.#fragmenter.fragment6(
      packet,
      mtu,
      this.#identification.next(packet),
      0,
      ipv6.NEXT_HEADER,
      this.#sendFragment,
    )
  }

  /**
   * Whether the device took a datagram to fragment it itself; else its checksum is complete now.
   */
  #sentLong(packet: Packet, nic: Nic, mtu: number): boolean {
    if (packet.checksumState !== ChecksumState.Partial) return false
    if (nic.transmitLong(packet, mtu)) return true
    completeChecksum(packet)
    return false
  }

  /**
   * Sends a packet whose IP header is complete, as a router does: IPv4 is fragmented when it is
   * longer than `mtu`. Whoever called counts a drop.
   */
  transmit(packet: Packet, route: Route, mtu: number): Drop {
    const { nic } = route
    this.#chooseNextHop(packet, route)
    packet.nic = 0
    if (packet.family === 6 || packet.end - packet.start <= mtu)
      return nic.output(packet, this.#n0, this.#n1, this.#n2, this.#n3)
    this.#outNic = nic
    this.counters.IpFragOKs++
    return this.#fragmenter.fragment4(packet, mtu, this.#sendFragment)
  }

  // ── what IPv4 options record ──

  recordedAddress(packet: Packet): number {
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
    if (packet.cast === Cast.Unicast && this.isLocal(d0, d1, d2, d3)) return d3
    const route = this.routes.lookup(s0, s1, s2, s3, 0)
    return route === null ? 0 : (this.selectSource(route, s0, s1, s2, s3)?.w3 ?? 0)
  }

  isPrespecified(word: number): boolean {
    return this.isLocal(0, 0, MAPPED, word) || this.isBroadcast4(word) || word === 0 || word >>> 28 === 0xe
  }

  isOwnStop(word: number): boolean {
    return word >>> 24 !== 127 && this.isLocal(0, 0, MAPPED, word)
  }

  timeOfDay(): number {
    return Math.floor(this.#clock.wallTime()) % 86_400_000
  }

  #loopBack(packet: Packet, nic: Nic): void {
    if (nic.isLoopback) return
    packet.nic = nic.index
    const drop = (this.#nics[1] as Nic).link.send(packet)
    if (drop !== Drop.None) this.counters.drop(drop, packet)
    packet.nic = 0
  }

  /**
   * RFC 1112 section 6.4, RFC 1122 section 3.3.6: a group or a broadcast address is on the link,
   * whatever the route says.
   */
  #chooseNextHop(packet: Packet, { gateway, nic }: Route): void {
    const { d0, d1, d2, d3 } = packet
    if (gateway === null || isMulticast(d0, d1, d2, d3) || (packet.family === 4 && this.isBroadcastOn(nic, d3))) {
      this.#n0 = d0
      this.#n1 = d1
      this.#n2 = d2
      this.#n3 = d3
      return
    }
    this.#n0 = gateway.w0
    this.#n1 = gateway.w1
    this.#n2 = gateway.w2
    this.#n3 = gateway.w3
  }

  /**
   * The route to a destination; groups and 255.255.255.255 without one of their own take the
   * default route, as in Linux.
   */
  route(w0: number, w1: number, w2: number, w3: number, nic: number): Route | null {
    const found = this.routes.lookup(w0, w1, w2, w3, nic)
    if (nic === 0 || !(isMulticast(w0, w1, w2, w3) || isLimitedBroadcast(w0, w1, w2, w3))) return found
    // A group or 255.255.255.255 that is pinned to a nic is on its link, with or without a route.
    const over = this.#nics[nic]
    if (over === undefined || !over.isUp) return null
    return routeOnLink(over, w2 === MAPPED ? 4 : 6, found)
  }
}

/**
 * A route for groups and 255.255.255.255 over a nic; of one that was found for them alone the MTU
 * counts. No source: IPv4 takes the nic's first address, not the one that goes with a gateway
 * (Linux: ip_route_output_key, which looks for routes of groups in 224.0.0.0/4 and below).
 */
function routeOnLink(nic: Nic, family: 4 | 6, found: Route | null): Route {
  const own = found !== null && found.prefix.length >= (family === 4 ? 4 : 8) ? found : null
  if (own !== null && own.gateway === null && own.source === null) return own
  const prefix = own?.prefix ?? (family === 4 ? LIMITED_BROADCAST : MULTICAST6)
  return { prefix, nic, gateway: null, metric: 0, source: null, mtu: own?.mtu ?? 0, kind: 'multicast' }
}

function isLimitedBroadcast(w0: number, w1: number, w2: number, w3: number): boolean {
  return w3 === -1 && w2 === MAPPED && w0 === 0 && w1 === 0
}

/** 224.0.0.0/24 (RFC 5771 section 4). */
const LOCAL_GROUPS = 0xe00000
const LINK_LOCAL_SCOPE = 2
const GLOBAL_SCOPE = 14

/**
 * Whether an IPv4 packet from 0.0.0.0, which is nobody, may be for this host: one to
 * 255.255.255.255 or to a group of the link, and all of IGMP (Linux: ip_route_input_slow,
 * ip_mc_validate_source). Switches without an address query groups from 0.0.0.0 (RFC 4541 section
 * 2.1.1).
 */
function takesNobody({ d3, protocol }: Packet): boolean {
  return d3 === -1 || d3 >>> 8 === LOCAL_GROUPS || (d3 >>> 28 === 0xe && protocol === IGMP)
}

/** RFC 6724 section 3.1, RFC 4291 section 2.7. */
function scope6(w0: number, w1: number, w2: number, w3: number): number {
  if (w0 >>> 24 === 0xff) return (w0 >>> 16) & 15
  if (w0 >>> 22 === 0x3fa || isLoopback(w0, w1, w2, w3)) return LINK_LOCAL_SCOPE
  return GLOBAL_SCOPE
}

/**
 * RFC 6724 section 2.1: addresses of one kind of connectivity. (::1 and mapped addresses never come
 * here.)
 */
function label6(w0: number, w1: number, w2: number): number {
  if (w0 >>> 16 === 0x2002) return 2
  if (w0 === 0x20010000) return 5
  if (w0 >>> 25 === 0xfc >>> 1) return 13
  if (w0 >>> 22 === 0xfec0 >>> 6) return 11
  if (w0 >>> 16 === 0x3ffe) return 12
  return w0 === 0 && w1 === 0 && w2 === 0 ? 3 : 1
}

/** Leading bits that two addresses share, 0 to 128. */
function commonPrefix(a: Address, w0: number, w1: number, w2: number, w3: number): number {
  if (a.w0 !== w0) return Math.clz32(a.w0 ^ w0)
  if (a.w1 !== w1) return 32 + Math.clz32(a.w1 ^ w1)
  if (a.w2 !== w2) return 64 + Math.clz32(a.w2 ^ w2)
  return 96 + Math.clz32(a.w3 ^ w3)
}
