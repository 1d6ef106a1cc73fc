/**
 * Frames one behind the other in memory, and beside them what `sendmmsg` wants to know of each:
 * struct mmsghdr and struct iovec of 64-bit Linux.
 */
import { copyBytes, Packet } from '../../base/packet.ts'
import { LITTLE } from './netlink.ts'
import type { Libc } from './tun-libc.ts'

/** Bytes of all frames. */
const ROOM = 256 * 1024
const MESSAGE = 64
const MESSAGE_VECTORS = 16
const MESSAGE_VECTOR_COUNT = 24
const VECTOR = 16
const VECTOR_LENGTH = 8
/** Offsets of the halves of a number of 64 bits. */
const LOW = LITTLE ? 0 : 4
const HIGH = LITTLE ? 4 : 0

export class MessageBatch {
  count = 0
  readonly frames = new Packet(ROOM)
  readonly #messages: Uint8Array
  readonly #messagesAddress: number
  readonly #vectors: DataView
  readonly #framesAddress: number
  readonly #starts: Int32Array
  /** Datagrams of each frame. */
  readonly #segments: Int32Array

  constructor(libc: Libc, capacity: number) {
    this.#messages = new Uint8Array(capacity * MESSAGE)
    this.#vectors = new DataView(new ArrayBuffer(capacity * VECTOR))
    this.#starts = new Int32Array(capacity + 1)
    this.#segments = new Int32Array(capacity)
    this.#framesAddress = libc.addressOf(this.frames.bytes)
    this.#messagesAddress = libc.addressOf(this.#messages)
    const vectors = BigInt(libc.addressOf(new Uint8Array(this.#vectors.buffer)))
    const view = new DataView(this.#messages.buffer)
    for (let i = 0; i < capacity; i++) {
      view.setBigUint64(i * MESSAGE + MESSAGE_VECTORS, vectors + BigInt(i * VECTOR), LITTLE)
      view.setBigUint64(i * MESSAGE + MESSAGE_VECTOR_COUNT, 1n, LITTLE)
    }
  }

  /** Whether one more frame of so many bytes fits. */
  fits(length: number): boolean {
    return this.count + 1 < this.#starts.length && this.hasRoom(length)
  }

  /** Whether so many bytes fit behind the last frame. */
  hasRoom(length: number): boolean {
    return this.start(this.count) + length <= ROOM
  }

  /** Offset in `frames` of a frame, or of the room behind the last one. */
  start(index: number): number {
    return this.#starts[index] as number
  }

  /** Takes the packet, behind `header` bytes at `start(count)` that the caller has written. */
  append(packet: Packet, header: number): void {
    const at = this.start(this.count)
    const length = packet.end - packet.start
    copyBytes(packet, packet.start, this.frames, at + header, length)
    const vector = this.count * VECTOR
    const address = this.#framesAddress + at
    this.#vectors.setUint32(vector + LOW, address >>> 0, LITTLE)
    this.#vectors.setUint32(vector + HIGH, Math.floor(address / 0x1_0000_0000), LITTLE)
    this.#vectors.setUint32(vector + VECTOR_LENGTH + LOW, length + header, LITTLE)
    this.#segments[this.count] = 1
    this.count++
    this.#starts[this.count] = at + header + length
  }

  /** The last frame ends at `end` of `frames` now, and stands for so many datagrams. */
  extend(end: number, segments: number): void {
    const last = this.count - 1
    this.#vectors.setUint32(last * VECTOR + VECTOR_LENGTH + LOW, end - this.start(last), LITTLE)
    this.#segments[last] = segments
    this.#starts[this.count] = end
  }

  /** Datagrams that the frame stands for; 1 for one as it is. */
  segments(index: number): number {
    return this.#segments[index] as number
  }

  /** The address of the mmsghdr of a frame, behind which those of the next ones follow. */
  message(index: number): number {
    return this.#messagesAddress + index * MESSAGE
  }
}
