/**
 * What one stack counted: the MIB counters under Linux's names (`/proc/net/snmp`,
 * `/proc/net/snmp6`, `/proc/net/netstat`), and every discarded packet by reason.
 */
import { DROP_LIMIT, Drop, type DropLayer, type DropName, dropCounters, dropLayer, dropName } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'

/** One row of `stack.drops`. */
export type DropCount = { reason: DropName; layer: DropLayer; count: number }

/** Called for each discarded packet; the packet is lent for the call. */
export type DropListener = (reason: DropName, layer: DropLayer, packet: Packet) => void

/**
 * What the layers count of one family, under IPv4's names. Plain fields of one class, so that code
 * of both families counts at one shape. What a drop moves is not here: see {@link Counters.drop}.
 */
export class Mib {
  IpInReceives = 0
  IpForwDatagrams = 0
  IpInDelivers = 0
  IpOutRequests = 0
  IpReasmReqds = 0
  IpReasmOKs = 0
  IpFragOKs = 0
  IpFragCreates = 0
  IcmpInMsgs = 0
  IcmpInDestUnreachs = 0
  /** IPv6 alone: in ICMPv4 it is a Destination Unreachable. */
  IcmpInPktTooBigs = 0
  IcmpInTimeExcds = 0
  IcmpInParmProbs = 0
  IcmpInRedirects = 0
  IcmpInEchos = 0
  IcmpInEchoReps = 0
  /** IPv4 alone. */
  IcmpInTimestamps = 0
  IcmpOutMsgs = 0
  IcmpOutDestUnreachs = 0
  IcmpOutPktTooBigs = 0
  IcmpOutTimeExcds = 0
  IcmpOutParmProbs = 0
  IcmpOutRedirects = 0
  IcmpOutEchos = 0
  IcmpOutEchoReps = 0
  IcmpOutTimestampReps = 0
  /** From here on IPv6 alone: Neighbor Discovery and Multicast Listener Discovery. */
  IcmpInGroupMembQueries = 0
  IcmpInGroupMembResponses = 0
  IcmpInRouterSolicits = 0
  IcmpInRouterAdvertisements = 0
  IcmpInNeighborSolicits = 0
  IcmpInNeighborAdvertisements = 0
  IcmpOutGroupMembResponses = 0
  IcmpOutGroupMembReductions = 0
  IcmpOutRouterSolicits = 0
  IcmpOutRouterAdvertisements = 0
  IcmpOutNeighborSolicits = 0
  IcmpOutNeighborAdvertisements = 0
  IcmpOutMLDv2Reports = 0
  UdpInDatagrams = 0
  UdpOutDatagrams = 0
}

/** Linux's names, in its order. */
const NAMES = [
  'IpInReceives',
  'IpInHdrErrors',
  'IpInAddrErrors',
  'IpForwDatagrams',
  'IpInUnknownProtos',
  'IpInDiscards',
  'IpInDelivers',
  'IpOutRequests',
  'IpOutDiscards',
  'IpOutNoRoutes',
  'IpReasmTimeout',
  'IpReasmReqds',
  'IpReasmOKs',
  'IpReasmFails',
  'IpFragOKs',
  'IpFragFails',
  'IpFragCreates',
  'Ip6InReceives',
  'Ip6InHdrErrors',
  'Ip6InAddrErrors',
  'Ip6OutForwDatagrams',
  'Ip6InUnknownProtos',
  'Ip6InDiscards',
  'Ip6InDelivers',
  'Ip6OutRequests',
  'Ip6OutDiscards',
  'Ip6OutNoRoutes',
  'Ip6ReasmTimeout',
  'Ip6ReasmReqds',
  'Ip6ReasmOKs',
  'Ip6ReasmFails',
  'Ip6FragOKs',
  'Ip6FragFails',
  'Ip6FragCreates',
  'IcmpInMsgs',
  'IcmpInErrors',
  'IcmpInCsumErrors',
  'IcmpInDestUnreachs',
  'IcmpInTimeExcds',
  'IcmpInParmProbs',
  'IcmpInRedirects',
  'IcmpInEchos',
  'IcmpInEchoReps',
  'IcmpInTimestamps',
  'IcmpOutMsgs',
  'IcmpOutDestUnreachs',
  'IcmpOutTimeExcds',
  'IcmpOutParmProbs',
  'IcmpOutRedirects',
  'IcmpOutEchos',
  'IcmpOutEchoReps',
  'IcmpOutTimestampReps',
  'IcmpOutRateLimitHost',
  'Icmp6InMsgs',
  'Icmp6InErrors',
  'Icmp6InCsumErrors',
  'Icmp6InDestUnreachs',
  'Icmp6InPktTooBigs',
  'Icmp6InTimeExcds',
  'Icmp6InParmProblems',
  'Icmp6InEchos',
  'Icmp6InEchoReplies',
  'Icmp6OutMsgs',
  'Icmp6OutDestUnreachs',
  'Icmp6OutPktTooBigs',
  'Icmp6OutTimeExcds',
  'Icmp6OutParmProblems',
  'Icmp6OutEchos',
  'Icmp6OutEchoReplies',
  'Icmp6OutRateLimitHost',
  'Icmp6InGroupMembQueries',
  'Icmp6InGroupMembResponses',
  'Icmp6InRouterSolicits',
  'Icmp6InRouterAdvertisements',
  'Icmp6InNeighborSolicits',
  'Icmp6InNeighborAdvertisements',
  'Icmp6InRedirects',
  'Icmp6OutGroupMembResponses',
  'Icmp6OutGroupMembReductions',
  'Icmp6OutRouterSolicits',
  'Icmp6OutRouterAdvertisements',
  'Icmp6OutNeighborSolicits',
  'Icmp6OutNeighborAdvertisements',
  'Icmp6OutRedirects',
  'Icmp6OutMLDv2Reports',
  'UdpInDatagrams',
  'UdpNoPorts',
  'UdpInErrors',
  'UdpOutDatagrams',
  'UdpRcvbufErrors',
  'UdpSndbufErrors',
  'UdpInCsumErrors',
  'UdpIgnoredMulti',
  'Udp6InDatagrams',
  'Udp6NoPorts',
  'Udp6InErrors',
  'Udp6OutDatagrams',
  'Udp6RcvbufErrors',
  'Udp6SndbufErrors',
  'Udp6InCsumErrors',
] as const

