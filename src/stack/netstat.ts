/** A host at a glance: nics, routes and sockets in the words of Linux's tools. */
import type { Counters, DropCount } from '../ip/counters.ts'
import type { Nic } from '../ip/nic/nic.ts'
import { Preference, type Route } from '../ip/routing/route-table.ts'
import type { Endpoint } from '../udp/endpoint.ts'

/** One socket, as `ss -ua` shows it. */
export interface SocketRow {
  protocol: 'udp' | 'udp6'
  localAddress: string
  localPort: number
  remoteAddress: string | null
  remotePort: number | null
  /** Bytes that wait for the program. */
  receiveQueue: number
}

/** One nic, as `ip -s link` shows it. */
export interface NicRow {
  name: string
  index: number
  up: boolean
  mtu: number
  addresses: string[]
  rxPackets: number
  rxBytes: number
  txPackets: number
  txBytes: number
  txDropped: number
}

/** What `stack.netstat` shows. */
export interface Netstat {
  nics: NicRow[]
  routes: string[]
  sockets: SocketRow[]
  /** The MIB counters that are not zero, under Linux's names. */
  counters: Record<string, number>
  drops: DropCount[]
}

export function netstat(
  nics: readonly Nic[],
  routes: readonly Route[],
  endpoints: readonly Endpoint[],
  counters: Counters,
): Netstat {
  return {
    nics: nics.map((nic) => ({
      name: nic.name,
      index: nic.index,
      up: nic.isUp,
      mtu: nic.mtu,
      addresses: nic.addresses.map(({ address, prefix }) => `${address}/${prefix.length}`),
      rxPackets: nic.rxPackets,
      rxBytes: nic.rxBytes,
      txPackets: nic.txPackets,
      txBytes: nic.txBytes,
      txDropped: nic.txDropped,
    })),
    routes: routes.map(describeRoute),
    sockets: endpoints.map((endpoint) => ({
      protocol: endpoint.family === 4 ? 'udp' : 'udp6',
      localAddress: endpoint.localAddress.toString(),
      localPort: endpoint.localPort,
      remoteAddress: endpoint.remoteAddress?.toString() ?? null,
      remotePort: endpoint.remoteAddress === null ? null : endpoint.remotePort,
      receiveQueue: endpoint.queued,
    })),
    counters: counters.nonZero(),
    drops: counters.drops,
  }
}

/** As `ip route` prints it. */
function describeRoute(route: Route): string {
  const parts = [route.prefix.length === 0 ? 'default' : route.prefix.toString()]
  if (route.kind !== 'unicast') parts.unshift(route.kind)
  if (route.gateway !== null) parts.push(`via ${route.gateway}`)
  parts.push(`dev ${route.nic.name}`)
  if (route.source !== null) parts.push(`src ${route.source}`)
  if (route.metric !== 0) parts.push(`metric ${route.metric}`)
  if (route.mtu !== 0) parts.push(`mtu ${route.mtu}`)
  if (route.preference === Preference.High) parts.push('pref high')
  else if (route.preference === Preference.Low) parts.push('pref low')
  return parts.join(' ')
}
