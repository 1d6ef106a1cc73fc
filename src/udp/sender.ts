/**
 * The way of a datagram from an endpoint to IP. Rules and error codes are Linux's (udp_sendmsg,
 * udpv6_sendmsg).
 */
import type { Address } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import type { KeyedHash } from '../base/hash.ts'
import { ChecksumState, HEADROOM, MAX_PACKET, Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'
import type { Counters } from '../ip/counters.ts'
import type { OwnOptions } from '../ip/own-options.ts'
import type { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import type { RouteNic } from '../ip/routing/route-nic.ts'
import type { Route } from '../ip/routing/route-table.ts'
import { UDP } from '../wire/protocol.ts'
import * as udp from '../wire/udp.ts'
import { needsNic } from './bind.ts'
import type { Endpoint } from './endpoint.ts'
import type { Errno } from './errno.ts'
import { FlowLabels } from './flow-label.ts'
import { leavingNic, type RouteHost } from './route-choice.ts'
import { destinationForAny } from './route4.ts'
import { checkOwnSource } from './route6.ts'
import type { SendOptions } from './send-options.ts'
import { beginSourceRoute, type SourceRouteHost } from './source-route.ts'
import { unsent } from './unsent.ts'

/**
 * Payload that the transmit packet holds until a longer one is sent: simulations have thousands of
 * hosts.
 */
const USUAL_PAYLOAD = 2048

/** What the sender asks of IP. */
export interface SendHost extends RouteHost, SourceRouteHost {
  readonly hash: KeyedHash
  /** TTL or hop limit of what is sent over a nic without one of its own. */
  hopLimitOver(nic: RouteNic, family: number): number
  output(packet: Packet, route: Route, mode: PmtuMode, loop: boolean, options: Uint8Array | null): Drop
}

export class Sender {
  readonly #ip: SendHost
  readonly #counters: Counters
  readonly #labels: FlowLabels
  #tx: Packet | null = null

  constructor(ip: SendHost, random: Random, counters: Counters) {
    this.#ip = ip
    this.#counters = counters
    this.#labels = new FlowLabels(random, ip.hash)
  }

  /**
   * The transmit packet with `length` bytes of payload to fill at `packet.start`; valid until the
   * next call into the stack.
   */
  beginSend(length: number): Packet {
    // Longer than any datagram: `send` says EMSGSIZE; the bytes do not matter.
    const end = HEADROOM + Math.min(length, MAX_PACKET)
    if (this.#tx === null || this.#tx.capacity < end)
      this.#tx = new Packet(HEADROOM + (length <= USUAL_PAYLOAD ? USUAL_PAYLOAD : MAX_PACKET))
    this.#tx.reset(HEADROOM, end)
    return this.#tx
  }

  /** `to` null sends to the peer; `zone` is the nic of a destination's zone. */
  send(
    endpoint: Endpoint,
    packet: Packet,
    to: Address | null,
    toPort: number,
    zone: number,
    options: SendOptions | null,
  ): Errno {
    if (endpoint.closed) return 'EBADF'
    const given = to ?? endpoint.remoteAddress
    if (given === null) return 'EDESTADDRREQ'
    const port = to === null ? endpoint.remotePort : toPort
    if (port === 0) return 'EINVAL'
    const address = given.isUnspecified ? destinationForAny(this.#ip, endpoint, given, options) : given
    const four = address.family === 4
    if (four !== (endpoint.family === 4)) {
      const errno = checkFamily(endpoint)
      if (errno !== '') return errno
    }
    if (!endpoint.isBound) {
      const errno = endpoint.bindToAny()
      if (errno !== '') return errno
    }
    if (packet.end - packet.start > (four ? udp.MAX_PAYLOAD4 : udp.MAX_PAYLOAD6)) return 'EMSGSIZE'
    const over = to === null ? 0 : zone
    if (!four && options !== null) {
      const errno = checkOwnSource(this.#ip, options, (needsNic(address) && over) || endpoint.device)
      if (errno !== '') return errno
    }
    const firstHop = four ? endpoint.firstHop : null
    const nic = leavingNic(endpoint, address, given, over, options)
    const { routeCache } = endpoint
    const errno = routeCache.resolve(firstHop ?? address, nic, options)
    if (errno !== '') return errno

    const route = routeCache.route as Route
    const source = routeCache.source as Address
    const multicast = address.isMulticast
    packet.family = four ? 4 : 6
    packet.protocol = UDP
    packet.tos = options?.tos ?? endpoint.tos
    packet.hopLimit =
      options?.hopLimit ??
      (multicast
        ? endpoint.multicastHopLimit
        : endpoint.hopLimit < 0
          ? this.#ip.hopLimitOver(route.nic, packet.family)
          : endpoint.hopLimit)
    packet.flowLabel = four ? 0 : routeCache.flowLabel(this.#labels, address, endpoint.localPort, port)
    packet.identification = routeCache.nextNumber()
    packet.setAddresses(source, address)
    const loop =
      routeCache.broadcast ||
      (multicast && endpoint.multicastLoop && route.nic.isMember(address.w0, address.w1, address.w2, address.w3))
    const surplus = options?.surplus ?? 0
    packet.end -= surplus
    packet.start -= udp.HEADER
    udp.encode(packet.view, packet.start, packet.end, endpoint.localPort, port)
    const deviceCompletes = route.nic.link.offload.checksum && !loop && surplus === 0 && firstHop === null
    if (four || !endpoint.sendsZeroChecksum) encodeChecksum(packet, deviceCompletes)
    packet.end += surplus
    if (firstHop !== null) {
      const errno = beginSourceRoute(this.#ip, endpoint.ownOptions as OwnOptions, packet, route)
      if (errno !== '') return errno
    }
    const sent = four && endpoint.ownOptions !== null ? endpoint.ownOptions.sent : null
    const drop = this.#ip.output(packet, route, options?.pmtuMode ?? endpoint.pmtuMode, loop, sent)
    if (drop !== Drop.None) return unsent(this.#counters, packet, drop)
    this.#counters.of(packet.family).UdpOutDatagrams++
    return ''
  }
}

/**
 * A destination of the other family: a udp6 endpoint reaches IPv4 unless it is one of IPv6 alone.
 */
function checkFamily({ family, ipv6Only, localAddress }: Endpoint): Errno {
  if (family === 4) return 'EINVAL'
  return ipv6Only || (localAddress.family === 6 && !localAddress.isUnspecified) ? 'ENETUNREACH' : ''
}

/**
 * Fills the checksum field, which is 0. What `deviceCompletes` and has to be fragmented is
 * completed by IP.
 */
function encodeChecksum(packet: Packet, deviceCompletes: boolean): void {
  const pseudo = pseudoHeaderSum(packet)
  if (deviceCompletes) {
    udp.encodePartialChecksum(packet.view, packet.start, pseudo)
    packet.checksumState = ChecksumState.Partial
  } else udp.encodeChecksum(packet, packet.start, packet.end, pseudo)
}

/** The sum over the packet's addresses, protocol and length, before the IP header exists. */
function pseudoHeaderSum(packet: Packet): number {
  const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
  const total = halves(s3) + halves(d3) + UDP + packet.end - packet.start
  if (packet.family === 4) return total
  return total + halves(s0) + halves(s1) + halves(s2) + halves(d0) + halves(d1) + halves(d2)
}

function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff)
}
