/**
 * Capture files: the pcapng format written, pcapng and classic pcap read.
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
 * and a body ends with options: code (2 bytes), length (2 bytes), value padded to 4 bytes, up to code 0.
 */

export const LINKTYPE_ETHERNET = 1
/** A bare IPv4 or IPv6 packet. */
export const LINKTYPE_RAW = 101

export type CaptureDirection = 'in' | 'out' | 'unknown'

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const OBSOLETE_PACKET = 2
const SIMPLE_PACKET = 3
const ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b3c4d

const OPT_COMMENT = 1
const SHB_USERAPPL = 4
const IF_NAME = 2
const IF_MACADDR = 6
const IF_TSRESOL = 9
const IF_TSOFFSET = 14
const EPB_FLAGS = 2

// ── writing: blocks in little-endian order ──

type Option = readonly [code: number, value: Uint8Array]

const text = new TextEncoder()

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24)
}

function padded(length: number): number {
  return (length + 3) & ~3
}

/** A block whose fixed fields `fill` writes at offset 8, with `data` behind them and the options last. */
function block(type: number, fixed: number, data: Uint8Array, options: readonly Option[], fill: (view: DataView) => void): Uint8Array {
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

// ── reading ──

export interface CapturedFrame {
  /** The interface's name; `''` when the file does not tell. */
  interface: string
  /** As numbered in the whole file, over all its sections. */
  interfaceIndex: number
  /** 1 is Ethernet, 101 is IP; see the LINKTYPE registry of tcpdump.org. */
  linkType: number
  /** Nanoseconds since 1970; 0 in simple packet blocks, which have no time. */
  time: bigint
  /** A window of the file's bytes. */
  bytes: Uint8Array
  /** The frame's length on the wire; more than `bytes.length` when it was cut off. */
  originalLength: number
  direction: CaptureDirection
  comments: string[]
}

/** The file is not what it should be; `offset` is where in the file. */
export class CaptureFormatError extends Error {
  override readonly name = 'CaptureFormatError'
  readonly offset: number
  constructor(message: string, offset: number) {
    super(`${message} (at byte ${offset}).`)
    this.offset = offset
  }
}

/**
 * The frames of a pcapng file (any number of sections, either byte order) or a pcap file (either byte order, micro- or nanoseconds).
 * Frames before a damaged place are given out before it throws.
 * @throws {CaptureFormatError} for a file of another format, and for one that is malformed or cut off
 */
export function* readCapture(bytes: Uint8Array): Generator<CapturedFrame, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 4) throw new CaptureFormatError(`Not a capture file: ${bytes.length === 0 ? 'it is empty' : 'it is too short'}`, 0)
  const magic = view.getUint32(0)
  if (magic === SECTION_HEADER) yield* readPcapng(bytes, view)
  else if (magic === 0xa1b2c3d4) yield* readPcap(bytes, view, false, 1000n)
  else if (magic === 0xd4c3b2a1) yield* readPcap(bytes, view, true, 1000n)
  else if (magic === 0xa1b23c4d) yield* readPcap(bytes, view, false, 1n)
  else if (magic === 0x4d3cb2a1) yield* readPcap(bytes, view, true, 1n)
  else if (magic >>> 16 === 0x1f8b) throw new CaptureFormatError('The capture file is compressed with gzip: unpack it first', 0)
  else throw new CaptureFormatError(`Neither pcap nor pcapng: the file begins with 0x${magic.toString(16).padStart(8, '0')}`, 0)
}

/**
 * ```
 * file:   magic (4) | version 2.4 (2, 2) | reserved (8) | snapshot length (4) | link type (4)
 * packet: seconds (4) | micro- or nanoseconds (4) | captured length (4) | original length (4) | bytes
 * ```
 */