/** A MIB counter's name. */
export type CounterName = (typeof NAMES)[number]

/** Where Linux has another word for IPv6 than for IPv4. */
const WORDS6: Record<string, string> = {
  IpOutForwDatagrams: 'IpForwDatagrams',
  IcmpInParmProblems: 'IcmpInParmProbs',
  IcmpOutParmProblems: 'IcmpOutParmProbs',
  IcmpInEchoReplies: 'IcmpInEchoReps',
  IcmpOutEchoReplies: 'IcmpOutEchoReps',
}

/** What one of Linux's names counts. */
interface Source {
  readonly six: boolean
  /** The field of the family's {@link Mib}; a name that only drops move has none. */
  readonly field: string
  /** The reasons that count under this name. */
  readonly drops: readonly Drop[]
}

function sourceOf(name: CounterName): Source {
  const six = /^[A-Z][a-z]+6/.test(name)
  const bare = name.replace('6', '')
  const field = six ? (WORDS6[bare] ?? bare) : name
  return { six, field, drops: Object.values(Drop).filter((drop) => dropCounters(drop).includes(field)) }
}

const SOURCES = new Map(NAMES.map((name) => [name, sourceOf(name)] as const))

/** Each of Linux's names, read-only. */
export interface Counters extends Readonly<Record<CounterName, number>> {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class defines the names in a loop
export class Counters {
  /** @internal What the layers count; one object a family. */
  readonly four = new Mib()
  /** @internal */
  readonly six = new Mib()
  /** Discarded packets by reason, first of IPv4 and of no family, then of IPv6; `null` for none. */
  #drops: Float64Array | null = null
  #listener: DropListener | null = null

  static {
    for (const name of NAMES)
      Object.defineProperty(Counters.prototype, name, {
        enumerable: true,
        get(this: Counters) {
          return this.read(name)
        },
      })
  }

  /** @internal Names the one listener for discarded packets, or none. */
  onDrop(listener: DropListener | null): void {
    this.#listener = listener
  }

  /**
   * Counts a discarded packet under its reason, and so under the MIB counters that Linux would move
   * ({@link dropCounters}), which are summed up when they are read.
   * @internal
   */
  drop(reason: Drop, packet: Packet): void {
    const slot = packet.family === 6 ? reason + DROP_LIMIT : reason
    this.#drops ??= new Float64Array(2 * DROP_LIMIT)
    this.#drops[slot] = (this.#drops[slot] as number) + 1
    if (this.#listener !== null) this.#listener(dropName(reason), dropLayer(reason), packet)
  }

  /** @internal What the layers count of the family of a packet. */
  of(family: number): Mib {
    return family === 6 ? this.six : this.four
  }

  /** How often one reason was counted. */
  dropCount(reason: Drop): number {
    return this.#dropsAt(reason) + this.#dropsAt(reason + DROP_LIMIT)
  }

  /** All reasons that were counted at least once, in the order of their codes. */
  get drops(): DropCount[] {
    const rows: DropCount[] = []
    for (let code = 1; code < DROP_LIMIT; code++) {
      const drop = code as Drop
      const count = this.dropCount(drop)
      if (count > 0) rows.push({ reason: dropName(drop), layer: dropLayer(drop), count })
    }
    return rows
  }

  /** One MIB counter. */
  read(name: CounterName): number {
    const { six, field, drops } = SOURCES.get(name) as Source
    let value = ((six ? this.six : this.four) as unknown as Record<string, number | undefined>)[field] ?? 0
    for (const drop of drops) value += this.#dropsAt(six ? drop + DROP_LIMIT : drop)
    return value
  }

  #dropsAt(slot: number): number {
    return this.#drops?.[slot] ?? 0
  }

  /** The MIB counters that are not zero, under their names. */
  nonZero(): Record<string, number> {
    return Object.fromEntries(NAMES.map((name) => [name, this.read(name)] as const).filter(([, value]) => value !== 0))
  }

  /** All MIB counters, under their names. */
  toJSON(): Record<CounterName, number> {
    return Object.fromEntries(NAMES.map((name) => [name, this.read(name)])) as Record<CounterName, number>
  }
}
