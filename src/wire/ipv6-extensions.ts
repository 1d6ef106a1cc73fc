/**
 * The extension headers of IPv6: RFC 8200 section 4, and what a host takes note of in them.
 *
 *     Fragment header (section 4.5)
 *     +---------------+---------------+-------------------------+---+-+
 *     |  Next Header  |   Reserved    |     Fragment Offset     |Res|M|
 *     +---------------+---------------+-------------------------+---+-+
 *     |                        Identification                         |
 *     +---------------------------------------------------------------+
 */
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import { HEADER, nextHeader, PAYLOAD_LENGTH } from './ipv6-header.ts'
import { AUTHENTICATION, DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP, NO_NEXT_HEADER, ROUTING } from './protocol.ts'

export const FRAGMENT_HEADER = 8

/** Parameter Problem codes (RFC 4443 section 3.4, RFC 7112). */
export const ERRONEOUS_FIELD = 0
export const UNKNOWN_NEXT_HEADER = 1
export const UNKNOWN_OPTION = 2
export const INCOMPLETE_HEADER_CHAIN = 3

/** Linux: net.ipv6.max_hbh_opts_number and max_dst_opts_number. */
const MAX_OPTIONS = 8
/** RFC 4942 section 2.1.9.5, Linux: no run of padding longer than 7 bytes. */
const MAX_PADDING = 7
/** Router Alert (RFC 2711), the one hop-by-hop option a host takes note of. */
const OPTION_PAD1 = 0
const OPTION_PADN = 1
const OPTION_ROUTER_ALERT = 5
const OPTION_JUMBO = 0xc2

/**
 * Steps over extension headers from `packet.transport` until an upper-layer protocol or a fragment
 * header (then `fragmentHeader` is set and `protocol` is what follows it). Any order and number
 * (RFC 8200 section 4.1: "in any order and occurring any number of times"), bounded by the packet's
 * length. Hop-by-hop anywhere but first is an unknown protocol to the caller, as Linux has it.
 */
export function walk(packet: Packet): Drop {
  for (;;) {
    switch (packet.protocol) {
      case DESTINATION_OPTIONS: {
        const drop = optionsHeader(packet, false)
        if (drop !== Drop.None) return drop
        break
      }
      case ROUTING: {
        const drop = routingHeader(packet)
        if (drop !== Drop.None) return drop
        break
      }
      case FRAGMENT:
        return fragmentHeader(packet)
      case NO_NEXT_HEADER:
        return Drop.IpNoNextHeader
      default:
        return Drop.None
    }
  }
}

/** Moves `transport` behind a header of `length` bytes whose first byte names the next. */
function advance(packet: Packet, length: number): void {
  packet.protocolAt = packet.transport
  packet.protocol = packet.view.getUint8(packet.transport)
  packet.transport += length
}

/** Bytes of the options or routing header at `transport`; 0 when it does not fit. */
function extensionLength(packet: Packet): number {
  if (packet.end - packet.transport < 8) return 0
  const length = (packet.view.getUint8(packet.transport + 1) + 1) * 8
  return length <= packet.end - packet.transport ? length : 0
}

function problem(packet: Packet, drop: Drop, code: number, at: number): Drop {
  packet.problem = code
  packet.pointer = at - packet.network
  return drop
}

/** Hop-by-hop and destination options: RFC 8200 section 4.2. */
export function optionsHeader(packet: Packet, hopByHop: boolean): Drop {
  const view = packet.view
  const length = extensionLength(packet)
  if (length === 0) return Drop.IpExtensionHeader
  const end = packet.transport + length
  let options = 0
  let padding = 0
  for (let at = packet.transport + 2; at < end; ) {
    const type = view.getUint8(at)
    if (type === OPTION_PAD1) {
      if (++padding > MAX_PADDING) return Drop.IpExtensionHeader
      at++
      continue
    }
    if (end - at < 2) return Drop.IpExtensionHeader
    const size = view.getUint8(at + 1) + 2
    if (size > end - at) return Drop.IpExtensionHeader
    if (type === OPTION_PADN) {
      padding += size
      if (padding > MAX_PADDING) return Drop.IpExtensionHeader
      for (let pad = at + 2; pad < at + size; pad++) if (view.getUint8(pad) !== 0) return Drop.IpExtensionHeader
    } else {
      padding = 0
      if (++options > MAX_OPTIONS) return Drop.IpExtensionHeader
      if (hopByHop && type === OPTION_JUMBO) return jumbo(packet, at, size)
      const known = hopByHop && type === OPTION_ROUTER_ALERT
      if (known && size !== 4) return Drop.IpExtensionHeader
      if (!known) {
        const action = type >>> 6
        const multicast = packet.d0 >>> 24 === 0xff
        // 00 skip; 01 discard; 10 discard and report always; 11 discard and report unless the
        // destination is multicast.
        if (action === 2 || (action === 3 && !multicast))
          return problem(packet, Drop.IpUnknownOption, UNKNOWN_OPTION, at)
        if (action !== 0) return Drop.IpUnknownOption
      }
    }
    at += size
  }
  advance(packet, length)
  return Drop.None
}

/**
 * RFC 2675 section 3: a Payload Length of 0 in front of a hop-by-hop header leaves the length to a
 * Jumbo Payload option there. What is wrong with it is reported as far as the frame goes, which
 * ends at `frameEnd`.
 */
export function withoutLength(packet: Packet, frameEnd: number): Drop {
  packet.networkEnd = packet.end = frameEnd
  const drop = extensionLength(packet) === 0 ? Drop.None : optionsHeader(packet, true)
  return drop === Drop.None
    ? problem(packet, Drop.IpExtensionHeader, ERRONEOUS_FIELD, packet.network + PAYLOAD_LENGTH)
    : drop
}

