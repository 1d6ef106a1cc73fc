/** The device and the stack of a command as the common options describe them, checked. */
import type { Address } from '../base/address.ts'
import type { InterfaceAddress } from '../link/device/point-to-point.ts'
import { type OptionGroup, type OptionValues, option, repeatable } from './command-line.ts'
import { integer, interfaceAddress, scoped, UsageError } from './usage.ts'

/** The common options. */
export const hostOptions = {
  tun: option(
    '--tun <NAME>',
    'the TUN device to make or to attach to; needs root or CAP_NET_ADMIN, or runs under unshare -rn where ' +
      '/dev/net/tun is open to all (mode 0666)',
  ),
  tap: option('--tap <NAME>', 'a TAP device instead'),
  packet: option(
    '--packet <IFACE>',
    'an Ethernet interface that exists instead, such as one end of a veth pair, by a packet socket; needs root or ' +
      'CAP_NET_RAW',
  ),
  address: repeatable(
    '--address <CIDR>',
    "an address of the stack, such as 10.9.0.2/24, fd09::2/64 or '10.9.0.2 peer 10.9.0.1'; repeatable, one at least",
  ),
  peer: repeatable(
    '--peer <CIDR>',
    "an address to give the kernel's side of the device, in the same forms; repeatable; one of a whole length " +
      '(/32, /128) is a point-to-point address; without any the device is brought up and left ' +
      'without addresses',
  ),
  gateway: repeatable(
    '--gateway <ADDR>',
    "next hop of the stack's default route, on the device's link, such as 10.9.0.1 or fe80::1%tun0; one a family",
  ),
  mtu: option('--mtu <N>', 'MTU of the device in bytes, default 1500'),
  capture: option('--capture <FILE.pcapng>', 'write all packets to a file for Wireshark'),
  icmpRateLimit: option('--icmp-rate-limit <PPS>', "ICMP errors the stack may send in a second, or 'off'"),
  json: option('--json', 'print JSON'),
} as const

export const hostGroup: OptionGroup = { title: 'Device and stack', options: hostOptions }

export type HostArguments = OptionValues<typeof hostOptions>

/** What is to be opened: the common options, checked. */
export interface HostPlan {
  readonly tun: string | undefined
  readonly tap: string | undefined
  readonly packet: string | undefined
  readonly addresses: readonly InterfaceAddress[]
  readonly peers: readonly InterfaceAddress[]
  readonly gateways: readonly { readonly address: Address; readonly zone: string }[]
  readonly mtu: number | undefined
  /** Errors a second; `false` for no limit. */
  readonly icmpRateLimit: number | false | undefined
  readonly capture: string | undefined
}

/** @throws {UsageError} */
export function hostPlan(values: HostArguments): HostPlan {
  const { tun, tap, packet, capture } = values
  const names = [tun, tap, packet].filter((name) => name !== undefined)
  if (names.length !== 1 || names[0] === '')
    throw new UsageError(
      'name the device that carries the packets: --tun NAME or --tap NAME, or an interface that exists: ' +
        '--packet IFACE; one of them',
    )
  const addresses = (values.address ?? []).map((text) => interfaceAddress('address', text))
  if (addresses.length === 0)
    throw new UsageError("give the stack an address of its own: --address CIDR, such as '--address 10.9.0.2/24'")
  const peers = (values.peer ?? []).map((text) => interfaceAddress('peer', text))
  if (packet !== undefined && peers.length > 0)
    throw new UsageError(
      `--peer is for a device of the command's own: what is on the other side of '${packet}' has its addresses ` +
        `('ip address add ${values.peer?.[0]} dev …')`,
    )
  for (const { address, prefix } of peers) {
    const own = addresses.find((each) => each.address.equals(address))
    if (own !== undefined)
      throw new UsageError(
        `--address and --peer are both ${own.address}: the stack and the kernel need an address each, in ${prefix}`,
      )
  }
  const gateways = (values.gateway ?? []).map((text) => scoped('gateway', text))
  for (const family of [4, 6]) {
    const ofFamily = gateways.filter(({ address }) => address.family === family)
    if (ofFamily.length > 1)
      throw new UsageError(
        `--gateway may be given once a family: ${ofFamily.map(({ text }) => text).join(' and ')} are too many`,
      )
  }
  const mtu = integer('mtu', values.mtu, 68, 65_535)
  const limit = values.icmpRateLimit
  const icmpRateLimit = limit === 'off' ? false : integer('icmp-rate-limit', limit, 0, 1_000_000_000)
  return { tun, tap, packet, addresses, peers, gateways, mtu, icmpRateLimit, capture }
}
