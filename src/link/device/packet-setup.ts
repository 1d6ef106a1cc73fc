/**
 * Opening and configuring a packet socket, and what to say when the kernel refuses: every message
 * names the fix.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { parseHardwareAddress } from '../../wire/hardware-address.ts'
import type { PacketLibc } from './packet-libc.ts'
import { openOwned } from './tun-descriptor.ts'
import { EACCES, EINVAL, ENODEV, EPERM, errnoName, type Libc, systemError } from './tun-libc.ts'
import { changeInterface, findInterface, type InterfaceInfo, listAddresses } from './tun-netlink.ts'
import type { Wakeup } from './tun-poll.ts'

export interface PacketOptions {
  /** The name of an Ethernet interface that exists. */
  readonly interface: string
  /**
   * The stack's own Ethernet address, `02:00:00:00:00:01`; the interface is promiscuous then, and
   * the kernel stays a host of its own beside the stack. `interface` takes the interface's: the
   * kernel then gives up ARP and IPv6 there as long as the link is open, and must have no IPv4
   * address there. Default: random, locally administered.
   */
  readonly hardwareAddress?: string
  /**
   * The kernel's MTU for the interface, in bytes, Ethernet header excluded: 68 to 65535. Default:
   * as it is.
   */
  readonly mtu?: number
  /** Bring the interface up. Default `true`; `false` leaves it as it is. */
  readonly up?: boolean
  /**
   * Frames that may wait in the kernel while the program is busy; more are lost, and counted
   * (`counters.lostPackets`). Each takes a slot of 2048 bytes at an MTU of 1500. 32 to 1048576.
   * Default 8192.
   */
  readonly ringFrames?: number
  /**
   * Checksums that the interface completes are left to it, and datagrams of one flow that are sent
   * in one turn leave as one frame, which the interface or the kernel takes apart
   * (PACKET_VNET_HDR). `false` sends complete, single frames. What comes in is understood in either
   * case: checksums that a local sender left out, and frames that it sent in one, or that the
   * kernel merged (GRO). Default `true`.
   */
  readonly offload?: boolean
  /** As of {@link TunOptions.wakeup}. */
  readonly wakeup?: Wakeup | 'auto'
  /** As of {@link TunOptions.wakeupThread}. */
  readonly wakeupThread?: string | URL
  /** As of {@link TunOptions.busyPoll}. */
  readonly busyPoll?: number | 'auto'
}

const AF_PACKET = 17
const SOCK_RAW = 3
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_ERROR = 4
const SO_RCVBUF = 8
const SO_SNDBUF = 7
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33
const SOL_PACKET = 263
const PACKET_ADD_MEMBERSHIP = 1
const PACKET_STATISTICS = 6
const PACKET_COPY_THRESH = 7
const PACKET_VERSION = 10
const PACKET_VNET_HDR = 15
const PACKET_IGNORE_OUTGOING = 23
const TPACKET_V2 = 1
const PACKET_MR_PROMISC = 1
const PACKET_MR_ALLMULTI = 2
/** In network byte order. */
const ETH_P_ALL = 0x0003
/**
 * struct sockaddr_ll: family u16, protocol u16 (network order), index s32, type u16, packet type
 * u8, address length u8, address 8.
 */
const SOCKADDR_LL = 20
const ARPHRD_ETHER = 1

/**
 * Bytes of a slot in front of the frame: struct tpacket2_hdr and struct sockaddr_ll, 16 for the
 * Ethernet header, the vnet header, all with room to spare.
 */
const SLOT_OVERHEAD = 128
const SMALLEST_SLOT = 2048
const LONGEST_SLOT = 65_536
const MOST_FRAMES = 1_048_576
/** Bytes that merged frames may wait in, beside the ring, and sent ones. */
const SOCKET_BUFFER = 4 * 1024 * 1024

