/**
 * ICMP messages that arrive: echo and timestamp requests are answered, replies, errors and
 * redirects handed to those they are for (RFC 792, RFC 1122 section 3.2.2).
 */
import { Address } from '../../base/address.ts'
import { Drop } from '../../base/drop.ts'
import { Cast, type Packet } from '../../base/packet.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import type { Counters } from '../counters.ts'
import type { EchoClients } from './echo.ts'
import type { ErrorReceiver } from './error-receiver.ts'
import type { IcmpNic, RedirectHost } from './icmp-host.ts'
import type { ReplySender } from './reply-sender.ts'

/** What these messages need of the IP layer. */
export interface Receive4Host extends RedirectHost {
  /** Milliseconds since midnight, Universal Time. */
  timeOfDay(): number
}

export class Receive4 {
  readonly #host: Receive4Host
  readonly #counters: Counters
  readonly #replies: ReplySender
  readonly #echoes: EchoClients
  readonly #errors: ErrorReceiver

  constructor(
    host: Receive4Host,
    counters: Counters,
    replies: ReplySender,
    echoes: EchoClients,
    errors: ErrorReceiver,
  ) {
    this.#host = host
    this.#counters = counters
    this.#replies = replies
    this.#echoes = echoes
    this.#errors = errors
  }

  input(packet: Packet, nic: IcmpNic): Drop {
    const counters = this.#counters
    counters.four.IcmpInMsgs++
    const drop = icmpv4.parse(packet)
    if (drop !== Drop.None) return drop
    // RFC 1122 section 3.2.2.6 and 3.2.2.8; Linux: icmp_echo_ignore_broadcasts, and no other type
    // is expected there.
    if (packet.cast !== Cast.Unicast) return Drop.IcmpEchoBroadcast
    const { view, transport } = packet
    switch (icmpv4.type(view, transport)) {
      case icmpv4.ECHO:
        counters.four.IcmpInEchos++
        return this.#echo(packet, nic)
      case icmpv4.ECHO_REPLY:
        counters.four.IcmpInEchoReps++
        return this.#echoes.reply(packet)
      case icmpv4.TIMESTAMP:
        counters.four.IcmpInTimestamps++
        return this.#timestamp(packet, nic)
      case icmpv4.DESTINATION_UNREACHABLE: {
        counters.four.IcmpInDestUnreachs++
        const tooBig = icmpv4.code(view, transport) === icmpv4.FRAGMENTATION_NEEDED
        return this.#errors.receive(packet, tooBig ? icmpv4.mtu(view, transport) : 0, 0)
      }
      case icmpv4.TIME_EXCEEDED:
        counters.four.IcmpInTimeExcds++
        return this.#errors.receive(packet, 0, 0)
      case icmpv4.PARAMETER_PROBLEM:
        counters.four.IcmpInParmProbs++
        return this.#errors.receive(packet, 0, icmpv4.pointer(view, transport))
      case icmpv4.REDIRECT:
        counters.four.IcmpInRedirects++
        return this.#redirect(packet, nic)
      default:
        // RFC 6918 (deprecated types), RFC 6633 (Source Quench): silently ignored.
        return Drop.IcmpUnknownType
    }
  }

  /**
   * RFC 1122 section 3.2.2.6: identifier, sequence and data come back, the code too, as Linux has
   * it.
   */
  #echo(packet: Packet, nic: IcmpNic): Drop {
    const { view, transport } = packet
    const reply = this.#replies.copyOf(packet, transport + icmpv4.HEADER, packet.end - transport - icmpv4.HEADER)
    reply.start -= icmpv4.HEADER
    const code = icmpv4.code(view, transport)
    icmpv4.encode(reply, reply.start, reply.end, icmpv4.ECHO_REPLY, code, view.getInt32(transport + 4))
    this.#counters.four.IcmpOutEchoReps++
    return this.#replies.send(reply, packet, nic)
  }

  /**
   * RFC 792, RFC 1122 section 3.2.2.8: when the request was sent, came in and is answered, in
   * milliseconds of the day.
   */
  #timestamp(packet: Packet, nic: IcmpNic): Drop {
    const { view, transport } = packet
    // Linux asks for the first of the three times only.
    if (packet.end - transport < icmpv4.HEADER + 4) return Drop.IcmpTooShort
    const times = icmpv4.TIMESTAMP_LENGTH - icmpv4.HEADER
    const reply = this.#replies.copyOf(packet, transport + icmpv4.HEADER, times)
    const now = this.#host.timeOfDay()
    reply.view.setUint32(reply.start + 4, now)
    reply.view.setUint32(reply.start + 8, now)
    reply.start -= icmpv4.HEADER
    icmpv4.encode(reply, reply.start, reply.end, icmpv4.TIMESTAMP_REPLY, 0, view.getInt32(transport + 4))
    this.#counters.four.IcmpOutTimestampReps++
    return this.#replies.send(reply, packet, nic)
  }

  /**
   * RFC 1122 section 3.2.2.2. All four codes are taken for the one host, as that section has it.
   */
  #redirect(packet: Packet, nic: IcmpNic): Drop {
    const { view, transport } = packet
    if (icmpv4.code(view, transport) > 3) return Drop.IcmpUnknownType
    const quote = this.#errors.open(packet, transport + icmpv4.HEADER, packet.end)
    if (quote === null) return Drop.IcmpTooShort
    if (!this.#errors.isOurs(quote)) return Drop.IcmpUnmatched
    const gateway = Address.fromIPv4(icmpv4.gateway(view, transport))
    return this.#host.redirects.accept(nic, Address.fromIPv4(packet.s3), quote.destination, gateway)
  }
}
