/**
 * ICMP of both families: echo replies, the errors this host sends and those it believes.
 *
 * Who may be answered: RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e). How long a quote may be:
 * RFC 1812 section 4.3.2.3 (576 bytes in all), RFC 4443 section 2.4 (c) (1280 bytes in all).
 */
import { Address, isMulticast, isUnspecified } from '../../base/address.ts'
import { Drop } from '../../base/drop.ts'
import { Cast, ChecksumState, copyBytes, HEADROOM, MAX_PACKET, Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import { completeChecksum } from '../../link/checksum-offload.ts'
import { type IcmpExtension, parse as parseExtensions, quoteLength } from '../../wire/icmp-extensions.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import * as ndp from '../../wire/ndp.ts'
import { FRAGMENT, ICMPV4, ICMPV6, UDP } from '../../wire/protocol.ts'
import type { Counters } from '../counters.ts'
import type { IpLayer } from '../ip-layer.ts'
import type { Ipv4Options } from '../ipv4-options.ts'
import type { Nic } from '../nic/nic.ts'
import { MIN_PMTU6 } from '../routing/path-mtu.ts'
import type { PmtuMode } from '../routing/pmtu-mode.ts'
import type { Route } from '../routing/route-table.ts'
import type { ErrorLimit } from './error-limit.ts'

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
  /** What the router added behind the quote, MPLS labels for one (RFC 4884); mostly nothing. */
  readonly extensions: readonly IcmpExtension[]
}

/**
 * The upper layer that sent the quoted packet decides whether the error is believed. `quote` has
 * `transport` at the quoted UDP header.
 */
export interface IcmpErrorSink {
  icmpError(
    quote: Packet,
    type: number,
    code: number,
    mtu: number,
    pointer: number,
    offender: Address,
    extensions: readonly IcmpExtension[],
  ): Drop
  /** Whether a socket of this host sends such packets as the quoted one. */
  isSender(quote: Packet): boolean
}

/** The longest error packet, in bytes. */
const MAX_ERROR4 = 576
const MAX_ERROR6 = 1280

/** An echo client's way to the layer. */
interface EchoOwner {
  send(to: Address, sequence: number, payload: Uint8Array, options: EchoOptions): string
  close(): void
}

/** Settings of one echo request. */
export interface EchoOptions {
  hopLimit?: number
  tos?: number
  source?: Address
  /** Index of the nic to leave by. */
  nic?: number
  /** Default `PmtuMode.Dont`. */
  dontFragment?: PmtuMode
}

export interface EchoListener {
  /** A reply: its payload is `packet.start … packet.end`, lent for the call. */
  reply(packet: Packet, sequence: number): void
  /** An error about a request that is still outstanding. */
  error(error: IcmpError, sequence: number): void
}

/** Requests remembered for the checking of errors. */
const OUTSTANDING = 64

/** An echo client: what `ping` is built on. */
export class Echo {
  readonly family: 4 | 6
  readonly identifier: number
  readonly listener: EchoListener
  /**
   * Whether a too-big report sets the path's MTU; a prober, which judges reports itself, clears it.
   */
  learnsMtu = true
  readonly #owner: EchoOwner
  readonly #sent: { to: Address; sequence: number }[] = []

  constructor(family: 4 | 6, identifier: number, listener: EchoListener, owner: EchoOwner) {
    this.family = family
    this.identifier = identifier
    this.listener = listener
    this.#owner = owner
  }

  /**
   * @returns `''`, or EMSGSIZE, ENETUNREACH, EADDRNOTAVAIL, ENETDOWN, ENOBUFS, EINVAL (a loopback
   * source for another host)
   */
  send(to: Address, sequence: number, payload: Uint8Array, options: EchoOptions = {}): string {
    this.#sent.push({ to, sequence: sequence & 0xffff })
    if (this.#sent.length > OUTSTANDING) this.#sent.shift()
    return this.#owner.send(to, sequence, payload, options)
  }

  isOutstanding(to: Address, sequence: number): boolean {
    return this.#sent.some((each) => each.sequence === sequence && each.to.equals(to))
  }

  close(): void {
    this.#owner.close()
  }
}

/** Echo replies longer than this many may be remembered before the oldest is forgotten. */
const LARGE_REPLIES = 64

const unreachable4 = {
  port: icmpv4.PORT_UNREACHABLE,
  protocol: icmpv4.PROTOCOL_UNREACHABLE,
  host: icmpv4.HOST_UNREACHABLE,
}

export class Icmp {
  readonly #ip: IpLayer
  readonly #counters: Counters
  readonly #limit: ErrorLimit
  readonly #options: Ipv4Options
  readonly #random: Random
  #tx: Packet | null = null
  /** Echo identifiers in use. */
  readonly #echoes = new Map<number, Echo>()
  /** Hashes of the last echo replies that a Packet Too Big may be about. */
  readonly #largeReplies = new Int32Array(LARGE_REPLIES)
  #largeReplyAt = 0
  /** Set by the stack. */
  errorSink: IcmpErrorSink | null = null

