/**
 * What a device does with a frame that has a vnet header (virtio 1.2 section 5.1.6), as the obvious
 * code does it: checksums byte pair by byte pair, segments as Linux's `__udp_gso_segment`,
 * `tcp_gso_segment` and `inet_gso_segment` make them.
 */
import { slowChecksum } from './checksum.ts'

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** `struct virtio_net_hdr` and what is behind it. */
export interface VnetFrame {
  readonly flags: number
  readonly type: number
  readonly headers: number
  readonly size: number
  readonly checksumStart: number
  readonly checksumOffset: number
  readonly bytes: Uint8Array
}

export function readVnet(frame: Uint8Array): VnetFrame {
  const view = new DataView(frame.buffer, frame.byteOffset, 10)
  const [headers, size, checksumStart, checksumOffset] = [2, 4, 6, 8].map((at) => view.getUint16(at, littleEndian)) as [
    number,
    number,
    number,
    number,
  ]
  return {
    flags: view.getUint8(0),
    type: view.getUint8(1),
    headers,
    size,
    checksumStart,
    checksumOffset,
    bytes: frame.slice(10),
  }
}

export function writeVnet({ flags, type, headers, size, checksumStart, checksumOffset, bytes }: VnetFrame): Uint8Array {
  const frame = new Uint8Array(10 + bytes.length)
  const view = new DataView(frame.buffer)
  view.setUint8(0, flags)
  view.setUint8(1, type)
  for (const [index, value] of [headers, size, checksumStart, checksumOffset].entries())
    view.setUint16(2 + 2 * index, value, littleEndian)
  frame.set(bytes, 10)
  return frame
}

/** Completes a checksum: what is in the field belongs to the sum. */
export function complete(packet: Uint8Array, start: number, offset: number): Uint8Array {
  const bytes = packet.slice()
  const view = new DataView(bytes.buffer)
  view.setUint16(start + offset, slowChecksum(bytes.subarray(start)) || 0xffff)
  return bytes
}

/** The UDP header's offset behind options and extension headers, or -1. */
export const udpAt = (packet: Uint8Array): number => upperAt(packet, 17)
/** The same for TCP. */
export const tcpAt = (packet: Uint8Array): number => upperAt(packet, 6)

function upperAt(packet: Uint8Array, protocol: number): number {
  const byte = (at: number) => packet[at] ?? -1
  if (packet.length < 20) return -1
  if (byte(0) >>> 4 === 4) {
    const at = (byte(0) & 15) * 4
    const fragment = (byte(6) & 0x3f) !== 0 || byte(7) !== 0
    return at >= 20 && at + 8 <= packet.length && byte(9) === protocol && !fragment ? at : -1
  }
  if (byte(0) >>> 4 !== 6) return -1
  let [next, at] = [byte(6), 40]
  while (next !== protocol) {
    if (![0, 43, 51, 60].includes(next) || at + 8 > packet.length) return -1
    const length = next === 51 ? 4 * (byte(at + 1) + 2) : 8 * (byte(at + 1) + 1)
    next = byte(at)
    at += length
  }
  return at + 8 <= packet.length ? at : -1
}

/**
 * The packets that a frame stands for, checksums complete; `null` when its vnet header makes no
 * sense.
 */
export function takeApart({
  flags,
  type,
  headers,
  size,
  checksumStart,
  checksumOffset,
  bytes,
}: VnetFrame): Uint8Array[] | null {
  if (headers > bytes.length) return null
  if ((flags & 1) === 0) return (type & 0x7f) === 0 ? [bytes] : null
  if (checksumStart + checksumOffset + 2 > bytes.length) return null
  if ((type & 0x7f) === 0) return [complete(bytes, checksumStart, checksumOffset)]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const four = view.getUint8(0) >>> 4 === 4
  const tcp = (type & 0x7f) === (four ? 1 : 4)
  if (!tcp && (type & 0x7f) !== 5) return null
  if (size === 0 || checksumOffset !== (tcp ? 16 : 6)) return null
  if ((tcp ? tcpAt(bytes) : udpAt(bytes)) !== checksumStart) return null
  const header = tcp ? (view.getUint8(checksumStart + 12) >>> 4) * 4 : 8
  if (tcp && header < 20) return null
  const behind = checksumStart + header
  const payload = bytes.subarray(behind)
  if (payload.length === 0 || (!tcp && view.getUint16(checksumStart + 4) !== 8 + payload.length)) return null
  if ((four ? view.getUint16(2) : view.getUint16(4) + 40) !== bytes.length) return null
  const packets: Uint8Array[] = []
  for (let from = 0; from < payload.length; from += size) {
    const part = payload.subarray(from, from + size)
    const packet = new Uint8Array(behind + part.length)
    packet.set(bytes.subarray(0, behind))
    packet.set(part, behind)
    const own = new DataView(packet.buffer)
    if (tcp) {
      own.setUint32(checksumStart + 4, view.getUint32(checksumStart + 4) + from)
      const isLast = from + size >= payload.length
      const flags = view.getUint8(checksumStart + 13)
      // CWR is the first one's, FIN and PSH are the last one's.
      own.setUint8(checksumStart + 13, flags & (from === 0 ? 0xff : 0x7f) & (isLast ? 0xff : 0xf6))
    } else own.setUint16(checksumStart + 4, 8 + part.length)
    // The pseudo-header has the length in it.
    const field = checksumStart + checksumOffset
    const changed = view.getUint16(field) + (0xffff - (header + payload.length)) + header + part.length
    own.setUint16(field, changed % 0xffff === 0 ? 0xffff : changed % 0xffff)
    if (four) {
      own.setUint16(2, packet.length)
      own.setUint16(4, (view.getUint16(4) + packets.length) % 65_536)
      own.setUint16(10, 0)
      own.setUint16(10, slowChecksum(packet.subarray(0, (view.getUint8(0) & 15) * 4)))
    } else own.setUint16(4, packet.length - 40)
    packets.push(complete(packet, checksumStart, checksumOffset))
  }
  return packets
}
