/**
 * Where the upper-layer header of an IP packet begins, behind IPv4 options (RFC 791 section 3.1) or
 * IPv6 extension headers (RFC 8200 section 4) of any length. For links, which touch a packet before
 * IP has checked it: nothing is believed that lies beyond the packet.
 */
import { HEADER as HEADER4 } from '../wire/ipv4.ts'
import { HEADER as HEADER6 } from '../wire/ipv6-header.ts'
import { AUTHENTICATION, DESTINATION_OPTIONS, HOP_BY_HOP, ROUTING } from '../wire/protocol.ts'

/**
 * The offset of the header of this protocol in `view[start, end)`, or -1 where the packet is a
 * fragment, has another one, or ends before it.
 */
export function findUpper(view: DataView, start: number, end: number, protocol: number): number {
  if (end - start < HEADER4) return -1
  const first = view.getUint8(start)
  if (first >>> 4 === 4) {
    const at = start + (first & 15) * 4
    const whole = (view.getUint16(start + 6) & 0x3fff) === 0
    return whole && at >= start + HEADER4 && at <= end && view.getUint8(start + 9) === protocol ? at : -1
  }
  if (first >>> 4 !== 6 || end - start < HEADER6) return -1
  let next = view.getUint8(start + 6)
  let at = start + HEADER6
  while (next !== protocol) {
    const extension = next === HOP_BY_HOP || next === ROUTING || next === DESTINATION_OPTIONS || next === AUTHENTICATION
    if (!extension || at + 8 > end) return -1
    // RFC 4302 section 2.2: the length of AH alone counts words of 4 bytes.
    const length = next === AUTHENTICATION ? (view.getUint8(at + 1) + 2) * 4 : (view.getUint8(at + 1) + 1) * 8
    next = view.getUint8(at)
    at += length
  }
  return at <= end ? at : -1
}
