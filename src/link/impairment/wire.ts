/** A wire in one direction: it loses, damages and doubles frames, and takes its time. */
import { type Clock, wholeNanoseconds } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { ChecksumState, type Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import { DelayLine, type DelayLineEnd } from '../memory/delay-line.ts'
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
  readonly end: WireEnd
  readonly observe: WireObserver | undefined
}

/** The far end. */
export interface WireEnd {
  /** Takes a frame, which is lent, or says why not. */
  deliver(packet: Packet): Drop
  /**
   * Takes a copy from the wires' stock, which it gives back in the end; with a drop it is the
   * caller's as before.
   */
  handOver(packet: Packet): Drop
  /** After the last frame of a run that no input caused. */
  batchEnd(): void
}

/** Who is told of what a wire discards. */
export interface DropListener {
  dropped(drop: Drop, packet: Packet): void
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

/** All that is drawn for a frame. */
class Faults {
  readonly loss: Fault
  readonly corruption: Fault
  readonly duplication: Fault
  readonly reordering: Fault
  readonly delays: FaultStream
  /** Which bit of a frame is wrong. */
  readonly bits: FaultStream
  /** What befalls the second of two. */
  readonly copyReordering: FaultStream
  readonly copyDelays: FaultStream

  constructor(parts: WireParts) {
    this.loss = new Fault(parts, 'loss')
    this.corruption = new Fault(parts, 'corruption')
    this.duplication = new Fault(parts, 'duplication')
    this.reordering = new Fault(parts, 'reordering')
    const stream = (name: string) => new FaultStream(parts.random, name, parts.flowOf)
    this.delays = stream('delay')
    this.bits = stream('bits')
    this.copyReordering = stream('reordering of copies')
    this.copyDelays = stream('delay of copies')
  }
}

export class Wire implements DelayLineEnd {
  readonly #clock: Clock
  readonly #end: WireEnd
  readonly #listener: DropListener
  readonly #observe: WireObserver | undefined
  readonly #parts: WireParts
  /** Made with the first thing that is drawn, and kept: a fault that comes back draws on. */
  #faults: Faults | null = null
  /** The model, or `null` where all frames take the same time. */
  #delay: Delay | null = null
  #sameDelay = 0
  #keepOrder = true
  #hasFcs = false
  readonly #onTheWay: DelayLine
  /** When the last of the frames that keep their order arrives. */
  #lastArrival = 0

  constructor(parts: WireParts, listener: DropListener) {
    this.#clock = parts.clock
    this.#end = parts.end
    this.#listener = listener
    this.#observe = parts.observe
    this.#parts = parts
    this.#onTheWay = new DelayLine(parts.clock, this)
  }

  /** A frame's time has come. */
  release(packet: Packet): void {
    const drop = this.#end.handOver(packet)
    if (drop === Drop.None) return
    this.#listener.dropped(drop, packet)
    recycle(packet)
  }

  batchEnd(): void {
    this.#end.batchEnd()
  }

  /** @throws {RangeError} for a probability out of range; then nothing is changed */
  change(to: Impairments): void {
    const loss = chooser(to.loss)
    const corruption = chooser(to.corruption)
    const duplication = chooser(to.duplication)
    const reordering = chooser(to.reordering)
    const draws = [loss, corruption, duplication, reordering].some((each) => each !== NEVER)
    if (draws || typeof to.delay === 'function') this.#faults ??= new Faults(this.#parts)
    if (this.#faults !== null) {
      this.#faults.loss.chooser = loss
      this.#faults.corruption.chooser = corruption
      this.#faults.duplication.chooser = duplication
      this.#faults.reordering.chooser = reordering
    }
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
    const faults = this.#faults
    if (faults === null) return this.#travel(packet, time, false, this.#sameDelay)
    // Every fault is drawn for every frame, so that what one does to it shifts no draw of another.
    const isLost = faults.loss.hits(packet)
    const wrong = this.#wrongBits(packet, faults)
    const isTwice = faults.duplication.hits(packet)
    const overtakes = faults.reordering.hits(packet)
    const delay = this.#delayOf(packet, faults.delays)
    if (isLost) {
      this.#listener.dropped(Drop.WireLoss, packet)
      return Drop.None
    }
    const copies = isTwice ? faults : null
    if (wrong.length === 0) return this.#copies(packet, time, overtakes, delay, copies)
    this.#observe?.('corrupted', packet, wrong.length > 1 ? wrong.length : 0)
    if (this.#hasFcs) {
      this.#listener.dropped(Drop.WireFrameCheck, packet)
      return Drop.None
    }
    const { checksumState } = packet
    flip(packet, wrong)
    packet.checksumState = ChecksumState.None
    try {
      return this.#copies(packet, time, overtakes, delay, copies)
    } finally {
      // The packet is lent.
      flip(packet, wrong)
      packet.checksumState = checksumState
    }
  }

  #wrongBits(packet: Packet, { corruption, bits }: Faults): readonly number[] {
    const { chooser, stream } = corruption
    if (chooser === NEVER) return NO_BITS
    if ('bitsOf' in chooser)
      return (chooser as BitErrors).bitsOf(packet, stream.of(packet), wireLength(packet, this.#hasFcs))
    return corruption.hits(packet) ? [bits.of(packet).below(packet.length * 8)] : NO_BITS
  }

  /** Milliseconds. */
  #delayOf(packet: Packet, stream: FaultStream): number {
    const delay = this.#delay
    return delay === null ? this.#sameDelay : wholeNanoseconds(Math.max(0, delay(packet, stream.of(packet))))
  }

  /** `faults`: of the second of two, or `null` for one alone. */
  #copies(packet: Packet, time: number, overtakes: boolean, delay: number, faults: Faults | null): Drop {
    if (faults === null) return this.#travel(packet, time, overtakes, delay)
    this.#observe?.('duplicated', packet, 0)
    // Copied first: the receiver may overwrite what it is given.
    const copy = copyOf(packet)
    const drop = this.#travel(packet, time, overtakes, delay)
    const isEarly = faults.reordering.hits(copy, faults.copyReordering)
    const dropOfCopy = this.#travel(copy, time, isEarly, this.#delayOf(copy, faults.copyDelays))
    if (dropOfCopy !== Drop.None) this.#listener.dropped(dropOfCopy, copy)
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
    if (arrival <= this.#clock.now() && (overtakes || this.#onTheWay.isEmpty)) return this.#end.deliver(packet)
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
