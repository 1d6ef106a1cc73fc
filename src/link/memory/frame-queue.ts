/**
 * A first-in-first-out queue of frames, copied into one ring of bytes.
 *
 * A queued frame is lent out as a window of the ring, without a second copy and without an object
 * per frame. The ring starts small and doubles when it must, so that a thousand idle links cost
 * nothing. In front of a lent frame {@link HEADROOM} bytes are free for the receiver.
 */
import { type Cast, type ChecksumState, copyBytes, HEADROOM, Packet } from '../../base/packet.ts'

/**
 * In front of each frame, 4 bytes each: `length | segmentLength << 17`, its trace, and
 * `cast | checksumState << 8 | nic << 16`.
 */
const RECORD = 12
const LENGTH_BITS = 17
const LENGTH_MASK = (1 << LENGTH_BITS) - 1
const FIRST_CAPACITY = 2048

export class FrameQueue {
  readonly #limit: number
  /** The ring is one large packet whose bounds move. */
  #ring: Packet | null = null
  /** Offset of the oldest record that is not lent. */
  #head = HEADROOM
  /** Offset behind the newest record. */
  #tail = HEADROOM
  /**
   * Where the upper run of records ends while newer ones begin at the front again; 0 while there is
   * one run.
   */
  #wrap = 0
  /** Offset of the record on loan, which must stay as it is; 0 without one. */
  #lent = 0
  #bytes = 0
  #length = 0

  /**
   * `limit`: bytes of waiting frames, 12 bytes of bookkeeping each included. One frame may wait
   * whatever its length.
   */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Waiting frames; the one on loan is not among them. */
  get length(): number {
    return this.#length
  }

  /** Copies the frame in; `false` when the limit is reached. */
  push(packet: Packet, checksumState: ChecksumState): boolean {
    const length = packet.end - packet.start
    const size = RECORD + length
    if (this.#length > 0 && this.#bytes + size > this.#limit) return false
    const ring = this.#reserve(size)
    const at = this.#tail
    ring.view.setUint32(at, length | (packet.segmentLength << LENGTH_BITS))
    ring.view.setUint32(at + 4, packet.trace)
    ring.view.setUint32(at + 8, packet.cast | (checksumState << 8) | (packet.nic << 16))
    copyBytes(packet, packet.start, ring, at + RECORD, length)
    this.#tail = at + size
    this.#bytes += size
    this.#length++
    return true
  }

  /**
   * Lends the oldest frame until the next call of `next` or `release`; `null` when there is none.
   */
  next(): Packet | null {
    this.release()
    const ring = this.#ring
    if (this.#length === 0 || ring === null) return null
    if (this.#head === this.#wrap) {
      this.#head = HEADROOM
      this.#wrap = 0
    }
    const at = this.#head
    const lengths = ring.view.getUint32(at)
    const length = lengths & LENGTH_MASK
    const flags = ring.view.getUint32(at + 8)
    ring.reset(at + RECORD, at + RECORD + length)
    ring.trace = ring.view.getUint32(at + 4)
    ring.cast = (flags & 0xff) as Cast
    ring.checksumState = ((flags >>> 8) & 0xff) as ChecksumState
    ring.nic = flags >>> 16
    ring.segmentLength = lengths >>> LENGTH_BITS
    this.#lent = at
    this.#head = at + RECORD + length
    this.#bytes -= RECORD + length
    this.#length--
    return ring
  }

  /** Ends the loan of the current frame. */
  release(): void {
    this.#lent = 0
    if (this.#length > 0) return
    // A burst that starts at the front again stays in the processor's cache.
    this.#head = HEADROOM
    this.#tail = HEADROOM
    this.#wrap = 0
  }

  /** Forgets all waiting frames and frees the ring. */
  clear(): void {
    this.#ring = null
    this.#bytes = 0
    this.#length = 0
    this.release()
  }

  /** Makes room for `size` bytes at the tail. */
  #reserve(size: number): Packet {
    const ring = this.#ring
    if (ring === null) return this.#grow(size)
    const oldest = this.#lent === 0 ? this.#head : this.#lent
    if (this.#wrap === 0) {
      if (this.#tail + size <= ring.capacity) return ring
      if (HEADROOM + size <= oldest - HEADROOM) {
        this.#wrap = this.#tail
        this.#tail = HEADROOM
        return ring
      }
    } else if (this.#tail + size <= oldest - HEADROOM) return ring
    return this.#grow(size)
  }

  /**
   * Moves the waiting frames to the front of a larger ring. A frame on loan stays behind in the old
   * one.
   */
  #grow(size: number): Packet {
    const old = this.#ring
    let capacity = old === null ? FIRST_CAPACITY : old.capacity * 2
    while (capacity < HEADROOM + this.#bytes + size) capacity *= 2
    const ring = new Packet(capacity)
    let tail = HEADROOM
    if (old !== null) {
      const upper = old.bytes.subarray(this.#head, this.#wrap === 0 ? this.#tail : this.#wrap)
      const lower = old.bytes.subarray(HEADROOM, this.#wrap === 0 ? HEADROOM : this.#tail)
      ring.bytes.set(upper, tail)
      ring.bytes.set(lower, tail + upper.length)
      tail += upper.length + lower.length
    }
    this.#ring = ring
    this.#head = HEADROOM
    this.#tail = tail
    this.#wrap = 0
    this.#lent = 0
    return ring
  }
}
