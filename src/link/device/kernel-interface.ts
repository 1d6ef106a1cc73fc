/**
 * The kernel's interface behind an open descriptor: what it is now, whoever changes it.
 *
 * rtnetlink tells of every change (rtnetlink(7), group RTMGRP_LINK), so nothing is asked in
 * intervals. A notice only says that something changed; what is true is then asked for, so that
 * late and lost notices do no harm. A device's interface that is moved to another network namespace
 * is followed there (TUNGETDEVNETNS), where that is permitted; else it stays as it was last seen,
 * and counts as up.
 */
import { closeSync } from 'node:fs'
import type { Cidr } from '../../base/address.ts'
import { openNotices, readNotices } from './netlink-notices.ts'
import { inNamespace, type Libc } from './tun-libc.ts'
import { findInterface, type InterfaceInfo, listAddresses } from './tun-netlink.ts'

import { setMtu } from './tun-setup.ts'
import type { Watcher } from './watcher.ts'

/** What the kernel has on its side of the wire. */
export interface KernelSide {
  readonly addresses: Cidr[]
  /** Whether it is a port of a bridge or a bond, which has the addresses in its place. */
  readonly hasMaster: boolean
}

/** How a descriptor finds its interface again. */
export interface InterfaceFinder {
  /** The interface's name now, wherever it is; empty when it is gone. */
  name(): string
  /** A descriptor of the namespace that it is in, to be closed; -1 when that may not be known. */
  namespace(): number
}

export class KernelInterface {
  readonly #libc: Libc
  readonly #finder: InterfaceFinder
  #info: InterfaceInfo
  /**
   * A descriptor of the namespace that the interface was moved to; -1 while it is in this thread's.
   */
  #namespace = -1
  /** The socket that notices come by; -1 where there is none. */
  #notices = -1
  #watcher: Watcher | null = null
  #unwatch: (() => void) | null = null
  /** Told after each change of the facts. */
  changed: (() => void) | null = null

  constructor(libc: Libc, finder: InterfaceFinder, info: InterfaceInfo) {
    this.#libc = libc
    this.#finder = finder
    this.#info = info
    this.#listen()
    try {
      // Asked after the notices were ordered: no change is missed.
      this.#info = this.#find(info.index) ?? info
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** What was true when the last notice was read. */
  get info(): InterfaceInfo {
    return this.#info
  }

  /** Reads the notices as they come; before, they are read when somebody asks ({@link catchUp}). */
  watch(watcher: Watcher): void {
    this.#watcher = watcher
    if (this.#notices >= 0) this.#unwatch = watcher.also(this.#notices, () => this.catchUp())
  }

  /** Reads what notices wait. */
  catchUp(): void {
    if (this.#notices < 0) return
    const { index } = this.#info
    const news = readNotices(this.#libc, this.#notices, index)
    if (news === 'nothing') return
    const found = this.#find(index)
    if (found !== null) this.#became(found)
    else this.#follow()
  }

  /** Asks the kernel now; `false` when the interface is gone. */
  refresh(): boolean {
    this.catchUp()
    const found = this.#find(this.#info.index)
    if (found === null) return this.#follow()
    this.#became(found)
    return true
  }

  setMtu(mtu: number): void {
    const { index, name } = this.#info
    inNamespace(this.#libc, this.#namespace, () => setMtu(this.#libc, index, name, mtu))
    this.#became({ ...this.#info, mtu })
  }

  kernelSide(): KernelSide {
    const { index } = this.#info
    return inNamespace(this.#libc, this.#namespace, () => ({
      addresses: listAddresses(this.#libc, index),
      hasMaster: (findInterface(this.#libc, index)?.master ?? 0) !== 0,
    }))
  }

  close(): void {
    this.#deafen()
    this.changed = null
    if (this.#namespace >= 0) closeSync(this.#namespace)
    this.#namespace = -1
  }

  #became(info: InterfaceInfo): void {
    const { index, name, mtu, up } = this.#info
    this.#info = info
    if (info.index !== index || info.name !== name || info.mtu !== mtu || info.up !== up) this.changed?.()
  }

  /** The interface when it is this device's: another one may have got its number. */
  #find(index: number): InterfaceInfo | null {
    const found = inNamespace(this.#libc, this.#namespace, () => findInterface(this.#libc, index))
    return found !== null && found.name === this.#finder.name() ? found : null
  }

  /** The interface is not where it was: deleted, or moved; `false` when it is deleted. */
  #follow(): boolean {
    const name = this.#finder.name()
    // The descriptor reports that.
    if (name === '') return false
    this.#deafen()
    const namespace = this.#finder.namespace()
    if (this.#namespace >= 0) closeSync(this.#namespace)
    this.#namespace = namespace
    let found: InterfaceInfo | null = null
    try {
      if (namespace >= 0) {
        inNamespace(this.#libc, namespace, () => this.#listen())
        found = inNamespace(this.#libc, namespace, () => findInterface(this.#libc, name))
      }
    } catch {
      // It may not be entered.
      this.#deafen()
    }
    if (this.#watcher !== null) this.watch(this.#watcher)
    this.#became(found ?? { ...this.#info, name, up: true })
    return true
  }

  #listen(): void {
    this.#notices = openNotices(this.#libc)
  }

  #deafen(): void {
    this.#unwatch?.()
    this.#unwatch = null
    if (this.#notices >= 0) closeSync(this.#notices)
    this.#notices = -1
  }
}
