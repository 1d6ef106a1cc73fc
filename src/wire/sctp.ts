/**
 * SCTP's common header and the chunks behind it: RFC 9260 section 3. This stack has no SCTP; dumps
 * and the lives of packets in a network read that of others.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------------------------------+-------------------------------+
 *     |      Source Port Number       |    Destination Port Number    |
 *     +-------------------------------+-------------------------------+
 *     |                       Verification Tag                        |
 *     +---------------------------------------------------------------+
 *     |                           Checksum                            |
 *     +---------------+---------------+-------------------------------+
 *     |  Chunk Type   |  Chunk Flags  |         Chunk Length          |
 *     +---------------+---------------+-------------------------------+
 *     |   Chunk Value ...
 */
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import { type Fields, hex } from './text.ts'

const SOURCE_PORT = 0
const DESTINATION_PORT = 2
const VERIFICATION_TAG = 4
const CHECKSUM = 8
export const HEADER = 12
const CHUNK_HEADER = 4

/** RFC 9260 section 3.2, RFC 4820, RFC 4895, RFC 5061, RFC 3758, RFC 8260. */
const CHUNK_NAMES: Record<number, string> = {
  0: 'DATA',
  1: 'INIT',
  2: 'INIT ACK',
  3: 'SACK',
  4: 'HB REQ',
  5: 'HB ACK',
  6: 'ABORT',
  7: 'SHUTDOWN',
  8: 'SHUTDOWN ACK',
  9: 'OP ERR',
  10: 'COOKIE ECHO',
  11: 'COOKIE ACK',
  14: 'SHUTDOWN COMPLETE',
  15: 'AUTH',
  64: 'I-DATA',
  128: 'ASCONF ACK',
  130: 'RE-CONFIG',
  132: 'PAD',
  192: 'FWD-TSN',
  193: 'ASCONF',
  194: 'I-FWD-TSN',
}

/** Checks that the common header at `packet.transport` is there; the checksum (CRC32c) is not. */
export function parse(packet: Packet): Drop {
  return packet.end - packet.transport < HEADER ? Drop.SctpTooShort : Drop.None
}

export function sourcePort(view: DataView, at: number): number {
  return view.getUint16(at + SOURCE_PORT)
}

export function destinationPort(view: DataView, at: number): number {
  return view.getUint16(at + DESTINATION_PORT)
}

export function verificationTag(view: DataView, at: number): number {
  return view.getUint32(at + VERIFICATION_TAG)
}

export function checksum(view: DataView, at: number): number {
  return view.getUint32(at + CHECKSUM)
}

/** `[INIT ACK]`: a word for each chunk of the packet in `at … end`. */
export function chunksText(view: DataView, at: number, end: number): string {
  let text = ''
  for (let chunk = at + HEADER; chunk + CHUNK_HEADER <= end; ) {
    const type = view.getUint8(chunk)
    text += `[${CHUNK_NAMES[type] ?? `chunk ${type}`}]`
    const length = view.getUint16(chunk + 2)
    if (length < CHUNK_HEADER) break
    // Chunks are padded to a multiple of four bytes.
    chunk += (length + 3) & ~3
  }
  return text
}

/** One line: ports, and the types of the chunks; 8 bytes at least are there. */
export function describe(view: DataView, at: number, end: number): string {
  const chunks = chunksText(view, at, end)
  return `SCTP ${sourcePort(view, at)} > ${destinationPort(view, at)}${chunks === '' ? '' : ` ${chunks}`}`
}

/** Every field that is there. */
export function fields(view: DataView, at: number, end: number): Fields {
  return [
    ['source port', `${sourcePort(view, at)}`],
    ['destination port', `${destinationPort(view, at)}`],
    ['verification tag', hex(verificationTag(view, at), 8)],
    ...(end - at < HEADER
      ? []
      : [['checksum', hex(checksum(view, at), 8)] as const, ['chunks', chunksText(view, at, end) || 'none'] as const]),
  ]
}
