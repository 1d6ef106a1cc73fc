/**
 * IP of one host: the wiring of its rooms, and the questions that others ask of it.
 *
 * A packet that comes in goes to `receive4.ts` or `receive6.ts`; one that goes out comes to
 * `output.ts`. Nothing on these ways allocates.
 */
import { type Address, isLinkLocal } from '../base/address.ts'
import type { Clock } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import { KeyedHash } from '../base/hash.ts'
import { Cast, type Packet } from '../base/packet.ts'
import { branch, type Random } from '../base/random.ts'
import type { Link } from '../link/link.ts'
import { OwnAddresses } from './addresses.ts'
import type { Counters } from './counters.ts'
import { Forwarder } from './forwarder.ts'
import { Identification, type IdentificationSource } from './fragments/identification.ts'
import { Reassembler } from './fragments/reassembler.ts'
import { DESTINATION_RATE, ErrorLimit, HOST_RATE, type Rate } from './icmp/error-limit.ts'
import { ErrorReason } from './icmp/error-reasons.ts'
import { Icmp } from './icmp/icmp.ts'
import type { RawErrorSink } from './icmp/icmp-error.ts'
import { Ipv4Options } from './ipv4-options.ts'
import { passesMerged } from './merged.ts'
import { NEIGHBOR_LIMITS, type NeighborLimits } from './nic/neighbor-limits.ts'
import { Nic, type NicSettings } from './nic/nic.ts'
import { WaitingPackets } from './nic/waiting-packets.ts'
import { OptionEntries } from './option-entries.ts'
import { Output } from './output.ts'
import { Receive4 } from './receive4.ts'
import { Receive6 } from './receive6.ts'
import { PathMtu } from './routing/path-mtu.ts'
import { Paths } from './routing/paths.ts'
import type { PmtuMode } from './routing/pmtu-mode.ts'
import { Redirector } from './routing/redirector.ts'
import { Redirects } from './routing/redirects.ts'
import { type ReversePath, ReversePathFilter } from './routing/reverse-path.ts'
import type { RouteNic } from './routing/route-nic.ts'
import { type Route, RouteTable } from './routing/route-table.ts'
import { selectSource } from './routing/source-selection.ts'
import { type RawSink, Upper, type UpperLayer } from './upper.ts'

export type { ReversePath, UpperLayer }

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
  identification?: IdentificationSource | undefined
  /** Packets with IPv4 source routes are not refused. */
  sourceRoute?: boolean | undefined
  /** Redirects are believed; never by a router. */
  acceptRedirects?: boolean | undefined
  /** A router sends them. */
  sendRedirects?: boolean | undefined
  neighborLimits?: NeighborLimits | undefined
}

/** RFC 1122 section 3.2.1.7 via RFC 1700; Linux: ip_default_ttl. */
const DEFAULT_HOP_LIMIT = 64

/**
 * The host as its rooms see it: their `NicHost`, `ForwardingHost` and `IcmpHost`. It has more than
 * 25 members because it answers for all of them; programs see five.
 */
export class IpLayer {
  /** @internal */
  readonly counters: Counters
  /** @internal Of all tables whose keys come from others. */
  readonly hash: KeyedHash
  /** @internal */
  readonly addresses: OwnAddresses
  /** @internal */
  readonly routes: RouteTable
  /** @internal */
  readonly pathMtu: PathMtu
  /** @internal The numbers of what this host sends. */
  readonly identification: Identification
  readonly icmp: Icmp
  /** @internal */
  readonly redirects: Redirects
  readonly hopLimit: number
  /** @internal */
  readonly acceptRedirects: boolean
  /** @internal */
  readonly neighborLimits: NeighborLimits
  /** @internal Packets of all nics that wait for their neighbors. */
  readonly waiting: WaitingPackets
  /**
   * IP_ROUTER_ALERT and IPV6_ROUTER_ALERT: is lent each packet with a Router Alert (RFC 2113 with
   * value 0, RFC 2711 with `value`) that this router would pass on, at
   * `packet.network … packet.networkEnd`, fragments as they are; `true` keeps it from going on.
   */
  onRouterAlert: ((packet: Packet, nic: Nic, value: number) => boolean) | null = null
  readonly #clock: Clock
  readonly #random: Random
  readonly #nics: (Nic | undefined)[] = [undefined]
  readonly #paths: Paths
  readonly #entries: OptionEntries
  readonly #output: Output
  readonly #forwarder: Forwarder | null
  readonly #reassembler4: Reassembler
  readonly #reassembler6: Reassembler
  readonly #upper: Upper
  readonly #receive4: Receive4
  readonly #receive6: Receive6

