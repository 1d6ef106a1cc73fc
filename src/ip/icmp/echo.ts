/** Echo clients: what `ping` and a path MTU prober are built on. */
import type { Address } from '../../base/address.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import { ICMPV4, ICMPV6 } from '../../wire/protocol.ts'
import type { Counters } from '../counters.ts'
import type { PmtuMode } from '../routing/pmtu-mode.ts'
import type { IcmpError } from './icmp-error.ts'
import type { EchoHost } from './icmp-host.ts'
import type { Quote } from './quote.ts'
import type { ReplySender } from './reply-sender.ts'

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

/** An echo client with an identifier of its own. */
export class Echo {
  readonly family: 4 | 6
  readonly identifier: number
  /** @internal */
  readonly listener: EchoListener
  /**
   * Whether a too-big report sets the path's MTU; a prober, which judges reports itself, clears it.
   */
  learnsMtu = true
  readonly #owner: EchoOwner
  readonly #sent: { to: Address; sequence: number }[] = []

  /** @internal */
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

  /** @internal */
  isOutstanding(to: Address, sequence: number): boolean {
    return this.#sent.some((each) => each.sequence === sequence && each.to.equals(to))
  }

  close(): void {
    this.#owner.close()
  }
}

/** The echo clients of a host, by their identifiers. */
export class EchoClients {
  readonly #host: EchoHost
  readonly #random: Random
  readonly #counters: Counters
  readonly #replies: ReplySender
  readonly #clients = new Map<number, Echo>()

  /** Requests leave in the transmit packet of `replies`. */
  constructor(host: EchoHost, random: Random, counters: Counters, replies: ReplySender) {
    this.#host = host
    this.#random = random
    this.#counters = counters
    this.#replies = replies
  }

  /** A client that hears of replies and errors until it is closed. */
  open(family: 4 | 6, listener: EchoListener): Echo {
    let identifier = this.#random.below(0x1_0000)
    while (this.#clients.has(identifier)) identifier = this.#random.below(0x1_0000)
    const echo = new Echo(family, identifier, listener, {
      send: (to, sequence, payload, options) => this.#send(identifier, to, sequence, payload, options),
      close: () => this.#clients.delete(identifier),
    })
    this.#clients.set(identifier, echo)
    return echo
  }

  /** Takes the echo reply at `packet.transport`. */
  reply(packet: Packet): Drop {
    const { view, transport } = packet
    const echo = this.#clients.get(icmpv4.identifier(view, transport))
    if (echo === undefined || echo.family !== packet.family) return Drop.IcmpUnmatched
    packet.start = transport + icmpv4.HEADER
    echo.listener.reply(packet, icmpv4.sequence(view, transport))
    return Drop.None
  }

  /** The client whose outstanding request is quoted. */
  senderOf(quote: Quote): Echo | null {
    const { family } = quote
    if (!quote.isIcmp || quote.icmpType !== (family === 4 ? icmpv4.ECHO : icmpv6.ECHO_REQUEST)) return null
    const echo = this.#clients.get(quote.identifier)
    if (echo === undefined || echo.family !== family) return null
    return echo.isOutstanding(quote.destination, quote.sequence) ? echo : null
  }

  #send(identifier: number, to: Address, sequence: number, payload: Uint8Array, options: EchoOptions): string {
    const host = this.#host
    const { family, w0, w1, w2, w3 } = to
    const request = this.#replies.blank(payload.length + icmpv4.HEADER)
    request.bytes.set(payload, request.start + icmpv4.HEADER)
    const route = host.route(w0, w1, w2, w3, options.nic ?? 0)
    if (route === null) return 'ENETUNREACH'
    const source = options.source ?? host.selectSource(route, w0, w1, w2, w3)
    if (source === null) return 'EADDRNOTAVAIL'
    request.family = family
    request.hopLimit = options.hopLimit ?? host.hopLimitOver(route.nic, family)
    request.tos = options.tos ?? 0
    request.flowLabel = 0
    request.s0 = source.w0
    request.s1 = source.w1
    request.s2 = source.w2
    request.s3 = source.w3
    request.d0 = w0
    request.d1 = w1
    request.d2 = w2
    request.d3 = w3
    const rest = (identifier << 16) | (sequence & 0xffff)
    if (family === 4) this.#encode4(request, rest)
    else this.#encode6(request, rest)
    const drop = host.output(request, route, options.dontFragment ?? 0)
    if (drop === Drop.None) return ''
    if (drop === Drop.IpDontFragment) return 'EMSGSIZE'
    this.#counters.drop(drop, request)
    if (drop === Drop.IpLoopbackLeaves) return 'EINVAL'
    return drop === Drop.LinkDown ? 'ENETDOWN' : 'ENOBUFS'
  }

  #encode4(request: Packet, rest: number): void {
    request.protocol = ICMPV4
    icmpv4.encode(request, request.start, request.end, icmpv4.ECHO, 0, rest)
    this.#counters.four.IcmpOutMsgs++
    this.#counters.four.IcmpOutEchos++
  }

  #encode6(request: Packet, rest: number): void {
    const { start, end } = request
    request.protocol = ICMPV6
    ipv6.encode(request, start - ipv6.HEADER, ICMPV6)
    icmpv6.encode(request, start - ipv6.HEADER, start, end, icmpv6.ECHO_REQUEST, 0, rest)
    this.#counters.six.IcmpOutMsgs++
    this.#counters.six.IcmpOutEchos++
  }
}
