/**
 * Options of Neighbor Discovery messages: RFC 4861 section 4.6, RFC 4862 for prefix information,
 * RFC 4191 for routes.
 *
 *     An option: type, length in units of 8 bytes, then data. A Redirected Header (4) has 6 reserved
 *     bytes in front of the packet.
 *
 *     Prefix Information (3)
 *     +---------------+---------------+---------------+-+-+-----------+
 *     |    Type 3     |   Length 4    | Prefix Length |L|A| Reserved1 |
 *     +---------------+---------------+---------------+-+-+-----------+
 *     |                        Valid Lifetime                         |
 *     |                      Preferred Lifetime                       |
 *     |                           Reserved2                           |
 *     |                       Prefix (16 bytes)                       |
 *     +---------------------------------------------------------------+
 *
 *     Route Information (24), RFC 4191 section 2.3; length 1 to 3, as the prefix needs
 *     +---------------+---------------+---------------+-----+---+-----+
 *     |    Type 24    |    Length     | Prefix Length |Resvd|Prf|Resvd|
 *     +---------------+---------------+---------------+-----+---+-----+
 *     |                        Route Lifetime                         |
 *     |                   Prefix (0, 8 or 16 bytes)                   |
 *     +---------------------------------------------------------------+
 */
import { Address, Prefix } from '../base/address.ts'
import type { Packet } from '../base/packet.ts'

/** Flags of a prefix. */
export const ON_LINK = 0x80
export const AUTONOMOUS = 0x40

/** Options. */
export const SOURCE_LINK_ADDRESS = 1
export const TARGET_LINK_ADDRESS = 2
export const PREFIX_INFORMATION = 3
export const REDIRECTED_HEADER = 4
export const MTU = 5
export const ROUTE_INFORMATION = 24
export const LINK_ADDRESS_OPTION = 8
export const PREFIX_OPTION = 32
export const MTU_OPTION = 8
/** Without a prefix. */
export const ROUTE_OPTION = 8
/** Router preferences (RFC 4191 section 2.1) of two bits; 2 is reserved. */
export const PREFERENCE = { medium: 0, high: 1, reserved: 2, low: 3 } as const
/** Bytes in front of the packet in a Redirected Header option. */
export const REDIRECTED_PACKET = 8

/** A lifetime in seconds that never ends. */
export const INFINITE = 0xffffffff

/**
 * Offset of the first option of a type from the offset `from` on that has at least `length` bytes;
 * 0 without one.
 */
export function nextOption(packet: Packet, from: number, type: number, length: number): number {
  const { view } = packet
  for (let at = from; at < packet.end; at += view.getUint8(at + 1) * 8)
    if (view.getUint8(at) === type && view.getUint8(at + 1) * 8 >= length) return at
  return 0
}

/** Bytes of the option at `at`. */
export function length(view: DataView, at: number): number {
  return view.getUint8(at + 1) * 8
}

/** Of the link-layer address option at `at`. */
export function linkAddressHigh(view: DataView, at: number): number {
  return view.getUint16(at + 2)
}

export function linkAddressLow(view: DataView, at: number): number {
  return view.getInt32(at + 4)
}

/** Of the MTU option at `at`, in bytes. */
export function mtu(view: DataView, at: number): number {
  return view.getUint32(at + 4)
}

/** The prefix length of the prefix information option at `at`. */
export function prefixLength(view: DataView, at: number): number {
  return view.getUint8(at + 2)
}

export function prefixFlags(view: DataView, at: number): number {
  return view.getUint8(at + 3)
}

/** Milliseconds, or `Infinity`. */
export function validLifetime(view: DataView, at: number): number {
  return lifetime(view.getUint32(at + 4))
}

/** Milliseconds, or `Infinity`. */
export function preferredLifetime(view: DataView, at: number): number {
  return lifetime(view.getUint32(at + 8))
}

/** Of the route information option at `at`: {@link PREFERENCE}. */
export function routePreference(view: DataView, at: number): number {
  return (view.getUint8(at + 3) >>> 3) & 3
}

/** Milliseconds, or `Infinity`. */
export function routeLifetime(view: DataView, at: number): number {
  return lifetime(view.getUint32(at + 4))
}

/**
 * The prefix of the route information option at `at`; `null` when its length is none, or does not
 * fit into the option (RFC 4191 section 2.3).
 */