  constructor(ip: IpLayer, random: Random, counters: Counters, limit: ErrorLimit, options: Ipv4Options) {
    this.#ip = ip
    this.#random = random
    this.#counters = counters
    this.#limit = limit
    this.#options = options
  }

  // ── received ──

  input4(packet: Packet, nic: Nic): Drop {
    const counters = this.#counters
    counters.IcmpInMsgs++
    const drop = icmpv4.parse(packet)
    if (drop !== Drop.None) return drop
    // RFC 1122 section 3.2.2.6 and 3.2.2.8; Linux: icmp_echo_ignore_broadcasts, and no other type
    // is expected there.
    if (packet.cast !== Cast.Unicast) return Drop.IcmpEchoBroadcast
    const { view, transport } = packet
    const code = icmpv4.code(view, transport)
    switch (icmpv4.type(view, transport)) {
      case icmpv4.ECHO:
        counters.IcmpInEchos++
        return this.#echo4(packet, nic)
      case icmpv4.ECHO_REPLY:
        counters.IcmpInEchoReps++
        return this.#echoReply(packet, icmpv4.identifier(view, transport), icmpv4.sequence(view, transport))
      case icmpv4.TIMESTAMP:
        counters.IcmpInTimestamps++
        return this.#timestamp(packet, nic)
      case icmpv4.DESTINATION_UNREACHABLE:
        counters.IcmpInDestUnreachs++
        return this.#error4(packet, code === icmpv4.FRAGMENTATION_NEEDED ? icmpv4.mtu(view, transport) : 0, 0)
      case icmpv4.TIME_EXCEEDED:
        counters.IcmpInTimeExcds++
        return this.#error4(packet, 0, 0)
      case icmpv4.PARAMETER_PROBLEM:
        counters.IcmpInParmProbs++
        return this.#error4(packet, 0, icmpv4.pointer(view, transport))
      case icmpv4.REDIRECT:
        counters.IcmpInRedirects++
        return this.#redirect4(packet, nic)
      default:
        // RFC 6918 (deprecated types), RFC 6633 (Source Quench): silently ignored.
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
        return this.#echoReply(packet, icmpv6.identifier(view, transport), icmpv6.sequence(view, transport))
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
      case 130:
      case 131:
      case 132:
      case 143:
        return nic.mld(packet)
      case 133:
      case 134:
      case 135:
      case 136:
        return nic.neighborDiscovery(packet)
      case ndp.REDIRECT:
        counters.Icmp6InRedirects++
        return this.#redirect6(packet, nic)
      default:
        return Drop.IcmpUnknownType
    }
  }

  /**
   * RFC 1122 section 3.2.2.6: identifier, sequence and data come back, the code too, as Linux has
   * it.
   */
  #echo4(packet: Packet, nic: Nic): Drop {
    const { view, transport } = packet
    const reply = this.#reply(packet, packet.end - transport - icmpv4.HEADER, transport + icmpv4.HEADER)
    reply.start -= icmpv4.HEADER
    icmpv4.encode(
      reply,
      reply.start,
      reply.end,
      icmpv4.ECHO_REPLY,
      icmpv4.code(view, transport),
      view.getInt32(transport + 4),
    )
    this.#counters.IcmpOutEchoReps++
    return this.#send(reply, packet, nic, ICMPV4)
  }

