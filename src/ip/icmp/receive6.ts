/**
 * ICMPv6 messages that arrive: echo requests are answered, replies, errors and redirects handed to
 * those they are for, Neighbor Discovery and Multicast Listener Discovery to the nic (RFC 4443).
 */
import { Address } from '../../base/address.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import * as mld from '../../wire/mld.ts'
import * as ndp from '../../wire/ndp.ts'
import type { Counters } from '../counters.ts'
import type { EchoClients } from './echo.ts'
import type { ErrorReceiver } from './error-receiver.ts'
import type { IcmpNic, RedirectHost } from './icmp-host.ts'
import type { LargeReplies } from './large-replies.ts'
import type { ReplySender } from './reply-sender.ts'

export class Receive6 {
  readonly #host: RedirectHost
  readonly #counters: Counters
  readonly #replies: ReplySender
  readonly #echoes: EchoClients
  readonly #errors: ErrorReceiver
  readonly #largeReplies: LargeReplies

  constructor(
    host: RedirectHost,
    counters: Counters,
    replies: ReplySender,
    echoes: EchoClients,
    errors: ErrorReceiver,
    largeReplies: LargeReplies,
  ) {
    this.#host = host
    this.#counters = counters
    this.#replies = replies
    this.#echoes = echoes
    this.#errors = errors
    this.#largeReplies = largeReplies
  }

  input(packet: Packet, nic: IcmpNic): Drop {
    const counters = this.#counters
    counters.six.IcmpInMsgs++
    const drop = icmpv6.parse(packet)
    if (drop !== Drop.None) return drop
    const { view, transport } = packet
    switch (icmpv6.type(view, transport)) {
      case icmpv6.ECHO_REQUEST:
        counters.six.IcmpInEchos++
        return this.#echo(packet, nic)
      case icmpv6.ECHO_REPLY:
        counters.six.IcmpInEchoReps++
        return this.#echoes.reply(packet)
      case icmpv6.DESTINATION_UNREACHABLE:
        counters.six.IcmpInDestUnreachs++
        return this.#errors.receive(packet, 0, 0)
      case icmpv6.PACKET_TOO_BIG:
        counters.six.IcmpInPktTooBigs++
        return this.#errors.receive(packet, icmpv6.mtu(view, transport), 0)
      case icmpv6.TIME_EXCEEDED:
        counters.six.IcmpInTimeExcds++
        return this.#errors.receive(packet, 0, 0)
      case icmpv6.PARAMETER_PROBLEM:
        counters.six.IcmpInParmProbs++
        return this.#errors.receive(packet, 0, icmpv6.pointer(view, transport))
      case mld.QUERY:
      case mld.REPORT_V1:
      case mld.DONE:
      case mld.REPORT_V2:
        return nic.mld(packet)
      case ndp.ROUTER_SOLICITATION:
      case ndp.ROUTER_ADVERTISEMENT:
      case ndp.NEIGHBOR_SOLICITATION:
      case ndp.NEIGHBOR_ADVERTISEMENT:
        return nic.neighborDiscovery(packet)
      case ndp.REDIRECT:
        counters.six.IcmpInRedirects++
        return this.#redirect(packet, nic)
      default:
        return Drop.IcmpUnknownType
    }
  }

  /** RFC 4443 section 4.2; a request to a group is answered from a unicast address. */
  #echo(packet: Packet, nic: IcmpNic): Drop {
    const { view, transport, s0, s1, s2, s3 } = packet
    const length = packet.end - transport - icmpv6.HEADER
    const rest = view.getInt32(transport + 4)
    const reply = this.#replies.copyOf(packet, transport + icmpv6.HEADER, length)
    reply.start -= icmpv6.HEADER
    icmpv6.encodeHeader(reply.view, reply.start, icmpv6.ECHO_REPLY, icmpv6.code(view, transport), rest)
    this.#counters.six.IcmpOutEchoReps++
    this.#largeReplies.remember(s0, s1, s2, s3, rest, length)
    return this.#replies.send(reply, packet, nic)
  }

  /**
   * RFC 4861 section 8. A quoted packet must be one of ours; the option with it may be left out.
   */
  #redirect(packet: Packet, nic: IcmpNic): Drop {
    const drop = ndp.parse(packet)
    if (drop !== Drop.None) return drop
    const { view, transport } = packet
    const destination = addressAt(ndp.redirectedTo, view, transport)
    const option = ndp.findOption(packet, ndp.REDIRECTED_HEADER, ndp.REDIRECTED_PACKET)
    if (option !== 0) {
      const quote = this.#errors.open(packet, option + ndp.REDIRECTED_PACKET, packet.end)
      if (quote === null) return Drop.IcmpTooShort
      const { d0, d1, d2, d3 } = quote
      if (!this.#errors.isOurs(quote) || !destination.is(d0, d1, d2, d3)) return Drop.IcmpUnmatched
    }
    const from = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
    const target = addressAt(ndp.target, view, transport)
    const result = this.#host.redirects.accept(nic, from, destination, target)
    if (result === Drop.None) nic.redirected(packet, !target.equals(destination))
    return result
  }
}

type Word = (view: DataView, at: number, word: 0 | 1 | 2 | 3) => number

function addressAt(word: Word, view: DataView, at: number): Address {
  return new Address(word(view, at, 0), word(view, at, 1), word(view, at, 2), word(view, at, 3))
}
