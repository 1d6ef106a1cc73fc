/** Interfaces of a stack, as Emacs tells them. */
import type { Stack } from '../../stack.ts'
import { defaultStack } from '../process/default-stack.ts'
import { netmask } from '../process/interfaces.ts'

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
