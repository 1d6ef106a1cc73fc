/** A capture: one stream of pcapng into which links write their frames. */
import { type Clock, SystemClock } from '../../base/clock.ts'
import type { Link, Medium } from '../link.ts'
import { CapturedLink } from './captured-link.ts'
import type { OpenRecord } from './open-record.ts'
import {
  type CaptureDirection,
  enhancedPacket,
  interfaceDescription,
  LINKTYPE_ETHERNET,
  LINKTYPE_RAW,
  sectionHeader,
  toNanoseconds,
} from './pcapng.ts'

export type { CapturedLink } from './captured-link.ts'
export type { OpenRecord } from './open-record.ts'

export interface CaptureOptions {
  /** Its `wallTime` stamps the frames. Default: the machine's own time. */
  clock?: Clock
  /** The program named in the file. Default `tungram`. */
  application?: string
  /** The most bytes of a frame that are kept. Default 262144, which is all of it. */
  snapLength?: number
}

export interface CapturedLinkOptions {
  /** The interface's name in the file. Default: the link's name. */
  name?: string
}

/**
 * One pcapng stream, into which any number of links write their frames: `sink` is called with the
 * file's bytes in order.
 *
 * A frame is written when its link's `send`, or the receiver's `input`, returns, so that a drop
 * within that call is a comment of the frame itself; frames that pass meanwhile wait behind it, so
 * the file keeps the order of time.
 */
export class Capture {
  readonly #sink: (chunk: Uint8Array) => void
  readonly #clock: Clock
  readonly #snapLength: number
  readonly #waiting: OpenRecord[] = []
  #interfaces = 0
  /** The newest time in the file: none after it is earlier, whatever is done to the wall clock. */
  #newest = 0n

  constructor(sink: (chunk: Uint8Array) => void, options: CaptureOptions = {}) {
    this.#sink = sink
    this.#clock = options.clock ?? new SystemClock()
    this.#snapLength = options.snapLength ?? 262_144
    sink(sectionHeader(options.application ?? 'tungram'))
  }

  /**
   * A link that passes everything on to and from `inner`, and writes each frame of both directions.
   * Closing it closes `inner`.
   */
  link(inner: Link, options: CapturedLinkOptions = {}): CapturedLink {
    return new CapturedLink(
      this,
      inner,
      this.addInterface(options.name ?? inner.name, inner.medium, inner.hardwareAddress),
    )
  }

  /** @internal The number of a new interface. */
  addInterface(name: string, medium: Medium, hardwareAddress: Uint8Array | null): number {
    const linkType = medium === 'ethernet' ? LINKTYPE_ETHERNET : LINKTYPE_RAW
    this.#sink(interfaceDescription({ name, linkType, snapLength: this.#snapLength, hardwareAddress }))
    return this.#interfaces++
  }

  /** @internal */
  open(interfaceIndex: number, direction: CaptureDirection, bytes: Uint8Array, start: number, end: number): OpenRecord {
    const now = toNanoseconds(this.#clock.wallTime())
    if (now > this.#newest) this.#newest = now
    const record: OpenRecord = {
      interfaceIndex,
      time: this.#newest,
      bytes: bytes.slice(start, Math.min(end, start + this.#snapLength)),
      originalLength: end - start,
      direction,
      comments: [],
      open: true,
    }
    this.#waiting.push(record)
    return record
  }

  /** @internal */
  close(record: OpenRecord): void {
    record.open = false
    const waiting = this.#waiting
    while (waiting[0]?.open === false) {
      const { interfaceIndex, time, bytes, originalLength, direction, comments } = waiting.shift() as OpenRecord
      this.#sink(enhancedPacket(interfaceIndex, time, bytes, originalLength, direction, comments))
    }
  }
}
