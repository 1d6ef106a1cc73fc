/**
 * Linux TUN and TAP devices: `/dev/net/tun`, driven through koffi (Linux:
 * Documentation/networking/tuntap.rst).
 *
 * Packets are read with the non-blocking descriptor's `read`, many per wake-up, into one buffer
 * that is lent upwards; `send` is one `write`. The interface lives as long as the descriptor,
 * unless somebody made it persistent.
 */
import { closeSync } from 'node:fs'
import { type Cidr, parseCidr } from '../../base/address.ts'
import { Drop } from '../../base/drop.ts'
import { ChecksumState, HEADROOM, Packet } from '../../base/packet.ts'
import { SystemRandom } from '../../base/random.ts'
import { HEADER as ETHERNET_HEADER } from '../../wire/ethernet.ts'
import { parseHardwareAddress, randomHardwareAddress } from '../../wire/hardware-address.ts'
import { completeChecksum } from '../checksum-offload.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from '../link.ts'
import { TunInterface } from './tun-interface.ts'
import {
  codedError,
  EAGAIN,
  EBADFD,
  EINTR,
  EINVAL,
  EIO,
  ENOBUFS,
  ENODEV,
  ENOMEM,
  errnoName,
  type Libc,
  loadLibc,
  systemError,
} from './tun-libc.ts'
import { findInterface, type InterfaceInfo } from './tun-netlink.ts'
import { fragmentedVnetHeader, plainVnetHeader, SegmentBatch, Splitter, VNET_HEADER } from './tun-offload.ts'
import { chooseWakeup, LONGEST_RUN, surface, type Wakeup, type Watcher, watch } from './tun-poll.ts'
import {
  acceptOffloads,
  attachDevice,
  checkBusyPoll,
  checkName,
  checkQueueFree,
  checkQueues,
  configure,
  openDevice,
  type TunOptions,
} from './tun-setup.ts'

export type { TunOptions } from './tun-setup.ts'

