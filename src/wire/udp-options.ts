/**
 * Options of a datagram, in the surplus area behind the UDP length: RFC 9868. The stack itself is
 * what section 7 calls a legacy receiver, like Linux: it delivers the user data and ignores the
 * surplus area. A program that wants options reads them in its receiver ({@link read}), and writes
 * them behind its payload ({@link size}, {@link write}; `SendOptions.surplus`).
 *
 *     +--------+---------+-----------+-----+-------+-----------------------+-----+-----------+
 *     | IP     | UDP     | user data |(pad)|  OCS  | kind, length, data …  | EOL | zeros …   |
 *     +--------+---------+-----------+-----+-------+-----------------------+-----+-----------+
 *              |<---- UDP length --->|<------------------- surplus area ------------------->|
 *
 * A byte of padding lets the option checksum begin at an even offset. It covers the surplus area
 * and its length. A length of 255 is followed by the length in 16 bits.
 */
import { finish, sum, verify } from '../base/checksum.ts'
import type { Packet } from '../base/packet.ts'
import * as udp from './udp.ts'

/**
 * Kinds (section 10); those from 192 on change what the user data means, and are not safe to
 * ignore.
 */
export const END = 0
export const NO_OPERATION = 1
/** CRC-32C of the user data, see {@link crc32c}. */
export const ADDITIONAL_CHECKSUM = 2
export const FRAGMENT = 3
/** The largest datagram that the sender takes, without fragments and with them. */
export const MAX_SIZE = 4
export const MAX_REASSEMBLED_SIZE = 5
/** A token to be sent back, and one that is sent back: what a path MTU prober (RFC 9869) needs. */
export const REQUEST = 6
export const RESPONSE = 7
export const TIME = 8
const FIRST_UNSAFE = 192

const OCS = 2
/** Section 11.2: more in a row are an attack. */
const MAX_NO_OPERATIONS = 7
/** Total bytes of kinds 2 to 8, kind and length included. FRAGMENT has 12 in a last fragment. */
const LENGTHS: readonly (readonly number[])[] = [[], [], [6], [10, 12], [4], [5], [6], [6], [10]]

export interface UdpOption {
  readonly kind: number
  /** What follows kind and length. */
  readonly data: Uint8Array
}

const NONE: readonly UdpOption[] = []

/** Bytes of the surplus area for these options behind `payload` bytes of user data. */
export function size(options: readonly UdpOption[], payload: number): number {
  let length = (payload & 1) + OCS
  for (const { data } of options) length += data.length + (data.length + 2 < 255 ? 2 : 4)
  return length
}

/**
 * Writes the options into the last `surplus` bytes of a packet that is about to be sent, behind its
 * payload; what is left is filled with zeros, the first of them End of Options.
 * @throws {RangeError} when `surplus` is less than {@link size}
 */
export function write(packet: Packet, surplus: number, options: readonly UdpOption[]): void {
  const { bytes, view, end } = packet
  const start = end - surplus
  const payload = start - packet.start
  if (surplus < size(options, payload)) throw new RangeError(`${surplus} bytes are too few for the options.`)
  bytes.fill(0, start, end)
  const checksum = start + (payload & 1)
  let at = checksum + OCS
  for (const { kind, data } of options) {
    bytes[at++] = kind
    if (data.length + 2 < 255) bytes[at++] = data.length + 2
    else {
      bytes[at++] = 255
      view.setUint16(at, data.length + 4)
      at += 2
    }
    bytes.set(data, at)
    at += data.length
  }
  const value = finish(sum(view, checksum, end, surplus))
  view.setUint16(checksum, value === 0 ? 0xffff : value)
}

/**
 * The options of a delivered datagram: its payload is `packet.start … packet.end`, the surplus area
 * goes on to the end of the IP packet. Copies.
 * @returns nothing without a surplus area, and for one that is to be ignored: padding or the rest
 *   behind End of Options is not zero, the checksum is wrong, or missing where the datagram has
 *   one, or a length is. The user data counts in every case (section 14)
 */
export function read(packet: Packet): readonly UdpOption[] {
  const { bytes, view, end, networkEnd, transport } = packet
  const checksum = end + ((end - transport) & 1)
  if (networkEnd - checksum < OCS || (checksum > end && bytes[end] !== 0)) return NONE
  const given = view.getUint16(checksum)
  // Section 9: the options may lack a checksum only if the datagram has none.
  if (given === 0 && udp.checksum(view, transport) !== 0) return NONE
  if (given !== 0 && !verify(view, checksum, networkEnd, networkEnd - end)) return NONE
  const found: UdpOption[] = []
  let idle = 0
  for (let at = checksum + OCS; at < networkEnd; ) {
    const kind = bytes[at] as number
    if (kind === END) return isZero(bytes, at, networkEnd) ? found : NONE
    if (kind === NO_OPERATION) {
      if (++idle > MAX_NO_OPERATIONS) return NONE
      at++
      continue
    }
    idle = 0
    const short = networkEnd - at < 2 ? 0 : view.getUint8(at + 1)
    const extended = short === 255
    const header = extended ? 4 : 2
    const length = extended ? (networkEnd - at < 4 ? 0 : view.getUint16(at + 2)) : short
    if (length < header || length > networkEnd - at) return NONE
    if (LENGTHS[kind]?.includes(length) === false) return NONE
    if (kind >= FIRST_UNSAFE) return found
    found.push({ kind, data: bytes.slice(at + header, at + length) })
    at += length
  }
  return found
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false
  return true
}

/** An option with a 32-bit value: REQUEST, RESPONSE and ADDITIONAL_CHECKSUM. */
export function wordOption(kind: number, value: number): UdpOption {
  const data = new Uint8Array(4)
  new DataView(data.buffer).setUint32(0, value)
  return { kind, data }
}

/** The value of such an option, whose length {@link read} has checked. */
export function wordOf({ data }: UdpOption): number {
  return new DataView(data.buffer, data.byteOffset).getUint32(0)
}

/**
 * Of user data, for ADDITIONAL_CHECKSUM (section 11.3): the CRC of iSCSI (RFC 3385), bit by bit,
 * for it is rarely asked for.
 */
export function crc32c(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}
