/**
 * Why a packet was discarded: a closed list. A discard without one of these names is a bug.
 *
 * A drop is a small integer, returned (never thrown) by `parse`, `input`, `output` and `send`;
 * `Drop.None` is success. Codes below 30 belong to the link layer, below 80 to IP, below 100 to
 * ICMP, below 112 to UDP, the rest to transports of others, which pass. What a drop counts as
 * stands in the table below the list.
 */
export const Drop = {
  None: 0,

  /** The link is closed, down or gone. */
  LinkDown: 1,
  /** The link's transmit queue is full; Linux: `ENOBUFS`, a device's `tx_dropped`. */
  LinkQueueFull: 2,
  /** The packet is longer than the link's MTU. */
  LinkMtuExceeded: 3,
  /** The device refused the frame for another reason. */
  LinkRefused: 4,
  /** Shorter than a link header, or than the smallest IP header. */
  FrameTooShort: 5,
  /** Another host's unicast frame. */
  FrameOtherHost: 6,
  /** An EtherType this stack does not speak. */
  FrameUnknownType: 7,
  /** An 802.1Q or 802.1ad tag of a VLAN other than 0. */
  FrameVlanTagged: 8,
  /** The next hop does not answer ARP or Neighbor Discovery. */
  NeighborUnreachable: 9,
  /** Too many packets wait for one neighbor's address. */
  NeighborQueueFull: 10,
  /** An ARP packet with wrong sizes, type or addresses (RFC 826). */
  ArpMalformed: 11,
  /** A simulated fault discarded it on the wire. */
  WireLoss: 12,
  /** A simulated rate limit's queue was full. */
  WireQueueFull: 13,
  /** No link of the segment, or port of a switch that snoops, leads to this destination. */
  WireNoReceiver: 14,
  /**
   * ARP or Neighbor Discovery from another station that uses one of our addresses (RFC 5227, RFC
   * 4862).
   */
  AddressConflict: 15,
  /** A simulated firewall or partition lets it not pass. */
  WireFiltered: 16,
  /** A NAT has no mapping for it, or no port left for one. */
  WireNatUnmapped: 17,
  /** A NAT has a mapping, which this sender may not use (RFC 4787 section 5). */
  WireNatFiltered: 18,
  /**
   * A device's offload header that does not fit its frame, or asks for work that nobody offered
   * (virtio 1.2 section 5.1.6).
   */
  FrameOffload: 19,
  /** CoDel gave it up before a slow wire, because packets wait too long (RFC 8289). */
  WireCodel: 20,
  /** A simulated wire's frame check sequence shows that bits of it are wrong (IEEE 802.3). */
  WireFrameCheck: 21,
  /**
   * The table of neighbors is full of others that are being resolved or in use (Linux: "neighbor
   * table overflow").
   */
  NeighborTableFull: 24,

  /** Fewer bytes than the header has, or than the length in the header says. */
  IpTooShort: 30,
  /** The version field is neither 4 nor 6, or not the one of the frame. */
  IpVersion: 31,
  /** IHL below 5, or beyond the packet (RFC 791 section 3.1). */
  IpHeaderLength: 32,
  /** Total Length below the header's, or beyond the frame (RFC 1122 section 3.2.1). */
  IpTotalLength: 33,
  /** The IPv4 header does not sum to all ones. */
  IpChecksum: 34,
  /** A malformed IPv4 option. */
  IpOption: 35,
  /** A source route while they are refused. */
  IpSourceRoute: 36,
  /**
   * A source address that no packet may have here (RFC 1122 section 3.2.1.3, RFC 6890, RFC 4291).
   */
  IpMartianSource: 37,
  /** A destination address that no packet may have here. */
  IpMartianDestination: 38,
  /** Not one of our addresses, and this stack does not forward. */
  IpNotForUs: 39,
  /** TTL or hop limit ran out in transit. */
  IpHopLimitExceeded: 40,
  /** No route to the destination. */
  IpNoRoute: 41,
  /** No upper layer speaks this protocol. */
  IpUnknownProtocol: 42,
  /** No Next Header (59): nothing to deliver (RFC 8200 section 4.7). */
  IpNoNextHeader: 43,
  /** A malformed extension header, or more of them than the limit. */
  IpExtensionHeader: 44,
  /** An unknown option whose top bits ask for a discard (RFC 8200 section 4.2). */
  IpUnknownOption: 45,
  /** A routing header with segments left (RFC 5095, RFC 8200 section 4.4). */
  IpRoutingHeader: 46,
  /** A packet longer than the MTU that must not be fragmented. */
  IpDontFragment: 47,
  /** A source address whose route leaves by another nic (RFC 3704). */
  IpReversePath: 48,
  /**
   * Scope or link-local addresses that are never forwarded (RFC 4007 section 9, RFC 3927 section
   * 7).
   */
  IpBeyondScope: 49,
  /** A group that no socket of this nic has joined. */
  IpNotMember: 50,
  /** Forwarding of a link-level broadcast or multicast (RFC 1812 section 5.3.4). */
  IpLinkBroadcast: 51,
  /** A group that was joined, but from other sources only (RFC 9776 section 3.2). */
  IpSourceFilter: 55,
  /**
   * A loopback source or destination on its way out of the host (RFC 1122 section 3.2.1.3, RFC 4291
   * section 2.5.3).
   */
  IpLoopbackLeaves: 56,
  /** A raw endpoint's copy, for which its receive buffer has no room. */
  IpRawReceiveBuffer: 57,
  /** A raw endpoint's copy whose checksum, which the endpoint wants verified, is wrong. */
  IpRawChecksum: 58,

  /** A fragment that is not last and whose length is no multiple of 8. */
  FragmentLength: 60,
  /** Offset plus length beyond 65535. */
  FragmentTooBig: 61,
  /** Fragments that overlap: the whole datagram is discarded (RFC 5722). */
  FragmentOverlap: 62,
  /** A copy of bytes already there. */
  FragmentDuplicate: 63,
  /** Not all fragments came in time. */
  FragmentTimeout: 64,
  /** Pushed out by, or refused for, the reassembly memory bound. */
  FragmentMemory: 65,
  /** ECN bits that must not meet in one datagram (RFC 3168 section 5.3). */
  FragmentEcn: 66,
  /** A first fragment without the whole header chain (RFC 7112). */
  FragmentHeaderChain: 67,

  /** Shorter than an ICMP header. */
  IcmpTooShort: 80,
  /** The checksum is wrong. */
  IcmpChecksum: 81,
  /** A type or code that is unknown or deprecated (RFC 6918, RFC 6633). */
  IcmpUnknownType: 82,
  /** An error about a packet that no socket of this host sent. */
  IcmpUnmatched: 83,
  /** An answer that the rate limit suppressed. */
  IcmpRateLimited: 84,
  /** An ICMPv4 message to a broadcast or multicast address, an echo request first of all. */
  IcmpEchoBroadcast: 85,
  /** A Neighbor Discovery message that fails the checks of RFC 4861 section 6.1 and 7.1. */
  NdMalformed: 86,
  /** An IGMP or MLD message that fails its checks. */
  GroupReportMalformed: 87,
  /**
   * A Neighbor Discovery message that this host ignores: an advertisement to a router, or any
   * message on a link without neighbors.
   */
  NdIgnored: 88,
  /** An error that was due to an address that is not one host's (RFC 4443 section 2.4 (e.6)). */
  IcmpAmbiguousSource: 89,
  /**
   * A redirect that is not from the present first hop, leads off the link, or comes to a host that
   * takes none (RFC 1122 3.2.2.2, RFC 4861 8.1).
   */
  IcmpRedirect: 90,
  /**
   * An error about a datagram of a socket whose program has not taken what waits yet: the receive
   * buffer is full.
   */
  IcmpErrorsFull: 91,
  /** A solicitation for an anycast address when the limit of waiting solicitations is reached. */
  NdQueueFull: 94,

  /** Shorter than a UDP header. */
  UdpTooShort: 100,
  /** A length field below 8 or beyond the IP payload. */
  UdpLength: 101,
  /** The checksum is wrong. */
  UdpChecksum: 102,
  /** A zero checksum in IPv6 (RFC 8200 section 8.1). */
  UdpZeroChecksum: 103,
  /** No socket has this port. */
  UdpNoPort: 104,
  /** The socket's receive buffer is full. */
  UdpReceiveBuffer: 105,
  /** The socket's block list has the source or destination. */
  UdpBlocked: 107,
  /** A source that the socket's source filter excludes. */
  UdpSourceFilter: 108,
  /** The socket was closed while the datagram waited. */
  UdpClosed: 109,
  /** A TTL or hop limit below what the socket wants (RFC 5082). */
  UdpHopLimit: 110,

  /** Shorter than a TCP header. */
  TcpTooShort: 112,
  /** A data offset below 5, or beyond the packet (RFC 9293 section 3.1). */
  TcpHeaderLength: 113,
  /** The checksum is wrong. */
  TcpChecksum: 114,
  /** Shorter than SCTP's common header. */
  SctpTooShort: 116,
} as const

