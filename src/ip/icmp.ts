/**
 * ICMP of both families: echo replies, the errors this host sends and those it believes.
 *
 * Who may be answered: RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e). How long a quote may be: RFC 1812 section 4.3.2.3 (576 bytes in all),
 * RFC 4443 section 2.4 (c) (1280 bytes in all).
 */
import { Address, isMulticast, isUnspecified } from '../base/address.ts'
import type { Clock } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import { Cast, HEADROOM, MAX_PACKET, Packet } from '../base/packet.ts'
import type { Counters } from './counters.ts'
import * as icmpv4 from './icmpv4.ts'
import * as icmpv6 from './icmpv6.ts'
import type { IpLayer } from './ip-layer.ts'
import * as ipv4 from './ipv4.ts'
import * as ipv6 from './ipv6.ts'
import type { Nic } from './nic.ts'
import { ICMPV4, ICMPV6, UDP } from './protocol.ts'

/** An error that arrived, about a packet that this host sent. */
export interface IcmpError {
  readonly family: 4 | 6
  readonly type: number
  readonly code: number
  /** Next-hop MTU of Fragmentation Needed and Packet Too Big, in bytes; 0 elsewhere. */
  readonly mtu: number
  /** Parameter Problem's pointer; 0 elsewhere. */
  readonly pointer: number
  /** Who sent the error. */
  readonly offender: Address
  /** Where the packet that caused it was going. */
  readonly destination: Address
  readonly destinationPort: number
  /** Our own end of it. */
  readonly source: Address
  readonly sourcePort: number
}

/** The upper layer that sent the quoted packet decides whether the error is believed. `quote` has `transport` at the quoted UDP header. */
export interface IcmpErrorSink {
  icmpError(quote: Packet, type: number, code: number, mtu: number, pointer: number, offender: Address): Drop
}

/** Errors per second by default, with bursts of 50 (Linux: icmp_msgs_per_sec, icmp_msgs_burst). Echo replies are not limited, as in Linux. */
export const DEFAULT_RATE_LIMIT = 1000
const BURST = 50

/** The longest error packet, in bytes. */
const MAX_ERROR4 = 576
const MAX_ERROR6 = 1280

export class Icmp {
  readonly #ip: IpLayer
  readonly #clock: Clock
  readonly #counters: Counters
  /** Errors per second, `Infinity` for no limit; a token bucket of {@link BURST}. */
  readonly #rate: number
  #tokens = BURST
  #refilled = 0
  #tx: Packet | null = null
  /** Set by the stack. */
  errorSink: IcmpErrorSink | null = null

  constructor(ip: IpLayer, clock: Clock, counters: Counters, rate: number) {
    this.#ip = ip
    this.#clock = clock
    this.#counters = counters
    this.#rate = rate
    this.#refilled = clock.now()
  }

  // ── received ──

  input4(packet: Packet, nic: Nic): Drop {
    const counters = this.#counters
    counters.IcmpInMsgs++
    const drop = icmpv4.parse(packet)
    if (drop !== Drop.None) return drop
    const { view, transport } = packet
    const code = icmpv4.code(view, transport)
    switch (icmpv4.type(view, transport)) {
      case icmpv4.ECHO:
        counters.IcmpInEchos++
        return this.#echo4(packet, nic)
      case icmpv4.ECHO_REPLY:
        counters.IcmpInEchoReps++
        return Drop.None
      case icmpv4.DESTINATION_UNREACHABLE:
        counters.IcmpInDestUnreachs++
        return this.#error4(packet, code === icmpv4.FRAGMENTATION_NEEDED ? icmpv4.mtu(view, transport) : 0, 0)
      case icmpv4.TIME_EXCEEDED:
        counters.IcmpInTimeExcds++
        return this.#error4(packet, 0, 0)
      case icmpv4.PARAMETER_PROBLEM:
        counters.IcmpInParmProbs++
        return this.#error4(packet, 0, icmpv4.pointer(view, transport))
      default:
        // RFC 6918 (deprecated types), RFC 6633 (Source Quench), redirects: silently ignored.
        return Drop.IcmpUnknownType
    }
  }

