/**
 * The builders of `../packet.ts` in the form of the differential tests: a packet is one record with
 * its payload, and fields may lie.
 */
import * as packet from '../packet.ts'
import { type Bytes, checksum as checksumOf, join, pattern, u8, u16, u32 } from '../packet.ts'

export { address, type Bytes, fromHex, hex, join, pattern, u8, u16, u32 } from '../packet.ts'

/** The one's-complement sum of 16-bit words, folded and inverted. */
export const checksum = (...parts: Bytes[]): number =>
  checksumOf(parts.length === 1 ? (parts[0] as Bytes) : join(...parts))

export interface Ip4 extends Omit<packet.Ipv4Fields, 'options' | 'identification' | 'dontFragment' | 'moreFragments'> {
  source: string
  destination: string
  /** 0 if left out. */
  id?: number
  df?: boolean
  mf?: boolean
  /** Padded to words. */
  options?: Bytes
  payload?: Bytes
}

export function ip4({ id = 0, df = false, mf = false, options = u8(), payload = u8(), ...fields }: Ip4): Bytes {
  const padded = join(options, new Uint8Array((4 - (options.length % 4)) % 4))
  return packet.ipv4(payload, {
    ...fields,
    identification: id,
    dontFragment: df,
    moreFragments: mf,
    options: padded,
  })
}

export interface Ip6 extends packet.Ipv6Fields {
  source: string
  destination: string
  payload?: Bytes
}

export const ip6 = ({ payload = u8(), ...fields }: Ip6): Bytes => packet.ipv6(payload, fields)

export interface Udp {
  from: string
  to: string
  sourcePort?: number
  port?: number
  payload?: Bytes
  length?: number
  checksum?: number
}

/** A UDP datagram (header and payload); the family of the checksum is that of the addresses. */
export function udp({ from, to, sourcePort = 5000, port = 7000, payload = pattern(20), ...given }: Udp): Bytes {
  const ends = { source: from, destination: to, sourcePort, destinationPort: port }
  return packet.udp(payload, from.includes(':') ? 6 : 4, { ...ends, ...given })
}

/** An ICMP message; `six` addresses make it ICMPv6. */
export function icmp(type: number, code: number, rest: Bytes, body: Bytes, six?: { from: string; to: string }): Bytes {
  const whole = join(rest, body)
  const word = new DataView(whole.buffer).getUint32(0)
  if (six === undefined) return packet.icmp(type, code, word, whole.subarray(4), 4)
  return packet.icmp(type, code, word, whole.subarray(4), 6, { source: six.from, destination: six.to })
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
