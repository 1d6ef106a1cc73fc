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
import { completeChecksum, completeChecksumAt, isOwnChecksum } from './checksum-offload.ts'
import { findUpper } from './upper-header.ts'

export const TCP = 6
export const UDP = 17
const UDP_HEADER = 8
const UDP_LENGTH_AT = 4
const UDP_CHECKSUM_AT = 6
const TCP_HEADER = 20
const TCP_SEQUENCE_AT = 4
const TCP_OFFSET_AT = 12
const TCP_FLAGS_AT = 13
const TCP_CHECKSUM_AT = 16
const FIN_PSH = 0x09
const CWR = 0x80
const HEADER4 = 20
const HEADER6 = 40
const IDENTIFICATION_AT = 4
const HEADER_CHECKSUM_AT = 10

/** Longest segments that a packet may be merged of: what a {@link Packet} of a queue can say. */
export const LONGEST_SEGMENT = 32_767

/** Where a transport's checksum is in its header. */
export function checksumAtOf(protocol: number): number {
  return protocol === TCP ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT
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
  let header = UDP_HEADER
  if (protocol === TCP) {
    if (length < TCP_HEADER) return 0
    header = (view.getUint8(at + TCP_OFFSET_AT) >>> 4) * 4
    if (header < TCP_HEADER) return 0
  } else if (length < UDP_HEADER || view.getUint16(at + UDP_LENGTH_AT) !== length) return 0
  if (length <= header) return 0
  const four = view.getUint8(start) >>> 4 === 4
  return (four ? view.getUint16(start + 2) : view.getUint16(start + 4) + HEADER6) === end - start ? header : 0
}

/** Segments of a merged packet; 1 for a packet as it is. */
export function segmentsOf(packet: Packet): number {
  if (packet.segmentLength === 0) return 1
  const headers = plainTransport(packet) - packet.start + headerOf(packet)
  return Math.ceil((packet.end - packet.start - headers) / (packet.segmentLength - headers))
}

/** The protocol of a merged packet, whose IP header has neither options nor extension headers. */
export function plainProtocol({ view, start }: Packet): number {
  return view.getUint8(start) >>> 4 === 4 ? view.getUint8(start + 9) : view.getUint8(start + 6)
}

/** Offset of its transport header. */
export function plainTransport({ view, start }: Packet): number {
  return start + (view.getUint8(start) >>> 4 === 4 ? HEADER4 : HEADER6)
}

/** Bytes of its transport header. */
export function headerOf(packet: Packet): number {
  return plainProtocol(packet) === TCP
    ? (packet.view.getUint8(plainTransport(packet) + TCP_OFFSET_AT) >>> 4) * 4
    : UDP_HEADER
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
    const tcp = protocol === TCP
    const field = checksumAtOf(protocol)
    // What the field holds without the length: the rest of the pseudo-header, whatever that was
    // made of.
    const pseudo = view.getUint16(transport + field) + (~(end - transport) & 0xffff)
    const identification = view.getUint16(start + IDENTIFICATION_AT)
    const sequence = tcp ? view.getUint32(transport + TCP_SEQUENCE_AT) : 0
    const flags = tcp ? view.getUint8(transport + TCP_FLAGS_AT) : 0
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
      if (tcp) {
        let own = flags
        if (count > 0) own &= ~CWR
        if (from + size < end) own &= ~FIN_PSH
        target.setUint8(at + TCP_FLAGS_AT, own)
        target.setUint32(at + TCP_SEQUENCE_AT, sequence + count * size)
      } else target.setUint16(at + UDP_LENGTH_AT, header + payload)
      target.setUint16(at + field, fold(pseudo + header + payload))
      if (four) {
        target.setUint16(first + 2, headers + payload)
        // RFC 6864 section 4: of packets that may be fragmented no two have the same.
        target.setUint16(first + IDENTIFICATION_AT, identification + count)
        target.setUint16(first + HEADER_CHECKSUM_AT, 0)
        target.setUint16(first + HEADER_CHECKSUM_AT, finish(sum(target, first, at, 0)))
      } else target.setUint16(first + 4, headers - HEADER6 + payload)
      if (isOwnChecksum(packet, at, at + field)) packet.checksumState = ChecksumState.Partial
      else completeChecksumAt(packet, at, at + field)
      take(packet)
      count++
    }
    return count
  }
}
