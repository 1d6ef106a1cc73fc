/**
 * Neighbor Discovery messages: RFC 4861 section 4 (their checks: sections 6.1, 7.1),
 * RFC 6980 for fragments. Their options are in `ndp-options.ts`, and in this namespace too.
 *
 *     Neighbor Solicitation (135) and Advertisement (136)
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+---------------+-------------------------------+
 *     |     Type      |   Code = 0    |           Checksum            |
 *     +-+-+-+---------+---------------+-------------------------------+
 *     |R|S|O|                     Reserved                            |
 *     +-+-+-+---------------------------------------------------------+
 *     |                   Target Address (16 bytes)                   |
 *     +---------------------------------------------------------------+
 *     |   Options ...
 *
 *     Router Advertisement (134); a Router Solicitation (133) has 4 reserved bytes, then options
 *     +---------------+---------------+-------------------------------+
 *     |     Type      |   Code = 0    |           Checksum            |
 *     +---------------+-+-+-----------+-------------------------------+
 *     | Cur Hop Limit |M|O|H|Prf|Resvd|       Router Lifetime         |
 *     +---------------+-+-+-----------+-------------------------------+
 *     |                        Reachable Time                         |
 *     +---------------------------------------------------------------+
 *     |                        Retrans Timer                          |
 *     +---------------------------------------------------------------+
 *     |   Options ...
 *
 *     Redirect (137): Type 137, Code 0, Checksum, Reserved (4 bytes), Target Address, Destination
 *     Address (16 bytes each), options
 */
import { Address, formatWords6, isMulticast, isUnspecified } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import { LINK_ADDRESS_OPTION, nextOption, SOURCE_LINK_ADDRESS } from './ndp-options.ts'

export * from './ndp-options.ts'

export const ALL_NODES = Address.parse('ff02::1')
export const ALL_ROUTERS = Address.parse('ff02::2')
export const ROUTER_SOLICITATION = 133
export const ROUTER_ADVERTISEMENT = 134
export const NEIGHBOR_SOLICITATION = 135
export const NEIGHBOR_ADVERTISEMENT = 136
export const REDIRECT = 137
const FLAGS = 4
const TARGET = 8

/** Bytes in front of the options. */
export const SOLICITATION_HEADER = 8
export const ADVERTISEMENT_HEADER = 16
export const NEIGHBOR_HEADER = 24
const REDIRECT_HEADER = 40

/** Flags of a Neighbor Advertisement. */
export const ROUTER = 0x80
export const SOLICITED = 0x40
export const OVERRIDE = 0x20

/**
 * Messages are sent and believed only with this hop limit: no router was in between (RFC 4861
 * section 3.1).
 */
export const HOP_LIMIT = 255

/**
 * Checks the message at `packet.transport`, its ICMPv6 checksum already verified, against every
 * rule that needs no state.
 */
export function parse(packet: Packet): Drop {
  const { view, transport } = packet
  if (packet.hopLimit !== HOP_LIMIT) return Drop.NdMalformed
  // RFC 6980 section 5: no message comes in fragments, not even in an atomic one.
  if (packet.fragmentHeader !== 0) return Drop.NdMalformed
  if (view.getUint8(transport + 1) !== 0) return Drop.NdMalformed
  const kind = view.getUint8(transport)
  const header = headerOf(kind)
  if (packet.end - transport < header) return Drop.NdMalformed
  for (let at = transport + header; at < packet.end; ) {
    if (packet.end - at < 2) return Drop.NdMalformed
    const length = view.getUint8(at + 1) * 8
    if (length === 0 || length > packet.end - at) return Drop.NdMalformed
    at += length
  }
  switch (kind) {
    case NEIGHBOR_SOLICITATION:
      if (targetIsMulticast(view, transport)) return Drop.NdMalformed
      if (!unspecifiedSource(packet)) return Drop.None
      // Duplicate address detection asks the group, and has no hardware address to tell.
      if (!isSolicitedNode(packet) || findOption(packet, SOURCE_LINK_ADDRESS, LINK_ADDRESS_OPTION) !== 0)
        return Drop.NdMalformed
      return Drop.None
    case NEIGHBOR_ADVERTISEMENT:
      if (targetIsMulticast(view, transport)) return Drop.NdMalformed
      return packet.d0 >>> 24 === 0xff && (flags(view, transport) & SOLICITED) !== 0 ? Drop.NdMalformed : Drop.None
    case ROUTER_SOLICITATION:
      return unspecifiedSource(packet) && findOption(packet, SOURCE_LINK_ADDRESS, LINK_ADDRESS_OPTION) !== 0
        ? Drop.NdMalformed
        : Drop.None
    case REDIRECT:
      return packet.s0 >>> 22 === 0x3fa && isRedirectable(view, transport) ? Drop.None : Drop.NdMalformed
    default:
      // Router Advertisements come from a link-local address.
      return packet.s0 >>> 22 === 0x3fa ? Drop.None : Drop.NdMalformed
  }
}

/**
 * Section 8.1: the destination is no group, and the target is a router's link-local address or the
 * destination itself.
 */
function isRedirectable(view: DataView, at: number): boolean {
  let same = true
  for (const word of [0, 1, 2, 3] as const) if (target(view, at, word) !== redirectedTo(view, at, word)) same = false
  if (redirectedTo(view, at, 0) >>> 24 === 0xff) return false
  return same || target(view, at, 0) >>> 22 === 0x3fa
}

function headerOf(kind: number): number {
  if (kind === ROUTER_SOLICITATION) return SOLICITATION_HEADER
  if (kind === ROUTER_ADVERTISEMENT) return ADVERTISEMENT_HEADER
  return kind === REDIRECT ? REDIRECT_HEADER : NEIGHBOR_HEADER
}

