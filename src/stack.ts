/**
 * One host: layers wired together, its clock, its randomness, its counters. Two stacks share
 * nothing but a wire.
 *
 * This module and all below it use no Node module. `stack.dgram`, the socket API, is added by
 * `socket-api/dgram/dgram.ts`.
 */
import { Address, type Cidr, type Family, Prefix, parseCidr } from './base/address.ts'
import { type Clock, SystemClock } from './base/clock.ts'
import { type Random, SystemRandom } from './base/random.ts'
import { isWithin } from './base/range.ts'
import { Counters, type DropCount, type DropListener } from './ip/counters.ts'
import { HOST_RANGES } from './ip/host-ranges.ts'
import { HOST_RATE } from './ip/icmp/error-limit.ts'
import { IpLayer } from './ip/ip-layer.ts'
import type { AddressGeneration } from './ip/nd/interface-identifier.ts'
import type { NeighborRow, Nic } from './ip/nic/nic.ts'
import type { Route } from './ip/routing/route-table.ts'
import type { Link } from './link/link.ts'
import { Loopback } from './link/loopback.ts'
import type { RawEndpoint } from './raw/raw-endpoint.ts'
import { RawLayer } from './raw/raw-layer.ts'
import type { RawOptions } from './raw/raw-options.ts'
import { type Netstat, netstat } from './stack/netstat.ts'
import {
  checkGeneration,
  destinationRate,
  type NicOptions,
  type RouteOptions,
  readIdentification,
  readNeighborLimits,
  readSecret,
  type StackOptions,
} from './stack/options.ts'
import { UdpLayer } from './udp/udp-layer.ts'

export type { Netstat, NicRow, SocketRow } from './stack/netstat.ts'
export type { NicOptions, RouteOptions, StackOptions } from './stack/options.ts'

const LOOPBACK_ADDRESSES = ['127.0.0.1/8', '::1/128'].map(parseCidr)

/** What a packet to a destination would get, as `ip route get` shows it. */
export interface Path {
  readonly route: Route
  /** The source address; `null` when the nic has none of the family. */
  readonly source: Address | null
  /** Bytes: the least of the nic's MTU, the route's, and what is known of the path. */
  readonly mtu: number
}

/**
 * A host. It has more than 25 members because it is the whole of a public interface; what needs no
 * state of its own is in `stack/`.
 */
export class Stack {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  /** The MIB counters under Linux's names, and the drops. */
  readonly counters = new Counters()
  /** ICMP echo clients and Router Alert. */
  readonly ip: IpLayer
  /** UDP below the sockets: endpoints. */
  readonly udp: UdpLayer
  /** The loopback nic, `lo`, with 127.0.0.1/8 and ::1/128. */
  readonly loopback: Nic
  /** Host names this stack resolves by itself, as /etc/hosts would: name to addresses. */
  readonly hosts: Map<string, readonly string[]>
  /**
   * Told when a link fails. `fatal` is false when it may come back (its interface was taken down):
   * meanwhile routes over it do not count. Without a listener a fatal failure is thrown as an
   * uncaught exception, and another one shows in what `send` says, in the drops and in `netstat`.
   */
  onLinkFailure: ((nic: Nic, error: Error, fatal: boolean) => void) | null = null
  /**
   * Called before an endpoint is made and before a nic is looked up: a stack may complete itself
   * with its first use.
   * @internal
   */
  beforeUse: (() => void) | null = null
  /** @internal Whether its nics look for duplicates of their addresses. */
  readonly dad: boolean
  readonly #addressGeneration: AddressGeneration
  readonly #temporaryAddresses: boolean
  readonly #atClose: (() => void)[] = []
  /** Made with the first raw endpoint. */
  #raw: RawLayer | null = null
  #closed = false

