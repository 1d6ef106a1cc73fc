/** What raw endpoints ask of IP, by their rooms. */
import type { Drop } from '../base/drop.ts'
import type { KeyedHash } from '../base/hash.ts'
import type { Packet } from '../base/packet.ts'
import type { RawErrorSink } from '../ip/icmp/icmp-error.ts'
import type { Nic } from '../ip/nic/nic.ts'
import type { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import type { RouteNic } from '../ip/routing/route-nic.ts'
import type { Route } from '../ip/routing/route-table.ts'
import type { RawSink } from '../ip/upper.ts'
import type { BindHost } from '../udp/bind.ts'
import type { GroupHost } from '../udp/groups.ts'
import type { RouteHost } from '../udp/route-choice.ts'
import type { SourceRouteHost } from '../udp/source-route.ts'

export interface RawIp extends BindHost, RouteHost, GroupHost, SourceRouteHost {
  readonly hash: KeyedHash
  nicByIndex(index: number): Nic | undefined
  route: RouteHost['route']
  /** TTL or hop limit of what is sent over a nic without one of its own. */
  hopLimitOver(nic: RouteNic, family: number): number
  /** The MTU towards a destination over a route. */
  mtuTo(route: Route, w0: number, w1: number, w2: number, w3: number): number
  output(packet: Packet, route: Route, mode: PmtuMode, loop: boolean, options: Uint8Array | null): Drop
  /** Sends a packet whose IP header the program wrote. */
  outputWritten(packet: Packet, route: Route, loop: boolean): Drop
  /** Names who gets copies of packets, and errors; `null` for nobody. */
  attachRaw(raw: (RawSink & RawErrorSink) | null): void
}