export type Drop = (typeof Drop)[keyof typeof Drop]
export type DropName = keyof typeof Drop
export type DropLayer = 'link' | 'ip' | 'icmp' | 'udp' | 'tcp' | 'sctp'

/** One more than the largest code: the size of a table indexed by drop. */
export const DROP_LIMIT = 128

const names: string[] = new Array(DROP_LIMIT).fill('')
for (const [name, code] of Object.entries(Drop)) names[code] = name

/** `'UdpNoPort'` for its code. */
export function dropName(drop: Drop): DropName {
  return names[drop] as DropName
}

/** A drop's layer, and the MIB counters that Linux would move, under IPv4's names. */
type Row = readonly [layer: DropLayer, ...counters: string[]]

/** Received: a header that cannot be, an address that cannot be. */
const HEADER: Row = ['ip', 'IpInHdrErrors']
const ADDRESS: Row = ['ip', 'IpInAddrErrors']
const REASSEMBLY: Row = ['ip', 'IpReasmFails']
/** Sent, and not taken by the link. */
const DISCARD: Row = ['link', 'IpOutDiscards']
const ICMP_ERROR: Row = ['icmp', 'IcmpInErrors']
const UDP_ERROR: Row = ['udp', 'UdpInErrors']
/** Linux has no counter. */
const LINK: Row = ['link']
const IP: Row = ['ip']
const ICMP: Row = ['icmp']
const UDP: Row = ['udp']
/** No stack of ours has them: dumps check headers, and a capture's verdict. */
const TCP: Row = ['tcp']

