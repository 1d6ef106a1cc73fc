/** What a host knows of names: its table, as /etc/hosts would be, itself, and localhost. */
import { isIP } from 'node:net'
import { Address } from '../../base/address.ts'
import type { Stack } from '../../stack.ts'
import { isLocalName } from './guard.ts'

/**
 * The addresses of a name, in any case and with or without the final dot; `null` for a name
 * unknown.
 */
export function addressesOf(host: Stack, name: string): readonly string[] | null {
  const found = host.hosts.get(name)
  if (found !== undefined) return found
  if (isLocalName(name)) return ['127.0.0.1', '::1']
  const wanted = plain(name)
  for (const [known, addresses] of host.hosts) if (plain(known) === wanted) return addresses
  return wanted === plain(host.name) ? ownAddresses(host) : null
}

/** The names of an address, those of the table first. */
export function namesOf(host: Stack, literal: string): string[] {
  const address = Address.tryParse(literal.replace(/%.*$/, ''))
  if (address === null) return []
  const isIt = (text: string) => Address.tryParse(text)?.equals(address) ?? false
  const names = [...host.hosts].filter(([, addresses]) => addresses.some(isIt)).map(([name]) => name)
  if (names.length === 0 && ownAddresses(host).some(isIt)) names.push(host.name)
  return address.isLoopback ? ['localhost'] : names
}

/** Hints of getaddrinfo(3), as numbers of Node's own. */
export interface Hints {
  /** Addresses of families only that the host has addresses of. */
  readonly configured: boolean
  /** IPv4 addresses as `::ffff:a.b.c.d` where IPv6 is asked for and not known. */
  readonly mapped: boolean
  /** The same beside the IPv6 ones. */
  readonly all: boolean
}

/**
 * What getaddrinfo(3) finds: addresses that can be reached go before others (RFC 6724 section 5,
 * rule 1), and else stand as in the table.
 * @param family 4, 6, or 0 for both
 */
export function findAddresses(host: Stack, name: string, family: number, hints: Hints): string[] {
  const known = addressesOf(host, name) ?? []
  let found = known.filter((each) => family === 0 || isIP(each) === family)
  if (family === 6 && hints.mapped && (found.length === 0 || hints.all))
    found = [...found, ...known.filter((each) => isIP(each) === 4).map((each) => `::ffff:${each}`)]
  if (hints.configured) {
    const families = new Set(ownAddresses(host).map((each) => isIP(each)))
    found = found.filter((each) => families.has(isIP(each)))
  }
  const reached = found.filter((each) => isReached(host, each))
  return [...reached, ...found.filter((each) => !reached.includes(each))]
}

/**
 * The name under which DNS has the names of an address (RFC 1035 section 3.5, RFC 3596 section
 * 2.5).
 */
export function reverseName(literal: string): string {
  const address = Address.parse(literal)
  const bytes = [...address.toBytes()]
  if (address.family === 4) return `${bytes.reverse().join('.')}.in-addr.arpa`
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${[...digits].reverse().join('.')}.ip6.arpa`
}

/** The names that belong to a reverse name. */
export function namesOfReverse(host: Stack, name: string): string[] {
  const wanted = plain(name)
  return [...host.hosts]
    .filter(([, addresses]) => addresses.some((each) => reverseName(each) === wanted))
    .map(([known]) => known)
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

function ownAddresses(host: Stack): string[] {
  return host.nics
    .filter((nic) => !nic.isLoopback)
    .flatMap((nic) => nic.addresses)
    .filter(({ address }) => !address.isLinkLocal)
    .map(({ address }) => address.toString())
}

function isReached(host: Stack, literal: string): boolean {
  const address = Address.tryParse(literal)
  return address !== null && host.ip.routes.lookup(address.w0, address.w1, address.w2, address.w3, 0) !== null
}
