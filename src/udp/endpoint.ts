/**
 * The kernel side of a UDP socket: what `struct udp_sock` is to Linux. No Buffer, no events, no
 * Error objects: failures are code strings.
 */
import { Address } from '../base/address.ts'
import type { Packet } from '../base/packet.ts'
import type { Nic } from '../ip/nic/nic.ts'
import type { Route } from '../ip/routing/route-table.ts'
import { type BindHost, checkBind, needsNic, sourceOf } from './bind.ts'
import { EndpointOptions } from './endpoint-options.ts'
import type { Errno } from './errno.ts'
import { EndpointGroups, type GroupHost } from './groups.ts'
import type { PortTable } from './port-table.ts'
import { type EndpointReceiver, type ReadyHost, ReceiveQueue } from './receive-queue.ts'
import { RouteCache } from './route-cache.ts'
import { leavingNic, type RouteHost } from './route-choice.ts'
import { destinationForAny } from './route4.ts'
import type { SendOptions } from './send-options.ts'

export type { EndpointReceiver } from './receive-queue.ts'
export type { SendOptions } from './send-options.ts'

/** @internal What an endpoint asks of IP. */
export interface EndpointIp extends BindHost, RouteHost, GroupHost {
  nicByIndex(index: number): Nic | undefined
  route: RouteHost['route']
  /** The MTU towards a destination over a route. */
  mtuTo(route: Route, w0: number, w1: number, w2: number, w3: number): number
}

/** @internal What sends an endpoint's datagrams. */
export interface EndpointSender {
  beginSend(length: number): Packet
  send(
    endpoint: Endpoint,
    packet: Packet,
    to: Address | null,
    toPort: number,
    zone: number,
    options: SendOptions | null,
  ): Errno
}

/** @internal What an endpoint asks of the UDP layer. */
export interface EndpointHost {
  readonly ip: EndpointIp
  readonly ports: PortTable<Endpoint>
  readonly sender: EndpointSender
  readonly ready: ReadyHost
}

/**
 * Only the endpoint writes its addresses, and each part writes its own state. It has more than 25
 * members because a socket's two ends are eight of them, which the port table reads for each
 * packet.
 */
export class Endpoint extends EndpointOptions {
  readonly family: 4 | 6
  /** The multicast groups that it joined. */
  readonly groups: EndpointGroups
  /** @internal */
  readonly queue: ReceiveQueue
  /** @internal */
  readonly routeCache: RouteCache
  readonly #host: EndpointHost

  /** The bound address; unspecified when bound to any. */
  localAddress: Address
  /** 0 until bound. */
  localPort = 0
  /** @internal The nic that the zone of a bound address names (`sin6_scope_id`), 0 for none. */
  localNic = 0
  /**
   * What datagrams are sent from; `null` lets the route decide. Another one than `localAddress` for
   * groups and broadcast addresses.
   * @internal
   */
  sourceAddress: Address | null = null
  remoteAddress: Address | null = null
  remotePort = 0
  /** @internal */
  remoteNic = 0
  /**
   * What was bound to, any, when `connect` chose another `localAddress` that goes with the peer.
   */
  #unpinned: Address | null = null
  closed = false

  /** @internal */
  constructor(host: EndpointHost, family: 4 | 6, receiver: EndpointReceiver) {
    super()
    this.#host = host
    this.family = family
    this.localAddress = family === 4 ? Address.ANY4 : Address.ANY6
    this.groups = new EndpointGroups(host.ip, family)
    this.queue = new ReceiveQueue(receiver, this, host.ready)
    this.routeCache = new RouteCache(host.ip, this)
  }

  get isBound(): boolean {
    return this.localPort !== 0
  }

  /**
   * The nic that the endpoint keeps to, both ways; 0 for all: that of the peer's or the own zone,
   * or SO_BINDTODEVICE (Linux: sk_bound_dev_if).
   * @internal
   */
  get device(): number {
    return this.remoteNic || this.localNic || this.boundNic
  }

  /** @internal Whether a udp6 endpoint also speaks IPv4. */
  get dualStack(): boolean {
    return this.family === 6 && !this.ipv6Only
  }

  /** Bytes that wait for the program, bookkeeping included. */
  get queued(): number {
    return this.queue.charged
  }

