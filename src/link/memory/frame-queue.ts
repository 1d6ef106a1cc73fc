/**
 * A first-in-first-out queue of frames: packets that were handed over, and behind them frames that
 * were copied into one ring of bytes.
 *
 * A frame of the ring is lent out as a window of it, without a second copy and without an object
 * per frame. The ring is made when it is needed, starts small and doubles when it must, so that a
 * thousand idle links cost nothing. In front of a lent frame {@link HEADROOM} bytes are free for
 * the receiver.
 */
import { type Cast, type ChecksumState, copyBytes, HEADROOM, Packet } from '../../base/packet.ts'
import { recycle } from './frame-copies.ts'
import { PacketQueue } from './packet-queue.ts'

/**
 * In front of each frame, 4 bytes each: `length | segmentLength << 17`, its trace, and
 * `cast | checksumState << 8 | nic << 16`.
 */
const RECORD = 12
const LENGTH_BITS = 17
const LENGTH_MASK = (1 << LENGTH_BITS) - 1
const FIRST_CAPACITY = 1024
/**
 * Behind as many packets, frames of no more bytes are copied even if they were handed over: what
 * waits is counted by its length, and a packet of the stock is several times as long.
 */
const FEW = 64
const SHORT = 512

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
  /** Packets that were handed over: all of them go before the ring. */
  readonly #kept = new PacketQueue()
  /** The one on loan. */
  #keptLent: Packet | null = null

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
    const { view } = ring
    const at = this.#tail
    view.setUint32(at, length | (packet.segmentLength << LENGTH_BITS))
    view.setUint32(at + 4, packet.trace)
    view.setUint32(at + 8, packet.cast | (checksumState << 8) | (packet.nic << 16))
    copyBytes(packet, packet.start, ring, at + RECORD, length)
    this.#tail = at + size
    this.#bytes += size
    this.#length++
    return true
  }

  /**
   * Takes the packet itself, of which the caller makes no more use; `false` when the limit is
   * reached: then it is the caller's as before. It goes to the stock of copies in the end.
   */
  keep(packet: Packet, checksumState: ChecksumState): boolean {
    const length = packet.end - packet.start
    const kept = this.#kept
    if (this.#length > kept.length || (kept.length >= FEW && length <= SHORT)) {
      const isTaken = this.push(packet, checksumState)
      if (isTaken) recycle(packet)
      return isTaken
    }
    if (this.#length > 0 && this.#bytes + RECORD + length > this.#limit) return false
    packet.checksumState = checksumState
    packet.looped = 0
    kept.push(packet)
    this.#bytes += RECORD + length
    this.#length++
    return true
  }

  /**
   * Lends the oldest frame until the next call of `next` or `release`; `null` when there is none.
   */
  next(): Packet | null {
    this.release()
    if (this.#length === 0) return null
    this.#length--
    const kept = this.#kept.shift()
    if (kept !== null) {
      this.#keptLent = kept
      this.#bytes -= RECORD + kept.end - kept.start
      return kept
    }
    const ring = this.#ring as Packet
    if (this.#head === this.#wrap) {
      this.#head = HEADROOM
      this.#wrap = 0
    }
    const at = this.#head
    const lengths = ring.view.getUint32(at)
    const length = lengths & LENGTH_MASK
    const flags = ring.view.getUint32(at + 8)
    const start = at + RECORD
    ring.reset(start, start + length)
    ring.trace = ring.view.getUint32(at + 4)
    ring.cast = (flags & 0xff) as Cast
    ring.checksumState = ((flags >>> 8) & 0xff) as ChecksumState
    ring.nic = flags >>> 16
    ring.segmentLength = lengths >>> LENGTH_BITS
    this.#lent = at
    this.#head = start + length
    this.#bytes -= RECORD + length
    return ring
  }

  /** Ends the loan of the current frame. */
  release(): void {
    this.#lent = 0
    if (this.#keptLent !== null) recycle(this.#keptLent)
    this.#keptLent = null
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
    this.#kept.clear()
    // Whoever has the frame on loan may still read it: it goes to nobody else.
    this.#keptLent = null
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
    const upper = old?.bytes.subarray(this.#head, this.#wrap === 0 ? this.#tail : this.#wrap)
    const lower = old?.bytes.subarray(HEADROOM, this.#wrap === 0 ? HEADROOM : this.#tail)
    const tail = HEADROOM + (upper?.length ?? 0) + (lower?.length ?? 0)
    let capacity = old === null ? FIRST_CAPACITY : old.capacity * 2
    while (capacity < tail + size) capacity *= 2
    const ring = new Packet(capacity)
    if (upper !== undefined) ring.bytes.set(upper, HEADROOM)
    if (lower !== undefined) ring.bytes.set(lower, tail - lower.length)
    this.#ring = ring
    this.#head = HEADROOM
    this.#tail = tail
    this.#wrap = 0
    this.#lent = 0
    return ring
  }
}
