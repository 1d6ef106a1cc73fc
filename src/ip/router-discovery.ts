/**
 * What a host learns from routers: default routes, prefixes on the link, addresses of its own, MTU and timers.
 *
 * RFC 4861 section 6.3, RFC 4862 section 5.5. Like Linux, a stack that forwards does not listen.
 */
import { Address, Prefix } from '../base/address.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'
import type { IpLayer } from './ip-layer.ts'
import type { NdLayer } from './nd-layer.ts'
import * as ndp from './ndp.ts'
import type { Nic } from './nic.ts'
import type { Route } from './route-table.ts'
import { Slaac } from './slaac.ts'

/** RFC 4861 section 10, in milliseconds. */
const MAX_SOLICITATION_DELAY = 1000
const SOLICITATION_INTERVAL = 4000
const MAX_SOLICITATIONS = 3
/**
 * What routers may set for the neighbors of a link, in milliseconds. Linux takes nothing below these (ndisc_router_discovery); what is above the others is
 * not heeded: an hour is what RFC 4861 section 6.2.1 allows, and with a minute a dead neighbor is found out within three.
 */
const REACHABLE_BOUNDS = { least: 100, most: 3_600_000 }
const RETRANS_BOUNDS = { least: 10, most: 60_000 }
/** IPv6's smallest MTU. */
const MIN_MTU = 1280
/** Linux: the metrics of routes learnt from routers. */
const DEFAULT_ROUTE_METRIC = 1024
const PREFIX_METRIC = 256
/** Linux: max_addresses. The same bound for routers and prefixes keeps a flood of advertisements from filling the tables. */
const MAX_LEARNT = 16

/** A default router or a prefix on the link, with the time at which it is forgotten. */
interface LearntRoute {
  readonly route: Route
  timer: Timer | null
}

export class RouterDiscovery {
  /** The addresses made from prefixes. */
  readonly slaac: Slaac
  readonly #nd: NdLayer
  readonly #nic: Nic
  readonly #ip: IpLayer
  readonly #clock: Clock
  readonly #random: Random
  #routers: LearntRoute[] = []
  #prefixes: LearntRoute[] = []
  /** Of the last MTU option, for the routes learnt here; 0 without one. */
  #mtu = 0
  #solicitations = 0
  #timer: Timer | null = null

  constructor(nd: NdLayer, nic: Nic, ip: IpLayer, clock: Clock, random: Random) {
    this.#nd = nd
    this.#nic = nic
    this.#ip = ip
    this.#clock = clock
    this.#random = random
    this.slaac = new Slaac(nic, clock, random, nic.makesTemporaryAddresses)
  }

  get isActive(): boolean {
    return this.#nic.acceptsRouterAdvertisements && !this.#nic.isRouter
  }

