/**
 * A descriptor through which frames of one of the kernel's interfaces pass (a TUN or TAP device, a
 * packet socket): whether it is open and up, what wakes the program, and what the receiver is told
 * when that changes.
 */
import { closeSync } from 'node:fs'
import type { LinkReceiver } from '../link.ts'
import { type InterfaceFinder, KernelInterface, type KernelSide } from './kernel-interface.ts'
import { surface } from './surface.ts'
import { codedError, EIO, type Libc, systemError } from './tun-libc.ts'
import type { InterfaceInfo } from './tun-netlink.ts'
import { type Wakeup, watch } from './tun-poll.ts'
import type { Watcher, WatcherEvents } from './watcher.ts'

/** How a descriptor wakes the program; `threadFile` is for `worker`. */
export interface WakeupChoice {
  readonly wakeup: Wakeup
  readonly threadFile: string | URL | undefined
}

export class KernelDevice {
  /** False when the descriptor was closed, or the interface deleted. */
  isOpen = true
  receiver: LinkReceiver | null = null
  /** What the interface's was when it last told of itself. */
  mtu: number
  /** The interface is down, and this was reported. A write that succeeds shows that it is up. */
  down = false

  readonly #libc: Libc
  readonly #fd: number
  readonly #interface: KernelInterface
  #watcher: Watcher | null = null
  #referenced = false
  /** The descriptor is closed; before, the interface may be gone already. */
  #closed = false

  /** The descriptor is the device's, which closes it. */
  constructor(libc: Libc, fd: number, finder: InterfaceFinder, info: InterfaceInfo) {
    this.#libc = libc
    this.#fd = fd
    this.#interface = new KernelInterface(libc, finder, info)
    this.mtu = this.#interface.info.mtu
    this.#interface.changed = () => this.#changed()
  }

  /** The kernel's name of the interface, now. */
  get name(): string {
    this.catchUp()
    return this.#interface.info.name
  }

  /** As the last notice that was read has it. */
  get isUp(): boolean {
    return this.#interface.info.up
  }

  /** Reads the kernel's notices that wait: `mtu` and `isUp` are then those of now. */
  catchUp(): void {
    if (this.isOpen) this.#interface.catchUp()
  }

  /**
   * Reports from now on that frames wait, and follows the interface. Called again, it begins anew:
   * a watcher that has reported an error does not look again. It closes the watcher itself.
   */
  watch({ wakeup, threadFile }: WakeupChoice, events: WatcherEvents): Watcher {
    this.#watcher?.close()
    this.#watcher = watch(this.#libc, this.#fd, wakeup, events, threadFile)
    this.#interface.watch(this.#watcher)
    if (this.#referenced) this.#watcher.ref()
    return this.#watcher
  }

  /** Whether the open device keeps the process alive. */
  reference(referenced: boolean): void {
    this.#referenced = referenced
    if (referenced) this.#watcher?.ref()
    else this.#watcher?.unref()
  }

  /** The kernel's side of the wire; nothing when the interface is gone. */
  kernelSide(): KernelSide {
    return this.isOpen ? this.#interface.kernelSide() : { addresses: [], hasMaster: false }
  }

  setMtu(mtu: number): void {
    if (!this.isOpen) throw this.#goneError()
    this.#interface.setMtu(mtu)
  }

  /** Asks the kernel about the interface now. */
  refresh(): void {
    if (!this.isOpen || !this.#interface.refresh()) throw this.#goneError()
  }

  /**
   * The interface is down. The receiver is told once, whoever notices first: a write that failed or
   * the kernel's notice.
   */
  wentDown(): void {
    if (this.down) return
    this.down = true
    const { name } = this.#interface.info
    const error = systemError(EIO, 'write', `The interface '${name}' is down: 'ip link set ${name} up' brings it up.`)
    queueMicrotask(() => this.receiver?.failed(error, false))
  }

  /** Ends all traffic, and tells the receiver once. */
  fail(error: Error): void {
    if (!this.isOpen) return
    this.#end()
    try {
      this.receiver?.failed(error, true)
    } catch (thrown) {
      surface(thrown)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#end()
    closeSync(this.#fd)
  }

  #end(): void {
    this.isOpen = false
    this.#interface.close()
    this.#watcher?.close()
  }

  /** The interface has another MTU, another name, or went down or up. */
  #changed(): void {
    const { mtu, up } = this.#interface.info
    this.mtu = mtu
    if (up) this.down = false
    try {
      this.receiver?.changed?.()
    } catch (error) {
      surface(error)
    }
    if (!up) this.wentDown()
  }

  #goneError(): Error {
    return codedError(
      'ENODEV',
      `The interface '${this.name}' is gone: it was deleted, or its link was closed. Open the link again.`,
    )
  }
}
