/**
 * IPv4 header: RFC 791 section 3.1; DS and ECN fields RFC 2474, RFC 3168.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------+-------+---------------+-------------------------------+
 *     |Version|  IHL  |Type of Service|         Total Length          |
 *     +-------+-------+---------------+-----+-------------------------+
 *     |        Identification         |Flags|     Fragment Offset     |
 *     +---------------+---------------+-----+-------------------------+
 *     | Time to Live  |   Protocol    |        Header Checksum        |
 *     +---------------+---------------+-------------------------------+
 *     |                        Source Address                         |
 *     +---------------------------------------------------------------+
 *     |                      Destination Address                      |
 *     +-----------------------------------------------+---------------+
 *     |                    Options                    |    Padding    |
 *     +-----------------------------------------------+---------------+
 */
import { formatWords, MAPPED } from '../base/address.ts'
import { checksum, sum, verify } from '../base/checksum.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import { type Fields, hex, hexBytes, protocolText, tosText } from './text.ts'

const VERSION_IHL = 0
const TOS = 1
export const TOTAL_LENGTH = 2
export const IDENTIFICATION = 4
const FLAGS_OFFSET = 6
export const TTL = 8
export const PROTOCOL = 9
export const HEADER_CHECKSUM = 10
export const SOURCE = 12
export const DESTINATION = 16
/** Where options begin. */
export const HEADER = 20
/** IHL 15. */
export const MAX_HEADER = 60

const DF = 0x4000
const MF = 0x2000
const OFFSET_MASK = 0x1fff

/**
 * Reads the header at `packet.start`, cuts the packet at Total Length and fills its fields. Options
 * are stepped over.
 */
export function parse(packet: Packet): Drop {
  const view = packet.view
  const at = packet.start
  const available = packet.end - at
  packet.family = 4
  packet.network = at
  packet.problem = -1
  packet.fragments = 1
  packet.fragmentHeader = 0
  packet.flowLabel = 0
  if (available < HEADER) return Drop.IpTooShort
  const versionIhl = view.getUint8(at)
  if (versionIhl >>> 4 !== 4) return Drop.IpVersion
  const header = (versionIhl & 15) * 4
  // RFC 791: "the minimum value for a correct header is 5"; the header must also be there.
  if (header < HEADER) return Drop.IpHeaderLength
  if (header > available) return Drop.IpTooShort
  if (!verify(view, at, at + header, 0)) return Drop.IpChecksum
  const total = view.getUint16(at + TOTAL_LENGTH)
  if (total < header || total > available) return Drop.IpTotalLength
  const flags = view.getUint16(at + FLAGS_OFFSET)
  packet.networkEnd = packet.end = at + total // RFC 894: frames are padded; Total Length rules.
  packet.transport = at + header
  packet.tos = view.getUint8(at + TOS)
  packet.identification = view.getUint16(at + IDENTIFICATION)
  packet.dontFragment = (flags & DF) >>> 14
  packet.moreFragments = (flags & MF) >>> 13
  packet.fragmentOffset = (flags & OFFSET_MASK) * 8
  packet.hopLimit = view.getUint8(at + TTL)
  packet.protocol = view.getUint8(at + PROTOCOL)
  packet.protocolAt = at + PROTOCOL
  packet.s0 = 0
  packet.s1 = 0
  packet.s2 = MAPPED
  packet.s3 = view.getInt32(at + SOURCE)
  packet.d0 = 0
  packet.d1 = 0
  packet.d2 = MAPPED
  packet.d3 = view.getInt32(at + DESTINATION)
  return Drop.None
}

export function version(view: DataView, at: number): number {
  return view.getUint8(at + VERSION_IHL) >>> 4
}

/** Bytes, options included. */
export function headerLength(view: DataView, at: number): number {
  return (view.getUint8(at + VERSION_IHL) & 15) * 4
}

export function tos(view: DataView, at: number): number {
  return view.getUint8(at + TOS)
}

export function totalLength(view: DataView, at: number): number {
  return view.getUint16(at + TOTAL_LENGTH)
}

export function identification(view: DataView, at: number): number {
  return view.getUint16(at + IDENTIFICATION)
}

export function dontFragment(view: DataView, at: number): boolean {
  return (view.getUint16(at + FLAGS_OFFSET) & DF) !== 0
}

export function moreFragments(view: DataView, at: number): boolean {
  return (view.getUint16(at + FLAGS_OFFSET) & MF) !== 0
}

/** Bytes. */
export function fragmentOffset(view: DataView, at: number): number {
  return (view.getUint16(at + FLAGS_OFFSET) & OFFSET_MASK) * 8
}

export function ttl(view: DataView, at: number): number {
  return view.getUint8(at + TTL)
}

export function protocol(view: DataView, at: number): number {
  return view.getUint8(at + PROTOCOL)
}

export function headerChecksum(view: DataView, at: number): number {
  return view.getUint16(at + HEADER_CHECKSUM)
}

