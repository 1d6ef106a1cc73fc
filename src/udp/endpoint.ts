/**
 * The kernel side of a UDP socket: what `struct udp_sock` is to Linux. No Buffer, no events, no
 * Error objects: failures are code strings.
 */
import { Address } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import type { IcmpError } from '../ip/icmp/icmp-error.ts'
import { checkOwn, type OwnOptions } from '../ip/own-options.ts'
import { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import type { Route } from '../ip/routing/route-table.ts'
import type { IcmpExtension } from '../wire/icmp-extensions.ts'
import type { Errno, IcmpErrno } from './errno.ts'
import type { UdpLayer } from './udp-layer.ts'

/** The upper side of an endpoint. */
export interface EndpointReceiver {
  /**
   * A datagram: its payload is `packet.start … packet.end`, lent for the call. Called from within
   * the input of a packet, never from within `send`; what must not run there (programs' listeners)
   * waits for `flush`. The endpoint has counted its charge in bytes against the receive buffer, and
   * the receiver gives them back with `release`.
   */
  receive(packet: Packet, sourcePort: number): void
  /** After the last datagram of one wake-up. */
  flush(): void
  /**
   * An ICMP error that was checked to concern this endpoint; `errno` is what Linux reports on a
   * connected socket, `''` when it reports nothing.
   */
  icmp(error: IcmpError, errno: IcmpErrno): void
}

/** Per-datagram settings that go before the endpoint's own. */
export interface SendOptions {
  hopLimit?: number
  tos?: number
  /** Source address; must be one of the stack's. */
  source?: Address
  /** Index of the nic to leave by. */
  nic?: number
  pmtuMode?: PmtuMode
  /**
   * Bytes at the end of the packet that the UDP length does not count: an area of options
   * (`udp-options.ts`).
   */
  surplus?: number
}

/** Linux: net.core.rmem_default and wmem_default, and the largest value a program may ask for. */
export const DEFAULT_BUFFER = 212_992

/**
 * What one waiting datagram costs of the receive buffer: payload and bookkeeping (Linux counts its
 * `truesize`, 768 bytes for a small one).
 */
export function charge(length: number): number {
  return length + 512
}

/**
 * What one waiting ICMP error costs of it (Linux: sock_queue_err_skb, a quote's `truesize`), and
 * its extensions besides.
 */
export function errorCharge(extensions: readonly IcmpExtension[]): number {
  let cost = 768
  for (const { payload } of extensions) cost += 512 + payload.length
  return cost
}

/**
 * A joined group on one nic, with the sources it wants (INCLUDE) or does not want (EXCLUDE; any
 * source has an empty list): RFC 3678.
 */
export interface EndpointMembership {
  readonly group: Address
  readonly nic: number
  readonly exclude: boolean
  sources: Address[]
}

export class Endpoint {
  readonly family: 4 | 6
  readonly receiver: EndpointReceiver
  readonly #layer: UdpLayer

  /** The bound address; unspecified when bound to any. */
  localAddress: Address
  /** 0 until bound. */
  localPort = 0
  /**
   * What datagrams are sent from; `null` lets the route decide. Another one than `localAddress` for
   * groups and broadcast addresses.
   */
  sourceAddress: Address | null = null
  /** The nic that the zone of a bound address names (`sin6_scope_id`), 0 for none. */
  localNic = 0
  remoteAddress: Address | null = null
  remotePort = 0
  remoteNic = 0
  /**
   * What was bound to, when `connect` chose another `localAddress` that goes with the peer: any.
   */
  unpinned: Address | null = null

  ipv6Only = false
  reuseAddress = false
  reusePort = false
  broadcast = false
  /** -1: the stack's default (64). */
  hopLimit = -1
  /** Linux: IP_MULTICAST_TTL and IPV6_MULTICAST_HOPS, 1. */
  multicastHopLimit = 1
  multicastLoop = true
  /**
   * IP_MULTICAST_IF with the address to send from, and IPV6_MULTICAST_IF: 0 lets the route decide.
   */
  multicastNic4 = 0
  multicastSource4: Address | null = null
  multicastNic6 = 0
  tos = 0
  /** IP_MTU_DISCOVER; Linux's default is want. */
  pmtuMode: PmtuMode = PmtuMode.Want
  /**
   * IP_OPTIONS: what {@link setIpOptions} accepted, as it goes out; `null` for none. Written by
   * {@link setIpOptions} alone, as the next two.
   */
  sentOptions: Uint8Array | null = null
  ownOptions: OwnOptions | null = null
  /** Where a source route begins; `null` without one. */
  firstHop: Address | null = null
  /**
   * UDP_NO_CHECK6_TX and UDP_NO_CHECK6_RX, for tunnels over IPv6 alone: the checksum is left out,
   * and may be (RFC 6935, RFC 6936).
   */
  sendsZeroChecksum = false
  takesZeroChecksum = false
  /**
   * What comes with a lower TTL or hop limit is discarded: 255 takes neighbors only (GTSM, RFC
   * 5082).
   */
  minHopLimit = 0
  /** SO_BINDTODEVICE: 0 for none. */
  boundNic = 0
  /** SO_DONTROUTE: only destinations on a directly attached network. */
  dontRoute = false
  /** Whether ICMP errors other than hard ones on a connected socket are wanted (IP_RECVERR). */
  receiveErrors = false
  /** Bytes, as `getsockopt` shows them (twice what was asked for, as Linux). */
  receiveBuffer = DEFAULT_BUFFER
  sendBuffer = DEFAULT_BUFFER
  /** Bytes that wait for the program. */
  queued = 0
  closed = false
  /** In the layer's list of endpoints whose receiver waits for `flush`. */
  ready = false

  /**
   * The last destination's route; valid while the table's generation has not moved. Owned by the
   * layer.
   */
  route: Route | null = null
  routeGeneration = -1
  routeTo: Address | null = null
  routeNic = 0
  routeSource: Address | null = null
  /** Whether the destination is an IPv4 broadcast address. */
  routeBroadcast = false
  /**
   * The IPv6 flow label towards the destination and this remote port; the port is 0 when there is
   * none yet.
   */
  flowLabel = 0
  flowPort = 0
  /**
   * Datagrams sent to the address `sentTo` in a row: the numbers of those that are never
   * fragmented.
   */
  sent = 0
  sentTo: Address | null = null
  /** Groups this endpoint joined. */
  memberships: EndpointMembership[] = []

  constructor(layer: UdpLayer, family: 4 | 6, receiver: EndpointReceiver) {
    this.#layer = layer
    this.family = family
    this.receiver = receiver
    this.localAddress = family === 4 ? Address.ANY4 : Address.ANY6
  }

  get isBound(): boolean {
    return this.localPort !== 0
  }

  /**
   * The nic that the endpoint keeps to, both ways; 0 for all: that of the peer's or the own zone,
   * or SO_BINDTODEVICE (Linux: sk_bound_dev_if).
   */
  get device(): number {
    return this.remoteNic || this.localNic || this.boundNic
  }

  /** Whether a udp6 endpoint also speaks IPv4. */
  get dualStack(): boolean {
    return this.family === 6 && !this.ipv6Only
  }

  /**
   * Binds to an address of the stack, a group, or any; port 0 takes a random free one.
   * @returns EINVAL (bound already, or a link-local address without zone), EADDRNOTAVAIL,
   *   EADDRINUSE, EACCES, EAFNOSUPPORT
   */
  bind(address: Address, port: number, nic = 0): Errno {
    return this.#layer.bind(this, address, port, nic)
  }

  /**
   * Sets the peer; binds to a random port first when unbound. @returns ENETUNREACH, EACCES, EINVAL,
   * EAFNOSUPPORT, …
   */
  connect(address: Address, port: number, nic = 0): Errno {
    return this.#layer.connect(this, address, port, nic)
  }

  /** Forgets the peer; a local address that `connect` had chosen becomes any again. */
  disconnect(): void {
    this.#layer.disconnect(this)
  }

  /**
   * Sends the payload that the caller has put into the packet of {@link beginSend}. `address` null
   * sends to the peer.
   * @returns `''`, or an errno name: EMSGSIZE, EACCES, ENETUNREACH, EHOSTUNREACH, EINVAL, ENOBUFS,
   *   EDESTADDRREQ, EADDRNOTAVAIL
   */
  send(packet: Packet, address: Address | null, port: number, nic: number, options: SendOptions | null): Errno {
    return this.#layer.send(this, packet, address, port, nic, options)
  }

  /**
   * The stack's transmit packet with `length` bytes of payload to be filled at `packet.start`;
   * valid until the next call into the stack.
   */
  beginSend(length: number): Packet {
    return this.#layer.beginSend(length)
  }

  /**
   * Offers a datagram; drops it when the receive buffer is full (as Linux: only when it is already
   * over the limit).
   */
  deliver(packet: Packet, sourcePort: number): Drop {
    if (packet.hopLimit < this.minHopLimit) return Drop.UdpHopLimit
    const cost = charge(packet.end - packet.start)
    if (this.queued !== 0 && this.queued + cost > this.receiveBuffer) return Drop.UdpReceiveBuffer
    this.queued += cost
    this.receiver.receive(packet, sourcePort)
    if (!this.ready) {
      this.ready = true
      this.#layer.markReady(this)
    }
    return Drop.None
  }

  /** The program has taken, or lost, a datagram of `length` bytes. */
  release(length: number): void {
    this.queued -= charge(length)
  }

  /** Whether an ICMP error may wait, too; whoever keeps it {@link chargeError charges} it. */
  hasRoomFor(extensions: readonly IcmpExtension[]): boolean {
    return this.queued + errorCharge(extensions) <= this.receiveBuffer
  }

  /** An ICMP error waits for the program. */
  chargeError(extensions: readonly IcmpExtension[]): void {
    this.queued += errorCharge(extensions)
  }

  /** The program has taken it. */
  releaseError(extensions: readonly IcmpExtension[]): void {
    this.queued -= errorCharge(extensions)
  }

  /** SO_RCVBUF: doubled, with Linux's bounds (2304 to twice rmem_max). */
  setReceiveBuffer(size: number): void {
    this.receiveBuffer = Math.max(2304, Math.min(size, DEFAULT_BUFFER) * 2)
  }

  /** SO_SNDBUF: doubled, with Linux's bounds (4608 to twice wmem_max). */
  setSendBuffer(size: number): void {
    this.sendBuffer = Math.max(4608, Math.min(size, DEFAULT_BUFFER) * 2)
  }

  /**
   * IP_OPTIONS: options of every IPv4 datagram sent; an empty array takes them away. Routes and
   * timestamps get this host's entry; a source route's first hop becomes the destination in the
   * header, and the datagram's own destination its last hop (RFC 791 section 3.1).
   * @returns EINVAL when they are longer than 40 bytes or malformed
   */
  setIpOptions(options: Uint8Array): Errno {
    const checked = checkOwn(options)
    if (checked === null) return 'EINVAL'
    this.ownOptions = checked.given.length === 0 ? null : checked
    this.sentOptions = this.ownOptions?.sent ?? null
    this.firstHop = checked.firstHop === 0 ? null : Address.fromIPv4(checked.firstHop)
    return ''
  }

  /** What {@link setIpOptions} accepted, padded to a multiple of 4; `null` for none. */
  get ipOptions(): Uint8Array | null {
    return this.ownOptions?.given ?? null
  }

  /**
   * IP_MULTICAST_IF and IPV6_MULTICAST_IF: by which nic groups are reached, 0 for what the route
   * says.
   */
  setMulticastNic(nic: number): void {
    this.multicastNic4 = nic
    this.multicastNic6 = nic
    this.multicastSource4 = null
    this.routeTo = null
  }

  /**
   * IP_ADD_MEMBERSHIP and MCAST_JOIN_GROUP; `nic` 0 lets the route to the group decide. @returns
   * EINVAL, ENODEV, EADDRINUSE, ENOBUFS
   */
  join(group: Address, nic: number): Errno {
    return this.#layer.join(this, group, nic)
  }

  /** @returns EADDRNOTAVAIL when not joined, EINVAL, ENODEV */
  leave(group: Address, nic: number): Errno {
    return this.#layer.leave(this, group, nic)
  }

  /**
   * MCAST_BLOCK_SOURCE: a group that was joined for any source, but not for this one. @returns
   * EINVAL, EADDRNOTAVAIL, ENOBUFS
   */
  blockSource(group: Address, source: Address, nic: number): Errno {
    return this.#layer.blockSource(this, group, source, nic)
  }

  /** MCAST_UNBLOCK_SOURCE. @returns EINVAL, EADDRNOTAVAIL */
  unblockSource(group: Address, source: Address, nic: number): Errno {
    return this.#layer.unblockSource(this, group, source, nic)
  }

  /** MCAST_JOIN_SOURCE_GROUP. @returns EINVAL, ENODEV, EADDRNOTAVAIL, ENOBUFS */
  joinSource(group: Address, source: Address, nic: number): Errno {
    return this.#layer.joinSource(this, group, source, nic)
  }

  /** MCAST_LEAVE_SOURCE_GROUP. @returns EADDRNOTAVAIL, EINVAL, ENODEV */
  leaveSource(group: Address, source: Address, nic: number): Errno {
    return this.#layer.leaveSource(this, group, source, nic)
  }

  /** Known MTU of the path to an address (IP_MTU), or 0 when there is no route. */
  pathMtu(address: Address, nic = 0): number {
    return this.#layer.pathMtu(this, address, nic)
  }

  close(): void {
    if (!this.closed) {
      this.closed = true
      this.#layer.close(this)
    }
  }
}
