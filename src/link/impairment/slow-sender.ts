/** The sender of a wire that has a rate: frames wait in its queue until the one before has left. */
import type { Clock, Timer } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { Medium } from '../link.ts'
import { copyOf } from '../memory/frame-copies.ts'
import { segmentsOf } from '../segmenter.ts'
import { allWireLength, wireLength } from './frame-length.ts'
import type { Rate } from './impairment-models.ts'
import type { WireObserver } from './impairments.ts'
import { type Queue, type QueueDiscipline, tailDrop, type Waiting } from './queue-discipline.ts'
import type { WireMeter } from './wire-meter.ts'

export interface SenderParts {
  readonly clock: Clock
  readonly medium: Medium
  /** Bytes of the longest frame. */
  readonly longest: number
  /** Where a frame goes whose last bit left at `time`. */
  readonly wire: (packet: Packet, time: number) => Drop
  /** After the last frame of a run that no input caused. */
  readonly batchEnd: () => void
  readonly dropped: (drop: Drop, packet: Packet) => void
  readonly observe: WireObserver | undefined
}

/** What a queue gave up and marked while it was asked for the next frame. */
class Verdicts {
  readonly givenUp: Packet[] = []
  readonly marked: Packet[] = []
  readonly giveUp = (packet: Packet) => {
    this.givenUp.push(packet)
  }
  readonly mark = (packet: Packet) => {
    this.marked.push(packet)
  }

  count(meter: WireMeter, time: number): void {
    for (const given of this.givenUp) meter.taken(given, time, false)
    for (let marked = this.marked.length; marked > 0; marked--) meter.marked(time)
  }

  get isEmpty(): boolean {
    return this.givenUp.length === 0 && this.marked.length === 0
  }
}

export class SlowSender {
  // A field each: an object of functions costs a lookup by name with every frame.
  readonly #clock: Clock
  readonly #medium: Medium
  readonly #longest: number
  readonly #wire: (packet: Packet, time: number) => Drop
  readonly #batchEnd: () => void
  readonly #dropped: (drop: Drop, packet: Packet) => void
  readonly #observe: WireObserver | undefined
  /** `null`: at once. */
  #rate: Rate | null = null
  #hasFcs = false
  #queueOf: Queue | undefined
  #queue: QueueDiscipline
  /** The frame that is being sent, until its last bit has left. */
  #sending: Packet | null = null
  /** When that is, counted by the rate and not by the timer's precision. */
  #sentAt = 0
  #timer: Timer | null = null
  #verdicts = new Verdicts()
  meter: WireMeter | null = null

  constructor(parts: SenderParts) {
    this.#clock = parts.clock
    this.#medium = parts.medium
    this.#longest = parts.longest
    this.#wire = parts.wire
    this.#batchEnd = parts.batchEnd
    this.#dropped = parts.dropped
    this.#observe = parts.observe
    this.#queue = newQueue(undefined, this.#medium, this.#longest)
  }

  /** Whether frames pass at once. */
  get isIdle(): boolean {
    return this.#rate === null && this.#sending === null
  }

  change(rate: number | Rate, queue: Queue | undefined, hasFcs = false): void {
    // What has left by now has left at the old rate.
    this.#catchUp(this.#clock.now())
    this.#hasFcs = hasFcs
    if (rate === Number.POSITIVE_INFINITY) this.#rate = null
    else this.#rate = typeof rate === 'number' ? (length, start) => start + (length * 8000) / rate : rate
    if (queue !== this.#queueOf) this.#changeQueue(queue)
  }

  input(packet: Packet): Drop {
    const now = this.#clock.now()
    this.#catchUp(now)
    if (this.#sending === null && this.#rate === null) {
      this.meter?.sent(segmentsOf(packet), allWireLength(packet, this.#hasFcs), now)
      return this.#wire(packet, now)
    }
    const copy = copyOf(packet)
    if (!this.#queue.enqueue(copy, now)) {
      this.#dropped(Drop.WireQueueFull, packet)
      return Drop.None
    }
    this.meter?.queued(copy, now)
    if (this.#sending === null) {
      this.#sendNext(now)
      this.#arm(now)
    } else this.#observe?.('queued', packet, 0)
    return Drop.None
  }

  /** Forgets what waits. */
  clear(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#sending = null
    this.#queue = newQueue(this.#queueOf, this.#medium, this.#longest)
  }

  /** Takes the next frame from the queue at `start`, when the one before has left. */
  #sendNext(start: number): void {
    const packet = this.#queue.dequeue(start, this.#verdicts.giveUp, this.#verdicts.mark)
    this.#sending = packet
    if (packet !== null)
      this.#sentAt = this.#rate === null ? start : this.#rate(wireLength(packet, this.#hasFcs), start)
    if (this.meter !== null) this.#verdicts.count(this.meter, start)
    if (packet !== null) this.meter?.taken(packet, start, true)
    // Told when the state is whole again: who hears it may send.
    if (this.#verdicts.isEmpty) return
    const { marked, givenUp } = this.#verdicts
    this.#verdicts = new Verdicts()
    // Whoever hears of it may change the queue.
    const { givesUp = Drop.WireQueueFull } = this.#queue
    for (const given of marked) this.#observe?.('marked', given, 0)
    for (const given of givenUp) this.#dropped(givesUp, given)
  }

  /** Puts the frames on the wire whose transmission has ended by `now`. */
  #catchUp(now: number): void {
    while (this.#sending !== null && this.#sentAt <= now) {
      const packet = this.#sending
      const at = this.#sentAt
      this.meter?.sent(1, wireLength(packet, this.#hasFcs), at)
      this.#sendNext(at)
      const drop = this.#wire(packet, at)
      if (drop !== Drop.None) this.#dropped(drop, packet)
    }
  }

  #arm(now: number): void {
    if (this.#timer !== null || this.#sending === null) return
    this.#timer = this.#clock.schedule(Math.max(0, this.#sentAt - now), () => {
      this.#timer = null
      try {
        this.#catchUp(this.#clock.now())
      } finally {
        this.#arm(this.#clock.now())
        this.#batchEnd()
      }
    })
  }

  /**
   * Frames that wait move over, in the order in which the old queue would have sent them, and have
   * waited as long as before.
   */
  #changeQueue(to: Queue | undefined): void {
    const now = this.#clock.now()
    const old = this.#queue
    this.#queueOf = to
    this.#queue = newQueue(to, this.#medium, this.#longest)
    this.#queue.follow?.(old)
    const givenUp: Packet[] = []
    const refused: Packet[] = []
    for (const { packet, since } of old.drain?.() ?? emptied(old, now, givenUp))
      if (!this.#queue.enqueue(packet, since)) refused.push(packet)
    for (const packet of [...givenUp, ...refused]) this.meter?.taken(packet, now, false)
    for (const packet of givenUp) this.#dropped(old.givesUp ?? Drop.WireQueueFull, packet)
    for (const packet of refused) this.#dropped(Drop.WireQueueFull, packet)
  }
}

function newQueue(queue: Queue | undefined, medium: Medium, longest: number): QueueDiscipline {
  return (queue ?? tailDrop())(medium, longest)
}

/** What waits in a discipline that gives out one frame at a time, and may give up some. */
function emptied(queue: QueueDiscipline, now: number, givenUp: Packet[]): Waiting[] {
  const all: Waiting[] = []
  for (;;) {
    const packet = queue.dequeue(now, (given) => givenUp.push(given))
    if (packet === null) return all
    all.push({ packet, since: now })
  }
}
