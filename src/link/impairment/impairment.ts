/** A link around another one, whose wire has faults. */
import { type Clock, SystemClock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import { branch, type Random, SystemRandom } from '../../base/random.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from '../link.ts'
import { recycle } from '../memory/frame-copies.ts'
import { longestPart } from '../segmenter.ts'
import { Direction, type DirectionEnd } from './direction.ts'
import type { FlowOf } from './fault-stream.ts'
import type { Impairments, WireObserver } from './impairments.ts'
import type { WireMeter } from './wire-meter.ts'

export type { Impairments, WireObserver } from './impairments.ts'

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
  /**
   * The name of the flow of a frame, `''` for none. The faults of different flows are then drawn
   * apart, so that the frames of one change nothing for another; where a model keeps a state
   * (bursts of loss), the state is that of the wire all the same.
   */
  flowOf?: FlowOf
}

/**
 * A link around `link` that loses, delays and damages frames; everything it discards is reported as
 * dropped. A wire with faults cannot vouch for checksums, so they are complete; merged packets pass
 * while nothing is done to their segments one by one.
 * @throws {RangeError} for an impairment out of range
 */
export function impair(link: Link, options: ImpairmentOptions = {}): ImpairedLink {
  return new ImpairedLink(link, options)
}

const MERGED: Offload = { checksum: false, merged: true }

/** Made by {@link impair}. */
export class ImpairedLink implements Link {
  readonly #inner: Link
  /** Bytes of the longest frame. */
  #longest: number
  readonly #options: ImpairmentOptions
  /** Made with the first fault or meter of the direction: else frames pass as they are. */
  #send: Direction | null = null
  readonly #receiving: Receiving
  #closed = false

  constructor(inner: Link, options: ImpairmentOptions) {
    this.#inner = inner
    this.#options = options
    this.#longest = inner.mtu + headerOf(inner)
    this.#receiving = new Receiving(() => {
      this.#longest = inner.mtu + headerOf(inner)
    })
    this.impair('send', options.send ?? {})
    this.impair('receive', options.receive ?? {})
  }

  #direction(name: 'send' | 'receive'): Direction {
    const made = name === 'send' ? this.#send : this.#receiving.direction
    if (made !== null) return made
    const { clock = new SystemClock(), random = new SystemRandom(), observe, flowOf } = this.#options
    const inner = this.#inner
    const direction = new Direction({
      clock,
      random: branch(random, name),
      medium: inner.medium,
      mtu: inner.mtu,
      header: headerOf(inner),
      end: name === 'send' ? new Sending(inner, this.#receiving) : this.#receiving,
      observe,
      flowOf,
    })
    if (name === 'send') this.#send = direction
    else this.#receiving.direction = direction
    return direction
  }

  get offload(): Offload {
    return this.#inner.offload.merged === true && this.#send?.passesMerged !== false ? MERGED : NO_OFFLOAD
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
    const isNew = (direction === 'send' ? this.#send : this.#receiving.direction) === null
    if (isNew && Object.values(impairments).every((each) => each === undefined)) return
    this.#direction(direction).change(impairments)
  }

  /** @internal Lets `meter` count the frames of one direction from now on; `null` ends that. */
  meter(direction: 'send' | 'receive', meter: WireMeter | null): void {
    this.#direction(direction).meter = meter
  }

  attach(receiver: LinkReceiver): void {
    this.#inner.attach(this.#receiving)
    this.#receiving.receiver = receiver
  }

  send(packet: Packet): Drop {
    if (this.#closed) return Drop.LinkDown
    if (longestPart(packet) > this.#longest) return Drop.LinkMtuExceeded
    return this.#send === null ? this.#inner.send(packet) : this.#send.input(packet)
  }

  flush(): void {
    this.#inner.flush()
  }

  /** What is on its way is gone. */
  close(): void {
    this.#closed = true
    this.#send?.clear()
    this.#receiving.close()
    this.#inner.close()
  }

  ref(): void {
    this.#inner.ref()
  }

  unref(): void {
    this.#inner.unref()
  }
}

/** The end of the way out: the link within. */
class Sending implements DirectionEnd {
  readonly #inner: Link
  readonly #receiving: Receiving

  constructor(inner: Link, receiving: Receiving) {
    this.#inner = inner
    this.#receiving = receiving
  }

  deliver(packet: Packet): Drop {
    return this.#inner.send(packet)
  }

  handOver(packet: Packet): Drop {
    const inner = this.#inner
    if (inner.handOver !== undefined) return inner.handOver(packet)
    const drop = inner.send(packet)
    if (drop === Drop.None) recycle(packet)
    return drop
  }

  batchEnd(): void {
    this.#inner.flush()
  }

  dropped(drop: Drop, packet: Packet): void {
    this.#receiving.dropped(drop, packet)
  }
}

/** What the link within hands its frames to, and the end of the way in. */
class Receiving implements LinkReceiver, DirectionEnd {
  receiver: LinkReceiver | null = null
  direction: Direction | null = null
  readonly #mtuChanged: () => void
  #closed = false

  constructor(mtuChanged: () => void) {
    this.#mtuChanged = mtuChanged
  }

  close(): void {
    this.#closed = true
    this.direction?.clear()
  }

  input(packet: Packet): void {
    if (this.direction === null) this.deliver(packet)
    else this.direction.input(packet)
  }

  takesMerged(packet: Packet): boolean {
    return this.direction?.passesMerged !== false && this.receiver?.takesMerged?.(packet) === true
  }

  hears(packet: Packet): boolean {
    return this.receiver?.hears?.(packet) !== false
  }

  idle(): void {
    this.receiver?.idle()
  }

  failed(error: Error, fatal: boolean): void {
    this.receiver?.failed(error, fatal)
  }

  changed(): void {
    this.#mtuChanged()
    this.receiver?.changed?.()
  }

  deliver(packet: Packet): Drop {
    if (!this.#closed) this.receiver?.input(packet)
    return Drop.None
  }

  handOver(packet: Packet): Drop {
    this.deliver(packet)
    recycle(packet)
    return Drop.None
  }

  batchEnd(): void {
    this.receiver?.idle()
  }

  dropped(drop: Drop, packet: Packet): void {
    this.receiver?.dropped(drop, packet)
  }
}

/** Bytes of the link header. */
function headerOf({ medium }: Link): number {
  return medium === 'ethernet' ? 14 : 0
}
