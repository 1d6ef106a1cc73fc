/**
 * What waits before a slow wire, and who has to go: tail drop, CoDel (RFC 8289), priority bands.
 */
import { update } from '../../base/checksum.ts'
import { Drop } from '../../base/drop.ts'
import { Fifo } from '../../base/fifo.ts'
import type { Packet } from '../../base/packet.ts'
import * as ethernet from '../../wire/ethernet.ts'
import type { Medium } from '../link.ts'

/** A queue of frames of its own. Times are milliseconds of the clock. */
export interface QueueDiscipline {
  /** Keeps the frame, which waits since `now`, or answers `false`: no room. */
  enqueue(packet: Packet, now: number): boolean
  /**
   * The next frame to be sent, or `null`; `drop` is called with those that the discipline gives up
   * first, `marked` with those that it has set Congestion Experienced in.
   */
  dequeue(now: number, drop: (packet: Packet) => void, marked?: (packet: Packet) => void): Packet | null
  /** The name of what it gives up when the queue is not full. Default `Drop.WireQueueFull`. */
  readonly givesUp?: Drop
  /**
   * Gives out all that waits, in the order in which it would be sent, and gives up none: another
   * discipline takes over. One that lacks this is emptied by `dequeue`.
   */
  drain?(): Waiting[]
  /** Told of the discipline before it: one of its kind hands over what it has learnt. */
  follow?(before: QueueDiscipline): void
}

/** A frame, and since when it waits. */
export interface Waiting {
  readonly packet: Packet
  readonly since: number
}

/** Makes the discipline for one direction of a link. `longest`: bytes of the longest frame. */
export type Queue = (medium: Medium, longest: number) => QueueDiscipline

export interface QueueLimit {
  /** Frames. Default 1000 when there is no limit of bytes either, as Linux's txqueuelen. */
  packets?: number
  /** Bytes, link headers included. */
  bytes?: number
}

/** First in, first out, bounded. */
class LimitedFifo {
  readonly #packets: number
  readonly #bytes: number
  readonly #waiting = new Fifo<Waiting>()
  bytes = 0

  constructor({ packets, bytes }: QueueLimit) {
    for (const limit of [packets, bytes])
      if (limit !== undefined && !(limit >= 1))
        throw new RangeError(`A queue limit of ${limit} is out of range: 1 or more.`)
    this.#packets = packets ?? (bytes === undefined ? 1000 : Number.POSITIVE_INFINITY)
    this.#bytes = bytes ?? Number.POSITIVE_INFINITY
  }

  get length(): number {
    return this.#waiting.length
  }

  push(packet: Packet, now: number): boolean {
    if (this.length >= this.#packets || this.bytes + packet.length > this.#bytes) return false
    this.#waiting.push({ packet, since: now })
    this.bytes += packet.length
    return true
  }

  shift(): Waiting | null {
    const first = this.#waiting.shift()
    if (first === undefined) return null
    this.bytes -= first.packet.length
    return first
  }

  drain(): Waiting[] {
    const all: Waiting[] = []
    for (let next = this.shift(); next !== null; next = this.shift()) all.push(next)
    return all
  }
}

/** A full queue refuses what comes. */
export function tailDrop(limit: QueueLimit = {}): Queue {
  return () => {
    const fifo = new LimitedFifo(limit)
    return {
      enqueue: (packet, now) => fifo.push(packet, now),
      dequeue: () => fifo.shift()?.packet ?? null,
      drain: () => fifo.drain(),
    }
  }
}

export interface PriorityOptions extends QueueLimit {
  /**
   * The band, 0 being the first served, for a TOS or Traffic Class byte; `undefined` for a frame
   * that is no IP packet.
   */
  bandOf?: (tos: number | undefined) => 0 | 1 | 2
}

/**
 * Three bands; a frame leaves only when the bands before its own are empty. The limit is that of
 * each band. By default the bands are those of Linux's pfifo_fast: "minimize delay" (TOS 0x10)
 * first, "maximize throughput" (0x08) last, all else between.
 */
export function priorityBands({ bandOf = bandOfTos, ...limit }: PriorityOptions = {}): Queue {
  return (medium) => {
    const bands = [new LimitedFifo(limit), new LimitedFifo(limit), new LimitedFifo(limit)] as const
    return {
      enqueue: (packet, now) => bands[bandOf(tosOf(packet, medium))].push(packet, now),
      dequeue: () => (bands[0].shift() ?? bands[1].shift() ?? bands[2].shift())?.packet ?? null,
      drain: () => bands.flatMap((band) => band.drain()),
    }
  }
}

function bandOfTos(tos = 0): 0 | 1 | 2 {
  const kind = tos & 0x18
  return kind === 0x10 ? 0 : kind === 0x08 ? 2 : 1
}

/** Milliseconds (RFC 8289 section 4.4). */
export const CODEL_TARGET = 5
/** Milliseconds (section 4.3). */
export const CODEL_INTERVAL = 100

export interface CodelOptions extends QueueLimit {
  /**
   * The waiting time that is accepted for good, in milliseconds. Default 5 (RFC 8289 section 4.4).
   */
  target?: number
  /** How long it may be exceeded, in milliseconds. Default 100 (RFC 8289 section 4.3). */
  interval?: number
  /**
   * Marks packets of ECN-capable transports instead of dropping them (RFC 3168 section 5). Default
   * false.
   */
  ecn?: boolean
}

/**
 * Controlled Delay: gives up frames when the waiting time stays above the target for an interval,
 * then more and more often.
 */
export function codel({
  target = CODEL_TARGET,
  interval = CODEL_INTERVAL,
  ecn = false,
  ...limit
}: CodelOptions = {}): Queue {
  if (!(target > 0 && interval > 0))
    throw new RangeError(`CoDel's target ${target} and interval ${interval} have to be above 0 ms.`)
  return (medium, longest) => new Codel(target, interval, ecn, new LimitedFifo(limit), medium, longest)
}

/** The names are those of the pseudocode in RFC 8289 section 5. */
class Codel implements QueueDiscipline {
  readonly givesUp = Drop.WireCodel
  readonly #target: number
  readonly #interval: number
  readonly #ecn: boolean
  readonly #fifo: LimitedFifo
  readonly #medium: Medium
  readonly #longest: number
  /**
   * When the waiting time will have been above the target for an interval; 0 while it is not above.
   */
  #firstAboveTime = 0
  #dropNext = 0
  #count = 0
  #lastCount = 0
  #dropping = false
  /** Whether the frame that {@link Codel.#take} returned may be dropped. */
  #okToDrop = false