  /** @internal */
  constructor(clock: Clock, random: Random, counters: Counters, options: IpOptions) {
    const nics = this.#nics
    this.#clock = clock
    this.#random = random
    this.counters = counters
    this.hopLimit = options.hopLimit ?? DEFAULT_HOP_LIMIT
    const hash = new KeyedHash(branch(random, 'hash'))
    this.hash = hash
    this.neighborLimits = options.neighborLimits ?? NEIGHBOR_LIMITS
    this.waiting = new WaitingPackets(this.neighborLimits, counters)

    this.routes = new RouteTable(hash)
    const addresses = new OwnAddresses(nics, this.routes, hash)
    this.addresses = addresses
    this.pathMtu = new PathMtu(clock, hash)
    this.#paths = new Paths(nics, this.routes, this.pathMtu)
    this.acceptRedirects = options.acceptRedirects !== false && options.forwarding !== true
    this.redirects = new Redirects(this.routes, addresses, this.acceptRedirects, clock)

    this.#entries = new OptionEntries(nics, addresses, this.routes, clock)
    const ipOptions = new Ipv4Options(this.#entries)
    this.identification = new Identification(clock, branch(random, 'identification'), options.identification)
    this.#output = new Output({
      counters,
      nics,
      addresses,
      paths: this.#paths,
      pathMtu: this.pathMtu,
      options: ipOptions,
      identification: this.identification,
    })
    const { icmpRate = HOST_RATE, icmpDestinationRate = DESTINATION_RATE } = options
    const errorLimit = new ErrorLimit(clock, icmpRate, icmpDestinationRate, random, hash)
    const icmp = new Icmp(this, branch(random, 'icmp'), counters, errorLimit, ipOptions)
    this.icmp = icmp
    if (options.forwarding === true) {
      const redirector = options.sendRedirects === true ? new Redirector(this.routes, icmp, clock, random, hash) : null
      this.#forwarder = new Forwarder(this, counters, redirector)
    } else this.#forwarder = null