function unspecifiedSource(packet: Packet): boolean {
  return isUnspecified(packet.s0, packet.s1, packet.s2, packet.s3)
}

function targetIsMulticast(view: DataView, at: number): boolean {
  return isMulticast(target(view, at, 0), target(view, at, 1), target(view, at, 2), target(view, at, 3))
}

/** ff02::1:ffXX:XXXX. */
function isSolicitedNode(packet: Packet): boolean {
  return (
    packet.d0 === SOLICITED_NODE_0 && packet.d1 === 0 && packet.d2 === SOLICITED_NODE_2 && packet.d3 >>> 24 === 0xff
  )
}

/**
 * The solicited-node group of an address whose last word is given (RFC 4291 section 2.7.1): words 0
 * to 3, word 1 being 0.
 */
export const SOLICITED_NODE_0 = 0xff020000 | 0
export const SOLICITED_NODE_2 = 1

export function solicitedNode3(w3: number): number {
  return w3 | 0xff000000
}

/**
 * Offset of the first option of a type in the message at `packet.transport` that has at least
 * `length` bytes; 0 without one.
 */
export function findOption(packet: Packet, type: number, length: number): number {
  const { view, transport } = packet
  return nextOption(packet, transport + headerOf(view.getUint8(transport)), type, length)
}

export function flags(view: DataView, at: number): number {
  return view.getUint8(at + FLAGS)
}

/** Word 0 to 3 of the target. */
export function target(view: DataView, at: number, word: 0 | 1 | 2 | 3): number {
  return view.getInt32(at + TARGET + 4 * word)
}

/** Word 0 to 3 of a Redirect's destination. */
export function redirectedTo(view: DataView, at: number, word: 0 | 1 | 2 | 3): number {
  return view.getInt32(at + NEIGHBOR_HEADER + 4 * word)
}

export function currentHopLimit(view: DataView, at: number): number {
  return view.getUint8(at + 4)
}

/** Of a Router Advertisement: {@link PREFERENCE}. */
export function routerPreference(view: DataView, at: number): number {
  return (view.getUint8(at + 5) >>> 3) & 3
}

/** Milliseconds. */
export function routerLifetime(view: DataView, at: number): number {
  return view.getUint16(at + 6) * 1000
}

/** Milliseconds; 0 says nothing. */
export function reachableTime(view: DataView, at: number): number {
  return view.getUint32(at + 8)
}

/** Milliseconds; 0 says nothing. */
export function retransTimer(view: DataView, at: number): number {
  return view.getUint32(at + 12)
}

/**
 * Writes flags and target behind the first 4 bytes, which ICMPv6 writes; returns the offset of the
 * options.
 */
export function encodeNeighbor(
  view: DataView,
  at: number,
  flags: number,
  t0: number,
  t1: number,
  t2: number,
  t3: number,
): number {
  view.setUint32(at + FLAGS, (flags << 24) >>> 0)
  view.setInt32(at + TARGET, t0)
  view.setInt32(at + TARGET + 4, t1)
  view.setInt32(at + TARGET + 8, t2)
  view.setInt32(at + TARGET + 12, t3)
  return at + NEIGHBOR_HEADER
}

/**
 * Writes what is in front of a Redirect's options, but for the first 4 bytes; returns their offset.
 */
export function encodeRedirect(
  view: DataView,
  at: number,
  target: Address,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
): number {
  const destination = encodeNeighbor(view, at, 0, target.w0, target.w1, target.w2, target.w3)
  view.setInt32(destination, d0)
  view.setInt32(destination + 4, d1)
  view.setInt32(destination + 8, d2)
  view.setInt32(destination + 12, d3)
  return at + REDIRECT_HEADER
}

/**
 * Fields of a Router Advertisement: times in milliseconds, the preference as in {@link PREFERENCE}.
 */
export interface RouterFields {
  readonly hopLimit: number
  readonly preference: number
  readonly lifetime: number
  readonly reachableTime: number
  readonly retransTimer: number
}

/** Writes what is in front of the options, but for the first 4 bytes; returns their offset. */
export function encodeRouter(view: DataView, at: number, fields: RouterFields): number {
  view.setUint8(at + 4, fields.hopLimit)
  // RFC 4191 section 2.2: of a router that is no default one it says nothing.
  view.setUint8(at + 5, fields.lifetime === 0 ? 0 : fields.preference << 3)
  view.setUint16(at + 6, Math.floor(fields.lifetime / 1000))
  view.setUint32(at + 8, fields.reachableTime)
  view.setUint32(at + 12, fields.retransTimer)
  return at + ADVERTISEMENT_HEADER
}

/** One line about the message at `at`. */
export function describe(view: DataView, at: number): string {
  const kind = view.getUint8(at)
  if (kind === ROUTER_SOLICITATION) return 'ND router solicitation'
  if (kind === ROUTER_ADVERTISEMENT)
    return `ND router advertisement hlim ${currentHopLimit(view, at)} lifetime ${routerLifetime(view, at)} ms`
  const about = formatWords6(target(view, at, 0), target(view, at, 1), target(view, at, 2), target(view, at, 3))
  if (kind === NEIGHBOR_SOLICITATION) return `ND who has ${about}`
  if (kind === REDIRECT) return `ND redirect to ${about}`
  const bits = flags(view, at)
  const names = [
    bits & ROUTER ? 'router' : '',
    bits & SOLICITED ? 'solicited' : '',
    bits & OVERRIDE ? 'override' : '',
  ].filter(Boolean)
  return `ND ${about} answers${names.length > 0 ? ` (${names.join(', ')})` : ''}`
}
