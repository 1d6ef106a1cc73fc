/** What the readers of the two capture formats share. */

export type CaptureDirection = 'in' | 'out' | 'unknown'

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

/** Told of what is odd in a file and can be read all the same, as the sentence for people. */
export type CaptureWarning = (message: string) => void

/** The limit of libpcap and Wireshark (MAXIMUM_SNAPLEN): a greater length is damage. */
export const MOST_FRAME = 262_144

/**
 * A capture format. It reads records one by one from windows of the file. A record begins at `at`;
 * offsets in errors count from `base`.
 */
export abstract class CaptureFormat {
  /** Where the window begins in the file. */
  base = 0
  readonly #warning: CaptureWarning
  readonly #warned = new Set<string>()

  constructor(warning: CaptureWarning) {
    this.#warning = warning
  }

  /**
   * The length of the record at `at`, of which `available` bytes are there; 0 while too few of them
   * are there to tell.
   * @throws {CaptureFormatError}
   */
  abstract length(view: DataView, at: number, available: number): number

  /**
   * Reads a complete record; `null` when it holds no frame.
   *
   * @throws {CaptureFormatError}
   */
  abstract read(bytes: Uint8Array, view: DataView, at: number, length: number): CapturedFrame | null

  /** The error for a file that ends within the record at `at`. */
  abstract cutOff(view: DataView, at: number, available: number): CaptureFormatError

  /** The file has ended as it should, after `at`. */
  end(_at: number): void {}

  protected error(message: string, at: number): CaptureFormatError {
    return new CaptureFormatError(message, this.base + at)
  }

  /** Warns of a kind of oddness, the first time that it is met. */
  protected warn(kind: string, message: string, at: number): void {
    if (this.#warned.has(kind)) return
    this.#warned.add(kind)
    this.#warning(`${message} (at byte ${this.base + at}).`)
  }

  /** What is odd in a frame's two lengths. */
  protected checkLengths(kept: number, original: number, snapLength: number, at: number): void {
    if (kept > original) this.warn('lengths', `A packet of ${original} bytes has ${kept} bytes in the file`, at)
    if (snapLength > 0 && kept > snapLength)
      this.warn('snapshot', `A packet has ${kept} bytes in the file, although its snapshot length is ${snapLength}`, at)
  }
}
