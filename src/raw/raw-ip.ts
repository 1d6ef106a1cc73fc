/** What raw endpoints ask of IP, by their rooms. */
import type { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import type { RawErrorSink } from '../ip/icmp/icmp-error.ts'
import type { Nic } from '../ip/nic/nic.ts'
import type { Route } from '../ip/routing/route-table.ts'
import type { RawSink } from '../ip/upper.ts'
import type { BindHost } from '../udp/bind.ts'
import type { GroupHost } from '../udp/groups.ts'
import type { SendHost } from '../udp/sender.ts'

export interface RawIp extends BindHost, GroupHost, SendHost {
  nicByIndex(index: number): Nic | undefined
  route: SendHost['route']
  /** The MTU towards a destination over a route. */
  mtuTo(route: Route, w0: number, w1: number, w2: number, w3: number): number
  /** Sends a packet whose IP header the program wrote. */
  outputWritten(packet: Packet, route: Route, loop: boolean): Drop
  /** Names who gets copies of packets, and errors; `null` for nobody. */
  attachRaw(raw: (RawSink & RawErrorSink) | null): void
}
