/**
 * A raw endpoint: what a raw socket is to Linux (raw(7), ipv6(7)). It sends and receives what is
 * directly behind the IP header, for a transport that this stack does not have. No Error objects
 * but for wrong arguments: failures are code strings.
 */
import { Address } from '../base/address.ts'
import { Cast, type Packet } from '../base/packet.ts'
import { checkBind, needsNic, sourceOf } from '../udp/bind.ts'
import type { Errno } from '../udp/errno.ts'
import { EndpointGroups } from '../udp/groups.ts'
import { RouteCache } from '../udp/route-cache.ts'
import { leavingNic } from '../udp/route-choice.ts'
import { destinationForAny } from '../udp/route4.ts'
import { ICMPV6, RAW } from '../wire/protocol.ts'
import type { RawIp } from './raw-ip.ts'
import {
  type RawErrorListener,
  type RawOptions,
  type RawReceiver,
  type RawSendOptions,
  RawSettings,
} from './raw-options.ts'
import { DONE, type RawMessage, RawQueue } from './raw-queue.ts'

/** @internal What an endpoint asks of its layer. */
export interface RawHost {
  readonly ip: RawIp
  send(endpoint: RawEndpoint, bytes: Uint8Array, to: Address | null, nic: number, options: RawSendOptions | null): Errno
  remove(endpoint: RawEndpoint): void
}

/**
 * Only the endpoint writes its addresses. It has more than 25 members because its two ends are
 * eight of them, which each arriving packet is compared with.
 */
export class RawEndpoint extends RawSettings implements AsyncIterable<RawMessage> {
  readonly family: 4 | 6
  readonly protocol: number
  readonly headerIncluded: boolean
  /** IPV6_CHECKSUM: where the checksum is in the upper layer's header; `null` for none. */
  readonly checksumOffset: number | null
  /** The multicast groups that it joined. */
  readonly groups: EndpointGroups
  /** The bound address; unspecified when bound to none. */
  localAddress: Address
  remoteAddress: Address | null = null
  closed = false
  /** @internal The nic of the zone of a bound address, 0 for none. */
  localNic = 0
  /** @internal */
  remoteNic = 0
  /** @internal What packets are sent from; `null` lets the route decide. */
  sourceAddress: Address | null = null
  /** @internal */
  readonly routeCache: RouteCache
  /** @internal */
  readonly queue = new RawQueue()
  /** @internal */
  readonly receiver: RawReceiver | null
  /** @internal */
  readonly errorListener: RawErrorListener | null
  readonly #host: RawHost
  /** `connect` chose the local address. */
  #pinned = false

  /** @internal */
  constructor(host: RawHost, options: RawOptions) {
    super()
    const { family, protocol, receive, icmp } = options
    this.#host = host
    this.family = family
    this.protocol = protocol
    this.headerIncluded = options.headerIncluded ?? protocol === RAW
    const checksummed = family === 6 && protocol === ICMPV6 && !this.headerIncluded
    this.checksumOffset = options.checksumOffset ?? (checksummed ? 2 : null)
    this.receiver = receive ?? null
    this.errorListener = icmp ?? null
    this.localAddress = family === 4 ? Address.ANY4 : Address.ANY6
    this.groups = new EndpointGroups(host.ip, family)
    this.routeCache = new RouteCache(host.ip, this)
  }

  /**
   * A whole IPv4 packet without a source may get one of others (Linux: FLOWI_FLAG_ANYSRC).
   * @internal
   */
  get anySource(): boolean {
    return this.headerIncluded
  }

  /**
   * The nic that the endpoint keeps to, both ways; 0 for all (Linux: sk_bound_dev_if).
   * @internal
   */
  get device(): number {
    return this.remoteNic || this.localNic || this.boundNic
  }

  /**
   * Takes only packets to this address, and sends from it: one of the stack, a group, a broadcast
   * address, or any. `nic` is the zone of a link-local address.
   * @returns EINVAL (connected, of the other family, or without its zone), EADDRNOTAVAIL, EBADF
   * @throws {TypeError} for malformed text
   */
  bind(address: Address | string, nic = 0): Errno {
    const local = addressOf(address)
    const { ip } = this.#host
    if (this.closed) return 'EBADF'
    if (this.remoteAddress !== null || local.family !== this.family) return 'EINVAL'
    const over = needsNic(local) ? nic || this.device : 0
    const wrong = checkBind(ip, BINDABLE[this.family], local, over)
    if (wrong !== '') return wrong
    this.localAddress = local
    this.localNic = over
    this.sourceAddress = sourceOf(ip, BINDABLE[this.family], local)
    this.routeCache.forget()
    return ''
  }

