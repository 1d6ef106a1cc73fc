/**
 * ARP for IPv4 over Ethernet: RFC 826; probes and announcements, RFC 5227.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------------------------------+-------------------------------+
 *     |         Hardware Type         |         Protocol Type         |
 *     +---------------+---------------+-------------------------------+
 *     |  H. Length 6  |  P. Length 4  |           Operation           |
 *     +---------------+---------------+-------------------------------+
 *     |              Sender Hardware Address (6 bytes)                |
 *     |              Sender Protocol Address (4 bytes)                |
 *     |              Target Hardware Address (6 bytes)                |
 *     |              Target Protocol Address (4 bytes)                |
 *     +---------------------------------------------------------------+
 */
import { formatWords, MAPPED } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import { formatHardwareAddress } from './hardware-address.ts'
import { type Fields, hexBytes, typeText } from './text.ts'

const HARDWARE_TYPE = 0
const PROTOCOL_TYPE = 2
const HARDWARE_LENGTH = 4
const PROTOCOL_LENGTH = 5
const OPERATION = 6
const SENDER_HARDWARE = 8
const SENDER = 14
const TARGET_HARDWARE = 18
const TARGET = 24
export const LENGTH = 28

const ETHERNET = 1
const IPV4 = 0x0800
export const REQUEST = 1
export const REPLY = 2

/**
 * Checks the message at `packet.start`: sizes and types (RFC 826), and a sender that is one
 * station.
 */
export function parse(packet: Packet): Drop {
  const { view, start } = packet
  if (packet.end - start < LENGTH) return Drop.ArpMalformed
  if (view.getUint16(start + HARDWARE_TYPE) !== ETHERNET || view.getUint16(start + PROTOCOL_TYPE) !== IPV4)
    return Drop.ArpMalformed
  if (view.getUint8(start + HARDWARE_LENGTH) !== 6 || view.getUint8(start + PROTOCOL_LENGTH) !== 4)
    return Drop.ArpMalformed
  const kind = view.getUint16(start + OPERATION)
  if (kind !== REQUEST && kind !== REPLY) return Drop.ArpMalformed
  // RFC 1812 section 3.3.2: a group is no hardware address of a neighbor.
  if ((view.getUint8(start + SENDER_HARDWARE) & 1) !== 0) return Drop.ArpMalformed
  const from = view.getInt32(start + SENDER)
  if (from >>> 28 >= 0xe || from >>> 24 === 127) return Drop.ArpMalformed
  return Drop.None
}

export function operation(view: DataView, at: number): number {
  return view.getUint16(at + OPERATION)
}

export function senderHigh(view: DataView, at: number): number {
  return view.getUint16(at + SENDER_HARDWARE)
}

export function senderLow(view: DataView, at: number): number {
  return view.getInt32(at + SENDER_HARDWARE + 2)
}

/** The IPv4 address's word. */
export function sender(view: DataView, at: number): number {
  return view.getInt32(at + SENDER)
}

export function targetHigh(view: DataView, at: number): number {
  return view.getUint16(at + TARGET_HARDWARE)
}

export function targetLow(view: DataView, at: number): number {
  return view.getInt32(at + TARGET_HARDWARE + 2)
}

/** The IPv4 address's word. */
export function target(view: DataView, at: number): number {
  return view.getInt32(at + TARGET)
}

/** Whether the addresses are where those of IPv4 over Ethernet are. */
export function isForEthernet(view: DataView, at: number): boolean {
  return view.getUint8(at + HARDWARE_LENGTH) === 6 && view.getUint8(at + PROTOCOL_LENGTH) === 4
}

/** Writes all 28 bytes at `at`. */
export function encode(
  view: DataView,
  at: number,
  operation: number,
  senderHigh: number,
  senderLow: number,
  sender: number,
  targetHigh: number,
  targetLow: number,
  target: number,
): void {
  view.setUint16(at + HARDWARE_TYPE, ETHERNET)
  view.setUint16(at + PROTOCOL_TYPE, IPV4)
  view.setUint8(at + HARDWARE_LENGTH, 6)
  view.setUint8(at + PROTOCOL_LENGTH, 4)
  view.setUint16(at + OPERATION, operation)
  view.setUint16(at + SENDER_HARDWARE, senderHigh)
  view.setInt32(at + SENDER_HARDWARE + 2, senderLow)
  view.setInt32(at + SENDER, sender)
  view.setUint16(at + TARGET_HARDWARE, targetHigh)
  view.setInt32(at + TARGET_HARDWARE + 2, targetLow)
  view.setInt32(at + TARGET, target)
}

/** RFC 826, RFC 903, RFC 2390, RFC 1577. */
const operationNames: Record<number, string> = {
  [REQUEST]: 'request',
  [REPLY]: 'reply',
  3: 'reverse request',
  4: 'reverse reply',
  8: 'inverse request',
  9: 'inverse reply',
  10: 'NAK',
}

export function operationName(view: DataView, at: number): string {
  return operationNames[operation(view, at)] ?? 'unknown'
}

/** One line, as `who has …`. */
export function describe(view: DataView, at: number): string {
  const kind = operation(view, at)
  const name = operationNames[kind] ?? `operation ${kind}`
  if (!isForEthernet(view, at))
    return (
      `ARP ${name}, addresses of ${view.getUint8(at + HARDWARE_LENGTH)} and ` +
      `${view.getUint8(at + PROTOCOL_LENGTH)} bytes`
    )
  const ip = (word: number) => formatWords(0, 0, MAPPED, word)
  const from = ip(sender(view, at))
  const to = ip(target(view, at))
  if (kind === REPLY) return `ARP ${from} is at ${formatHardwareAddress(senderHigh(view, at), senderLow(view, at))}`
  if (kind !== REQUEST) return `ARP ${name} from ${from} for ${to}`
  if (sender(view, at) === 0) return `ARP probe for ${to}`
  return from === to ? `ARP announcement of ${from}` : `ARP who has ${to}, tell ${from}`
}

/** Every field of the message at `at … end`. */
export function fields(view: DataView, at: number, end: number): Fields {
  const known = isForEthernet(view, at)
  return [
    ['hardware type', `${view.getUint16(at)}`],
    ['protocol type', typeText(view.getUint16(at + 2))],
    ['hardware length', `${view.getUint8(at + 4)}`],
    ['protocol length', `${view.getUint8(at + 5)}`],
    ['operation', `${operation(view, at)} (${operationName(view, at)})`],
    ...(known
      ? ([
          ['sender hardware address', formatHardwareAddress(senderHigh(view, at), senderLow(view, at))],
          ['sender address', formatWords(0, 0, MAPPED, sender(view, at))],
          ['target hardware address', formatHardwareAddress(targetHigh(view, at), targetLow(view, at))],
          ['target address', formatWords(0, 0, MAPPED, target(view, at))],
        ] as const)
      : ([['addresses', hexBytes(view, at + 8, end)]] as const)),
  ]
}
