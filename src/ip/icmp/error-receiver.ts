/**
 * The errors that arrive: who sent the packet that one quotes, and so whether it is believed. Of
 * this host's own answers only the long echo replies are remembered.
 */
import { Address } from '../../base/address.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import { type IcmpExtension, parse as parseExtensions, quoteLength } from '../../wire/icmp-extensions.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import * as udp from '../../wire/udp.ts'
import type { EchoClients } from './echo.ts'
import { type IcmpError, type IcmpErrorSink, isTooBig, type RawErrorSink } from './icmp-error.ts'
import type { ReportHost } from './icmp-host.ts'
import type { LargeReplies } from './large-replies.ts'
import { Quote } from './quote.ts'

export class ErrorReceiver {
  readonly #host: ReportHost
  readonly #echoes: EchoClients
  readonly #largeReplies: LargeReplies
  /** Made for the first message that quotes a packet. */
  #quote: Quote | null = null
  /** Set by the stack. */
  sink: IcmpErrorSink | null = null
  /** Set while there are raw endpoints. */
  raw: RawErrorSink | null = null

  constructor(host: ReportHost, echoes: EchoClients, largeReplies: LargeReplies) {
    this.#host = host
    this.#echoes = echoes
    this.#largeReplies = largeReplies
  }

  /** Takes the error at `packet.transport`, of which the caller has read MTU and pointer. */
  receive(packet: Packet, mtu: number, pointer: number): Drop {
    const quoted = packet.transport + icmpv4.HEADER
    const end = quoted + quoteLength(packet)
    const quote = this.open(packet, quoted, end)
    if (quote === null) return Drop.IcmpTooShort
    if (!this.#isFromHere(quote)) return Drop.IcmpUnmatched
    if (this.raw === null && !quote.isUdp && !quote.isIcmp) return Drop.IcmpUnmatched
    if (this.#isAboutReply(packet, quote)) return this.#largeReply(quote, mtu)
    const extensions = parseExtensions(packet, end, packet.end)
    return this.#hand(quote, errorOf(packet, quote, mtu, pointer, extensions))
  }

  /** Hands an error to raw endpoints and to the upper layer that sent the quoted packet. */
  #hand(quote: Quote, error: IcmpError): Drop {
    // Raw endpoints come first and change nothing for the upper layer (Linux: icmp_socket_deliver).
    const heard = this.raw?.icmpError(quote, error) === true
    const drop = this.#own(quote, error)
    if (drop !== Drop.IcmpUnmatched || !heard) return drop
    const { family, type, code, mtu, destination } = error
    if (isTooBig(family, type, code)) this.#host.reportMtu(destination, mtu, quote.totalLength)
    return Drop.None
  }

  #own(quote: Quote, error: IcmpError): Drop {
    if (quote.isUdp && this.sink !== null) return this.sink.icmpError(quote, error)
    return quote.isIcmp ? this.#echoError(quote, error) : Drop.IcmpUnmatched
  }

  /**
   * The packet quoted at `at … end` of a message, lent until the next one is opened; `null` when it
   * is too short.
   */
  open(message: Packet, at: number, end: number): Quote | null {
    this.#quote ??= new Quote()
    return this.#quote.open(message, at, end) ? this.#quote : null
  }

  /** Whether this host sent the quoted packet, as far as it can tell. */
  isOurs(quote: Quote): boolean {
    if (!this.#isFromHere(quote)) return false
    if (this.raw?.isSender(quote) === true) return true
    if (quote.isUdp) return this.sink?.isSender(quote) === true
    if (!quote.isIcmp) return false
    const isAnswer = quote.family === 4 ? icmpv4.isAnswer : icmpv6.isAnswer
    return isAnswer(quote.icmpType) || this.#echoes.senderOf(quote) !== null
  }

  #isFromHere({ s0, s1, s2, s3, fragmentOffset }: Quote): boolean {
    return this.#host.isLocal(s0, s1, s2, s3) && fragmentOffset === 0
  }

  #isAboutReply(packet: Packet, quote: Quote): boolean {
    return (
      quote.family === 6 &&
      quote.isIcmp &&
      quote.icmpType === icmpv6.ECHO_REPLY &&
      icmpv6.type(packet.view, packet.transport) === icmpv6.PACKET_TOO_BIG
    )
  }

  /** A Packet Too Big about a long echo reply. */
  #largeReply(quote: Quote, mtu: number): Drop {
    const { d0, d1, d2, d3 } = quote
    const rest = quote.view.getInt32(quote.transport + 4)
    if (!this.#largeReplies.has(d0, d1, d2, d3, rest)) return Drop.IcmpUnmatched
    this.#host.reportMtu(quote.destination, mtu, quote.totalLength)
    return Drop.None
  }

  /** An error about an echo request of ours. */
  #echoError(quote: Quote, error: IcmpError): Drop {
    const echo = this.#echoes.senderOf(quote)
    if (echo === null) return Drop.IcmpUnmatched
    const { family, type, code, mtu, destination } = error
    if (isTooBig(family, type, code) && echo.learnsMtu) this.#host.reportMtu(destination, mtu, quote.totalLength)
    echo.listener.error(error, quote.sequence)
    return Drop.None
  }
}

/** The error at `packet.transport`. An echo message's source port is its identifier. */
function errorOf(
  packet: Packet,
  quote: Quote,
  mtu: number,
  pointer: number,
  extensions: readonly IcmpExtension[],
): IcmpError {
  const { view, transport } = packet
  return {
    family: quote.family,
    type: icmpv4.type(view, transport),
    code: icmpv4.code(view, transport),
    mtu,
    pointer,
    offender: new Address(packet.s0, packet.s1, packet.s2, packet.s3),
    destination: quote.destination,
    destinationPort: quote.isUdp ? udp.destinationPort(view, quote.transport) : 0,
    source: quote.source,
    sourcePort: quote.isUdp ? udp.sourcePort(view, quote.transport) : quote.isIcmp ? quote.identifier : 0,
    extensions,
  }
}
