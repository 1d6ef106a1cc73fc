/**
 * Frames from a packet socket's ring: many per wake-up, copied into one buffer that is lent
 * upwards, without a system call each.
 *
 * The kernel's offloads are undone on the way: VLAN tags that it took off are put back, checksums
 * that it left to a device are `Partial`, and what it merged is taken apart.
 */
import { Drop } from '../../base/drop.ts'
import { ChecksumState, copyBytes, HEADROOM, Packet } from '../../base/packet.ts'
import { HEADER as ETHERNET_HEADER } from '../../wire/ethernet.ts'
import { TCP, UDP } from '../../wire/protocol.ts'
import { completeChecksumAt, isOwnChecksum } from '../checksum-offload.ts'
import { checksumAtOf } from '../segmenter.ts'
import { findUpper } from '../upper-header.ts'
import { BusyPoll } from './busy-poll.ts'
import { FrameSplitter } from './frame-splitter.ts'
import { Gathering } from './gathering.ts'
import type { PacketCounters } from './packet-counters.ts'
import { type PacketRing, Status } from './packet-ring.ts'
import { handUp, tellDropped, tellIdle } from './surface.ts'
import type { Answers, ReaderHost } from './tun-reader.ts'
import * as vnet from './vnet-header.ts'

/** The socket behind the ring. */
export interface PacketSource {
  /** 10 with offloads, else 0. */
  readonly vnetHeader: number
  /**
   * Reads a frame that the ring's slot was too short for to `at`, its vnet header in front of that;
   * returns its length, below 0 where none waits.
   */
  receive(packet: Packet, at: number): number
  /** Frames lost since the last call. */
  takeLost(): number
  /** The socket reports an error. */
  broken(): void
  /** Nothing is to be reported for so many milliseconds; then `readable` is called. */
  rest(milliseconds: number): void
}

/**
 * As for a TUN device: timers and other descriptors have their turn, and no receive buffer
 * overflows unseen.
 */
const BUDGET = 32
/** Of IEEE 802.1Q: EtherType, and bytes of a tag. */
const VLAN = 0x8100
const TAG = 4

export class PacketReader {
  readonly #host: ReaderHost
  readonly #answers: Answers
  readonly #ring: PacketRing
  readonly #source: PacketSource
  readonly #counters: PacketCounters
  readonly #packet = new Packet()
  readonly #splitter = new FrameSplitter()
  readonly #busyPoll: BusyPoll | null
  readonly #gathering = new Gathering()
  #draining = false

  constructor(
    host: ReaderHost,
    answers: Answers,
    ring: PacketRing,
    source: PacketSource,
    counters: PacketCounters,
    busyPoll: number | 'auto',
  ) {
    this.#host = host
    this.#answers = answers
    this.#ring = ring
    this.#source = source
    this.#counters = counters
    this.#busyPoll = busyPoll === 0 ? null : new BusyPoll(busyPoll, () => (host.isOpen ? this.#drain() : -1))
  }

  /** Whether a frame is being handed up: the ring's memory has to stay. */
  get isDraining(): boolean {
    return this.#draining
  }

  /** Discards what waits in the ring already. */
  skipEarly(): void {
    for (let status = this.#ring.status(); (status & Status.User) !== 0; status = this.#ring.status()) {
      if ((status & Status.Copy) !== 0) this.#source.receive(this.#packet, HEADROOM)
      this.#counters.earlyPackets++
      this.#ring.release()
    }
  }

  /** As {@link TunReader.readable}. */
  readable(broken: boolean): number {
    this.#counters.wakeups++
    const count = this.#drain()
    if (broken) this.#source.broken()
    else if (this.#host.isOpen && !this.#busyPoll?.isOn) this.#gather(count)
    return this.#busyPoll?.isOn ? 0 : count
  }

  /** Lets more frames come before the next wake-up, where nobody waits. */
  #gather(count: number): void {
    const time = this.#gathering.rest(count, count < BUDGET, this.#counters.sentPackets, performance.now())
    if (time > 0) this.#source.rest(time)
  }

