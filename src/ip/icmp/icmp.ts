/**
 * ICMP of both families, wired: what receives, what answers, what sends errors, the echo clients.
 *
 * Each room is a file: `receive4.ts` and `receive6.ts` know the messages, `error-receiver.ts` whom
 * an error is for, `error-sender.ts` when one is due, `error-reasons.ts` what it is called.
 */
import type { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import type { Counters } from '../counters.ts'
import type { Ipv4Options } from '../ipv4-options.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import { type Echo, EchoClients, type EchoListener } from './echo.ts'
import type { ErrorLimit } from './error-limit.ts'
import { ErrorReason, problemReason } from './error-reasons.ts'
import { ErrorReceiver } from './error-receiver.ts'
import { ErrorSender } from './error-sender.ts'
import type { IcmpErrorSink, RawErrorSink } from './icmp-error.ts'
import type { IcmpHost, IcmpNic } from './icmp-host.ts'
import { LargeReplies } from './large-replies.ts'
import { Receive4 } from './receive4.ts'
import { Receive6 } from './receive6.ts'
import { ReplySender } from './reply-sender.ts'

export class Icmp {
  readonly #receive4: Receive4
  readonly #receive6: Receive6
  readonly #errors: ErrorReceiver
  readonly #errorSender: ErrorSender
  readonly #echoes: EchoClients

  /** @internal */
  constructor(host: IcmpHost, random: Random, counters: Counters, limit: ErrorLimit, options: Ipv4Options) {
    const replies = new ReplySender(host, counters, options)
    const largeReplies = new LargeReplies(host.hash)
    this.#echoes = new EchoClients(host, random, counters, replies)
    this.#errors = new ErrorReceiver(host, this.#echoes, largeReplies)
    this.#errorSender = new ErrorSender(host, counters, limit, replies)
    this.#receive4 = new Receive4(host, counters, replies, this.#echoes, this.#errors)
    this.#receive6 = new Receive6(host, counters, replies, this.#echoes, this.#errors, largeReplies)
  }

  /** @internal Who hears of errors about datagrams; set by the stack. */
  set errorSink(sink: IcmpErrorSink) {
    this.#errors.sink = sink
  }

  /** @internal Raw endpoints, while there are any. */
  set rawErrorSink(sink: RawErrorSink | null) {
    this.#errors.raw = sink
  }

  /** @internal */
  input4(packet: Packet, nic: IcmpNic): Drop {
    return this.#receive4.input(packet, nic)
  }

  /** @internal */
  input6(packet: Packet, nic: IcmpNic): Drop {
    return this.#receive6.input(packet, nic)
  }

  /**
   * An echo client with an identifier of its own; replies and errors come to the listener until it
   * is closed.
   */
  openEcho(family: 4 | 6, listener: EchoListener): Echo {
    return this.#echoes.open(family, listener)
  }

  /**
   * Quotes the packet at `packet.network … packet.networkEnd` in an error to its source, if the
   * rules and the rate limit allow one. The value is what the reason says: MTU, pointer, gateway.
   * @internal
   */
  sendError(packet: Packet, nic: RouteNic, reason: ErrorReason, value = 0): void {
    this.#errorSender.send(packet, nic, reason, value)
  }

  /** @internal Protocol Unreachable; ICMPv6 points to the field that names the protocol. */
  sendProtocolUnreachable(packet: Packet, nic: RouteNic): void {
    const value = packet.family === 4 ? 0 : packet.protocolAt - packet.network
    this.sendError(packet, nic, ErrorReason.ProtocolUnreachable, value)
  }

  /** @internal Parameter Problem, when a drop left one in the packet. */
  sendProblem(packet: Packet, nic: RouteNic): void {
    if (packet.problem >= 0) this.sendError(packet, nic, problemReason(packet.problem), packet.pointer)
  }
}