  /**
   * Takes only packets from this address, and sends there by default. An endpoint that is bound to
   * none takes the address that it sends from (Linux: ip4_datagram_connect).
   * @returns EAFNOSUPPORT, ENETUNREACH, EHOSTUNREACH, EACCES (broadcast), EINVAL, EBADF
   * @throws {TypeError} for malformed text
   */
  connect(to: Address | string, nic = 0): Errno {
    const given = addressOf(to)
    const { ip } = this.#host
    if (this.closed) return 'EBADF'
    if (given.family !== this.family) return 'EAFNOSUPPORT'
    const address = given.isUnspecified ? destinationForAny(ip, this, given, null) : given
    const scoped = needsNic(address)
    const over = scoped ? nic || this.device || (address.isMulticast ? this.multicastNic : 0) : 0
    if (scoped && over === 0) return 'EINVAL'
    const wrong = this.routeCache.resolve(address, leavingNic(this, address, given, over, null), null)
    if (wrong !== '') return wrong
    const source = this.routeCache.source as Address
    this.disconnect()
    if (this.localAddress.isUnspecified) {
      this.#pinned = true
      this.localAddress = source
    }
    this.sourceAddress ??= source
    this.remoteAddress = address
    this.remoteNic = over
    return ''
  }

  /** Forgets the peer, and a local address that `connect` had chosen. */
  disconnect(): void {
    if (this.remoteAddress === null) return
    this.remoteAddress = null
    this.remoteNic = 0
    if (this.#pinned) this.localAddress = this.family === 4 ? Address.ANY4 : Address.ANY6
    this.#pinned = false
    this.sourceAddress = sourceOf(this.#host.ip, BINDABLE[this.family], this.localAddress)
    this.routeCache.forget()
  }

  /**
   * Sends `bytes`, which are copied: what is behind the IP header, or, with `headerIncluded`, a
   * whole packet. `to` null sends to the peer, and a whole packet without peer to the destination
   * in its header. `nic` is the zone of `to`.
   *
   * Of a whole IPv4 packet the length and the checksum are filled in, and the identification and
   * the source where they are 0; an IPv6 packet leaves as it is. Neither is fragmented.
   * @returns `''`, or EMSGSIZE, EACCES, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT,
   *   EDESTADDRREQ, EINVAL (no room for the header or the checksum; a source or nic that cannot
   *   be), ENOBUFS, ENETDOWN, EBADF
   * @throws {TypeError} for malformed text
   */
  send(bytes: Uint8Array, to: Address | string | null = null, options: RawSendOptions = {}, nic = 0): Errno {
    return this.#host.send(this, bytes, to === null ? null : addressOf(to), nic, options)
  }

  /** Known MTU of the path to an address (IP_MTU), in bytes, or 0 when there is no route. */
  pathMtu(to: Address | string, nic = 0): number {
    const { ip } = this.#host
    const { w0, w1, w2, w3 } = addressOf(to)
    const route = ip.route(w0, w1, w2, w3, nic || this.device)
    return route === null ? 0 : ip.mtuTo(route, w0, w1, w2, w3)
  }

  /**
   * @internal Whether an arriving packet is for the endpoint (Linux: raw_v4_match, raw_v6_match).
   */
  takes(packet: Packet): boolean {
    if (packet.protocol !== this.protocol || packet.family !== this.family) return false
    const { boundNic, remoteAddress, localAddress } = this
    if (boundNic !== 0 && boundNic !== packet.nic) return false
    // What we send to a link-local address of our own comes by the loopback nic.
    const zone = this.remoteNic || this.localNic
    if (zone !== 0 && zone !== packet.nic && packet.looped === 0) return false
    if (remoteAddress !== null && !remoteAddress.is(packet.s0, packet.s1, packet.s2, packet.s3)) return false
    if (this.family === 4 && packet.cast === Cast.Multicast && !this.groups.allows(packet, packet.nic)) return false
    if (localAddress.isUnspecified || localAddress.is(packet.d0, packet.d1, packet.d2, packet.d3)) return true
    return this.family === 6 && packet.d0 >>> 24 === 0xff && this.groups.allows(packet, packet.nic)
  }

  /**
   * The messages that arrive, one by one, until the endpoint is closed. They wait in
   * `receiveBuffer`; what has no room is discarded (`IpRawReceiveBuffer`).
   * @throws {Error} for an endpoint with a `receive` of its own
   */
  [Symbol.asyncIterator](): AsyncIterator<RawMessage> {
    if (this.receiver !== null)
      throw new Error('This endpoint hands its messages to receive: open it without receive to iterate over them.')
    return { next: () => this.queue.next(), return: () => Promise.resolve(DONE) }
  }

  /** Nothing arrives any more; iterations end with what waits. Safe to call twice. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.groups.leaveAll()
    this.#host.remove(this)
    this.routeCache.close()
    this.queue.close()
  }
}

/** A raw endpoint speaks one family. */
const BINDABLE = { 4: { family: 4, ipv6Only: false }, 6: { family: 6, ipv6Only: true } } as const

function addressOf(address: Address | string): Address {
  return typeof address === 'string' ? Address.parse(address) : address
}