const ROWS: Record<Exclude<DropName, 'None'>, Row> = {
  LinkDown: DISCARD,
  LinkQueueFull: DISCARD,
  LinkMtuExceeded: DISCARD,
  LinkRefused: DISCARD,
  FrameTooShort: LINK,
  FrameOtherHost: LINK,
  FrameUnknownType: LINK,
  FrameVlanTagged: LINK,
  NeighborUnreachable: DISCARD,
  NeighborQueueFull: DISCARD,
  ArpMalformed: LINK,
  WireLoss: LINK,
  WireQueueFull: LINK,
  WireCodel: LINK,
  WireFrameCheck: LINK,
  WireNoReceiver: LINK,
  AddressConflict: LINK,
  WireFiltered: LINK,
  WireNatUnmapped: LINK,
  WireNatFiltered: LINK,
  FrameOffload: LINK,
  NeighborTableFull: DISCARD,

  IpTooShort: HEADER,
  IpVersion: HEADER,
  IpHeaderLength: HEADER,
  IpTotalLength: HEADER,
  IpChecksum: HEADER,
  IpOption: HEADER,
  IpSourceRoute: HEADER,
  IpMartianSource: ADDRESS,
  IpMartianDestination: ADDRESS,
  IpNotForUs: ADDRESS,
  IpHopLimitExceeded: HEADER,
  IpNoRoute: ['ip', 'IpOutNoRoutes'],
  IpUnknownProtocol: ['ip', 'IpInUnknownProtos'],
  IpNoNextHeader: IP,
  IpExtensionHeader: HEADER,
  IpUnknownOption: HEADER,
  IpRoutingHeader: HEADER,
  IpDontFragment: ['ip', 'IpFragFails'],
  IpReversePath: ADDRESS,
  IpBeyondScope: ADDRESS,
  IpNotMember: ADDRESS,
  IpLinkBroadcast: IP,
  IpSourceFilter: IP,
  IpLoopbackLeaves: ['ip', 'IpOutDiscards'],
  IpRawReceiveBuffer: IP,
  IpRawChecksum: IP,

  FragmentLength: REASSEMBLY,
  FragmentTooBig: REASSEMBLY,
  FragmentOverlap: REASSEMBLY,
  FragmentDuplicate: IP,
  FragmentTimeout: ['ip', 'IpReasmTimeout', 'IpReasmFails'],
  FragmentMemory: REASSEMBLY,
  FragmentEcn: REASSEMBLY,
  FragmentHeaderChain: REASSEMBLY,

  IcmpTooShort: ICMP_ERROR,
  IcmpChecksum: ['icmp', 'IcmpInErrors', 'IcmpInCsumErrors'],
  IcmpUnknownType: ICMP,
  IcmpUnmatched: ICMP_ERROR,
  IcmpRateLimited: ['icmp', 'IcmpOutRateLimitHost'],
  IcmpEchoBroadcast: ICMP,
  NdMalformed: ICMP_ERROR,
  GroupReportMalformed: ICMP,
  NdIgnored: ICMP,
  IcmpAmbiguousSource: ICMP,
  IcmpRedirect: ICMP,
  IcmpErrorsFull: ICMP,
  NdQueueFull: ICMP,

  UdpTooShort: UDP_ERROR,
  UdpLength: UDP_ERROR,
  UdpChecksum: ['udp', 'UdpInErrors', 'UdpInCsumErrors'],
  UdpZeroChecksum: UDP_ERROR,
  UdpNoPort: ['udp', 'UdpNoPorts'],
  UdpReceiveBuffer: ['udp', 'UdpInErrors', 'UdpRcvbufErrors'],
  UdpBlocked: UDP,
  UdpSourceFilter: UDP,
  UdpClosed: UDP,
  UdpHopLimit: UDP,

  TcpTooShort: TCP,
  TcpHeaderLength: TCP,
  TcpChecksum: TCP,
  SctpTooShort: ['sctp'],
}

const rows: (Row | undefined)[] = new Array(DROP_LIMIT)
for (const [name, row] of Object.entries(ROWS)) rows[Drop[name as DropName]] = row

/** The layer that discarded the packet. */
export function dropLayer(drop: Drop): DropLayer {
  return rows[drop]?.[0] ?? 'link'
}

/** The MIB counters that move with a drop, under IPv4's names. */
export function dropCounters(drop: Drop): readonly string[] {
  return rows[drop]?.slice(1) ?? []
}