  /**
   * RFC 792, RFC 1122 section 3.2.2.8: when the request was sent, came in and is answered, in
   * milliseconds of the day.
   */
  #timestamp(packet: Packet, nic: Nic): Drop {
    const { view, transport } = packet
    // Linux asks for the first of the three times only.
    if (packet.end - transport < icmpv4.HEADER + 4) return Drop.IcmpTooShort
    const reply = this.#reply(packet, icmpv4.TIMESTAMP_LENGTH - icmpv4.HEADER, transport + icmpv4.HEADER)
    const now = this.#ip.timeOfDay()
    reply.view.setUint32(reply.start + 4, now)
    reply.view.setUint32(reply.start + 8, now)
    reply.start -= icmpv4.HEADER
    icmpv4.encode(reply, reply.start, reply.end, icmpv4.TIMESTAMP_REPLY, 0, view.getInt32(transport + 4))
    this.#counters.IcmpOutTimestampReps++
    return this.#send(reply, packet, nic, ICMPV4)
  }

  /** RFC 4443 section 4.2; a request to a group is answered from a unicast address. */
  #echo6(packet: Packet, nic: Nic): Drop {
    const { view, transport } = packet
    const length = packet.end - transport - icmpv6.HEADER
    const reply = this.#reply(packet, length, transport + icmpv6.HEADER)
    reply.start -= icmpv6.HEADER
    reply.view.setUint8(reply.start, icmpv6.ECHO_REPLY)
    reply.view.setUint8(reply.start + 1, icmpv6.code(view, transport))
    reply.view.setInt32(reply.start + 4, view.getInt32(transport + 4))
    this.#counters.Icmp6OutEchoReplies++
    if (length > MIN_PMTU6 - ipv6.HEADER - icmpv6.HEADER) {
      this.#largeReplies[this.#largeReplyAt] = this.#replyHash(
        packet.s0,
        packet.s1,
        packet.s2,
        packet.s3,
        view.getInt32(transport + 4),
      )
      this.#largeReplyAt = (this.#largeReplyAt + 1) % LARGE_REPLIES
    }
    return this.#send(reply, packet, nic, ICMPV6)
  }

  #echoReply(packet: Packet, identifier: number, sequence: number): Drop {
    const echo = this.#echoes.get(identifier)
    if (echo === undefined || echo.family !== packet.family) return Drop.IcmpUnmatched
    packet.start = packet.transport + icmpv4.HEADER
    echo.listener.reply(packet, sequence)
    return Drop.None
  }

  #error4(packet: Packet, mtu: number, pointer: number): Drop {
    const { view, transport } = packet
    const type = icmpv4.type(view, transport)
    const code = icmpv4.code(view, transport)
    const offender = Address.fromIPv4(packet.s3)
    const extensions = this.#cutExtensions(packet)
    if (!this.#openQuote4(packet, transport + icmpv4.HEADER)) return Drop.IcmpTooShort
    return this.#deliverError(packet, type, code, mtu, pointer, offender, extensions)
  }

  /** Takes what is behind the quote off the message. */
  #cutExtensions(packet: Packet): readonly IcmpExtension[] {
    const { end } = packet
    packet.end = packet.transport + icmpv4.HEADER + quoteLength(packet)
    return parseExtensions(packet, packet.end, end)
  }

  /**
   * Makes the IPv4 packet quoted at `quoted` what the packet's fields are about; `false` when it is
   * too short.
   */
  #openQuote4(packet: Packet, quoted: number): boolean {
    const { view } = packet
    // The quote: an IP header and at least 8 bytes. Its own checksum may be gone after NAT, and its
    // length may be cut: only addresses count.
    if (packet.end - quoted < ipv4.HEADER) return false
    const header = ipv4.headerLength(view, quoted)
    if (header < ipv4.HEADER || packet.end - quoted < header + 8) return false
    packet.network = quoted
    packet.transport = quoted + header
    packet.protocol = ipv4.protocol(view, quoted)
    packet.fragmentOffset = ipv4.fragmentOffset(view, quoted)
    packet.s3 = ipv4.source(view, quoted)
    packet.d3 = ipv4.destination(view, quoted)
    return true
  }

  #error6(packet: Packet, mtu: number, pointer: number): Drop {
    const { view, transport } = packet
    const type = icmpv6.type(view, transport)
    const code = icmpv6.code(view, transport)
    const offender = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
    const extensions = this.#cutExtensions(packet)
    if (!this.#openQuote6(packet, transport + icmpv6.HEADER)) return Drop.IcmpTooShort
    return this.#deliverError(packet, type, code, mtu, pointer, offender, extensions)
  }

  /** The same for IPv6. */
  #openQuote6(packet: Packet, quoted: number): boolean {
    const { view } = packet
    // The quoted packet is cut, and a router may have changed it: what must be right is where it
    // came from and went to.
    if (packet.end - quoted < ipv6.HEADER) return false
    const upper = ipv6.skip(view, ipv6.nextHeader(view, quoted), quoted + ipv6.HEADER, packet.end)
    if (upper < 0 || packet.end - (upper >> 8) < 8) return false
    packet.network = quoted
    packet.transport = upper >> 8
    packet.protocol = upper & 0xff
    packet.fragmentOffset = 0
    ipv6.readAddresses(packet, quoted)
    return true
  }

  /**
   * RFC 1122 section 3.2.2.2. All four codes are taken for the one host, as that section has it.
   */
  #redirect4(packet: Packet, nic: Nic): Drop {
    const { view, transport } = packet
    if (icmpv4.code(view, transport) > 3) return Drop.IcmpUnknownType
    const from = Address.fromIPv4(packet.s3)
    const gateway = Address.fromIPv4(icmpv4.gateway(view, transport))
    if (!this.#openQuote4(packet, transport + icmpv4.HEADER)) return Drop.IcmpTooShort
    if (!this.#isOurs(packet)) return Drop.IcmpUnmatched
    return this.#ip.redirects.accept(nic, from, Address.fromIPv4(packet.d3), gateway)
  }

  /**
   * RFC 4861 section 8. A quoted packet must be one of ours; the option with it may be left out.
   */
  #redirect6(packet: Packet, nic: Nic): Drop {
    const drop = ndp.parse(packet)
    if (drop !== Drop.None) return drop
    const { view, transport } = packet
    const from = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
    const [target, destination] = [ndp.target, ndp.redirectedTo].map(
      (word) =>
        new Address(
          word(view, transport, 0),
          word(view, transport, 1),
          word(view, transport, 2),
          word(view, transport, 3),
        ),
    ) as [Address, Address]
    const quoted = ndp.findOption(packet, ndp.REDIRECTED_HEADER, ndp.REDIRECTED_PACKET)
    if (quoted !== 0) {
      if (!this.#openQuote6(packet, quoted + ndp.REDIRECTED_PACKET)) return Drop.IcmpTooShort
      if (!this.#isOurs(packet) || !destination.is(packet.d0, packet.d1, packet.d2, packet.d3))
        return Drop.IcmpUnmatched
      packet.transport = transport
    }
    const result = this.#ip.redirects.accept(nic, from, destination, target)
    if (result === Drop.None) nic.redirected(packet, !target.equals(destination))
    return result
  }

  /**
   * Whether this host sent the quoted packet, as far as it can tell: of its own answers it
   * remembers none.
   */
  #isOurs(quote: Packet): boolean {
    const { family, view, transport, protocol } = quote
    if (!this.#ip.isLocal(quote.s0, quote.s1, quote.s2, quote.s3) || quote.fragmentOffset !== 0) return false
    if (protocol === UDP) return this.errorSink?.isSender(quote) === true
    if (protocol !== (family === 4 ? ICMPV4 : ICMPV6)) return false
    const type = view.getUint8(transport)
    return (family === 4 ? icmpv4.isAnswer(type) : icmpv6.isAnswer(type)) || this.#echoOf(quote) !== null
  }

  /** The echo client whose outstanding request is quoted. */
  #echoOf(quote: Packet): Echo | null {
    const { family, view, transport, d0, d1, d2, d3 } = quote
    if (quote.protocol !== (family === 4 ? ICMPV4 : ICMPV6)) return null
    if (view.getUint8(transport) !== (family === 4 ? icmpv4.ECHO : icmpv6.ECHO_REQUEST)) return null
    const echo = this.#echoes.get(icmpv4.identifier(view, transport))
    if (echo === undefined || echo.family !== family) return null
    return echo.isOutstanding(new Address(d0, d1, d2, d3), icmpv4.sequence(view, transport)) ? echo : null
  }

  #deliverError(
    quote: Packet,
    type: number,
    code: number,
    mtu: number,
    pointer: number,
    offender: Address,
    extensions: readonly IcmpExtension[],
  ): Drop {
    if (!this.#ip.isLocal(quote.s0, quote.s1, quote.s2, quote.s3) || quote.fragmentOffset !== 0)
      return Drop.IcmpUnmatched
    if (quote.protocol === UDP && this.errorSink !== null)
      return this.errorSink.icmpError(quote, type, code, mtu, pointer, offender, extensions)
    if (quote.protocol === (quote.family === 4 ? ICMPV4 : ICMPV6))
      return this.#echoError(quote, type, code, mtu, pointer, offender, extensions)
    return Drop.IcmpUnmatched
  }

  /**
   * An error about an echo request of ours, or a Packet Too Big about a long reply, whose
   * identifier and sequence it must quote.
   */
  #echoError(
    quote: Packet,
    type: number,
    code: number,
    mtu: number,
    pointer: number,
    offender: Address,
    extensions: readonly IcmpExtension[],
  ): Drop {
    const { view, transport, d0, d1, d2, d3 } = quote
    const quoted = view.getUint8(transport)
    const rest = view.getInt32(transport + 4)
    if (quoted === icmpv6.ECHO_REPLY && quote.family === 6 && type === icmpv6.PACKET_TOO_BIG) {
      if (!this.#largeReplies.includes(this.#replyHash(d0, d1, d2, d3, rest))) return Drop.IcmpUnmatched
      this.#ip.reportMtu(quote, new Address(d0, d1, d2, d3), mtu)
      return Drop.None
    }
    const echo = this.#echoOf(quote)
    if (echo === null) return Drop.IcmpUnmatched
    const destination = new Address(d0, d1, d2, d3)
    if (isTooBig(quote.family, type, code) && echo.learnsMtu) this.#ip.reportMtu(quote, destination, mtu)
    const family = quote.family as 4 | 6
    const source = new Address(quote.s0, quote.s1, quote.s2, quote.s3)
    echo.listener.error(
      {
        family,
        type,
        code,
        mtu,
        pointer,
        offender,
        destination,
        destinationPort: 0,
        source,
        sourcePort: rest >>> 16,
        extensions,
      },
      rest & 0xffff,
    )
    return Drop.None
  }

  /** Of a reply to an address; `rest` is its identifier and sequence number. */
  #replyHash(w0: number, w1: number, w2: number, w3: number, rest: number): number {
    return this.#ip.hash.flow(w0, w1, w2, w3, 0, 0, 0, 0, rest, icmpv6.ECHO_REPLY)
  }

  // ── echo requests ──

  /**
   * An echo client with an identifier of its own; replies and errors come to the listener until it
   * is closed.
   */
  openEcho(family: 4 | 6, listener: EchoListener): Echo {
    let identifier = this.#random.below(0x1_0000)
    while (this.#echoes.has(identifier)) identifier = this.#random.below(0x1_0000)
    const echo = new Echo(family, identifier, listener, {
      send: (to, sequence, payload, options) => this.#sendEcho(identifier, to, sequence, payload, options),
      close: () => this.#echoes.delete(identifier),
    })
    this.#echoes.set(identifier, echo)
    return echo
  }

  #sendEcho(identifier: number, to: Address, sequence: number, payload: Uint8Array, options: EchoOptions): string {
    const ip = this.#ip
    const four = to.family === 4
    const request = this.#blank(payload.length + icmpv4.HEADER)
    request.bytes.set(payload, request.start + icmpv4.HEADER)
    const route = ip.route(to.w0, to.w1, to.w2, to.w3, options.nic ?? 0)
    if (route === null) return 'ENETUNREACH'
    const source = options.source ?? ip.selectSource(route, to.w0, to.w1, to.w2, to.w3)
    if (source === null) return 'EADDRNOTAVAIL'
    request.family = to.family
    request.protocol = four ? ICMPV4 : ICMPV6
    request.hopLimit = options.hopLimit ?? ip.hopLimitOver(route.nic, to.family)
    request.tos = options.tos ?? 0
    request.flowLabel = 0
    setAddresses(request, source.w0, source.w1, source.w2, source.w3, to.w0, to.w1, to.w2, to.w3)
    const rest = (identifier << 16) | (sequence & 0xffff)
    if (four) {
      icmpv4.encode(request, request.start, request.end, icmpv4.ECHO, 0, rest)
      this.#counters.IcmpOutMsgs++
      this.#counters.IcmpOutEchos++
    } else {
      ipv6.encode(request, request.start - ipv6.HEADER, ICMPV6)
      icmpv6.encode(request, request.start - ipv6.HEADER, request.start, request.end, icmpv6.ECHO_REQUEST, 0, rest)
      this.#counters.Icmp6OutMsgs++
      this.#counters.Icmp6OutEchos++
    }
    const drop = ip.output(request, route, options.dontFragment ?? 0)
    if (drop === Drop.None) return ''
    if (drop === Drop.IpDontFragment) return 'EMSGSIZE'
    this.#counters.drop(drop, request)
    if (drop === Drop.IpLoopbackLeaves) return 'EINVAL'
    return drop === Drop.LinkDown ? 'ENETDOWN' : 'ENOBUFS'
  }

  // ── sent ──

  /**
   * Destination Unreachable: protocol or port for a packet that was for us, host when the next hop
   * does not answer.
   */
  sendUnreachable(packet: Packet, nic: Nic, what: 'port' | 'protocol' | 'host'): void {
    if (packet.family === 4) this.sendError(packet, nic, icmpv4.DESTINATION_UNREACHABLE, unreachable4[what], 0)
    else if (what === 'port') this.sendError(packet, nic, icmpv6.DESTINATION_UNREACHABLE, icmpv6.PORT_UNREACHABLE, 0)
    else if (what === 'host') this.sendError(packet, nic, icmpv6.DESTINATION_UNREACHABLE, icmpv6.ADDRESS_UNREACHABLE, 0)
    else
      this.sendError(
        packet,
        nic,
        icmpv6.PARAMETER_PROBLEM,
        ipv6.UNKNOWN_NEXT_HEADER,
        packet.protocolAt - packet.network,
      )
  }

  /** Parameter Problem, when a drop left one in the packet. */
  sendProblem(packet: Packet, nic: Nic): void {
    if (packet.problem < 0) return
    if (packet.family === 4) this.sendError(packet, nic, icmpv4.PARAMETER_PROBLEM, packet.problem, packet.pointer << 24)
    else this.sendError(packet, nic, icmpv6.PARAMETER_PROBLEM, packet.problem, packet.pointer)
  }

  /**
   * Quotes the packet at `packet.network … packet.networkEnd` in an error to its source, if the
   * rules and the rate limit allow one. `rest` is the second word of the message (MTU, pointer,
   * gateway).
   */
  sendError(packet: Packet, nic: Nic, type: number, code: number, rest: number): void {
    const four = packet.family === 4
    if (!this.#mayAnswer(packet, type, code)) return
    // Path MTU discovery stalls without these, and redirects have a limit of their own (Linux:
    // neither is in icmp_ratemask).
    const redirect = four && type === icmpv4.REDIRECT
    const limited = !isTooBig(packet.family, type, code) && !redirect && !nic.isLoopback
    if (limited && !this.#limit.take(packet.s0, packet.s1, packet.s2, packet.s3)) {
      this.#counters.drop(Drop.IcmpRateLimited, packet)
      return
    }
    let header = four ? ipv4.HEADER + icmpv4.HEADER : ipv6.HEADER + icmpv6.HEADER
    let options: Uint8Array | null = null
    if (hasOptions(packet)) {
      options = this.#options.echo(packet)
      if (options === null) return
      header += options.length
    }
    const length = Math.min(packet.networkEnd - packet.network, this.#errorRoom(packet, options) - header)
    // The sender compares the quote with what it sent, which is not what its device left out.
    if (packet.checksumState === ChecksumState.Partial) completeChecksum(packet, packet.network, packet.networkEnd)
    const reply = this.#reply(packet, length, packet.network)
    reply.start -= icmpv4.HEADER
    if (four) {
      icmpv4.encode(reply, reply.start, reply.end, type, code, rest)
      if (type === icmpv4.DESTINATION_UNREACHABLE) this.#counters.IcmpOutDestUnreachs++
      else if (type === icmpv4.TIME_EXCEEDED) this.#counters.IcmpOutTimeExcds++
      else if (redirect) this.#counters.IcmpOutRedirects++
      else this.#counters.IcmpOutParmProbs++
      // Linux: IPTOS_PREC_INTERNETCONTROL, RFC 1812 section 4.3.2.5.
      reply.tos = (packet.tos & 0x1e) | 0xc0
    } else {
      reply.tos = 0
      reply.view.setUint8(reply.start, type)
      reply.view.setUint8(reply.start + 1, code)
      reply.view.setUint32(reply.start + 4, rest)
      if (type === icmpv6.DESTINATION_UNREACHABLE) this.#counters.Icmp6OutDestUnreachs++
      else if (type === icmpv6.PACKET_TOO_BIG) this.#counters.Icmp6OutPktTooBigs++
      else if (type === icmpv6.TIME_EXCEEDED) this.#counters.Icmp6OutTimeExcds++
      else this.#counters.Icmp6OutParmProblems++
    }
    const drop = this.#sendTo(reply, packet, nic, four ? ICMPV4 : ICMPV6, options)
    if (drop !== Drop.None) this.#counters.drop(drop, packet)
  }

  /**
   * Bytes that an error to the packet's source may have: it must not need fragments on the way
   * (Linux: the known path MTU counts).
   */
  #errorRoom(packet: Packet, options: Uint8Array | null): number {
    if (packet.family === 6) return MAX_ERROR6
    const { s0, s1, s2 } = packet
    const to = this.#answerTo(packet, options)
    const route = this.#ip.routes.lookup(s0, s1, s2, to, 0)
    return route === null ? MAX_ERROR4 : Math.min(MAX_ERROR4, this.#ip.mtuTo(route, s0, s1, s2, to))
  }

  /** The last word of the address that an answer with these options, if any, goes to first. */
  #answerTo(packet: Packet, options: Uint8Array | null): number {
    return options !== null && this.#options.firstHop !== 0 ? this.#options.firstHop : packet.s3
  }

  #mayAnswer(packet: Packet, type: number, code: number): boolean {
    if (packet.cast === Cast.OtherHost) return false
    if (
      isUnspecified(packet.s0, packet.s1, packet.s2, packet.s3) ||
      isMulticast(packet.s0, packet.s1, packet.s2, packet.s3)
    )
      return false
    if (packet.family === 4) {
      if (packet.fragmentOffset !== 0) return false
      if (packet.cast !== Cast.Unicast || !this.#ip.isUnicast4(packet.d3)) return false
      if (packet.s3 === -1 || !this.#ip.isUnicast4(packet.s3)) return false
      const { view, transport } = packet
      if (packet.protocol !== ICMPV4) return true
      if (packet.networkEnd <= transport) return false
      // An unknown type might be an error: Linux answers for queries and replies only.
      return icmpv4.isQuery(icmpv4.type(view, transport))
    }
    // RFC 4443 section 2.4 (e.3): to groups only Packet Too Big, and Parameter Problem about an
    // option.
    const multicast = packet.cast !== Cast.Unicast || packet.d0 >>> 24 === 0xff
    if (
      multicast &&
      type !== icmpv6.PACKET_TOO_BIG &&
      !(type === icmpv6.PARAMETER_PROBLEM && code === ipv6.UNKNOWN_OPTION)
    )
      return false
    return !isIcmpv6Error(packet)
  }

  /** The transmit packet with `length` bytes copied from `from` behind the headroom. */
  #reply(packet: Packet, length: number, from: number): Packet {
    const reply = this.#blank(length)
    copyBytes(packet, from, reply, HEADROOM, length)
    reply.tos = packet.tos
    return reply
  }

  #blank(length: number): Packet {
    this.#tx ??= new Packet(HEADROOM + MAX_PACKET)
    this.#tx.reset(HEADROOM, HEADROOM + length)
    return this.#tx
  }

  /** Answers `packet`, with its route and timestamp options when it has them. */
  #send(reply: Packet, packet: Packet, nic: Nic, protocol: number): Drop {
    if (!hasOptions(packet)) return this.#sendTo(reply, packet, nic, protocol, null)
    const options = this.#options.echo(packet)
    return options === null ? Drop.IpOption : this.#sendTo(reply, packet, nic, protocol, options)
  }

  /**
   * Sends `reply` (its message complete but for the ICMPv6 checksum) to where `packet` came from.
   */
  #sendTo(reply: Packet, packet: Packet, nic: Nic, protocol: number, options: Uint8Array | null): Drop {
    const ip = this.#ip
    reply.family = packet.family
    reply.protocol = protocol
    reply.d0 = packet.s0
    reply.d1 = packet.s1
    reply.d2 = packet.s2
    reply.d3 = this.#answerTo(packet, options)
    const { s0, s1, s2, s3 } = packet
    // A link-local source is one of the link, unless it claims to be this host.
    const scoped = packet.family === 6 && s0 >>> 22 === 0x3fa && !nic.hasWords(s0, s1, s2, s3)
    const route = ip.routes.lookup(reply.d0, reply.d1, reply.d2, reply.d3, scoped ? nic.index : 0)
    if (route === null) return Drop.IpNoRoute
    if (packet.family === 6 && protocol === ICMPV6 && isAnycast(route, reply) && isError6(reply))
      return Drop.IcmpAmbiguousSource
    // Linux (icmp6_send): an error about what came to an anycast address of ours is from there, an
    // echo reply is not.
    if (ip.isLocalOn(nic, packet) || (packet.family === 6 && isError6(reply) && ip.isAnycastOn(nic, packet))) {
      reply.s0 = packet.d0
      reply.s1 = packet.d1
      reply.s2 = packet.d2
      reply.s3 = packet.d3
    } else {
      // ICMPv6 answers from the nic that the packet came by, if it can: RFC 4443 section 4.2
      // (echo), 2.2 (errors: "a more informative choice"; Linux).
      const source = ip.selectSource(
        route,
        reply.d0,
        reply.d1,
        reply.d2,
        reply.d3,
        packet.family === 6 ? nic : route.nic,
      )
      if (source === null) return Drop.IpNoRoute
      reply.s0 = source.w0
      reply.s1 = source.w1
      reply.s2 = source.w2
      reply.s3 = source.w3
    }
    reply.hopLimit = ip.hopLimitOver(route.nic, packet.family)
    reply.flowLabel = 0
    if (packet.family === 4) this.#counters.IcmpOutMsgs++
    else {
      this.#counters.Icmp6OutMsgs++
      // The checksum covers the pseudo-header, so it comes last: lay the header down once for the
      // sum.
      ipv6.encode(reply, reply.start - ipv6.HEADER, ICMPV6)
      const { view, start } = reply
      icmpv6.encode(
        reply,
        start - ipv6.HEADER,
        start,
        reply.end,
        icmpv6.type(view, start),
        icmpv6.code(view, start),
        view.getInt32(start + 4),
      )
    }
    return ip.output(reply, route, 0, false, options)
  }
}