  input6(packet: Packet, nic: Nic): Drop {
    const counters = this.#counters
    counters.Icmp6InMsgs++
    const drop = icmpv6.parse(packet)
    if (drop !== Drop.None) return drop
    const { view, transport } = packet
    switch (icmpv6.type(view, transport)) {
      case icmpv6.ECHO_REQUEST:
        counters.Icmp6InEchos++
        return this.#echo6(packet, nic)
      case icmpv6.ECHO_REPLY:
        counters.Icmp6InEchoReplies++
        return Drop.None
      case icmpv6.DESTINATION_UNREACHABLE:
        counters.Icmp6InDestUnreachs++
        return this.#error6(packet, 0, 0)
      case icmpv6.PACKET_TOO_BIG:
        counters.Icmp6InPktTooBigs++
        return this.#error6(packet, icmpv6.mtu(view, transport), 0)
      case icmpv6.TIME_EXCEEDED:
        counters.Icmp6InTimeExcds++
        return this.#error6(packet, 0, 0)
      case icmpv6.PARAMETER_PROBLEM:
        counters.Icmp6InParmProblems++
        return this.#error6(packet, 0, icmpv6.pointer(view, transport))
      default:
        return Drop.IcmpUnknownType
    }
  }

  /** RFC 1122 section 3.2.2.6: identifier, sequence and data come back; broadcast and multicast requests stay unanswered, as Linux has it. */
  #echo4(packet: Packet, nic: Nic): Drop {
    if (packet.cast !== Cast.Unicast || !this.#ip.isLocal(packet.d0, packet.d1, packet.d2, packet.d3)) return Drop.IcmpEchoBroadcast
    const { view, transport } = packet
    const reply = this.#reply(packet, packet.end - transport - icmpv4.HEADER, transport + icmpv4.HEADER)
    reply.start -= icmpv4.HEADER
    icmpv4.encode(reply.view, reply.start, reply.end, icmpv4.ECHO_REPLY, 0, view.getInt32(transport + 4))
    this.#counters.IcmpOutEchoReps++
    return this.#send(reply, packet, nic, ICMPV4)
  }

