/**
 * Multicast Listener Discovery, both versions: RFC 9777 section 5 (version 2), RFC 2710 section 3
 * (version 1). They are ICMPv6 messages.
 *
 *     Query (130), version 2; version 1 ends behind the address, as do its Report (131) and Done (132)
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+---------------+-------------------------------+
 *     |  Type = 130   |     Code      |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |    Maximum Response Code      |           Reserved            |
 *     +-------------------------------+-------------------------------+
 *     |                 Multicast Address (16 bytes)                  |
 *     +-------+-+-----+---------------+-------------------------------+
 *     | Flags |S| QRV |     QQIC      |     Number of Sources (N)     |
 *     +-------+-+-----+---------------+-------------------------------+
 *     |              Source Address [1 ... N] (16 bytes each)         |
 *
 *     Report, version 2 (143)
 *     +---------------+---------------+-------------------------------+
 *     |  Type = 143   |   Reserved    |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |            Flags              |  Number of Address Records (M)|
 *     +-------------------------------+-------------------------------+
 *     |   Address Record [1 ... M]: type, aux data length, number of sources, multicast address, sources
 */
import { type Address, formatWords6 } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import { floatCode } from './igmp.ts'
import * as ipv6 from './ipv6.ts'
import { HOP_BY_HOP } from './protocol.ts'

const GROUP = 8
/** Queries of version 1, its reports and Done. */
export const HEADER = 24
const QUERY_V2_HEADER = 28
/** Bytes in front of the records of a version 2 report. */
export const REPORT_HEADER = 8
export const RECORD_HEADER = 20

export const QUERY = 130
export const REPORT_V1 = 131
export const DONE = 132
export const REPORT_V2 = 143

const ROUTER_ALERT = 5

/**
 * Checks the message at `packet.transport`, its ICMPv6 checksum already verified (RFC 9777 sections
 * 5.1.14, 5.2.13, 6.2).
 */
export function parse(packet: Packet): Drop {
  const { view, transport, end } = packet
  const kind = view.getUint8(transport)
  const length = end - transport
  if (length < (kind === REPORT_V2 ? REPORT_HEADER : HEADER)) return Drop.GroupReportMalformed
  if (packet.hopLimit !== 1 || !hasRouterAlert(packet)) return Drop.GroupReportMalformed
  // A report may come from the unspecified address (RFC 3590), a query not.
  const unspecified = packet.s0 === 0 && packet.s1 === 0 && packet.s2 === 0 && packet.s3 === 0
  if (packet.s0 >>> 22 !== 0x3fa && !(unspecified && kind !== QUERY)) return Drop.GroupReportMalformed
  if (kind !== QUERY || length === HEADER) return Drop.None
  if (length < QUERY_V2_HEADER || length < QUERY_V2_HEADER + 16 * sourceCount(view, transport))
    return Drop.GroupReportMalformed
  return Drop.None
}

/**
 * Whether the hop-by-hop header has a Router Alert with the value for MLD (RFC 2711); the header
 * was checked by `ipv6.parse`.
 */
function hasRouterAlert(packet: Packet): boolean {
  const { view, network } = packet
  if (ipv6.nextHeader(view, network) !== HOP_BY_HOP) return false
  const end = network + ipv6.HEADER + (view.getUint8(network + ipv6.HEADER + 1) + 1) * 8
  for (let at = network + ipv6.HEADER + 2; at < end; ) {
    const option = view.getUint8(at)
    if (option === ROUTER_ALERT) return view.getUint16(at + 2) === 0
    at += option === 0 ? 1 : view.getUint8(at + 1) + 2
  }
  return false
}

/** Word 0 to 3 of the multicast address; all 0 in a general query. */
export function group(view: DataView, at: number, word: 0 | 1 | 2 | 3): number {
  return view.getInt32(at + GROUP + 4 * word)
}

/** 1 or 2, for the query in `at … end` (RFC 9777 section 8.1). */
export function queryVersion(end: number, at: number): 1 | 2 {
  return end - at > HEADER ? 2 : 1
}

/**
 * Milliseconds (RFC 9777 section 5.1.3: from 32768 on an exponent of 3 bits and a mantissa of 12).
 */
export function maxResponse(view: DataView, at: number, version: 1 | 2): number {
  const code = view.getUint16(at + 4)
  // Linux takes 0 as 1, so that answers have time to spread.
  if (version === 1 || code < 0x8000) return Math.max(1, code)
  return ((code & 0xfff) | 0x1000) << (((code >>> 12) & 7) + 3)
}

/** The querier's robustness variable; 0 means that the querier does not say. */
export function robustness(view: DataView, at: number): number {
  return view.getUint8(at + 24) & 7
}

/** The querier's query interval in milliseconds; 0 means that the querier does not say. */
export function queryInterval(view: DataView, at: number): number {
  return floatCode(view.getUint8(at + 25)) * 1000
}

export function sourceCount(view: DataView, at: number): number {
  return view.getUint16(at + 26)
}

/** Offset of a version 2 query's source `index`. */
export function sourceAt(at: number, index: number): number {
  return at + QUERY_V2_HEADER + 16 * index
}

/**
 * Writes the body of a version 1 report or Done behind the first 4 bytes, which ICMPv6 writes;
 * returns the end.
 */
export function encode(view: DataView, at: number, group: Address): number {
  view.setUint32(at + 4, 0)
  group.write(view, at + GROUP)
  return at + HEADER
}

/** Writes an address record; returns the offset behind it. */
export function encodeRecord(
  view: DataView,
  at: number,
  type: number,
  group: Address,
  sources: readonly Address[],
): number {
  view.setUint8(at, type)
  view.setUint8(at + 1, 0)
  view.setUint16(at + 2, sources.length)
  group.write(view, at + 4)
  let behind = at + RECORD_HEADER
  for (const source of sources) {
    source.write(view, behind)
    behind += 16
  }
  return behind
}

/** One line: version, kind and group. */
export function describe(view: DataView, at: number, end: number): string {
  const kind = view.getUint8(at)
  if (kind === REPORT_V2) return `MLDv2 report ${view.getUint16(at + 6)} records`
  const about = formatWords6(group(view, at, 0), group(view, at, 1), group(view, at, 2), group(view, at, 3))
  if (kind === QUERY) return `MLDv${queryVersion(end, at)} query ${about === '::' ? 'general' : about}`
  return kind === REPORT_V1 ? `MLDv1 report ${about}` : `MLDv1 done ${about}`
}