/** Fragmentation Needed and Packet Too Big. */
export function isTooBig(family: number, type: number, code: number): boolean {
  return family === 4
    ? type === icmpv4.DESTINATION_UNREACHABLE && code === icmpv4.FRAGMENTATION_NEEDED
    : type === icmpv6.PACKET_TOO_BIG
}

function hasOptions(packet: Packet): boolean {
  return packet.family === 4 && packet.transport - packet.network > ipv4.HEADER
}

/**
 * RFC 4443 section 2.4 (e.1) and (e.2): an error or a redirect, behind whatever extension headers
 * come first (Linux: is_ineligible).
 */
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

/**
 * RFC 4443 section 2.4 (e.6): the first address of a prefix on the link is its routers' anycast
 * address (RFC 4291 section 2.6.1), maybe ours.
 */
function isAnycast(route: Route, reply: Packet): boolean {
  const { prefix, gateway, kind } = route
  if (kind === 'anycast') return true
  return gateway === null && prefix.length < 127 && prefix.address.is(reply.d0, reply.d1, reply.d2, reply.d3)
}

function isError6(reply: Packet): boolean {
  return icmpv6.isError(icmpv6.type(reply.view, reply.start))
}

function setAddresses(
  packet: Packet,
  ...words: [number, number, number, number, number, number, number, number]
): void {
  ;[packet.s0, packet.s1, packet.s2, packet.s3, packet.d0, packet.d1, packet.d2, packet.d3] = words
}
