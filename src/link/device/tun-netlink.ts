/**
 * Interface settings by rtnetlink (rtnetlink(7), netlink(7)), so that no `ip` program is needed.
 *
 * One short-lived socket per request; the kernel answers before `send` returns, so nothing waits.
 */
import { closeSync } from 'node:fs'
import { endianness } from 'node:os'
import { Address, type Cidr, Prefix } from '../../base/address.ts'
import { openOwned } from './tun-descriptor.ts'
import { EAGAIN, EINTR, ENOBUFS, type Libc, systemError } from './tun-libc.ts'

const LITTLE = endianness() === 'LE'

const AF_NETLINK = 16
const AF_INET = 2
const AF_INET6 = 10
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
/** struct sockaddr_nl: family u16, pad u16, port u32, groups u32. */
const SOCKADDR_NL = 12
const RTMGRP_LINK = 1
const NETLINK_ROUTE = 0

// struct nlmsghdr: length u32, type u16, flags u16, sequence u32, port u32
const HEADER = 16
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_REQUEST = 0x1
const NLM_F_ACK = 0x4
const NLM_F_DUMP = 0x300
const NLM_F_REPLACE = 0x100
const NLM_F_CREATE = 0x400

const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_GETLINK = 18
const RTM_NEWADDR = 20
const RTM_GETADDR = 22
const RTM_GETROUTE = 26

// struct ifinfomsg: family u8, pad u8, type u16, index s32, flags u32, change u32; then attributes
const IFINFOMSG = 16
const IFF_UP = 0x1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_TXQLEN = 13
const IFLA_LINKINFO = 18
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const IFLA_TUN_TYPE = 3
const IFLA_TUN_MULTI_QUEUE = 7
const IFLA_TUN_NUM_QUEUES = 8

// struct ifaddrmsg: family u8, prefix length u8, flags u8, scope u8, index u32; then attributes
const IFADDRMSG = 8
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_FLAGS = 8
const IFA_F_NODAD = 0x02
const IFA_F_TENTATIVE = 0x40

// struct rtmsg: family u8, destination length u8, source length u8, TOS u8, table u8, protocol u8,
// scope u8, type u8, flags u32; then attributes
const RTMSG = 12
const RTMSG_TYPE = 7
const RTA_DST = 1
const RTN_LOCAL = 2

/** What the kernel says of an interface. */
export interface InterfaceInfo {
  readonly index: number
  readonly name: string
  readonly mtu: number
  readonly up: boolean
  /** `other` is no TUN/TAP device at all. */
  readonly kind: 'tun' | 'tap' | 'other'
  readonly multiQueue: boolean
  /** How many descriptors of a multi-queue device are open; 0 where the kernel does not say. */
  readonly queues: number
}

/** `null` when there is no such interface. */
export function findInterface(libc: Libc, which: string | number): InterfaceInfo | null {
  const message =
    typeof which === 'number'
      ? linkMessage(RTM_GETLINK, 0, which, 0, 0, [])
      : linkMessage(RTM_GETLINK, 0, 0, 0, 0, [[IFLA_IFNAME, text(which)]])
  try {
    const reply = request(libc, message, 'read the interface').at(0)
    return reply === undefined ? null : readInterface(reply)
  } catch (error) {
    if ((error as { code?: string }).code === 'ENODEV') return null
    throw error
  }
}

/**
 * Changes only what is given.
 * @throws {Error} with the `code` of the kernel's answer
 */
export function changeInterface(
  libc: Libc,
  index: number,
  changes: { up?: boolean; mtu?: number; queueLength?: number },
): void {
  const attributes: Attribute[] = []
  if (changes.mtu !== undefined) attributes.push([IFLA_MTU, word(changes.mtu)])
  if (changes.queueLength !== undefined) attributes.push([IFLA_TXQLEN, word(changes.queueLength)])
  const change = changes.up === undefined ? 0 : IFF_UP
  request(
    libc,
    linkMessage(RTM_NEWLINK, NLM_F_ACK, index, changes.up ? IFF_UP : 0, change, attributes),
    'change the interface',
  )
}

/**
 * The kernel's own addresses on the interface; those that are still being checked for duplicates
 * are left out: they cannot be used yet.
 */
