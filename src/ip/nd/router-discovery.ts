/**
 * What a host learns from routers: routes and prefixes on the link, addresses of its own, MTU and
 * timers.
 *
 * RFC 4861 section 6.3, RFC 4191, RFC 4862 section 5.5. Like Linux, a stack that forwards does not
 * listen.
 */
import { Address, Prefix } from '../../base/address.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { HEADROOM, type Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import * as ndp from '../../wire/ndp.ts'
import type { NeighborTable } from '../nic/neighbor-table.ts'
import { MIN_PMTU6 } from '../routing/path-mtu.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import { Preference, type RouteTable } from '../routing/route-table.ts'
import { LearntRoutes } from './learnt-routes.ts'
import type { NdSender } from './nd-sender.ts'
import { Slaac, type SlaacAddresses } from './slaac.ts'

/** RFC 4861 section 10, in milliseconds. */
const MAX_SOLICITATION_DELAY = 1000
const SOLICITATION_INTERVAL = 4000
const MAX_SOLICITATIONS = 3
/**
 * What routers may set for the neighbors of a link, in milliseconds. Linux takes nothing below
 * these (ndisc_router_discovery); what is above the others is not heeded: an hour is what RFC 4861
 * section 6.2.1 allows, and with a minute a dead neighbor is found out within three.
 */
const REACHABLE_BOUNDS = { least: 100, most: 3_600_000 }
const RETRANS_BOUNDS = { least: 10, most: 60_000 }
const EVERYWHERE = new Prefix(Address.ANY6, 0)

/** The nic that is told of routers. */
export interface DiscoveringNic extends RouteNic {
  readonly mtu: number
  readonly isRouter: boolean
  readonly acceptsRouterAdvertisements: boolean
  readonly makesTemporaryAddresses: boolean
  /** What routers say of the link: its hop limit and its MTU, 0 for nothing. */
  hopLimit6: number
  advertisedMtu: number
}

export class RouterDiscovery {
  /** The addresses made from prefixes. */
  readonly slaac: Slaac
  readonly #sender: NdSender
  readonly #neighbors: NeighborTable
  readonly #nic: DiscoveringNic
  readonly #clock: Clock
  readonly #random: Random
  readonly #routes: LearntRoutes
  #solicitations = 0
  #timer: Timer | null = null
  /** Who waits for the next advertisement, or for the end of asking. */
  #waiting: ((heard: boolean) => void)[] = []

  constructor(
    sender: NdSender,
    neighbors: NeighborTable,
    nic: DiscoveringNic,
    addresses: SlaacAddresses,
    routes: RouteTable,
    clock: Clock,
    random: Random,
  ) {
    this.#sender = sender
    this.#neighbors = neighbors
    this.#nic = nic
    this.#routes = new LearntRoutes(nic, routes, clock)
    this.#clock = clock
    this.#random = random
    this.slaac = new Slaac(nic, addresses, clock, random, nic.makesTemporaryAddresses)
  }

  get isActive(): boolean {
    return this.#nic.acceptsRouterAdvertisements && !this.#nic.isRouter
  }

  /**
   * Resolves with the next advertisement to `true`; when nobody answers, or nobody is asked, to
   * `false`.
   */
  nextAdvertisement(): Promise<boolean> {
    return this.#timer === null ? Promise.resolve(false) : new Promise((resolve) => this.#waiting.push(resolve))
  }