function* readPcap(bytes: Uint8Array, view: DataView, little: boolean, unit: bigint): Generator<CapturedFrame, void> {
  if (bytes.length < 24) throw new CaptureFormatError('The pcap file is cut off in its file header', bytes.length)
  const major = view.getUint16(4, little)
  if (major !== 2) throw new CaptureFormatError(`Version ${major} of pcap is unknown; expected 2`, 4)
  // The upper bits tell of a frame check sequence.
  const linkType = view.getUint32(20, little) & 0xffff
  for (let at = 24; at < bytes.length; ) {
    if (bytes.length - at < 16) throw new CaptureFormatError('The pcap file is cut off in a packet header', at)
    const length = view.getUint32(at + 8, little)
    if (length > bytes.length - at - 16) throw new CaptureFormatError(`The pcap file is cut off in a packet of ${length} bytes`, at)
    yield {
      interface: '',
      interfaceIndex: 0,
      linkType,
      time: BigInt(view.getUint32(at, little)) * 1_000_000_000n + BigInt(view.getUint32(at + 4, little)) * unit,
      bytes: bytes.subarray(at + 16, at + 16 + length),
      originalLength: view.getUint32(at + 12, little),
      direction: 'unknown',
      comments: [],
    }
    at += 16 + length
  }
}

interface ReadInterface {
  name: string
  index: number
  linkType: number
  snapLength: number
  /** Time stamps per second. */
  ticks: bigint
  /** Seconds to be added. */
  offset: bigint
}

function* readPcapng(bytes: Uint8Array, view: DataView): Generator<CapturedFrame, void> {
  let little = true
  let interfaces: ReadInterface[] = []
  let interfaceCount = 0
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 12) throw new CaptureFormatError('The pcapng file is cut off in a block header', at)
    // The section header's type reads the same in both byte orders.
    if (view.getUint32(at) === SECTION_HEADER) {
      little = readByteOrder(view, at)
      interfaces = []
    }
    const type = view.getUint32(at, little)
    const length = view.getUint32(at + 4, little)
    if (length < 12 || length % 4 !== 0) throw new CaptureFormatError(`A pcapng block cannot be ${length} bytes long`, at + 4)
    if (length > bytes.length - at) throw new CaptureFormatError(`The pcapng file is cut off in a block of ${length} bytes`, at)
    const end = at + length - 4
    if (view.getUint32(end, little) !== length)
      throw new CaptureFormatError(`The two lengths of a pcapng block differ: ${length} and ${view.getUint32(end, little)}`, end)
    if (type === SECTION_HEADER) {
      needFixed(at, end, 16, 'section header')
      const major = view.getUint16(at + 12, little)
      if (major !== 1) throw new CaptureFormatError(`Version ${major} of pcapng is unknown; expected 1`, at + 12)
    } else if (type === INTERFACE_DESCRIPTION) interfaces.push(readInterface(bytes, view, at, end, little, interfaceCount++))
    else if (type === ENHANCED_PACKET || type === OBSOLETE_PACKET) yield readPacket(bytes, view, at, end, little, interfaces, type)
    else if (type === SIMPLE_PACKET) yield readSimplePacket(bytes, view, at, end, little, interfaces)
    at += length
  }
}

/** Whether the section is little-endian. */
function readByteOrder(view: DataView, at: number): boolean {
  const magic = view.getUint32(at + 8)
  if (magic === BYTE_ORDER_MAGIC) return false
  if (magic === 0x4d3c2b1a) return true
  throw new CaptureFormatError(`The byte-order magic of a pcapng section is 0x${magic.toString(16).padStart(8, '0')}`, at + 8)
}

function needFixed(at: number, end: number, fixed: number, what: string): void {
  if (end - at - 8 < fixed) throw new CaptureFormatError(`A pcapng ${what} of ${end + 4 - at} bytes is too short`, at)
}

/** Calls `each` with every option in `at … end`. */
function readOptions(
  view: DataView,
  at: number,
  end: number,
  little: boolean,
  each: (code: number, at: number, length: number) => void,
): void {
  while (at < end) {
    if (end - at < 4) throw new CaptureFormatError('A pcapng option is cut off', at)
    const code = view.getUint16(at, little)
    const length = view.getUint16(at + 2, little)
    if (code === 0) return
    if (length > end - at - 4) throw new CaptureFormatError(`A pcapng option of ${length} bytes is longer than its block`, at)
    each(code, at + 4, length)
    at += 4 + padded(length)
  }
}

