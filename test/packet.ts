/**
 * Packets for tests: builders, and named getters for what a packet holds. No code of `src` takes
 * part, so that a codec is never tested against itself.
 *
 * Builders compose from the inside out: `ipv4(udp(payload, 4, …), { ttl: 1 })`. Fields that are
 * left out take ordinary values. Getters take bytes or their hexadecimal text; those of frames want
 * an Ethernet frame, all others an IP packet, which `inFrame` cuts out of a frame.
 */
import * as raw from './packet.mjs'

export { address, checksum, mac } from './packet.mjs'

export type Bytes = Uint8Array
type Input = Bytes | string

/** The host under test, and somebody elsewhere. */
export const HOST4 = '198.51.100.20'
export const HOST6 = '2001:db8:b::20'
export const PEER4 = '192.0.2.10'
export const PEER6 = '2001:db8:a::10'

/* Bytes */

export const u8 = (...octets: number[]): Bytes => Uint8Array.from(octets)
export const u16 = (value: number): Bytes => u8(value >>> 8, value)
export const u32 = (value: number): Bytes => u8(value >>> 24, value >>> 16, value >>> 8, value)
export const join = (...parts: Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts))
export const fromHex = (text: string): Bytes => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))

/** For comparisons: of arrays of bytes vitest compares each element, which takes milliseconds. */
export const hex = (bytes: Bytes): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

/** Bytes that tell their place. */
export function pattern(size: number, seed = 0): Bytes {
  return Uint8Array.from({ length: size }, (_, at) => (seed + at * 7 + (at >> 8)) & 255)
}

/* Builders */

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
  readonly reserved?: boolean
  /** Bytes. */
  readonly offset?: number
  /** A multiple of four bytes. */
  readonly options?: ArrayLike<number>
  /** In place of the right ones; `ihl` counts words. */
  readonly version?: number
  readonly ihl?: number
  readonly totalLength?: number
  readonly headerChecksum?: number
}

export function ipv4(payload: ArrayLike<number>, fields: Ipv4Fields = {}): Bytes {
  const { source = PEER4, destination = HOST4, protocol = 17, identification = 1, offset = 0, ...rest } = fields
  const flags = (rest.reserved ? 0x8000 : 0) | (rest.dontFragment ? 0x4000 : 0) | (rest.moreFragments ? 0x2000 : 0)
  const ends = { source: raw.address(source), destination: raw.address(destination) }
  return new Uint8Array(raw.ipv4({ ...rest, ...ends, protocol, identification, flags: flags | (offset / 8) }, payload))
}

export interface Ipv6Fields extends Ends {
  readonly next?: number
  readonly hopLimit?: number
  readonly trafficClass?: number
  readonly flowLabel?: number
  /** In place of the right ones. */
  readonly version?: number
  readonly payloadLength?: number
}

export function ipv6(payload: ArrayLike<number>, fields: Ipv6Fields = {}): Bytes {
  const { source = PEER6, destination = HOST6, next = 17, ...rest } = fields
  const ends = { source: raw.address(source), destination: raw.address(destination) }
  return new Uint8Array(raw.ipv6({ ...rest, ...ends, next }, payload))
}

export interface UdpFields extends Ends {
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** In place of the right ones; the checksum covers what the length says. */
  readonly length?: number
  readonly checksum?: number
}

/** A UDP datagram, header and payload, without an IP header. */
export function udp(payload: ArrayLike<number>, family: 4 | 6, fields: UdpFields = {}): Bytes {
  const {
    source = family === 4 ? PEER4 : PEER6,
    destination = family === 4 ? HOST4 : HOST6,
    sourcePort = 40_000,
    destinationPort = 7,
    length,
    checksum,
  } = fields
  const ends = { source: raw.address(source), destination: raw.address(destination) }
  return new Uint8Array(raw.udp({ ...ends, sourcePort, destinationPort, length, checksum }, payload))
}

export interface TcpFields extends Ends {
  readonly sourcePort?: number
  readonly destinationPort?: number
  readonly sequence?: number
  readonly acknowledgment?: number
  /** The nine bits, FIN the lowest. */
  readonly flags?: number
  readonly window?: number
  readonly urgent?: number
  /** A multiple of four bytes. */
  readonly options?: ArrayLike<number>
  /** In place of the right one. */
  readonly checksum?: number
}

/** A TCP segment, header and payload, without an IP header. */
export function tcp(payload: ArrayLike<number>, family: 4 | 6, fields: TcpFields = {}): Bytes {
  const { source = family === 4 ? PEER4 : PEER6, destination = family === 4 ? HOST4 : HOST6, flags = 0x10 } = fields
  const options = Uint8Array.from(fields.options ?? [])
  const segment = join(
    u16(fields.sourcePort ?? 40_000),
    u16(fields.destinationPort ?? 7),
    u32(fields.sequence ?? 1),
    u32(fields.acknowledgment ?? 0),
    u16(((5 + options.length / 4) << 12) | flags),
    u16(fields.window ?? 1000),
    u16(0),
    u16(fields.urgent ?? 0),
    options,
    Uint8Array.from(payload),
  )
  const pseudo = raw.pseudo(raw.address(source), raw.address(destination), 6, segment.length)
  segment.set(u16(fields.checksum ?? raw.checksum(segment, pseudo)), 16)
  return segment
}

