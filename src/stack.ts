/**
 * One host: layers wired together, its clock, its randomness, its counters. Two stacks share
 * nothing but a wire.
 *
 * This module and all below it use no Node module. `stack.dgram`, the socket API, is added by
 * `socket-api/dgram/dgram.ts`.
 */
import { Address, type Family, Prefix, parseCidr } from './base/address.ts'
import { type Clock, SystemClock } from './base/clock.ts'
import { type Random, SystemRandom } from './base/random.ts'
import { isWithin } from './base/range.ts'
import { Counters, type DropCount, type DropListener } from './ip/counters.ts'
import { HOST_RANGES } from './ip/host-ranges.ts'
import { DESTINATION_RATE, HOST_RATE, type Rate } from './ip/icmp/error-limit.ts'
import { IpLayer, type ReversePath } from './ip/ip-layer.ts'
import type { AddressGeneration } from './ip/nd/interface-identifier.ts'
import {
  NEIGHBOR_LIMITS,
  NEIGHBOR_MINIMUM,
  type NeighborLimits,
  type NeighborOptions,
} from './ip/nic/neighbor-limits.ts'
import type { NeighborRow, Nic } from './ip/nic/nic.ts'
import { Preference, type Route, type RouteKind } from './ip/routing/route-table.ts'
import type { Link } from './link/link.ts'
import { Loopback } from './link/loopback.ts'
import { UdpLayer } from './udp/udp-layer.ts'

export interface StackOptions {
  /** The host's name, for messages. Default `host`. */
  name?: string
  /** Default: the machine's own time. */
  clock?: Clock
  /** Default: the platform's cryptographic generator. */
  random?: Random
  /**
   * ICMP errors per second, with bursts of about 50; 0 for none, `false` for no limit, per
   * destination neither. Default 1000.
   */
  icmpRateLimit?: number | false
  /**
   * ICMP errors per second to one destination, with bursts of six times as many; `false` for no
   * limit. Default 1.
   */
  icmpRateLimitPerDestination?: number | false
  /** TTL and hop limit of what is sent without one of its own, 1 to 255. Default 64. */
  hopLimit?: number
  /**
   * Duplicate address detection of IPv6 addresses on Ethernet; see {@link NicOptions.dad}. Default
   * true.
   */
  dad?: boolean
  /** A router: packets for others go on their way. Default `false`. */
  forwarding?: boolean
  /**
   * Takes only packets for an address of the very nic they came by (RFC 1122 section 3.3.4.2).
   * Default `false`, as Linux.
   */
  strongHost?: boolean
  /**
   * Discards packets whose source is not reached at all (`loose`) or by another nic (`strict`; RFC
   * 3704). Default `off`.
   */
  reversePath?: ReversePath
  /** Becomes {@link Stack.hosts}; stacks may share it. Default: a map of its own. */
  hosts?: Map<string, readonly string[]>
  /**
   * Bytes of fragments, per family, that may wait for the rest of their datagrams; a quarter is any
   * one source's share. Default 4 MiB.
   */
  reassemblyMemory?: number
  /** Follows IPv4 source routes instead of refusing such packets (RFC 7126). Default `false`. */
  sourceRoute?: boolean
  /**
   * Believes redirects of its routers for five minutes (RFC 1122 section 3.2.2.2, RFC 4861 section
   * 8.3). Default `true`; a router never does.
   */
  acceptRedirects?: boolean
  /**
   * A router tells hosts on Ethernet of better first hops on their link (RFC 1812 section 5.2.7.2,
   * RFC 4861 section 8.2). Default `false`.
   */
  sendRedirects?: boolean
  /**
   * How nics make their own IPv6 addresses; see {@link NicOptions.addressGeneration}. Default
   * `eui64`.
   */
  addressGeneration?: AddressGeneration
  /**
   * Temporary IPv6 addresses on Ethernet; see {@link NicOptions.temporaryAddresses}. Default false.
   */
  temporaryAddresses?: boolean
  /**
   * How many neighbors each nic remembers, and how much may wait for their hardware addresses.
   * Defaults: Linux's, see {@link NeighborOptions}.
   */
  neighborLimits?: NeighborOptions
}

