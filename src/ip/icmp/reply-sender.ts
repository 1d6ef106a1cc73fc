/**
 * Sends what answers a packet, replies and errors, to where it came from: the transmit packet, the
 * route back, the source address, the header's fields.
 */
import { Drop } from '../../base/drop.ts'
import { copyBytes, HEADROOM, MAX_PACKET, Packet } from '../../base/packet.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import { ICMPV4, ICMPV6 } from '../../wire/protocol.ts'
import type { Counters } from '../counters.ts'
import type { Answer, Ipv4Options } from '../ipv4-options.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import type { Route } from '../routing/route-table.ts'
import type { AnswerHost } from './icmp-host.ts'

export class ReplySender {
  readonly #host: AnswerHost
  readonly #counters: Counters
  readonly #options: Ipv4Options
  #tx: Packet | null = null

  constructor(host: AnswerHost, counters: Counters, options: Ipv4Options) {
    this.#host = host
    this.#counters = counters
    this.#options = options
  }

  /** The transmit packet with `length` bytes of content to fill; valid until the next message. */
  blank(length: number): Packet {
    this.#tx ??= new Packet(HEADROOM + MAX_PACKET)
    this.#tx.reset(HEADROOM, HEADROOM + length)
    return this.#tx
  }

  /** The transmit packet with `length` bytes of `packet` copied from offset `from`. */
  copyOf(packet: Packet, from: number, length: number): Packet {
    const reply = this.blank(length)
    copyBytes(packet, from, reply, HEADROOM, length)
    reply.tos = packet.tos
    return reply
  }

  /**
   * The IPv4 options of an answer to a packet: its route and timestamp, its source route in
   * reverse.
   * @returns `undefined` for a packet without options; `null` when nothing can be answered
   */
  optionsFor(packet: Packet): Answer | null | undefined {
    return hasOptions(packet) ? this.#options.echo(packet) : undefined
  }

  /** Answers `packet` with a message that is complete but for the ICMPv6 checksum. */
  send(reply: Packet, packet: Packet, nic: RouteNic): Drop {
    const options = this.optionsFor(packet)
    return options === null ? Drop.IpOption : this.sendWith(reply, packet, nic, options)
  }

  /** The same with the options of {@link optionsFor}. */
  sendWith(reply: Packet, packet: Packet, nic: RouteNic, options: Answer | undefined): Drop {
    const host = this.#host
    const { family, s0, s1, s2, s3 } = packet
    const six = family === 6
    reply.family = family
    reply.protocol = six ? ICMPV6 : ICMPV4
    reply.d0 = s0
    reply.d1 = s1
    reply.d2 = s2
    reply.d3 = answerTo(packet, options)
    // A link-local source is one of the link, unless it claims to be this host.
    const scoped = six && s0 >>> 22 === 0x3fa && !nic.hasWords(s0, s1, s2, s3)
    const route = host.routes.lookup(reply.d0, reply.d1, reply.d2, reply.d3, scoped ? nic.index : 0)
    if (route === null) return Drop.IpNoRoute
    const error6 = six && icmpv6.isError(icmpv6.type(reply.view, reply.start))
    if (error6 && isAnycast(route, reply)) return Drop.IcmpAmbiguousSource
    // Linux (icmp6_send): an error about what came to an anycast address of ours is from there, an
    // echo reply is not.
    if (host.isLocalOn(nic, packet) || (error6 && host.isAnycastOn(nic, packet))) {
      reply.s0 = packet.d0
      reply.s1 = packet.d1
      reply.s2 = packet.d2
      reply.s3 = packet.d3
    } else {
      // ICMPv6 answers from the nic that the packet came by, if it can: RFC 4443 section 4.2
      // (echo), 2.2 (errors: "a more informative choice"; Linux).
      const over = six ? nic : route.nic
      const source = host.selectSource(route, reply.d0, reply.d1, reply.d2, reply.d3, over)
      if (source === null) return Drop.IpNoRoute
      reply.s0 = source.w0
      reply.s1 = source.w1
      reply.s2 = source.w2
      reply.s3 = source.w3
    }
    reply.hopLimit = host.hopLimitOver(route.nic, family)
    reply.flowLabel = 0
    if (six) {
      this.#counters.six.IcmpOutMsgs++
      completeChecksum6(reply)
    } else this.#counters.four.IcmpOutMsgs++
    return host.output(reply, route, 0, false, options === undefined ? null : options.bytes)
  }
}

/** The last word of the address that an answer with these options, if any, goes to first. */
export function answerTo(packet: Packet, options: Answer | undefined): number {
  return options !== undefined && options.firstHop !== 0 ? options.firstHop : packet.s3
}

/** Whether an IPv4 header has options. */
function hasOptions(packet: Packet): boolean {
  return packet.family === 4 && packet.transport - packet.network > ipv4.HEADER
}

/**
 * RFC 4443 section 2.4 (e.6): the first address of a prefix on the link is its routers' anycast
 * address (RFC 4291 section 2.6.1), maybe ours.
 */
function isAnycast({ prefix, gateway, kind }: Route, reply: Packet): boolean {
  if (kind === 'anycast') return true
  return gateway === null && prefix.length < 127 && prefix.address.is(reply.d0, reply.d1, reply.d2, reply.d3)
}

/**
 * The checksum covers the pseudo-header, so it comes last: the header is laid down once for the
 * sum.
 */
function completeChecksum6(reply: Packet): void {
  const network = reply.start - ipv6.HEADER
  ipv6.encode(reply, network, ICMPV6)
  icmpv6.encodeChecksum(reply, network, reply.start, reply.end)
}
