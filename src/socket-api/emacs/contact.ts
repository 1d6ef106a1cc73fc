/** Whom a process talks to: its contact, as Emacs shows it, and its peer. */
import type { Address } from '../../base/address.ts'
import { withoutColon } from './arguments.ts'
import { type AddressLike, type NetworkAddress, readAddress } from './network-address.ts'
import type { NetworkProcess } from './process.ts'

/**
 * Without `key` `[host, service]` as given; with `true` all keywords as they are now; with a
 * keyword (`remote`, or Emacs's `:remote`) its value, `null` for one that was not given. `local`
 * and `remote` are {@link NetworkAddress}es of this moment.
 */
export function processContact(process: NetworkProcess): [host: unknown, service: unknown]
export function processContact(process: NetworkProcess, key: true): Record<string, unknown>
export function processContact(process: NetworkProcess, key: string): unknown
export function processContact(process: NetworkProcess, key?: true | string): unknown {
  const { contact, endpoint } = process
  if (key === undefined) return [contact.host ?? null, contact.service ?? null]
  const local = { address: addressText(process, endpoint.localAddress, endpoint.localNic), port: endpoint.localPort }
  const all: Record<string, unknown> = { ...contact, local, remote: processDatagramAddress(process) }
  if (key === true) return all
  const name = withoutColon(String(key))
  return Object.hasOwn(all, name) ? (all[name] ?? null) : null
}

/**
 * The address that datagrams are sent to: the last sender's unless set since; `null` while a server
 * has none.
 */
export function processDatagramAddress(process: NetworkProcess): NetworkAddress | null {
  const { peer } = process
  return peer === null ? null : { address: addressText(process, peer.address, peer.nic), port: peer.port }
}

/**
 * Sets the peer. Returns `address`; `null`, with nothing set, when it is malformed or not of the
 * process's family.
 */
export function setProcessDatagramAddress<Given extends AddressLike>(
  process: NetworkProcess,
  address: Given,
): Given | null {
  const peer = readAddress(process.stack, address)
  if (peer === null || (peer.address.family === 6 && process.endpoint.family === 4)) return null
  process.peer = peer
  return address
}

/** With zone, and mapped (`::ffff:192.0.2.1`) where an IPv6 process speaks IPv4. */
export function addressText({ stack, endpoint }: NetworkProcess, address: Address, nic: number): string {
  if (address.family === 4) return endpoint.family === 6 ? `::ffff:${address}` : address.toString()
  return nic === 0 ? address.toString() : `${address}%${stack.nic(nic)?.name ?? nic}`
}
