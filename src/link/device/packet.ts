/**
 * A link over a packet socket (packet(7)) on an Ethernet interface that exists: one end of a veth
 * pair, a bridge's port, a container's interface, a network card.
 *
 * `openPacket` makes the socket; a `PacketLink` is its state (`kernel-device.ts`), its ring
 * (`packet-ring.ts`), its reader (`packet-reader.ts`) and its writer (`packet-writer.ts`), wired
 * together here.
 */
import { closeSync } from 'node:fs'
import type { Drop } from '../../base/drop.ts'
import { HEADROOM, type Packet } from '../../base/packet.ts'
import { SystemRandom } from '../../base/random.ts'
import { randomHardwareAddress } from '../../wire/hardware-address.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from '../link.ts'
import { KernelDevice, type WakeupChoice } from './kernel-device.ts'
import { newPacketCounters, type PacketCounters } from './packet-counters.ts'
import { loadPacketLibc, type PacketLibc } from './packet-libc.ts'
import { PacketReader, type PacketSource } from './packet-reader.ts'
import { PacketRing } from './packet-ring.ts'
import {
  bindTo,
  checkRingFrames,
  clearError,
  openSocket,
  ownAddress,
  type PacketOptions,
  prepare,
  quietKernel,
  requireInterface,
  slotSize,
  takeLost,
} from './packet-setup.ts'
import { PacketWriter } from './packet-writer.ts'
import { ENODEV, type Libc, loadLibc, systemError } from './tun-libc.ts'
import { findInterface, type InterfaceInfo } from './tun-netlink.ts'
import { chooseWakeup, type Wakeup } from './tun-poll.ts'
import { checkBusyPoll, configure } from './tun-setup.ts'
import { VNET_HEADER } from './vnet-header.ts'
import { wakeupThreadFile } from './wakeup-thread-file.ts'
import type { Watcher } from './watcher.ts'

export type { PacketCounters } from './packet-counters.ts'
export type { PacketOptions } from './packet-setup.ts'

const RING_FRAMES = 8192
const MSG_DONTWAIT = 0x40

/**
 * Opens a packet socket on an Ethernet interface, with a receive ring; returns when it is usable.
 *
 * Needs root or CAP_NET_RAW; to bring the interface up, to change its MTU and to keep the kernel
 * quiet, CAP_NET_ADMIN. Linux 4.20 or later.
 * @throws {Error} with `code` and, in the message, what to do: `ENOTSUP` (not Linux),
 *   `ERR_TUN_NO_KOFFI`, `EPERM` (privilege), `ENODEV` (no such interface), `EINVAL` (no Ethernet,
 *   or a refused MTU), `ENOMEM` (ring too large), `EBUSY` (`hardwareAddress: 'interface'` while the
 *   kernel has IPv4 addresses there), `ERR_TUN_NO_UV`, `ERR_TUN_NO_THREAD`
 * @throws {TypeError} when an option has the wrong form
 * @throws {RangeError} when a number is out of range
 */
export function openPacket(options: PacketOptions): PacketLink {
  const ringFrames = options.ringFrames ?? RING_FRAMES
  checkRingFrames(ringFrames)
  const busyPoll = options.busyPoll ?? 0
  checkBusyPoll(busyPoll)
  const own = ownAddress(options.hardwareAddress)

  const libc = loadLibc()
  const packetLibc = loadPacketLibc()
  const wakeup = chooseWakeup(libc, options.wakeup ?? 'auto')
  if (wakeup === 'worker') wakeupThreadFile(options.wakeupThread)
  const found = requireInterface(libc, options.interface)
  const fd = openSocket(libc)
  const undo: (() => void)[] = [() => closeSync(fd)]
  try {
    const { mtu, up } = options
    configure(libc, found, { ...(mtu === undefined ? {} : { mtu }), ...(up === undefined ? {} : { up }) }, [])
    const info = findInterface(libc, found.index) ?? found
    const vnetHeader = prepare(libc, packetLibc, fd) ? VNET_HEADER : 0
    const offload = vnetHeader > 0 && options.offload !== false
    const ring = new PacketRing(libc, packetLibc, fd, slotSize(info.mtu), ringFrames, vnetHeader)
    undo.push(() => ring.close())
    const restore = own === null ? quietKernel(libc, info) : () => {}
    undo.push(restore)
    const hardwareAddress =
      own === undefined ? randomHardwareAddress(new SystemRandom()) : (own ?? info.hardwareAddress)
    const promiscuous = hardwareAddress.some((octet, at) => octet !== info.hardwareAddress[at])
    bindTo(libc, packetLibc, fd, info, promiscuous)
    const choice = { wakeup, threadFile: options.wakeupThread }
    return new PacketLink(
      libc,
      packetLibc,
      fd,
      info,
      ring,
      hardwareAddress,
      choice,
      vnetHeader,
      offload,
      busyPoll,
      restore,
    )
  } catch (error) {
    for (const each of undo.reverse()) each()
    throw error
  }
}

/** An open packet socket. It becomes readable when a receiver is attached. */
export class PacketLink implements Link {
  readonly medium: Medium = 'ethernet'
  readonly offload: Offload
  readonly hardwareAddress: Uint8Array
  readonly loopback = false
  readonly numbered = true
  /** How this socket wakes the program. */
  readonly wakeup: Wakeup

