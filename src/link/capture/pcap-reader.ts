/**
 * Classic pcap files: draft-ietf-opsawg-pcap.
 *
 * ```
 * file:   magic (4) | version 2.4 (2, 2) | reserved (8) | snapshot length (4) | link type (4)
 * packet: seconds (4) | micro- or nanoseconds (4) | captured length (4) | original length (4) |
 *         bytes
 * ```
 */
import {
  type CapturedFrame,
  CaptureFormat,
  type CaptureFormatError,
  type CaptureWarning,
  MOST_FRAME,
} from './capture-format.ts'

const FILE_HEADER = 24
const PACKET_HEADER = 16

export class PcapFormat extends CaptureFormat {
  readonly #little: boolean
  /** Nanoseconds of one unit of a time stamp's fraction. */
  readonly #unit: bigint
  #begun = false
  #linkType = 0
  #snapLength = 0
  /** Before version 2.3 the two lengths stood in the other order. */
  #swapped = false

  constructor(little: boolean, unit: bigint, warning: CaptureWarning) {
    super(warning)
    this.#little = little
    this.#unit = unit
  }

  length(view: DataView, at: number, available: number): number {
    if (!this.#begun) return FILE_HEADER
    if (available < PACKET_HEADER) return 0
    const length = this.#kept(view, at)
    if (length > MOST_FRAME) throw this.error(`A pcap packet cannot be ${length} bytes long`, at)
    return PACKET_HEADER + length
  }

  read(bytes: Uint8Array, view: DataView, at: number, length: number): CapturedFrame | null {
    if (!this.#begun) {
      this.#begin(view, at)
      return null
    }
    const little = this.#little
    const kept = length - PACKET_HEADER
    const originalLength = view.getUint32(at + (this.#swapped ? 8 : 12), little)
    const fraction = view.getUint32(at + 4, little)
    this.checkLengths(kept, originalLength, this.#snapLength, at)
    if (BigInt(fraction) * this.#unit >= 1_000_000_000n)
      this.warn('fraction', `The fraction of a packet's time is more than a second: ${fraction}`, at + 4)
    return {
      interface: '',
      interfaceIndex: 0,
      linkType: this.#linkType,
      time: BigInt(view.getUint32(at, little)) * 1_000_000_000n + BigInt(fraction) * this.#unit,
      bytes: bytes.subarray(at + PACKET_HEADER, at + length),
      originalLength,
      direction: 'unknown',
      comments: [],
    }
  }

  cutOff(view: DataView, at: number, available: number): CaptureFormatError {
    if (!this.#begun) return this.error('The pcap file is cut off in its file header', at + available)
    if (available < PACKET_HEADER) return this.error('The pcap file is cut off in a packet header', at)
    return this.error(`The pcap file is cut off in a packet of ${this.#kept(view, at)} bytes`, at)
  }

  #kept(view: DataView, at: number): number {
    return view.getUint32(at + (this.#swapped ? 12 : 8), this.#little)
  }

  #begin(view: DataView, at: number): void {
    const little = this.#little
    const major = view.getUint16(at + 4, little)
    const minor = view.getUint16(at + 6, little)
    if (major !== 2) throw this.error(`Version ${major} of pcap is unknown; expected 2`, at + 4)
    if (minor > 4) throw this.error(`Version 2.${minor} of pcap is unknown; expected 2.4 at most`, at + 6)
    this.#swapped = minor < 3
    this.#snapLength = view.getUint32(at + 16, little)
    // The upper bits say whether frames have a frame check sequence.
    this.#linkType = view.getUint32(at + 20, little) & 0xffff
    this.#begun = true
  }
}
