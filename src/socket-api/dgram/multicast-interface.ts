/**
 * The interface that multicast leaves by, as `setMulticastInterface` names it: Linux's
 * IP_MULTICAST_IF and IPV6_MULTICAST_IF through libuv.
 */
import type { Address } from '../../base/address.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import type { Errno } from '../../udp/errno.ts'
import type { Shared } from './shared.ts'

/** The index of the nic that has an IPv4 address; 0 for any, `undefined` when there is none. */
export function interfaceWithAddress({ stack }: Shared, address: Address): number | undefined {
  if (address.isUnspecified) return 0
  return stack.nics.find((nic) => nic.hasAddress(address) || (nic.isLoopback && address.isLoopback))?.index
}

/**
 * By an address for IPv4, which groups are then sent from as well, and by a zone for IPv6
 * (`::%eth1`).
 */
export function chooseMulticastInterface(shared: Shared, endpoint: Endpoint, text: string): Errno | 'ENOPROTOOPT' {
  const scoped = shared.parse(text)
  if (scoped === null) return 'EINVAL'
  const four = !text.includes(':')
  if (!four && endpoint.family === 4) return 'ENOPROTOOPT'
  const nic = four ? interfaceWithAddress(shared, scoped.address) : scoped.nic
  if (nic === undefined) return 'EADDRNOTAVAIL'
  // A socket that keeps to one interface cannot ask for another.
  if (nic !== 0 && endpoint.device !== 0 && nic !== endpoint.device) return 'EINVAL'
  endpoint.routeTo = null
  if (!four) endpoint.multicastNic6 = nic
  else {
    endpoint.multicastNic4 = nic
    endpoint.multicastSource4 = nic === 0 ? null : scoped.address
  }
  return ''
}
