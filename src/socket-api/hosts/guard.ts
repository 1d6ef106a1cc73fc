/**
 * Networks that are to be the only ones: what a program would open of the machine's own network is
 * refused while there is one.
 */
import { Address } from '../../base/address.ts'
import { currentHost } from './context.ts'

/** What tells the names of a network's hosts. */
export type HostNames = () => readonly string[]

const guards = new Set<HostNames>()

/** @returns what ends it */
export function addGuard(hosts: HostNames): () => void {
  guards.add(hosts)
  return () => guards.delete(hosts)
}

/**
 * Why something of the machine's network is refused, in words for the program's author; `null` when
 * nothing is.
 * @param what the thing, with its article
 */
export function refusal(what: string): Error | null {
  if (guards.size === 0) return null
  return refused(`${what} is refused: the program runs on no host of the network, which is to be the only one.`)
}

/**
 * The same for TCP, which no host has: it is refused on hosts, too, but for loopback connections.
 */
export function tcpRefusal(to: string): Error | null {
  if (guards.size === 0) return null
  const host = currentHost()
  const why =
    host === undefined
      ? 'the program runs on no host of the network, which is to be the only one'
      : `the program runs on ${host.name}, and hosts of a network in memory carry no TCP`
  return refused(`A TCP connection to ${to} is refused: ${why}. TCP over loopback is allowed.`)
}

function refused(why: string): Error {
  const names = [...guards].flatMap((hosts) => hosts())
  const where =
    names.length === 0
      ? 'Add a host to the network and run the program on it: host.run(() => …).'
      : `Run it on one of ${names.join(', ')}: network.stack('${names[0]}').run(() => …).`
  return Object.assign(new Error(`${why} ${where}`), { code: 'ERR_OUTSIDE_NETWORK' })
}

/**
 * Whether what is sent to a literal address stays on this machine; so it does to the unspecified
 * one.
 */
export function isLoopback(literal: string): boolean {
  const address = Address.tryParse(literal.replace(/%.*$/, ''))
  return address !== null && (address.isLoopback || address.isUnspecified)
}

/** Whether a name is looked up without asking anybody (RFC 6761 section 6.3). */
export function isLocalName(name: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(name)
}