  #drain(): number {
    const host = this.#host
    let count = 0
    this.#draining = true
    this.#answers.hold()
    while (count < BUDGET && host.isOpen) {
      const status = this.#ring.status()
      if ((status & Status.User) === 0) break
      count += this.#deliver(status)
    }
    if (count > 0) tellIdle(host.receiver)
    this.#answers.release()
    this.#draining = false
    if (!host.isOpen) this.#ring.close()
    if (count > 0) this.#busyPoll?.again()
    return count
  }

  /** Takes the frame of the next slot; returns how many packets it had. */
  #deliver(status: number): number {
    const ring = this.#ring
    const packet = this.#packet
    const { length, kept } = ring
    const tag = tagOf(ring, status)
    let end = HEADROOM + kept
    if (length > kept && (status & Status.Copy) !== 0) end = HEADROOM + this.#source.receive(packet, HEADROOM)
    else ring.copy(packet, HEADROOM)
    ring.release()
    if ((status & Status.Losing) !== 0) this.#counters.lostPackets += this.#source.takeLost()
    packet.reset(HEADROOM, Math.max(HEADROOM, end))
    const counters = this.#counters
    counters.receivedBytes += packet.end - HEADROOM
    // Too long for the slot, and no room for it in the socket.
    const isCut = packet.end < HEADROOM + length
    const count = (isCut ? 0 : this.#offloads(packet, status, tag)) || this.#refuse(packet)
    counters.receivedPackets += count
    return count
  }

  /**
   * Hands the frame up as its sender meant it; returns how many packets that were, 0 for an unsound
   * one.
   */
  #offloads(packet: Packet, status: number, tag: number): number {
    const { view, start, end } = packet
    if (this.#source.vnetHeader === 0) {
      if ((status & Status.ChecksumNotReady) !== 0) leaveChecksum(packet)
      else if ((status & Status.ChecksumValid) !== 0) packet.checksumState = ChecksumState.Verified
    } else {
      const at = start - vnet.VNET_HEADER
      if (vnet.gsoType(view, at) !== vnet.GSO_NONE)
        return this.#splitter.split(packet, (part) => this.#input(part, tag))
      if (vnet.needsChecksum(view, at)) {
        const from = start + vnet.checksumStart(view, at)
        const field = from + vnet.checksumOffset(view, at)
        if (field + 2 > end) return 0
        takeChecksum(packet, from, field)
      } else if (vnet.isVerified(view, at)) packet.checksumState = ChecksumState.Verified
    }
    this.#input(packet, tag)
    return 1
  }

  #input(packet: Packet, tag: number): void {
    if (tag !== 0) putTagBack(packet, tag)
    handUp(this.#host.receiver, packet)
  }

  /** A frame that is cut off, or whose offload header makes no sense. */
  #refuse(packet: Packet): number {
    tellDropped(this.#host.receiver, Drop.FrameOffload, packet)
    return 1
  }
}

/** Type and tag that the kernel took off the frame, as they stood in it; 0 for none. */
function tagOf(ring: PacketRing, status: number): number {
  if ((status & Status.VlanValid) === 0) return 0
  // Before Linux 3.14 the type was not told: it was that of 802.1Q.
  const type = (status & Status.VlanTypeValid) === 0 ? VLAN : ring.vlanType
  return (type << 16) | ring.vlanTag
}

/** IEEE 802.1Q: the tag stands behind the two addresses. */
function putTagBack(packet: Packet, tag: number): void {
  const at = packet.start - TAG
  copyBytes(packet, packet.start, packet, at, 12)
  packet.view.setUint32(at + 12, tag)
  packet.start = at
}

/** The checksum at `field` over all from `from` on was left to a device. */
function takeChecksum(packet: Packet, from: number, field: number): void {
  packet.start += ETHERNET_HEADER
  const isOwn = isOwnChecksum(packet, from, field)
  packet.start -= ETHERNET_HEADER
  if (isOwn) packet.checksumState = ChecksumState.Partial
  else completeChecksumAt(packet, from, field)
}

/** The same where only the frame itself says whose checksum that is: of its UDP or TCP header. */
function leaveChecksum(packet: Packet): void {
  const { view, start, end } = packet
  for (const protocol of [UDP, TCP]) {
    const at = findUpper(view, start + ETHERNET_HEADER, end, protocol)
    if (at < 0) continue
    const field = at + checksumAtOf(protocol)
    if (field + 2 <= end) takeChecksum(packet, at, field)
    return
  }
}