export function listAddresses(libc: Libc, index: number): Cidr[] {
  const message = encode(RTM_GETADDR, NLM_F_DUMP, new Uint8Array(IFADDRMSG), [])
  const addresses: Cidr[] = []
  for (const reply of request(libc, message, 'list addresses')) {
    const view = viewOf(reply)
    if (view.getUint32(4, LITTLE) !== index) continue
    const attributes = readAttributes(reply, IFADDRMSG)
    const flags = attributes.get(IFA_FLAGS)
    if (flags !== undefined && (viewOf(flags).getUint32(0, LITTLE) & IFA_F_TENTATIVE) !== 0) continue
    // On a point-to-point pair IFA_ADDRESS is the far end; IFA_LOCAL, when present, is ours.
    const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS)
    if (bytes === undefined) continue
    const address = Address.fromBytes(bytes)
    addresses.push({ address, prefix: new Prefix(address, view.getUint8(1)) })
  }
  return addresses
}

/**
 * Gives the interface an address, at once usable (IPv6: without duplicate address detection, for
 * the far side is this process).
 */
export function addAddress(libc: Libc, index: number, cidr: Cidr): void {
  const fixed = new Uint8Array(IFADDRMSG)
  const view = viewOf(fixed)
  view.setUint8(0, cidr.address.family === 4 ? AF_INET : AF_INET6)
  view.setUint8(1, cidr.prefix.length)
  view.setUint32(4, index, LITTLE)
  const bytes = cidr.address.toBytes()
  const attributes: Attribute[] = [
    [IFA_LOCAL, bytes],
    [IFA_ADDRESS, bytes],
  ]
  if (cidr.address.family === 6) attributes.push([IFA_FLAGS, word(IFA_F_NODAD)])
  request(
    libc,
    encode(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, fixed, attributes),
    `add the address ${cidr.address}`,
  )
}

/** Whether the kernel would take a packet to this address for its own. */
export function isLocal(libc: Libc, address: Address): boolean {
  const fixed = new Uint8Array(RTMSG)
  const bytes = address.toBytes()
  fixed[0] = address.family === 4 ? AF_INET : AF_INET6
  fixed[1] = bytes.length * 8
  try {
    return (
      request(libc, encode(RTM_GETROUTE, 0, fixed, [[RTA_DST, bytes]]), 'look up a route').at(0)?.[RTMSG_TYPE] ===
      RTN_LOCAL
    )
  } catch {
    // No route at all.
    return false
  }
}

/** A non-blocking socket that notices of interfaces come to, or -1. */
export function openNotices(libc: Libc): number {
  let fd: number
  try {
    const open = () => libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)
    fd = openOwned(libc, 'socket', 'Changes of the interface cannot be followed', open)
  } catch {
    return -1
  }
  const address = new Uint8Array(SOCKADDR_NL)
  new Uint16Array(address.buffer)[0] = AF_NETLINK
  new Uint32Array(address.buffer)[2] = RTMGRP_LINK
  if (libc.bind(fd, address, SOCKADDR_NL) >= 0) return fd
  closeSync(fd)
  return -1
}

/**
 * Empties the socket; whether what waited, or was lost because there was too much of it, may be
 * about the interface.
 */
export function readNotices(libc: Libc, fd: number, index: number): 'nothing' | 'something' {
  let news: 'nothing' | 'something' = 'nothing'
  const buffer = noticeBuffer
  const view = viewOf(buffer)
  for (;;) {
    const received = libc.recv(fd, buffer, buffer.length, 0)
    if (received < 0) {
      const errno = libc.errno()
      if (errno === EINTR) continue
      if (errno === EAGAIN) return news
      // ENOBUFS: the kernel threw notices away.
      news = 'something'
      if (errno !== ENOBUFS) return news
      continue
    }
    for (let at = 0; at + HEADER + IFINFOMSG <= received; at += Math.max(HEADER, align(view.getUint32(at, LITTLE)))) {
      const type = view.getUint16(at + 4, LITTLE)
      if ((type === RTM_NEWLINK || type === RTM_DELLINK) && view.getInt32(at + HEADER + 4, LITTLE) === index)
        news = 'something'
    }
  }
}

const noticeBuffer = new Uint8Array(65_536)