  /** Forgets what was learnt. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = null
    for (const each of [...this.#routers, ...this.#prefixes]) {
      each.timer?.cancel()
      this.#ip.routes.remove(each.route)
    }
    this.slaac.close()
    this.#routers = []
    this.#prefixes = []
  }

  /** Asks for routers (RFC 4861 section 6.3.7), now that there is a link-local address to ask from. */
  start(linkLocal: Address): void {
    if (!this.isActive || this.#timer !== null || this.#routers.length > 0) return
    this.#solicitations = 0
    this.#timer = this.#clock.schedule(this.#random.float() * MAX_SOLICITATION_DELAY, () => this.#solicit(linkLocal))
  }

  #solicit(linkLocal: Address): void {
    this.#timer = null
    if (!this.isActive || !this.#nic.hasAddress(linkLocal)) return
    this.#nd.sendRouterSolicitation(linkLocal)
    if (++this.#solicitations < MAX_SOLICITATIONS) this.#timer = this.#clock.schedule(SOLICITATION_INTERVAL, () => this.#solicit(linkLocal))
  }

  /** A valid Router Advertisement at `packet.transport`. */
  advertised(packet: Packet): void {
    const { view, transport } = packet
    const router = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
    const lifetime = ndp.routerLifetime(view, transport)
    if (lifetime > 0) {
      this.#timer?.cancel()
      this.#timer = null
    }
    const hopLimit = ndp.currentHopLimit(view, transport)
    if (hopLimit !== 0) this.#nic.hopLimit6 = hopLimit
    const { neighbors } = this.#nd
    neighbors.reachableTime = bounded(ndp.reachableTime(view, transport), neighbors.reachableTime, REACHABLE_BOUNDS)
    neighbors.retransTime = bounded(ndp.retransTimer(view, transport), neighbors.retransTime, RETRANS_BOUNDS)
    const mtu = ndp.findOption(packet, ndp.MTU, ndp.MTU_OPTION)
    if (mtu !== 0) {
      const bytes = ndp.mtu(view, mtu)
      if (bytes >= MIN_MTU && bytes <= this.#nic.mtu) this.#mtu = bytes
    }
    const everywhere = new Prefix(Address.ANY6, 0)
    this.#routers = this.#learn(this.#routers, everywhere, router, DEFAULT_ROUTE_METRIC, lifetime)
    let at = ndp.findOption(packet, ndp.PREFIX_INFORMATION, ndp.PREFIX_OPTION)
    for (; at !== 0; at = ndp.nextOption(packet, at + ndp.PREFIX_OPTION, ndp.PREFIX_INFORMATION, ndp.PREFIX_OPTION)) this.#prefix(view, at)
  }

  /** A neighbor says that it is no router any more. */
  routerGone(router: Address): void {
    this.#routers = this.#learn(this.#routers, new Prefix(Address.ANY6, 0), router, DEFAULT_ROUTE_METRIC, 0)
  }

  /** A router does not answer: another one, if there is one, is turned to (RFC 4861 section 6.3.6). */
  routerLost(router: Address): void {
    const lost = this.#routers.find(({ route }) => route.gateway?.equals(router))
    if (lost === undefined || this.#routers.length === 1) return
    // Among routes of the same metric the one added last counts last.
    this.#ip.routes.remove(lost.route)
    this.#ip.routes.add(lost.route)
  }

  #prefix(view: DataView, at: number): void {
    const length = ndp.prefixLength(view, at)
    if (length > 128) return
    const words = new Address(ndp.prefix(view, at, 0), ndp.prefix(view, at, 1), ndp.prefix(view, at, 2), ndp.prefix(view, at, 3))
    if (words.isLinkLocal || words.isMulticast) return
    const prefix = new Prefix(words, length)
    const flags = ndp.prefixFlags(view, at)
    const valid = ndp.validLifetime(view, at)
    const preferred = ndp.preferredLifetime(view, at)
    if ((flags & ndp.ON_LINK) !== 0) this.#prefixes = this.#learn(this.#prefixes, prefix, null, PREFIX_METRIC, valid)
    // RFC 4862 section 5.5.3 (c) and (d): the interface identifier has 64 bits, and both parts have to fill an address.
    if ((flags & ndp.AUTONOMOUS) !== 0 && preferred <= valid && length === 64) this.slaac.configure(prefix, valid, preferred)
  }

  /** Adds, prolongs or (lifetime 0) removes a route. */
  #learn(known: LearntRoute[], prefix: Prefix, gateway: Address | null, metric: number, lifetime: number): LearntRoute[] {
    const found = known.find(
      ({ route }) => route.prefix.equals(prefix) && (gateway === null ? route.gateway === null : route.gateway?.equals(gateway) === true),
    )
    found?.timer?.cancel()
    const others = known.filter((each) => each !== found)
    if (found !== undefined && (lifetime === 0 || found.route.mtu !== this.#mtu)) this.#ip.routes.remove(found.route)
    if (lifetime === 0 || (found === undefined && known.length >= MAX_LEARNT)) return others
    let route = found?.route
    if (route === undefined || route.mtu !== this.#mtu) {
      route = { prefix, nic: this.#nic, gateway, metric, source: null, mtu: this.#mtu, kind: 'unicast' }
      this.#ip.routes.add(route)
    }
    const learnt: LearntRoute = { route, timer: null }
    learnt.timer = this.#schedule(lifetime, () => {
      this.#ip.routes.remove(learnt.route)
      this.#routers = this.#routers.filter((each) => each !== learnt)
      this.#prefixes = this.#prefixes.filter((each) => each !== learnt)
    })
    return [...others, learnt]
  }

  #schedule(delay: number, callback: () => void): Timer | null {
    if (delay === Number.POSITIVE_INFINITY) return null
    return this.#clock.schedule(delay, callback)
  }
}

/** A time that a router told; the present one when it tells none (0), or one that is out of the question. */
function bounded(told: number, present: number, { least, most }: { least: number; most: number }): number {
  return told === 0 || told > most ? present : Math.max(least, told)
}
