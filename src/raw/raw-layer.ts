/**
 * The raw endpoints of one host: which of them get a packet or an ICMP error (Linux: raw_v4_input,
 * ipv6_raw_deliver, raw_err, rawv6_err).
 */
import type { Address } from '../base/address.ts'
import { isComplete, sumLong } from '../base/checksum.ts'
import { Drop } from '../base/drop.ts'
import { ChecksumState, type Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'
import type { Counters } from '../ip/counters.ts'
import { type IcmpError, isTooBig, type RawErrorSink } from '../ip/icmp/icmp-error.ts'
import type { Quote } from '../ip/icmp/quote.ts'
import { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import type { RawSink } from '../ip/upper.ts'
import { completeChecksum } from '../link/checksum-offload.ts'
import type { Errno } from '../udp/errno.ts'
import { icmpErrno } from '../udp/icmp-errno.ts'
import * as ipv6 from '../wire/ipv6.ts'
import { RawEndpoint, type RawHost } from './raw-endpoint.ts'
import type { RawIp } from './raw-ip.ts'
import { checkRawOptions, type RawOptions, type RawSendOptions } from './raw-options.ts'
import { RawSender } from './raw-sender.ts'

export class RawLayer implements RawHost, RawSink, RawErrorSink {
  readonly ip: RawIp
  readonly #counters: Counters
  readonly #sender: RawSender
  /** Another array with each change: who goes through one is not disturbed. */
  #endpoints: readonly RawEndpoint[] = []

  constructor(ip: RawIp, random: Random, counters: Counters) {
    this.ip = ip
    this.#counters = counters
    this.#sender = new RawSender(ip, random, counters)
  }

  /** See `Stack.openRaw`. */
  open(options: RawOptions): RawEndpoint {
    checkRawOptions(options)
    const endpoint = new RawEndpoint(this, options)
    this.#set([...this.#endpoints, endpoint])
    return endpoint
  }

  remove(endpoint: RawEndpoint): void {
    this.#set(this.#endpoints.filter((each) => each !== endpoint))
  }

  /** The stack is closed: iterations end. */
  close(): void {
    for (const endpoint of this.#endpoints) endpoint.close()
  }

  #set(endpoints: readonly RawEndpoint[]): void {
    this.#endpoints = endpoints
    this.ip.attachRaw(endpoints.length === 0 ? null : this)
  }

  send(
    endpoint: RawEndpoint,
    bytes: Uint8Array,
    to: Address | null,
    nic: number,
    options: RawSendOptions | null,
  ): Errno {
    return this.#sender.send(endpoint, bytes, to, nic, options)
  }

  deliver(packet: Packet): boolean {
    let taken = false
    for (const endpoint of this.#endpoints) {
      if (endpoint.closed || !endpoint.takes(packet)) continue
      taken = true
      // A device left it out; a program compares it.
      if (packet.checksumState === ChecksumState.Partial) completeChecksum(packet, packet.network, packet.networkEnd)
      const drop = this.#hand(endpoint, packet)
      if (drop !== Drop.None) this.#counters.drop(drop, packet)
    }
    return taken
  }

  #hand({ checksumOffset, receiver, queue, receiveBuffer }: RawEndpoint, packet: Packet): Drop {
    if (checksumOffset !== null && !checksumHolds(packet)) return Drop.IpRawChecksum
    if (receiver === null) {
      if (!queue.hasRoomFor(packet, receiveBuffer)) return Drop.IpRawReceiveBuffer
      queue.add(packet)
      return Drop.None
    }
    const { start, end } = packet
    packet.start = packet.transport
    receiver(packet)
    packet.start = start
    packet.end = end
    return Drop.None
  }

  icmpError(quote: Quote, error: IcmpError): boolean {
    let heard = false
    for (const endpoint of this.#endpoints) {
      if (endpoint.closed || !isSenderOf(endpoint, quote)) continue
      heard = true
      const { view, transport, end } = quote
      // A copy: `transport` is an offset in the whole buffer of the message.
      const quoted = new Uint8Array(view.buffer.slice(view.byteOffset + transport, view.byteOffset + end))
      endpoint.errorListener?.(error, errnoFor(endpoint, error), quoted)
    }
    return heard
  }

  isSender(quote: Quote): boolean {
    return this.#endpoints.some((each) => isSenderOf(each, quote))
  }
}

function isSenderOf({ family, protocol, localAddress, remoteAddress }: RawEndpoint, quote: Quote): boolean {
  if (quote.family !== family || quote.protocol !== protocol) return false
  if (!localAddress.isUnspecified && !localAddress.is(quote.s0, quote.s1, quote.s2, quote.s3)) return false
  return remoteAddress === null || remoteAddress.is(quote.d0, quote.d1, quote.d2, quote.d3)
}

/**
 * What a socket would report: hard errors to who is connected, all to who asked. Over IPv6 a
 * too-big report is hard for who never fragments only (rawv6_err).
 */
function errnoFor({ pmtuMode, receiveErrors, remoteAddress }: RawEndpoint, error: IcmpError) {
  const { family, type, code } = error
  const { errno, hard } = icmpErrno(family, type, code, pmtuMode)
  const fatal = family === 6 && isTooBig(family, type, code) ? pmtuMode === PmtuMode.Do : hard
  return receiveErrors || (fatal && remoteAddress !== null) ? errno : ''
}

/** IPv6: the sum of all, the pseudo-header's with it, is 0 (RFC 3542 section 3.1). */
function checksumHolds(packet: Packet): boolean {
  const { view, network, transport, end, protocol } = packet
  return isComplete(sumLong(packet, transport, end, ipv6.pseudoHeaderSum(view, network, protocol, end - transport)))
}