/** The address's one word. */
export function source(view: DataView, at: number): number {
  return view.getInt32(at + SOURCE)
}

export function destination(view: DataView, at: number): number {
  return view.getInt32(at + DESTINATION)
}

/**
 * Writes a header of `header` bytes (a multiple of 4, options already in place behind the first 20)
 * for the packet that ends at `packet.end`, from the packet's fields; every byte of the first 20 is
 * written.
 */
export function encode(packet: Packet, at: number, header: number): void {
  const view = packet.view
  view.setUint8(at + VERSION_IHL, 0x40 | (header >>> 2))
  view.setUint8(at + TOS, packet.tos)
  view.setUint16(at + TOTAL_LENGTH, packet.end - at)
  view.setUint16(at + IDENTIFICATION, packet.identification)
  view.setUint16(
    at + FLAGS_OFFSET,
    (packet.dontFragment << 14) | (packet.moreFragments << 13) | (packet.fragmentOffset >>> 3),
  )
  view.setUint8(at + TTL, packet.hopLimit)
  view.setUint8(at + PROTOCOL, packet.protocol)
  view.setUint16(at + HEADER_CHECKSUM, 0)
  view.setInt32(at + SOURCE, packet.s3)
  view.setInt32(at + DESTINATION, packet.d3)
  view.setUint16(at + HEADER_CHECKSUM, checksum(view, at, at + header))
}

/** Sets the fields that differ between fragments, and the checksum. */
export function patchFragment(
  view: DataView,
  at: number,
  total: number,
  offset: number,
  more: boolean,
  dontFragment = false,
): void {
  view.setUint16(at + TOTAL_LENGTH, total)
  view.setUint16(at + FLAGS_OFFSET, (dontFragment ? DF : 0) | (more ? MF : 0) | (offset >>> 3))
  rewriteChecksum(view, at)
}

/**
 * Fills in what a program that writes its own header leaves to the host (Linux: IP_HDRINCL): the
 * length, `packet.identification`, a missing source, the checksum.
 */
export function complete(packet: Packet, at: number): void {
  const { view } = packet
  view.setUint16(at + TOTAL_LENGTH, packet.end - at)
  view.setUint16(at + IDENTIFICATION, packet.identification)
  if (view.getInt32(at + SOURCE) === 0) view.setInt32(at + SOURCE, packet.s3)
  rewriteChecksum(view, at)
}

/** Computes the header checksum anew. */
export function rewriteChecksum(view: DataView, at: number): void {
  view.setUint16(at + HEADER_CHECKSUM, 0)
  view.setUint16(at + HEADER_CHECKSUM, checksum(view, at, at + headerLength(view, at)))
}

/** The unfolded sum of the pseudo-header of RFC 768: addresses, zero, protocol, length. */
export function pseudoHeaderSum(view: DataView, at: number, length: number): number {
  return sum(view, at + SOURCE, at + HEADER, view.getUint8(at + PROTOCOL) + length)
}

/** One line: addresses, TTL, TOS, identification, flags. */
export function describe(view: DataView, at: number): string {
  const address = (word: number) => formatWords(0, 0, MAPPED, word)
  const offset = fragmentOffset(view, at)
  const more = moreFragments(view, at)
  return [
    `IPv4 ${address(source(view, at))} > ${address(destination(view, at))}`,
    `ttl ${ttl(view, at)}`,
    ...(tos(view, at) === 0 ? [] : [`tos 0x${tos(view, at).toString(16).padStart(2, '0')}`]),
    `id ${identification(view, at)}`,
    ...(dontFragment(view, at) ? ['DF'] : []),
    ...(more || offset > 0 ? [`frag ${offset}${more ? '+' : ''}`] : []),
    `length ${totalLength(view, at)}`,
  ].join(' ')
}

/** Every field of the header at `at … end`. */
export function fields(view: DataView, at: number, end: number): Fields {
  const flags = [...(dontFragment(view, at) ? ['DF'] : []), ...(moreFragments(view, at) ? ['MF'] : [])]
  return [
    ['version', '4'],
    ['header length', `${headerLength(view, at)}`],
    ['TOS', tosText(tos(view, at))],
    ['total length', `${totalLength(view, at)}`],
    ['identification', `${identification(view, at)}`],
    ['flags', flags.length === 0 ? 'none' : flags.join(' ')],
    ['fragment offset', `${fragmentOffset(view, at)}`],
    ['TTL', `${ttl(view, at)}`],
    ['protocol', protocolText(protocol(view, at))],
    ['header checksum', hex(headerChecksum(view, at), 4)],
    ['source', formatWords(0, 0, MAPPED, source(view, at))],
    ['destination', formatWords(0, 0, MAPPED, destination(view, at))],
    ...(end - at > HEADER ? [['options', hexBytes(view, at + HEADER, end)] as const] : []),
  ]
}
