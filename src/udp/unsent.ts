/** What a packet that IP did not take means to the program that sent it. */
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import type { Counters } from '../ip/counters.ts'
import type { Errno } from './errno.ts'

/** Counts the drop where the packet is lost; `drop` is not `Drop.None`. */
export function unsent(counters: Counters, packet: Packet, drop: Drop): Errno {
  // Nothing is lost yet in these two: the caller knows, and may try again.
  if (drop === Drop.IpDontFragment) return 'EMSGSIZE'
  if (drop === Drop.LinkQueueFull) return 'ENOBUFS'
  counters.drop(drop, packet)
  if (drop === Drop.LinkDown) return 'ENETDOWN'
  return drop === Drop.IpLoopbackLeaves ? 'EINVAL' : ''
}