  /**
   * Binds to an address of the stack, a group, or any; port 0 takes a random free one.
   * @returns EINVAL (bound already, or a link-local address without zone), EADDRNOTAVAIL,
   *   EADDRINUSE, EACCES, EAFNOSUPPORT
   */
  bind(address: Address, port: number, nic = 0): Errno {
    const { ip, ports } = this.#host
    if (this.closed) return 'EBADF'
    if (this.isBound) return 'EINVAL'
    const scoped = needsNic(address)
    const over = scoped && nic !== 0 ? nic : this.device
    const wrong = checkBind(ip, this, address, over)
    if (wrong !== '') return wrong
    const before = this.localAddress
    this.localAddress = this.family === 4 && address.isUnspecified ? Address.ANY4 : address
    this.localNic = scoped ? over : 0
    const chosen = port === 0 ? ports.freePort(this) : port
    if (chosen === 0 || (port !== 0 && ports.conflicts(this, port))) {
      this.localAddress = before
      this.localNic = 0
      return 'EADDRINUSE'
    }
    this.sourceAddress = sourceOf(ip, this, this.localAddress)
    // Linux: a socket that is bound to an IPv6 address speaks IPv6 alone.
    if (address.family === 6 && !address.isUnspecified) this.ipv6Only = true
    this.localPort = chosen
    ports.add(this)
    return ''
  }

  /** Binds to a random port of any address, unless it is bound. */
  bindToAny(): Errno {
    return this.isBound ? '' : this.bind(this.family === 4 ? Address.ANY4 : Address.ANY6, 0)
  }

  /**
   * Sets the peer; binds to a random port first when unbound. @returns ENETUNREACH, EACCES, EINVAL,
   * EAFNOSUPPORT, …
   */
  connect(to: Address, port: number, zone = 0): Errno {
    const { ip, ports } = this.#host
    if (this.closed) return 'EBADF'
    const address = to.isUnspecified ? destinationForAny(ip, this, to, null) : to
    const four = address.family === 4
    if (this.family === 4 && !four) return 'EAFNOSUPPORT'
    if (this.family === 6 && four && this.ipv6Only) return 'ENETUNREACH'
    let nic = 0
    if (needsNic(address)) {
      if (zone !== 0 && this.device !== 0 && zone !== this.device) return 'EINVAL'
      nic = zone || this.device || (address.isMulticast ? this.multicastNic6 : 0)
      if (nic === 0) return 'EINVAL'
    }
    const error = this.routeCache.resolve(address, leavingNic(this, address, to, nic, null), null)
    if (error !== '') return error
    const bound = this.bindToAny()
    if (bound !== '') return bound
    if (this.remoteAddress !== null) this.#forgetPeer()
    ports.remove(this)
    const source = this.routeCache.source as Address
    if (this.localAddress.isUnspecified) {
      // Linux: an endpoint that is bound to ::ffff:0.0.0.0 keeps the address.
      this.#unpinned = this.localAddress.family === this.family ? this.localAddress : null
      this.localAddress = source
      this.sourceAddress = source
    }
    this.sourceAddress ??= source
    this.remoteAddress = address
    this.remotePort = port
    this.remoteNic = nic
    ports.add(this)
    return ''
  }

  /** Forgets the peer; a local address that `connect` had chosen becomes any again. */
  disconnect(): void {
    this.#forgetPeer()
    // Linux: the nic goes with the peer, whatever it came from.
    this.localNic = 0
    this.boundNic = 0
    this.routeCache.forget()
  }

  #forgetPeer(): void {
    const { ip, ports } = this.#host
    ports.remove(this)
    this.remoteAddress = null
    this.remotePort = 0
    this.remoteNic = 0
    if (this.#unpinned !== null) {
      this.localAddress = this.#unpinned
      this.sourceAddress = sourceOf(ip, this, this.#unpinned)
      this.#unpinned = null
    }
    if (this.isBound && !this.closed) ports.add(this)
  }

  /**
   * The stack's transmit packet with `length` bytes of payload to be filled at `packet.start`;
   * valid until the next call into the stack.
   */
  beginSend(length: number): Packet {
    return this.#host.sender.beginSend(length)
  }

  /**
   * Sends the payload that the caller has put into the packet of {@link beginSend}. `address` null
   * sends to the peer.
   * @returns `''`, or an errno name: EMSGSIZE, EACCES, ENETUNREACH, EHOSTUNREACH, EINVAL, ENOBUFS,
   *   EDESTADDRREQ, EADDRNOTAVAIL
   */
  send(packet: Packet, address: Address | null, port: number, nic: number, options: SendOptions | null): Errno {
    return this.#host.sender.send(this, packet, address, port, nic, options)
  }

  /** The program has taken, or lost, a datagram of `length` bytes. */
  release(length: number): void {
    this.queue.release(length)
  }

  /** Known MTU of the path to an address (IP_MTU), or 0 when there is no route. */
  pathMtu(address: Address, nic = 0): number {
    const { ip } = this.#host
    const { w0, w1, w2, w3 } = address
    const route = ip.route(w0, w1, w2, w3, nic === 0 ? this.boundNic : nic)
    return route === null ? 0 : ip.mtuTo(route, w0, w1, w2, w3)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.groups.leaveAll()
    if (this.isBound) this.#host.ports.remove(this)
    this.routeCache.close()
  }
}
