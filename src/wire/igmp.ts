/**
 * IGMP, all three versions: RFC 9776 section 4 (version 3), RFC 2236 section 2 (version 2), RFC
 * 1112 appendix I (version 1).
 *
 *     Query (0x11), version 3; the older ones end behind the group
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+---------------+-------------------------------+
 *     |  Type = 0x11  | Max Resp Code |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |                         Group Address                         |
 *     +-------+-+-----+---------------+-------------------------------+
 *     | Flags |S| QRV |     QQIC      |     Number of Sources (N)     |
 *     +-------+-+-----+---------------+-------------------------------+
 *     |                   Source Address [1 ... N]                    |
 *
 *     Report, version 3 (0x22)
 *     +---------------+---------------+-------------------------------+
 *     |  Type = 0x22  |   Reserved    |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |            Flags              |  Number of Group Records (M)  |
 *     +-------------------------------+-------------------------------+
 *     |   Group Record [1 ... M]
 *
 *     Group record
 *     +---------------+---------------+-------------------------------+
 *     |  Record Type  |  Aux Data Len |     Number of Sources (N)     |
 *     +---------------+---------------+-------------------------------+
 *     |              Group Address, Source Address [1 ... N]          |
 */
import { type Address, formatWords, MAPPED } from '../base/address.ts'
import { checksum, verify } from '../base/checksum.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'

const CHECKSUM = 2
const GROUP = 4
/**
 * Queries and reports of versions 1 and 2, and what is in front of a version 3 report's records.
 */
export const HEADER = 8
const QUERY_V3_HEADER = 12
export const RECORD_HEADER = 8

export const QUERY = 0x11
export const REPORT_V1 = 0x12
export const REPORT_V2 = 0x16
export const LEAVE = 0x17
export const REPORT_V3 = 0x22

/** RFC 1112: version 1 has no field for it; Linux: IGMP_QUERY_RESPONSE_INTERVAL. */
const V1_RESPONSE = 10_000

/** Checks length and checksum of the message at `packet.transport`, and a query's form. */
export function parse(packet: Packet): Drop {
  const { view, transport, end } = packet
  const length = end - transport
  if (length < HEADER) return Drop.GroupReportMalformed
  if (!verify(view, transport, end, 0)) return Drop.GroupReportMalformed
  if (view.getUint8(transport) !== QUERY) return Drop.None
  // RFC 9776 section 7.1: 8 bytes are an older version's, 12 and more this one's, the rest
  // nobody's.
  if (length === HEADER) return Drop.None
  if (length < QUERY_V3_HEADER || length < QUERY_V3_HEADER + 4 * sourceCount(view, transport))
    return Drop.GroupReportMalformed
  return Drop.None
}

export function type(view: DataView, at: number): number {
  return view.getUint8(at)
}

/** The group's word; 0 in a general query. */
export function group(view: DataView, at: number): number {
  return view.getInt32(at + GROUP)
}

/** 1, 2 or 3, for the query in `at … end` (RFC 9776 section 7.1). */
export function queryVersion(view: DataView, at: number, end: number): 1 | 2 | 3 {
  if (end - at > HEADER) return 3
  return view.getUint8(at + 1) === 0 ? 1 : 2
}

/** Milliseconds (RFC 9776 section 4.1.1). */
export function maxResponse(view: DataView, at: number, version: 1 | 2 | 3): number {
  if (version === 1) return V1_RESPONSE
  const code = view.getUint8(at + 1)
  // Linux takes 0 as 1, so that answers have time to spread.
  return (version === 2 ? code : Math.max(1, floatCode(code))) * 100
}

/** The querier's robustness variable; 0 means that the querier does not say. */
export function robustness(view: DataView, at: number): number {
  return view.getUint8(at + 8) & 7
}

/** The querier's query interval in milliseconds; 0 means that the querier does not say. */
export function queryInterval(view: DataView, at: number): number {
  return floatCode(view.getUint8(at + 9)) * 1000
}

export function sourceCount(view: DataView, at: number): number {
  return view.getUint16(at + 10)
}

/** The word of a version 3 query's source `index`. */
export function source(view: DataView, at: number, index: number): number {
  return view.getInt32(at + QUERY_V3_HEADER + 4 * index)
}

/** RFC 9776 section 4.1.1: from 128 on an exponent of 3 bits and a mantissa of 4. */
export function floatCode(code: number): number {
  return code < 128 ? code : ((code & 15) | 16) << (((code >>> 4) & 7) + 3)
}

/** Writes a version 1 or 2 report or a leave message: 8 bytes. */
export function encode(view: DataView, at: number, type: number, group: Address): void {
  view.setUint8(at, type)
  view.setUint8(at + 1, 0)
  view.setUint16(at + CHECKSUM, 0)
  view.setInt32(at + GROUP, group.w3)
  view.setUint16(at + CHECKSUM, checksum(view, at, at + HEADER))
}

/** Writes a group record; returns the offset behind it. */
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
  view.setInt32(at + 4, group.w3)
  let behind = at + RECORD_HEADER
  for (const { w3 } of sources) {
    view.setInt32(behind, w3)
    behind += 4
  }
  return behind
}

/**
 * Writes the header of a version 3 report in front of `records` group records that end at `end`.
 */
export function encodeReport(view: DataView, at: number, end: number, records: number): void {
  view.setUint8(at, REPORT_V3)
  view.setUint8(at + 1, 0)
  view.setUint16(at + CHECKSUM, 0)
  view.setUint16(at + 4, 0)
  view.setUint16(at + 6, records)
  view.setUint16(at + CHECKSUM, checksum(view, at, end))
}

/** One line: version, kind and group. */
export function describe(view: DataView, at: number, end: number): string {
  const about = formatWords(0, 0, MAPPED, group(view, at))
  switch (type(view, at)) {
    case QUERY:
      return `IGMPv${queryVersion(view, at, end)} query ${group(view, at) === 0 ? 'general' : about}`
    case REPORT_V1:
      return `IGMPv1 report ${about}`
    case REPORT_V2:
      return `IGMPv2 report ${about}`
    case LEAVE:
      return `IGMPv2 leave ${about}`
    case REPORT_V3:
      return `IGMPv3 report ${view.getUint16(at + 6)} records`
    default:
      return `IGMP type 0x${type(view, at).toString(16)}`
  }
}
