/**
 * Ethernet II framing: RFC 894 (IPv4), RFC 2464 (IPv6); the group addresses of both, RFC 1112
 * section 6.4 and RFC 2464 section 7.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------------------------------------------------------+
 *     |                      Destination Address                      |
 *     +-------------------------------+-------------------------------+
 *     |                               |                               |
 *     +-------------------------------+                               +
 *     |                        Source Address                         |
 *     +-------------------------------+-------------------------------+
 *     |           EtherType           |  payload, padded to 46 bytes
 *
 * Between the Source Address and the EtherType there may be tags of IEEE 802.1Q, each a type
 * (0x8100 or 0x88a8) and 16 bits whose last 12 are a VLAN. One of VLAN 0, a priority tag, says
 * nothing but the frame's priority: it is stepped over, as Linux does, and so is one behind it.
 *
 * A hardware address is two numbers here, `high` and `low`: see `hardware-address.ts`.
 */
import { Drop } from '../base/drop.ts'
import { Cast, type Packet } from '../base/packet.ts'
import { formatHardwareAddress } from './hardware-address.ts'

const DESTINATION = 0
const SOURCE = 6
/** Offset of the EtherType in a frame without tags. */
export const ETHER_TYPE = 12
export const HEADER = 14

/** EtherTypes. */
export const IPV4 = 0x0800
export const ARP = 0x0806
export const IPV6 = 0x86dd
const VLAN = 0x8100
const SERVICE_VLAN = 0x88a8
const TAG = 4
const VLAN_ID = 0xfff

/** The bit of `high` that marks a group address. */
const GROUP_BIT = 0x0100
/** `high` and `low` of the broadcast address. */
export const BROADCAST_HIGH = 0xffff
export const BROADCAST_LOW = -1

/** Of an IPv4 group 01:00:5e and its low 23 bits (RFC 1112 section 6.4). */
export const GROUP4_HIGH = 0x0100

/**
 * Of an IPv6 group 33:33 and its low 32 bits, which are the address's last word (RFC 2464 section
 * 7).
 */
export const GROUP6_HIGH = 0x3333

/**
 * Checks the header of the frame at `packet.start` for a station with the given address, sets
 * `packet.cast`, and moves `packet.start` behind it. Padding stays: the payload's own length cuts
 * it off.
 */
export function parse(packet: Packet, ownHigh: number, ownLow: number): Drop {
  const { view, start } = packet
  packet.family = 0
  if (packet.end - start < HEADER) return Drop.FrameTooShort
  const high = view.getUint16(start + DESTINATION)
  const low = view.getInt32(start + DESTINATION + 2)
  packet.cast = castOf(high, low)
  if (packet.cast === Cast.Unicast && (high !== ownHigh || low !== ownLow)) {
    packet.cast = Cast.OtherHost
    return Drop.FrameOtherHost
  }
  const length = headerLength(packet)
  if (length < 0) return Drop.FrameTooShort
  const kind = payloadType(view, start + length)
  if (kind === VLAN || kind === SERVICE_VLAN) return Drop.FrameVlanTagged
  if (kind !== IPV4 && kind !== IPV6 && kind !== ARP) return Drop.FrameUnknownType
  packet.start = start + length
  return Drop.None
}

export function destinationHigh(view: DataView, at: number): number {
  return view.getUint16(at + DESTINATION)
}

export function destinationLow(view: DataView, at: number): number {
  return view.getInt32(at + DESTINATION + 2)
}

export function sourceHigh(view: DataView, at: number): number {
  return view.getUint16(at + SOURCE)
}

export function sourceLow(view: DataView, at: number): number {
  return view.getInt32(at + SOURCE + 2)
}

export function type(view: DataView, at: number): number {
  return view.getUint16(at + ETHER_TYPE)
}

/**
 * Bytes of the header of the frame at `packet.start`, priority tags included; -1 when it is cut
 * short.
 */
export function headerLength({ view, start, end }: Packet): number {
  for (let length = HEADER; ; length += TAG) {
    if (end - start < length) return -1
    const kind = payloadType(view, start + length)
    if (kind !== VLAN && kind !== SERVICE_VLAN) return length
    if (end - start < length + 2) return -1
    if ((view.getUint16(start + length) & VLAN_ID) !== 0) return length
  }
}

/** The EtherType in front of the payload at `at`. */
export function payloadType(view: DataView, at: number): number {
  return view.getUint16(at - 2)
}

/** How a frame to this address is sent. */
export function castOf(high: number, low: number): Cast {
  if ((high & GROUP_BIT) === 0) return Cast.Unicast
  return high === BROADCAST_HIGH && low === BROADCAST_LOW ? Cast.Broadcast : Cast.Multicast
}

export function group4Low(word: number): number {
  return 0x5e000000 | (word & 0x7fffff)
}

/** Writes the 14 bytes at `at`. */
export function encode(
  view: DataView,
  at: number,
  destinationHigh: number,
  destinationLow: number,
  sourceHigh: number,
  sourceLow: number,
  type: number,
): void {
  view.setUint16(at + DESTINATION, destinationHigh)
  view.setInt32(at + DESTINATION + 2, destinationLow)
  view.setUint16(at + SOURCE, sourceHigh)
  view.setInt32(at + SOURCE + 2, sourceLow)
  view.setUint16(at + ETHER_TYPE, type)
}

/** One line: both addresses and the type. */
export function describe(view: DataView, at: number): string {
  const from = formatHardwareAddress(sourceHigh(view, at), sourceLow(view, at))
  const to = formatHardwareAddress(destinationHigh(view, at), destinationLow(view, at))
  return `Ethernet ${from} > ${to} type 0x${type(view, at).toString(16).padStart(4, '0')}`
}
