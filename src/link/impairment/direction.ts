/** The way of frames in one direction: the MTU, the sender with its queue, the wire. */
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import type { Medium } from '../link.ts'
import { segmentsOf } from '../segmenter.ts'
import type { FlowOf } from './fault-stream.ts'
import { allWireLength } from './frame-length.ts'
import type { Impairments, WireObserver } from './impairments.ts'
import { SlowSender } from './slow-sender.ts'
import { type DropListener, Wire, type WireEnd } from './wire.ts'
import type { WireMeter } from './wire-meter.ts'

/** Where frames go that have come through. */
export interface DirectionEnd extends WireEnd, DropListener {}

export interface DirectionParts {
  readonly clock: Clock
  readonly random: Random
  readonly flowOf: FlowOf | undefined
  readonly medium: Medium
  /** Bytes of the link header. */
  readonly header: number
  /** The link's MTU. */
  readonly mtu: number
  readonly end: DirectionEnd
  readonly observe: WireObserver | undefined
}

export class Direction implements DropListener {
  readonly #clock: Clock
  readonly #header: number
  readonly #end: DirectionEnd
  readonly #wire: Wire
  readonly #parts: DirectionParts
  /** Made with the first rate or queue: else frames leave at once. */
  #sender: SlowSender | null = null
  #mtu = Number.POSITIVE_INFINITY
  /** Nothing but a delay that is the same for all, if any. */
  #isEven = true
  #hasFcs = false
  #meter: WireMeter | null = null

  constructor(parts: DirectionParts) {
    this.#clock = parts.clock
    this.#header = parts.header
    this.#end = parts.end
    this.#parts = parts
    this.#wire = new Wire(parts, this)
  }

  dropped(drop: Drop, packet: Packet): void {
    this.#meter?.dropped(drop, this.#clock.now())
    this.#end.dropped(drop, packet)
  }

  /** @throws {RangeError} for an impairment out of range; then nothing is changed */
  change(to: Impairments): void {
    for (const name of ['mtu', 'rate'] as const) {
      const value = to[name] ?? 1
      if (typeof value === 'number' && !(value > 0)) throw new RangeError(`The ${name} ${value} has to be above 0.`)
    }
    if (typeof to.delay === 'number' && !(to.delay >= 0))
      throw new RangeError(`The delay ${to.delay} is out of range: 0 or more milliseconds.`)
    this.#wire.change(to)
    const { loss, corruption, duplication, reordering, delay, rate, mtu } = to
    const chance = isSet(loss) || isSet(corruption) || isSet(duplication) || isSet(reordering)
    this.#isEven = !chance && typeof (delay ?? 0) === 'number' && rate === undefined && mtu === undefined
    this.#mtu = to.mtu ?? Number.POSITIVE_INFINITY
    this.#hasFcs = to.fcs ?? false
    if (to.rate !== undefined || to.queue !== undefined) this.#sender ??= this.#newSender()
    this.#sender?.change(to.rate ?? Number.POSITIVE_INFINITY, to.queue, to.fcs)
  }

  #newSender(): SlowSender {
    const { clock, medium, mtu, header, observe } = this.#parts
    const sender = new SlowSender({
      clock,
      medium,
      longest: mtu + header,
      wire: (packet, time) => this.#wire.put(packet, time),
      batchEnd: () => this.#end.batchEnd(),
      dropped: (drop, packet) => this.dropped(drop, packet),
      observe,
    })
    sender.meter = this.#meter
    return sender
  }

  /** Who counts what passes from now on. */
  set meter(meter: WireMeter | null) {
    this.#meter = meter
    if (this.#sender !== null) this.#sender.meter = meter
  }

  /** Whether a merged packet may pass as one. What chooses packets needs each segment. */
  get passesMerged(): boolean {
    return this.#isEven && this.#sender?.isIdle !== false
  }

  input(packet: Packet): Drop {
    const meter = this.#meter
    meter?.offered(segmentsOf(packet), allWireLength(packet, this.#hasFcs), this.#clock.now())
    if (packet.length - this.#header > this.#mtu) {
      this.dropped(Drop.LinkMtuExceeded, packet)
      return Drop.None
    }
    const drop = this.#sender === null ? this.#leaves(packet) : this.#sender.input(packet)
    if (drop !== Drop.None) meter?.dropped(drop, this.#clock.now())
    return drop
  }

  /** Without a rate it has left as soon as it came. */
  #leaves(packet: Packet): Drop {
    const now = this.#clock.now()
    this.#meter?.sent(segmentsOf(packet), allWireLength(packet, this.#hasFcs), now)
    return this.#wire.put(packet, now)
  }

  clear(): void {
    this.#sender?.clear()
    this.#wire.clear()
  }
}

/** Whether a fault may hit some frame. */
function isSet(fault: Impairments['loss']): boolean {
  return fault !== undefined && fault !== 0
}
