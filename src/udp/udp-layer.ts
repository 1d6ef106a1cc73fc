/**
 * UDP of one host: from the port table to the endpoints, and the wiring of the rooms that endpoints
 * share. Rules are Linux's (udp_rcv, udp_err).
 */
import { type Address, isMulticast } from '../base/address.ts'
import type { Clock } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import { Cast, type Packet } from '../base/packet.ts'
import { branch, type Random } from '../base/random.ts'
import type { Counters } from '../ip/counters.ts'
import { type IcmpError, isTooBig } from '../ip/icmp/icmp-error.ts'
import type { Quote } from '../ip/icmp/quote.ts'
import type { Nic } from '../ip/nic/nic.ts'
import * as udp from '../wire/udp.ts'
import { Endpoint, type EndpointIp } from './endpoint.ts'
import { icmpErrno } from './icmp-errno.ts'
import { PortTable } from './port-table.ts'
import { ReadyList } from './ready-list.ts'
import type { EndpointReceiver } from './receive-queue.ts'
import { Sender, type SendHost } from './sender.ts'

/** @internal What UDP asks of IP, by its rooms. */
export interface UdpIp extends EndpointIp, SendHost {
  nicByIndex: EndpointIp['nicByIndex']
  /** Believes a too-big report about a packet of `length` bytes that this host sent to `to`. */
  reportMtu(to: Address, mtu: number, length: number): number
}

/**
 * UDP as IP sees it (`UpperLayer`, `IcmpErrorSink`), and as programs do: {@link createEndpoint}.
 */
export class UdpLayer {
  /** @internal */
  readonly ports: PortTable<Endpoint>
  readonly #ip: UdpIp
  readonly #counters: Counters
  readonly #beforeEndpoint: (() => void) | null
  readonly #host: {
    readonly ip: UdpIp
    readonly ports: PortTable<Endpoint>
    readonly sender: Sender
    readonly ready: ReadyList
  }

  /** @internal `beforeEndpoint` is called before each endpoint is made; see `stack.beforeUse`. */
  constructor(ip: UdpIp, clock: Clock, random: Random, counters: Counters, beforeEndpoint: (() => void) | null = null) {
    this.#ip = ip
    this.#beforeEndpoint = beforeEndpoint
    this.#counters = counters
    this.ports = new PortTable(branch(random, 'ports'), ip.hash)
    this.#host = {
      ip,
      ports: this.ports,
      sender: new Sender(ip, branch(random, 'flow labels'), counters),
      ready: new ReadyList(clock),
    }
  }

  createEndpoint(family: 4 | 6, receiver: EndpointReceiver): Endpoint {
    this.#beforeEndpoint?.()
    return new Endpoint(this.#host, family, receiver)
  }

  /** @internal */
  input(packet: Packet, nic: Nic): Drop {
    const drop = udp.parse(packet)
    if (drop !== Drop.None && (drop !== Drop.UdpZeroChecksum || !this.#takesZeroChecksum(packet))) return drop
    const { view, transport } = packet
    const sourcePort = udp.sourcePort(view, transport)
    const destinationPort = udp.destinationPort(view, transport)
    if (packet.cast !== Cast.Unicast && this.#isGroup(packet))
      return this.#inputGroup(packet, nic, sourcePort, destinationPort)
    const endpoint = this.ports.lookup(packet, sourcePort, destinationPort)
    if (endpoint === null) return Drop.UdpNoPort
    return this.#deliver(endpoint, packet, sourcePort)
  }

  /**
   * RFC 6936 section 4: one socket's matter, which is chosen by the addresses that no checksum
   * covers.
   */
  #takesZeroChecksum(packet: Packet): boolean {
    if (packet.cast !== Cast.Unicast) return false
    const { view, transport } = packet
    return (
      this.ports.lookup(packet, udp.sourcePort(view, transport), udp.destinationPort(view, transport))
        ?.takesZeroChecksum === true
    )
  }

  /** A unicast packet in a broadcast frame is still for one socket. */
  #isGroup(packet: Packet): boolean {
    return (
      isMulticast(packet.d0, packet.d1, packet.d2, packet.d3) ||
      (packet.family === 4 && this.#ip.isBroadcast4(packet.d3))
    )
  }

  #deliver(endpoint: Endpoint, packet: Packet, sourcePort: number): Drop {
    const drop = endpoint.queue.deliver(packet, sourcePort)
    if (drop === Drop.None) this.#counters.of(packet.family).UdpInDatagrams++
    return drop
  }

  /**
   * Every endpoint that matches gets a copy; nobody is told when none does (RFC 1122 section
   * 3.2.2).
   */
  #inputGroup(packet: Packet, nic: Nic, sourcePort: number, destinationPort: number): Drop {
    let drop: Drop = Drop.UdpNoPort
    for (const endpoint of this.ports.candidates(packet, sourcePort, destinationPort)) {
      if (!PortTable.matches(endpoint, packet, sourcePort)) continue
      if (packet.cast === Cast.Multicast && !endpoint.groups.allows(packet, nic.index)) {
        if (drop === Drop.UdpNoPort) drop = Drop.UdpSourceFilter
        continue
      }
      const result = this.#deliver(endpoint, packet, sourcePort)
      if (drop !== Drop.None) drop = result
      else if (result !== Drop.None) this.#counters.drop(result, packet)
    }
    return drop
  }

  /** @internal The end of a wake-up: receivers hand on what they collected. */
  idle(): void {
    this.#host.ready.flush()
  }

  /** @internal */
  isSender(quote: Quote): boolean {
    return this.#senderOf(quote) !== null
  }

  /** @internal */
  icmpError(quote: Quote, error: IcmpError): Drop {
    const endpoint = this.#senderOf(quote)
    if (endpoint === null) return Drop.IcmpUnmatched
    const { family, type, code, mtu, destination, extensions } = error
    if (isTooBig(family, type, code)) this.#ip.reportMtu(destination, mtu, quote.totalLength)
    const { queue } = endpoint
    if (!queue.hasRoomFor(extensions)) return Drop.IcmpErrorsFull
    const reported = icmpErrno(family, type, code, endpoint.pmtuMode)
    const wanted = endpoint.receiveErrors || (reported.hard && endpoint.remoteAddress !== null)
    queue.receiver.icmp(error, wanted ? reported.errno : '')
    return Drop.None
  }

  /**
   * The endpoint that sends such datagrams as the quoted one: the one that would get the answer.
   */
  #senderOf({ answer, view, transport }: Quote): Endpoint | null {
    return this.ports.lookup(answer, udp.destinationPort(view, transport), udp.sourcePort(view, transport))
  }
}