export interface NicOptions {
  /** Default: the link's name. */
  name?: string
  /** Interface addresses with prefix length: `192.0.2.7/24`, `2001:db8::7/64`. */
  addresses?: readonly string[]
  /** Below the link's MTU; default the link's. */
  mtu?: number
  /**
   * Ethernet: IPv6 addresses are used only when no other host has answered for them (RFC 4862
   * section 5.4), which takes 1 to 2 s (`nic.addressesReady()`); `false` uses them at once.
   * Default: the stack's `dad`.
   */
  dad?: boolean
  /** Ethernet: the same for IPv4 addresses (RFC 5227), which takes 4 to 7 s. Default false. */
  conflictDetection?: boolean
  /**
   * Ethernet: a link-local IPv6 address made from the hardware address, when none is among
   * `addresses`. Default true.
   */
  linkLocal?: boolean
  /**
   * Ethernet: routes and addresses from router advertisements; a stack with `forwarding` takes
   * none. Default true.
   */
  acceptRouterAdvertisements?: boolean
  /**
   * Ethernet: `eui64` makes the link-local address and those from routers' prefixes of the hardware
   * address (RFC 4291 appendix A), `stable-privacy` of a secret and the prefix (RFC 7217), so that
   * they tell neither the hardware address nor that two networks have the same host. Default: the
   * stack's.
   */
  addressGeneration?: AddressGeneration
  /**
   * The secret of `stable-privacy`, 32 hexadecimal digits: the same one gives the same addresses.
   * Default: drawn, for as long as the nic is there.
   */
  stableSecret?: string
  /**
   * Ethernet: beside each address from a router's prefix a random one (RFC 8981), which is
   * preferred as a source (Linux: use_tempaddr 2), for a day at most, and receives for two.
   * Default: the stack's.
   */
  temporaryAddresses?: boolean
}

export interface RouteOptions {
  /** `default` (the family is the gateway's, or both), or a prefix. */
  to: string
  /** The gateway; without one the destination is on the link. */
  via?: string
  /** Name of the nic to leave by; found from the gateway when left out. */
  nic?: string
  /** Lower wins among equal prefixes. Default 0. */
  metric?: number
  /** Source address to prefer. */
  source?: string
  /** MTU for this route, below the nic's. */
  mtu?: number
  /** Default `unicast`. */
  kind?: RouteKind
}

/** One socket, as `ss -ua` shows it. */
export interface SocketRow {
  protocol: 'udp' | 'udp6'
  localAddress: string
  localPort: number
  remoteAddress: string | null
  remotePort: number | null
  /** Bytes that wait for the program. */
  receiveQueue: number
}

/** One nic, as `ip -s link` shows it. */
export interface NicRow {
  name: string
  index: number
  up: boolean
  mtu: number
  addresses: string[]
  rxPackets: number
  rxBytes: number
  txPackets: number
  txBytes: number
  txDropped: number
}

export interface Netstat {
  nics: NicRow[]
  routes: string[]
  sockets: SocketRow[]
  /** The MIB counters that are not zero, under Linux's names. */
  counters: Record<string, number>
  drops: DropCount[]
}

