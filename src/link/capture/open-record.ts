/** A record of a capture from the moment a frame passes until it is known what became of it. */
import type { CaptureDirection } from './pcapng.ts'

/** A frame that is written once it is known what became of it. */
export interface OpenRecord {
  readonly interfaceIndex: number
  readonly time: bigint
  readonly bytes: Uint8Array
  readonly originalLength: number
  readonly direction: CaptureDirection
  readonly comments: string[]
  open: boolean
}

/** What opens and writes records: the stream of the file. */
export interface RecordWriter {
  open(interfaceIndex: number, direction: CaptureDirection, bytes: Uint8Array, start: number, end: number): OpenRecord
  close(record: OpenRecord): void
}
