/** The IP packet in a frame that passes by: what a wire can tell without being the receiver. */
import { formatWords, MAPPED } from '../../base/address.ts'
import type { Packet } from '../../base/packet.ts'
import type { Medium } from '../../link/link.ts'
import { segmentsOf } from '../../link/segmenter.ts'
import type { Stack } from '../../stack.ts'
import * as ethernet from '../../wire/ethernet.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import { ICMPV4, ICMPV6, SCTP, TCP, UDP } from '../../wire/protocol.ts'
import * as tcp from '../../wire/tcp.ts'

const FRAGMENT = 44

/** Bytes in front of the IP header, priority tags included; -1 when they are not all there. */
export function linkHeaderLength(packet: Packet, medium: Medium): number {
  return medium === 'ethernet' ? ethernet.headerLength(packet) : 0
}

/**
 * Offset of the IP header, -1 when the frame holds no whole one, or not the one that its type says.
 */
export function ipOffset(packet: Packet, medium: Medium): number {
  const { view, start, end } = packet
  const header = linkHeaderLength(packet, medium)
  const at = start + header
  if (header < 0 || end - at < ipv4.HEADER) return -1
  const version = ipv4.version(view, at)
  if (medium === 'ethernet' && ethernet.payloadType(view, at) !== (version === 4 ? ethernet.IPV4 : ethernet.IPV6))
    return -1
  if (version === 4) return at
  return version === 6 && end - at >= ipv6.HEADER ? at : -1
}

/** What the headers of a packet say, read once; `null` fields are in another fragment. */
export interface Summary {
  family: 4 | 6
  /**
   * Upper protocol; behind an IPv6 extension header other than a fragment's it is that header's
   * number.
   */
  protocol: number
  source: string
  destination: string
  /** UDP, TCP and SCTP only, and only in a first fragment. */
  sourcePort: number | null
  destinationPort: number | null
  /** TCP only, and only in a first fragment: `S.` and the like, as tcpdump writes them. */
  flags: string | null
  /** ICMP only, and only in a first fragment. */
  type: number | null
  code: number | null
  hopLimit: number
  /** Bytes of IP packet. */
  length: number
  /**
   * For how many packets of a flow it stands; 1 as a rule. TCP segments that a kernel hands to a
   * device together pass a network together, as long as nothing is done to each.
   */
  segments: number
  /**
   * Of fragments: the identification they share, where this one's part begins, how long it is, and
   * whether more follow.
   */
  fragment: { identification: number; offset: number; length: number; more: boolean } | null
}

/** Reads the packet whose IP header is at `at` and checked to be there. */
export function summarize(packet: Packet, at: number): Summary {
  const { view, end } = packet
  const four = ipv4.version(view, at) === 4
  let upper = at + (four ? ipv4.headerLength(view, at) : ipv6.HEADER)
  let protocol = four ? ipv4.protocol(view, at) : ipv6.nextHeader(view, at)
  let offset = four ? ipv4.fragmentOffset(view, at) : 0
  let more = four && ipv4.moreFragments(view, at)
  let identification = four ? ipv4.identification(view, at) : 0
  if (!four && protocol === FRAGMENT && end - upper >= ipv6.FRAGMENT_HEADER) {
    protocol = view.getUint8(upper)
    const word = view.getUint16(upper + 2)
    offset = word & 0xfff8
    more = (word & 1) === 1
    identification = view.getUint32(upper + 4)
    upper += ipv6.FRAGMENT_HEADER
  }
  const words = (from: number) =>
    four
      ? formatWords(0, 0, MAPPED, view.getInt32(from))
      : formatWords(view.getInt32(from), view.getInt32(from + 4), view.getInt32(from + 8), view.getInt32(from + 12))
  const first = offset === 0 && end - upper >= 8
  const hasPorts = first && (protocol === UDP || protocol === TCP || protocol === SCTP)
  const icmp = first && protocol === (four ? ICMPV4 : ICMPV6)
  return {
    family: four ? 4 : 6,
    protocol,
    source: words(at + (four ? ipv4.SOURCE : ipv6.SOURCE)),
    destination: words(at + (four ? ipv4.DESTINATION : ipv6.DESTINATION)),
    sourcePort: hasPorts ? view.getUint16(upper) : null,
    destinationPort: hasPorts ? view.getUint16(upper + 2) : null,
    flags: hasPorts && protocol === TCP && end - upper >= tcp.HEADER ? tcp.flagsText(view, upper) : null,
    type: icmp ? view.getUint8(upper) : null,
    code: icmp ? view.getUint8(upper + 1) : null,
    hopLimit: four ? ipv4.ttl(view, at) : ipv6.hopLimit(view, at),
    length: end - at,
    segments: segmentsOf(packet),
    fragment: offset > 0 || more ? { identification, offset, length: end - upper, more } : null,
  }
}

/** Whether the packet whose IP header is at `at` is a fragment. */
export function isFragment({ view, end }: Packet, at: number): boolean {
  if (ipv4.version(view, at) === 4) return ipv4.fragmentOffset(view, at) > 0 || ipv4.moreFragments(view, at)
  const upper = at + ipv6.HEADER
  if (ipv6.nextHeader(view, at) !== FRAGMENT || end - upper < ipv6.FRAGMENT_HEADER) return false
  return (view.getUint16(upper + 2) & 0xfff9) !== 0
}

/** Whether a stack's packet is a datagram that the stack itself sends, and no upkeep of a link. */
export function isSentBy({ ip }: Stack, packet: Packet): boolean {
  const { view, start, end } = packet
  const length = end - start
  if (length < ipv4.HEADER) return false
  const version = ipv4.version(view, start)
  if (version === 4) {
    const source = view.getInt32(start + ipv4.SOURCE)
    if (ipv4.totalLength(view, start) !== length || !ip.isLocal(0, 0, MAPPED, source)) return false
  } else {
    if (version !== 6 || length < ipv6.HEADER || ipv6.payloadLength(view, start) !== length - ipv6.HEADER) return false
    const word = (index: number) => view.getInt32(start + ipv6.SOURCE + 4 * index)
    if (!ip.isLocal(word(0), word(1), word(2), word(3))) return false
  }
  return !isUpkeep(packet, start)
}

/**
 * Whether the packet is upkeep of a link, not somebody's datagram: Neighbor Discovery (types 133 to
 * 137), MLD (130 to 132, 143) and IGMP. MLD comes behind a hop-by-hop header.
 */
export function isUpkeep(packet: Packet, at: number): boolean {
  const { view } = packet
  if (ipv4.version(view, at) === 4) return ipv4.protocol(view, at) === 2
  const next = ipv6.nextHeader(view, at)
  let upper = at + ipv6.HEADER
  if (next === 0 && packet.end - upper >= 8) {
    if (view.getUint8(upper) !== ICMPV6) return false
    upper += 8 + view.getUint8(upper + 1) * 8
  } else if (next !== ICMPV6) return false
  if (packet.end - upper < 4) return false
  const type = view.getUint8(upper)
  return (type >= 130 && type <= 137) || type === 143
}
