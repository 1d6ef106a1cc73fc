import { type Clock, SystemClock } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import { Cast, MAX_PACKET, type Packet } from '../base/packet.ts'
import { type Random, SystemRandom } from '../base/random.ts'
import * as ethernet from '../wire/ethernet.ts'
import {
  addressHigh,
  addressKey,
  addressLow,
  formatKey,
  isStation,
  randomHardwareAddress,
} from '../wire/hardware-address.ts'
import { KeepAlive } from './keep-alive.ts'
import type { Link, LinkReceiver, Medium, Offload } from './link.ts'
import { recycle } from './memory/frame-copies.ts'
import { DEFAULT_QUEUE_BYTES, Inbox } from './memory/inbox.ts'
import { longestPart } from './segmenter.ts'

export interface SegmentOptions {
  /** Default: the machine's own time. */
  clock?: Clock
  /** Draws the hardware addresses that are not given. Default: the platform's generator. */
  random?: Random
  /** Default `'ip'`. */
  medium?: Medium
  /** The links' MTU in bytes of IP packet, 68 (RFC 791) to 65575. Default 1500. */
  mtu?: number
  /** Links are named after it: `wire` has `wire0`, `wire1`, … Default `wire`. */
  name?: string
  /** Bytes that may wait for one link, 12 a frame added. Default 4 MiB. */
  queueBytes?: number
  /**
   * Declares a perfect wire ({@link Offload.checksum}): a frame keeps its `checksumState`, so that
   * one sent as `Partial` arrives so, without the checksum ever being computed, and is valid.
   * Captures then show incomplete checksums, as on Linux's veth. Default false.
   */
  checksumOffload?: boolean
}

export interface SegmentLinkOptions {
  /** Default: the segment's name and a number. */
  name?: string
  /** Default: the segment's. */
  mtu?: number
  /** Ethernet only: six bytes. Default: a random, locally administered one. */
  hardwareAddress?: Uint8Array
  /** What a random hardware address is drawn from. Default: the segment's. */
  random?: Random
  /**
   * Ethernet only: also receives unicast frames for others, as `Cast.OtherHost`; a switch's port
   * does. Default false.
   */
  promiscuous?: boolean
}

/**
 * An in-memory wire with any number of links. Frames are copied when sent and arrive in order in a
 * later turn of the clock.
 *
 * - Medium `'ip'`: every packet reaches all other links; there is nothing to address a link by.
 *   More than two hosts want Ethernet.
 * - Medium `'ethernet'`: a unicast frame reaches the link with its destination address, broadcast
 *   and multicast reach all others; among more than two links, multicast those that hear the group
 *   ({@link LinkReceiver.hears}).
 *
 * A unicast frame for a full queue is refused with `Drop.LinkQueueFull`; of a frame for several
 * links, each full one reports the drop itself. A frame that reaches nobody is reported to its
 * sender as `Drop.WireNoReceiver`.
 */
export class Segment {
  readonly name: string
  readonly medium: Medium
  readonly mtu: number
  readonly #clock: Clock
  readonly #random: Random
  readonly #queueBytes: number
  readonly #offload: Offload
  #links: SegmentLink[] = []
  #promiscuous: SegmentLink[] = []
  readonly #byAddress = new Map<number, SegmentLink>()
  #named = 0

  /** @throws {RangeError} when the MTU is out of range */
  constructor(options: SegmentOptions = {}) {
    this.name = options.name ?? 'wire'
    this.medium = options.medium ?? 'ip'
    this.mtu = checkMtu(options.mtu ?? 1500)
    this.#clock = options.clock ?? new SystemClock()
    this.#random = options.random ?? new SystemRandom()
    this.#queueBytes = options.queueBytes ?? DEFAULT_QUEUE_BYTES
    this.#offload = { checksum: options.checksumOffload ?? false, merged: this.medium === 'ip' }
  }

  /** The open links, in the order in which they were made. */
  get links(): readonly Link[] {
    return this.#links
  }