    const timedOut = (packet: Packet) => {
      const nic = nics[packet.nic]
      if (nic !== undefined) icmp.sendError(packet, nic, ErrorReason.ReassemblyTimeExceeded)
    }
    const memory = options.reassemblyMemory
    this.#reassembler4 = new Reassembler(4, clock, random, counters, { timedOut }, memory, hash)
    this.#reassembler6 = new Reassembler(6, clock, random, counters, { timedOut }, memory, hash)
    this.#upper = new Upper(icmp)
    const parts = {
      counters,
      addresses,
      reversePath: new ReversePathFilter(options.reversePath ?? 'off', this.routes),
      forwarder: this.#forwarder,
      icmp,
      upper: this.#upper,
      strongHost: options.strongHost === true,
    }
    this.#receive4 = new Receive4({
      ...parts,
      reassembler: this.#reassembler4,
      routes: this.routes,
      options: ipOptions,
      sourceRoute: options.sourceRoute === true,
    })
    this.#receive6 = new Receive6({ ...parts, reassembler: this.#reassembler6 })
  }

  /** @internal Wires the upper layer; called once. */
  attach(upper: UpperLayer): void {
    this.#upper.attach(upper)
  }

  /** @internal Raw endpoints, while there are any. */
  attachRaw(raw: (RawSink & RawErrorSink) | null): void {
    this.#upper.raw = raw
    this.icmp.rawErrorSink = raw
  }

  /** @internal */
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

  /** @internal */
  get nics(): Nic[] {
    return this.#nics.filter((nic) => nic !== undefined)
  }

  /** @internal */
  nicByIndex(index: number): Nic | undefined {
    return this.#nics[index]
  }

  /**
   * Makes a nic over a link; it takes no packets until the link is attached (by the stack).
   * @internal
   */
  addNic(link: Link, name: string, mtu: number, settings: NicSettings): Nic {
    const random = branch(this.#random, `nic ${name}`)
    const nic = new Nic(this, this.#nics.length, name, link, mtu, settings, this.#clock, random)
    this.#nics.push(nic)
    return nic
  }

  /** @internal */
  removeNic(nic: Nic): void {
    nic.close()
    for (const { address } of nic.addresses) nic.removeAddress(address)
    this.routes.removeNic(nic)
    this.#nics[nic.index] = undefined
    nic.isUp = false
  }

  // ── questions ──

  /** @internal See {@link OwnAddresses.isLocal}. */
  isLocal(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.addresses.isLocal(w0, w1, w2, w3)
  }

  /** @internal See {@link OwnAddresses.isLocalOn}. */
  isLocalOn(nic: RouteNic, packet: Packet): boolean {
    return this.addresses.isLocalOn(nic, packet)
  }

  /** @internal See {@link OwnAddresses.isAnycastOn}. */
  isAnycastOn(nic: RouteNic, packet: Packet): boolean {
    return this.addresses.isAnycastOn(nic, packet)
  }

  /** @internal The nic that has the address, or `undefined`. */
  nicOf(address: Address): Nic | undefined {
    return this.#nics[this.addresses.nicOf(address)]
  }

  /** @internal See {@link OwnAddresses.isBroadcast4}. */
  isBroadcast4(word: number): boolean {
    return this.addresses.isBroadcast4(word)
  }

  /** @internal See {@link OwnAddresses.isBroadcastOn}. */
  isBroadcastOn(nic: RouteNic, word: number): boolean {
    return this.addresses.isBroadcastOn(nic, word)
  }

  /** @internal See {@link OwnAddresses.isUnicast4}. */
  isUnicast4(word: number): boolean {
    return this.addresses.isUnicast4(word)
  }

  /** @internal The route to a destination: see {@link Paths.route}. */
  route(w0: number, w1: number, w2: number, w3: number, nic: number): Route | null {
    return this.#paths.route(w0, w1, w2, w3, nic)
  }

  /** @internal The source for a destination over a route: see `source-selection.ts`. */
  selectSource(
    route: Route,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    over: RouteNic = route.nic,
  ): Address | null {
    return selectSource(this.#nics, route, w0, w1, w2, w3, over)
  }

  /**
   * The MTU towards a destination over a route: the nic's, the route's and the path's least.
   * @internal
   */
  mtuTo(route: Route, w0: number, w1: number, w2: number, w3: number): number {
    return this.#paths.mtuTo(route, w0, w1, w2, w3)
  }

  /** @internal A too-big report that is believed: see {@link Paths.reportMtu}. */
  reportMtu(to: Address, mtu: number, length: number): number {
    return this.#paths.reportMtu(to, mtu, length)
  }

  /** @internal Milliseconds since midnight, Universal Time. */
  timeOfDay(): number {
    return this.#entries.timeOfDay()
  }

  /**
   * TTL or hop limit of what is sent over a nic without one of its own: for IPv6 what routers
   * advertise (RFC 4861 section 6.3.4).
   * @internal
   */
  hopLimitOver(nic: RouteNic, family: number): number {
    return family === 6 && nic.hopLimit6 !== 0 ? nic.hopLimit6 : this.hopLimit
  }

  // ── what happens on the links ──

  /** @internal */
  neighborLost(nic: RouteNic, address: Address): void {
    this.redirects.neighborLost(nic, address)
  }

  /**
   * Our own sockets hear it as they hear a router's error (Linux: dst_link_failure).
   * @internal
   */
  neighborUnreachable(packet: Packet, nic: RouteNic): void {
    packet.cast = Cast.Unicast
    const { s0, s1, s2, s3 } = packet
    const own = this.isLocal(s0, s1, s2, s3)
    // By which nic another host's packet came is not known any more: by the one that leads back,
    // most likely.
    const back = own || isLinkLocal(s0, s1, s2, s3) ? null : this.routes.lookup(s0, s1, s2, s3, 0)
    const from = own ? (this.#nics[1] as Nic) : (back?.nic ?? nic)
    this.icmp.sendError(packet, from, ErrorReason.HostUnreachable)
  }

  // ── up ──

  /** @internal Whether a merged packet from a nic, not parsed yet, is passed on as it is. */
  takesMerged(packet: Packet, nic: Nic): boolean {
    return this.#forwarder !== null && passesMerged(packet, nic, this.routes, this.addresses)
  }

  /** @internal A packet from a nic, link header gone. */
  input(packet: Packet, nic: Nic): void {
    const version = packet.end > packet.start ? packet.view.getUint8(packet.start) >>> 4 : 0
    let drop: Drop
    if (version === 4) {
      this.counters.four.IpInReceives++
      drop = this.#receive4.input(packet, nic)
    } else if (version === 6) {
      this.counters.six.IpInReceives++
      drop = this.#receive6.input(packet, nic)
    } else {
      packet.family = 0
      drop = Drop.IpVersion
    }
    if (drop !== Drop.None) this.counters.drop(drop, packet)
  }

  /** @internal */
  idle(): void {
    this.#upper.idle()
  }

  // ── down ──

  /** @internal Sends an upper-layer message over a route: see {@link Output.send}. */
  output(packet: Packet, route: Route, mode: PmtuMode, loop = false, options: Uint8Array | null = null): Drop {
    return this.#output.send(packet, route, mode, loop, options)
  }

  /** @internal Sends a packet with a header of a program's own: see {@link Output.sendWritten}. */
  outputWritten(packet: Packet, route: Route, loop: boolean): Drop {
    return this.#output.sendWritten(packet, route, loop)
  }

  /** @internal Sends a packet whose IP header is complete: see {@link Output.forward}. */
  transmit(packet: Packet, route: Route, mtu: number): Drop {
    return this.#output.forward(packet, route, mtu)
  }
}
