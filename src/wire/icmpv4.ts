/**
 * ICMP for IPv4: RFC 792, next-hop MTU RFC 1191 section 4, codes RFC 1122 section 3.2.2.1 and RFC
 * 1812 section 5.2.7.1.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+---------------+-------------------------------+
 *     |     Type      |     Code      |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |     identifier and sequence, pointer, or unused and MTU       |
 *     +---------------------------------------------------------------+
 *     |           data, or the quoted packet ...                      |
 */
import { finish, isComplete, sumLong } from '../base/checksum.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'

const CHECKSUM = 2
const REST = 4

export const HEADER = 8

export const ECHO_REPLY = 0
export const DESTINATION_UNREACHABLE = 3
export const SOURCE_QUENCH = 4
export const REDIRECT = 5
export const ECHO = 8
export const TIME_EXCEEDED = 11
export const PARAMETER_PROBLEM = 12
export const TIMESTAMP = 13
export const TIMESTAMP_REPLY = 14
/** Header, identifier and sequence included, and three times. */
export const TIMESTAMP_LENGTH = 20

/** Codes of Destination Unreachable. */
export const NET_UNREACHABLE = 0
export const HOST_UNREACHABLE = 1
export const PROTOCOL_UNREACHABLE = 2
export const PORT_UNREACHABLE = 3
export const FRAGMENTATION_NEEDED = 4
export const SOURCE_ROUTE_FAILED = 5
export const ADMINISTRATIVELY_PROHIBITED = 13

/** Code of Redirect: for one host (RFC 1812 section 5.2.7.2: not for a network). */
export const FOR_HOST = 1

/** Codes of Time Exceeded. */
export const IN_TRANSIT = 0
export const IN_REASSEMBLY = 1

/** Checks length and checksum of the message at `packet.transport`. */
export function parse(packet: Packet): Drop {
  if (packet.end - packet.transport < HEADER) return Drop.IcmpTooShort
  if (!isComplete(sumLong(packet, packet.transport, packet.end, 0))) return Drop.IcmpChecksum
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

/** Next-hop MTU of Fragmentation Needed; 0 from routers older than RFC 1191. */
export function mtu(view: DataView, at: number): number {
  return view.getUint16(at + REST + 2)
}

/** The better first hop that a Redirect names, as a word. */
export function gateway(view: DataView, at: number): number {
  return view.getInt32(at + REST)
}

/** Octet that a Parameter Problem points to. */
export function pointer(view: DataView, at: number): number {
  return view.getUint8(at + REST)
}

/**
 * Whether a message of this type is an error, so that no error may answer it (RFC 1122 section
 * 3.2.2).
 */
export function isError(type: number): boolean {
  return (
    type === DESTINATION_UNREACHABLE ||
    type === SOURCE_QUENCH ||
    type === REDIRECT ||
    type === TIME_EXCEEDED ||
    type === PARAMETER_PROBLEM
  )
}

/** Echo, Timestamp, Information and Address Mask, requests and replies. */
export function isQuery(type: number): boolean {
  return type === ECHO_REPLY || type === ECHO || (type >= TIMESTAMP && type <= 18)
}

/**
 * What a host sends unasked by its own programs: replies, and the errors about what it received.
 */
export function isAnswer(type: number): boolean {
  return (
    type === ECHO_REPLY ||
    type === TIMESTAMP_REPLY ||
    type === DESTINATION_UNREACHABLE ||
    type === TIME_EXCEEDED ||
    type === PARAMETER_PROBLEM
  )
}

/**
 * Writes the 8 bytes at `at` and the checksum over the message up to `end`; `rest` is the second
 * 32-bit word.
 */
export function encode(packet: Packet, at: number, end: number, type: number, code: number, rest: number): void {
  const { view } = packet
  view.setUint8(at, type)
  view.setUint8(at + 1, code)
  view.setUint16(at + CHECKSUM, 0)
  view.setInt32(at + REST, rest)
  view.setUint16(at + CHECKSUM, finish(sumLong(packet, at, end, 0)))
}

const typeNames: Record<number, string> = {
  [ECHO_REPLY]: 'echo reply',
  [DESTINATION_UNREACHABLE]: 'destination unreachable',
  [SOURCE_QUENCH]: 'source quench',
  [REDIRECT]: 'redirect',
  [ECHO]: 'echo request',
  [TIME_EXCEEDED]: 'time exceeded',
  [PARAMETER_PROBLEM]: 'parameter problem',
  [TIMESTAMP]: 'timestamp request',
  [TIMESTAMP_REPLY]: 'timestamp reply',
}

const unreachableNames: Record<number, string> = {
  [NET_UNREACHABLE]: 'net unreachable',
  [HOST_UNREACHABLE]: 'host unreachable',
  [PROTOCOL_UNREACHABLE]: 'protocol unreachable',
  [PORT_UNREACHABLE]: 'port unreachable',
  [FRAGMENTATION_NEEDED]: 'fragmentation needed',
  [SOURCE_ROUTE_FAILED]: 'source route failed',
  [ADMINISTRATIVELY_PROHIBITED]: 'administratively prohibited',
}

/** One line: type, code and what the second word says. */
export function describe(view: DataView, at: number): string {
  const kind = type(view, at)
  const name = `ICMP ${typeNames[kind] ?? `type ${kind}`}`
  if (kind === ECHO || kind === ECHO_REPLY) return `${name} id ${identifier(view, at)} seq ${sequence(view, at)}`
  if (kind === PARAMETER_PROBLEM) return `${name} code ${code(view, at)} pointer ${pointer(view, at)}`
  if (kind === TIME_EXCEEDED) return `${name} ${code(view, at) === IN_REASSEMBLY ? 'in reassembly' : 'in transit'}`
  if (kind !== DESTINATION_UNREACHABLE) return `${name} code ${code(view, at)}`
  const reason = unreachableNames[code(view, at)] ?? `destination unreachable code ${code(view, at)}`
  return code(view, at) === FRAGMENTATION_NEEDED ? `ICMP ${reason} mtu ${mtu(view, at)}` : `ICMP ${reason}`
}
