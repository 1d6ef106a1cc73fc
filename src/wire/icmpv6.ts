/**
 * ICMPv6: RFC 4443 section 2.1; the codes of Parameter Problem: RFC 4443 section 3.4 and RFC 7112.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+---------------+-------------------------------+
 *     |     Type      |     Code      |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |      identifier and sequence, MTU, pointer, or unused         |
 *     +---------------------------------------------------------------+
 *     |           data, or the quoted packet ...                      |
 */
import { finish, isComplete, sumLong } from '../base/checksum.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import { pseudoHeaderSum } from './ipv6.ts'
import { ICMPV6 } from './protocol.ts'

const CHECKSUM = 2
const REST = 4

export const HEADER = 8

export const DESTINATION_UNREACHABLE = 1
export const PACKET_TOO_BIG = 2
export const TIME_EXCEEDED = 3
export const PARAMETER_PROBLEM = 4
export const ECHO_REQUEST = 128
export const ECHO_REPLY = 129

/** Codes of Destination Unreachable. */
export const NO_ROUTE = 0
export const PROHIBITED = 1
export const BEYOND_SCOPE = 2
export const ADDRESS_UNREACHABLE = 3
export const PORT_UNREACHABLE = 4

/** Codes of Time Exceeded. */
export const IN_TRANSIT = 0
export const IN_REASSEMBLY = 1

/** Checks length and checksum of the message at `packet.transport`. */
export function parse(packet: Packet): Drop {
  const length = packet.end - packet.transport
  if (length < HEADER) return Drop.IcmpTooShort
  const pseudo = pseudoHeaderSum(packet.view, packet.network, ICMPV6, length)
  if (!isComplete(sumLong(packet, packet.transport, packet.end, pseudo))) return Drop.IcmpChecksum
  return Drop.None
}

export function type(view: DataView, at: number): number {
  return view.getUint8(at)
}

export function code(view: DataView, at: number): number {
  return view.getUint8(at + 1)
}

export function identifier(view: DataView, at: number): number {
  return view.getUint16(at + REST)
}

export function sequence(view: DataView, at: number): number {
  return view.getUint16(at + REST + 2)
}

export function mtu(view: DataView, at: number): number {
  return view.getUint32(at + REST)
}

export function pointer(view: DataView, at: number): number {
  return view.getUint32(at + REST)
}

/** Types below 128 are errors (RFC 4443 section 2.1). */
export function isError(type: number): boolean {
  return type < 128
}

/**
 * What a host sends unasked by its own programs: echo replies, and the errors about what it
 * received.
 */
export function isAnswer(type: number): boolean {
  return type === ECHO_REPLY || (type >= DESTINATION_UNREACHABLE && type <= PARAMETER_PROBLEM)
}

/** Writes the 8 bytes at `at`; the checksum field is left 0 for {@link encodeChecksum}. */
export function encodeHeader(view: DataView, at: number, type: number, code: number, rest: number): void {
  view.setUint8(at, type)
  view.setUint8(at + 1, code)
  view.setUint16(at + CHECKSUM, 0)
  view.setInt32(at + REST, rest)
}

/**
 * Fills the checksum field, which is 0, of the message at `at … end` behind the IPv6 header at
 * `network`, already encoded.
 */
export function encodeChecksum(packet: Packet, network: number, at: number, end: number): void {
  const pseudo = pseudoHeaderSum(packet.view, network, ICMPV6, end - at)
  packet.view.setUint16(at + CHECKSUM, finish(sumLong(packet, at, end, pseudo)))
}

/** Both: the message is at `at … end` behind the IPv6 header at `network`, already encoded. */
export function encode(
  packet: Packet,
  network: number,
  at: number,
  end: number,
  type: number,
  code: number,
  rest: number,
): void {
  encodeHeader(packet.view, at, type, code, rest)
  encodeChecksum(packet, network, at, end)
}

const typeNames: Record<number, string> = {
  [DESTINATION_UNREACHABLE]: 'destination unreachable',
  [PACKET_TOO_BIG]: 'packet too big',
  [TIME_EXCEEDED]: 'time exceeded',
  [PARAMETER_PROBLEM]: 'parameter problem',
  [ECHO_REQUEST]: 'echo request',
  [ECHO_REPLY]: 'echo reply',
  130: 'multicast listener query',
  131: 'multicast listener report',
  132: 'multicast listener done',
  133: 'router solicitation',
  134: 'router advertisement',
  135: 'neighbor solicitation',
  136: 'neighbor advertisement',
  137: 'redirect',
  143: 'multicast listener report v2',
}

const unreachableNames: Record<number, string> = {
  [NO_ROUTE]: 'no route',
  [PROHIBITED]: 'administratively prohibited',
  [BEYOND_SCOPE]: 'beyond scope of source',
  [ADDRESS_UNREACHABLE]: 'address unreachable',
  [PORT_UNREACHABLE]: 'port unreachable',
}

/** One line: type, code and what the second word says. */
export function describe(view: DataView, at: number): string {
  const kind = type(view, at)
  const name = `ICMPv6 ${typeNames[kind] ?? `type ${kind}`}`
  if (kind === ECHO_REQUEST || kind === ECHO_REPLY)
    return `${name} id ${identifier(view, at)} seq ${sequence(view, at)}`
  if (kind === PACKET_TOO_BIG) return `${name} mtu ${mtu(view, at)}`
  if (kind === PARAMETER_PROBLEM) return `${name} code ${code(view, at)} pointer ${pointer(view, at)}`
  if (kind === TIME_EXCEEDED) return `${name} ${code(view, at) === IN_REASSEMBLY ? 'in reassembly' : 'in transit'}`
  if (kind === DESTINATION_UNREACHABLE)
    return `ICMPv6 ${unreachableNames[code(view, at)] ?? `destination unreachable code ${code(view, at)}`}`
  return kind < 128 ? `${name} code ${code(view, at)}` : name
}
