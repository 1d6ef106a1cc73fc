/** The two hosts, and the two routers, that are compared: the same addresses, the same sockets. */
import type { Host, SocketPlan } from './host.ts'
import { ip, KernelHost, sysctl } from './kernel-host.ts'
import { StackHost } from './stack-host.ts'

export const HOST4 = '10.9.0.1'
export const PEER4 = '10.9.0.2'
export const BROADCAST4 = '10.9.0.255'
export const GROUP4 = '239.1.2.3'
export const HOST6 = 'fd09::1'
export const PEER6 = 'fd09::2'
export const GROUP6 = 'ff15::1:2:3'
export const HOST_LINK_LOCAL = 'fe80::1'

/** A router's second link, one that takes shorter packets. */
export const OUTSIDE4 = '10.8.0.1'
export const OUTSIDE_PEER4 = '10.8.0.2'
export const OUTSIDE_BROADCAST4 = '10.8.0.255'
export const OUTSIDE6 = 'fd08::1'
export const OUTSIDE_PEER6 = 'fd08::2'
export const OUTSIDE_LINK_LOCAL = 'fe80::2'
/** The subnet-router anycast addresses. */
export const ANYCAST6 = ['fd09::', 'fd08::', 'fe80::']
export const OUTSIDE_MTU = 1300
/** Of networks behind the peer there. */
export const FAR4 = '192.0.2.9'
export const FAR6 = 'fd07::9'

/** Bound to any. */
export const PORT = 7000
/** Connected to the peer's {@link PEER_PORT}. */
export const CONNECTED_PORT = 7001
export const PEER_PORT = 9001
/** One IPv6 socket for both families. */
export const DUAL_PORT = 7002
/** A member of the groups. */
export const GROUP_PORT = 7003
export const CLOSED_PORT = 7999

const sockets: SocketPlan[] = [
  { family: 4, port: PORT },
  { family: 6, port: PORT },
  { family: 4, port: CONNECTED_PORT, peer: PEER4, peerPort: PEER_PORT },
  { family: 6, port: CONNECTED_PORT, peer: PEER6, peerPort: PEER_PORT },
  { family: 6, port: DUAL_PORT, dual: true },
  { family: 4, port: GROUP_PORT, group: GROUP4 },
  { family: 6, port: GROUP_PORT, group: GROUP6 },
]

/** Call in a namespace of the test's own. */
export function makeHosts(): { kernel: KernelHost; stack: StackHost } {
  const addresses = [`${HOST4}/24`, `${HOST6}/64`]
  const kernel = new KernelHost('diff0', addresses)
  const stack = new StackHost(addresses)
  for (const host of [kernel, stack] as Host[]) for (const plan of sockets) host.open(plan)
  return { kernel, stack }
}

/**
 * Two routers; call in a namespace of the test's own. All of IPv4 has a route: of packets that have
 * none the kernel reports a few for each source, which a namespace cannot change
 * (ip_rt_error_cost).
 */
export function makeRouters(): { kernel: KernelHost; stack: StackHost } {
  const inside = [`${HOST4}/24`, `${HOST6}/64`, `${HOST_LINK_LOCAL}/64`]
  const outside = [`${OUTSIDE4}/24`, `${OUTSIDE6}/64`, `${OUTSIDE_LINK_LOCAL}/64`]
  for (const family of ['ipv4', 'ipv6']) sysctl(`${family}/conf/all/forwarding`, 0)
  for (const scope of ['all', 'default']) sysctl(`ipv4/conf/${scope}/send_redirects`, 0)
  const kernel = new KernelHost('diff0', inside)
  kernel.addLink('diff1', outside, OUTSIDE_MTU)
  // When a device is new the kernel joins ff02::2 alone, when forwarding is switched on all groups
  // of routers.
  for (const family of ['ipv4', 'ipv6']) sysctl(`${family}/conf/all/forwarding`, 1)
  ip('route', 'add', 'default', 'via', OUTSIDE_PEER4, 'dev', 'diff1')
  ip('route', 'add', 'fd07::/16', 'via', OUTSIDE_PEER6, 'dev', 'diff1')
  const stack = new StackHost(inside, 1500, { forwarding: true })
  stack.addLink('test1', outside, OUTSIDE_MTU)
  stack.stack.addRoute({ to: '0.0.0.0/0', via: OUTSIDE_PEER4 })
  stack.stack.addRoute({ to: 'fd07::/16', via: OUTSIDE_PEER6 })
  for (const host of [kernel, stack] as Host[]) {
    for (const plan of sockets) host.open(plan)
    host.receive(1)
  }
  return { kernel, stack }
}
