import { type Clock, SystemClock, type Timer } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { ChecksumState, HEADROOM, Packet } from '../../base/packet.ts'
import { type Random, SystemRandom } from '../../base/random.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD } from '../link.ts'
import { DelayLine } from '../memory/delay-line.ts'
import { bernoulli, type Chooser, type Delay, type Rate } from './impairment-models.ts'
import { type Queue, type QueueDiscipline, tailDrop } from './queue-discipline.ts'

/**
 * What a wire does to the frames of one direction, in this order: the MTU, the queue before the
 * slow sender, then loss, corruption and duplication on the wire, and the time it takes. Where a
 * {@link Chooser} is asked for, a number is the probability with which each frame is hit.
 */
export interface Impairments {
  /**
   * Longer IP packets vanish (`Drop.LinkMtuExceeded`), though the link announces its own MTU: a
   * black hole.
   */
  mtu?: number
  /**
   * Bits per second at which frames leave, link headers included, or a model of when they do.
   * Default: at once.
   */
  rate?: number | Rate
  /**
   * What waits while the rate does not allow more; refused frames are `Drop.WireQueueFull`. Default
   * `tailDrop()`: 1000 frames.
   */
  queue?: Queue
  /** Frames that are lost: `Drop.WireLoss`. */
  loss?: number | Chooser
  /** Frames in which one bit is flipped, anywhere. */
  corruption?: number | Chooser
  /** Frames that arrive twice. */
  duplication?: number | Chooser
  /** Milliseconds that each frame takes, or a model that draws them. Default 0. */
  delay?: number | Delay
  /**
   * Whether a frame that drew a short delay waits for those before it. Default true: jitter alone
   * does not reorder.
   */
  keepOrder?: boolean
  /**
   * Frames that take no delay at all, so that they overtake those which do; also with `keepOrder`.
   */
  reordering?: number | Chooser
}

/**
 * What befell a frame that was not discarded: it waits behind others, it will arrive in so many
 * milliseconds, it was doubled or damaged, or it goes past others. The packet is lent.
 */
export type WireObserver = (
  what: 'queued' | 'delayed' | 'duplicated' | 'corrupted' | 'overtaking',
  packet: Packet,
  milliseconds: number,
) => void

export interface ImpairmentOptions {
  /** Default: the machine's own time. */
  clock?: Clock
  /**
   * All chance comes from it: the same seed, the same faults. Default: the platform's generator.
   */
  random?: Random
  /** What happens to frames that are sent. */
  send?: Impairments
  /** What happens to frames that come in. */
  receive?: Impairments
  /** Told of the fate of every frame, in both directions. */
  observe?: WireObserver
}

/**
 * A link around `link` that loses, delays and damages frames; everything it discards is reported as
 * dropped. It declares no offload, as a wire with faults cannot vouch for checksums.
 * @throws {RangeError} for an impairment out of range
 */
export function impair(link: Link, options: ImpairmentOptions = {}): ImpairedLink {
  return new ImpairedLink(link, options)
}

/** Made by {@link impair}. */
export class ImpairedLink implements Link {
  readonly offload = NO_OFFLOAD
  readonly #inner: Link
  /** Bytes of the longest frame. */
  #longest: number
  readonly #send: Direction
  readonly #receive: Direction
  #receiver: LinkReceiver | null = null
  #closed = false

