/**
 * Making, naming and configuring a device, and what to say when the kernel refuses: every message
 * names the fix.
 */

import { constants, openSync, statSync } from 'node:fs'
import type { Address } from '../../base/address.ts'
import type { InterfaceAddress } from './point-to-point.ts'
import { openOwned } from './tun-descriptor.ts'
import {
  EACCES,
  EBUSY,
  EINVAL,
  ENODEV,
  ENOENT,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  errnoName,
  type Libc,
  systemError,
} from './tun-libc.ts'
import {
  addAddress,
  changeInterface,
  findInterface,
  type InterfaceInfo,
  isLocal,
  listAddresses,
} from './tun-netlink.ts'
import type { Wakeup } from './tun-poll.ts'

export interface TunOptions {
  /** `tun` carries IP packets, `tap` Ethernet frames. Default `tun`. */
  readonly kind?: 'tun' | 'tap'
  /**
   * Up to 15 bytes; `%d` becomes the first free number. A persistent device of this name
   * (`ip tuntap add`) is attached to. Default: the kernel chooses `tun0`, `tun1`, … or `tap0`, ….
   */
  readonly name?: string
  /**
   * The kernel's MTU for the interface, in bytes, Ethernet header excluded: 68 to 65535. Default:
   * the device's own, 1500 for a new one.
   */
  readonly mtu?: number
  /**
   * Addresses with prefix lengths for the kernel's side, of both families, or point-to-point ones:
   * `10.9.0.1 peer 10.9.0.2`. Default: none.
   */
  readonly peer?: string | readonly string[]
  /** Bring the interface up. Default `true`; `false` leaves it as it is. */
  readonly up?: boolean
  /**
   * How often the device may be open at the same time, 1 to 256: with more than 1
   * (`IFF_MULTI_QUEUE`) every opening is a queue, and the kernel spreads flows over them. One stack
   * per worker thread, each on a queue: a service on several cores. Default 1.
   */
  readonly queues?: number
  /**
   * Packets that may wait in the kernel while the program is busy; more are dropped there. Default:
   * the device's own, 500 for a new TUN.
   */
  readonly queueLength?: number
  /**
   * TAP: the stack's own Ethernet address, `02:00:00:00:00:01`. Default: random, locally
   * administered. (The kernel's side has one of its own.)
   */
  readonly hardwareAddress?: string
  /**
   * TUN: IFF_VNET_HDR. Datagrams of one flow that are sent in one turn leave as one frame for the
   * kernel to take apart, checksums between the kernel and the stack are left out, and large frames
   * of senders with UDP_SEGMENT come in whole. A capture on the kernel's interface shows such
   * frames as they pass: longer than the MTU, checksums incomplete, as on any interface with
   * offloads. Default `true`.
   */
  readonly offload?: boolean
  /**
   * What reports that packets wait: libuv's poll handle (main thread of Node only), or a thread.
   * Default `auto`: `uv` where it can be.
   */
  readonly wakeup?: Wakeup | 'auto'
  /**
   * Where the program of that thread is, a path or a `file:` URL: for a bundle, which has to bring
   * the file `tungram/wakeup-thread` along. Default: beside the library's own files.
   */
  readonly wakeupThread?: string | URL
  /**
   * Microseconds, 0 to 10000, for which the process polls the device after the last packet before
   * it sleeps. A packet in that time needs no wake-up; the price is a busy core. Timers and other
   * descriptors are served in between. `auto` polls for up to 80 µs, as long as packets come in
   * less time than a wake-up takes (40 µs on average), and tries again now and then. Default 0.
   * (Linux: net.core.busy_poll.)
   */
  readonly busyPoll?: number | 'auto'
}

const TUNSETIFF = 0x400454ca
const TUNGETIFF = 0x800454d2
/** Linux 5.2. */
const TUNGETDEVNETNS = 0x54e3
const IFF_TUN = 0x0001
const IFF_TAP = 0x0002
const IFF_NO_PI = 0x1000
const IFF_MULTI_QUEUE = 0x0100
const IFF_VNET_HDR = 0x4000
const TUNSETOFFLOAD = 0x400454d0
const TUN_F_CSUM = 0x01
/** TSO4, TSO6, TSO_ECN. */
const TUN_F_TSO = 0x02 | 0x04 | 0x08
/** UDP segmentation for both families: Linux 6.2. */
const TUN_F_USO = 0x20 | 0x40
// struct ifreq: name 16 bytes, then a union, of which the flags are a u16.
const IFREQ = 40
const IFNAMSIZ = 16

/** Milliseconds; usually less than one passes. */
const LOCAL_ROUTE_PATIENCE = 500

