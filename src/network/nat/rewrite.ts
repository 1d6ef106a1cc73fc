/**
 * Rewrites addresses and ports of a packet with the checksums that cover them, incrementally (RFC
 * 1624 equation 3).
 */
import { fold, sum, update } from '../../base/checksum.ts'
import { ChecksumState, type Packet } from '../../base/packet.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import { TCP, UDP } from '../../wire/protocol.ts'
import * as tcp from '../../wire/tcp.ts'
import type { PacketEnds } from './packet-ends.ts'

/** Which end of a packet. */
export type End = 'source' | 'destination'

/** Offset of the checksum of UDP or TCP behind the IP header at `at`; -1 where none is there. */
function transportChecksumAt({ view, end }: Packet, at: number): number {
  const upper = at + ipv4.headerLength(view, at)
  const protocol = ipv4.protocol(view, at)
  if (protocol === TCP) return end - upper >= tcp.CHECKSUM + 2 ? upper + tcp.CHECKSUM : -1
  if (protocol !== UDP) return -1
  return end - upper >= 8 && view.getUint16(upper + 6) !== 0 ? upper + 6 : -1
}

/** Changes 16 bits, and the checksum at `checksumAt`, if that is an offset. */
function setWord(view: DataView, at: number, value: number, checksumAt: number): void {
  const before = view.getUint16(at)
  view.setUint16(at, value)
  follow(view, checksumAt, before, value)
}

function follow(view: DataView, checksumAt: number, before: number, after: number): void {
  if (checksumAt >= 0 && before !== after) view.setUint16(checksumAt, update(view.getUint16(checksumAt), before, after))
}

/**
 * The same for a checksum that is still to be completed (`ChecksumState.Partial`): the field has
 * the sum itself.
 */
function followPartial(view: DataView, checksumAt: number, before: number, after: number): void {
  const complement = ~view.getUint16(checksumAt) & 0xffff
  view.setUint16(checksumAt, ~update(complement, before, after) & 0xffff)
}

/** RFC 768: a UDP checksum of 0 means none, so a computed 0 is written as all ones. */
function keepNonzero(view: DataView, checksumAt: number): void {
  if (checksumAt >= 0 && view.getUint16(checksumAt) === 0) view.setUint16(checksumAt, 0xffff)
}

/**
 * Changes an address of the IP header at `at`, that header's checksum, and UDP's or TCP's, whose
 * pseudo-header has the addresses. Only the packet's own may be `Partial`, not that of a quote.
 */
export function setAddress(packet: Packet, at: number, end: End, address: number, isQuote = false): void {
  const { view } = packet
  const field = at + (end === 'source' ? ipv4.SOURCE : ipv4.DESTINATION)
  const high = view.getUint16(field)
  const low = view.getUint16(field + 2)
  setWord(view, field, address >>> 16, at + ipv4.HEADER_CHECKSUM)
  setWord(view, field + 2, address & 0xffff, at + ipv4.HEADER_CHECKSUM)
  const transport = transportChecksumAt(packet, at)
  if (transport < 0) return
  if (!isQuote && packet.checksumState === ChecksumState.Partial) {
    followPartial(view, transport, high, address >>> 16)
    followPartial(view, transport, low, address & 0xffff)
    return
  }
  follow(view, transport, high, address >>> 16)
  follow(view, transport, low, address & 0xffff)
  if (ipv4.protocol(view, at) === UDP) keepNonzero(view, transport)
}

/** Changes the Identification. */
export function setIdentification({ view }: Packet, at: number, value: number): void {
  setWord(view, at + ipv4.IDENTIFICATION, value, at + ipv4.HEADER_CHECKSUM)
}

/** Changes a port, or the identifier of an echo message, which is where `ends` found it. */
export function setPort(packet: Packet, ends: PacketEnds, end: End, port: number): void {
  const { view } = packet
  setWord(view, end === 'source' ? ends.sourceAt : ends.destinationAt, port, ends.checksumAt)
  if (ends.protocol === UDP) keepNonzero(view, ends.checksumAt)
}

/**
 * Changes one end of the packet that the ICMP error at `at` quotes, with all checksums: those of
 * the quoted headers and the message's own, which covers every byte that changes (RFC 5508 section
 * 4). `ends` are those of the quote.
 */
export function translateQuote(
  packet: Packet,
  at: number,
  ends: PacketEnds,
  end: End,
  address: number,
  port: number,
): void {
  const { view } = packet
  const icmp = at + ipv4.headerLength(view, at)
  const quoted = icmp + icmpv4.HEADER
  // A usable quote has eight bytes behind its IP header, where all that changes is but for TCP's
  // checksum.
  const upper = quoted + ipv4.headerLength(view, quoted)
  const behind = Math.max(upper + 8, ends.checksumAt + 2)
  const before = fold(sum(view, quoted, behind, 0))
  setAddress(packet, quoted, end, address, true)
  setPort(packet, ends, end, port)
  follow(view, icmp + 2, before, fold(sum(view, quoted, behind, 0)))
}