  constructor(inner: Link, options: ImpairmentOptions) {
    const clock = options.clock ?? new SystemClock()
    const random = options.random ?? new SystemRandom()
    this.#inner = inner
    const header = inner.medium === 'ethernet' ? 14 : 0
    this.#longest = inner.mtu + header
    const dropped = (drop: Drop, packet: Packet) => this.#receiver?.dropped(drop, packet)
    const common = { clock, random, medium: inner.medium, mtu: inner.mtu, header, dropped, observe: options.observe }
    this.#send = new Direction({ ...common, output: (packet) => inner.send(packet), batchEnd: () => inner.flush() })
    this.#receive = new Direction({
      ...common,
      output: (packet) => this.#deliver(packet),
      batchEnd: () => this.#receiver?.idle(),
    })
    this.impair('send', options.send ?? {})
    this.impair('receive', options.receive ?? {})
  }

  get name(): string {
    return this.#inner.name
  }

  get medium(): Medium {
    return this.#inner.medium
  }

  get mtu(): number {
    return this.#inner.mtu
  }

  get hardwareAddress(): Uint8Array | null {
    return this.#inner.hardwareAddress
  }

  get loopback(): boolean {
    return this.#inner.loopback
  }

  get isUp(): boolean {
    return this.#inner.isUp !== false
  }

  get numbered(): boolean {
    return this.#inner.numbered === true
  }

  /**
   * Replaces the impairments of one direction from now on; frames on their way keep what they drew,
   * and those that wait for the sender go first.
   * @throws {RangeError} for an impairment out of range
   */
  impair(direction: 'send' | 'receive', impairments: Impairments): void {
    if (direction === 'send') this.#send.change(impairments)
    else this.#receive.change(impairments)
  }

  attach(receiver: LinkReceiver): void {
    this.#inner.attach({
      input: (packet) => {
        this.#receive.input(packet)
      },
      idle: () => receiver.idle(),
      dropped: (drop, packet) => receiver.dropped(drop, packet),
      failed: (error, fatal) => receiver.failed(error, fatal),
      changed: () => {
        this.#longest = this.#inner.mtu + (this.medium === 'ethernet' ? 14 : 0)
        receiver.changed?.()
      },
    })
    this.#receiver = receiver
  }

  send(packet: Packet): Drop {
    if (this.#closed) return Drop.LinkDown
    if (packet.length > this.#longest) return Drop.LinkMtuExceeded
    return this.#send.input(packet)
  }

  flush(): void {
    this.#inner.flush()
  }

  /** What is on its way is gone. */
  close(): void {
    this.#closed = true
    this.#send.clear()
    this.#receive.clear()
    this.#inner.close()
  }

  ref(): void {
    this.#inner.ref()
  }

  unref(): void {
    this.#inner.unref()
  }

  #deliver(packet: Packet): Drop {
    if (!this.#closed) this.#receiver?.input(packet)
    return Drop.None
  }
}

interface DirectionParts {
  clock: Clock
  random: Random
  medium: Medium
  /** Bytes of the link header. */
  header: number
  /** The link's MTU. */
  mtu: number
  output: (packet: Packet) => Drop
  /** After the last output of a run that no input caused. */
  batchEnd: () => void
  dropped: (drop: Drop, packet: Packet) => void
  observe: WireObserver | undefined
}

const NEVER: Chooser = () => false

/**
 * Packets for the next frames that are delayed, of a size that holds a frame of the usual MTU:
 * making one costs more than 1 µs (Node 20). One stock for all wires, so that what was used last,
 * and is in the processor's cache, is used next.
 */
const spare: Packet[] = []
const MAX_SPARE = 1024
const SPARE_CAPACITY = HEADROOM + 1792

/** The way of frames in one direction. */
class Direction {
  // A field each: an object of functions costs a lookup by name with every frame.
  readonly #clock: Clock
  readonly #random: Random
  readonly #medium: Medium
  readonly #header: number
  readonly #linkMtu: number
  readonly #deliver: (packet: Packet) => Drop
  readonly #batchEnd: () => void
  readonly #dropped: (drop: Drop, packet: Packet) => void
  readonly #observe: WireObserver | undefined
  #mtu = Number.POSITIVE_INFINITY
  /** `null`: at once. */
  #rate: Rate | null = null
  #loss = NEVER
  #corruption = NEVER
  #duplication = NEVER
  #reordering = NEVER
  #delay: Delay = () => 0
  #keepOrder = true

  #queueOf: Queue | undefined
  #queue: QueueDiscipline
  /** The frame that is being sent, until its last bit has left. */
  #sending: Packet | null = null
  /** When that is, counted by the rate and not by the timer's precision. */
  #sentAt = 0
  #timer: Timer | null = null

  readonly #onTheWay: DelayLine
  /** When the last of the frames that keep their order arrives. */
  #lastArrival = 0

  constructor(parts: DirectionParts) {
    this.#clock = parts.clock
    this.#random = parts.random
    this.#medium = parts.medium
    this.#header = parts.header
    this.#linkMtu = parts.mtu
    this.#deliver = parts.output
    this.#batchEnd = parts.batchEnd
    this.#dropped = parts.dropped
    this.#observe = parts.observe
    this.#queue = this.#newQueue()
    const release = (packet: Packet) => {
      this.#output(packet)
      if (spare.length < MAX_SPARE && packet.capacity === SPARE_CAPACITY) spare.push(packet)
    }
    this.#onTheWay = new DelayLine(parts.clock, release, parts.batchEnd)
  }

  change(to: Impairments): void {
    for (const [name, value] of Object.entries({ mtu: to.mtu ?? 1, rate: to.rate ?? 1 }))
      if (typeof value === 'number' && !(value > 0)) throw new RangeError(`The ${name} ${value} has to be above 0.`)
    if (typeof to.delay === 'number' && !(to.delay >= 0))
      throw new RangeError(`The delay ${to.delay} is out of range: 0 or more milliseconds.`)
    const [loss, corruption, duplication, reordering] = [to.loss, to.corruption, to.duplication, to.reordering].map(
      chooser,
    )
    this.#mtu = to.mtu ?? Number.POSITIVE_INFINITY
    const { rate = Number.POSITIVE_INFINITY } = to
    this.#rate =
      rate === Number.POSITIVE_INFINITY
        ? null
        : typeof rate === 'number'
          ? (length, start) => start + (length * 8000) / rate
          : rate
    this.#loss = loss as Chooser
    this.#corruption = corruption as Chooser
    this.#duplication = duplication as Chooser
    this.#reordering = reordering as Chooser
    const { delay = 0 } = to
    this.#delay = typeof delay === 'number' ? () => delay : delay
    this.#keepOrder = to.keepOrder ?? true
    if (to.queue !== this.#queueOf) this.#changeQueue(to.queue)
  }

  input(packet: Packet): Drop {
    if (packet.length - this.#header > this.#mtu) {
      this.#dropped(Drop.LinkMtuExceeded, packet)
      return Drop.None
    }
    const now = this.#clock.now()
    this.#catchUp(now)
    if (this.#sending === null && this.#rate === null) return this.#wire(packet, now)
    if (!this.#queue.enqueue(copyOf(packet), now)) this.#dropped(Drop.WireQueueFull, packet)
    else if (this.#sending === null) {
      this.#sendNext(now)
      this.#arm(now)
    } else this.#observe?.('queued', packet, 0)
    return Drop.None
  }

  clear(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#sending = null
    this.#queue = this.#newQueue()
    this.#onTheWay.clear()
  }

  // ── the sender ──

  /** Takes the next frame from the queue at `start`, when the one before has left. */
  #sendNext(start: number): void {
    const givenUp: Packet[] = []
    const packet = this.#queue.dequeue(start, (given) => givenUp.push(given))
    this.#sending = packet
    if (packet !== null) this.#sentAt = this.#rate === null ? start : this.#rate(packet.length, start)
    // Told when the state is whole again: who hears it may send.
    for (const given of givenUp) this.#dropped(Drop.WireQueueFull, given)
  }

  /** Puts the frames on the wire whose last bit has left by `now`. */
  #catchUp(now: number): void {
    while (this.#sending !== null && this.#sentAt <= now) {
      const packet = this.#sending
      const at = this.#sentAt
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

  /** Frames that wait move over, in the order in which the old queue would have sent them. */
  #changeQueue(to: Queue | undefined): void {
    const now = this.#clock.now()
    const old = this.#queue
    this.#queueOf = to
    this.#queue = this.#newQueue()
    const lost: Packet[] = []
    for (
      let packet = old.dequeue(now, (given) => lost.push(given));
      packet !== null;
      packet = old.dequeue(now, (given) => lost.push(given))
    )
      if (!this.#queue.enqueue(packet, now)) lost.push(packet)
    for (const packet of lost) this.#dropped(Drop.WireQueueFull, packet)
  }

  #newQueue(): QueueDiscipline {
    return (this.#queueOf ?? tailDrop())(this.#medium, this.#linkMtu + this.#header)
  }

  // ── the wire ──

  /** The last bit of the frame left at `time`. */
  #wire(packet: Packet, time: number): Drop {
    const random = this.#random
    if (this.#loss(packet, random)) {
      this.#dropped(Drop.WireLoss, packet)
      return Drop.None
    }
    if (!this.#corruption(packet, random)) return this.#copies(packet, time)
    // The packet is lent: it gets its bit back.
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
    const fits = HEADROOM + packet.length <= SPARE_CAPACITY
    this.#onTheWay.add(fits ? copyInto(spare.pop() ?? new Packet(SPARE_CAPACITY), packet) : copyOf(packet), arrival)
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

/** A packet of its own with the same frame and the facts that links carry. */
function copyOf(packet: Packet): Packet {
  return copyInto(new Packet(HEADROOM + packet.length), packet)
}

function copyInto(copy: Packet, packet: Packet): Packet {
  copy.load(packet.bytes.subarray(packet.start, packet.end))
  copy.cast = packet.cast
  copy.checksumState = packet.checksumState
  copy.nic = packet.nic
  copy.trace = packet.trace
  return copy
}
