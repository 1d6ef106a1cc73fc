/**
 * Transport checksums that were left to a device (`ChecksumState.Partial`): completing them where
 * no device does.
 */
import { finish, fold, sum, sumLong } from '../base/checksum.ts'
import { ChecksumState, type Packet } from '../base/packet.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6-header.ts'
import { TCP, UDP } from '../wire/protocol.ts'
import * as tcp from '../wire/tcp.ts'
import * as udp from '../wire/udp.ts'

/**
 * The unfolded sum of the pseudo-header (RFC 768, RFC 8200 section 8.1) of `length` bytes behind
 * the IP header at `at`.
 */
export function pseudoHeaderSum(view: DataView, at: number, four: boolean, protocol: number, length: number): number {
  return four ? sum(view, at + 12, at + 20, protocol + length) : sum(view, at + 8, at + 40, protocol + length)
}

/**
 * Completes the checksum of the packet in `start … end` whose field holds the pseudo-header's sum
 * only (`ChecksumState.Partial`): UDP or TCP directly behind the IP header, as Linux leaves it to a
 * device.
 */
export function completeChecksum(packet: Packet, start = packet.start, end = packet.end): void {
  packet.checksumState = ChecksumState.None
  const { view } = packet
  const four = view.getUint8(start) >>> 4 === 4
  const protocol = view.getUint8(start + (four ? 9 : 6))
  if (protocol !== UDP && protocol !== TCP) return
  const at = start + (four ? (view.getUint8(start) & 15) * 4 : ipv6.HEADER)
  const field = at + (protocol === UDP ? udp.CHECKSUM : tcp.CHECKSUM)
  if (field + 2 > end) return
  view.setUint16(field, 0)
  const value = finish(sumLong(packet, at, end, pseudoHeaderSum(view, start, four, protocol, end - at)))
  view.setUint16(field, value === 0 && protocol === UDP ? 0xffff : value)
}

/**
 * Does what a device does that is told to complete the checksum at `field` (virtio 1.2 section
 * 5.1.6): the field, which holds what is not in the packet, is summed with all from `from` to the
 * end. Whose checksum it is does not matter. 0 becomes 0xffff (Linux: skb_checksum_help).
 */
export function completeChecksumAt(packet: Packet, from: number, field: number): void {
  const value = finish(sumLong(packet, from, packet.end, 0))
  packet.view.setUint16(field, value === 0 ? 0xffff : value)
}

/**
 * Whether the checksum at `field` over all from `from` on is what {@link completeChecksum}
 * completes: that of UDP or TCP directly behind an IP header without options, whose lengths agree
 * with the packet's.
 */
export function isOwnChecksum(packet: Packet, from: number, field: number): boolean {
  const { view, start, end } = packet
  const length = end - start
  if (length < ipv4.HEADER + udp.HEADER) return false
  const first = view.getUint8(start)
  const four = first === 0x45
  const header = four ? ipv4.HEADER : ipv6.HEADER
  if (from !== start + header) return false
  if (four ? view.getUint16(start + 2) !== length || (view.getUint16(start + 6) & 0x3fff) !== 0 : first >>> 4 !== 6)
    return false
  if (!four && (length < ipv6.HEADER + udp.HEADER || view.getUint16(start + 4) !== length - ipv6.HEADER)) return false
  const protocol = view.getUint8(start + (four ? 9 : 6))
  if (protocol === UDP) {
    if (field !== from + udp.CHECKSUM || view.getUint16(from + 4) !== end - from) return false
  } else if (protocol !== TCP || field !== from + tcp.CHECKSUM || field + 2 > end) return false
  return view.getUint16(field) === fold(pseudoHeaderSum(view, start, four, protocol, end - from))
}
