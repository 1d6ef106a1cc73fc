import { DROP_LIMIT, Drop, type DropLayer, type DropName, dropLayer, dropName } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'

/** One row of `stack.drops`. */
export type DropCount = { reason: DropName; layer: DropLayer; count: number }

/** Called for each discarded packet; the packet is lent for the call. */
export type DropListener = (reason: DropName, layer: DropLayer, packet: Packet) => void

/**
 * What one stack counted: the MIB counters under Linux's names (`/proc/net/snmp`,
 * `/proc/net/snmp6`, `/proc/net/netstat`), and every discarded packet by reason.
 */
export class Counters {
  IpInReceives = 0
  IpInHdrErrors = 0
  IpInAddrErrors = 0
  IpForwDatagrams = 0
  IpInUnknownProtos = 0
  IpInDiscards = 0
  IpInDelivers = 0
  IpOutRequests = 0
  IpOutDiscards = 0
  IpOutNoRoutes = 0
  IpReasmTimeout = 0
  IpReasmReqds = 0
  IpReasmOKs = 0
  IpReasmFails = 0
  IpFragOKs = 0
  IpFragFails = 0
  IpFragCreates = 0
  Ip6InReceives = 0
  Ip6InHdrErrors = 0
  Ip6InAddrErrors = 0
  Ip6OutForwDatagrams = 0
  Ip6InUnknownProtos = 0
  Ip6InDiscards = 0
  Ip6InDelivers = 0
  Ip6OutRequests = 0
  Ip6OutDiscards = 0
  Ip6OutNoRoutes = 0
  Ip6ReasmTimeout = 0
  Ip6ReasmReqds = 0
  Ip6ReasmOKs = 0
  Ip6ReasmFails = 0
  Ip6FragOKs = 0
  Ip6FragFails = 0
  Ip6FragCreates = 0
  IcmpInMsgs = 0
  IcmpInErrors = 0
  IcmpInCsumErrors = 0
  IcmpInDestUnreachs = 0
  IcmpInTimeExcds = 0
  IcmpInParmProbs = 0
  IcmpInRedirects = 0
  IcmpInEchos = 0
  IcmpInEchoReps = 0
  IcmpInTimestamps = 0
  IcmpOutMsgs = 0
  IcmpOutDestUnreachs = 0
  IcmpOutTimeExcds = 0
  IcmpOutParmProbs = 0
  IcmpOutRedirects = 0
  IcmpOutEchos = 0
  IcmpOutEchoReps = 0
  IcmpOutTimestampReps = 0
  IcmpOutRateLimitHost = 0
  Icmp6InMsgs = 0
  Icmp6InErrors = 0
  Icmp6InCsumErrors = 0
  Icmp6InDestUnreachs = 0
  Icmp6InPktTooBigs = 0
  Icmp6InTimeExcds = 0
  Icmp6InParmProblems = 0
  Icmp6InEchos = 0
  Icmp6InEchoReplies = 0
  Icmp6OutMsgs = 0
  Icmp6OutDestUnreachs = 0
  Icmp6OutPktTooBigs = 0
  Icmp6OutTimeExcds = 0
  Icmp6OutParmProblems = 0
  Icmp6OutEchos = 0
  Icmp6OutEchoReplies = 0
  Icmp6OutRateLimitHost = 0
  Icmp6InGroupMembQueries = 0
  Icmp6InGroupMembResponses = 0
  Icmp6InRouterSolicits = 0
  Icmp6InRouterAdvertisements = 0
  Icmp6InNeighborSolicits = 0
  Icmp6InNeighborAdvertisements = 0
  Icmp6InRedirects = 0
  Icmp6OutGroupMembResponses = 0
  Icmp6OutGroupMembReductions = 0
  Icmp6OutRouterSolicits = 0
  Icmp6OutRouterAdvertisements = 0
  Icmp6OutNeighborSolicits = 0
  Icmp6OutNeighborAdvertisements = 0
  Icmp6OutRedirects = 0
  Icmp6OutMLDv2Reports = 0
  UdpInDatagrams = 0
  UdpNoPorts = 0
  UdpInErrors = 0
  UdpOutDatagrams = 0
  UdpRcvbufErrors = 0
  UdpSndbufErrors = 0
  UdpInCsumErrors = 0
  UdpIgnoredMulti = 0
  Udp6InDatagrams = 0
  Udp6NoPorts = 0
  Udp6InErrors = 0
  Udp6OutDatagrams = 0
  Udp6RcvbufErrors = 0
  Udp6SndbufErrors = 0
  Udp6InCsumErrors = 0

  readonly #drops = new Float64Array(DROP_LIMIT)
  #listener: DropListener | null = null

  /** Names the one listener for discarded packets, or none. */
  onDrop(listener: DropListener | null): void {
    this.#listener = listener
  }