  /** RFC 4443 section 4.2; a request to a group is answered from a unicast address. */
  #echo6(packet: Packet, nic: Nic): Drop {
    const { view, transport } = packet
    const reply = this.#reply(packet, packet.end - transport - icmpv6.HEADER, transport + icmpv6.HEADER)
    reply.start -= icmpv6.HEADER
    reply.view.setUint8(reply.start, icmpv6.ECHO_REPLY)
    reply.view.setInt32(reply.start + 4, view.getInt32(transport + 4))
    this.#counters.Icmp6OutEchoReplies++
    return this.#send(reply, packet, nic, ICMPV6)
  }

  #error4(packet: Packet, mtu: number, pointer: number): Drop {
    const { view, transport } = packet
    const type = icmpv4.type(view, transport)
    const code = icmpv4.code(view, transport)
    const offender = Address.fromIPv4(packet.s3)
    const quoted = transport + icmpv4.HEADER
    // The quote: an IP header and at least 8 bytes. Its own checksum may be gone after NAT, and its length may be cut: only addresses count.
    if (packet.end - quoted < ipv4.HEADER || ipv4.version(view, quoted) !== 4) return Drop.IcmpTooShort
    const header = ipv4.headerLength(view, quoted)
    if (header < ipv4.HEADER || packet.end - quoted < header + 8) return Drop.IcmpTooShort
    packet.network = quoted
    packet.transport = quoted + header
    packet.protocol = ipv4.protocol(view, quoted)
    packet.fragmentOffset = ipv4.fragmentOffset(view, quoted)
    packet.s3 = ipv4.source(view, quoted)
    packet.d3 = ipv4.destination(view, quoted)
    return this.#deliverError(packet, type, code, mtu, pointer, offender)
  }

  #error6(packet: Packet, mtu: number, pointer: number): Drop {
    const { view, transport } = packet
    const type = icmpv6.type(view, transport)
    const code = icmpv6.code(view, transport)
    const offender = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
    packet.start = transport + icmpv6.HEADER
    if (packet.end - packet.start < ipv6.HEADER) return Drop.IcmpTooShort
    // The quoted packet is cut, so its payload length must not be checked: read what is there.
    const saved = view.getUint16(packet.start + 4)
    ipv6.setPayloadLength(view, packet.start, packet.end - packet.start - ipv6.HEADER)
    let drop = ipv6.parse(packet)
    if (drop === Drop.None) drop = ipv6.walk(packet)
    ipv6.setPayloadLength(view, packet.network, saved)
    if (drop !== Drop.None || packet.end - packet.transport < 8) return Drop.IcmpTooShort
    return this.#deliverError(packet, type, code, mtu, pointer, offender)
  }

  #deliverError(quote: Packet, type: number, code: number, mtu: number, pointer: number, offender: Address): Drop {
    if (!this.#ip.isLocal(quote.s0, quote.s1, quote.s2, quote.s3) || quote.fragmentOffset !== 0) return Drop.IcmpUnmatched
    if (quote.protocol !== UDP || this.errorSink === null) return Drop.IcmpUnmatched
    return this.errorSink.icmpError(quote, type, code, mtu, pointer, offender)
  }

  // ── sent ──

  /** Destination Unreachable for a packet that was for us: protocol or port. */
  sendUnreachable(packet: Packet, nic: Nic, what: 'port' | 'protocol'): void {
    if (packet.family === 4)
      this.sendError(
        packet,
        nic,
        icmpv4.DESTINATION_UNREACHABLE,
        what === 'port' ? icmpv4.PORT_UNREACHABLE : icmpv4.PROTOCOL_UNREACHABLE,
        0,
      )
    else if (what === 'port') this.sendError(packet, nic, icmpv6.DESTINATION_UNREACHABLE, icmpv6.PORT_UNREACHABLE, 0)
    else this.sendError(packet, nic, icmpv6.PARAMETER_PROBLEM, ipv6.UNKNOWN_NEXT_HEADER, packet.protocolAt - packet.network)
  }

  /** Parameter Problem, when a drop left one in the packet. */
  sendProblem(packet: Packet, nic: Nic): void {
    if (packet.problem < 0) return
    if (packet.family === 4) this.sendError(packet, nic, icmpv4.PARAMETER_PROBLEM, packet.problem, packet.pointer << 24)
    else this.sendError(packet, nic, icmpv6.PARAMETER_PROBLEM, packet.problem, packet.pointer)
  }

  /**
   * Quotes the packet at `packet.network … packet.networkEnd` in an error to its source, if the rules and the rate limit allow one. `rest` is the
   * second word of the message (MTU, pointer).
   */
  sendError(packet: Packet, nic: Nic, type: number, code: number, rest: number): void {
    const four = packet.family === 4
    if (!this.#mayAnswer(packet, type, code)) return
    if (!this.#take()) {
      this.#counters.drop(Drop.IcmpRateLimited, packet)
      return
    }
    const header = four ? ipv4.HEADER + icmpv4.HEADER : ipv6.HEADER + icmpv6.HEADER
    const length = Math.min(packet.networkEnd - packet.network, (four ? MAX_ERROR4 : MAX_ERROR6) - header)
    const reply = this.#reply(packet, length, packet.network)
    reply.start -= icmpv4.HEADER
    if (four) {
      icmpv4.encode(reply.view, reply.start, reply.end, type, code, rest)
      if (type === icmpv4.DESTINATION_UNREACHABLE) this.#counters.IcmpOutDestUnreachs++
      else if (type === icmpv4.TIME_EXCEEDED) this.#counters.IcmpOutTimeExcds++
      else this.#counters.IcmpOutParmProbs++
      // Linux: IPTOS_PREC_INTERNETCONTROL, RFC 1812 section 4.3.2.5.
      reply.tos = (packet.tos & 0x1e) | 0xc0
    } else {
      reply.view.setUint8(reply.start, type)
      reply.view.setUint8(reply.start + 1, code)
      reply.view.setUint32(reply.start + 4, rest)
      if (type === icmpv6.DESTINATION_UNREACHABLE) this.#counters.Icmp6OutDestUnreachs++
      else if (type === icmpv6.PACKET_TOO_BIG) this.#counters.Icmp6OutPktTooBigs++
      else if (type === icmpv6.TIME_EXCEEDED) this.#counters.Icmp6OutTimeExcds++
      else this.#counters.Icmp6OutParmProblems++
    }
    const drop = this.#send(reply, packet, nic, four ? ICMPV4 : ICMPV6)
    if (drop !== Drop.None) this.#counters.drop(drop, packet)
  }

  #mayAnswer(packet: Packet, type: number, code: number): boolean {
    const { view, transport } = packet
    if (packet.cast === Cast.OtherHost || packet.fragmentOffset !== 0) return false
    if (isUnspecified(packet.s0, packet.s1, packet.s2, packet.s3) || isMulticast(packet.s0, packet.s1, packet.s2, packet.s3)) return false
    if (packet.family === 4) {
      if (packet.cast !== Cast.Unicast || !this.#ip.isUnicast4(packet.d3)) return false
      if (packet.s3 === -1 || !this.#ip.isUnicast4(packet.s3)) return false
      return packet.protocol !== ICMPV4 || packet.networkEnd <= transport || !icmpv4.isError(icmpv4.type(view, transport))
    }
    // RFC 4443 section 2.4 (e.3): to groups only Packet Too Big, and Parameter Problem about an option.
    const multicast = packet.cast !== Cast.Unicast || packet.d0 >>> 24 === 0xff
    if (multicast && type !== icmpv6.PACKET_TOO_BIG && !(type === icmpv6.PARAMETER_PROBLEM && code === ipv6.UNKNOWN_OPTION)) return false
    return packet.protocol !== ICMPV6 || packet.networkEnd <= transport || !icmpv6.isError(icmpv6.type(view, transport))
  }

  #take(): boolean {
    if (this.#rate === Number.POSITIVE_INFINITY) return true
    const now = this.#clock.now()
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#refilled) * this.#rate) / 1000)
    this.#refilled = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** The transmit packet with `length` bytes copied from `from` behind the headroom. */
  #reply(packet: Packet, length: number, from: number): Packet {
    this.#tx ??= new Packet(HEADROOM + MAX_PACKET)
    const reply = this.#tx
    reply.reset(HEADROOM, HEADROOM + length)
    reply.bytes.set(packet.bytes.subarray(from, from + length), HEADROOM)
    reply.tos = packet.tos
    return reply
  }

  /** Sends `reply` (its message complete but for the ICMPv6 checksum) to where `packet` came from. */
  #send(reply: Packet, packet: Packet, nic: Nic, protocol: number): Drop {
    const ip = this.#ip
    reply.family = packet.family
    reply.protocol = protocol
    reply.d0 = packet.s0
    reply.d1 = packet.s1
    reply.d2 = packet.s2
    reply.d3 = packet.s3
    const scoped = packet.family === 6 && packet.s0 >>> 22 === 0x3fa
    const route = ip.routes.lookup(reply.d0, reply.d1, reply.d2, reply.d3, scoped ? nic.index : 0)
    if (route === null) return Drop.IpNoRoute
    if (ip.isLocal(packet.d0, packet.d1, packet.d2, packet.d3)) {
      reply.s0 = packet.d0
      reply.s1 = packet.d1
      reply.s2 = packet.d2
      reply.s3 = packet.d3
    } else {
      const source = ip.selectSource(route, reply.d0, reply.d1, reply.d2, reply.d3)
      if (source === null) return Drop.IpNoRoute
      reply.s0 = source.w0
      reply.s1 = source.w1
      reply.s2 = source.w2
      reply.s3 = source.w3
    }
    reply.hopLimit = ip.hopLimit
    reply.flowLabel = 0
    if (packet.family === 4) this.#counters.IcmpOutMsgs++
    else {
      this.#counters.Icmp6OutMsgs++
      // The checksum covers the pseudo-header, so it comes last: lay the header down once for the sum.
      ipv6.encode(reply, reply.start - ipv6.HEADER, ICMPV6)
      const { view, start } = reply
      icmpv6.encode(
        view,
        start - ipv6.HEADER,
        start,
        reply.end,
        icmpv6.type(view, start),
        icmpv6.code(view, start),
        view.getInt32(start + 4),
      )
    }
    return ip.output(reply, route, 0)
  }
}
