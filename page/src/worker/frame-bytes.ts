/** The frames of one datagram, taken from the blocks of a capture as they are written. */
import { describe } from '../../../src/describe.ts'
import { readCapture } from '../../../src/link/capture/capture-reader.ts'
import type { FrameBytes } from '../protocol.ts'
import { layersOf } from './fields.ts'

const PACKET = 6

/** The bytes of all, one after the other. */
export function joined(blocks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const block of blocks) {
    all.set(block, at)
    at += block.length
  }
  return all
}

/** A sink for a capture, which keeps the frames of datagram `id` and forgets all others. */
export class FrameCollector {
  readonly #mark: Uint8Array
  readonly #kept: Uint8Array[] = []

  constructor(id: number) {
    this.#mark = new TextEncoder().encode(`datagram ${id}`)
  }

  /** One block of the file. */
  readonly write = (block: Uint8Array): void => {
    const type = new DataView(block.buffer, block.byteOffset).getUint32(0, true)
    if (type !== PACKET || this.#isOwn(block)) this.#kept.push(block)
  }

  /** The comments of a record stand behind its bytes. */
  #isOwn(block: Uint8Array): boolean {
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
    const length = view.getUint32(20, true)
    let at = 28 + ((length + 3) & ~3)
    while (at + 4 < block.length) {
      const [code, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)]
      if (code === 0) return false
      if (code === 1 && size === this.#mark.length && this.#mark.every((byte, i) => block[at + 4 + i] === byte))
        return true
      at += 4 + ((size + 3) & ~3)
    }
    return false
  }

  /** `start` is the wall time, in whole milliseconds, at which the network's time began. */
  frames(start: number): FrameBytes[] {
    return [...readCapture(joined(this.#kept))].map((frame) => {
      const medium = frame.linkType === 1 ? 'ethernet' : 'ip'
      return {
        time: Number(frame.time - BigInt(start) * 1_000_000n) / 1e6,
        at: frame.interface,
        direction: frame.direction === 'in' ? 'in' : 'out',
        bytes: frame.bytes,
        notes: frame.comments.filter((comment) => !/^datagram \d+$/.test(comment)),
        layers: layersOf(describe(frame.bytes, medium).layers),
      }
    })
  }
}
