/**
 * The errors that this host sends: which packets may be answered by one, how many leave, how much
 * they quote.
 */
import { isMulticast, isUnspecified } from '../../base/address.ts'
import { Drop } from '../../base/drop.ts'
import { Cast, ChecksumState, type Packet } from '../../base/packet.ts'
import { completeChecksum } from '../../link/checksum-offload.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import * as ndp from '../../wire/ndp.ts'
import { FRAGMENT, ICMPV4, ICMPV6 } from '../../wire/protocol.ts'
import type { Counters } from '../counters.ts'
import type { Answer } from '../ipv4-options.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import type { ErrorLimit } from './error-limit.ts'
import { type ErrorForm, ErrorReason } from './error-reasons.ts'
import type { ErrorHost } from './icmp-host.ts'
import { answerTo, type ReplySender } from './reply-sender.ts'

/** The longest error packet, in bytes: RFC 1812 section 4.3.2.3, RFC 4443 section 2.4 (c). */
const MAX_ERROR4 = 576
const MAX_ERROR6 = 1280

export class ErrorSender {
  readonly #host: ErrorHost
  readonly #counters: Counters
  readonly #limit: ErrorLimit
  readonly #replies: ReplySender

  constructor(host: ErrorHost, counters: Counters, limit: ErrorLimit, replies: ReplySender) {
    this.#host = host
    this.#counters = counters
    this.#limit = limit
    this.#replies = replies
  }

