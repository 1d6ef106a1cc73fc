/** Where a command is to go: addresses, names, and whether they are those of one host. */
import { type Address, type Family, parseScoped } from '../base/address.ts'
import type { Stack } from '../stack.ts'
import type { Vantage } from './terminal.ts'
import { UsageError } from './usage.ts'

/** Where a host is. */
export interface Destination {
  /** As it was written. */
  readonly name: string
  readonly address: Address
  /** Index of the nic that the zone of an address names; 0 for none. */
  readonly nic: number
}

/**
 * An address, possibly with a zone, or the name of a host of the scenario.
 * @throws {UsageError} when there is none, {Error} when the stack of a device cannot reach it
 */
export async function destination(
  vantage: Vantage,
  name: string,
  values: { ipv4?: boolean; ipv6?: boolean },
): Promise<Destination> {
  const { stack } = vantage
  const wanted: Family | null = values.ipv4 ? 4 : values.ipv6 ? 6 : null
  const candidates = stack.hosts.get(name) ?? [name]
  const family = wanted ?? (candidates.every((text) => text.includes(':')) ? 6 : 4)
  const found = candidates.find((text) => text.includes(':') === (family === 6))
  const scoped = found === undefined ? null : parseScoped(found)
  if (scoped === null) {
    const also = vantage.isOnDevice ? ': on a device names are not looked up' : ', and no host of the scenario with one'
    throw new UsageError(`'${name}' is no IPv${family} address${also}`)
  }
  const { address, zone } = scoped
  const nic = zone === '' ? 0 : zoneIndex(stack, zone)
  await vantage.reach?.(address, nic)
  return { name, address, nic }
}

/**
 * The index of the nic that the zone of an address names. @throws {UsageError} when there is none
 */
export function zoneIndex(stack: Stack, zone: string): number {
  const nic = stack.nic(zone)
  if (nic === undefined)
    throw new UsageError(`no interface is named '${zone}': there are ${stack.nics.map(({ name }) => name).join(', ')}`)
  return nic.index
}

/** @throws {Error} when an address is that of many hosts, and `what` needs one */
export function requireOneHost(stack: Stack, to: Address, what: string): void {
  const kind = to.isMulticast ? 'a multicast group' : isBroadcast(stack, to) ? 'a broadcast address' : ''
  if (kind !== '') throw new Error(`${to} is ${kind}: ${what} needs the address of one host`)
}

/** @throws {Error} when an address is a broadcast and that was not asked for */
export function requireBroadcast(stack: Stack, to: Address, asked: boolean | undefined): void {
  if (asked !== true && isBroadcast(stack, to))
    throw new Error(`${to} is a broadcast address: add --broadcast to send to all hosts there`)
}

function isBroadcast(stack: Stack, { family, w3 }: Address): boolean {
  return family === 4 && stack.ip.isBroadcast4(w3)
}
