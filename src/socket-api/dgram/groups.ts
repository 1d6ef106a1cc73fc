/**
 * Groups of a socket, and the interface that multicast leaves by: Linux's IP_ADD_MEMBERSHIP,
 * IP_MULTICAST_IF and their like, through libuv.
 */
import { Address } from '../../base/address.ts'
import type { Stack } from '../../stack.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import type { Errno } from '../../udp/errno.ts'
import { checkString } from './arguments.ts'
import { errnoError, missingArgument } from './errors.ts'
import { checkRunning, openedEndpoint, type SocketState } from './state.ts'

/** ENOPROTOOPT: an option of IPv6 on a socket of IPv4. */
type GroupErrno = Errno | 'ENOPROTOOPT'

/** @throws {Error | TypeError} as the `socket` method of this name says */
export function addMembership(state: SocketState, group: unknown, given: unknown): void {
  const { address, text } = checkGroup(state, group, 'addMembership')
  const endpoint = boundEndpoint(state, 'addMembership')
  const nic = groupInterface(state, text, given)
  throwIfFailed(typeof nic === 'string' ? nic : endpoint.groups.join(address, nic), 'addMembership')
}

/** @throws {Error | TypeError} as the `socket` method of this name says */
export function dropMembership(state: SocketState, group: unknown, given: unknown): void {
  const { address, text } = checkGroup(state, group, 'dropMembership')
  const endpoint = boundEndpoint(state, 'dropMembership')
  const nic = groupInterface(state, text, given)
  // Linux: a group was not joined on an interface that does not exist.
  const errno = nic === 'ENODEV' ? 'EADDRNOTAVAIL' : typeof nic === 'string' ? nic : endpoint.groups.leave(address, nic)
  throwIfFailed(errno, 'dropMembership')
}

/** @throws {Error | TypeError} as the `socket` method of this name says */
export function addSourceMembership(state: SocketState, source: unknown, group: unknown, given: unknown): void {
  const syscall = 'addSourceSpecificMembership'
  const { from, to, text } = checkSource(state, source, group, syscall)
  const endpoint = boundEndpoint(state, syscall)
  const nic = groupInterface(state, text, given)
  throwIfFailed(typeof nic === 'string' ? nic : endpoint.groups.joinSource(to, from, nic), syscall)
}

/** @throws {Error | TypeError} as the `socket` method of this name says */
export function dropSourceMembership(state: SocketState, source: unknown, group: unknown, given: unknown): void {
  const syscall = 'dropSourceSpecificMembership'
  const { from, to, text } = checkSource(state, source, group, syscall)
  const endpoint = boundEndpoint(state, syscall)
  const nic = groupInterface(state, text, given)
  throwIfFailed(typeof nic === 'string' ? nic : endpoint.groups.leaveSource(to, from, nic), syscall)
}

/**
 * By an address for IPv4, which groups are then sent from as well, and by a zone for IPv6
 * (`::%eth1`). @throws {Error | TypeError} as `socket.setMulticastInterface` says
 */
export function setMulticastInterface(state: SocketState, given: unknown): void {
  checkRunning(state)
  checkString(given, 'interfaceAddress')
  throwIfFailed(chooseInterface(state, openedEndpoint(state, 'setMulticastInterface'), given), 'setMulticastInterface')
}

function chooseInterface({ shared }: SocketState, endpoint: Endpoint, text: string): GroupErrno {
  const scoped = shared.addresses.parse(text)
  if (scoped === null) return 'EINVAL'
  const four = !text.includes(':')
  if (!four && endpoint.family === 4) return 'ENOPROTOOPT'
  const nic = four ? interfaceWithAddress(shared.stack, scoped.address) : scoped.nic
  if (nic === undefined) return 'EADDRNOTAVAIL'
  // A socket that keeps to one interface cannot ask for another.
  if (nic !== 0 && endpoint.device !== 0 && nic !== endpoint.device) return 'EINVAL'
  if (!four) endpoint.multicastNic6 = nic
  else {
    endpoint.multicastNic4 = nic
    endpoint.multicastSource4 = nic === 0 ? null : scoped.address
  }
  return ''
}

/** The index of the nic that has an IPv4 address; 0 for any, `undefined` when there is none. */
function interfaceWithAddress(stack: Stack, address: Address): number | undefined {
  if (address.isUnspecified) return 0
  return stack.nics.find((nic) => nic.hasAddress(address) || (nic.isLoopback && address.isLoopback))?.index
}

function checkGroup(state: SocketState, group: unknown, syscall: string): { address: Address; text: string } {
  checkRunning(state)
  if (!group) throw missingArgument('multicastAddress')
  const text = String(group)
  const scoped = state.shared.addresses.parse(text)
  if (scoped === null) throw errnoError('EINVAL', syscall)
  return { address: scoped.address, text }
}

function checkSource(
  state: SocketState,
  source: unknown,
  group: unknown,
  syscall: string,
): { from: Address; to: Address; text: string } {
  checkRunning(state)
  checkString(source, 'sourceAddress')
  checkString(group, 'groupAddress')
  const from = state.shared.addresses.parse(source)
  const to = state.shared.addresses.parse(group)
  if (from === null || to === null || source.includes(':') !== group.includes(':')) throw errnoError('EINVAL', syscall)
  return { from: from.address, to: to.address, text: group }
}

/**
 * A group operation's endpoint, bound to a random port if it was not: as in Node, without
 * 'listening'.
 */
function boundEndpoint(state: SocketState, syscall: string): Endpoint {
  const endpoint = state.open()
  if (endpoint.isBound) return endpoint
  endpoint.reuseAddress = true
  endpoint.ipv6Only = state.ipv6Only
  const errno = endpoint.bind(state.family === 4 ? Address.ANY4 : Address.ANY6, 0)
  if (errno !== '') throw errnoError(errno, syscall)
  return endpoint
}

/**
 * The nic that a group operation names: by address for IPv4 groups, by zone for IPv6 ones. An errno
 * when it cannot be.
 */
function groupInterface(state: SocketState, group: string, given: unknown): number | GroupErrno {
  const { addresses, stack } = state.shared
  const four = !group.includes(':')
  const text = given === undefined || given === null ? (four ? '0.0.0.0' : '::') : String(given)
  const scoped = text.includes(':') === four ? null : addresses.parse(text)
  if (scoped === null) return 'EINVAL'
  if (!four && state.family === 4) return 'ENOPROTOOPT'
  // A mapped group is none of IPv6.
  if (!four && addresses.parse(group)?.address.family === 4) return 'EINVAL'
  return four ? (interfaceWithAddress(stack, scoped.address) ?? 'ENODEV') : scoped.nic
}

function throwIfFailed(errno: GroupErrno, syscall: string): void {
  if (errno !== '') throw errnoError(errno, syscall)
}
