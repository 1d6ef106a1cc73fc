/**
 * What routers say behind the quote of an ICMP error: RFC 4884 section 7 (MPLS labels RFC 4950,
 * interfaces RFC 5837).
 *
 *     +-------+-----------------------+-------------------------------+
 *     |Vers. 2|       Reserved        |           Checksum            |   header
 *     +-------+-----------------------+---------------+---------------+
 *     |            Length             |   Class-Num   |    C-Type     |   object; any number of them
 *     +-------------------------------+---------------+---------------+
 *     |                    payload of the object ...                  |
 *
 * Length counts the 4 bytes of the object's header too.
 */
import { verify } from '../base/checksum.ts'
import type { Packet } from '../base/packet.ts'
import * as icmpv4 from './icmpv4.ts'
import * as icmpv6 from './icmpv6.ts'

const VERSION = 2
const HEADER = 4
const OBJECT_HEADER = 4
/** Section 4.1: what is quoted is padded with zeros to this many bytes at least. */
const MIN_QUOTE = 128

/** One object: MPLS labels are class 1, type 1. */
export interface IcmpExtension {
  readonly class: number
  readonly type: number
  readonly payload: Uint8Array
}

const NONE: readonly IcmpExtension[] = []

/**
 * Bytes of the quote in the error at `packet.transport`, by its length attribute (section 4: in
 * units of 4 bytes in ICMPv4, of 8 in ICMPv6); the rest of the message when it has none, or one
 * that cannot be.
 */
export function quoteLength(packet: Packet): number {
  const { view, transport, end, family } = packet
  const all = end - transport - icmpv4.HEADER
  const type = view.getUint8(transport)
  const four = family === 4
  const has = four
    ? type === icmpv4.DESTINATION_UNREACHABLE || type === icmpv4.TIME_EXCEEDED || type === icmpv4.PARAMETER_PROBLEM
    : type === icmpv6.DESTINATION_UNREACHABLE || type === icmpv6.TIME_EXCEEDED
  if (!has) return all
  const length = four ? view.getUint8(transport + 5) * 4 : view.getUint8(transport + 4) * 8
  return length >= MIN_QUOTE && length + HEADER <= all ? length : all
}

/**
 * The objects in `at … end`, copied; none when version, checksum or a length is wrong: the error
 * itself counts even so (section 5).
 */
export function parse(packet: Packet, at: number, end: number): readonly IcmpExtension[] {
  const { view, bytes } = packet
  if (end - at < HEADER || view.getUint8(at) >>> 4 !== VERSION) return NONE
  // A checksum of 0 was not computed.
  if (view.getUint16(at + 2) !== 0 && !verify(view, at, end, 0)) return NONE
  const found: IcmpExtension[] = []
  for (let object = at + HEADER; object < end; ) {
    const length = end - object < OBJECT_HEADER ? 0 : view.getUint16(object)
    if (length < OBJECT_HEADER || length > end - object) return NONE
    found.push({
      class: view.getUint8(object + 2),
      type: view.getUint8(object + 3),
      payload: bytes.slice(object + OBJECT_HEADER, object + length),
    })
    object += length
  }
  return found
}