/** Linux: MAX_TAP_QUEUES. */
const MAX_QUEUES = 256

/** Microseconds: other things of the process wait so long at most. */
const MAX_BUSY_POLL = 10_000

/** @throws {RangeError} */
export function checkQueues(queues: number): void {
  if (!Number.isInteger(queues) || queues < 1 || queues > MAX_QUEUES)
    throw new RangeError(`queues must be an integer from 1 to ${MAX_QUEUES}, not ${queues}.`)
}

/** @throws {RangeError} */
export function checkBusyPoll(busyPoll: number | 'auto'): void {
  if (busyPoll === 'auto' || (typeof busyPoll === 'number' && busyPoll >= 0 && busyPoll <= MAX_BUSY_POLL)) return
  throw new RangeError(
    `busyPoll must be 0 to ${MAX_BUSY_POLL} microseconds, not ${String(busyPoll)}. 'auto' polls as long as that pays.`,
  )
}

/** @throws {Error} `EBUSY` when this opening is one more than `queues` */
export function checkQueueFree(info: InterfaceInfo, queues: number): void {
  if (queues === 1 || info.queues <= queues) return
  throw systemError(
    EBUSY,
    'open',
    `The device '${info.name}' has its ${queues} queues open already: close one, or open all of them with a ` +
      `larger 'queues'.`,
  )
}

/** Opens `/dev/net/tun`, non-blocking; returns the descriptor. */
export function openDevice(): number {
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
        "There is no TUN driver behind /dev/net/tun. Load it with 'modprobe tun'; in a container pass the " +
          "device in, for Docker with '--device /dev/net/tun --cap-add NET_ADMIN'.",
      )
    }
    if (failed === EACCES || failed === EPERM) throw openError(failed)
    throw cause
  }
}

/**
 * Who may open the file is a matter of its mode, which a network namespace of one's own does not
 * change; EPERM is the answer of a container that has no right to the device.
 */
function openError(errno: number): Error {
  const problem = 'Opening /dev/net/tun is not permitted'
  if (errno === EPERM)
    return systemError(
      errno,
      'open',
      `${problem}: in a container pass the device in, for Docker with '--device /dev/net/tun --cap-add NET_ADMIN'.`,
    )
  const mode = (statSync('/dev/net/tun').mode & 0o777).toString(8).padStart(4, '0')
  return systemError(
    errno,
    'open',
    `${problem}: its mode is ${mode}. Run as root with CAP_NET_ADMIN, or let ` +
      `root open it to all ('chmod 666 /dev/net/tun', its usual mode): then it works in a private network namespace ` +
      `('unshare -rn COMMAND') without root.`,
  )
}

/** TUNSETIFF: names the device, or attaches to the one of that name; returns the kernel's name. */
export function attachDevice(
  libc: Libc,
  fd: number,
  kind: 'tun' | 'tap',
  name: string,
  queues: number,
  offload: boolean,
): string {
  const multiQueue = queues > 1
  const request = new Uint8Array(IFREQ)
  request.set(new TextEncoder().encode(name))
  const flags =
    (kind === 'tun' ? IFF_TUN : IFF_TAP) | IFF_NO_PI | (multiQueue ? IFF_MULTI_QUEUE : 0) | (offload ? IFF_VNET_HDR : 0)
  new Uint16Array(request.buffer)[IFNAMSIZ / 2] = flags
  if (libc.ioctl(fd, TUNSETIFF, request) >= 0) return new TextDecoder().decode(request.subarray(0, request.indexOf(0)))

  const errno = libc.errno()
  const existing = name === '' ? null : findInterface(libc, name)
  if (errno === EPERM || errno === EACCES) {
    const what =
      existing === null
        ? `Making a ${kind.toUpperCase()} device`
        : `Attaching to the device '${name}', which belongs to somebody else,`
    throw privilegeError(errno, 'ioctl', `${what} is not permitted.`, kind, name)
  }
  throw systemError(errno, 'ioctl', attachProblem(errno, kind, name, queues, existing))
}

function attachProblem(
  errno: number,
  kind: string,
  name: string,
  queues: number,
  existing: InterfaceInfo | null,
): string {
  const choose = 'choose another name'
  if (existing === null)
    return `The kernel refused to make the ${kind.toUpperCase()} device '${name}' (${errnoName(errno)}).`
  if (existing.kind === 'other') return `'${name}' is a network interface but no TUN or TAP device: ${choose}.`
  if (existing.kind !== kind)
    return (
      `'${name}' exists as a ${existing.kind.toUpperCase()} device: open it with kind '${existing.kind}', ` +
      `or ${choose}.`
    )
  if (existing.multiQueue !== queues > 1) {
    const fix = existing.multiQueue ? 'with queues: 2 or more' : 'with one queue'
    return (
      `The device '${name}' was made ${existing.multiQueue ? 'with' : 'without'} multiple queues: open it ` +
      `${fix}, or ${choose}.`
    )
  }
  if (errno === EBUSY)
    return (
      `The device '${name}' is in use by another program (or by another link of this one): close that, or ` +
      `${choose}.`
    )
  return `The kernel refused to attach to the device '${name}' (${errnoName(errno)}).`
}

