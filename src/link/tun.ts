/**
 * Linux TUN and TAP devices: `/dev/net/tun`, driven through koffi (Linux: Documentation/networking/tuntap.rst).
 *
 * Packets are read with the non-blocking descriptor's `read`, many per wake-up, into one buffer that is lent upwards; `send` is one `write`.
 * The interface lives as long as the descriptor, unless somebody made it persistent.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { type Address, type Cidr, parseCidr } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import { HEADROOM, Packet } from '../base/packet.ts'
import { parseHardwareAddress, randomHardwareAddress } from './hardware-address.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from './link.ts'
import {
  codedError,
  EACCES,
  EAGAIN,
  EBADFD,
  EBUSY,
  EINTR,
  EINVAL,
  EIO,
  ENOBUFS,
  ENODEV,
  ENOENT,
  ENOMEM,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  errnoName,
  type Libc,
  loadLibc,
  systemError,
} from './tun-libc.ts'
import { addAddress, changeInterface, findInterface, type InterfaceInfo, isLocal, listAddresses } from './tun-netlink.ts'
import { chooseWakeup, surface, type Wakeup, type Watcher, watch } from './tun-poll.ts'

export interface TunOptions {
  /** `tun` carries IP packets, `tap` Ethernet frames. Default `tun`. */
  readonly kind?: 'tun' | 'tap'
  /**
   * Up to 15 bytes; `%d` becomes the first free number. A persistent device of this name (`ip tuntap add`) is attached to.
   * Default: the kernel chooses `tun0`, `tun1`, … or `tap0`, ….
   */
  readonly name?: string
  /** The kernel's MTU for the interface, in bytes, Ethernet header excluded: 68 to 65535. Default: the device's own, 1500 for a new one. */
  readonly mtu?: number
  /** Addresses with prefix lengths for the kernel's side, of both families. Default: none. */
  readonly peer?: string | readonly string[]
  /** Bring the interface up. Default `true`; `false` leaves it as it is. */
  readonly up?: boolean
  /** `IFF_MULTI_QUEUE`: the device may be opened once per queue, and the kernel spreads flows over the queues. Default `false`. */
  readonly multiQueue?: boolean
  /** Packets that may wait in the kernel while the program is busy; more are dropped there. Default: the device's own, 500 for a new TUN. */
  readonly queueLength?: number
  /** TAP: the stack's own Ethernet address, `02:00:00:00:00:01`. Default: random, locally administered. (The kernel's side has one of its own.) */
  readonly hardwareAddress?: string
  /** What reports that packets wait: libuv's poll handle (main thread of Node only), or a thread. Default `auto`: `uv` where it can be. */
  readonly wakeup?: Wakeup | 'auto'
}

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

const TUNSETIFF = 0x400454ca
const IFF_TUN = 0x0001
const IFF_TAP = 0x0002
const IFF_NO_PI = 0x1000
const IFF_MULTI_QUEUE = 0x0100
// struct ifreq: name 16 bytes, then a union, of which the flags are a u16.
const IFREQ = 40
const IFNAMSIZ = 16

const ETHERNET_HEADER = 14

/** Packets read per wake-up: some 0.1 to 0.3 ms with the stack's work, after which timers and other descriptors have their turn. */
const BUDGET = 128

/** More than a device's queue holds by default (500): a flood cannot keep `attach` for ever. */
const EARLY_LIMIT = 4096

/** Milliseconds; usually less than one passes. */
const LOCAL_ROUTE_PATIENCE = 500

/**
 * Opens a TUN or TAP device, or attaches to a persistent one; returns when it is usable.
 *
 * Needs root or CAP_NET_ADMIN, unless the device is persistent, belongs to the user and needs no change.
 * @throws {Error} with `code` and, in the message, what to do: `ENOTSUP` (not Linux), `ERR_TUN_NO_KOFFI`, `ENOENT`, `ENODEV`, `ENXIO` (no
 *   `/dev/net/tun`), `EPERM`, `EACCES` (privilege), `ERR_TUN_NO_UV`, `EBUSY` (attached elsewhere), `EINVAL` (bad name, other kind, refused MTU or address)
 * @throws {TypeError} when an option has the wrong form
 */
