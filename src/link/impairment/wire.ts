/** A wire in one direction: it loses, damages and doubles frames, and takes its time. */
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { ChecksumState, type Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import { DelayLine } from '../memory/delay-line.ts'
import { copyOf, recycle, spareCopyOf } from './frame-copies.ts'
import { bernoulli, type Chooser, type Delay } from './impairment-models.ts'
import type { Impairments, WireObserver } from './impairments.ts'

export interface WireParts {
  readonly clock: Clock
  readonly random: Random
  /** The far end. */
  readonly output: (packet: Packet) => Drop
  /** After the last output of a run that no input caused. */
  readonly batchEnd: () => void
  readonly dropped: (drop: Drop, packet: Packet) => void
  readonly observe: WireObserver | undefined
}

const NEVER: Chooser = () => false

export class Wire {
  // A field each: an object of functions costs a lookup by name with every frame.
  readonly #clock: Clock
  readonly #random: Random
  readonly #deliver: (packet: Packet) => Drop
  readonly #dropped: (drop: Drop, packet: Packet) => void
  readonly #observe: WireObserver | undefined
  #loss = NEVER
  #corruption = NEVER
  #duplication = NEVER
  #reordering = NEVER
  #delay: Delay = () => 0
  #keepOrder = true
  readonly #onTheWay: DelayLine
  /** When the last of the frames that keep their order arrives. */
  #lastArrival = 0

  constructor(parts: WireParts) {
    this.#clock = parts.clock
    this.#random = parts.random
    this.#deliver = parts.output
    this.#dropped = parts.dropped
    this.#observe = parts.observe
    const release = (packet: Packet) => {
      this.#output(packet)
      recycle(packet)
    }
    this.#onTheWay = new DelayLine(parts.clock, release, parts.batchEnd)
  }

  /** @throws {RangeError} for a probability out of range; then nothing is changed */
  change(to: Impairments): void {
    const [loss, corruption, duplication, reordering] = [to.loss, to.corruption, to.duplication, to.reordering].map(
      chooser,
    )
    this.#loss = loss as Chooser
    this.#corruption = corruption as Chooser
    this.#duplication = duplication as Chooser
    this.#reordering = reordering as Chooser
    const { delay = 0 } = to
    this.#delay = typeof delay === 'number' ? () => delay : delay
    this.#keepOrder = to.keepOrder ?? true
  }

  /** Forgets what is on its way. */
  clear(): void {
    this.#onTheWay.clear()
  }

  /** The last bit of the frame left at `time`. */
  put(packet: Packet, time: number): Drop {
    const random = this.#random
    if (this.#loss(packet, random)) {
      this.#dropped(Drop.WireLoss, packet)
      return Drop.None
    }
    if (!this.#corruption(packet, random)) return this.#copies(packet, time)
    // The packet is lent, so the bit is restored.
    const { checksumState, view } = packet
    this.#observe?.('corrupted', packet, 0)
    const bit = random.below(packet.length * 8)
    const at = packet.start + (bit >>> 3)
    view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)))
    packet.checksumState = ChecksumState.None
    try {
      return this.#copies(packet, time)
    } finally {
      view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)))
      packet.checksumState = checksumState
    }
  }

  #copies(packet: Packet, time: number): Drop {
    if (!this.#duplication(packet, this.#random)) return this.#travel(packet, time)
    this.#observe?.('duplicated', packet, 0)
    // Copied first: the receiver may overwrite what it is given.
    const copy = copyOf(packet)
    const drop = this.#travel(packet, time)
    const dropOfCopy = this.#travel(copy, time)
    if (dropOfCopy !== Drop.None) this.#dropped(dropOfCopy, copy)
    return drop
  }

  #travel(packet: Packet, time: number): Drop {
    const random = this.#random
    const observe = this.#observe
    const overtakes = this.#reordering(packet, random)
    let arrival = time
    if (!overtakes) {
      // Whole nanoseconds: the last bits of a logarithm may differ between engines.
      arrival += Math.round(Math.max(0, this.#delay(packet, random)) * 1e6) / 1e6
      if (this.#keepOrder) arrival = this.#lastArrival = Math.max(arrival, this.#lastArrival)
    }
    if (overtakes) observe?.('overtaking', packet, 0)
    if (arrival <= this.#clock.now() && (overtakes || this.#onTheWay.isEmpty)) return this.#deliver(packet)
    observe?.('delayed', packet, arrival - this.#clock.now())
    this.#onTheWay.add(spareCopyOf(packet), arrival)
    return Drop.None
  }

  #output(packet: Packet): void {
    const drop = this.#deliver(packet)
    if (drop !== Drop.None) this.#dropped(drop, packet)
  }
}

function chooser(value: number | Chooser | undefined): Chooser {
  if (value === undefined || value === 0) return NEVER
  return typeof value === 'number' ? bernoulli(value) : value
}
