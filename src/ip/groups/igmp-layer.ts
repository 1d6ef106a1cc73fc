/**
 * IGMP of one nic: which of its IPv4 groups routers and switches hear about. Scope and
 * destinations: RFC 9776 section 4; TOS and DF as Linux sends.
 */
import { Address, MAPPED } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { HEADROOM, Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import * as igmp from '../../wire/igmp.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import { IGMP } from '../../wire/protocol.ts'
import type { Counters } from '../counters.ts'
import { GroupManager } from './group-manager.ts'
import type { GroupQuery, GroupRecord, GroupReporter } from './group-messages.ts'
import type { GroupHost, GroupNic } from './group-nic.ts'
import type { GroupFilter } from './memberships.ts'
import { splitRecords } from './record-splitter.ts'

const ALL_HOSTS = 0xe0000001 | 0
const ALL_ROUTERS = 0xe0000002 | 0
const V3_ROUTERS = 0xe0000016 | 0
/** The header with its Router Alert option (RFC 2113): type 148, length 4, value 0. */
const IP_HEADER = 24
const ROUTER_ALERT = 0x94040000 | 0
/** Internetwork control (RFC 9776 section 4). */
const TOS = 0xc0

export class IgmpLayer implements GroupReporter {
  readonly manager: GroupManager
  readonly #nic: GroupNic
  readonly #counters: Counters

  constructor(nic: GroupNic, { counters, hash }: GroupHost, clock: Clock, random: Random) {
    this.#nic = nic
    this.#counters = counters
    this.manager = new GroupManager(this, clock, random, hash)
  }

  /** All-hosts is joined without a word (RFC 9776 section 5). */
  changed(group: Address, filter: GroupFilter): void {
    if (group.w3 !== ALL_HOSTS) this.manager.changed(group, filter)
  }

  /**
   * The IGMP message at `packet.transport`. Messages live on their link: they have TTL 1 (RFC 9776
   * section 4).
   */
  input(packet: Packet): Drop {
    const drop = igmp.parse(packet)
    if (drop !== Drop.None) return drop
    const { view, transport } = packet
    switch (igmp.type(view, transport)) {
      case igmp.QUERY:
        if (packet.hopLimit !== 1 || !this.#allowsQuery(packet)) return Drop.GroupReportMalformed
        this.manager.query(readQuery(packet))
        return Drop.None
      case igmp.REPORT_V1:
      case igmp.REPORT_V2:
        // It is sent to the group that it reports (RFC 2236 section 9): one to this host alone
        // keeps no router informed.
        if (packet.hopLimit !== 1 || packet.d3 !== igmp.group(view, transport)) return Drop.GroupReportMalformed
        this.manager.heardReport(Address.fromIPv4(igmp.group(view, transport)))
        return Drop.None
      default:
        // RFC 2236 section 2.1: unknown types are silently ignored; the others are for routers.
        return Drop.None
    }
  }

  /**
   * RFC 9776 sections 4.1.12 and 9.1: a query about all groups goes to all hosts and has no
   * sources, one about a group to that group; both may go to this host alone, and one about a group
   * to all hosts.
   */
  #allowsQuery({ view, transport, end, d3 }: Packet): boolean {
    const group = igmp.group(view, transport)
    if (group !== 0 && group >>> 28 !== 0xe) return false
    if (group === 0 && igmp.queryVersion(view, transport, end) === 3 && igmp.sourceCount(view, transport) > 0)
      return false
    return d3 === ALL_HOSTS || (group !== 0 && d3 === group) || this.#nic.hasWords(0, 0, MAPPED, d3)
  }

  report(records: readonly GroupRecord[]): void {
    // Linux: what fits into the nic's MTU, at most 1500 here.
    const room = Math.min(this.#nic.mtuOf(4), 1500) - IP_HEADER - igmp.HEADER
    for (const part of splitRecords(records, room, igmp.RECORD_HEADER, 4)) {
      const packet = message(igmp.HEADER + room)
      const { view } = packet
      let end = HEADROOM + igmp.HEADER
      for (const { type, group, sources } of part) end = igmp.encodeRecord(view, end, type, group, sources)
      igmp.encodeReport(view, HEADROOM, end, part.length)
      this.#send(packet, end, V3_ROUTERS)
    }
  }

  oldReport(group: Address, version: 1 | 2): void {
    const packet = message(igmp.HEADER)
    igmp.encode(packet.view, HEADROOM, version === 1 ? igmp.REPORT_V1 : igmp.REPORT_V2, group)
    this.#send(packet, HEADROOM + igmp.HEADER, group.w3)
  }

  leave(group: Address): void {
    const packet = message(igmp.HEADER)
    igmp.encode(packet.view, HEADROOM, igmp.LEAVE, group)
    this.#send(packet, HEADROOM + igmp.HEADER, ALL_ROUTERS)
  }

  #send(packet: Packet, end: number, destination: number): void {
    packet.reset(HEADROOM - IP_HEADER, end)
    packet.family = 4
    packet.protocol = IGMP
    packet.tos = TOS
    packet.hopLimit = 1
    packet.identification = 0
    packet.dontFragment = 1
    packet.moreFragments = 0
    packet.fragmentOffset = 0
    const source = this.#nic.addresses.find(({ address }) => address.family === 4)?.address ?? Address.ANY4
    packet.s0 = packet.s1 = packet.d0 = packet.d1 = 0
    packet.s2 = packet.d2 = MAPPED
    packet.s3 = source.w3
    packet.d3 = destination
    packet.view.setInt32(packet.start + ipv4.HEADER, ROUTER_ALERT)
    ipv4.encode(packet, packet.start, IP_HEADER)
    this.#counters.four.IpOutRequests++
    packet.setHopToDestination()
    const drop = this.#nic.output(packet)
    if (drop !== Drop.None) this.#counters.drop(drop, packet)
  }
}

/** Made for each: reports are rare, and nics are many. */
function message(length: number): Packet {
  return new Packet(HEADROOM + length)
}

function readQuery({ view, transport, end }: Packet): GroupQuery {
  const version = igmp.queryVersion(view, transport, end)
  const group = igmp.group(view, transport)
  const known = version === 3
  const count = known ? igmp.sourceCount(view, transport) : 0
  return {
    version,
    group: group === 0 ? null : Address.fromIPv4(group),
    sourceCount: count,
    forEachSource: (visit) => {
      for (let index = 0; index < count; index++) if (!visit(0, 0, MAPPED, igmp.source(view, transport, index))) return
    },
    maxResponse: igmp.maxResponse(view, transport, version),
    robustness: known ? igmp.robustness(view, transport) : 0,
    queryInterval: known ? igmp.queryInterval(view, transport) : 0,
  }
}
