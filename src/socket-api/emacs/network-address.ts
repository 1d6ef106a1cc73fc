/** Addresses as Emacs's network processes take and show them. */
import { type Address, parseScoped } from '../../base/address.ts'
import type { Stack } from '../../stack.ts'

/** An address and a port; a link-local IPv6 address has a zone, `fe80::1%mem0`. */
export interface NetworkAddress {
  readonly address: string
  readonly port: number
}

/**
 * `{ address, port }`, `'127.0.0.1:8080'`, `'[::1]:80'`, or Emacs's vectors `[127, 0, 0, 1, 8080]`
 * and `[0, 0, 0, 0, 0, 0, 0, 1, 80]`.
 */
export type AddressLike = NetworkAddress | string | readonly number[]

/** An address that was read. */
export interface Peer {
  readonly address: Address
  readonly port: number
  /** Index of the zone's nic, 0 without one. */
  readonly nic: number
}

/**
 * `127.0.0.1:8080`, `[::1]:80`; without the port if `omitPort` is true, or for a vector of only an
 * address (4 or 8 elements). `null` when it is no address.
 */
export function formatNetworkAddress(address: AddressLike, omitPort = false): string | null {
  const withPort = Array.isArray(address) && (address.length === 4 || address.length === 8) ? [...address, 0] : address
  const parts = splitAddress(withPort as AddressLike)
  if (parts === null) return null
  const host = parseScoped(parts.address)
  if (host === null) return null
  const text = host.zone === '' ? host.address.toString() : `${host.address}%${host.zone}`
  if (omitPort || withPort !== address) return text
  return `${text.includes(':') ? `[${text}]` : text}:${parts.port}`
}

/** Reads any form; `null` for what is no address with a port. An unknown zone is none. */
export function readAddress(stack: Stack, given: AddressLike): Peer | null {
  const parts = splitAddress(given)
  const scoped = parts === null ? null : parseScoped(parts.address)
  if (parts === null || scoped === null) return null
  return { address: scoped.address, port: parts.port, nic: zoneIndex(stack, scoped.zone) }
}

/** Any form as address text and port; the text is still to be parsed. */
function splitAddress(given: AddressLike): NetworkAddress | null {
  let parts: NetworkAddress
  if (typeof given === 'string') {
    const match = /^(?:\[(.+)\]|([^:[\]]+)):(\d{1,5})$/.exec(given)
    if (match === null) return null
    parts = { address: (match[1] ?? match[2]) as string, port: Number(match[3]) }
  } else if (Array.isArray(given)) {
    const text = vectorText(given.slice(0, -1))
    if (text === null) return null
    parts = { address: text, port: given.at(-1) }
  } else if (typeof given === 'object' && given !== null) parts = given as NetworkAddress
  else return null
  return typeof parts.address === 'string' && isPort(parts.port) ? parts : null
}

/** Four bytes or eight 16-bit groups. */
function vectorText(elements: readonly number[]): string | null {
  const most = elements.length === 4 ? 0xff : elements.length === 8 ? 0xffff : -1
  if (!elements.every((each) => Number.isInteger(each) && each >= 0 && each <= most)) return null
  return elements.length === 4 ? elements.join('.') : elements.map((each) => each.toString(16)).join(':')
}

/** The index of a zone's nic, by name or number; 0 when there is none. */
export function zoneIndex(stack: Stack, zone: string): number {
  if (zone === '') return 0
  return stack.nic(/^\d+$/.test(zone) ? Number(zone) : zone)?.index ?? 0
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535
}
