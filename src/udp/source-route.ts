/** IPv4 source routes of a program's own packets (RFC 791 section 3.1). */
import type { Packet } from '../base/packet.ts'
import type { OwnOptions } from '../ip/own-options.ts'
import type { Route } from '../ip/routing/route-table.ts'
import type { Errno } from './errno.ts'

/** What a source route asks of the host. */
export interface SourceRouteHost {
  /** Whether an IPv4 word can be one host's address. */
  isUnicast4(word: number): boolean
}

/**
 * The first hop, to which `route` leads, goes into the header, and the packet's destination to the
 * end of the route: checksums are those of the way's two ends.
 */
export function beginSourceRoute(host: SourceRouteHost, options: OwnOptions, packet: Packet, route: Route): Errno {
  const { sent, last, strict, firstHop } = options
  if (strict && route.gateway !== null) return 'ENETUNREACH'
  // A source route leads to a single host.
  if (!host.isUnicast4(packet.d3)) return 'EINVAL'
  new DataView(sent.buffer).setInt32(last, packet.d3)
  packet.d3 = firstHop
  return ''
}
