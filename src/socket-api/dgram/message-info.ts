/** What a program is told about a datagram, and about an ICMP error. */
import type { IcmpError } from '../../ip/icmp/icmp-error.ts'

/** Where a message came from, as Node's listeners get it. */
export interface MessageInfo {
  /** The sender; a link-local IPv6 address with its zone: `fe80::1%eth0`. */
  address: string
  family: 'IPv4' | 'IPv6'
  port: number
  /** Bytes of the message. */
  size: number
  /**
   * TTL or hop limit as it arrived. With `setRecvInfo(true)`, as are all below. Linux: IP_RECVTTL,
   * IPV6_RECVHOPLIMIT.
   */
  ttl?: number
  /** TOS or Traffic Class. Linux: IP_RECVTOS, IPV6_RECVTCLASS. */
  tos?: number
  /** The two ECN bits of `tos`: 0 not capable, 1 and 2 capable, 3 congestion experienced. */
  ecn?: number
  /** The address the datagram was sent to. Linux: IP_PKTINFO, IPV6_RECVPKTINFO. */
  local?: string
  /** The name of the interface it came by. */
  interface?: string
  /**
   * How many fragments it came in; 1 for a whole one. Linux: IP_RECVFRAGSIZE tells the size of the
   * largest.
   */
  fragments?: number
  /**
   * Milliseconds since 1970-01-01T00:00:00Z, with fractions, at its arrival. Linux: SO_TIMESTAMPNS.
   */
  timestamp?: number
}

/** An ICMP error about a datagram of the socket's, as the 'icmp' event gives it. */
export interface IcmpInfo {
  family: 'IPv4' | 'IPv6'
  type: number
  code: number
  /** Next-hop MTU of Fragmentation Needed and Packet Too Big; 0 elsewhere. */
  mtu: number
  /** Parameter Problem's pointer; 0 elsewhere. */
  pointer: number
  /** Who reported it. */
  offender: string
  /** Where the datagram was going. */
  destination: { address: string; port: number }
  /** Objects behind the quoted packet: RFC 4884, such as MPLS labels (RFC 4950). */
  extensions: IcmpError['extensions']
}
