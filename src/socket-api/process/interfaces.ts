/** A stack's nics as programs know interfaces: `os.networkInterfaces()` and the facts behind it. */
import type { NetworkInterfaceInfo } from 'node:os'
import { Address, type Cidr } from '../../base/address.ts'
import type { Nic } from '../../ip/nic/nic.ts'
import type { Stack } from '../../stack.ts'
import { addressHigh, addressLow, formatHardwareAddress } from '../../wire/hardware-address.ts'

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
