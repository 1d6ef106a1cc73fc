/** A link around another one, whose wire has faults. */
import { type Clock, SystemClock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import { branch, type Random, SystemRandom } from '../../base/random.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from '../link.ts'
import { longestPart } from '../segmenter.ts'
import { Direction } from './direction.ts'
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
  readonly #directions: { send: Direction | null; receive: Direction | null } = { send: null, receive: null }
  #receiver: LinkReceiver | null = null
  #closed = false

  constructor(inner: Link, options: ImpairmentOptions) {
    this.#inner = inner
    this.#options = options
    this.#longest = inner.mtu + headerOf(inner)
    this.impair('send', options.send ?? {})
    this.impair('receive', options.receive ?? {})
  }

  #direction(name: 'send' | 'receive'): Direction {
    const made = this.#directions[name]
    if (made !== null) return made
    const { clock = new SystemClock(), random = new SystemRandom(), observe, flowOf } = this.#options
    const inner = this.#inner
    const isOut = name === 'send'
    const direction = new Direction({
      clock,
      random: branch(random, name),
      medium: inner.medium,
      mtu: inner.mtu,
      header: headerOf(inner),
      output: isOut ? (packet) => inner.send(packet) : (packet) => this.#deliver(packet),
      handOver: isOut ? inner.handOver?.bind(inner) : undefined,
      batchEnd: isOut ? () => inner.flush() : () => this.#receiver?.idle(),
      dropped: (drop, packet) => this.#receiver?.dropped(drop, packet),
      observe,
      flowOf,
    })
    this.#directions[name] = direction
    return direction
  }

  get offload(): Offload {
    return this.#inner.offload.merged === true && this.#directions.send?.passesMerged !== false ? MERGED : NO_OFFLOAD
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
    const isNew = this.#directions[direction] === null
    if (isNew && Object.values(impairments).every((each) => each === undefined)) return
    this.#direction(direction).change(impairments)
  }

  /** @internal Lets `meter` count the frames of one direction from now on; `null` ends that. */
  meter(direction: 'send' | 'receive', meter: WireMeter | null): void {
    this.#direction(direction).meter = meter
  }

  attach(receiver: LinkReceiver): void {
    this.#inner.attach({
      input: (packet) => {
        const { receive } = this.#directions
        if (receive === null) this.#deliver(packet)
        else receive.input(packet)
      },
      takesMerged: (packet) =>
        this.#directions.receive?.passesMerged !== false && receiver.takesMerged?.(packet) === true,
      hears: (packet) => receiver.hears?.(packet) !== false,
      idle: () => receiver.idle(),
      dropped: (drop, packet) => receiver.dropped(drop, packet),
      failed: (error, fatal) => receiver.failed(error, fatal),
      changed: () => {
        this.#longest = this.#inner.mtu + headerOf(this.#inner)
        receiver.changed?.()
      },
    })
    this.#receiver = receiver
  }

  send(packet: Packet): Drop {
    if (this.#closed) return Drop.LinkDown
    if (longestPart(packet) > this.#longest) return Drop.LinkMtuExceeded
    const { send } = this.#directions
    return send === null ? this.#inner.send(packet) : send.input(packet)
  }

  flush(): void {
    this.#inner.flush()
  }

  /** What is on its way is gone. */
  close(): void {
    this.#closed = true
    this.#directions.send?.clear()
    this.#directions.receive?.clear()
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

/** Bytes of the link header. */
function headerOf({ medium }: Link): number {
  return medium === 'ethernet' ? 14 : 0
}