/** @throws {RangeError} */
export function checkRingFrames(frames: number): void {
  if (!Number.isInteger(frames) || frames < 32 || frames > MOST_FRAMES)
    throw new RangeError(`ringFrames must be an integer from 32 to ${MOST_FRAMES}, not ${frames}.`)
}

/**
 * The interface of that name.
 * @throws {TypeError} when the name is none
 * @throws {Error} `ENODEV` when there is none, `EINVAL` when it is no Ethernet interface
 */
export function requireInterface(libc: Libc, name: string): InterfaceInfo {
  if (typeof name !== 'string' || name === '')
    throw new TypeError("interface must be the name of an interface, such as 'eth0'.")
  const info = findInterface(libc, name)
  if (info === null) {
    const names = Object.keys(networkInterfaces())
    const known = names.length === 0 ? '' : ` Of those that are up with an address there are: ${names.join(', ')}.`
    throw systemError(
      ENODEV,
      'bind',
      `There is no interface '${name}' in this network namespace: 'ip link' lists them.${known}`,
    )
  }
  if (info.hardwareType === ARPHRD_ETHER) return info
  const instead =
    info.kind === 'tun'
      ? 'it is a TUN device: attach to it with openTun, as its owner'
      : 'packets there have no Ethernet header'
  throw systemError(EINVAL, 'bind', `'${name}' is no Ethernet interface: ${instead}.`)
}

/** @throws {Error} `EPERM` with what to do */
export function openSocket(libc: Libc): number {
  try {
    // Of protocol 0 until it is bound: no frame comes before the ring is there.
    return openOwned(libc, 'socket', 'Opening a packet socket failed', () =>
      libc.socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
    )
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'EPERM' && code !== 'EACCES') throw cause
    throw systemError(
      code === 'EPERM' ? EPERM : EACCES,
      'socket',
      'Opening a packet socket is not permitted. Run as root or with CAP_NET_RAW, or in a private network namespace ' +
        "('unshare -rn COMMAND') whose interfaces are yours.",
    )
  }
}

/** Bytes of a ring's slot for frames of that MTU; longer ones wait in the socket. */
export function slotSize(mtu: number): number {
  let size = SMALLEST_SLOT
  while (size < mtu + SLOT_OVERHEAD && size < LONGEST_SLOT) size *= 2
  return size
}

/**
 * Says how frames are to come, before the ring is made; returns whether they have vnet headers.
 * @throws {Error} when the kernel is too old
 */
export function prepare(libc: Libc, packetLibc: PacketLibc, fd: number): boolean {
  const set = (level: number, name: number, value: number) =>
    packetLibc.setsockopt(fd, level, name, new Int32Array([value]), 4) >= 0
  const require = (name: number, value: number, what: string) => {
    if (set(SOL_PACKET, name, value)) return
    const errno = libc.errno()
    throw systemError(errno, 'setsockopt', `This kernel has no ${what} (${errnoName(errno)}).`)
  }
  require(PACKET_VERSION, TPACKET_V2, 'packet rings of version 2')
  require(PACKET_IGNORE_OUTGOING, 1, 'PACKET_IGNORE_OUTGOING, which came with Linux 4.20')
  // The whole of a frame that does not fit a slot waits in the socket.
  require(PACKET_COPY_THRESH, 1, 'PACKET_COPY_THRESH')
  for (const [force, usual] of [
    [SO_RCVBUFFORCE, SO_RCVBUF],
    [SO_SNDBUFFORCE, SO_SNDBUF],
  ] as const)
    if (!set(SOL_SOCKET, force, SOCKET_BUFFER)) set(SOL_SOCKET, usual, SOCKET_BUFFER)
  return set(SOL_PACKET, PACKET_VNET_HDR, 1)
}

/**
 * From now on the interface's frames come: all of them, if `promiscuous`, else those for it and for
 * all groups.
 */
