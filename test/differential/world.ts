/** The two hosts that are compared: the same addresses, the same sockets. */
import type { Host, SocketPlan } from './host.ts'
import { KernelHost } from './kernel-host.ts'
import { StackHost } from './stack-host.ts'

export const HOST4 = '10.9.0.1'
export const PEER4 = '10.9.0.2'
export const BROADCAST4 = '10.9.0.255'
export const GROUP4 = '239.1.2.3'
export const HOST6 = 'fd09::1'
export const PEER6 = 'fd09::2'
export const GROUP6 = 'ff15::1:2:3'

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
