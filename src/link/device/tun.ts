/**
 * Linux TUN and TAP devices: `/dev/net/tun`, driven through koffi (Linux:
 * Documentation/networking/tuntap.rst).
 *
 * `openTun` makes the device; a `TunLink` is its state (`kernel-device.ts`), its reader
 * (`tun-reader.ts`) and its writer (`tun-writer.ts`), wired together here. The interface lives as
 * long as the descriptor, unless somebody made it persistent.
 */

import { closeSync } from 'node:fs'
import type { Cidr } from '../../base/address.ts'
import type { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import { SystemRandom } from '../../base/random.ts'
import { HEADER as ETHERNET_HEADER } from '../../wire/ethernet.ts'
import { parseHardwareAddress, randomHardwareAddress } from '../../wire/hardware-address.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from '../link.ts'
import { KernelDevice, type WakeupChoice } from './kernel-device.ts'
import { parseInterfaceAddress } from './point-to-point.ts'
import { newTunCounters, type TunCounters } from './tun-counters.ts'
import { TunFrames } from './tun-frames.ts'
import { codedError, type Libc, loadLibc } from './tun-libc.ts'
import { findInterface, type InterfaceInfo } from './tun-netlink.ts'
import { chooseWakeup, type Wakeup } from './tun-poll.ts'
import { TunReader } from './tun-reader.ts'
import {
  acceptOffloads,
  attachDevice,
  checkBusyPoll,
  checkName,
  checkQueueFree,
  checkQueues,
  configure,
  deviceName,
  deviceNamespace,
  openDevice,
  type TunOptions,
} from './tun-setup.ts'
import { TunWriter } from './tun-writer.ts'
import { wakeupThreadFile } from './wakeup-thread-file.ts'

export type { TunCounters } from './tun-counters.ts'
export type { TunOptions } from './tun-setup.ts'

/**
 * Opens a TUN or TAP device, or attaches to a persistent one; returns when it is usable.
 *
 * Needs root or CAP_NET_ADMIN, unless the device is persistent, belongs to the user and needs no
 * change.
 * @throws {Error} with `code` and, in the message, what to do: `ENOTSUP` (not Linux),
 *   `ERR_TUN_NO_KOFFI`, `ENOENT`, `ENODEV`, `ENXIO` (no `/dev/net/tun`), `EPERM`, `EACCES`
 *   (privilege), `ERR_TUN_NO_UV`, `ERR_TUN_NO_THREAD` (a bundle without `wakeupThread`), `EBUSY`
 *   (attached elsewhere, or all queues open), `EINVAL` (bad name, other kind, refused MTU or
 *   address)
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
  const peers = (typeof options.peer === 'string' ? [options.peer] : (options.peer ?? [])).map(parseInterfaceAddress)
  const hardwareAddress =
    kind === 'tun'
      ? null
      : options.hardwareAddress === undefined
        ? randomHardwareAddress(new SystemRandom())
        : parseHardwareAddress(options.hardwareAddress)

  const libc = loadLibc()
  const wakeup = chooseWakeup(libc, options.wakeup ?? 'auto')
  if (wakeup === 'worker') wakeupThreadFile(options.wakeupThread)
  const fd = openDevice()
  try {
    const offload = kind === 'tun' && options.offload !== false
    const interfaceName = attachDevice(libc, fd, kind, name, queues, offload)
    if (offload) acceptOffloads(libc, fd)
    const info = findInterface(libc, interfaceName)
    if (info === null) throw codedError('ENODEV', `The interface '${interfaceName}' vanished while it was opened.`)
    checkQueueFree(info, queues)
    configure(libc, info, options, peers)
    return new TunLink(libc, fd, info, kind, hardwareAddress, wakeup, offload, busyPoll, options.wakeupThread)
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
  readonly counters: TunCounters = newTunCounters()

  readonly #device: KernelDevice
  readonly #reader: TunReader
  readonly #writer: TunWriter
  readonly #wakeup: WakeupChoice

  /** Use {@link openTun}. */
  constructor(
    libc: Libc,
    fd: number,
    info: InterfaceInfo,
    kind: 'tun' | 'tap',
    hardwareAddress: Uint8Array | null,
    wakeup: Wakeup,
    offload: boolean,
    busyPoll: number | 'auto',
    wakeupThread?: string | URL,
  ) {
    this.medium = kind === 'tun' ? 'ip' : 'ethernet'
    this.offload = offload ? { checksum: true, merged: true } : NO_OFFLOAD
    this.hardwareAddress = hardwareAddress
    this.wakeup = wakeup
    this.#wakeup = { wakeup, threadFile: wakeupThread }
    const frames = new TunFrames(libc, fd, offload)
    const finder = { name: () => deviceName(libc, fd), namespace: () => deviceNamespace(libc, fd) }
    this.#device = new KernelDevice(libc, fd, finder, info)
    this.#writer = new TunWriter(this.#device, frames, this.counters, kind === 'tun' ? 0 : ETHERNET_HEADER)
    this.#reader = new TunReader(this.#device, this.#writer.turn, frames, this.counters, busyPoll)
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

  attach(receiver: LinkReceiver): void {
    const device = this.#device
    if (device.receiver !== null) throw new Error(`The link '${this.name}' has a receiver already.`)
    device.receiver = receiver
    if (!device.isOpen) return
    this.#reader.skipEarly()
    device.watch(this.#wakeup, {
      readable: (broken) => this.#reader.readable(broken),
      failed: (error) => device.fail(error),
      exit: () => this.#writer.turn.end(),
    })
  }

  /**
   * The first frame of a turn is written at once; datagrams of one flow that follow it in the same
   * turn are collected, and written at the end of the turn or of the wake-up that they answer.
   */
  send(packet: Packet): Drop {
    return this.#writer.send(packet)
  }

  /**
   * In a stream of long datagrams the kernel makes the fragments: one write instead of many. One by
   * itself leaves as the stack's own.
   */
  sendLong(packet: Packet, mtu: number): Drop {
    return this.#writer.sendLong(packet, mtu)
  }

  /**
   * Writes what was collected; what answers packets of a wake-up is written at the wake-up's end.
   */
  flush(): void {
    this.#writer.turn.flush()
  }

  close(): void {
    this.#writer.turn.end()
    this.#device.close()
  }

  ref(): void {
    this.#device.reference(true)
  }

  unref(): void {
    this.#device.reference(false)
  }

  /**
   * The addresses that the kernel's side has now, link-local ones included; IPv6 addresses still in
   * duplicate address detection are not. Empty when the interface is gone.
   */
  kernelAddresses(): Cidr[] {
    return this.#device.kernelSide().addresses
  }

  /**
   * Whether the interface is a port of a bridge or a bond, which has the addresses in its place.
   * @internal
   */
  hasMaster(): boolean {
    return this.#device.kernelSide().hasMaster
  }

  /**
   * Sets the kernel's MTU and ours.
   * @throws {Error} with the kernel's `code` (`EINVAL`, `EPERM`, …), or `ENODEV` when the interface
   *   is gone
   */
  setMtu(mtu: number): void {
    this.#device.setMtu(mtu)
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
}
