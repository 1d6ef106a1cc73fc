/**
 * Capture files: the pcapng format written. `capture-reader.ts` reads it, and classic pcap.
 *
 * pcapng: draft-ietf-opsawg-pcapng; pcap: draft-ietf-opsawg-pcap. A pcapng file is a run of blocks:
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                          Block Type                           |
 * |                      Block Total Length                       |
 * /                          Block Body                           /
 * |                      Block Total Length                       |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 *
 * and a body ends with options: code (2 bytes), length (2 bytes), value padded to 4 bytes, up to
 * code 0.
 */

import type { CaptureDirection } from './capture-format.ts'
import {
  BYTE_ORDER_MAGIC,
  ENHANCED_PACKET,
  EPB_FLAGS,
  IF_NAME,
  IF_TSRESOL,
  INTERFACE_DESCRIPTION,
  OPT_COMMENT,
  padded,
  SECTION_HEADER,
} from './pcapng-numbers.ts'

export { type CaptureDirection, type CapturedFrame, CaptureFormatError, type CaptureWarning } from './capture-format.ts'

export const LINKTYPE_ETHERNET = 1
/** A bare IPv4 or IPv6 packet. */
export const LINKTYPE_RAW = 101

const SHB_USERAPPL = 4
const IF_MACADDR = 6

// ── writing: blocks in little-endian order ──

type Option = readonly [code: number, value: Uint8Array]

const text = new TextEncoder()

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24)
}

/**
 * A block whose fixed fields `fill` writes at offset 8, with `data` behind them and the options
 * last.
 */
function block(
  type: number,
  fixed: number,
  data: Uint8Array,
  options: readonly Option[],
  fill: (view: DataView) => void,
): Uint8Array {
  let length = 12 + fixed + padded(data.length)
  for (const [, value] of options) length += 4 + padded(value.length)
  if (options.length > 0) length += 4
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  fill(view)
  bytes.set(data, 8 + fixed)
  let at = 8 + fixed + padded(data.length)
  for (const [code, value] of options) {
    view.setUint16(at, code, true)
    view.setUint16(at + 2, value.length, true)
    bytes.set(value, at + 4)
    at += 4 + padded(value.length)
  }
  view.setUint32(length - 4, length, true)
  return bytes
}

/** The block that begins a file; `application` names the program that wrote it. */
export function sectionHeader(application: string): Uint8Array {
  return block(SECTION_HEADER, 16, new Uint8Array(0), [[SHB_USERAPPL, text.encode(application)]], (view) => {
    view.setUint32(8, BYTE_ORDER_MAGIC, true)
    view.setUint16(12, 1, true)
    view.setUint16(14, 0, true)
    // Section length: not known.
    view.setBigInt64(16, -1n, true)
  })
}

export interface CaptureInterface {
  name: string
  linkType: number
  /** The most bytes of a frame that are kept; 0 for all. */
  snapLength: number
  hardwareAddress: Uint8Array | null
}

/** Interfaces are numbered from 0 in the order of these blocks; time stamps count nanoseconds. */
export function interfaceDescription(description: CaptureInterface): Uint8Array {
  const options: Option[] = [[IF_NAME, text.encode(description.name)]]
  if (description.hardwareAddress !== null) options.push([IF_MACADDR, description.hardwareAddress])
  options.push([IF_TSRESOL, Uint8Array.of(9)])
  return block(INTERFACE_DESCRIPTION, 8, new Uint8Array(0), options, (view) => {
    view.setUint16(8, description.linkType, true)
    view.setUint32(12, description.snapLength, true)
  })
}

/** One frame: `bytes` as kept, `originalLength` as it was, `time` in nanoseconds since 1970. */
export function enhancedPacket(
  interfaceIndex: number,
  time: bigint,
  bytes: Uint8Array,
  originalLength: number,
  direction: CaptureDirection,
  comments: readonly string[],
): Uint8Array {
  const options: Option[] = comments.map((comment) => [OPT_COMMENT, text.encode(comment).subarray(0, 0xffff)])
  if (direction !== 'unknown') options.push([EPB_FLAGS, uint32(direction === 'in' ? 1 : 2)])
  return block(ENHANCED_PACKET, 20, bytes, options, (view) => {
    view.setUint32(8, interfaceIndex, true)
    view.setUint32(12, Number(time >> 32n), true)
    view.setUint32(16, Number(time & 0xffffffffn), true)
    view.setUint32(20, bytes.length, true)
    view.setUint32(24, originalLength, true)
  })
}

/** Milliseconds as nanoseconds, without rounding the whole milliseconds. */
export function toNanoseconds(time: number): bigint {
  const whole = Math.floor(time)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((time - whole) * 1e6))
}
