/** The life of a datagram: the record of what happened to it, and the filter that finds it. */
import type { DropName } from '../../base/drop.ts'
import { ICMPV4, ICMPV6, SCTP, TCP, UDP } from '../../wire/protocol.ts'
import type { Summary } from './ip-frame.ts'

export type LineageKind =
  | 'sent'
  | 'forwarded'
  | 'queued'
  | 'marked'
  | 'delayed'
  | 'duplicated'
  | 'corrupted'
  | 'overtaking'
  | 'arrived'
  | 'translated'
  | 'delivered'
  | 'dropped'
  | 'caused'

/** One thing that happened to a datagram, or to a fragment or copy of it. */
export interface LineageEvent {
  /** Milliseconds of the network's time. */
  readonly time: number
  /** The host, router or switch. */
  readonly node: string
  /** The nic, where one is concerned. */
  readonly nic: string
  readonly what: LineageKind
  /**
   * The headers as they were, for `sent`, `forwarded`, `arrived` and `translated`; `null` where
   * damage has left no IP packet of the frame.
   */
  readonly packet: Summary | null
  /** For `dropped`. */
  readonly reason: DropName | null
  /**
   * Milliseconds for `delayed`, flipped bits for `corrupted` when it is more than one, the number
   * of the other datagram for `caused`, else 0.
   */
  readonly value: number
}

/** One datagram's life. */
export interface Datagram {
  /** Unique in the network, from 1. */
  readonly id: number
  /** When it was sent, in milliseconds of the network's time. */
  readonly time: number
  /** Who sent it: a host, or the nic by which it came into the network. */
  readonly from: string
  /** Its headers as the sender wrote them; of its first fragment. */
  readonly packet: Summary
  /** The datagram on account of which this one, an ICMP message, was sent; 0 for none. */
  readonly causedBy: number
  readonly events: LineageEvent[]
}

/** What `network.datagrams` looks for; all that is given must agree. */
export interface DatagramFilter {
  /** Name of the host that sent it. */
  from?: string
  /** Name of a host that it was delivered to. */
  to?: string
  /** Source or destination address. */
  address?: string
  /** Source or destination port. */
  port?: number
  /** `icmp` is that of both families. */
  protocol?: 'udp' | 'tcp' | 'sctp' | 'icmp'
  /** Whether a part or copy of it was discarded somewhere; or the reason. */
  dropped?: boolean | DropName
  delivered?: boolean
}

const NUMBERS: Record<NonNullable<DatagramFilter['protocol']>, readonly number[]> = {
  udp: [UDP],
  tcp: [TCP],
  sctp: [SCTP],
  icmp: [ICMPV4, ICMPV6],
}

/** Whether a filter describes the datagram. */
export function matches({ from, packet, events }: Datagram, filter: DatagramFilter): boolean {
  const { address, port, protocol, dropped, delivered } = filter
  if (filter.from !== undefined && from !== filter.from) return false
  if (filter.to !== undefined && !events.some(({ what, node }) => what === 'delivered' && node === filter.to))
    return false
  if (address !== undefined && packet.source !== address && packet.destination !== address) return false
  if (port !== undefined && packet.sourcePort !== port && packet.destinationPort !== port) return false
  if (protocol !== undefined && !NUMBERS[protocol].includes(packet.protocol)) return false
  if (dropped !== undefined) {
    const reasons = events.flatMap(({ reason }) => reason ?? [])
    if (typeof dropped === 'string' ? !reasons.includes(dropped) : dropped !== reasons.length > 0) return false
  }
  return delivered === undefined || delivered === events.some(({ what }) => what === 'delivered')
}