export class Stack {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly counters = new Counters()
  readonly ip: IpLayer
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
  readonly #dad: boolean
  readonly #addressGeneration: AddressGeneration
  readonly #temporaryAddresses: boolean
  readonly #atClose: (() => void)[] = []
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
        `icmpRateLimitPerDestination ${icmpRateLimitPerDestination} is out of range: errors per second above 0, or false for no limit.`,
      )
    if (hopLimit !== undefined && !isWithin(hopLimit, HOST_RANGES.hopLimit))
      throw new RangeError(`hopLimit ${hopLimit} is out of range: 1 to 255.`)
    this.name = options.name ?? 'host'
    this.#dad = options.dad ?? true
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
      sourceRoute: options.sourceRoute,
      acceptRedirects: options.acceptRedirects,
      sendRedirects: options.sendRedirects,
      neighborLimits: readNeighborLimits(options.neighborLimits),
      hopLimit,
    })
    this.udp = new UdpLayer(this.ip, this.clock, this.random, this.counters, () => this.beforeUse?.())
    this.ip.attach(this.udp)
    this.ip.icmp.errorSink = this.udp
    this.loopback = this.addNic(new Loopback(this.clock), { addresses: ['127.0.0.1/8', '::1/128'] })
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
    const name = options.name ?? link.name
    if (this.#nicByName(name) !== undefined)
      throw new Error(`The stack has a nic named ${name} already: give another name.`)
    const addresses = options.addresses ?? []
    for (const text of addresses) parseCidr(text)
    const { addressGeneration = this.#addressGeneration, temporaryAddresses = this.#temporaryAddresses } = options
    checkGeneration(addressGeneration)
    const stableSecret = readSecret(options.stableSecret)
    const { dad = this.#dad, conflictDetection = false, linkLocal = true, acceptRouterAdvertisements = true } = options
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
      for (const text of addresses) nic.addAddress(text)
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

  removeRoute(route: Route): boolean {
    return this.ip.routes.remove(route)
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
    return {
      nics: this.nics.map((nic) => ({
        name: nic.name,
        index: nic.index,
        up: nic.isUp,
        mtu: nic.mtu,
        addresses: nic.addresses.map(({ address, prefix }) => `${address}/${prefix.length}`),
        rxPackets: nic.rxPackets,
        rxBytes: nic.rxBytes,
        txPackets: nic.txPackets,
        txBytes: nic.txBytes,
        txDropped: nic.txDropped,
      })),
      routes: this.ip.routes.list().map(describeRoute),
      sockets: this.udp.ports.all().map((endpoint) => ({
        protocol: endpoint.family === 4 ? 'udp' : 'udp6',
        localAddress: endpoint.localAddress.toString(),
        localPort: endpoint.localPort,
        remoteAddress: endpoint.remoteAddress?.toString() ?? null,
        remotePort: endpoint.remoteAddress === null ? null : endpoint.remotePort,
        receiveQueue: endpoint.queued,
      })),
      counters: this.counters.nonZero(),
      drops: this.drops,
    }
  }

  /**
   * Closes all links and forgets all timers. Sockets that are open find the network down, and keep
   * the process alive no longer. Safe to call twice.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.ip.close()
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
        `The gateway ${gateway} is on no link of this stack: add an address of its network to a nic first, or name the nic.`,
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

/**
 * @throws {RangeError} for what is no whole number from 0, for thresholds out of order, and for no
 * entry at all
 */
function readNeighborLimits(options: NeighborOptions = {}): NeighborLimits {
  const limits = { ...NEIGHBOR_LIMITS }
  for (const name of Object.keys(NEIGHBOR_LIMITS) as (keyof NeighborOptions)[]) {
    const given = options[name]
    if (given === undefined) continue
    if (!Number.isSafeInteger(given) || given < 0)
      throw new RangeError(`neighborLimits.${name} ${given} is out of range: a whole number from 0.`)
    limits[name] = given
  }
  const { gcThresh1, gcThresh2, gcThresh3 } = limits
  if (gcThresh3 < NEIGHBOR_MINIMUM.gcThresh3)
    throw new RangeError(`neighborLimits.gcThresh3 ${gcThresh3} leaves no room for a neighbor: 1 or more.`)
  if (gcThresh1 > gcThresh2 || gcThresh2 > gcThresh3)
    throw new RangeError(
      `neighborLimits are out of order: gcThresh1 ${gcThresh1}, gcThresh2 ${gcThresh2}, gcThresh3 ${gcThresh3}; each at most the next.`,
    )
  return limits
}

function checkGeneration(generation: unknown): void {
  if (generation !== 'eui64' && generation !== 'stable-privacy')
    throw new TypeError(`addressGeneration '${generation}' is unknown: expected 'eui64' or 'stable-privacy'.`)
}

function readSecret(text: string | undefined): Uint8Array | null {
  if (text === undefined) return null
  if (!/^[0-9a-f]{32}$/i.test(text)) throw new TypeError('stableSecret has to be 32 hexadecimal digits: 128 bits.')
  return Uint8Array.from(text.match(/../g) as string[], (pair) => Number.parseInt(pair, 16))
}

/**
 * The limit per destination; no limit for the whole host means none per destination either, unless
 * one is given.
 */
function destinationRate(host: number | false | undefined, destination: number | false | undefined): Rate | null {
  if (destination === false || (host === false && destination === undefined)) return null
  const perSecond = destination ?? DESTINATION_RATE.perSecond
  return { perSecond, burst: Math.max(1, perSecond * DESTINATION_RATE.burst) }
}

/** As `ip route` prints it. */
function describeRoute(route: Route): string {
  const parts = [route.prefix.length === 0 ? 'default' : route.prefix.toString()]
  if (route.kind !== 'unicast') parts.unshift(route.kind)
  if (route.gateway !== null) parts.push(`via ${route.gateway}`)
  parts.push(`dev ${route.nic.name}`)
  if (route.source !== null) parts.push(`src ${route.source}`)
  if (route.metric !== 0) parts.push(`metric ${route.metric}`)
  if (route.mtu !== 0) parts.push(`mtu ${route.mtu}`)
  if (route.preference === Preference.High) parts.push('pref high')
  else if (route.preference === Preference.Low) parts.push('pref low')
  return parts.join(' ')
}
