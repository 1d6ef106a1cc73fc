/** The frames of one captured link that are within `send` or `input` now, with their records. */
import type { Packet } from '../../base/packet.ts'
import type { OpenRecord, RecordWriter } from './open-record.ts'
import type { CaptureDirection } from './pcapng.ts'

export interface PassingFrame {
  readonly packet: Packet
  readonly record: OpenRecord
}

export class PassingFrames {
  readonly #writer: RecordWriter
  readonly #interfaceIndex: number
  /** The last is the innermost. */
  readonly #passing: PassingFrame[] = []

  constructor(writer: RecordWriter, interfaceIndex: number) {
    this.#writer = writer
    this.#interfaceIndex = interfaceIndex
  }

  get innermost(): PassingFrame | undefined {
    return this.#passing.at(-1)
  }

  begin(direction: CaptureDirection, packet: Packet): void {
    const record = this.#writer.open(this.#interfaceIndex, direction, packet.bytes, packet.start, packet.end)
    this.#passing.push({ packet, record })
  }

  end(): void {
    const passing = this.#passing.pop()
    if (passing !== undefined) this.#writer.close(passing.record)
  }

  /** Adds to the record of a packet that is passing; `false` when it is not. */
  annotate(comment: string, packet: Packet): boolean {
    const passing = this.#passing.findLast((each) => each.packet === packet)
    passing?.record.comments.push(comment)
    return passing !== undefined
  }

  /** Writes a frame that is not passing, with a comment. */
  write(direction: CaptureDirection, bytes: Uint8Array, comment: string): void {
    const record = this.#writer.open(this.#interfaceIndex, direction, bytes, 0, bytes.length)
    record.comments.push(comment)
    this.#writer.close(record)
  }
}