  readonly #counters: PacketCounters = newPacketCounters()
  readonly #packetLibc: PacketLibc
  readonly #fd: number
  readonly #device: KernelDevice
  readonly #ring: PacketRing
  readonly #reader: PacketReader
  readonly #writer: PacketWriter
  readonly #wakeup: WakeupChoice
  #watcher: Watcher | null = null
  /** Lets the kernel speak again. */
  readonly #restore: () => void

  /** @internal Use {@link openPacket}. */
  constructor(
    libc: Libc,
    packetLibc: PacketLibc,
    fd: number,
    info: InterfaceInfo,
    ring: PacketRing,
    hardwareAddress: Uint8Array,
    wakeup: WakeupChoice,
    vnetHeader: number,
    offload: boolean,
    busyPoll: number | 'auto',
    restore: () => void,
  ) {
    this.offload = offload ? { checksum: true } : NO_OFFLOAD
    this.hardwareAddress = hardwareAddress
    this.wakeup = wakeup.wakeup
    this.#wakeup = wakeup
    this.#packetLibc = packetLibc
    this.#fd = fd
    this.#ring = ring
    this.#restore = restore
    // The kernel lets the socket go when the interface is deleted or moved to another namespace.
    const finder = { name: () => findInterface(libc, info.index)?.name ?? '', namespace: () => -1 }
    const device = new KernelDevice(libc, fd, finder, info)
    this.#device = device
    this.#writer = new PacketWriter(device, libc, packetLibc, fd, this.#counters, vnetHeader, offload)
    const source: PacketSource = {
      vnetHeader,
      receive: (packet: Packet, at: number) => {
        const address = libc.addressOf(packet.bytes) + at - vnetHeader
        const room = packet.capacity - HEADROOM
        return packetLibc.recvInto(fd, address, room, MSG_DONTWAIT) - vnetHeader
      },
      takeLost: () => takeLost(packetLibc, fd),
      broken: () => this.#broken(),
      rest: (milliseconds: number) => this.#watcher?.rest?.(milliseconds),
    }
    this.#reader = new PacketReader(device, this.#writer.turn, ring, source, this.#counters, busyPoll)
  }

  /** The kernel's name of the interface, now. */
  get name(): string {
    return this.#device.name
  }

  /** The same. */
  get interfaceName(): string {
    return this.#device.name
  }

  /** The interface's MTU, now. */
  get mtu(): number {
    this.#device.catchUp()
    return this.#device.mtu
  }

  /**
   * Whether the interface is up; after `ip link set down` it is not, and nothing passes until it is
   * up again.
   */
  get isUp(): boolean {
    return this.#device.isUp
  }

  /**
   * Whether datagrams of one flow leave as one frame, which the interface or the kernel takes
   * apart. False with `offload: false`, and from the first such frame on that the kernel refused:
   * Linux does so before 6.2. Its datagrams left one by one.
   */
  get segmentation(): boolean {
    return this.#writer.segmentation
  }

  /** Counts since the socket was opened, now. */
  get counters(): PacketCounters {
    if (this.#device.isOpen) this.#counters.lostPackets += takeLost(this.#packetLibc, this.#fd)
    return this.#counters
  }

  attach(receiver: LinkReceiver): void {
    const device = this.#device
    if (device.receiver !== null) throw new Error(`The link '${this.name}' has a receiver already.`)
    device.receiver = receiver
    if (!device.isOpen) return
    this.#reader.skipEarly()
    this.#watch()
  }

  /**
   * The first frame of a turn is sent at once; those that follow it in the same turn are collected,
   * and leave with one system call at the end of the turn or of the wake-up that they answer.
   */
  send(packet: Packet): Drop {
    return this.#writer.send(packet)
  }

  /** Sends what was collected; what answers the frames of a wake-up leaves at the wake-up's end. */
  flush(): void {
    this.#writer.turn.flush()
  }

  close(): void {
    if (this.#device.isOpen) {
      this.#writer.turn.end()
      this.#restore()
    }
    this.#device.close()
    // A frame that is being handed up has its ring until it is done.
    if (!this.#reader.isDraining) this.#ring.close()
  }

  ref(): void {
    this.#device.reference(true)
  }

  unref(): void {
    this.#device.reference(false)
  }

  /**
   * Asks the kernel about the interface now, instead of waiting for its notice of a change; returns
   * the MTU.
   * @throws {Error} `ENODEV` when the interface is gone
   */
  refresh(): number {
    this.#device.refresh()
    return this.#device.mtu
  }

  #watch(): void {
    this.#watcher = this.#device.watch(this.#wakeup, {
      readable: (broken) => this.#reader.readable(broken),
      failed: (error) => this.#device.fail(error),
      exit: () => {
        this.#writer.turn.end()
        this.#restore()
      },
    })
  }

  /** The socket has an error: the interface is down, and may come up again, or it is gone. */
  #broken(): void {
    const device = this.#device
    if (!device.isOpen) return
    clearError(this.#packetLibc, this.#fd)
    try {
      device.refresh()
    } catch {
      device.fail(
        systemError(ENODEV, 'recv', `The interface '${device.name}' was deleted, or moved to another namespace.`),
      )
      return
    }
    if (!device.isUp) device.wentDown()
    this.#watch()
  }
}