  /**
   * Plugs a new link in.
   * @throws {RangeError} for an MTU out of range, or a hardware address that is not six bytes of a
   *   unicast address
   * @throws {Error} for a hardware address that the segment has already
   */
  link(options: SegmentLinkOptions = {}): Link {
    const name = options.name ?? `${this.name}${this.#named++}`
    const mtu = checkMtu(options.mtu ?? this.mtu)
    const address =
      this.medium === 'ip' ? null : this.#address(options.hardwareAddress, name, options.random ?? this.#random)
    const inbox = new Inbox(this.#clock, this.#queueBytes, this.#offload.checksum)
    const link = new SegmentLink(this, name, mtu, this.#offload, address, options.promiscuous ?? false, inbox)
    // A new array each time: a link may come or go while a frame is being spread.
    this.#links = [...this.#links, link]
    this.#promiscuous = this.#links.filter((each) => each.promiscuous)
    if (address !== null) this.#byAddress.set(link.address, link)
    return link
  }

  /** @internal */
  transmit(from: SegmentLink, packet: Packet, isOwned: boolean): Drop {
    if (this.medium === 'ip') return this.#spread(from, packet, Cast.Unicast, isOwned)
    const { view, start } = packet
    const high = ethernet.destinationHigh(view, start)
    const low = ethernet.destinationLow(view, start)
    const cast = ethernet.castOf(high, low)
    return cast === Cast.Unicast
      ? this.#unicast(from, packet, addressKey(high, low), isOwned)
      : this.#spread(from, packet, cast, isOwned)
  }

  /** @internal */
  remove(link: SegmentLink): void {
    this.#links = this.#links.filter((other) => other !== link)
    this.#promiscuous = this.#links.filter((each) => each.promiscuous)
    this.#byAddress.delete(link.address)
    for (const other of this.#links) if (other.lastOwner === link) other.lastOwner = undefined
  }

  #unicast(from: SegmentLink, packet: Packet, destination: number, isOwned: boolean): Drop {
    // Nearly all frames go where the one before went; the table costs 35 ns (Node 20).
    let owner = from.lastOwner
    if (owner === undefined || owner.address !== destination) owner = from.lastOwner = this.#byAddress.get(destination)
    packet.cast = Cast.Unicast
    if (isOwned && this.#promiscuous.length === 0 && owner !== undefined && owner !== from) {
      const drop = owner.inbox.keep(packet)
      if (drop !== Drop.WireNoReceiver) return drop
    }
    const drop = owner === undefined || owner === from ? Drop.WireNoReceiver : owner.inbox.put(packet)
    let heard = drop === Drop.None
    for (const link of this.#promiscuous) {
      if (link === from || link === owner) continue
      packet.cast = Cast.OtherHost
      if (this.#put(link, packet)) heard = true
    }
    if (drop === Drop.LinkQueueFull) return drop
    if (!heard) from.inbox.receiver?.dropped(Drop.WireNoReceiver, packet)
    if (isOwned) recycle(packet)
    return Drop.None
  }

  #spread(from: SegmentLink, packet: Packet, cast: Cast, isOwned: boolean): Drop {
    packet.cast = cast
    const links = this.#links
    if (links.length === 2) {
      const { inbox } = (links[0] === from ? links[1] : links[0]) as SegmentLink
      const drop = isOwned ? inbox.keep(packet) : inbox.put(packet)
      if (drop !== Drop.WireNoReceiver) return drop
      from.inbox.receiver?.dropped(drop, packet)
      if (isOwned) recycle(packet)
      return Drop.None
    }
    let heard = false
    for (const link of links) {
      if (link === from) continue
      const isDeaf = cast === Cast.Multicast && link.inbox.receiver?.hears?.(packet) === false
      if (isDeaf || this.#put(link, packet)) heard = true
    }
    if (!heard) from.inbox.receiver?.dropped(Drop.WireNoReceiver, packet)
    if (isOwned) recycle(packet)
    return Drop.None
  }

  /** Whether there was a receiver, even one whose queue is full. */
  #put(link: SegmentLink, packet: Packet): boolean {
    const drop = link.inbox.put(packet)
    if (drop === Drop.LinkQueueFull) link.inbox.receiver?.dropped(drop, packet)
    return drop !== Drop.WireNoReceiver
  }

  #address(given: Uint8Array | undefined, name: string, random: Random): Uint8Array {
    if (given === undefined) {
      let address: Uint8Array
      do address = randomHardwareAddress(random)
      while (this.#byAddress.has(keyOf(address)))
      return address
    }
    if (!isStation(given))
      throw new RangeError(
        `Link ${name}: [${given}] is no hardware address: six bytes, the lowest bit of the first one 0, ` +
          'and not all zero.',
      )
    const key = keyOf(given)
    if (this.#byAddress.has(key))
      throw new Error(`Link ${name}: another link of ${this.name} has the hardware address ${formatKey(key)}.`)
    return given.slice()
  }
}

class SegmentLink implements Link {
  readonly name: string
  readonly medium: Medium
  readonly mtu: number
  readonly offload: Offload
  readonly hardwareAddress: Uint8Array | null
  /** The hardware address as a number; -1 without one. */
  readonly address: number
  /** Who had the destination address of the last unicast frame. */
  lastOwner: SegmentLink | undefined
  readonly loopback = false
  readonly promiscuous: boolean
  readonly inbox: Inbox
  readonly #segment: Segment
  readonly #headerLength: number
  readonly #keepAlive = new KeepAlive()
  #closed = false

  constructor(
    segment: Segment,
    name: string,
    mtu: number,
    offload: Offload,
    hardwareAddress: Uint8Array | null,
    promiscuous: boolean,
    inbox: Inbox,
  ) {
    this.name = name
    this.medium = segment.medium
    this.mtu = mtu
    this.offload = offload
    this.hardwareAddress = hardwareAddress
    this.address = hardwareAddress === null ? -1 : keyOf(hardwareAddress)
    this.lastOwner = undefined
    this.promiscuous = promiscuous
    this.inbox = inbox
    this.#segment = segment
    this.#headerLength = segment.medium === 'ethernet' ? ethernet.HEADER : 0
  }

  attach(receiver: LinkReceiver): void {
    this.inbox.attach(receiver, this.name)
  }

  send(packet: Packet): Drop {
    return this.#transmit(packet, false)
  }

  handOver(packet: Packet): Drop {
    return this.#transmit(packet, true)
  }

  #transmit(packet: Packet, isOwned: boolean): Drop {
    if (this.#closed) return Drop.LinkDown
    const length = longestPart(packet) - this.#headerLength
    if (length <= 0) return Drop.FrameTooShort
    if (length > this.mtu) return Drop.LinkMtuExceeded
    return this.#segment.transmit(this, packet, isOwned)
  }

  flush(): void {}

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.inbox.close()
    this.#segment.remove(this)
    this.#keepAlive.off()
  }

  ref(): void {
    if (!this.#closed) this.#keepAlive.on()
  }

  unref(): void {
    this.#keepAlive.off()
  }
}

function keyOf(address: Uint8Array): number {
  return addressKey(addressHigh(address), addressLow(address))
}

function checkMtu(mtu: number): number {
  if (Number.isInteger(mtu) && mtu >= 68 && mtu <= MAX_PACKET) return mtu
  throw new RangeError(`An MTU of ${mtu} is out of range: 68 to ${MAX_PACKET} bytes.`)
}