export function openTun(options: TunOptions = {}): TunLink {
  const kind = options.kind ?? 'tun'
  if (kind !== 'tun' && kind !== 'tap') throw new TypeError(`kind must be 'tun' or 'tap', not '${kind}'.`)
  const name = options.name ?? ''
  checkName(name)
  const peers = (typeof options.peer === 'string' ? [options.peer] : (options.peer ?? [])).map(parseCidr)
  const hardwareAddress =
    kind === 'tun' ? null : options.hardwareAddress === undefined ? randomHardwareAddress() : parseHardwareAddress(options.hardwareAddress)

  const libc = loadLibc()
  const wakeup = chooseWakeup(libc, options.wakeup ?? 'auto')
  const fd = openDevice(kind, name)
  try {
    const interfaceName = attachDevice(libc, fd, kind, name, options.multiQueue === true)
    const info = findInterface(libc, interfaceName)
    if (info === null) throw codedError('ENODEV', `The interface '${interfaceName}' vanished while it was opened.`)
    configure(libc, info, options, peers)
    return new TunLink(libc, fd, info, kind, hardwareAddress, wakeup)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** An open device. It becomes readable when a receiver is attached. */
export class TunLink implements Link {
  /** The kernel's name of the interface. */
  readonly name: string
  readonly interfaceName: string
  readonly medium: Medium
  readonly offload: Offload = NO_OFFLOAD
  readonly hardwareAddress: Uint8Array | null
  readonly loopback = false
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
  readonly #index: number
  readonly #linkHeader: number
  #mtu: number
  /** `gone`: the interface was deleted; the descriptor is still to be closed. */
  #state: 'open' | 'gone' | 'closed' = 'open'
  #receiver: LinkReceiver | null = null
  #watcher: Watcher | null = null
  #referenced = false
  /** The last write said that the interface is down, and this was reported. */
  #down = false

  readonly #received = new Packet()
  readonly #receiveAddress: number
  readonly #receiveRoom: number
  /** The buffer of the last sent packet, held while its address is used. */
  #sentBytes: Uint8Array
  #sentAddress: number

  /** Use {@link openTun}. */
  constructor(libc: Libc, fd: number, info: InterfaceInfo, kind: 'tun' | 'tap', hardwareAddress: Uint8Array | null, wakeup: Wakeup) {
    this.#libc = libc
    this.#fd = fd
    this.#index = info.index
    this.#mtu = info.mtu
    this.wakeup = wakeup
    this.name = info.name
    this.interfaceName = info.name
    this.medium = kind === 'tun' ? 'ip' : 'ethernet'
    this.#linkHeader = kind === 'tun' ? 0 : ETHERNET_HEADER
    this.hardwareAddress = hardwareAddress
    this.#sentBytes = this.#received.bytes
    this.#sentAddress = libc.addressOf(this.#received.bytes)
    this.#receiveAddress = this.#sentAddress + HEADROOM
    this.#receiveRoom = this.#received.bytes.length - HEADROOM
  }

  /** The interface's MTU as it was when the device was opened, or after {@link setMtu} or {@link refresh}. */
  get mtu(): number {
    return this.#mtu
  }

  attach(receiver: LinkReceiver): void {
    if (this.#receiver !== null) throw new Error(`The link '${this.name}' has a receiver already.`)
    this.#receiver = receiver
    if (this.#state !== 'open') return
    while (this.counters.earlyPackets < EARLY_LIMIT && this.#read() >= 0) this.counters.earlyPackets++
    this.#watcher = watch(this.#libc, this.#fd, this.wakeup, {
      readable: (broken) => this.#drain(broken),
      failed: (error) => this.#fail(error),
    })
    if (this.#referenced) this.#watcher.ref()
  }

  send(packet: Packet): Drop {
    const drop = this.#write(packet)
    if (drop !== Drop.None) this.counters.refusedPackets++
    return drop
  }

  /** Nothing is queued here: `send` has written. */
  flush(): void {}

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
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
   * The addresses that the kernel's side has now, link-local ones included; IPv6 addresses still in duplicate address detection are not.
   * Empty when the interface is gone.
   */
  kernelAddresses(): Cidr[] {
    return this.#state === 'open' ? listAddresses(this.#libc, this.#index) : []
  }

  /**
   * Sets the kernel's MTU and ours.
   * @throws {Error} with the kernel's `code` (`EINVAL`, `EPERM`, …), or `ENODEV` when the interface is gone
   */
  setMtu(mtu: number): void {
    this.#mustBeOpen()
    setMtu(this.#libc, this.#index, this.name, mtu)
    this.#mtu = mtu
  }

  /**
   * Reads the interface's MTU again, which `ip link set` may have changed; returns it.
   * @throws {Error} `ENODEV` when the interface is gone
   */
  refresh(): number {
    this.#mustBeOpen()
    const info = findInterface(this.#libc, this.#index)
    if (info === null) throw this.#goneError()
    this.#mtu = info.mtu
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

  #drain(broken: boolean): void {
    const receiver = this.#receiver as LinkReceiver
    const packet = this.#received
    const counters = this.counters
    counters.wakeups++
    let count = 0
    let errno = 0
    while (count < BUDGET && this.#state === 'open') {
      const length = this.#read()
      if (length < 0) {
        errno = this.#libc.errno()
        break
      }
      count++
      counters.receivedPackets++
      counters.receivedBytes += length
      packet.reset(HEADROOM, HEADROOM + length)
      try {
        receiver.input(packet)
      } catch (error) {
        surface(error)
      }
    }
    if (count > 0) {
      try {
        receiver.idle()
      } catch (error) {
        surface(error)
      }
    }
    if (errno !== 0 && errno !== EAGAIN && errno !== EINTR) this.#fail(this.#readError(errno))
    else if (broken) this.#fail(this.#readError(EBADFD))
  }

  #readError(errno: number): Error {
    if (errno === EBADFD || errno === ENODEV)
      return systemError(errno, 'read', `The interface '${this.name}' was deleted while it was in use.`)
    return systemError(errno, 'read', `Reading from the device '${this.name}' failed (${errnoName(errno)}).`)
  }

  #write(packet: Packet): Drop {
    if (this.#state !== 'open') return Drop.LinkDown
    const length = packet.end - packet.start
    if (length - this.#linkHeader > this.#mtu) return Drop.LinkMtuExceeded
    if (packet.bytes !== this.#sentBytes) {
      this.#sentBytes = packet.bytes
      this.#sentAddress = this.#libc.addressOf(packet.bytes)
    }
    if (this.#libc.write(this.#fd, this.#sentAddress + packet.start, length) >= 0) {
      this.counters.sentPackets++
      this.counters.sentBytes += length
      this.#down = false
      return Drop.None
    }
    return this.#refused(this.#libc.errno())
  }

  #refused(errno: number): Drop {
    switch (errno) {
      case EAGAIN:
      case ENOBUFS:
      case ENOMEM:
        return Drop.LinkQueueFull
      case EIO:
        // Linux: the interface is down. It may come up again.
        if (!this.#down) {
          this.#down = true
          const error = systemError(errno, 'write', `The interface '${this.name}' is down: 'ip link set ${this.name} up' brings it up.`)
          queueMicrotask(() => this.#receiver?.failed(error, false))
        }
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

  /** Nothing will pass any more; the upper side is told once. */
  #fail(error: Error): void {
    if (this.#state !== 'open') return
    this.#state = 'gone'
    this.#watcher?.close()
    try {
      this.#receiver?.failed(error, true)
    } catch (thrown) {
      surface(thrown)
    }
  }
}

function openDevice(kind: 'tun' | 'tap', name: string): number {
  try {
    // Node adds O_CLOEXEC, and closes the descriptor when the worker thread that opened it ends.
    return openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
  } catch (cause) {
    const { errno = 0 } = cause as NodeJS.ErrnoException
    const failed = -errno
    if (failed === ENOENT || failed === ENODEV || failed === ENXIO) {
      throw systemError(
        failed,
        'open',
        "There is no TUN driver behind /dev/net/tun. Load it with 'modprobe tun'; in a container pass the device in, for Docker with '--device /dev/net/tun --cap-add NET_ADMIN'.",
      )
    }
    if (failed === EACCES || failed === EPERM) throw privilegeError(failed, 'open', 'Opening /dev/net/tun is not permitted.', kind, name)
    throw cause
  }
}

/** TUNSETIFF: names the device, or attaches to the one of that name; returns the kernel's name. */
function attachDevice(libc: Libc, fd: number, kind: 'tun' | 'tap', name: string, multiQueue: boolean): string {
  const request = new Uint8Array(IFREQ)
  request.set(new TextEncoder().encode(name))
  const flags = (kind === 'tun' ? IFF_TUN : IFF_TAP) | IFF_NO_PI | (multiQueue ? IFF_MULTI_QUEUE : 0)
  new Uint16Array(request.buffer)[IFNAMSIZ / 2] = flags
  if (libc.ioctl(fd, TUNSETIFF, request) >= 0) return new TextDecoder().decode(request.subarray(0, request.indexOf(0)))

  const errno = libc.errno()
  const existing = name === '' ? null : findInterface(libc, name)
  if (errno === EPERM || errno === EACCES) {
    const what =
      existing === null ? `Making a ${kind.toUpperCase()} device` : `Attaching to the device '${name}', which belongs to somebody else,`
    throw privilegeError(errno, 'ioctl', `${what} is not permitted.`, kind, name)
  }
  throw systemError(errno, 'ioctl', attachProblem(errno, kind, name, multiQueue, existing))
}

function attachProblem(errno: number, kind: string, name: string, multiQueue: boolean, existing: InterfaceInfo | null): string {
  const choose = 'choose another name'
  if (existing === null) return `The kernel refused to make the ${kind.toUpperCase()} device '${name}' (${errnoName(errno)}).`
  if (existing.kind === 'other') return `'${name}' is a network interface but no TUN or TAP device: ${choose}.`
  if (existing.kind !== kind)
    return `'${name}' exists as a ${existing.kind.toUpperCase()} device: open it with kind '${existing.kind}', or ${choose}.`
  if (existing.multiQueue !== multiQueue) {
    return `The device '${name}' was made ${existing.multiQueue ? 'with' : 'without'} multiple queues: open it with multiQueue: ${existing.multiQueue}, or ${choose}.`
  }
  if (errno === EBUSY)
    return `The device '${name}' is in use by another program (or by another link of this one): close that, or ${choose}.`
  return `The kernel refused to attach to the device '${name}' (${errnoName(errno)}).`
}

/** Changes only what differs: a user who owns a persistent device may attach to it, but not change it. */
function configure(libc: Libc, info: InterfaceInfo, options: TunOptions, peers: readonly Cidr[]): void {
  if (options.mtu !== undefined && options.mtu !== info.mtu) {
    setMtu(libc, info.index, info.name, options.mtu)
    ;(info as { mtu: number }).mtu = options.mtu
  }
  const { queueLength } = options
  if (queueLength !== undefined) {
    if (!Number.isInteger(queueLength) || queueLength < 1 || queueLength > 1_000_000)
      throw new RangeError(`queueLength must be an integer from 1 to 1000000, not ${queueLength}.`)
    attempt(`ip link set ${info.name} txqueuelen ${queueLength}`, `Setting the queue length of '${info.name}'`, () =>
      changeInterface(libc, info.index, { queueLength }),
    )
  }
  if (options.up !== false && !info.up) {
    attempt(`ip link set ${info.name} up`, `Bringing the interface '${info.name}' up`, () =>
      changeInterface(libc, info.index, { up: true }),
    )
  }
  const present = peers.length === 0 ? [] : listAddresses(libc, info.index)
  for (const peer of peers) {
    if (present.some(({ address, prefix }) => address.equals(peer.address) && prefix.length === peer.prefix.length)) continue
    const text = `${peer.address}/${peer.prefix.length}`
    attempt(`ip address add ${text} dev ${info.name}`, `Adding the address ${text} to '${info.name}'`, () =>
      addAddress(libc, info.index, peer),
    )
  }
  if (info.up || options.up !== false) for (const { address } of peers) if (address.family === 6) awaitLocal(libc, address)
}

/** Linux adds the local route of an IPv6 address from a work queue, moments after the address: until then packets to it are lost. */
function awaitLocal(libc: Libc, address: Address): void {
  const clock = new Int32Array(new SharedArrayBuffer(4))
  for (let milliseconds = 0; milliseconds < LOCAL_ROUTE_PATIENCE && !isLocal(libc, address); milliseconds++) Atomics.wait(clock, 0, 0, 1)
}

function setMtu(libc: Libc, index: number, name: string, mtu: number): void {
  if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) throw new RangeError(`mtu must be an integer from 68 to 65535, not ${mtu}.`)
  attempt(`ip link set ${name} mtu ${mtu}`, `Setting the MTU of '${name}' to ${mtu}`, () => changeInterface(libc, index, { mtu }))
}

/** Gives the kernel's refusal a message with the fix. */
function attempt(command: string, what: string, change: () => void): void {
  try {
    change()
  } catch (cause) {
    const { code, errno = 0 } = cause as NodeJS.ErrnoException
    const failed = -errno
    if (failed === EPERM) {
      throw systemError(
        failed,
        'rtnetlink',
        `${what} is not permitted: run as root or with CAP_NET_ADMIN, or let root do it before: '${command}'.`,
      )
    }
    const isIPv6 = command.includes(':')
    const hint =
      failed === EACCES || failed === EOPNOTSUPP
        ? ' (IPv6 is disabled there: see the sysctl net.ipv6.conf.all.disable_ipv6)'
        : isIPv6
          ? ' (IPv6 needs an MTU of at least 1280)'
          : ''
    throw systemError(failed, 'rtnetlink', `${what} failed: ${code}${hint}.`)
  }
}

function privilegeError(errno: number, syscall: string, problem: string, kind: string, name: string): Error {
  const device = name === '' || name.includes('%') ? 'NAME' : name
  return systemError(
    errno,
    syscall,
    `${problem} Run as root or with CAP_NET_ADMIN, or in a private network namespace ('unshare -rn COMMAND'), or let root make a persistent device that is yours ('ip tuntap add dev ${device} mode ${kind} user USER') and open it by name.`,
  )
}

/** Linux's rules (net/core/dev.c, dev_valid_name), with one `%d` at most. */
function checkName(name: string): void {
  const length = new TextEncoder().encode(name).length
  const problem =
    length >= IFNAMSIZ
      ? `it has ${length} bytes, and ${IFNAMSIZ - 1} are the most`
      : /[\s/:\0]/.test(name)
        ? 'blanks, slashes and colons are not allowed'
        : name === '.' || name === '..'
          ? 'it means a directory'
          : name.replace('%d', '').includes('%')
            ? "'%' may only stand once, as '%d'"
            : ''
  if (problem !== '') throw systemError(EINVAL, 'ioctl', `Not a name for a network interface: '${name}': ${problem}.`)
}
