/**
 * Packets written by the obvious code: what the codecs under test are not. Options that are left
 * out take ordinary values.
 */
import { Address } from '../src/base/address.ts'
import { HOST4, HOST6, PEER4, PEER6 } from './host.ts'
import { slowChecksum } from './twins/checksum.ts'

const bytesOf = (address: string) => [...Address.parse(address).toBytes()]
const two = (value: number) => [(value >>> 8) & 255, value & 255]
const four = (value: number) => [...two(value >>> 16), ...two(value)]

export interface Ends {
  readonly source?: string
  readonly destination?: string
}

export interface Ipv4Fields extends Ends {
  readonly protocol?: number
  readonly ttl?: number
  readonly tos?: number
  readonly identification?: number
  readonly dontFragment?: boolean
  readonly moreFragments?: boolean
  /** Bytes. */
  readonly offset?: number
  /** A multiple of four bytes. */
  readonly options?: readonly number[]
}

export function ipv4(payload: ArrayLike<number>, fields: Ipv4Fields = {}): Uint8Array {
  const {
    source = PEER4,
    destination = HOST4,
    protocol = 17,
    ttl = 64,
    tos = 0,
    identification = 1,
    offset = 0,
    options = [],
  } = fields
  const header = [
    0x45 + options.length / 4,
    tos,
    ...two(20 + options.length + payload.length),
    ...two(identification),
    ...two((fields.dontFragment === true ? 0x4000 : 0) | (fields.moreFragments === true ? 0x2000 : 0) | (offset / 8)),
    ttl,
    protocol,
    0,
    0,
    ...bytesOf(source),
    ...bytesOf(destination),
    ...options,
  ]
  const checksum = slowChecksum(Uint8Array.from(header))
  return Uint8Array.from([...header.slice(0, 10), ...two(checksum), ...header.slice(12), ...Array.from(payload)])
}

export interface Ipv6Fields extends Ends {
  readonly next?: number
  readonly hopLimit?: number
  readonly trafficClass?: number
}

export function ipv6(payload: ArrayLike<number>, fields: Ipv6Fields = {}): Uint8Array {
  const { source = PEER6, destination = HOST6, next = 17, hopLimit = 64, trafficClass = 0 } = fields
  return Uint8Array.from([
    ...four((0x60000000 | (trafficClass << 20)) >>> 0),
    ...two(payload.length),
    next,
    hopLimit,
    ...bytesOf(source),
    ...bytesOf(destination),
    ...Array.from(payload),
  ])
}

/** The checksum of an upper-layer message whose field is 0, pseudo-header included. */
function upperChecksum(message: ArrayLike<number>, protocol: number, source: string, destination: string): number {
  const pseudo = [...bytesOf(source), ...bytesOf(destination), ...four(message.length), ...four(protocol)]
  return slowChecksum(Uint8Array.from([...pseudo, ...Array.from(message)]))
}

export interface UdpFields extends Ends {
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** In place of the right ones. */
  readonly length?: number
  readonly checksum?: number
}

/** A UDP datagram; the family of the checksum is that of the addresses. */
export function udp(payload: ArrayLike<number>, family: 4 | 6, fields: UdpFields = {}): Uint8Array {
  const {
    source = family === 4 ? PEER4 : PEER6,
    destination = family === 4 ? HOST4 : HOST6,
    sourcePort = 40_000,
    destinationPort = 7,
  } = fields
  const length = fields.length ?? 8 + payload.length
  const message = [...two(sourcePort), ...two(destinationPort), ...two(length), 0, 0, ...Array.from(payload)]
  const checksum = fields.checksum ?? (upperChecksum(message, 17, source, destination) || 0xffff)
  return Uint8Array.from([...message.slice(0, 6), ...two(checksum), ...message.slice(8)])
}

/** A whole IP packet with a datagram. */
export function datagram(
  payload: ArrayLike<number>,
  family: 4 | 6,
  fields: UdpFields & Ipv4Fields & Ipv6Fields = {},
): Uint8Array {
  const message = udp(payload, family, fields)
  return family === 4 ? ipv4(message, fields) : ipv6(message, fields)
}

/** An ICMP message of either family with the right checksum, unless another one is given. */
export function icmp(
  type: number,
  code: number,
  rest: number,
  body: ArrayLike<number>,
  family: 4 | 6,
  fields: Ends & { checksum?: number } = {},
): Uint8Array {
  const { source = family === 4 ? PEER4 : PEER6, destination = family === 4 ? HOST4 : HOST6 } = fields
  const message = [type, code, 0, 0, ...four(rest >>> 0), ...Array.from(body)]
  const right = family === 4 ? slowChecksum(Uint8Array.from(message)) : upperChecksum(message, 58, source, destination)
  return Uint8Array.from([type, code, ...two(fields.checksum ?? right), ...message.slice(4)])
}

/** A whole IP packet with an ICMP message. */
export function icmpPacket(
  type: number,
  code: number,
  rest: number,
  body: ArrayLike<number>,
  family: 4 | 6,
  fields: Ipv4Fields & Ipv6Fields & { checksum?: number } = {},
): Uint8Array {
  const message = icmp(type, code, rest, body, family, fields)
  return family === 4 ? ipv4(message, { ...fields, protocol: 1 }) : ipv6(message, { ...fields, next: 58 })
}

/** An IPv6 fragment header. */
export function fragmentHeader(next: number, offset: number, more: boolean, identification = 1): number[] {
  return [next, 0, ...two(offset | (more ? 1 : 0)), ...four(identification)]
}

/** Bytes that tell their place. */
export function pattern(size: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (seed + at * 7 + (at >> 8)) & 255)
}

/** For comparisons: of arrays of bytes vitest compares each element, which takes milliseconds. */
export function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}
