/** An ICMP error that arrived, as one value, and who takes it. */
import type { Address } from '../../base/address.ts'
import type { Drop } from '../../base/drop.ts'
import type { IcmpExtension } from '../../wire/icmp-extensions.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import type { Quote } from './quote.ts'

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
 * The upper layer that sent the quoted packet decides whether the error is believed. The quote has
 * `transport` at the quoted UDP header, and is lent for the call.
 */
export interface IcmpErrorSink {
  icmpError(quote: Quote, error: IcmpError): Drop
  /** Whether a socket of this host sends such packets as the quoted one. */
  isSender(quote: Quote): boolean
}

/** Who also hears of errors, besides the upper layer: raw endpoints. */
export interface RawErrorSink {
  /**
   * The error goes to each endpoint that sends such packets as the quoted one, which is lent.
   * @returns whether there is one
   */
  icmpError(quote: Quote, error: IcmpError): boolean
  /** Whether an endpoint sends such packets as the quoted one. */
  isSender(quote: Quote): boolean
}

/** Fragmentation Needed and Packet Too Big. */
export function isTooBig(family: number, type: number, code: number): boolean {
  return family === 4
    ? type === icmpv4.DESTINATION_UNREACHABLE && code === icmpv4.FRAGMENTATION_NEEDED
    : type === icmpv6.PACKET_TOO_BIG
}
