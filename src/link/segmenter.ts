/**
 * Takes merged packets apart: one IP header, one of UDP or TCP, and the payloads of all segments
 * (`Packet.segmentLength`). Each segment gets the headers of the first, with what Linux's own
 * segmentation changes (`__udp_gso_segment`, `tcp_gso_segment`, `inet_gso_segment`): lengths,
 * checksums, in IPv4 an Identification that grows by one (RFC 6864 section 4), in TCP a sequence
 * number that grows by the payload, FIN and PSH in the last one only, CWR in the first only (RFC
 * 3168 section 6.1.2).
 */
import { finish, fold, sum } from '../base/checksum.ts'
import { ChecksumState, copyBytes, HEADROOM, MAX_PACKET, Packet } from '../base/packet.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6-header.ts'
import { TCP } from '../wire/protocol.ts'
import * as tcp from '../wire/tcp.ts'
import * as udp from '../wire/udp.ts'
import { completeChecksum, completeChecksumAt, isOwnChecksum } from './checksum-offload.ts'
import { findUpper } from './upper-header.ts'

/** In the last segment only. */
const FIN_PSH = tcp.FIN | tcp.PSH

/** Longest segments that a packet may be merged of: what a {@link Packet} of a queue can say. */
export const LONGEST_SEGMENT = 32_767

/** Where a transport's checksum is in its header. */
export function checksumAtOf(protocol: number): number {
  return protocol === TCP ? tcp.CHECKSUM : udp.CHECKSUM
}

/** Bytes of a packet's longest part on a wire: of a segment, if it is merged of such. */
export function longestPart(packet: Packet): number {
  return packet.segmentLength === 0 ? packet.end - packet.start : packet.segmentLength
}

/**
 * Bytes of the header of UDP or TCP at `at` in a packet that may be merged; 0 where it is not
 * sound.
 */
export function transportHeader({ view, start, end }: Packet, at: number, protocol: number): number {
  if (findUpper(view, start, end, protocol) !== at) return 0
  const length = end - at
  let header = udp.HEADER
  if (protocol === TCP) {
    if (length < tcp.HEADER) return 0
    header = tcp.dataOffset(view, at)
    if (header < tcp.HEADER) return 0
  } else if (length < udp.HEADER || view.getUint16(at + udp.LENGTH) !== length) return 0
  if (length <= header) return 0
  return ipLength(view, start) === end - start ? header : 0
}

/** Bytes of the IP packet at `start`, by its own word. */
function ipLength(view: DataView, start: number): number {
  return view.getUint8(start) >>> 4 === 4
    ? view.getUint16(start + ipv4.TOTAL_LENGTH)
    : view.getUint16(start + ipv6.PAYLOAD_LENGTH) + ipv6.HEADER
}

/** Segments of a merged packet; 1 for a packet as it is. */
export function segmentsOf(packet: Packet): number {
  if (packet.segmentLength === 0) return 1
  const headers = headersOf(packet)
  return Math.ceil((packet.end - packet.start - headers) / (packet.segmentLength - headers))
}

/** Bytes of the headers that each segment of a merged packet has, IP's and the transport's. */
export function headersOf(packet: Packet): number {
  return plainTransport(packet) - packet.start + headerOf(packet)
}

/** The protocol of a merged packet, whose IP header has neither options nor extension headers. */
export function plainProtocol({ view, start }: Packet): number {
  return view.getUint8(start) >>> 4 === 4
    ? view.getUint8(start + ipv4.PROTOCOL)
    : view.getUint8(start + ipv6.NEXT_HEADER)
}

/** Offset of its transport header. */
export function plainTransport({ view, start }: Packet): number {
  return start + (view.getUint8(start) >>> 4 === 4 ? ipv4.HEADER : ipv6.HEADER)
}

/** Bytes of its transport header. */
export function headerOf(packet: Packet): number {
  return plainProtocol(packet) === TCP ? tcp.dataOffset(packet.view, plainTransport(packet)) : udp.HEADER
}

export class Segmenter {
  #packet: Packet | null = null

  /**
   * Hands on the segments of a merged packet (`segmentLength`), with complete checksums when the
   * taker wants none that is `Partial`.
   */
  splitMerged(merged: Packet, isComplete: boolean, take: (packet: Packet) => void): void {
    const transport = plainTransport(merged)
    const header = headerOf(merged)
    const size = merged.segmentLength - (transport - merged.start) - header
    const { trace, nic, cast } = merged
    this.split(merged, transport, header, plainProtocol(merged), size, (segment) => {
      segment.trace = trace
      segment.nic = nic
      segment.cast = cast
      if (isComplete && segment.checksumState === ChecksumState.Partial) completeChecksum(segment)
      take(segment)
    })
  }

  /**
   * Each `size` bytes behind the transport header at `transport`, of `header` bytes, become a
   * segment. The field of the checksum holds the pseudo-header's sum; a segment's stays `Partial`
   * where it is the packet's own, else it is completed.
   * @returns the number of segments
   */
  split(
    frame: Packet,
    transport: number,
    header: number,
    protocol: number,
    size: number,
    take: (packet: Packet) => void,
  ): number {
    this.#packet ??= new Packet(HEADROOM + MAX_PACKET)
    const packet = this.#packet
    const { view, start, end } = frame
    const four = view.getUint8(start) >>> 4 === 4
    const isTcp = protocol === TCP
    const field = checksumAtOf(protocol)
    // What the field holds without the length: the rest of the pseudo-header, whatever that was
    // made of.
    const pseudo = view.getUint16(transport + field) + (~(end - transport) & 0xffff)
    const identification = view.getUint16(start + ipv4.IDENTIFICATION)
    const sequence = isTcp ? view.getUint32(transport + tcp.SEQUENCE) : 0
    const flags = isTcp ? view.getUint8(transport + tcp.FLAGS) : 0
    const ip = transport - start
    const headers = ip + header
    const first = HEADROOM
    const at = first + ip
    let count = 0
    for (let from = transport + header; from < end; from += size) {
      const payload = Math.min(size, end - from)
      packet.reset(first, first + headers + payload)
      copyBytes(frame, start, packet, first, headers)
      copyBytes(frame, from, packet, first + headers, payload)
      const target = packet.view
      if (isTcp) {
        let own = flags
        if (count > 0) own &= ~tcp.CWR
        if (from + size < end) own &= ~FIN_PSH
        target.setUint8(at + tcp.FLAGS, own)
        target.setUint32(at + tcp.SEQUENCE, sequence + count * size)
      } else target.setUint16(at + udp.LENGTH, header + payload)
      target.setUint16(at + field, fold(pseudo + header + payload))
      if (four) {
        target.setUint16(first + ipv4.TOTAL_LENGTH, headers + payload)
        // RFC 6864 section 4: of packets that may be fragmented no two have the same.
        target.setUint16(first + ipv4.IDENTIFICATION, identification + count)
        target.setUint16(first + ipv4.HEADER_CHECKSUM, 0)
        target.setUint16(first + ipv4.HEADER_CHECKSUM, finish(sum(target, first, at, 0)))
      } else target.setUint16(first + ipv6.PAYLOAD_LENGTH, headers - ipv6.HEADER + payload)
      if (isOwnChecksum(packet, at, at + field)) packet.checksumState = ChecksumState.Partial
      else completeChecksumAt(packet, at, at + field)
      take(packet)
      count++
    }
    return count
  }
}
