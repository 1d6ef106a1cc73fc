/**
 * The errors that this host sends, by name: what each is in ICMP (RFC 792, RFC 1122 section
 * 3.2.2.1, RFC 1812 section 5.2.7.1) and in ICMPv6 (RFC 4443 section 3, RFC 7112).
 */
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import * as ipv6 from '../../wire/ipv6.ts'

/** How one family says it. */
export interface ErrorForm {
  readonly type: number
  readonly code: number
  /** The value's place in the second word: so many bits from the right. */
  readonly shift: number
}

/** `null`: the family has no such error. */
export interface ErrorReason {
  readonly four: ErrorForm | null
  readonly six: ErrorForm | null
}

const form = (type: number, code: number, shift = 0): ErrorForm => ({ type, code, shift })
const unreachable4 = (code: number) => form(icmpv4.DESTINATION_UNREACHABLE, code)
const unreachable6 = (code: number) => form(icmpv6.DESTINATION_UNREACHABLE, code)
/** ICMP's pointer is the first byte of the second word, ICMPv6's is the whole of it. */
const problem4 = form(icmpv4.PARAMETER_PROBLEM, 0, 24)
const problem6 = (code: number) => form(icmpv6.PARAMETER_PROBLEM, code)

export const ErrorReason = {
  /** No socket has the port. */
  PortUnreachable: { four: unreachable4(icmpv4.PORT_UNREACHABLE), six: unreachable6(icmpv6.PORT_UNREACHABLE) },
  /** No upper layer speaks the protocol. ICMPv6's value: the offset of the field that names it. */
  ProtocolUnreachable: {
    four: unreachable4(icmpv4.PROTOCOL_UNREACHABLE),
    six: problem6(ipv6.UNKNOWN_NEXT_HEADER),
  },
  /** The next hop does not answer, or the route says `unreachable`. */
  HostUnreachable: { four: unreachable4(icmpv4.HOST_UNREACHABLE), six: unreachable6(icmpv6.ADDRESS_UNREACHABLE) },
  NoRoute: { four: unreachable4(icmpv4.NET_UNREACHABLE), six: unreachable6(icmpv6.NO_ROUTE) },
  Prohibited: { four: unreachable4(icmpv4.ADMINISTRATIVELY_PROHIBITED), six: unreachable6(icmpv6.PROHIBITED) },
  BeyondScope: { four: null, six: unreachable6(icmpv6.BEYOND_SCOPE) },
  SourceRouteFailed: { four: unreachable4(icmpv4.SOURCE_ROUTE_FAILED), six: null },
  /** Value: the next hop's MTU. */
  TooBig: { four: unreachable4(icmpv4.FRAGMENTATION_NEEDED), six: form(icmpv6.PACKET_TOO_BIG, 0) },
  HopLimitExceeded: {
    four: form(icmpv4.TIME_EXCEEDED, icmpv4.IN_TRANSIT),
    six: form(icmpv6.TIME_EXCEEDED, icmpv6.IN_TRANSIT),
  },
  ReassemblyTimeExceeded: {
    four: form(icmpv4.TIME_EXCEEDED, icmpv4.IN_REASSEMBLY),
    six: form(icmpv6.TIME_EXCEEDED, icmpv6.IN_REASSEMBLY),
  },
  /** Value of this and the next two: the offset in the packet of what is wrong. */
  ErroneousField: { four: problem4, six: problem6(ipv6.ERRONEOUS_FIELD) },
  UnknownOption: { four: null, six: problem6(ipv6.UNKNOWN_OPTION) },
  IncompleteHeaderChain: { four: null, six: problem6(ipv6.INCOMPLETE_HEADER_CHAIN) },
  /**
   * Value: the better first hop's address. ICMPv6's Redirect is a message of Neighbor Discovery.
   */
  Redirect: { four: form(icmpv4.REDIRECT, icmpv4.FOR_HOST), six: null },
} as const satisfies Record<string, ErrorReason>

/** The reason for a Parameter Problem of this code, as a drop leaves it in `packet.problem`. */
export function problemReason(code: number): ErrorReason {
  switch (code) {
    case ipv6.UNKNOWN_NEXT_HEADER:
      return ErrorReason.ProtocolUnreachable
    case ipv6.UNKNOWN_OPTION:
      return ErrorReason.UnknownOption
    case ipv6.INCOMPLETE_HEADER_CHAIN:
      return ErrorReason.IncompleteHeaderChain
    default:
      return ErrorReason.ErroneousField
  }
}
