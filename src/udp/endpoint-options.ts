/** The socket options of an endpoint: what a program sets and the stack reads. */
import { Address } from '../base/address.ts'
import { checkOwn, type OwnOptions } from '../ip/own-options.ts'
import { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import type { Errno } from './errno.ts'

/** Linux: net.core.rmem_default and wmem_default, and the largest value a program may ask for. */
export const DEFAULT_BUFFER = 212_992

/** It has more than 25 members because it has one for each option. */
export class EndpointOptions {
  /** Also set by a bind to an IPv6 address, as in Linux. */
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
   * IP_OPTIONS, as {@link setIpOptions} checked them; `null` for none. It alone writes both.
   * @internal
   */
  ownOptions: OwnOptions | null = null
  /** @internal Where a source route begins; `null` without one. */
  firstHop: Address | null = null
  /**
   * UDP_NO_CHECK6_TX and UDP_NO_CHECK6_RX, for tunnels over IPv6 alone: the checksum is left out,
   * and may be missing in what arrives (RFC 6935, RFC 6936).
   */
  sendsZeroChecksum = false
  takesZeroChecksum = false
  /**
   * A datagram with a lower TTL or hop limit is discarded: 255 takes neighbors only (GTSM, RFC
   * 5082).
   */
  minHopLimit = 0
  /** SO_BINDTODEVICE: 0 for none. `disconnect` also clears it, as Linux. */
  boundNic = 0
  /** SO_DONTROUTE: only destinations on a directly attached network. */
  dontRoute = false
  /** Whether ICMP errors other than hard ones on a connected socket are wanted (IP_RECVERR). */
  receiveErrors = false
  /** Bytes, as `getsockopt` shows them (twice what was asked for, as Linux). */
  receiveBuffer = DEFAULT_BUFFER
  sendBuffer = DEFAULT_BUFFER

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
  }
}