  /**
   * Quotes the packet at `packet.network … packet.networkEnd` in an error to its source, if the
   * rules and the rate limit allow one. A reason that the packet's family does not have sends none.
   */
  send(packet: Packet, nic: RouteNic, reason: ErrorReason, value: number): void {
    const four = packet.family === 4
    const form = four ? reason.four : reason.six
    if (form === null || !(four ? this.#mayAnswer4(packet) : mayAnswer6(packet, reason))) return
    // Path MTU discovery stalls without too-big reports, and redirects have a limit of their own
    // (Linux: neither is in icmp_ratemask).
    const limited = reason !== ErrorReason.TooBig && reason !== ErrorReason.Redirect && !nic.isLoopback
    if (limited && !this.#limit.take(packet.s0, packet.s1, packet.s2, packet.s3)) {
      this.#counters.drop(Drop.IcmpRateLimited, packet)
      return
    }
    const options = this.#replies.optionsFor(packet)
    if (options === null) return
    const header = four
      ? ipv4.HEADER + icmpv4.HEADER + (options === undefined ? 0 : options.bytes.length)
      : ipv6.HEADER + icmpv6.HEADER
    const length = Math.min(packet.networkEnd - packet.network, this.#room(packet, options) - header)
    // The sender compares the quote with what it sent, which is not what its device left out.
    if (packet.checksumState === ChecksumState.Partial) completeChecksum(packet, packet.network, packet.networkEnd)
    const reply = this.#replies.copyOf(packet, packet.network, length)
    if (four) this.#encode4(reply, packet, form, value)
    else this.#encode6(reply, form, value)
    const drop = this.#replies.sendWith(reply, packet, nic, options)
    if (drop !== Drop.None) this.#counters.drop(drop, packet)
  }

  #encode4(reply: Packet, packet: Packet, { type, code, shift }: ErrorForm, value: number): void {
    const counters = this.#counters
    if (type === icmpv4.DESTINATION_UNREACHABLE) counters.four.IcmpOutDestUnreachs++
    else if (type === icmpv4.TIME_EXCEEDED) counters.four.IcmpOutTimeExcds++
    else if (type === icmpv4.REDIRECT) counters.four.IcmpOutRedirects++
    else counters.four.IcmpOutParmProbs++
    // Linux: IPTOS_PREC_INTERNETCONTROL, RFC 1812 section 4.3.2.5.
    reply.tos = (packet.tos & 0x1e) | 0xc0
    reply.start -= icmpv4.HEADER
    icmpv4.encode(reply, reply.start, reply.end, type, code, value << shift)
  }

  /** All but the checksum, which comes with the addresses. */
  #encode6(reply: Packet, { type, code, shift }: ErrorForm, value: number): void {
    const counters = this.#counters
    if (type === icmpv6.DESTINATION_UNREACHABLE) counters.six.IcmpOutDestUnreachs++
    else if (type === icmpv6.PACKET_TOO_BIG) counters.six.IcmpOutPktTooBigs++
    else if (type === icmpv6.TIME_EXCEEDED) counters.six.IcmpOutTimeExcds++
    else counters.six.IcmpOutParmProbs++
    reply.tos = 0
    reply.start -= icmpv6.HEADER
    icmpv6.encodeHeader(reply.view, reply.start, type, code, value << shift)
  }

  /**
   * Bytes that an error to the packet's source may have: it must not need fragments on the way
   * (Linux: the known path MTU counts).
   */
  #room(packet: Packet, options: Answer | undefined): number {
    if (packet.family === 6) return MAX_ERROR6
    const { s0, s1, s2 } = packet
    const to = answerTo(packet, options)
    const route = this.#host.routes.lookup(s0, s1, s2, to, 0)
    return route === null ? MAX_ERROR4 : Math.min(MAX_ERROR4, this.#host.mtuTo(route, s0, s1, s2, to))
  }

  /**
   * RFC 1122 section 3.2.2: "An ICMP error message MUST NOT be sent as the result of receiving: an
   * ICMP error message, or a datagram destined to an IP broadcast or IP multicast address, or a
   * datagram sent as a link-layer broadcast, or a non-initial fragment, or a datagram whose source
   * address does not define a single host."
   */
  #mayAnswer4(packet: Packet): boolean {
    const { view, transport, cast, s3, d3 } = packet
    if (cast !== Cast.Unicast || !this.#host.isUnicast4(d3)) return false
    if (packet.fragmentOffset !== 0) return false
    if (!this.#host.isUnicast4(s3)) return false
    if (packet.protocol !== ICMPV4) return true
    if (packet.networkEnd <= transport) return false
    // An unknown type might be an error: Linux answers for queries and replies only.
    return icmpv4.isQuery(icmpv4.type(view, transport))
  }
}

/**
 * RFC 4443 section 2.4 (e): "An ICMPv6 error message MUST NOT be originated as a result of
 * receiving: (e.1) an ICMPv6 error message, (e.2) an ICMPv6 redirect message, (e.3) a packet
 * destined to an IPv6 multicast address [but for Packet Too Big and Parameter Problem code 2],
 * (e.4) a packet sent as a link-layer multicast, (e.5) a link-layer broadcast [with the same
 * exceptions], (e.6) a packet whose source address does not uniquely identify a single node."
 */
function mayAnswer6(packet: Packet, reason: ErrorReason): boolean {
  const { cast, s0, s1, s2, s3 } = packet
  if (cast === Cast.OtherHost) return false
  if (isUnspecified(s0, s1, s2, s3) || isMulticast(s0, s1, s2, s3)) return false
  const multicast = cast !== Cast.Unicast || packet.d0 >>> 24 === 0xff
  if (multicast && reason !== ErrorReason.TooBig && reason !== ErrorReason.UnknownOption) return false
  return !isIcmpv6Error(packet)
}

/** An error or a redirect, behind whatever extension headers come first (Linux: is_ineligible). */
function isIcmpv6Error(packet: Packet): boolean {
  const { view, network, networkEnd } = packet
  const found = ipv6.skip(view, ipv6.nextHeader(view, network), network + ipv6.HEADER, networkEnd)
  if (found < 0 || (found & 0xff) !== ICMPV6) return false
  const at = found >> 8
  // Without a type it might be one; but the type of a first fragment comes in another one.
  if (at >= networkEnd) return !isFragment(packet)
  const type = icmpv6.type(view, at)
  return icmpv6.isError(type) || type === ndp.REDIRECT
}

/** Whether a fragment header with an offset or more to follow is in front of the upper layer's. */
function isFragment(packet: Packet): boolean {
  const { view, network, networkEnd } = packet
  let next = ipv6.nextHeader(view, network)
  for (let at = network + ipv6.HEADER; networkEnd - at >= 4 && ipv6.isSkipped(next); ) {
    if (next === FRAGMENT && view.getUint16(at + 2) !== 0) return true
    const length = ipv6.skippedLength(view, next, at)
    next = view.getUint8(at)
    at += length
  }
  return false
}