export function routePrefix(view: DataView, at: number): Prefix | null {
  const bytes = view.getUint8(at + 1) * 8 - ROUTE_OPTION
  const length = prefixLength(view, at)
  if (bytes > 16 || length > bytes * 8) return null
  const word = (index: number) => (index * 4 < bytes ? view.getInt32(at + ROUTE_OPTION + 4 * index) : 0)
  return readPrefix(word(0), word(1), word(2), word(3), length)
}

/** The prefix of the prefix information option at `at`; `null` when it is none. */
export function prefixOf(view: DataView, at: number): Prefix | null {
  const length = prefixLength(view, at)
  return length > 128
    ? null
    : readPrefix(prefix(view, at, 0), prefix(view, at, 1), prefix(view, at, 2), prefix(view, at, 3), length)
}

/** No router speaks for link-local addresses, groups, or IPv4 in its mapped form. */
function readPrefix(w0: number, w1: number, w2: number, w3: number, length: number): Prefix | null {
  const address = new Address(w0, w1, w2, w3)
  return address.family === 4 || address.isLinkLocal || address.isMulticast ? null : new Prefix(address, length)
}

function lifetime(seconds: number): number {
  return seconds === INFINITE ? Number.POSITIVE_INFINITY : seconds * 1000
}

/** Word 0 to 3 of the prefix. */
export function prefix(view: DataView, at: number, word: 0 | 1 | 2 | 3): number {
  return view.getInt32(at + 16 + 4 * word)
}

/**
 * Writes the first {@link REDIRECTED_PACKET} bytes of a Redirected Header option of `length` bytes
 * in all; returns the packet's offset.
 */
export function encodeRedirectedHeader(view: DataView, at: number, length: number): number {
  view.setUint8(at, REDIRECTED_HEADER)
  view.setUint8(at + 1, length / 8)
  view.setUint16(at + 2, 0)
  view.setUint32(at + 4, 0)
  return at + REDIRECTED_PACKET
}

/** Writes a source or target link-layer address option; returns the offset behind it. */
export function encodeLinkAddress(view: DataView, at: number, type: number, high: number, low: number): number {
  view.setUint8(at, type)
  view.setUint8(at + 1, 1)
  view.setUint16(at + 2, high)
  view.setInt32(at + 4, low)
  return at + LINK_ADDRESS_OPTION
}

/** Returns the offset behind the option. */
export function encodeMtu(view: DataView, at: number, bytes: number): number {
  view.setUint8(at, MTU)
  view.setUint8(at + 1, 1)
  view.setUint16(at + 2, 0)
  view.setUint32(at + 4, bytes)
  return at + MTU_OPTION
}

/** Lifetimes in milliseconds, `Infinity` included; returns the offset behind the option. */
export function encodePrefix(
  view: DataView,
  at: number,
  prefix: Address,
  length: number,
  flags: number,
  valid: number,
  preferred: number,
): number {
  view.setUint8(at, PREFIX_INFORMATION)
  view.setUint8(at + 1, PREFIX_OPTION / 8)
  view.setUint8(at + 2, length)
  view.setUint8(at + 3, flags)
  view.setUint32(at + 4, Math.min(INFINITE, Math.floor(valid / 1000)))
  view.setUint32(at + 8, Math.min(INFINITE, Math.floor(preferred / 1000)))
  view.setUint32(at + 12, 0)
  prefix.write(view, at + 16)
  return at + PREFIX_OPTION
}

/**
 * Lifetime in milliseconds, `Infinity` included; the prefix takes as many bytes as it needs.
 * Returns the offset behind the option.
 */
export function encodeRoute(
  view: DataView,
  at: number,
  { address, length }: Prefix,
  preference: number,
  lifetime: number,
): number {
  const bytes = length === 0 ? 0 : length <= 64 ? 8 : 16
  view.setUint8(at, ROUTE_INFORMATION)
  view.setUint8(at + 1, (ROUTE_OPTION + bytes) / 8)
  view.setUint8(at + 2, length)
  view.setUint8(at + 3, preference << 3)
  view.setUint32(at + 4, Math.min(INFINITE, Math.floor(lifetime / 1000)))
  const words = [address.w0, address.w1, address.w2, address.w3]
  for (let word = 0; word < bytes / 4; word++) view.setInt32(at + ROUTE_OPTION + 4 * word, words[word] as number)
  return at + ROUTE_OPTION + bytes
}
