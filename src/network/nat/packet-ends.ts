/**
 * Where a packet has what a NAT translates besides addresses: its ports, or an echo's identifier.
 */
import { isComplete, sum, sumLong } from '../../base/checksum.ts'
import { ChecksumState, type Packet } from '../../base/packet.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import { ICMPV4, TCP, UDP } from '../../wire/protocol.ts'
import * as tcp from '../../wire/tcp.ts'

/** Offset of the identifier in a query, such as an echo message (RFC 792). */
const IDENTIFIER = 4

const REQUESTS = new Set([icmpv4.ECHO, icmpv4.TIMESTAMP])
const REPLIES = new Set([icmpv4.ECHO_REPLY, icmpv4.TIMESTAMP_REPLY])

/** Filled anew by each `read`. An echo message has its identifier at both ends. */
export class PacketEnds {
  protocol = 0
  sourcePort = 0
  destinationPort = 0
  /** Offsets of the two. */
  sourceAt = 0
  destinationAt = 0
  /**
   * Offset of the checksum that covers them; -1 where a UDP datagram has none, where a quote is cut
   * in front of it, and where it is a `Partial` one, which does not cover them yet.
   */
  checksumAt = -1
  /** Those of a TCP segment, else 0. */
  flags = 0
  /** Whether it is an ICMP request, which the other end answers. */
  isRequest = false

  /**
   * Reads the packet whose IP header is at `at`; also one that an ICMP error quotes.
   * @returns false for what has neither ports nor an identifier
   */
  read(packet: Packet, at: number, isQuote = false): boolean {
    const { view, end } = packet
    this.flags = 0
    this.isRequest = false
    const upper = at + ipv4.headerLength(view, at)
    if (end - upper < 8) return false
    this.protocol = ipv4.protocol(view, at)
    if (this.protocol === UDP) {
      this.sourceAt = upper
      this.destinationAt = upper + 2
      this.checksumAt = view.getUint16(upper + 6) === 0 ? -1 : upper + 6
    } else if (this.protocol === TCP) {
      // Of a quote eight bytes may be all there is (RFC 792).
      const header = tcp.headerLength(view, upper, end)
      if (!isQuote && header < tcp.HEADER) return false
      this.sourceAt = upper
      this.destinationAt = upper + 2
      this.checksumAt = end - upper >= tcp.CHECKSUM + 2 ? upper + tcp.CHECKSUM : -1
      if (header >= tcp.HEADER) this.flags = tcp.flags(view, upper)
    } else if (this.protocol === ICMPV4 && this.#isQuery(icmpv4.type(view, upper))) {
      this.sourceAt = this.destinationAt = upper + IDENTIFIER
      this.checksumAt = upper + 2
    } else return false
    if (!isQuote && this.protocol !== ICMPV4 && packet.checksumState === ChecksumState.Partial) this.checksumAt = -1
    this.sourcePort = view.getUint16(this.sourceAt)
    this.destinationPort = view.getUint16(this.destinationAt)
    return true
  }

  /** Queries and their answers have an identifier (RFC 5508 section 3). */
  #isQuery(type: number): boolean {
    this.isRequest = REQUESTS.has(type)
    return this.isRequest || REPLIES.has(type)
  }
}

/**
 * Whether the error at `at`, which quotes the header at `quoted`, is to be dropped in silence: its
 * checksum is wrong, or that of the quoted header (RFC 5508 REQ-3). A quote may be cut, so the
 * checksum of what is behind its header says nothing.
 */
export function isDamaged(packet: Packet, at: number, quoted: number): boolean {
  const { view, end } = packet
  const upper = at + ipv4.headerLength(view, at)
  const header = ipv4.headerLength(view, quoted)
  return !isComplete(sumLong(packet, upper, end, 0)) || !isComplete(sum(view, quoted, quoted + header, 0))
}

/**
 * Offset of the IP header that an ICMP error quotes; -1 for other packets, and for quotes too short
 * to be used.
 */
export function quoteAt(packet: Packet, at: number): number {
  const { view, end } = packet
  const upper = at + ipv4.headerLength(view, at)
  if (ipv4.protocol(view, at) !== ICMPV4 || end - upper < icmpv4.HEADER || !icmpv4.isError(icmpv4.type(view, upper)))
    return -1
  const quoted = upper + icmpv4.HEADER
  if (end - quoted < ipv4.HEADER || ipv4.version(view, quoted) !== 4) return -1
  return end - quoted >= ipv4.headerLength(view, quoted) + 8 ? quoted : -1
}
