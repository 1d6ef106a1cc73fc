/**
 * Multicast Listener Discovery of one nic: which of its IPv6 groups routers and switches hear
 * about. Scope and destinations: RFC 9777 section 5.
 */
import { Address } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { HEADROOM, Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import * as mld from '../../wire/mld.ts'
import { HOP_BY_HOP, ICMPV6 } from '../../wire/protocol.ts'
import type { Counters } from '../counters.ts'
import { GroupManager } from './group-manager.ts'
import type { GroupQuery, GroupRecord, GroupReporter } from './group-messages.ts'
import type { GroupHost, GroupNic } from './group-nic.ts'
import type { GroupFilter } from './memberships.ts'
import { splitRecords } from './record-splitter.ts'

const ALL_NODES = Address.parse('ff02::1')
const ALL_ROUTERS = Address.parse('ff02::2')
const V2_ROUTERS = Address.parse('ff02::16')
/**
 * Hop-by-hop header with a Router Alert option (RFC 2711): ICMPv6 next, length 0, type 5, 2 bytes,
 * value 0 (MLD), PadN.
 */
const ROUTER_ALERT_0 = (ICMPV6 << 24) | 0x0502
const ROUTER_ALERT_1 = 0x00000100
const HOP_BY_HOP_HEADER = 8
const HEADERS = ipv6.HEADER + HOP_BY_HOP_HEADER
/** RFC 9777 section 5.2.15: reports fit into IPv6's smallest MTU. */
const MAX_PACKET = 1280

export class MldLayer implements GroupReporter {
  readonly manager: GroupManager
  readonly #nic: GroupNic
  readonly #counters: Counters

  constructor(nic: GroupNic, { counters, hash }: GroupHost, clock: Clock, random: Random) {
    this.#nic = nic
    this.#counters = counters
    this.manager = new GroupManager(this, clock, random, hash)
  }

  /** All-nodes and groups that do not leave the host are never reported (RFC 9777 section 6). */
  changed(group: Address, filter: GroupFilter): void {
    const scope = (group.w0 >>> 16) & 15
    if (scope > 1 && !group.equals(ALL_NODES)) this.manager.changed(group, filter)
  }

  /**
   * An ICMPv6 message of type 130, 131, 132 or 143 at `packet.transport`, its checksum verified.
   */
  input(packet: Packet): Drop {
    const drop = mld.parse(packet)
    if (drop !== Drop.None) return drop
    const { view, transport } = packet
    const counters = this.#counters
    switch (icmpv6.type(view, transport)) {
      case mld.QUERY:
        counters.six.IcmpInGroupMembQueries++
        if (!this.#allowsQuery(packet)) return Drop.GroupReportMalformed
        this.manager.query(readQuery(packet))
        return Drop.None
      case mld.REPORT_V1:
        counters.six.IcmpInGroupMembResponses++
        // It is sent to the group that it reports (RFC 2710 section 3.7).
        if (!groupOf(packet).is(packet.d0, packet.d1, packet.d2, packet.d3)) return Drop.GroupReportMalformed
        this.manager.heardReport(groupOf(packet))
        return Drop.None
      default:
        // Done and version 2 reports are for routers.
        return Drop.None
    }
  }

  /**
   * RFC 9777 sections 5.1.15 and 10: a query about all groups goes to all nodes and has no sources,
   * one about a group to that group; both may go to this host alone, and one about a group to all
   * nodes.
   */
  #allowsQuery(packet: Packet): boolean {
    const { view, transport, end, d0, d1, d2, d3 } = packet
    const group = groupOf(packet)
    if (!group.isUnspecified && !group.isMulticast) return false
    if (group.isUnspecified && mld.queryVersion(end, transport) === 2 && mld.sourceCount(view, transport) > 0)
      return false
    return ALL_NODES.is(d0, d1, d2, d3) || group.is(d0, d1, d2, d3) || this.#nic.hasWords(d0, d1, d2, d3)
  }

  report(records: readonly GroupRecord[]): void {
    const room = Math.min(this.#nic.mtuOf(6), MAX_PACKET) - HEADERS - mld.REPORT_HEADER
    for (const part of splitRecords(records, room, mld.RECORD_HEADER, 16)) {
      const packet = message(mld.REPORT_HEADER + room)
      const { view } = packet
      let end = HEADROOM + mld.REPORT_HEADER
      for (const { type, group, sources } of part) end = mld.encodeRecord(view, end, type, group, sources)
      view.setUint32(HEADROOM + 4, part.length)
      this.#counters.six.IcmpOutMLDv2Reports++
      this.#send(packet, mld.REPORT_V2, end, V2_ROUTERS)
    }
  }

  oldReport(group: Address): void {
    const packet = message(mld.HEADER)
    const end = mld.encode(packet.view, HEADROOM, group)
    this.#counters.six.IcmpOutGroupMembResponses++
    this.#send(packet, mld.REPORT_V1, end, group)
  }

  leave(group: Address): void {
    const packet = message(mld.HEADER)
    const end = mld.encode(packet.view, HEADROOM, group)
    this.#counters.six.IcmpOutGroupMembReductions++
    this.#send(packet, mld.DONE, end, ALL_ROUTERS)
  }

  /** From the link-local address, or from none while there is none (RFC 3590). */
  #send(packet: Packet, type: number, end: number, to: Address): void {
    const { view } = packet
    packet.reset(HEADROOM - HEADERS, end)
    packet.family = 6
    packet.protocol = ICMPV6
    packet.tos = 0
    packet.flowLabel = 0
    packet.hopLimit = 1
    const source =
      this.#nic.addresses.find(({ address }) => address.family === 6 && address.isLinkLocal)?.address ?? Address.ANY6
    packet.setAddresses(source, to)
    const at = packet.start
    ipv6.encode(packet, at, HOP_BY_HOP)
    view.setInt32(at + ipv6.HEADER, ROUTER_ALERT_0)
    view.setInt32(at + ipv6.HEADER + 4, ROUTER_ALERT_1)
    icmpv6.encode(packet, at, HEADROOM, end, type, 0, view.getInt32(HEADROOM + 4))
    const counters = this.#counters
    counters.six.IpOutRequests++
    counters.six.IcmpOutMsgs++
    packet.setHopToDestination()
    const drop = this.#nic.output(packet)
    if (drop !== Drop.None) counters.drop(drop, packet)
  }
}

/** Made for each: reports are rare, and nics are many. */
function message(length: number): Packet {
  return new Packet(HEADROOM + length)
}

function groupOf({ view, transport }: Packet): Address {
  return new Address(
    mld.group(view, transport, 0),
    mld.group(view, transport, 1),
    mld.group(view, transport, 2),
    mld.group(view, transport, 3),
  )
}

function readQuery(packet: Packet): GroupQuery {
  const { view, transport, end } = packet
  const version = mld.queryVersion(end, transport)
  const group = groupOf(packet)
  const known = version === 2
  const count = known ? mld.sourceCount(view, transport) : 0
  return {
    version: known ? 3 : 2,
    group: group.isUnspecified ? null : group,
    sourceCount: count,
    forEachSource: (visit) => {
      for (let index = 0; index < count; index++) {
        const at = mld.sourceAt(transport, index)
        if (!visit(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12))) return
      }
    },
    maxResponse: mld.maxResponse(view, transport, version),
    robustness: known ? mld.robustness(view, transport) : 0,
    queryInterval: known ? mld.queryInterval(view, transport) : 0,
  }
}
