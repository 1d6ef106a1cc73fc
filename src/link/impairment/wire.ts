/** A wire in one direction: it loses, damages and doubles frames, and takes its time. */
import { type Clock, wholeNanoseconds } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { ChecksumState, type Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import type { Link } from '../link.ts'
import { DelayLine } from '../memory/delay-line.ts'
import { copyOf, recycle, spareCopyOf } from '../memory/frame-copies.ts'
import { FaultStream, type FlowOf } from './fault-stream.ts'
import { wireLength } from './frame-length.ts'
import { type BitErrors, bernoulli, type Chooser, type Delay } from './impairment-models.ts'
import type { Impairments, WireObserver } from './impairments.ts'

export interface WireParts {
  readonly clock: Clock
  readonly random: Random
  /** Whose frames have draws of their own. */
  readonly flowOf: FlowOf | undefined
  /** The far end. */
  readonly output: (packet: Packet) => Drop
  /** The same for a frame that the far end may keep ({@link Link.handOver}), where it can. */
  readonly handOver: ((packet: Packet) => Drop) | undefined
  /** After the last output of a run that no input caused. */
  readonly batchEnd: () => void
  readonly dropped: (drop: Drop, packet: Packet) => void
  readonly observe: WireObserver | undefined
}

const NEVER: Chooser = () => false
const NO_BITS: readonly number[] = []

/** One fault: which frames it hits, and where it draws. */
class Fault {
  readonly stream: FaultStream
  chooser = NEVER

  constructor({ random, flowOf }: WireParts, name: string) {
    this.stream = new FaultStream(random, name, flowOf)
  }

  hits(packet: Packet, stream = this.stream): boolean {
    return this.chooser !== NEVER && this.chooser(packet, stream.of(packet))
  }
}

/** Where is drawn what is no question of whether a fault hits. */
interface Streams {
  readonly delays: FaultStream
  /** Which bit of a frame is wrong. */
  readonly bits: FaultStream
  /** What befalls the second of two. */
  readonly copyReordering: FaultStream
  readonly copyDelays: FaultStream
}

export class Wire {
  // A field each: an object of functions costs a lookup by name with every frame.
  readonly #clock: Clock
  readonly #deliver: (packet: Packet) => Drop
  readonly #dropped: (drop: Drop, packet: Packet) => void
  readonly #observe: WireObserver | undefined
  readonly #loss: Fault
  readonly #corruption: Fault
  readonly #duplication: Fault
  readonly #reordering: Fault
  readonly #streams: Streams
  /** The model, or `null` where all frames take the same time. */
  #delay: Delay | null = null
  #sameDelay = 0
  #keepOrder = true
  #hasFcs = false
  readonly #onTheWay: DelayLine
  /** When the last of the frames that keep their order arrives. */
  #lastArrival = 0

  constructor(parts: WireParts) {
    this.#clock = parts.clock
    this.#deliver = parts.output
    this.#dropped = parts.dropped
    this.#observe = parts.observe
    this.#loss = new Fault(parts, 'loss')
    this.#corruption = new Fault(parts, 'corruption')
    this.#duplication = new Fault(parts, 'duplication')
    this.#reordering = new Fault(parts, 'reordering')
    const stream = (name: string) => new FaultStream(parts.random, name, parts.flowOf)
    this.#streams = {
      delays: stream('delay'),
      bits: stream('bits'),
      copyReordering: stream('reordering of copies'),
      copyDelays: stream('delay of copies'),
    }
    const { handOver } = parts
    const release = (packet: Packet) => {
      const drop = handOver === undefined ? this.#deliver(packet) : handOver(packet)
      if (drop !== Drop.None) this.#dropped(drop, packet)
      else if (handOver !== undefined) return
      recycle(packet)
    }
    this.#onTheWay = new DelayLine(parts.clock, release, parts.batchEnd)
  }

  /** @throws {RangeError} for a probability out of range; then nothing is changed */
  change(to: Impairments): void {
    const [loss, corruption, duplication, reordering] = [to.loss, to.corruption, to.duplication, to.reordering].map(
      chooser,
    )
    this.#loss.chooser = loss as Chooser
    this.#corruption.chooser = corruption as Chooser
    this.#duplication.chooser = duplication as Chooser
    this.#reordering.chooser = reordering as Chooser
    this.#delay = typeof to.delay === 'function' ? to.delay : null
    this.#sameDelay = typeof to.delay === 'number' ? wholeNanoseconds(Math.max(0, to.delay)) : 0
    this.#keepOrder = to.keepOrder ?? true
    this.#hasFcs = to.fcs ?? false
  }

  /** Forgets what is on its way. */
  clear(): void {
    this.#onTheWay.clear()
  }

  /** The last bit of the frame left at `time`. */
  put(packet: Packet, time: number): Drop {
    // Every fault is drawn for every frame, so that what one does to it shifts no draw of another.
    const isLost = this.#loss.hits(packet)
    const wrong = this.#wrongBits(packet)
    const isTwice = this.#duplication.hits(packet)
    const overtakes = this.#reordering.hits(packet)
    const delay = this.#delayOf(packet, this.#streams.delays)
    if (isLost) {
      this.#dropped(Drop.WireLoss, packet)
      return Drop.None
    }
    if (wrong.length === 0) return this.#copies(packet, time, overtakes, delay, isTwice)
    this.#observe?.('corrupted', packet, wrong.length > 1 ? wrong.length : 0)
    if (this.#hasFcs) {
      this.#dropped(Drop.WireFrameCheck, packet)
      return Drop.None
    }
    const { checksumState } = packet
    flip(packet, wrong)
    packet.checksumState = ChecksumState.None
    try {
      return this.#copies(packet, time, overtakes, delay, isTwice)
    } finally {
      // The packet is lent.
      flip(packet, wrong)
      packet.checksumState = checksumState
    }
  }

  #wrongBits(packet: Packet): readonly number[] {
    const { chooser, stream } = this.#corruption
    if (chooser === NEVER) return NO_BITS
    if ('bitsOf' in chooser)
      return (chooser as BitErrors).bitsOf(packet, stream.of(packet), wireLength(packet, this.#hasFcs))
    return this.#corruption.hits(packet) ? [this.#streams.bits.of(packet).below(packet.length * 8)] : NO_BITS
  }

  /** Milliseconds. */
  #delayOf(packet: Packet, stream: FaultStream): number {
    const delay = this.#delay
    return delay === null ? this.#sameDelay : wholeNanoseconds(Math.max(0, delay(packet, stream.of(packet))))
  }

  #copies(packet: Packet, time: number, overtakes: boolean, delay: number, isTwice: boolean): Drop {
    if (!isTwice) return this.#travel(packet, time, overtakes, delay)
    this.#observe?.('duplicated', packet, 0)
    // Copied first: the receiver may overwrite what it is given.
    const copy = copyOf(packet)
    const drop = this.#travel(packet, time, overtakes, delay)
    const isEarly = this.#reordering.hits(copy, this.#streams.copyReordering)
    const dropOfCopy = this.#travel(copy, time, isEarly, this.#delayOf(copy, this.#streams.copyDelays))
    if (dropOfCopy !== Drop.None) this.#dropped(dropOfCopy, copy)
    return drop
  }

  #travel(packet: Packet, time: number, overtakes: boolean, delay: number): Drop {
    const observe = this.#observe
    let arrival = time
    if (overtakes) observe?.('overtaking', packet, 0)
    else {
      arrival += delay
      if (this.#keepOrder) arrival = this.#lastArrival = Math.max(arrival, this.#lastArrival)
    }
    if (arrival <= this.#clock.now() && (overtakes || this.#onTheWay.isEmpty)) return this.#deliver(packet)
    observe?.('delayed', packet, arrival - this.#clock.now())
    this.#onTheWay.add(spareCopyOf(packet), arrival)
    return Drop.None
  }
}

function flip({ view, start }: Packet, bits: readonly number[]): void {
  for (const bit of bits) {
    const at = start + (bit >>> 3)
    view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)))
  }
}

function chooser(value: number | Chooser | undefined): Chooser {
  if (value === undefined || value === 0) return NEVER
  return typeof value === 'number' ? bernoulli(value) : value
}
