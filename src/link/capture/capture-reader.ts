/**
 * Capture files as they come: pieces of any size are pushed in, frames come out. Memory holds a
 * piece and what of a record is not yet there.
 */
import { type CapturedFrame, type CaptureFormat, CaptureFormatError, type CaptureWarning } from './capture-format.ts'
import { PcapFormat } from './pcap-reader.ts'
import { SECTION_HEADER } from './pcapng-numbers.ts'
import { PcapngFormat } from './pcapng-reader.ts'

const NOTHING = new Uint8Array(0)
const MAGIC = 4

export class CaptureReader {
  readonly #warning: CaptureWarning
  #format: CaptureFormat | null = null
  /** Where the bytes that wait begin in the file. */
  #base = 0
  #waiting: Uint8Array[] = []
  #waitingLength = 0
  /** Bytes that have to be buffered before a record can be read. */
  #needed = MAGIC

  /** `warning` is told of what is odd and can be read all the same, once for each kind. */
  constructor(warning: CaptureWarning = () => {}) {
    this.#warning = warning
  }

  /**
   * The frames that are now there as a whole. Their `bytes` are windows of the pieces that were
   * pushed.
   * @throws {CaptureFormatError} after the frames before the damaged place
   */
  *push(piece: Uint8Array): Generator<CapturedFrame, void> {
    let rest = piece
    // Of what waits only the record that it begins is joined, so that the piece itself need not be
    // copied.
    while (this.#waitingLength > 0 && rest.length > 0) {
      const missing = Math.min(rest.length, this.#needed - this.#waitingLength)
      this.#waiting.push(rest.subarray(0, missing))
      this.#waitingLength += missing
      rest = rest.subarray(missing)
      if (this.#waitingLength < this.#needed) return
      yield* this.#read(this.#take())
    }
    if (rest.length > 0) yield* this.#read(rest)
  }

  /** Reads the records that are complete, and keeps the bytes of an incomplete one. */
  *#read(bytes: Uint8Array): Generator<CapturedFrame, void> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = 0
    try {
      if (this.#format === null && bytes.length >= MAGIC) this.#format = formatOf(view, this.#warning)
      const format = this.#format
      if (format === null) return
      format.base = this.#base
      for (;;) {
        const available = bytes.length - at
        const length = available === 0 ? 0 : format.length(view, at, available)
        // Where a record's length cannot be told yet, a few bytes more will do.
        this.#needed = length === 0 ? available + 1 : length
        if (length === 0 || length > available) break
        const frame = format.read(bytes, view, at, length)
        at += length
        if (frame !== null) yield frame
      }
    } finally {
      this.#base += at
      this.#waitingLength = bytes.length - at
      if (this.#waitingLength > 0) this.#waiting.push(bytes.subarray(at))
    }
  }

  /**
   * The file has ended.
   * @throws {CaptureFormatError} when it is none, or was cut off
   */
  end(): void {
    const bytes = this.#take()
    if (this.#format === null)
      throw new CaptureFormatError(`Not a capture file: ${bytes.length === 0 ? 'it is empty' : 'it is too short'}`, 0)
    this.#format.base = this.#base
    if (bytes.length > 0)
      throw this.#format.cutOff(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length)
    this.#format.end(0)
  }

  /** All that waits, as one. */
  #take(): Uint8Array {
    const waiting = this.#waiting
    this.#waiting = []
    const length = this.#waitingLength
    this.#waitingLength = 0
    if (waiting.length <= 1) return waiting[0] ?? NOTHING
    const bytes = new Uint8Array(length)
    let at = 0
    for (const each of waiting) {
      bytes.set(each, at)
      at += each.length
    }
    return bytes
  }
}

function formatOf(view: DataView, warning: CaptureWarning): CaptureFormat {
  const magic = view.getUint32(0)
  switch (magic) {
    case SECTION_HEADER:
      return new PcapngFormat(warning)
    case 0xa1b2c3d4:
      return new PcapFormat(false, 1000n, warning)
    case 0xd4c3b2a1:
      return new PcapFormat(true, 1000n, warning)
    case 0xa1b23c4d:
      return new PcapFormat(false, 1n, warning)
    case 0x4d3cb2a1:
      return new PcapFormat(true, 1n, warning)
  }
  if (magic >>> 16 === 0x1f8b)
    throw new CaptureFormatError('The capture file is compressed with gzip: unpack it first', 0)
  throw new CaptureFormatError(
    `Neither pcap nor pcapng: the file begins with 0x${magic.toString(16).padStart(8, '0')}`,
    0,
  )
}

/**
 * The frames of a pcapng file (any number of sections, either byte order) or a pcap file (either
 * byte order, micro- or nanoseconds). Frames before a damaged place are given out before it throws.
 * `warning` is told of what is odd and can be read all the same.
 * @throws {CaptureFormatError} for a file of another format, and for one that is malformed or cut
 *   off
 */
export function* readCapture(bytes: Uint8Array, warning?: CaptureWarning): Generator<CapturedFrame, void> {
  const reader = new CaptureReader(warning)
  yield* reader.push(bytes)
  reader.end()
}