  /** @throws {RangeError} for a rate, hop limit or limit of neighbors out of range */
  constructor(options: StackOptions = {}) {
    const { icmpRateLimit, icmpRateLimitPerDestination, hopLimit } = options
    if (typeof icmpRateLimit === 'number' && !isWithin(icmpRateLimit, HOST_RANGES.icmpRateLimit))
      throw new RangeError(
        `icmpRateLimit ${icmpRateLimit} is out of range: errors per second from 0, or false for no limit.`,
      )
    const perDestination = HOST_RANGES.icmpRateLimitPerDestination
    if (typeof icmpRateLimitPerDestination === 'number' && !isWithin(icmpRateLimitPerDestination, perDestination))
      throw new RangeError(
        `icmpRateLimitPerDestination ${icmpRateLimitPerDestination} is out of range: errors per second ` +
          'above 0, or false for no limit.',
      )
    if (hopLimit !== undefined && !isWithin(hopLimit, HOST_RANGES.hopLimit))
      throw new RangeError(`hopLimit ${hopLimit} is out of range: 1 to 255.`)
    this.name = options.name ?? 'host'
    this.dad = options.dad ?? true
    this.#addressGeneration = options.addressGeneration ?? 'eui64'
    this.#temporaryAddresses = options.temporaryAddresses ?? false
    checkGeneration(this.#addressGeneration)
    this.clock = options.clock ?? new SystemClock()
    this.random = options.random ?? new SystemRandom()
    this.hosts = options.hosts ?? new Map()
    this.ip = new IpLayer(this.clock, this.random, this.counters, {
      icmpRate: icmpRateLimit === false ? null : { ...HOST_RATE, perSecond: icmpRateLimit ?? HOST_RATE.perSecond },
      icmpDestinationRate: destinationRate(icmpRateLimit, icmpRateLimitPerDestination),
      forwarding: options.forwarding,
      strongHost: options.strongHost,
      reversePath: options.reversePath,
      reassemblyMemory: options.reassemblyMemory,
      identification: readIdentification(options.identification),
      sourceRoute: options.sourceRoute,
      acceptRedirects: options.acceptRedirects,
      sendRedirects: options.sendRedirects,
      neighborLimits: readNeighborLimits(options.neighborLimits),
      hopLimit,
    })
    this.udp = new UdpLayer(this.ip, this.clock, this.random, this.counters, () => this.beforeUse?.())
    this.ip.attach(this.udp)
    this.ip.icmp.errorSink = this.udp
    this.loopback = this.addNumberedNic(new Loopback(this.clock), {}, LOOPBACK_ADDRESSES)
  }

  // ── configuration ──

  get nics(): readonly Nic[] {
    return this.ip.nics
  }

  /** The nic with a name or an index, or `undefined`. */
  nic(which: string | number): Nic | undefined {
    this.beforeUse?.()
    return typeof which === 'number' ? this.ip.nicByIndex(which) : this.#nicByName(which)
  }

  /**
   * Adds a link with addresses and attaches to it.
   * @throws {TypeError} for a malformed address, secret or way to make addresses
   * @throws {RangeError} for an MTU out of range, or an IPv6 address with an MTU below 1280
   * @throws {Error} when the name is taken, or the link has a receiver already
   */
  addNic(link: Link, options: NicOptions = {}): Nic {
    return this.addNumberedNic(link, options, (options.addresses ?? []).map(parseCidr))
  }

  /**
   * {@link addNic} with addresses that were read already, in place of those of the options.
   * @internal
   */
  addNumberedNic(link: Link, options: NicOptions, addresses: readonly Cidr[]): Nic {
    const name = options.name ?? link.name
    if (this.#nicByName(name) !== undefined)
      throw new Error(`The stack has a nic named ${name} already: give another name.`)
    const { addressGeneration = this.#addressGeneration, temporaryAddresses = this.#temporaryAddresses } = options
    checkGeneration(addressGeneration)
    const stableSecret = readSecret(options.stableSecret)
    const { dad = this.dad, conflictDetection = false, linkLocal = true, acceptRouterAdvertisements = true } = options
    const nic = this.ip.addNic(link, name, link.mtu, {
      dad,
      conflictDetection,
      linkLocal,
      acceptRouterAdvertisements,
      addressGeneration,
      stableSecret,
      temporaryAddresses,
    })
    try {
      if (options.mtu !== undefined) nic.mtu = options.mtu
      for (const cidr of addresses) nic.addCidr(cidr)
      nic.onFailure = (error, fatal) => this.#linkFailed(nic, error, fatal)
      link.attach(nic)
      nic.start()
    } catch (error) {
      this.ip.removeNic(nic)
      throw error
    }
    return nic
  }

  #nicByName(name: string): Nic | undefined {
    return this.ip.nics.find((nic) => nic.name === name)
  }

  /** Takes a nic with its addresses and routes away and closes its link. */
  removeNic(nic: Nic): void {
    this.ip.removeNic(nic)
    nic.link.close()
  }

  /**
   * Adds a route.
   * @throws {TypeError} for malformed text; @throws {Error} when no nic leads to the gateway, or
   *   the nic does not exist
   */
  addRoute(options: RouteOptions): readonly Route[] {
    const gateway = options.via === undefined ? null : Address.parse(options.via)
    const source = options.source === undefined ? null : Address.parse(options.source)
    const nic = this.#routeNic(options, gateway)
    const both: Family[] = gateway === null ? [4, 6] : [gateway.family]
    const prefixes =
      options.to === 'default'
        ? both.map((family) => new Prefix(family === 4 ? Address.ANY4 : Address.ANY6, 0))
        : [Prefix.parse(options.to)]
    const { metric = 0, mtu = 0, kind = 'unicast' } = options
    const routes = prefixes.map((prefix): Route => {
      if (gateway !== null && gateway.family !== prefix.family)
        throw new TypeError(`The gateway ${gateway} and the destination ${prefix} are of different families.`)
      return { prefix, nic, gateway, metric, source, mtu, kind }
    })
    for (const route of routes) this.ip.routes.add(route)
    return routes
  }

  /** Removes a route that `addRoute` or `routes` gave; `false` when it is gone already. */
  removeRoute(route: Route): boolean {
    return this.ip.routes.remove(route)
  }

  /** All routes, those of own addresses included, as `ip route show table all` lists them. */
  get routes(): readonly Route[] {
    return this.ip.routes.list()
  }

  /**
   * The route to a destination, over one nic if it is named, with the source address and the MTU;
   * `null` when no route leads there.
   * @throws {TypeError} for a malformed address
   * @throws {Error} when there is no such nic
   */
  pathTo(destination: string, nic?: string): Path | null {
    const { w0, w1, w2, w3 } = Address.parse(destination)
    this.beforeUse?.()
    const route = this.ip.route(w0, w1, w2, w3, nic === undefined ? 0 : this.#named(nic).index)
    if (route === null) return null
    return {
      route,
      source: this.ip.selectSource(route, w0, w1, w2, w3),
      mtu: this.ip.mtuTo(route, w0, w1, w2, w3),
    }
  }

  // ── raw IP ──

  /**
   * Opens a raw endpoint, for a transport of the program's own: it gets a copy of each packet of
   * its family and protocol for this host, reassembled, whoever else takes it; while it is open no
   * Protocol Unreachable answers them. Linux: `socket(AF_INET, SOCK_RAW, protocol)`, raw(7). The
   * endpoint of a closed stack is closed.
   * @throws {TypeError} for options that do not go together
   * @throws {RangeError} for a protocol or checksum offset out of range
   */
  openRaw(options: RawOptions): RawEndpoint {
    this.beforeUse?.()
    this.#raw ??= new RawLayer(this.ip, this.random, this.counters)
    const endpoint = this.#raw.open(options)
    // Nothing will arrive: iterations end, as those of endpoints that were open.
    if (this.#closed) endpoint.close()
    return endpoint
  }

  // ── neighbors ──

  /** The hosts known on Ethernet links, of both families, as `ip neigh` shows them. */
  get neighbors(): NeighborRow[] {
    return this.nics.flatMap((nic) => nic.neighbors)
  }

  /**
   * Sets the hardware address of a host on an Ethernet link for good: it is never asked for. `nic`
   * is the name of a nic.
   * @throws {TypeError} for a malformed address
   * @throws {Error} when there is no such nic, or its link has no hardware addresses
   */
  addNeighbor(nic: string, address: string, hardwareAddress: string): void {
    this.#named(nic).addNeighbor(Address.parse(address), hardwareAddress)
  }

  /**
   * Forgets what is known of a host on a link; `false` when nothing was. @throws {Error} when there
   * is no such nic
   */
  removeNeighbor(nic: string, address: string): boolean {
    return this.#named(nic).removeNeighbor(Address.parse(address))
  }

  // ── looking in ──

  /** Discarded packets by reason, those counted at least once. */
  get drops(): DropCount[] {
    return this.counters.drops
  }

  /** Names the one listener for discarded packets, or none; it is lent each packet for the call. */
  onDrop(listener: DropListener | null): void {
    this.counters.onDrop(listener)
  }

  /** Nics, routes, sockets, counters and drops at this moment. */
  netstat(): Netstat {
    return netstat(this.nics, this.ip.routes.list(), this.udp.ports.all(), this.counters)
  }

  /**
   * Closes all links and forgets all timers. Sockets that are open find the network down, and keep
   * the process alive no longer. Safe to call twice.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.ip.close()
    this.#raw?.close()
    for (const callback of this.#atClose) callback()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** @internal */
  atClose(callback: () => void): void {
    this.#atClose.push(callback)
  }

  #routeNic(options: RouteOptions, gateway: Address | null): Nic {
    if (options.nic !== undefined) return this.#named(options.nic)
    if (gateway === null) {
      if (options.kind !== undefined && options.kind !== 'unicast') return this.loopback
      throw new Error(`The route to ${options.to} needs a gateway (via) or a nic.`)
    }
    const route = this.ip.routes.lookup(gateway.w0, gateway.w1, gateway.w2, gateway.w3, 0)
    if (route === null || route.gateway !== null)
      throw new Error(
        `The gateway ${gateway} is on no link of this stack: add an address of its network to a nic ` +
          'first, or name the nic.',
      )
    return this.ip.nicByIndex(route.nic.index) as Nic
  }

  #named(name: string): Nic {
    const named = this.nic(name)
    if (named === undefined)
      throw new Error(`No nic is named ${name}: there are ${this.nics.map((nic) => nic.name).join(', ')}.`)
    return named
  }

  #linkFailed(nic: Nic, error: Error, fatal: boolean): void {
    if (this.onLinkFailure !== null) this.onLinkFailure(nic, error, fatal)
    else if (fatal)
      queueMicrotask(() => {
        throw error
      })
  }
}