/**
 * RFC 2675 section 3: where a jumbo payload is malformed, this says so; a right one is longer than
 * any packet here.
 */
function jumbo(packet: Packet, at: number, size: number): Drop {
  const { view, network, end } = packet
  if (size !== 6 || ((at - network) & 3) !== 2) return Drop.IpExtensionHeader
  if (view.getUint32(at + 2) <= 65_535) return problem(packet, Drop.IpExtensionHeader, ERRONEOUS_FIELD, at + 2)
  if (view.getUint16(network + PAYLOAD_LENGTH) !== 0)
    return problem(packet, Drop.IpExtensionHeader, ERRONEOUS_FIELD, at)
  const fragment = fragmentAt(view, HOP_BY_HOP, network + HEADER, end)
  return fragment < 0 ? Drop.IpTotalLength : problem(packet, Drop.IpExtensionHeader, ERRONEOUS_FIELD, fragment)
}

/**
 * Any routing type is refused with segments left (RFC 5095 for type 0) and skipped without (RFC
 * 8200 section 4.4).
 */
function routingHeader(packet: Packet): Drop {
  const length = extensionLength(packet)
  if (length === 0) return Drop.IpExtensionHeader
  // RFC 8200 section 4.4 and Linux: a source route does not lead to a group.
  if (packet.d0 >>> 24 === 0xff) return Drop.IpRoutingHeader
  const segmentsLeft = packet.view.getUint8(packet.transport + 3)
  if (segmentsLeft !== 0) return problem(packet, Drop.IpRoutingHeader, ERRONEOUS_FIELD, packet.transport + 2)
  advance(packet, length)
  return Drop.None
}

function fragmentHeader(packet: Packet): Drop {
  const view = packet.view
  const at = packet.transport
  // Linux points at the header that is not there.
  if (packet.end - at < FRAGMENT_HEADER) return problem(packet, Drop.IpExtensionHeader, ERRONEOUS_FIELD, at)
  // A fragment of a fragment: refused, as Linux does.
  if (packet.fragmentHeader !== 0) return problem(packet, Drop.IpExtensionHeader, ERRONEOUS_FIELD, at)
  const offset = view.getUint16(at + 2)
  packet.fragmentHeader = at
  packet.fragmentOffset = offset & 0xfff8
  packet.moreFragments = offset & 1
  packet.identification = view.getUint32(at + 4)
  advance(packet, FRAGMENT_HEADER)
  return Drop.None
}

/** Whether the next header is one that {@link walk} steps over or into. */
export function isExtension(protocol: number): boolean {
  return (
    protocol === DESTINATION_OPTIONS || protocol === ROUTING || protocol === FRAGMENT || protocol === NO_NEXT_HEADER
  )
}

/**
 * Steps over extension headers from `at`, where a header of type `next` is, without a look at what
 * they hold (Linux: ipv6_skip_exthdr).
 * @returns the offset and the type (low 8 bits) of the first header that is none, of No Next
 *   Header, or of a later fragment's header; -1 when the packet ends before
 */
export function skip(view: DataView, next: number, at: number, end: number): number {
  for (;;) {
    if (!isSkipped(next)) return (at << 8) | next
    if (end - at < 2) return -1
    if (next === FRAGMENT && end - at < 4) return -1
    if (next === FRAGMENT && view.getUint16(at + 2) >= 8) return (at << 8) | FRAGMENT
    const length = skippedLength(view, next, at)
    next = view.getUint8(at)
    at += length
  }
}

/** The headers that {@link skip} steps over. */
export function isSkipped(next: number): boolean {
  return (
    next === HOP_BY_HOP ||
    next === DESTINATION_OPTIONS ||
    next === ROUTING ||
    next === FRAGMENT ||
    next === AUTHENTICATION
  )
}

/** Bytes of the header at `at`, of a type that {@link isSkipped}; RFC 4302 counts in 4 bytes. */
export function skippedLength(view: DataView, next: number, at: number): number {
  if (next === FRAGMENT) return FRAGMENT_HEADER
  const length = view.getUint8(at + 1)
  return next === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8
}

/**
 * The value of the Router Alert (RFC 2711 section 2.1) in a hop-by-hop header that {@link parse}
 * has accepted, or -1.
 */
export function routerAlert(view: DataView, at: number): number {
  if (nextHeader(view, at) !== HOP_BY_HOP) return -1
  const end = at + HEADER + (view.getUint8(at + HEADER + 1) + 1) * 8
  for (let option = at + HEADER + 2; option < end; ) {
    const type = view.getUint8(option)
    if (type === OPTION_ROUTER_ALERT) return view.getUint16(option + 2)
    option += type === OPTION_PAD1 ? 1 : view.getUint8(option + 1) + 2
  }
  return -1
}

/**
 * Offset of the fragment header among the extension headers from `at`, where one of type `next` is;
 * -1 without one.
 */
function fragmentAt(view: DataView, next: number, at: number, end: number): number {
  while (isSkipped(next) && next !== FRAGMENT && end - at >= 2) {
    const length = skippedLength(view, next, at)
    next = view.getUint8(at)
    at += length
  }
  return next === FRAGMENT && at < end ? at : -1
}

export function encodeFragmentHeader(
  view: DataView,
  at: number,
  next: number,
  offset: number,
  more: boolean,
  identification: number,
): void {
  view.setUint8(at, next)
  view.setUint8(at + 1, 0)
  view.setUint16(at + 2, offset | (more ? 1 : 0))
  view.setUint32(at + 4, identification)
}
