/**
 * Packets by hand, without any code of the stack: the twin of its codecs, and the food of the
 * differential tests.
 */

export type Bytes = Uint8Array

export const hex = (bytes: Bytes) => Buffer.from(bytes).toString('hex')
export const fromHex = (text: string): Bytes => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
export const u8 = (...octets: number[]): Bytes => Uint8Array.from(octets)
export const u16 = (value: number): Bytes => u8(value >>> 8, value)
export const u32 = (value: number): Bytes => u8(value >>> 24, value >>> 16, value >>> 8, value)
export const join = (...parts: Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts))

/** `length` bytes that differ from their neighbors. */
export const pattern = (length: number, first = 0): Bytes =>
  Uint8Array.from({ length }, (_, at) => (first + at * 7) & 255)

/** 4 bytes of `10.0.0.1`, 16 of `fd00::1` (with at most one `::`, no dots). */
export function address(text: string): Bytes {
  if (!text.includes(':')) return Uint8Array.from(text.split('.').map(Number))
  const [head = '', tail] = text.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const first = groups(head)
  const last = tail === undefined ? [] : groups(tail)
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Uint8Array.from(all.flatMap((group) => [group >>> 8, group & 255]))
}

/** The one's-complement sum of 16-bit words, folded and inverted. */
export function checksum(...parts: Bytes[]): number {
  const bytes = join(...parts)
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] as number) << 8) + (bytes[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

export interface Ip4 {
  source: string
  destination: string
  protocol?: number
  ttl?: number
  tos?: number
  id?: number
  df?: boolean
  mf?: boolean
  /** Bytes. */
  offset?: number
  options?: Bytes
  payload?: Bytes
  /** What the fields say instead of the truth. */
  version?: number
  ihl?: number
  totalLength?: number
  headerChecksum?: number
  reserved?: boolean
}

export function ip4(fields: Ip4): Bytes {
  const { options = u8(), payload = u8() } = fields
  const padded = join(options, new Uint8Array((4 - (options.length % 4)) % 4))
  const header = new Uint8Array(20 + padded.length)
  const view = new DataView(header.buffer)
  view.setUint8(0, ((fields.version ?? 4) << 4) | (fields.ihl ?? header.length / 4))
  view.setUint8(1, fields.tos ?? 0)
  view.setUint16(2, fields.totalLength ?? header.length + payload.length)
  view.setUint16(4, fields.id ?? 0)
  const flags = (fields.reserved ? 0x8000 : 0) | (fields.df ? 0x4000 : 0) | (fields.mf ? 0x2000 : 0)
  view.setUint16(6, flags | ((fields.offset ?? 0) / 8))
  view.setUint8(8, fields.ttl ?? 64)
  view.setUint8(9, fields.protocol ?? 17)
  header.set(address(fields.source), 12)
  header.set(address(fields.destination), 16)
  header.set(padded, 20)
  view.setUint16(10, fields.headerChecksum ?? checksum(header))
  return join(header, payload)
}

export interface Ip6 {
  source: string
  destination: string
  next?: number
  hopLimit?: number
  trafficClass?: number
  flowLabel?: number
  payload?: Bytes
  version?: number
  payloadLength?: number
}

export function ip6(fields: Ip6): Bytes {
  const { payload = u8() } = fields
  const first = ((fields.version ?? 6) << 28) | ((fields.trafficClass ?? 0) << 20) | (fields.flowLabel ?? 0)
  return join(
    u32(first),
    u16(fields.payloadLength ?? payload.length),
    u8(fields.next ?? 17, fields.hopLimit ?? 64),
    address(fields.source),
    address(fields.destination),
    payload,
  )
}

function pseudo(source: string, destination: string, protocol: number, length: number): Bytes {
  return source.includes(':')
    ? join(address(source), address(destination), u32(length), u32(protocol))
    : join(address(source), address(destination), u8(0, protocol), u16(length))
}

export interface Udp {
  from: string
  to: string
  sourcePort?: number
  port?: number
  payload?: Bytes
  length?: number
  checksum?: number
}

/** A UDP datagram (header and payload); the checksum covers what `length` says. */
export function udp(fields: Udp): Bytes {
  const { payload = pattern(20) } = fields
  const length = fields.length ?? 8 + payload.length
  const header = join(u16(fields.sourcePort ?? 5000), u16(fields.port ?? 7000), u16(length), u16(0))
  const covered = join(header, payload).subarray(0, Math.max(8, length))
  const sum = checksum(pseudo(fields.from, fields.to, 17, length), covered) || 0xffff
  header.set(u16(fields.checksum ?? sum), 6)
  return join(header, payload)
}

/** An ICMP message; `six` addresses make it ICMPv6. */
export function icmp(type: number, code: number, rest: Bytes, body: Bytes, six?: { from: string; to: string }): Bytes {
  const message = join(u8(type, code, 0, 0), rest, body)
  const sum = six === undefined ? checksum(message) : checksum(pseudo(six.from, six.to, 58, message.length), message)
  message.set(u16(sum), 2)
  return message
}

/** A hop-by-hop (0) or destination (60) options header, padded with PadN. */
export function options(next: number, ...each: Bytes[]): Bytes {
  const body = join(...each)
  const pad = (8 - ((2 + body.length) % 8)) % 8
  const padding = pad === 0 ? u8() : pad === 1 ? u8(0) : join(u8(1, pad - 2), new Uint8Array(pad - 2))
  const whole = join(u8(next, (2 + body.length + pad) / 8 - 1), body, padding)
  return whole
}

export function fragmentHeader(next: number, offset: number, more: boolean, id: number, reserved = 0): Bytes {
  return join(u8(next, reserved), u16(offset | (more ? 1 : 0)), u32(id))
}

export function routing(next: number, type: number, segmentsLeft: number, body: Bytes = new Uint8Array(4)): Bytes {
  return join(u8(next, (4 + body.length) / 8 - 1, type, segmentsLeft), body)
}

/** Writes the right checksum into an IPv4 header that was changed. */
export function fixHeaderChecksum(packet: Bytes): void {
  const length = Math.min(((packet[0] as number) & 15) * 4, packet.length)
  if (length < 20) return
  packet.set(u16(0), 10)
  packet.set(u16(checksum(packet.subarray(0, length))), 10)
}
