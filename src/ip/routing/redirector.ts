/**
 * A router's redirects: RFC 1812 section 5.2.7.2, RFC 4861 section 8.2. The sender of a packet that
 * goes back to the link it came from is told which first hop of that link is a better one.
 *
 * A host that does not listen is told less and less often, and then no more, until it was silent
 * for a while (Linux: ip_rt_send_redirect); in IPv6 messages are limited by source and by
 * destination of what is redirected (Linux: ip6_forward).
 */
import { Address, MAPPED } from '../../base/address.ts'
import { AddressMap } from '../../base/address-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { KeyedHash } from '../../base/hash.ts'
import type { Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import { DESTINATION_RATE, ErrorLimit } from '../icmp/error-limit.ts'
import { ErrorReason } from '../icmp/error-reasons.ts'
import type { Icmp } from '../icmp/icmp.ts'
import type { RouteNic } from './route-nic.ts'
import type { Route, RouteTable } from './route-table.ts'

/** Linux: ip_rt_redirect_number, after which a host hears nothing any more. */
const NUMBER = 9
/**
 * Linux: ip_rt_redirect_load, doubled with each redirect: at least this long between one and the
 * next.
 */
const LOAD = 20
/** Linux: ip_rt_redirect_silence: a host that sent nothing to redirect for so long is told anew. */
const SILENCE = LOAD << (NUMBER + 1)
/** Hosts remembered; of more, the one that was told first is forgotten. */
const HOSTS = 4096

/** The nic that a packet came by and leaves by. */
export interface RedirectingNic extends RouteNic {
  /** Tells who sent the packet that `target` is a better first hop on this link (IPv6). */
  redirect(packet: Packet, target: Address): void
}

/** What a host was told. */
interface Told {
  count: number
  /** When it was told last or, of one that hears nothing any more, sent last. */
  last: number
}

export class Redirector {
  readonly #routes: RouteTable
  readonly #icmp: Icmp
  readonly #clock: Clock
  /** Hosts of IPv4. */
  readonly #told: AddressMap<Told>
  readonly #bySource: ErrorLimit
  readonly #byDestination: ErrorLimit

  constructor(routes: RouteTable, icmp: Icmp, clock: Clock, random: Random, hash: KeyedHash) {
    this.#routes = routes
    this.#icmp = icmp
    this.#clock = clock
    this.#told = new AddressMap(hash)
    this.#bySource = new ErrorLimit(clock, null, DESTINATION_RATE, random, hash)
    this.#byDestination = new ErrorLimit(clock, null, DESTINATION_RATE, random, hash)
  }

  /**
   * Takes a packet at `packet.network … packet.networkEnd` that leaves over `route`, by the nic it
   * came in by, and has no source route.
   */
  consider(packet: Packet, nic: RedirectingNic, route: Route): void {
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
    // On a link between two stations there is no better first hop than the other one, which sent
    // the packet.
    if (nic.link.medium !== 'ethernet' || !this.#isNeighbor(nic, s0, s1, s2, s3)) return
    const target = route.gateway ?? new Address(d0, d1, d2, d3)
    if (target.is(s0, s1, s2, s3)) return
    if (packet.family === 4) {
      if (!sharesPrefix(nic, s3, target) || !this.#mayTell(s3)) return
      this.#icmp.sendError(packet, nic, ErrorReason.Redirect, target.w3)
    } else {
      // Hosts know a router by its link-local address.
      if (route.gateway !== null && !target.isLinkLocal) return
      if (this.#byDestination.take(d0, d1, d2, d3) && this.#bySource.take(s0, s1, s2, s3)) nic.redirect(packet, target)
    }
  }

  #isNeighbor(nic: RouteNic, w0: number, w1: number, w2: number, w3: number): boolean {
    const route = this.#routes.lookup(w0, w1, w2, w3, 0)
    return route !== null && route.kind === 'unicast' && route.nic === nic && route.gateway === null
  }

  #mayTell(host: number): boolean {
    const now = this.#clock.now()
    let told = this.#told.get(0, 0, MAPPED, host)
    if (told === undefined) {
      if (this.#told.size >= HOSTS) this.#told.deleteOldest()
      told = { count: 0, last: now }
      this.#told.set(0, 0, MAPPED, host, told)
    }
    if (now - told.last > SILENCE) told.count = 0
    if (told.count >= NUMBER) {
      told.last = now
      return false
    }
    if (told.count > 0 && now - told.last <= LOAD << told.count) return false
    told.last = now
    told.count++
    return true
  }
}

/** Whether one network of the nic has both addresses. */
function sharesPrefix(nic: RouteNic, source: number, target: Address): boolean {
  for (const { address, prefix } of nic.addresses)
    if (address.family === 4 && prefix.contains(target) && prefix.contains(Address.fromIPv4(source))) return true
  return false
}
