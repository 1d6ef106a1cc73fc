/**
 * pcapng files: draft-ietf-opsawg-pcapng. Any number of sections, in either byte order; blocks that
 * are not known are passed over.
 */
import { type CapturedFrame, CaptureFormat, type CaptureFormatError, MOST_FRAME } from './capture-format.ts'
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

const OBSOLETE_PACKET = 2
const SIMPLE_PACKET = 3

const IF_TSOFFSET = 14

/** Bytes of a block's type and length, the least that every block has. */
const BLOCK_HEADER = 12
/** As libpcap has it. */
const MOST_BLOCK = 16 << 20

/**
 * The largest exponents of a time stamp's resolution whose seconds fit into 64 bits, of both bases.
 */
const MOST_DECIMAL = 19
const MOST_BINARY = 63

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

const decoder = new TextDecoder()

export class PcapngFormat extends CaptureFormat {
  #little = true
  #interfaces: ReadInterface[] = []
  #interfaceCount = 0
  /** Where the section should end, as its header says; -1 when it does not. */
  #sectionEnd = -1

  length(view: DataView, at: number, available: number): number {
    if (available < BLOCK_HEADER) return 0
    // The section header's type reads the same in both byte orders.
    const section = view.getUint32(at) === SECTION_HEADER
    const little = section ? this.#byteOrder(view, at) : this.#little
    const length = view.getUint32(at + 4, little)
    if (length < BLOCK_HEADER || length % 4 !== 0)
      throw this.error(`A pcapng block cannot be ${length} bytes long`, at + 4)
    if (length > MOST_BLOCK)
      throw this.error(`A pcapng block of ${length} bytes is longer than any: ${MOST_BLOCK} are the most`, at + 4)
    return length
  }

  read(bytes: Uint8Array, view: DataView, at: number, length: number): CapturedFrame | null {
    const section = view.getUint32(at) === SECTION_HEADER
    if (section) this.#little = this.#byteOrder(view, at)
    const little = this.#little
    const end = at + length - 4
    if (view.getUint32(end, little) !== length)
      throw this.error(`The two lengths of a pcapng block differ: ${length} and ${view.getUint32(end, little)}`, end)
    if (section) return this.#begin(view, at, end)
    switch (view.getUint32(at, little)) {
      case INTERFACE_DESCRIPTION:
        this.#interfaces.push(this.#interface(bytes, view, at, end))
        return null
      case ENHANCED_PACKET:
        return this.#packet(bytes, view, at, end, view.getUint32(at + 8, little), true)
      case OBSOLETE_PACKET:
        return this.#packet(bytes, view, at, end, view.getUint16(at + 8, little), false)
      case SIMPLE_PACKET:
        return this.#simplePacket(bytes, view, at, end)
      default:
        return null
    }
  }

  cutOff(view: DataView, at: number, available: number): CaptureFormatError {
    if (available < BLOCK_HEADER) return this.error('The pcapng file is cut off in a block header', at)
    return this.error(`The pcapng file is cut off in a block of ${this.length(view, at, available)} bytes`, at)
  }

  override end(at: number): void {
    this.#endSection(at)
  }