/** The name of the device's interface now, wherever that is; empty when it was deleted. */
export function deviceName(libc: Libc, fd: number): string {
  const request = new Uint8Array(IFREQ)
  if (libc.ioctl(fd, TUNGETIFF, request) < 0) return ''
  return new TextDecoder().decode(request.subarray(0, request.indexOf(0)))
}

/**
 * A descriptor of the network namespace that the device's interface is in, or -1 when that may not
 * be known.
 */
export function deviceNamespace(libc: Libc, fd: number): number {
  try {
    return openOwned(libc, 'ioctl', 'The network namespace cannot be known', () =>
      libc.ioctlValue(fd, TUNGETDEVNETNS, 0),
    )
  } catch {
    return -1
  }
}

/**
 * What the kernel may leave to us; a kernel that does not know UDP segmentation keeps TCP's.
 */
export function acceptOffloads(libc: Libc, fd: number): void {
  const wanted = TUN_F_CSUM | TUN_F_TSO
  if (libc.ioctlValue(fd, TUNSETOFFLOAD, wanted | TUN_F_USO) < 0) libc.ioctlValue(fd, TUNSETOFFLOAD, wanted)
}

/**
 * Changes only what differs: a user who owns a persistent device may attach to it, but not change
 * it.
 */
export function configure(
  libc: Libc,
  info: InterfaceInfo,
  options: TunOptions,
  peers: readonly InterfaceAddress[],
): void {
  if (options.mtu !== undefined && options.mtu !== info.mtu) setMtu(libc, info.index, info.name, options.mtu)
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
    if (present.some(({ address, prefix }) => address.equals(peer.address) && prefix.length === peer.prefix.length))
      continue
    const network = `${peer.far ?? peer.address}/${peer.prefix.length}`
    const text = peer.far === null ? network : `${peer.address} peer ${network}`
    const command = `ip address add ${text} dev ${info.name}`
    const add = () => addAddress(libc, info.index, peer)
    attempt(command, `Adding the address ${text} to '${info.name}'`, add, peer.address.family === 6)
  }
  if (info.up || options.up !== false)
    for (const { address } of peers) if (address.family === 6) awaitLocal(libc, address)
}

/**
 * Linux adds the local route of an IPv6 address from a work queue, moments after the address: until
 * then packets to it are lost.
 */
export function awaitLocal(libc: Libc, address: Address): void {
  const clock = new Int32Array(new SharedArrayBuffer(4))
  for (let milliseconds = 0; milliseconds < LOCAL_ROUTE_PATIENCE && !isLocal(libc, address); milliseconds++)
    Atomics.wait(clock, 0, 0, 1)
}

export function setMtu(libc: Libc, index: number, name: string, mtu: number): void {
  if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65_535)
    throw new RangeError(`mtu must be an integer from 68 to 65535, not ${mtu}.`)
  attempt(`ip link set ${name} mtu ${mtu}`, `Setting the MTU of '${name}' to ${mtu}`, () =>
    changeInterface(libc, index, { mtu }),
  )
}

/** Gives the kernel's refusal a message with the fix. */
function attempt(command: string, what: string, change: () => void, isIPv6 = false): void {
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
    const hint = !isIPv6
      ? ''
      : failed === EACCES || failed === EOPNOTSUPP
        ? ' (IPv6 is disabled there: see the sysctl net.ipv6.conf.all.disable_ipv6)'
        : ' (IPv6 needs an MTU of at least 1280)'
    throw systemError(failed, 'rtnetlink', `${what} failed: ${code}${hint}.`)
  }
}

function privilegeError(errno: number, syscall: string, problem: string, kind: string, name: string): Error {
  const device = name === '' || name.includes('%') ? 'NAME' : name
  return systemError(
    errno,
    syscall,
    `${problem} Run as root or with CAP_NET_ADMIN, or in a private network namespace ('unshare -rn COMMAND'), ` +
      `or let root make a persistent device that is yours ('ip tuntap add dev ${device} mode ${kind} user ` +
      `USER') and open it by name.`,
  )
}

/** Linux's rules (net/core/dev.c, dev_valid_name), with one `%d` at most. */
export function checkName(name: string): void {
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