function readText(bytes: Uint8Array, at: number, length: number): string {
  return new TextDecoder().decode(bytes.subarray(at, at + length))
}

/** `link type (2) | reserved (2) | snapshot length (4) | options` */
function readInterface(bytes: Uint8Array, view: DataView, at: number, end: number, little: boolean, index: number): ReadInterface {
  needFixed(at, end, 8, 'interface description')
  const description: ReadInterface = {
    name: '',
    index,
    linkType: view.getUint16(at + 8, little),
    snapLength: view.getUint32(at + 12, little),
    ticks: 1_000_000n,
    offset: 0n,
  }
  readOptions(view, at + 16, end, little, (code, valueAt, length) => {
    if (code === IF_NAME) description.name = readText(bytes, valueAt, length)
    else if (code === IF_TSRESOL && length === 1) {
      // The top bit chooses the base, 2 or 10; the rest is the negative exponent.
      const resolution = view.getUint8(valueAt)
      description.ticks = (resolution & 0x80) === 0 ? 10n ** BigInt(resolution) : 2n ** BigInt(resolution & 0x7f)
    } else if (code === IF_TSOFFSET && length === 8) description.offset = view.getBigInt64(valueAt, little)
  })
  return description
}

/**
 * ```
 * enhanced: interface (4)            | time, upper (4) | time, lower (4) | captured length (4) | original length (4) | bytes | options
 * obsolete: interface (2), drops (2) | time, upper (4) | time, lower (4) | captured length (4) | original length (4) | bytes | options
 * ```
 */
function readPacket(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  little: boolean,
  interfaces: readonly ReadInterface[],
  type: number,
): CapturedFrame {
  needFixed(at, end, 20, 'packet block')
  const id = type === ENHANCED_PACKET ? view.getUint32(at + 8, little) : view.getUint16(at + 8, little)
  const from = interfaces[id]
  if (from === undefined) throw new CaptureFormatError(`A packet names interface ${id} of a section that has ${interfaces.length}`, at + 8)
  const length = view.getUint32(at + 20, little)
  if (padded(length) > end - at - 28 || length > end - at - 28)
    throw new CaptureFormatError(`A packet of ${length} bytes is longer than its block`, at + 20)
  const frame: CapturedFrame = {
    interface: from.name,
    interfaceIndex: from.index,
    linkType: from.linkType,
    time:
      from.offset * 1_000_000_000n +
      (((BigInt(view.getUint32(at + 12, little)) << 32n) | BigInt(view.getUint32(at + 16, little))) * 1_000_000_000n) / from.ticks,
    bytes: bytes.subarray(at + 28, at + 28 + length),
    originalLength: view.getUint32(at + 24, little),
    direction: 'unknown',
    comments: [],
  }
  readOptions(view, at + 28 + padded(length), end, little, (code, valueAt, valueLength) => {
    if (code === OPT_COMMENT) frame.comments.push(readText(bytes, valueAt, valueLength))
    else if (code === EPB_FLAGS && valueLength === 4) {
      const bits = view.getUint32(valueAt, little) & 3
      if (bits !== 0) frame.direction = bits === 1 ? 'in' : bits === 2 ? 'out' : 'unknown'
    }
  })
  return frame
}

/** `original length (4) | bytes`, of the first interface, cut at its snapshot length */
function readSimplePacket(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  little: boolean,
  interfaces: readonly ReadInterface[],
): CapturedFrame {
  needFixed(at, end, 4, 'simple packet block')
  const from = interfaces[0]
  if (from === undefined) throw new CaptureFormatError('A simple packet block comes before any interface', at)
  const originalLength = view.getUint32(at + 8, little)
  const length = from.snapLength === 0 ? originalLength : Math.min(originalLength, from.snapLength)
  if (length > end - at - 12) throw new CaptureFormatError(`A packet of ${length} bytes is longer than its block`, at + 8)
  return {
    interface: from.name,
    interfaceIndex: from.index,
    linkType: from.linkType,
    time: 0n,
    bytes: bytes.subarray(at + 12, at + 12 + length),
    originalLength,
    direction: 'unknown',
    comments: [],
  }
}