  /** Whether the section is little-endian. */
  #byteOrder(view: DataView, at: number): boolean {
    const magic = view.getUint32(at + 8)
    if (magic === BYTE_ORDER_MAGIC) return false
    if (magic === 0x4d3c2b1a) return true
    throw this.error(`The byte-order magic of a pcapng section is 0x${magic.toString(16).padStart(8, '0')}`, at + 8)
  }

  /** `byte-order magic (4) | version 1.0 (2, 2) | section length (8) | options` */
  #begin(view: DataView, at: number, end: number): null {
    const little = this.#little
    this.#endSection(at)
    this.#interfaces = []
    this.#needFixed(at, end, 16, 'section header')
    const major = view.getUint16(at + 12, little)
    const minor = view.getUint16(at + 14, little)
    if (major !== 1) throw this.error(`Version ${major} of pcapng is unknown; expected 1`, at + 12)
    // Some programs wrote 1.2 (libpcap takes it too).
    if (minor !== 0 && minor !== 2) throw this.error(`Version 1.${minor} of pcapng is unknown; expected 1.0`, at + 14)
    const length = view.getBigInt64(at + 16, little)
    this.#sectionEnd = length < 0n ? -1 : this.base + end + 4 + Number(length)
    this.#options(view, at + 24, end, () => {})
    return null
  }

  #endSection(at: number): void {
    const there = this.base + at
    if (this.#sectionEnd >= 0 && this.#sectionEnd !== there)
      this.warn(
        'section',
        `A pcapng section ends here, and its header says that it ends at byte ${this.#sectionEnd}`,
        at,
      )
    this.#sectionEnd = -1
  }

  #needFixed(at: number, end: number, fixed: number, what: string): void {
    if (end - at - 8 < fixed) throw this.error(`A pcapng ${what} of ${end + 4 - at} bytes is too short`, at)
  }

  /** Calls `each` with every option in `at … end`. */
  #options(view: DataView, at: number, end: number, each: (code: number, at: number, length: number) => void): void {
    const little = this.#little
    while (at < end) {
      if (end - at < 4) throw this.error('A pcapng option is cut off', at)
      const code = view.getUint16(at, little)
      const length = view.getUint16(at + 2, little)
      if (code === 0) {
        if (length !== 0)
          this.warn('end of options', `The end of a pcapng block's options has ${length} bytes where it has none`, at)
        else if (at + 4 < end)
          this.warn('behind options', `There are ${end - at - 4} bytes behind the end of a pcapng block's options`, at)
        return
      }
      if (length > end - at - 4) throw this.error(`A pcapng option of ${length} bytes is longer than its block`, at)
      each(code, at + 4, length)
      at += 4 + padded(length)
    }
  }

  #optionLength(name: string, found: number, right: number, at: number): boolean {
    if (found !== right)
      this.warn(name, `The pcapng option ${name} has ${found} bytes where ${right} belong, and is not heeded`, at)
    return found === right
  }

  /** `link type (2) | reserved (2) | snapshot length (4) | options` */
  #interface(bytes: Uint8Array, view: DataView, at: number, end: number): ReadInterface {
    const little = this.#little
    this.#needFixed(at, end, 8, 'interface description')
    const description: ReadInterface = {
      name: '',
      index: this.#interfaceCount++,
      linkType: view.getUint16(at + 8, little),
      snapLength: view.getUint32(at + 12, little),
      ticks: 1_000_000n,
      offset: 0n,
    }
    this.#options(view, at + 16, end, (code, valueAt, length) => {
      if (code === IF_NAME) description.name = decoder.decode(bytes.subarray(valueAt, valueAt + length))
      else if (code === IF_TSRESOL && this.#optionLength('if_tsresol', length, 1, valueAt))
        description.ticks = this.#ticks(view.getUint8(valueAt), valueAt)
      else if (code === IF_TSOFFSET && this.#optionLength('if_tsoffset', length, 8, valueAt))
        description.offset = view.getBigInt64(valueAt, little)
    })
    return description
  }

  /** The top bit chooses the base, 2 or 10; the rest is the negative exponent. */
  #ticks(resolution: number, at: number): bigint {
    const [base, exponent, most] =
      (resolution & 0x80) === 0 ? [10n, resolution, MOST_DECIMAL] : [2n, resolution & 0x7f, MOST_BINARY]
    if (exponent > most)
      throw this.error(`A time stamp's resolution of ${base} to the power of -${exponent} seconds is too fine`, at)
    return base ** BigInt(exponent)
  }

  /**
   * ```
   * enhanced: interface (4)
   * obsolete: interface (2), drops (2)
   * both:     | time, upper (4) | time, lower (4) | captured length (4) | original length (4) |
   *           bytes | options
   * ```
   */
  #packet(bytes: Uint8Array, view: DataView, at: number, end: number, id: number, enhanced: boolean): CapturedFrame {
    const little = this.#little
    this.#needFixed(at, end, 20, 'packet block')
    const from = this.#interfaces[id]
    if (from === undefined)
      throw this.error(`A packet names interface ${id} of a section that has ${this.#interfaces.length}`, at + 8)
    const length = view.getUint32(at + 20, little)
    if (padded(length) > end - at - 28 || length > end - at - 28)
      throw this.error(`A packet of ${length} bytes is longer than its block`, at + 20)
    if (length > MOST_FRAME)
      throw this.error(`A packet of ${length} bytes is longer than any: ${MOST_FRAME} are the most`, at + 20)
    const ticks = (BigInt(view.getUint32(at + 12, little)) << 32n) | BigInt(view.getUint32(at + 16, little))
    const frame: CapturedFrame = {
      interface: from.name,
      interfaceIndex: from.index,
      linkType: from.linkType,
      time: from.offset * 1_000_000_000n + (ticks * 1_000_000_000n) / from.ticks,
      bytes: bytes.subarray(at + 28, at + 28 + length),
      originalLength: view.getUint32(at + 24, little),
      direction: 'unknown',
      comments: [],
    }
    this.checkLengths(length, frame.originalLength, from.snapLength, at)
    const options = at + 28 + padded(length)
    if (options === end) return frame
    this.#options(view, options, end, (code, valueAt, valueLength) => {
      if (code === OPT_COMMENT) frame.comments.push(decoder.decode(bytes.subarray(valueAt, valueAt + valueLength)))
      else if (
        code === EPB_FLAGS &&
        this.#optionLength(enhanced ? 'epb_flags' : 'pack_flags', valueLength, 4, valueAt)
      ) {
        const bits = view.getUint32(valueAt, little) & 3
        frame.direction = bits === 1 ? 'in' : bits === 2 ? 'out' : 'unknown'
      }
    })
    return frame
  }

  /** `original length (4) | bytes`, of the first interface, cut at its snapshot length */
  #simplePacket(bytes: Uint8Array, view: DataView, at: number, end: number): CapturedFrame {
    this.#needFixed(at, end, 4, 'simple packet block')
    const from = this.#interfaces[0]
    if (from === undefined) throw this.error('A simple packet block comes before any interface', at)
    const originalLength = view.getUint32(at + 8, this.#little)
    const length = from.snapLength === 0 ? originalLength : Math.min(originalLength, from.snapLength)
    if (length > end - at - 12) throw this.error(`A packet of ${length} bytes is longer than its block`, at + 8)
    if (padded(length) < end - at - 12)
      this.warn('simple', `A simple packet block has ${end - at - 12} bytes for a packet of ${length}`, at + 8)
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
}
