import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { ChecksumState, type Packet } from '../../base/packet.ts'
import type { LinkReceiver } from '../link.ts'
import { Segmenter } from '../segmenter.ts'
import { FrameQueue } from './frame-queue.ts'

/**
 * Frames handed over in one turn; more wait for the next, so that a flood leaves timers and devices
 * their share. No more than a socket hands to its program in a turn, so that none of a burst
 * overflows the receive buffer of a program that keeps up.
 */
const TURN = 32

/**
 * Bytes that may wait for one in-memory link by default: 50 000 small datagrams, or all fragments
 * of 60 of the largest.
 */
export const DEFAULT_QUEUE_BYTES = 4 * 1024 * 1024

/**
 * The receiving end of an in-memory link. A frame that is put in reaches the receiver in a later
 * turn of the clock.
 */
export class Inbox {
  receiver: LinkReceiver | null = null
  readonly #clock: Clock
  readonly #queue: FrameQueue
  readonly #checksumOffload: boolean
  /** Made when it is needed. */
  #segmenter: Segmenter | null = null
  #scheduled = false
  readonly #run = () => this.#deliver()

  constructor(clock: Clock, queueBytes: number, checksumOffload: boolean) {
    this.#clock = clock
    this.#queue = new FrameQueue(queueBytes)
    this.#checksumOffload = checksumOffload
  }

  /** @throws {Error} when a receiver is attached already */
  attach(receiver: LinkReceiver, name: string): void {
    if (this.receiver !== null) throw new Error(`Link ${name} has a receiver already.`)
    this.receiver = receiver
  }

  /** Copies the frame; without a receiver it is discarded, as on an interface that is down. */
  put(packet: Packet): Drop {
    if (this.receiver === null) return Drop.WireNoReceiver
    return this.#queue.push(packet, this.#stateOf(packet)) ? this.#queued() : Drop.LinkQueueFull
  }

  /** Takes the packet itself; with a drop it is the caller's as before. */
  keep(packet: Packet): Drop {
    if (this.receiver === null) return Drop.WireNoReceiver
    return this.#queue.keep(packet, this.#stateOf(packet)) ? this.#queued() : Drop.LinkQueueFull
  }

  #queued(): Drop {
    if (!this.#scheduled) this.#schedule()
    return Drop.None
  }

  /**
   * The checksum of a merged packet is that of its segments, and computed by whoever takes it
   * apart.
   */
  #stateOf({ segmentLength, checksumState }: Packet): ChecksumState {
    return this.#checksumOffload || segmentLength > 0 ? checksumState : ChecksumState.None
  }

  close(): void {
    this.receiver = null
    this.#queue.clear()
  }

  #schedule(): void {
    this.#scheduled = true
    this.#clock.soon(this.#run)
  }

  #deliver(): void {
    this.#scheduled = false
    try {
      this.#deliverShare()
    } finally {
      // After what programs have asked for meanwhile, which has its turn first.
      if (this.#queue.length > 0 && !this.#scheduled) this.#schedule()
    }
  }

  /** Delivers a merged packet as it is, or segment by segment to a receiver that takes none. */
  #deliverMerged(packet: Packet, receiver: LinkReceiver): void {
    if (receiver.takesMerged?.(packet) === true) {
      receiver.input(packet)
      return
    }
    this.#segmenter ??= new Segmenter()
    this.#segmenter.splitMerged(packet, !this.#checksumOffload, (segment) => {
      // The receiver may close the link meanwhile.
      if (this.receiver === receiver) receiver.input(segment)
    })
  }

  #deliverShare(): void {
    const receiver = this.receiver
    if (receiver === null) return
    // Only frames that wait now: answers to answers are delivered in the next turn.
    let left = Math.min(this.#queue.length, TURN)
    try {
      for (; left > 0; left--) {
        const packet = this.#queue.next()
        // The queue is empty when the receiver closed the link.
        if (packet === null) return
        if (packet.segmentLength > 0) this.#deliverMerged(packet, receiver)
        else receiver.input(packet)
      }
    } finally {
      this.#queue.release()
      receiver.idle()
    }
  }
}