/** A whole IP packet with a segment; `ip` are the IP header's other fields. */
export function segmentPacket(
  payload: ArrayLike<number>,
  family: 4 | 6,
  fields: TcpFields = {},
  ip: Ipv4Fields & Ipv6Fields = {},
): Bytes {
  const { source, destination } = fields
  const ends = { ...(source === undefined ? {} : { source }), ...(destination === undefined ? {} : { destination }) }
  const message = tcp(payload, family, fields)
  return family === 4 ? ipv4(message, { ...ip, ...ends, protocol: 6 }) : ipv6(message, { ...ip, ...ends, next: 6 })
}

/** A whole IP packet with a datagram. */
export function datagram(
  payload: ArrayLike<number>,
  family: 4 | 6,
  fields: UdpFields & Ipv4Fields & Ipv6Fields = {},
): Bytes {
  const message = udp(payload, family, fields)
  return family === 4 ? ipv4(message, fields) : ipv6(message, fields)
}

/** A datagram between two sockets: '10.0.0.2:5' or '[fd00::2]:5' each. */
export function between(from: string, to: string, payload: ArrayLike<number>): Bytes {
  const [source, sourcePort] = split(from)
  const [destination, destinationPort] = split(to)
  return datagram(payload, from.startsWith('[') ? 6 : 4, { source, sourcePort, destination, destinationPort })
}

function split(end: string): [string, number] {
  const colon = end.lastIndexOf(':')
  return [end.slice(0, colon).replace(/^\[|\]$/g, ''), Number(end.slice(colon + 1))]
}

/** An ICMP message of either family; `rest` is the second word, `body` what follows it. */
export function icmp(
  type: number,
  code: number,
  rest: number,
  body: ArrayLike<number>,
  family: 4 | 6,
  fields: Ends & { checksum?: number } = {},
): Bytes {
  const { source = PEER6, destination = HOST6, checksum } = fields
  const ends = family === 4 ? null : { source: raw.address(source), destination: raw.address(destination) }
  const message = new Uint8Array(raw.icmp(type, code, rest, body, ends))
  if (checksum !== undefined) message.set(u16(checksum), 2)
  return message
}

/** A whole IP packet with an ICMP message. */
export function icmpPacket(
  type: number,
  code: number,
  rest: number,
  body: ArrayLike<number>,
  family: 4 | 6,
  fields: Ipv4Fields & Ipv6Fields & { checksum?: number } = {},
): Bytes {
  const message = icmp(type, code, rest, body, family, fields)
  return family === 4 ? ipv4(message, { ...fields, protocol: 1 }) : ipv6(message, { ...fields, next: 58 })
}

/** An IPv6 fragment header. */
export function fragmentHeader(next: number, offset: number, more: boolean, identification = 1): number[] {
  return [...raw.fragmentHeader(next, offset, more, identification)]
}

/* What an Ethernet frame holds */

const bytesOf = (input: Input): Bytes => (typeof input === 'string' ? fromHex(input) : input)
const byte = (bytes: Bytes, at: number): number => bytes[at] ?? 0
const short = (bytes: Bytes, at: number): number => (byte(bytes, at) << 8) | byte(bytes, at + 1)
const word = (bytes: Bytes, at: number): number => ((short(bytes, at) << 16) | short(bytes, at + 2)) >>> 0
const macText = (bytes: Bytes) => Array.from(bytes, (each) => each.toString(16).padStart(2, '0')).join(':')

export const macDestination = (frame: Input): string => macText(bytesOf(frame).subarray(0, 6))
export const macSource = (frame: Input): string => macText(bytesOf(frame).subarray(6, 12))
export const etherType = (frame: Input): number => short(bytesOf(frame), 12)
/** The packet in a frame without tags. */
export const inFrame = (frame: Input): Bytes => bytesOf(frame).subarray(14)
export const isArp = (frame: Input): boolean => etherType(frame) === 0x0806
/** 1 asks, 2 answers. */
export const arpOperation = (frame: Input): number => short(bytesOf(frame), 20)
export const arpTarget = (frame: Input): Bytes => bytesOf(frame).subarray(38, 42)

/* What the IP header holds */

/** An address as RFC 5952 writes it. */
export function addressText(bytes: Bytes): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, at) => short(bytes, at * 2).toString(16))
  const zeros = groups
    .map((_, at) => groups.slice(at).findIndex((group) => group !== '0'))
    .map((n, at) => (n < 0 ? 8 - at : n))
  const longest = Math.max(...zeros)
  if (longest < 2) return groups.join(':')
  const at = zeros.indexOf(longest)
  return `${groups.slice(0, at).join(':')}::${groups.slice(at + longest).join(':')}`
}