  constructor(target: number, interval: number, ecn: boolean, fifo: LimitedFifo, medium: Medium, longest: number) {
    this.#target = target
    this.#interval = interval
    this.#ecn = ecn
    this.#fifo = fifo
    this.#medium = medium
    this.#longest = longest
  }

  enqueue(packet: Packet, now: number): boolean {
    return this.#fifo.push(packet, now)
  }

  dequeue(now: number, drop: (packet: Packet) => void, marked: (packet: Packet) => void = () => {}): Packet | null {
    let packet = this.#take(now)
    if (this.#dropping) {
      if (!this.#okToDrop) this.#dropping = false
      while (this.#dropping && now >= this.#dropNext && packet !== null) {
        this.#count++
        if (this.#mark(packet, marked)) {
          this.#dropNext = this.#controlLaw(this.#dropNext)
          return packet
        }
        drop(packet)
        packet = this.#take(now)
        if (this.#okToDrop) this.#dropNext = this.#controlLaw(this.#dropNext)
        else this.#dropping = false
      }
    } else if (this.#okToDrop && packet !== null) {
      if (!this.#mark(packet, marked)) {
        drop(packet)
        packet = this.#take(now)
      }
      this.#dropping = true
      // Dropping that began again soon goes on at the rate that it had (section 5.4).
      const delta = this.#count - this.#lastCount
      this.#count = delta > 1 && now - this.#dropNext < 16 * this.#interval ? delta : 1
      this.#dropNext = this.#controlLaw(now)
      this.#lastCount = this.#count
    }
    return packet
  }

  drain(): Waiting[] {
    return this.#fifo.drain()
  }

  /** Another target or interval changes the rules, not where the controller is. */
  follow(before: QueueDiscipline): void {
    if (!(before instanceof Codel)) return
    this.#firstAboveTime = before.#firstAboveTime
    this.#dropNext = before.#dropNext
    this.#count = before.#count
    this.#lastCount = before.#lastCount
    this.#dropping = before.#dropping
  }

  #take(now: number): Packet | null {
    this.#okToDrop = false
    const first = this.#fifo.shift()
    if (first === null) {
      this.#firstAboveTime = 0
      return null
    }
    // A queue of one frame cannot be shorter.
    if (now - first.since < this.#target || this.#fifo.bytes <= this.#longest) this.#firstAboveTime = 0
    else if (this.#firstAboveTime === 0) this.#firstAboveTime = now + this.#interval
    else if (now >= this.#firstAboveTime) this.#okToDrop = true
    return first.packet
  }

  #controlLaw(time: number): number {
    return time + this.#interval / Math.sqrt(this.#count)
  }

  #mark(packet: Packet, marked: (packet: Packet) => void): boolean {
    if (!this.#ecn || !markCongestion(packet, this.#medium)) return false
    marked(packet)
    return true
  }
}

/** Offset of the IP header in a frame, -1 when there is none. */
function ipHeader(packet: Packet, medium: Medium): number {
  let at = packet.start
  if (medium === 'ethernet') {
    // Behind priority tags as well.
    const header = ethernet.headerLength(packet)
    if (header < 0) return -1
    at += header
    const type = ethernet.payloadType(packet.view, at)
    if (type !== ethernet.IPV4 && type !== ethernet.IPV6) return -1
  }
  return packet.end - at >= 20 ? at : -1
}

/** The TOS or Traffic Class byte; `undefined` for a frame that is no IP packet. */
export function tosOf(packet: Packet, medium: Medium): number | undefined {
  const at = ipHeader(packet, medium)
  if (at < 0) return undefined
  const word = packet.view.getUint16(at)
  if (word >>> 12 === 4) return word & 0xff
  return word >>> 12 === 6 ? (word >>> 4) & 0xff : undefined
}

/**
 * Sets the ECN field to CE (RFC 3168 section 5) in a packet whose transport is capable of it;
 * `false` for others.
 */
export function markCongestion(packet: Packet, medium: Medium): boolean {
  const tos = tosOf(packet, medium)
  if (tos === undefined || (tos & 3) === 0) return false
  const at = ipHeader(packet, medium)
  const word = packet.view.getUint16(at)
  const six = word >>> 12 === 6
  const marked = word | (six ? 0x30 : 0x03)
  packet.view.setUint16(at, marked)
  if (!six) packet.view.setUint16(at + 10, update(packet.view.getUint16(at + 10), word, marked))
  return true
}