/** Counts since the device was opened. */
export interface TunCounters {
  receivedPackets: number
  receivedBytes: number
  sentPackets: number
  sentBytes: number
  /** Frames that `send` refused. */
  refusedPackets: number
  /** Frames that waited in the device when the receiver was attached: not delivered. */
  earlyPackets: number
  /** Times that the device reported packets. */
  wakeups: number
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

/** Long datagrams no further apart, in milliseconds, are a stream. */
const STREAM_GAP = 1

/** More than a device's queue holds by default (500): a flood cannot keep `attach` for ever. */
const EARLY_LIMIT = 4096

/**
 * Opens a TUN or TAP device, or attaches to a persistent one; returns when it is usable.
 *
 * Needs root or CAP_NET_ADMIN, unless the device is persistent, belongs to the user and needs no
 * change.
 * @throws {Error} with `code` and, in the message, what to do: `ENOTSUP` (not Linux),
 *   `ERR_TUN_NO_KOFFI`, `ENOENT`, `ENODEV`, `ENXIO` (no `/dev/net/tun`), `EPERM`, `EACCES`
 *   (privilege), `ERR_TUN_NO_UV`, `EBUSY` (attached elsewhere, or all queues open), `EINVAL` (bad
 *   name, other kind, refused MTU or address)
 * @throws {TypeError} when an option has the wrong form
 */
export function openTun(options: TunOptions = {}): TunLink {
  const kind = options.kind ?? 'tun'
  if (kind !== 'tun' && kind !== 'tap') throw new TypeError(`kind must be 'tun' or 'tap', not '${kind}'.`)
  const name = options.name ?? ''
  checkName(name)
  const queues = options.queues ?? 1
  checkQueues(queues)
  const busyPoll = options.busyPoll ?? 0
  checkBusyPoll(busyPoll)
  const peers = (typeof options.peer === 'string' ? [options.peer] : (options.peer ?? [])).map(parseCidr)
  const hardwareAddress =
    kind === 'tun'
      ? null
      : options.hardwareAddress === undefined
        ? randomHardwareAddress(new SystemRandom())
        : parseHardwareAddress(options.hardwareAddress)

  const libc = loadLibc()
  const wakeup = chooseWakeup(libc, options.wakeup ?? 'auto')
  const fd = openDevice(kind, name)
  try {
    const offload = kind === 'tun' && options.offload !== false
    const interfaceName = attachDevice(libc, fd, kind, name, queues, offload)
    if (offload) acceptOffloads(libc, fd)
    const info = findInterface(libc, interfaceName)
    if (info === null) throw codedError('ENODEV', `The interface '${interfaceName}' vanished while it was opened.`)
    checkQueueFree(info, queues)
    configure(libc, info, options, peers)
    return new TunLink(libc, fd, info, kind, hardwareAddress, wakeup, offload, busyPoll)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** An open device. It becomes readable when a receiver is attached. */
export class TunLink implements Link {
  readonly medium: Medium
  readonly offload: Offload
  readonly hardwareAddress: Uint8Array | null
  readonly loopback = false
  readonly numbered = true
  /** How this device wakes the program. */
  readonly wakeup: Wakeup
  readonly counters: TunCounters = {
    receivedPackets: 0,
    receivedBytes: 0,
    sentPackets: 0,
    sentBytes: 0,
    refusedPackets: 0,
    earlyPackets: 0,
    wakeups: 0,
  }

  readonly #libc: Libc
  readonly #fd: number
  readonly #interface: TunInterface
  readonly #linkHeader: number
  /** What the interface's was when it last told of itself. */
  #mtu: number
  /** `gone`: the interface was deleted; the descriptor is still to be closed. */
  #state: 'open' | 'gone' | 'closed' = 'open'
  #receiver: LinkReceiver | null = null
  #watcher: Watcher | null = null
  #referenced = false
  /** The interface is down, and this was reported. */
  #down = false

  readonly #received = new Packet()
  readonly #receiveAddress: number
  readonly #receiveRoom: number
  /** The buffer of the last sent packet, held while its address is used. */
  #sentBytes: Uint8Array
  #sentAddress: number

  /** 10 bytes in front of each frame of a device with offloads, else 0. */
  readonly #vnetHeader: number
  readonly #batch: SegmentBatch | null
  readonly #splitter: Splitter | null
  readonly #input = (packet: Packet): void => {
    try {
      ;(this.#receiver as LinkReceiver).input(packet)
    } catch (error) {
      surface(error)
    }
  }
  /** A frame of this turn was written: what follows is collected until the turn ends. */
  #turnBegun = false
  /** The kernel has not yet refused a datagram to fragment. */
  #fragments: boolean
  #lastLong = -Infinity
  #draining = false
  /** Wake-ups in a row that found one packet. */
  #lone = 0
  /** Packets of later wake-ups that one frame brought already: up to 128 datagrams come in one. */
  #ahead = 0
  readonly #busyPoll: number
  /** A busy poll is to come in this turn. */
  #polling = false
  /** When the loop could last have ended, while busy polls follow each other. */
  #pollingSince = 0
  readonly #look = () => this.#poll()
  readonly #endTurn = () => this.flush()

  /** Use {@link openTun}. */
  constructor(
    libc: Libc,
    fd: number,
    info: InterfaceInfo,
    kind: 'tun' | 'tap',
    hardwareAddress: Uint8Array | null,
    wakeup: Wakeup,
    offload: boolean,
    busyPoll: number,
  ) {
    this.#libc = libc
    this.#fd = fd
    this.#interface = new TunInterface(libc, fd, info)
    this.#mtu = this.#interface.info.mtu
    this.#interface.changed = () => this.#changed()
    this.wakeup = wakeup
    this.#busyPoll = busyPoll
    this.medium = kind === 'tun' ? 'ip' : 'ethernet'
    this.#linkHeader = kind === 'tun' ? 0 : ETHERNET_HEADER
    this.hardwareAddress = hardwareAddress
    this.#sentBytes = this.#received.bytes
    this.#sentAddress = libc.addressOf(this.#received.bytes)
    this.offload = offload ? { checksum: true } : NO_OFFLOAD
    this.#vnetHeader = offload ? VNET_HEADER : 0
    this.#batch = offload ? new SegmentBatch() : null
    this.#fragments = offload
    this.#splitter = offload ? new Splitter() : null
    // The packet itself begins at HEADROOM, aligned.
    this.#receiveAddress = this.#sentAddress + HEADROOM - this.#vnetHeader
    this.#receiveRoom = this.#received.bytes.length - HEADROOM
  }

  /** The kernel's name of the interface, now. */
  get name(): string {
    if (this.#state === 'open') this.#interface.catchUp()
    return this.#interface.info.name
  }

  /** The same. */
  get interfaceName(): string {
    return this.name
  }

  /** The interface's MTU, now. */
  get mtu(): number {
    if (this.#state === 'open') this.#interface.catchUp()
    return this.#mtu
  }

  /**
   * Whether the interface is up; after `ip link set down` it is not, and nothing passes until it is
   * up again.
   */
  get isUp(): boolean {
    return this.#interface.info.up
  }

  attach(receiver: LinkReceiver): void {
    if (this.#receiver !== null) throw new Error(`The link '${this.name}' has a receiver already.`)
    this.#receiver = receiver
    if (this.#state !== 'open') return
    while (this.counters.earlyPackets < EARLY_LIMIT && this.#read() >= 0) this.counters.earlyPackets++
    this.#watcher = watch(this.#libc, this.#fd, this.wakeup, {
      readable: (broken) => {
        this.counters.wakeups++
        const count = this.#drain(broken)
        // A busy poll looks again by itself: two that do would keep the process alive in turns.
        return this.#busyPoll > 0 ? 0 : count
      },
      failed: (error) => this.#fail(error),
      exit: () => this.#flush(),
    })
    this.#interface.watch(this.#watcher)
    if (this.#referenced) this.#watcher.ref()
  }

  /**
   * The first frame of a turn is written at once; datagrams of one flow that follow it in the same
   * turn are collected, and written at the end of the turn or of the wake-up that they answer.
   */
  send(packet: Packet): Drop {
    if (this.#state !== 'open') return this.#refuse(Drop.LinkDown)
    if (packet.end - packet.start - this.#linkHeader > this.#mtu) return this.#refuse(Drop.LinkMtuExceeded)
    const batch = this.#batch
    if (batch === null) return this.#writeNow(packet)
    if (this.#turnBegun && !this.#down) {
      if (batch.add(packet)) return Drop.None
      // Another flow, or no datagram: what came before it goes first.
      this.#writeBatch(batch)
      return batch.add(packet) ? Drop.None : this.#writeNow(packet)
    }
    this.#turnBegun = true
    if (!this.#draining) queueMicrotask(this.#endTurn)
    return this.#writeNow(packet)
  }

  /**
   * In a stream of long datagrams the kernel makes the fragments: one write instead of many. One by
   * itself leaves as the stack's own.
   */
  sendLong(packet: Packet, mtu: number): Drop {
    const now = performance.now()
    const lone = now - this.#lastLong > STREAM_GAP
    this.#lastLong = now
    if (lone || !this.#fragments || this.#state !== 'open') return Drop.LinkMtuExceeded
    this.#writeBatch(this.#batch as SegmentBatch)
    const length = packet.end - packet.start
    fragmentedVnetHeader(packet, mtu)
    const written = this.#write(packet)
    packet.start += VNET_HEADER
    if (written) {
      this.counters.sentPackets++
      this.counters.sentBytes += length
      return Drop.None
    }
    if (this.#libc.errno() === EINVAL) this.#fragments = false
    return Drop.LinkMtuExceeded
  }

  /**
   * Writes what was collected; what answers packets of a wake-up is written at the wake-up's end.
   */
  flush(): void {
    if (!this.#draining) this.#flush()
  }

  #flush(): void {
    this.#turnBegun = false
    if (this.#batch !== null) this.#writeBatch(this.#batch)
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#flush()
    this.#state = 'closed'
    this.#interface.close()
    this.#watcher?.close()
    closeSync(this.#fd)
  }

  ref(): void {
    this.#referenced = true
    this.#watcher?.ref()
  }

  unref(): void {
    this.#referenced = false
    this.#watcher?.unref()
  }

  /**
   * The addresses that the kernel's side has now, link-local ones included; IPv6 addresses still in
   * duplicate address detection are not. Empty when the interface is gone.
   */
  kernelAddresses(): Cidr[] {
    return this.#state === 'open' ? this.#interface.addresses() : []
  }

  /**
   * Sets the kernel's MTU and ours.
   * @throws {Error} with the kernel's `code` (`EINVAL`, `EPERM`, …), or `ENODEV` when the interface
   *   is gone
   */
  setMtu(mtu: number): void {
    this.#mustBeOpen()
    this.#interface.setMtu(mtu)
  }

  /**
   * Asks the kernel about the interface now, instead of waiting for its notice of a change; returns
   * the MTU.
   * @throws {Error} `ENODEV` when the interface is gone
   */
  refresh(): number {
    this.#mustBeOpen()
    if (!this.#interface.refresh()) throw this.#goneError()
    return this.#mtu
  }

  #mustBeOpen(): void {
    if (this.#state !== 'open') throw this.#goneError()
  }

  #goneError(): Error {
    return codedError(
      'ENODEV',
      `The interface '${this.name}' is gone: it was deleted or its device was closed. Open it again with openTun.`,
    )
  }

  #read(): number {
    return this.#libc.read(this.#fd, this.#receiveAddress, this.#receiveRoom)
  }

  #drain(broken: boolean): number {
    if (this.#ahead > 0 && !broken) {
      this.#ahead -= BUDGET
      return 1
    }
    const receiver = this.#receiver as LinkReceiver
    const packet = this.#received
    const counters = this.counters
    let count = 0
    let errno = 0
    this.#draining = true
    const budget = this.#lone % LOOK_FURTHER === 0 ? BUDGET : 1
    while (count < budget && this.#state === 'open') {
      const length = this.#read()
      if (length < 0) {
        errno = this.#libc.errno()
        break
      }
      packet.reset(HEADROOM - this.#vnetHeader, HEADROOM - this.#vnetHeader + length)
      counters.receivedBytes += length - this.#vnetHeader
      let packets = 1
      if (this.#splitter === null) this.#input(packet)
      else {
        packets = this.#splitter.split(packet, this.#input)
        if (packets === 0) {
          packets = 1
          this.#refuseFrame(receiver, packet)
        }
      }
      counters.receivedPackets += packets
      count += packets
    }
    this.#lone = count > 1 ? 0 : this.#lone + count
    this.#ahead = Math.max(0, count - BUDGET)
    if (count > 0) this.#idle(receiver)
    this.#draining = false
    this.#flush()
    if (errno !== 0 && errno !== EAGAIN && errno !== EINTR) this.#fail(this.#readError(errno))
    else if (broken) this.#fail(this.#readError(EBADFD))
    if (count > 0 && this.#busyPoll > 0 && !this.#polling) this.#pollSoon()
    return count
  }

  /**
   * In a turn of its own, after all that the packets have led to; such a turn keeps the process
   * alive, so now and then there is none.
   */
  #pollSoon(): void {
    const now = performance.now()
    if (this.#pollingSince === 0) this.#pollingSince = now
    this.#polling = now - this.#pollingSince < LONGEST_RUN
    if (this.#polling) setImmediate(this.#look)
    else this.#pollingSince = 0
  }

  /** A frame whose offload header makes no sense. */
  #refuseFrame(receiver: LinkReceiver, packet: Packet): void {
    try {
      receiver.dropped(Drop.FrameOffload, packet)
    } catch (error) {
      surface(error)
    }
  }

  /** Looks for packets until some come, for the time of `busyPoll`. */
  #poll(): void {
    this.#polling = false
    const end = performance.now() + this.#busyPoll / 1000
    while (this.#state === 'open' && this.#drain(false) === 0 && performance.now() < end);
    // Nothing came: the loop waits, or ends.
    if (!this.#polling) this.#pollingSince = 0
  }

  #readError(errno: number): Error {
    if (errno === EBADFD || errno === ENODEV)
      return systemError(errno, 'read', `The interface '${this.name}' was deleted while it was in use.`)
    return systemError(errno, 'read', `Reading from the device '${this.name}' failed (${errnoName(errno)}).`)
  }

  #idle(receiver: LinkReceiver): void {
    try {
      receiver.idle()
    } catch (error) {
      surface(error)
    }
  }

  #refuse(drop: Drop): Drop {
    this.counters.refusedPackets++
    return drop
  }

  /** Writes one packet by itself. */
  #writeNow(packet: Packet): Drop {
    const length = packet.end - packet.start
    if (this.#vnetHeader > 0) {
      if (packet.checksumState === ChecksumState.Partial) completeChecksum(packet)
      packet.start -= VNET_HEADER
      plainVnetHeader(packet.view, packet.start)
    }
    const written = this.#write(packet)
    packet.start += this.#vnetHeader
    if (!written) return this.#refuse(this.#refused(this.#libc.errno()))
    this.counters.sentPackets++
    this.counters.sentBytes += length
    this.#down = false
    return Drop.None
  }

  /** Writes the batch as one frame; if the device does not take it so, each datagram by itself. */
  #writeBatch(batch: SegmentBatch): void {
    const { count } = batch
    if (count === 0) return
    const frame = batch.seal()
    batch.count = 0
    if (this.#write(frame)) {
      this.counters.sentPackets += count
      this.counters.sentBytes += frame.end - frame.start - this.#vnetHeader
      return
    }
    ;(this.#splitter as Splitter).split(frame, (packet) => {
      const drop = this.#state === 'open' ? this.#writeNow(packet) : this.#refuse(Drop.LinkDown)
      if (drop !== Drop.None) this.#receiver?.dropped(drop, packet)
    })
  }

  #write(frame: Packet): boolean {
    if (frame.bytes !== this.#sentBytes) {
      this.#sentBytes = frame.bytes
      this.#sentAddress = this.#libc.addressOf(frame.bytes)
    }
    return this.#libc.write(this.#fd, this.#sentAddress + frame.start, frame.end - frame.start) >= 0
  }

  #refused(errno: number): Drop {
    switch (errno) {
      case EAGAIN:
      case ENOBUFS:
      case ENOMEM:
        return Drop.LinkQueueFull
      case EIO:
        // Linux: the interface is down. It may come up again.
        this.#wentDown()
        return Drop.LinkDown
      case EBADFD:
      case ENODEV: {
        const error = systemError(errno, 'write', `The interface '${this.name}' was deleted while it was in use.`)
        queueMicrotask(() => this.#fail(error))
        return Drop.LinkDown
      }
      default:
        return Drop.LinkRefused
    }
  }

  /** The interface has another MTU, another name, or went down or up. */
  #changed(): void {
    const { mtu, up } = this.#interface.info
    this.#mtu = mtu
    if (up) this.#down = false
    try {
      this.#receiver?.changed?.()
    } catch (error) {
      surface(error)
    }
    if (!up) this.#wentDown()
  }

  /**
   * The upper side is told once, whoever notices first: a write that failed or the kernel's notice.
   */
  #wentDown(): void {
    if (this.#down) return
    this.#down = true
    const { name } = this.#interface.info
    const error = systemError(EIO, 'write', `The interface '${name}' is down: 'ip link set ${name} up' brings it up.`)
    queueMicrotask(() => this.#receiver?.failed(error, false))
  }

  /** Nothing will pass any more; the upper side is told once. */
  #fail(error: Error): void {
    if (this.#state !== 'open') return
    this.#state = 'gone'
    this.#interface.close()
    this.#watcher?.close()
    try {
      this.#receiver?.failed(error, true)
    } catch (thrown) {
      surface(thrown)
    }
  }
}