export const version = (packet: Input): number => byte(bytesOf(packet), 0) >>> 4
const isIpv4 = (packet: Input) => version(packet) === 4
export const sourceBytes = (packet: Input): Bytes => bytesOf(packet).subarray(...(isIpv4(packet) ? [12, 16] : [8, 24]))
export const destinationBytes = (packet: Input): Bytes =>
  bytesOf(packet).subarray(...(isIpv4(packet) ? [16, 20] : [24, 40]))
export const source = (packet: Input): string => addressText(sourceBytes(packet))
export const destination = (packet: Input): string => addressText(destinationBytes(packet))
/** TTL, in IPv4. */
export const hopLimit = (packet: Input): number => byte(bytesOf(packet), isIpv4(packet) ? 8 : 7)
/** TOS or Traffic Class. */
export const trafficClass = (packet: Input): number =>
  isIpv4(packet) ? byte(bytesOf(packet), 1) : (short(bytesOf(packet), 0) >>> 4) & 255
export const flowLabel = (packet: Input): number => word(bytesOf(packet), 0) & 0xfffff
/** Protocol or Next Header, as it stands in the fixed header. */
export const nextHeader = (packet: Input): number => byte(bytesOf(packet), isIpv4(packet) ? 9 : 6)
/** Total Length or Payload Length. */
export const lengthField = (packet: Input): number => short(bytesOf(packet), isIpv4(packet) ? 2 : 4)
/** IPv4 alone. */
export const identification = (packet: Input): number => short(bytesOf(packet), 4)
export const dontFragment = (packet: Input): boolean => (byte(bytesOf(packet), 6) & 0x40) !== 0
export const moreFragments = (packet: Input): boolean => (byte(bytesOf(packet), 6) & 0x20) !== 0
/** Bytes. */
export const fragmentOffset = (packet: Input): number => (short(bytesOf(packet), 6) & 0x1fff) * 8
export const ipOptions = (packet: Input): Bytes => bytesOf(packet).subarray(20, headerLength(packet))
export const headerLength = (packet: Input): number => (isIpv4(packet) ? (byte(bytesOf(packet), 0) & 15) * 4 : 40)

const EXTENSION_HEADERS = new Set([0, 43, 44, 60])

/**
 * The upper protocol and where its header begins, behind the IPv6 extension headers that are there.
 */
function upperHeader(packet: Input): { protocol: number; at: number } {
  const bytes = bytesOf(packet)
  let protocol = nextHeader(packet)
  let at = headerLength(packet)
  if (!isIpv4(packet))
    while (EXTENSION_HEADERS.has(protocol) && at + 2 <= bytes.length) {
      const length = protocol === 44 ? 8 : (byte(bytes, at + 1) + 1) * 8
      protocol = byte(bytes, at)
      at += length
    }
  return { protocol, at }
}

export const protocol = (packet: Input): number => upperHeader(packet).protocol
/** What the IP header and IPv6's extension headers carry. */
export const upper = (packet: Input): Bytes => bytesOf(packet).subarray(upperHeader(packet).at)

/* What the upper header holds */

export const isUdp = (packet: Input): boolean => protocol(packet) === 17
export const sourcePort = (packet: Input): number => short(upper(packet), 0)
export const destinationPort = (packet: Input): number => short(upper(packet), 2)
export const udpChecksum = (packet: Input): number => short(upper(packet), 6)
export const udpPayload = (packet: Input): Bytes => upper(packet).subarray(8)

export const isIcmp = (packet: Input): boolean => protocol(packet) === (isIpv4(packet) ? 1 : 58)
export const icmpType = (packet: Input): number => byte(upper(packet), 0)
export const icmpCode = (packet: Input): number => byte(upper(packet), 1)
/** Type and code. */
export const icmpKind = (packet: Input): [number, number] => [icmpType(packet), icmpCode(packet)]
/** The second word: an MTU, a pointer, identifier and sequence number. */
export const icmpRest = (packet: Input): number => word(upper(packet), 4)
/** What follows the second word: the packet that an error quotes, the data of an echo. */
export const icmpBody = (packet: Input): Bytes => upper(packet).subarray(8)

/**
 * Whether the checksums hold: the IPv4 header's, and that of a whole UDP datagram or ICMP message.
 */
export function checksumsHold(packet: Input): boolean {
  const bytes = bytesOf(packet)
  if (isIpv4(bytes) && raw.checksum(bytes.subarray(0, headerLength(bytes))) !== 0) return false
  const message = upper(bytes)
  if (!isUdp(bytes) && !isIcmp(bytes)) return true
  if (isUdp(bytes) && udpChecksum(bytes) === 0) return isIpv4(bytes)
  const bare = isIpv4(bytes) && isIcmp(bytes)
  const front = bare ? 0 : raw.pseudo(sourceBytes(bytes), destinationBytes(bytes), protocol(bytes), message.length)
  return raw.checksum(message, front) === 0
}
