/**
 * What stays on the host: loopback addresses (RFC 1122 section 3.2.1.3 (g), RFC 4291 section 2.5.3)
 * and groups of scope 0 and 1 (section 2.7).
 */
import { isLoopback } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'

/**
 * Whether a packet may leave by a nic other than the loopback: asked of every packet there, whoever
 * made it. Linux refuses loopback sources of IPv4 when it looks for the route, and leaves the rest
 * to the receiver, who discards it.
 */
export function checkLeaving(packet: Packet): Drop {
  const { s3, d3 } = packet
  if (packet.family === 4) return s3 >>> 24 === 127 || d3 >>> 24 === 127 ? Drop.IpLoopbackLeaves : Drop.None
  // Few addresses end in 1 behind 31 zeros: the rest of the words is rarely looked at.
  if (s3 === 1 && isLoopback(packet.s0, packet.s1, packet.s2, s3)) return Drop.IpLoopbackLeaves
  if (d3 === 1 && isLoopback(packet.d0, packet.d1, packet.d2, d3)) return Drop.IpLoopbackLeaves
  return Drop.None
}

/**
 * Whether an IPv6 packet is to a group that ends at the host (Linux: ip6_finish_output2). `w0` is
 * the first word of its destination.
 */
export function isHostGroup(w0: number): boolean {
  return w0 >>> 24 === 0xff && ((w0 >>> 16) & 15) <= 1
}
