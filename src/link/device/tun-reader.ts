/**
 * Frames from a TUN or TAP device: many per wake-up, read into one buffer that is lent upwards,
 * those with offload metadata taken apart.
 */
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { LinkReceiver } from '../link.ts'
import { BusyPoll } from './busy-poll.ts'
import { ReceivedFlow } from './received-flow.ts'
import { handUp, tellDropped, tellIdle } from './surface.ts'
import type { TunCounters } from './tun-counters.ts'
import type { TunFrames } from './tun-frames.ts'
import { EAGAIN, EBADFD, EINTR, ENODEV, errnoName, systemError } from './tun-libc.ts'
import { Splitter } from './tun-offload.ts'

/** The device, as its reader sees it. */
export interface ReaderHost {
  readonly name: string
  readonly isOpen: boolean
  readonly receiver: LinkReceiver | null
  fail(error: Error): void
}

/** Who collects what answers the packets of a wake-up. */
export interface Answers {
  hold(): void
  /** Writes what was collected since `hold`. */
  release(): void
}

/**
 * Packets read per wake-up, after which timers and other descriptors have their turn. No more than
 * a socket hands to its program in a turn, so that no receive buffer overflows with what the
 * program has had no chance to see.
 */
const BUDGET = 32

/**
 * While wake-ups find one packet each, only every eighth looks for another: a read that finds
 * nothing costs as much as one that finds a packet.
 */
const LOOK_FURTHER = 8

/** More than a device's queue holds by default (500): a flood cannot keep `skipEarly` for ever. */
const EARLY_LIMIT = 4096

export class TunReader {
  readonly #host: ReaderHost
  readonly #answers: Answers
  readonly #frames: TunFrames
  readonly #counters: TunCounters
  /** `null` on a device without offloads. */
  readonly #splitter: Splitter | null
  readonly #flow: ReceivedFlow | null
  readonly #busyPoll: BusyPoll | null
  /** Wake-ups in a row that found one packet. */
  #lone = 0
  /** Packets of later wake-ups that one frame brought already: up to 128 datagrams come in one. */
  #ahead = 0
  readonly #input = (packet: Packet): void => handUp(this.#host.receiver, packet)

  constructor(host: ReaderHost, answers: Answers, frames: TunFrames, counters: TunCounters, busyPoll: number | 'auto') {
    this.#host = host
    this.#answers = answers
    this.#frames = frames
    this.#counters = counters
    this.#splitter = frames.vnetHeader > 0 ? new Splitter() : null
    this.#flow = frames.vnetHeader > 0 ? new ReceivedFlow(this.#input) : null
    this.#busyPoll = busyPoll === 0 ? null : new BusyPoll(busyPoll, () => (host.isOpen ? this.#drain(false) : -1))
  }

  /** Discards what waits in the device already. */
  skipEarly(): void {
    const counters = this.#counters
    while (counters.earlyPackets < EARLY_LIMIT && this.#frames.read()) counters.earlyPackets++
  }

  /**
   * The device reports packets, or with `broken` an error.
   * @returns how many packets it had, for a watcher that would look again; 0 when a busy poll does
   *   so: both would keep the process alive in turns
   */
  readable(broken: boolean): number {
    this.#counters.wakeups++
    const { receiver } = this.#host
    receiver?.begin?.()
    try {
      const count = this.#drain(broken)
      return this.#busyPoll?.isOn ? 0 : count
    } finally {
      receiver?.end?.()
    }
  }

  #drain(broken: boolean): number {
    if (this.#ahead > 0 && !broken) {
      this.#ahead -= BUDGET
      return 1
    }
    const host = this.#host
    const budget = this.#lone % LOOK_FURTHER === 0 ? BUDGET : 1
    let count = 0
    let errno = 0
    this.#answers.hold()
    this.#flow?.begin(host.receiver)
    while (count < budget && host.isOpen) {
      if (!this.#frames.read()) {
        errno = this.#frames.errno()
        break
      }
      count += this.#deliver()
    }
    this.#flow?.end()
    this.#lone = count > 1 ? 0 : this.#lone + count
    this.#ahead = Math.max(0, count - BUDGET)
    if (count > 0) tellIdle(host.receiver)
    this.#answers.release()
    if (errno !== 0 && errno !== EAGAIN && errno !== EINTR) host.fail(this.#readError(errno))
    else if (broken) host.fail(this.#readError(EBADFD))
    if (count > 0) this.#busyPoll?.again()
    return count
  }

  /** Hands up the frame that was read; returns how many packets it had. */
  #deliver(): number {
    const packet = this.#frames.received
    const counters = this.#counters
    counters.receivedBytes += packet.end - packet.start - this.#frames.vnetHeader
    if (this.#splitter === null) this.#input(packet)
    else {
      let packets = this.#splitter.split(packet, (this.#flow as ReceivedFlow).take, this.#host.receiver)
      if (packets === 0) {
        packets = 1
        // Its offload header makes no sense.
        tellDropped(this.#host.receiver, Drop.FrameOffload, packet)
      }
      counters.receivedPackets += packets
      // As a turn's work a frame that passes merged is one.
      return this.#splitter.handedWhole ? 1 : packets
    }
    counters.receivedPackets++
    return 1
  }

  #readError(errno: number): Error {
    const { name } = this.#host
    if (errno === EBADFD || errno === ENODEV)
      return systemError(errno, 'read', `The interface '${name}' was deleted while it was in use.`)
    return systemError(errno, 'read', `Reading from the device '${name}' failed (${errnoName(errno)}).`)
  }
}
