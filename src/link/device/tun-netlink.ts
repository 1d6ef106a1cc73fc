/** A network interface of the kernel: its settings and addresses, by rtnetlink (`netlink.ts`). */

import { Address, type Cidr, Prefix } from '../../base/address.ts'
import {
  type Attribute,
  encode,
  LITTLE,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
  readAttributes,
  request,
  text,
  untext,
  viewOf,
  word,
} from './netlink.ts'
import type { InterfaceAddress } from './point-to-point.ts'
import type { Libc } from './tun-libc.ts'

const AF_INET = 2
const AF_INET6 = 10

const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const RTM_NEWADDR = 20
const RTM_GETADDR = 22
const RTM_GETROUTE = 26

// struct ifinfomsg: family u8, pad u8, type u16, index s32, flags u32, change u32; then attributes
const IFINFOMSG = 16
const IFF_UP = 0x1
const IFF_NOARP = 0x80
const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_MASTER = 10
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
  /** Whether the kernel does ARP there. */
  readonly arp: boolean
  /** ARPHRD_…: 1 for Ethernet. */
  readonly hardwareType: number
  /** Six bytes on Ethernet. */
  readonly hardwareAddress: Uint8Array
  /** `other` is no TUN/TAP device at all. */
  readonly kind: 'tun' | 'tap' | 'other'
  readonly multiQueue: boolean
  /** How many descriptors of a multi-queue device are open; 0 where the kernel does not say. */
  readonly queues: number
  /** Index of the bridge or bond that it is a port of; 0 for none. */
  readonly master: number
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
  changes: { up?: boolean; arp?: boolean; mtu?: number; queueLength?: number },
): void {
  const attributes: Attribute[] = []
  if (changes.mtu !== undefined) attributes.push([IFLA_MTU, word(changes.mtu)])
  if (changes.queueLength !== undefined) attributes.push([IFLA_TXQLEN, word(changes.queueLength)])
  const flags = (changes.up ? IFF_UP : 0) | (changes.arp === false ? IFF_NOARP : 0)
  const change = (changes.up === undefined ? 0 : IFF_UP) | (changes.arp === undefined ? 0 : IFF_NOARP)
  request(libc, linkMessage(RTM_NEWLINK, NLM_F_ACK, index, flags, change, attributes), 'change the interface')
}

/**
 * The kernel's addresses on the interface, without those whose duplicate address detection is not
 * complete.
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
export function addAddress(libc: Libc, index: number, cidr: InterfaceAddress): void {
  const fixed = new Uint8Array(IFADDRMSG)
  const view = viewOf(fixed)
  view.setUint8(0, cidr.address.family === 4 ? AF_INET : AF_INET6)
  view.setUint8(1, cidr.prefix.length)
  view.setUint32(4, index, LITTLE)
  const attributes: Attribute[] = [
    [IFA_LOCAL, cidr.address.toBytes()],
    [IFA_ADDRESS, (cidr.far ?? cidr.address).toBytes()],
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

function readInterface(reply: Uint8Array): InterfaceInfo {
  const view = viewOf(reply)
  const attributes = readAttributes(reply, IFINFOMSG)
  const info = readAttributes(attributes.get(IFLA_LINKINFO) ?? new Uint8Array(0), 0)
  const data = readAttributes(info.get(IFLA_INFO_DATA) ?? new Uint8Array(0), 0)
  const isTun = untext(info.get(IFLA_INFO_KIND)) === 'tun'
  // IFF_TUN is 1 and IFF_TAP is 2.
  const type = data.get(IFLA_TUN_TYPE)?.[0]
  const flags = view.getUint32(8, LITTLE)
  return {
    index: view.getInt32(4, LITTLE),
    name: untext(attributes.get(IFLA_IFNAME)),
    mtu: viewOf(attributes.get(IFLA_MTU) ?? word(0)).getUint32(0, LITTLE),
    up: (flags & IFF_UP) !== 0,
    arp: (flags & IFF_NOARP) === 0,
    hardwareType: view.getUint16(2, LITTLE),
    hardwareAddress: attributes.get(IFLA_ADDRESS) ?? new Uint8Array(0),
    kind: !isTun ? 'other' : type === 1 ? 'tun' : 'tap',
    multiQueue: data.get(IFLA_TUN_MULTI_QUEUE)?.[0] === 1,
    queues: viewOf(data.get(IFLA_TUN_NUM_QUEUES) ?? word(0)).getUint32(0, LITTLE),
    master: viewOf(attributes.get(IFLA_MASTER) ?? word(0)).getUint32(0, LITTLE),
  }
}

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