function readInterface(reply: Uint8Array): InterfaceInfo {
  const view = viewOf(reply)
  const attributes = readAttributes(reply, IFINFOMSG)
  const info = readAttributes(attributes.get(IFLA_LINKINFO) ?? new Uint8Array(0), 0)
  const data = readAttributes(info.get(IFLA_INFO_DATA) ?? new Uint8Array(0), 0)
  const isTun = untext(info.get(IFLA_INFO_KIND)) === 'tun'
  // IFF_TUN is 1 and IFF_TAP is 2.
  const type = data.get(IFLA_TUN_TYPE)?.[0]
  return {
    index: view.getInt32(4, LITTLE),
    name: untext(attributes.get(IFLA_IFNAME)),
    mtu: viewOf(attributes.get(IFLA_MTU) ?? word(0)).getUint32(0, LITTLE),
    up: (view.getUint32(8, LITTLE) & IFF_UP) !== 0,
    kind: !isTun ? 'other' : type === 1 ? 'tun' : 'tap',
    multiQueue: data.get(IFLA_TUN_MULTI_QUEUE)?.[0] === 1,
    queues: viewOf(data.get(IFLA_TUN_NUM_QUEUES) ?? word(0)).getUint32(0, LITTLE),
  }
}

type Attribute = readonly [type: number, value: Uint8Array]

function linkMessage(
  type: number,
  flags: number,
  index: number,
  ifFlags: number,
  change: number,
  attributes: Attribute[],
): Uint8Array {
  const fixed = new Uint8Array(IFINFOMSG)
  const view = viewOf(fixed)
  view.setInt32(4, index, LITTLE)
  view.setUint32(8, ifFlags, LITTLE)
  view.setUint32(12, change, LITTLE)
  return encode(type, flags, fixed, attributes)
}

/**
 * Header, fixed part, attributes; each attribute is length u16, type u16, value, padded to 4 bytes.
 */
function encode(type: number, flags: number, fixed: Uint8Array, attributes: Attribute[]): Uint8Array {
  const length = attributes.reduce((total, [, value]) => total + 4 + align(value.length), HEADER + fixed.length)
  const bytes = new Uint8Array(length)
  const view = viewOf(bytes)
  view.setUint32(0, length, LITTLE)
  view.setUint16(4, type, LITTLE)
  view.setUint16(6, flags | NLM_F_REQUEST, LITTLE)
  bytes.set(fixed, HEADER)
  let at = HEADER + fixed.length
  for (const [attribute, value] of attributes) {
    view.setUint16(at, 4 + value.length, LITTLE)
    view.setUint16(at + 2, attribute, LITTLE)
    bytes.set(value, at + 4)
    at += 4 + align(value.length)
  }
  return bytes
}

function readAttributes(bytes: Uint8Array, start: number): Map<number, Uint8Array> {
  const view = viewOf(bytes)
  const attributes = new Map<number, Uint8Array>()
  for (let at = start; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, LITTLE)
    if (length < 4) break
    // The two top bits are flags (nested, byte order).
    attributes.set(view.getUint16(at + 2, LITTLE) & 0x3fff, bytes.subarray(at + 4, at + length))
    at += align(length)
  }
  return attributes
}

/** Sends one message and returns the bodies (behind the message header) of what came back. */
function request(libc: Libc, message: Uint8Array, purpose: string): Uint8Array[] {
  const fail = (errno: number, syscall: string) => systemError(errno, syscall, `The kernel refused to ${purpose}.`)
  const open = () => libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)
  const fd = openOwned(libc, 'socket', `The kernel cannot be asked to ${purpose}`, open)
  try {
    if (libc.send(fd, message, message.length, 0) < 0) throw fail(libc.errno(), 'send')
    const flags = viewOf(message).getUint16(6, LITTLE)
    const replies: Uint8Array[] = []
    for (;;) {
      const buffer = new Uint8Array(65_536)
      const received = libc.recv(fd, buffer, buffer.length, 0)
      if (received < 0) throw fail(libc.errno(), 'recv')
      const view = viewOf(buffer)
      for (let at = 0; at + HEADER <= received; at += align(view.getUint32(at, LITTLE))) {
        const type = view.getUint16(at + 4, LITTLE)
        if (type === NLMSG_DONE) return replies
        if (type === NLMSG_ERROR) {
          const errno = -view.getInt32(at + HEADER, LITTLE)
          if (errno !== 0) throw fail(errno, 'rtnetlink')
          return replies
        }
        replies.push(buffer.subarray(at + HEADER, at + view.getUint32(at, LITTLE)))
      }
      if ((flags & (NLM_F_ACK | NLM_F_DUMP)) === 0) return replies
    }
  } finally {
    closeSync(fd)
  }
}

function align(length: number): number {
  return (length + 3) & ~3
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  viewOf(bytes).setUint32(0, value, LITTLE)
  return bytes
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`)
}

function untext(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes).replace(/\0.*$/s, '')
}
