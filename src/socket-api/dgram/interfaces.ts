/** A stack's nics as programs know interfaces: `os.networkInterfaces()` and the facts behind it. */
import type { NetworkInterfaceInfo } from 'node:os'
import { Address, type Cidr } from '../../base/address.ts'
import type { Nic } from '../../ip/nic/nic.ts'
import type { Stack } from '../../stack.ts'
import { addressHigh, addressLow, formatHardwareAddress } from '../../wire/hardware-address.ts'
import { defaultStack } from '../process/default-stack.ts'

/**
 * What `os.networkInterfaces()` would say on this host: interfaces that are up and have an address,
 * with Node's fields in Node's order.
 */
export function networkInterfaces(stack: Stack): Record<string, NetworkInterfaceInfo[]> {
  const result: Record<string, NetworkInterfaceInfo[]> = {}
  for (const nic of stack.nics) {
    if (!nic.isUp || nic.addresses.length === 0) continue
    result[nic.name] = nic.addresses.map((cidr) => interfaceInfo(nic, cidr))
  }
  return result
}

function interfaceInfo(nic: Nic, cidr: Cidr): NetworkInterfaceInfo {
  const { address, prefix } = cidr
  const common = { address: address.toString(), netmask: netmask(cidr).toString() }
  const rest = { mac: hardwareText(nic), internal: nic.isLoopback, cidr: `${address}/${prefix.length}` }
  if (address.family === 4) return { ...common, family: 'IPv4', ...rest }
  return { ...common, family: 'IPv6', ...rest, scopeid: address.isLinkLocal ? nic.index : 0 }
}

/** The mask of an interface address: `255.255.255.0`, `ffff:ffff:ffff:ffff::`. */
export function netmask({ address, prefix }: Cidr): Address {
  const bytes = new Uint8Array(address.family === 4 ? 4 : 16)
  for (let bit = 0; bit < prefix.length; bit++) bytes[bit >> 3] = (bytes[bit >> 3] as number) | (0x80 >> (bit & 7))
  return Address.fromBytes(bytes)
}

/** `02:00:00:00:00:01`; all zero on a link without hardware addresses, as Node shows it. */
function hardwareText(nic: Nic): string {
  const address = nic.link.hardwareAddress ?? new Uint8Array(6)
  return formatHardwareAddress(addressHigh(address), addressLow(address))
}

// ── as Emacs tells them ──

/** One address of an interface; `broadcast` is `null` where there is none. */
export interface InterfaceAddress {
  readonly name: string
  readonly address: string
  readonly broadcast: string | null
  readonly netmask: string
}

/** All addresses of the stack's interfaces, or those of one family. */
export function networkInterfaceList(options: { stack?: Stack; family?: 'ipv4' | 'ipv6' } = {}): InterfaceAddress[] {
  const { stack = defaultStack(), family } = options
  const wanted = family === undefined ? null : family === 'ipv4' ? 4 : 6
  return stack.nics.flatMap((nic) =>
    nic.addresses
      .filter(({ address }) => wanted === null || address.family === wanted)
      .map((cidr) => ({
        name: nic.name,
        address: cidr.address.toString(),
        broadcast: nic.isLoopback ? null : (cidr.prefix.broadcast?.toString() ?? null),
        netmask: netmask(cidr).toString(),
      })),
  )
}

export interface InterfaceInfo {
  /** The first IPv4 address, or else the first of IPv6; `null` without any. */
  readonly address: string | null
  readonly broadcast: string | null
  readonly netmask: string | null
  /** Six bytes, or `null` on a link without hardware addresses. */
  readonly hardwareAddress: Uint8Array | null
  /**
   * As Linux names them: `up`, `running`, `loopback`, `broadcast`, `multicast`, `pointopoint`,
   * `noarp`.
   */
  readonly flags: string[]
}

/** What is known of an interface; `null` when there is none of this name. */
export function networkInterfaceInfo(name: string, options: { stack?: Stack } = {}): InterfaceInfo | null {
  const { stack = defaultStack() } = options
  const nic = stack.nic(name)
  if (nic === undefined) return null
  const addresses = networkInterfaceList({ stack }).filter((each) => each.name === name)
  const {
    address = null,
    broadcast = null,
    netmask = null,
  } = addresses.find((each) => !each.address.includes(':')) ?? addresses[0] ?? {}
  const kind = nic.isLoopback
    ? ['loopback']
    : nic.link.medium === 'ethernet'
      ? ['broadcast', 'multicast']
      : ['pointopoint', 'noarp', 'multicast']
  const flags = nic.isUp ? ['up', ...kind, 'running'] : kind
  return { address, broadcast, netmask, hardwareAddress: nic.link.hardwareAddress, flags }
}