export function bindTo(
  libc: Libc,
  packetLibc: PacketLibc,
  fd: number,
  info: InterfaceInfo,
  promiscuous: boolean,
): void {
  const address = new Uint8Array(SOCKADDR_LL)
  const view = new DataView(address.buffer)
  new Uint16Array(address.buffer)[0] = AF_PACKET
  view.setUint16(2, ETH_P_ALL)
  new Int32Array(address.buffer)[1] = info.index
  const refuse = (syscall: string) => {
    const errno = libc.errno()
    return systemError(errno, syscall, `The kernel refused the interface '${info.name}' (${errnoName(errno)}).`)
  }
  if (libc.bind(fd, address, SOCKADDR_LL) < 0) throw refuse('bind')
  // struct packet_mreq: index s32, type u16, address length u16, address 8.
  const membership = new Int32Array([info.index, 0, 0, 0])
  new Uint16Array(membership.buffer)[2] = promiscuous ? PACKET_MR_PROMISC : PACKET_MR_ALLMULTI
  if (packetLibc.setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership, 16) < 0) throw refuse('setsockopt')
}

/** Frames that the kernel could not put into the ring since the last call. */
export function takeLost(packetLibc: PacketLibc, fd: number): number {
  const counts = new Uint32Array(2)
  packetLibc.getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, new Int32Array(counts.buffer), new Uint32Array([8]))
  return counts[1] as number
}

/** Clears what the socket reports as its error, so that it can be watched again. */
export function clearError(packetLibc: PacketLibc, fd: number): void {
  packetLibc.getsockopt(fd, SOL_SOCKET, SO_ERROR, new Int32Array(1), new Uint32Array([4]))
}

/** The stack's Ethernet address, `null` for the interface's own. */
export function ownAddress(choice: string | undefined): Uint8Array | null | undefined {
  if (choice === undefined) return undefined
  return choice === 'interface' ? null : parseHardwareAddress(choice)
}

/**
 * Makes the kernel keep quiet on an interface whose address the stack has: no ARP, no IPv6, no
 * forwarding of what comes in. Returns what undoes it.
 * @throws {Error} `EBUSY` while the kernel has IPv4 addresses there, `EPERM` without CAP_NET_ADMIN
 */
export function quietKernel(libc: Libc, info: InterfaceInfo): () => void {
  const { index, name, arp } = info
  const four = listAddresses(libc, index).filter(({ address }) => address.family === 4)
  if (four.length > 0) {
    const list = four.map(({ address, prefix }) => `${address}/${prefix.length}`).join(', ')
    throw Object.assign(
      new Error(
        `The kernel has ${list} on '${name}' and would answer beside the stack: 'ip address flush dev ${name}', or ` +
          "give the stack an Ethernet address of its own (without hardwareAddress: 'interface').",
      ),
      { code: 'EBUSY' },
    )
  }
  const undo: (() => void)[] = []
  const restore = () => {
    for (const each of undo.splice(0).reverse()) {
      try {
        each()
      } catch {
        // The interface is gone, and its settings with it.
      }
    }
  }
  try {
    if (arp) {
      changeInterface(libc, index, { arp: false })
      undo.push(() => changeInterface(libc, index, { arp: true }))
    }
    for (const [setting, value] of [
      ['ipv6', 'disable_ipv6', '1'],
      ['ipv4', 'forwarding', '0'],
    ].map(([family, key, wanted]) => [`/proc/sys/net/${family}/conf/${name}/${key}`, wanted] as const)) {
      const before = readSetting(setting)
      if (before === null || before === value) continue
      writeFileSync(setting, value as string)
      undo.push(() => writeFileSync(setting, before))
    }
    return restore
  } catch (cause) {
    restore()
    const { code } = cause as NodeJS.ErrnoException
    throw systemError(
      code === 'EPERM' || code === 'EACCES' ? EPERM : EINVAL,
      'rtnetlink',
      `The kernel cannot be kept quiet on '${name}' (${code}): run with CAP_NET_ADMIN, or give the stack an Ethernet ` +
        "address of its own (without hardwareAddress: 'interface').",
    )
  }
}

/** `null` where there is no such setting, as without IPv6. */
function readSetting(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return null
  }
}
