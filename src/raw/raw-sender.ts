/**
 * The way of a raw endpoint's packets to IP. Rules and error codes are Linux's (raw_sendmsg,
 * rawv6_sendmsg, raw_send_hdrinc).
 */
import { Address } from '../base/address.ts'
import { finish, sumLong } from '../base/checksum.ts'
import { Drop } from '../base/drop.ts'
import { HEADROOM, MAX_PACKET, Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'
import { isWithin, type NumberRange } from '../base/range.ts'
import type { Counters } from '../ip/counters.ts'
import type { Route } from '../ip/routing/route-table.ts'
import { needsNic } from '../udp/bind.ts'
import type { Errno } from '../udp/errno.ts'
import { FlowLabels } from '../udp/flow-label.ts'
import { leavingNic } from '../udp/route-choice.ts'
import { destinationForAny } from '../udp/route4.ts'
import { checkOwnSource } from '../udp/route6.ts'
import { beginSourceRoute } from '../udp/source-route.ts'
import { unsent } from '../udp/unsent.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import { UDP } from '../wire/protocol.ts'
import type { RawEndpoint } from './raw-endpoint.ts'
import type { RawIp } from './raw-ip.ts'
import type { RawSendOptions } from './raw-options.ts'

/** The longest that is behind an IP header. */
const MAX_PAYLOAD4 = 65_535 - ipv4.HEADER
const MAX_PAYLOAD6 = 65_535
const OCTET: NumberRange = { type: 'integer', minimum: 0, maximum: 255 }
const FLOW_LABEL: NumberRange = { type: 'integer', minimum: 0, maximum: 0xfffff }

export class RawSender {
  readonly #ip: RawIp
  readonly #counters: Counters
  readonly #labels: FlowLabels
  #tx: Packet | null = null

  constructor(ip: RawIp, random: Random, counters: Counters) {
    this.#ip = ip
    this.#counters = counters
    this.#labels = new FlowLabels(random, ip.hash)
  }

  /** See {@link RawEndpoint.send}. */
  send(
    endpoint: RawEndpoint,
    bytes: Uint8Array,
    to: Address | null,
    zone: number,
    options: RawSendOptions | null,
  ): Errno {
    if (endpoint.closed) return 'EBADF'
    const { family, headerIncluded } = endpoint
    const header = headerIncluded ? (family === 4 ? ipv4.HEADER : ipv6.HEADER) : 0
    if (bytes.length < header) return 'EINVAL'
    const given = to ?? endpoint.remoteAddress ?? (headerIncluded ? destinationIn(bytes, family) : null)
    if (given === null) return 'EDESTADDRREQ'
    if (given.family !== family) return 'EAFNOSUPPORT'
    if (options !== null && !areWithin(options)) return 'EINVAL'
    const longest = headerIncluded ? MAX_PACKET : family === 4 ? MAX_PAYLOAD4 : MAX_PAYLOAD6
    if (bytes.length > longest) return 'EMSGSIZE'
    const address = given.isUnspecified ? destinationForAny(this.#ip, endpoint, given, options) : given
    const over = to === null ? 0 : zone
    if (family === 6 && options !== null) {
      const wrong = checkOwnSource(this.#ip, options, (needsNic(address) && over) || endpoint.device)
      if (wrong !== '') return wrong
    }
    const { routeCache, ownOptions } = endpoint
    const own = family === 4 ? ownOptions : null
    if (own !== null && headerIncluded) return 'EINVAL'
    const firstHop = own === null || own.firstHop === 0 ? address : Address.fromIPv4(own.firstHop)
    const wrong = routeCache.resolve(firstHop, leavingNic(endpoint, address, given, over, options), options)
    if (wrong !== '') return wrong
    const packet = this.#fill(bytes)
    packet.family = family
    packet.setAddresses(routeCache.source as Address, address)
    const { nic } = routeCache.route as Route
    const loop =
      routeCache.broadcast ||
      (address.isMulticast && endpoint.multicastLoop && nic.isMember(address.w0, address.w1, address.w2, address.w3))
    return headerIncluded
      ? this.#sendWhole(endpoint, packet, loop)
      : this.#sendPayload(endpoint, packet, address, loop, options)
  }

  #sendPayload(
    endpoint: RawEndpoint,
    packet: Packet,
    address: Address,
    loop: boolean,
    options: RawSendOptions | null,
  ): Errno {
    const { family, protocol, routeCache, checksumOffset } = endpoint
    const route = routeCache.route as Route
    packet.protocol = protocol
    packet.tos = options?.tos ?? endpoint.tos
    packet.identification = 0
    packet.hopLimit = options?.hopLimit ?? this.#hopLimit(endpoint, address, route)
    packet.flowLabel =
      family === 4 ? 0 : (options?.flowLabel ?? routeCache.flowLabel(this.#labels, address, 0, protocol))
    if (checksumOffset !== null) {
      if (checksumOffset + 2 > packet.length) return 'EINVAL'
      encodeChecksum(packet, checksumOffset)
    }
    const own = family === 4 ? endpoint.ownOptions : null
    if (own !== null && own.firstHop !== 0) {
      const wrong = beginSourceRoute(this.#ip, own, packet, route)
      if (wrong !== '') return wrong
    }
    const sent = own === null ? null : own.sent
    const drop = this.#ip.output(packet, route, options?.pmtuMode ?? endpoint.pmtuMode, loop, sent)
    return drop === Drop.None ? '' : unsent(this.#counters, packet, drop)
  }

  #hopLimit({ hopLimit, multicastHopLimit, family }: RawEndpoint, to: Address, { nic }: Route): number {
    if (to.isMulticast) return multicastHopLimit
    return hopLimit < 0 ? this.#ip.hopLimitOver(nic, family) : hopLimit
  }

  /** The destination decides where it goes, the header what is in it. */
  #sendWhole({ family, routeCache }: RawEndpoint, packet: Packet, loop: boolean): Errno {
    const { view, start } = packet
    const route = routeCache.route as Route
    if (packet.length > route.nic.mtuOf(family)) return 'EMSGSIZE'
    if (family === 4) {
      const header = ipv4.headerLength(view, start)
      if (header < ipv4.HEADER || header > packet.length) return 'EINVAL'
      packet.protocol = ipv4.protocol(view, start)
      packet.identification = ipv4.identification(view, start)
      packet.dontFragment = ipv4.dontFragment(view, start) ? 1 : 0
    } else packet.protocol = ipv6.nextHeader(view, start)
    const drop = this.#ip.outputWritten(packet, route, loop)
    return drop === Drop.None ? '' : unsent(this.#counters, packet, drop)
  }

  #fill(bytes: Uint8Array): Packet {
    this.#tx ??= new Packet(HEADROOM + MAX_PACKET)
    const packet = this.#tx.load(bytes)
    packet.network = packet.start
    packet.networkEnd = packet.end
    return packet
  }
}

/** Linux refuses these in control messages, too. */
function areWithin({ hopLimit, tos, flowLabel }: RawSendOptions): boolean {
  return isWithin(hopLimit ?? 0, OCTET) && isWithin(tos ?? 0, OCTET) && isWithin(flowLabel ?? 0, FLOW_LABEL)
}

/** The destination in the header of a whole packet. */
function destinationIn(bytes: Uint8Array, family: 4 | 6): Address {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (family === 4) return Address.fromIPv4(ipv4.destination(view, 0))
  const word = (index: number) => view.getInt32(ipv6.DESTINATION + 4 * index)
  return new Address(word(0), word(1), word(2), word(3))
}

/** RFC 3542 section 3.1; RFC 8200 section 8.1: only UDP sends 0 as 0xffff. */
function encodeChecksum(packet: Packet, offset: number): void {
  const { view, start, end } = packet
  view.setUint16(start + offset, 0)
  // The fixed header is laid down once for the pseudo-header's sum.
  ipv6.encode(packet, start - ipv6.HEADER, packet.protocol)
  const pseudo = ipv6.pseudoHeaderSum(view, start - ipv6.HEADER, packet.protocol, end - start)
  const value = finish(sumLong(packet, start, end, pseudo))
  view.setUint16(start + offset, value === 0 && packet.protocol === UDP ? 0xffff : value)
}
