/**
 * UDP header: RFC 768; checksum rules in IPv6: RFC 8200 section 8.1.
 *
 *      0      7 8     15 16    23 24    31
 *     +--------+--------+--------+--------+
 *     |   Source Port   |Destination Port |
 *     +--------+--------+--------+--------+
 *     |     Length      |    Checksum     |
 *     +--------+--------+--------+--------+
 */
import { finish, isComplete, sum, sumLong } from '../base/checksum.ts'
import { Drop } from '../base/drop.ts'
import { ChecksumState, type Packet } from '../base/packet.ts'
import * as ipv4 from './ipv4.ts'
import * as ipv6 from './ipv6.ts'
import { UDP } from './protocol.ts'
import { type Fields, hex } from './text.ts'

const SOURCE_PORT = 0
const DESTINATION_PORT = 2
export const LENGTH = 4
export const CHECKSUM = 6
export const HEADER = 8

/**
 * The longest payload: a 16-bit length, and in IPv4 a 16-bit total length, count the headers too.
 */
export const MAX_PAYLOAD4 = 65_535 - 20 - HEADER
export const MAX_PAYLOAD6 = 65_535 - HEADER

/**
 * Checks the datagram at `packet.transport`; `packet.start … packet.end` become its payload.
 *
 * A length below the IP payload trims the datagram (Linux; RFC 9868 section 7 calls the rest the
 * surplus area).
 */
export function parse(packet: Packet): Drop {
  const view = packet.view
  const at = packet.transport
  const available = packet.end - at
  if (available < HEADER) return Drop.UdpTooShort
  const length = view.getUint16(at + LENGTH)
  if (length < HEADER || length > available) return Drop.UdpLength
  packet.start = at + HEADER
  packet.end = at + length
  if (view.getUint16(at + CHECKSUM) === 0) {
    // RFC 768: "an all zero transmitted checksum value means that the transmitter generated no
    // checksum"; not in IPv6.
    return packet.family === 4 ? Drop.None : Drop.UdpZeroChecksum
  }
  if (packet.checksumState !== ChecksumState.None) return Drop.None
  // Apart from its header: the window of the payload is what is copied next.
  const total = sumLong(packet, packet.start, packet.end, sum(view, at, at + HEADER, pseudoHeaderSum(packet, length)))
  return isComplete(total) ? Drop.None : Drop.UdpChecksum
}

function pseudoHeaderSum(packet: Packet, length: number): number {
  return packet.family === 4
    ? ipv4.pseudoHeaderSum(packet.view, packet.network, length)
    : ipv6.pseudoHeaderSum(packet.view, packet.network, UDP, length)
}

export function sourcePort(view: DataView, at: number): number {
  return view.getUint16(at + SOURCE_PORT)
}

export function destinationPort(view: DataView, at: number): number {
  return view.getUint16(at + DESTINATION_PORT)
}

/** Bytes, header included. */
export function length(view: DataView, at: number): number {
  return view.getUint16(at + LENGTH)
}

/** The field; 0 means that the sender computed none. */
export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + CHECKSUM)
}

/**
 * Writes the header at `at` in front of a payload up to `end`; the checksum field is left 0 for
 * {@link encodeChecksum}.
 */
export function encode(view: DataView, at: number, end: number, source: number, destination: number): void {
  view.setUint16(at + SOURCE_PORT, source)
  view.setUint16(at + DESTINATION_PORT, destination)
  view.setUint16(at + LENGTH, end - at)
  view.setUint16(at + CHECKSUM, 0)
}

/**
 * Fills the checksum field, which is 0, from `pseudo` (the unfolded sum of the pseudo-header) and
 * the datagram; a computed 0 goes out as 0xFFFF (RFC 768).
 */
export function encodeChecksum(packet: Packet, at: number, end: number, pseudo: number): void {
  const value = finish(sumLong(packet, at + HEADER, end, sum(packet.view, at, at + HEADER, pseudo)))
  packet.view.setUint16(at + CHECKSUM, value === 0 ? 0xffff : value)
}

/**
 * Leaves the pseudo-header's folded sum in the field, for a device that completes it
 * (`ChecksumState.Partial`).
 */
export function encodePartialChecksum(view: DataView, at: number, pseudo: number): void {
  view.setUint16(at + CHECKSUM, ~finish(pseudo) & 0xffff)
}

/** One line: ports and length of the payload. */
export function describe(view: DataView, at: number): string {
  const bytes = length(view, at)
  // A length that is not even that of the header is told as it is.
  const size = bytes < HEADER ? `length ${bytes}` : `payload ${bytes - HEADER}`
  return `UDP ${sourcePort(view, at)} > ${destinationPort(view, at)} ${size}`
}

/** Every field. */
export function fields(view: DataView, at: number): Fields {
  return [
    ['source port', `${sourcePort(view, at)}`],
    ['destination port', `${destinationPort(view, at)}`],
    ['length', `${length(view, at)}`],
    ['checksum', hex(checksum(view, at), 4)],
  ]
}