  #stopAsking(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#tell(false)
  }

  #tell(heard: boolean): void {
    for (const resolve of this.#waiting.splice(0)) resolve(heard)
  }

  /** Forgets what was learnt. */
  close(): void {
    this.#stopAsking()
    this.#routes.clear()
    this.setMtu(0)
    this.#nic.hopLimit6 = 0
    this.slaac.close()
  }

  /** What routers say of the link's MTU, 0 for nothing. */
  setMtu(mtu: number): void {
    this.#nic.advertisedMtu = mtu
    this.#routes.mtu = mtu
  }

  /**
   * Asks for routers (RFC 4861 section 6.3.7), now that there is a link-local address to ask from.
   */
  start(linkLocal: Address): void {
    if (!this.isActive || this.#timer !== null || this.#routes.hasRouter) return
    this.#solicitations = 0
    this.#timer = this.#clock.schedule(this.#random.float() * MAX_SOLICITATION_DELAY, () => this.#solicit(linkLocal))
  }

  #solicit(linkLocal: Address): void {
    this.#timer = null
    if (!this.isActive || !hasAddress(this.#nic, linkLocal)) {
      this.#tell(false)
      return
    }
    this.#sendSolicitation(linkLocal)
    if (++this.#solicitations < MAX_SOLICITATIONS)
      this.#timer = this.#clock.schedule(SOLICITATION_INTERVAL, () => this.#solicit(linkLocal))
    else if (this.#waiting.length > 0)
      this.#timer = this.#clock.schedule(MAX_SOLICITATION_DELAY, () => this.#stopAsking())
  }

  #sendSolicitation(source: Address): void {
    const { view } = this.#sender.begin()
    view.setUint32(HEADROOM + 4, 0)
    const end = this.#sender.encodeOwnAddress(view, HEADROOM + ndp.SOLICITATION_HEADER, ndp.SOURCE_LINK_ADDRESS)
    this.#sender.sendTo(ndp.ROUTER_SOLICITATION, end, source, ndp.ALL_ROUTERS)
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
    const neighbors = this.#neighbors
    neighbors.reachableTime = bounded(ndp.reachableTime(view, transport), neighbors.reachableTime, REACHABLE_BOUNDS)
    neighbors.retransTime = bounded(ndp.retransTimer(view, transport), neighbors.retransTime, RETRANS_BOUNDS)
    const mtu = ndp.findOption(packet, ndp.MTU, ndp.MTU_OPTION)
    if (mtu !== 0) {
      const bytes = ndp.mtu(view, mtu)
      if (bytes >= MIN_PMTU6 && bytes <= this.#nic.mtu) this.setMtu(bytes)
    }
    this.#routes.found(router)
    this.#learnRoutes(packet, router)
    let at = ndp.findOption(packet, ndp.PREFIX_INFORMATION, ndp.PREFIX_OPTION)
    for (; at !== 0; at = ndp.nextOption(packet, at + ndp.PREFIX_OPTION, ndp.PREFIX_INFORMATION, ndp.PREFIX_OPTION))
      this.#prefix(view, at)
    this.#tell(true)
  }

  /** A neighbor says that it is no router any more. */
  routerGone(router: Address): void {
    this.#routes.removeRouter(router)
  }

  /**
   * A router does not answer: another one, if there is one, is turned to (RFC 4861 section 6.3.6).
   */
  routerLost(router: Address): void {
    this.#routes.lost(router)
  }

  /** A neighbor answers. */
  routerFound(router: Address): void {
    this.#routes.found(router)
  }

  /**
   * RFC 4191 section 3.1: the route to everywhere, of which an option knows more than the header,
   * and those to single prefixes.
   */
  #learnRoutes(packet: Packet, router: Address): void {
    const { view, transport } = packet
    let lifetime = ndp.routerLifetime(view, transport)
    let preference = preferenceOf(ndp.routerPreference(view, transport)) ?? Preference.Medium
    let at = ndp.findOption(packet, ndp.ROUTE_INFORMATION, ndp.ROUTE_OPTION)
    for (; at !== 0; at = ndp.nextOption(packet, at + ndp.length(view, at), ndp.ROUTE_INFORMATION, ndp.ROUTE_OPTION)) {
      const prefix = ndp.routePrefix(view, at)
      const said = preferenceOf(ndp.routePreference(view, at))
      if (prefix === null || said === null) continue
      if (prefix.length > 0) this.#routes.learn(prefix, router, said, ndp.routeLifetime(view, at))
      else {
        preference = said
        lifetime = ndp.routeLifetime(view, at)
      }
    }
    this.#routes.learn(EVERYWHERE, router, preference, lifetime)
  }

  #prefix(view: DataView, at: number): void {
    const prefix = ndp.prefixOf(view, at)
    if (prefix === null) return
    const flags = ndp.prefixFlags(view, at)
    const valid = ndp.validLifetime(view, at)
    const preferred = ndp.preferredLifetime(view, at)
    if ((flags & ndp.ON_LINK) !== 0) this.#routes.learn(prefix, null, Preference.Medium, valid)
    // RFC 4862 section 5.5.3 (c) and (d): the interface identifier has 64 bits, and both parts have
    // to fill an address.
    if ((flags & ndp.AUTONOMOUS) !== 0 && preferred <= valid && prefix.length === 64)
      this.slaac.configure(prefix, valid, preferred)
  }
}

function hasAddress(nic: RouteNic, { w0, w1, w2, w3 }: Address): boolean {
  return nic.hasWords(w0, w1, w2, w3)
}

/**
 * `null` for the reserved value, which says medium for a router and nothing for a route (RFC 4191
 * section 2).
 */
function preferenceOf(bits: number): Preference | null {
  if (bits === ndp.PREFERENCE.reserved) return null
  return bits === ndp.PREFERENCE.high
    ? Preference.High
    : bits === ndp.PREFERENCE.low
      ? Preference.Low
      : Preference.Medium
}

/**
 * A time that a router told; the present one when it tells none (0), or one that is out of the
 * question.
 */
function bounded(told: number, present: number, { least, most }: { least: number; most: number }): number {
  return told === 0 || told > most ? present : Math.max(least, told)
}