  /** Counts a discarded packet under its reason and under the MIB counter that Linux would move. */
  drop(reason: Drop, packet: Packet): void {
    this.#drops[reason] = (this.#drops[reason] as number) + 1
    this.#countMib(reason, packet.family === 6)
    if (this.#listener !== null) this.#listener(dropName(reason), dropLayer(reason), packet)
  }

  /** How often one reason was counted. */
  dropCount(reason: Drop): number {
    return this.#drops[reason] as number
  }

  /** All reasons that were counted at least once, in the order of their codes. */
  get drops(): DropCount[] {
    const rows: DropCount[] = []
    for (let code = 1; code < DROP_LIMIT; code++) {
      const count = this.#drops[code] as number
      if (count > 0) rows.push({ reason: dropName(code as Drop), layer: dropLayer(code as Drop), count })
    }
    return rows
  }

  /** The MIB counters that are not zero, under their names. */
  nonZero(): Record<string, number> {
    return Object.fromEntries(Object.entries(this).filter(([, value]) => value !== 0))
  }

  #countMib(reason: Drop, six: boolean): void {
    switch (reason) {
      case Drop.IpTooShort:
      case Drop.IpVersion:
      case Drop.IpHeaderLength:
      case Drop.IpTotalLength:
      case Drop.IpChecksum:
      case Drop.IpOption:
      case Drop.IpSourceRoute:
      case Drop.IpHopLimitExceeded:
      case Drop.IpExtensionHeader:
      case Drop.IpUnknownOption:
      case Drop.IpRoutingHeader:
        if (six) this.Ip6InHdrErrors++
        else this.IpInHdrErrors++
        return
      case Drop.IpMartianSource:
      case Drop.IpMartianDestination:
      case Drop.IpNotForUs:
      case Drop.IpNotMember:
      case Drop.IpReversePath:
      case Drop.IpBeyondScope:
        if (six) this.Ip6InAddrErrors++
        else this.IpInAddrErrors++
        return
      case Drop.IpNoRoute:
        if (six) this.Ip6OutNoRoutes++
        else this.IpOutNoRoutes++
        return
      case Drop.IpUnknownProtocol:
        if (six) this.Ip6InUnknownProtos++
        else this.IpInUnknownProtos++
        return
      case Drop.IpDontFragment:
        if (six) this.Ip6FragFails++
        else this.IpFragFails++
        return
      case Drop.FragmentTimeout:
        if (six) {
          this.Ip6ReasmTimeout++
          this.Ip6ReasmFails++
        } else {
          this.IpReasmTimeout++
          this.IpReasmFails++
        }
        return
      case Drop.FragmentLength:
      case Drop.FragmentTooBig:
      case Drop.FragmentOverlap:
      case Drop.FragmentMemory:
      case Drop.FragmentEcn:
      case Drop.FragmentHeaderChain:
        if (six) this.Ip6ReasmFails++
        else this.IpReasmFails++
        return
      case Drop.IcmpChecksum:
        if (six) {
          this.Icmp6InErrors++
          this.Icmp6InCsumErrors++
        } else {
          this.IcmpInErrors++
          this.IcmpInCsumErrors++
        }
        return
      case Drop.IcmpTooShort:
      case Drop.IcmpUnmatched:
      case Drop.NdMalformed:
        if (six) this.Icmp6InErrors++
        else this.IcmpInErrors++
        return
      case Drop.IcmpRateLimited:
        if (six) this.Icmp6OutRateLimitHost++
        else this.IcmpOutRateLimitHost++
        return
      case Drop.UdpNoPort:
        if (six) this.Udp6NoPorts++
        else this.UdpNoPorts++
        return
      case Drop.UdpTooShort:
      case Drop.UdpLength:
      case Drop.UdpZeroChecksum:
        if (six) this.Udp6InErrors++
        else this.UdpInErrors++
        return
      case Drop.UdpChecksum:
        if (six) {
          this.Udp6InErrors++
          this.Udp6InCsumErrors++
        } else {
          this.UdpInErrors++
          this.UdpInCsumErrors++
        }
        return
      case Drop.UdpReceiveBuffer:
        if (six) {
          this.Udp6InErrors++
          this.Udp6RcvbufErrors++
        } else {
          this.UdpInErrors++
          this.UdpRcvbufErrors++
        }
        return
      case Drop.IpLoopbackLeaves:
      case Drop.LinkDown:
      case Drop.LinkQueueFull:
      case Drop.LinkMtuExceeded:
      case Drop.LinkRefused:
      case Drop.NeighborUnreachable:
      case Drop.NeighborQueueFull:
      case Drop.NeighborTableFull:
        if (six) this.Ip6OutDiscards++
        else this.IpOutDiscards++
        return
    }
  }
}
