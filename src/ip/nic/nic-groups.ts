/**
 * The groups of one nic: those that sockets joined, those that every host is in, and the reports
 * about both to switches and routers.
 */
import { type Address, isMulticast } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import { branch, type Random } from '../../base/random.ts'
import * as ethernet from '../../wire/ethernet.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6-header.ts'
import { ALL_ROUTERS, SOLICITED_NODE_0, SOLICITED_NODE_2 } from '../../wire/ndp.ts'
import { IGMP } from '../../wire/protocol.ts'
import type { GroupHost, GroupNic } from '../groups/group-nic.ts'
import { IgmpLayer } from '../groups/igmp-layer.ts'
import { type GroupFilter, Memberships } from '../groups/memberships.ts'
import { MldLayer } from '../groups/mld-layer.ts'
import { OwnGroups, SITE_ROUTERS } from '../groups/own-groups.ts'

/** The nic that has the groups. */
export interface GroupedNic extends GroupNic {
  readonly isLoopback: boolean
  readonly isRouter: boolean
  /** Whether some address of the nic has the solicited-node group with this last word. */
  hasSolicitedNode(w3: number): boolean
}

export class NicGroups {
  readonly memberships: Memberships
  readonly #nic: GroupedNic
  /** Made with the first: a nic without neighbors has none. */
  #own: OwnGroups | null = null
  readonly #host: GroupHost
  readonly #clock: Clock
  readonly #random: Random
  /** Made with the first group or message: most nics have neither. */
  #igmpLayer: IgmpLayer | null = null
  #mldLayer: MldLayer | null = null
  #closed = false

  constructor(nic: GroupedNic, host: GroupHost, clock: Clock, random: Random) {
    this.#nic = nic
    this.#host = host
    this.#clock = clock
    this.#random = random
    this.memberships = new Memberships((group, filter) => this.#changed(group, filter), host.hash)
  }

  get #igmp(): IgmpLayer {
    if (this.#igmpLayer === null) {
      this.#igmpLayer = new IgmpLayer(this.#nic, this.#host, this.#clock, branch(this.#random, 'igmp'))
      if (this.#closed) this.#igmpLayer.manager.close()
    }
    return this.#igmpLayer
  }

  get #mld(): MldLayer {
    if (this.#mldLayer === null) {
      this.#mldLayer = new MldLayer(this.#nic, this.#host, this.#clock, branch(this.#random, 'mld'))
      if (this.#closed) this.#mldLayer.manager.close()
    }
    return this.#mldLayer
  }

  close(): void {
    this.#closed = true
    this.#igmpLayer?.manager.close()
    this.#mldLayer?.manager.close()
  }

  #changed(group: Address, filter: GroupFilter): void {
    if (this.#nic.isLoopback) return
    if (group.family === 4) this.#igmp.changed(group, filter)
    else this.#mld.changed(group, filter)
  }

  /** An IGMP message at `packet.transport`. */
  igmp(packet: Packet): Drop {
    return this.#igmp.input(packet)
  }

  /** A message of Multicast Listener Discovery at `packet.transport`. */
  mld(packet: Packet): Drop {
    return this.#mld.input(packet)
  }

  /** Reports all IPv6 groups again: those sent from no address not all switches heed (RFC 3590). */
  announceAll(): void {
    this.#mldLayer?.manager.announceAll()
  }

  /**
   * Whether a packet to this group can be for this host: a joined group, or one that every host is
   * in (RFC 1112, RFC 4291 section 2.7.1).
   */
  isMember(w0: number, w1: number, w2: number, w3: number): boolean {
    return isMulticast(w0, w1, w2, w3) && (this.memberships.has(w0, w1, w2, w3) || this.#isImplicit(w0, w1, w2, w3))
  }

  /**
   * Whether a multicast packet is for this host, from its source. Like Linux: IGMP always is, and
   * IPv6 leaves sources to the sockets, so that queriers are heard by those who listen to others
   * (ip_check_mc_rcu, ipv6_chk_mcast_addr).
   */
  admit(packet: Packet): Drop {
    const { d0, d1, d2, d3 } = packet
    if (packet.family === 6) return this.isMember(d0, d1, d2, d3) ? Drop.None : Drop.IpNotMember
    if (packet.protocol === IGMP) return Drop.None
    const allowed = this.memberships.allows(d0, d1, d2, d3, packet.s0, packet.s1, packet.s2, packet.s3)
    if (allowed === true || this.#isImplicit(d0, d1, d2, d3)) return Drop.None
    return allowed === null ? Drop.IpNotMember : Drop.IpSourceFilter
  }

  /**
   * Whether {@link admit} could take what an Ethernet frame carries, whoever it is from: IGMP, or
   * what is to a group of the nic.
   */
  hears({ view, start, end }: Packet): boolean {
    const at = start + ethernet.HEADER
    const type = ethernet.type(view, start)
    if (type === ethernet.IPV4 && end >= at + ipv4.HEADER) {
      const destination = view.getInt32(at + ipv4.DESTINATION)
      return view.getUint8(at + ipv4.PROTOCOL) === IGMP || this.isMember(0, 0, 0xffff, destination)
    }
    if (type !== ethernet.IPV6 || end < at + ipv6.HEADER) return true
    const destination = at + ipv6.DESTINATION
    return this.isMember(
      view.getInt32(destination),
      view.getInt32(destination + 4),
      view.getInt32(destination + 8),
      view.getInt32(destination + 12),
    )
  }

  /**
   * 224.0.0.1, ff01::1, ff02::1, for routers ff02::2 and ff05::2, and the solicited-node groups of
   * the nic's addresses, anycast ones too.
   */
  #isImplicit(w0: number, w1: number, w2: number, w3: number): boolean {
    if (w2 === 0xffff && w0 === 0 && w1 === 0) return w3 === (0xe0000001 | 0)
    if (w1 !== 0) return false
    if (w2 === 0 && w3 === 1) return w0 === (0xff020000 | 0) || w0 === (0xff010000 | 0)
    if (w2 === 0 && w3 === 2) return (w0 === ALL_ROUTERS.w0 || w0 === SITE_ROUTERS.w0) && this.#nic.isRouter
    return w0 === SOLICITED_NODE_0 && w2 === SOLICITED_NODE_2 && this.#nic.hasSolicitedNode(w3)
  }

  /**
   * Lets switches hear of the solicited-node group of an own address, and of a router's groups.
   */
  joinSolicitedNode(address: Address): void {
    this.#own ??= new OwnGroups(this.memberships)
    this.#own.joinSolicitedNode(address)
    this.#own.isRouter = this.#nic.isRouter
  }

  /** `isLast`: the nic has no IPv6 address any more. */
  leaveSolicitedNode(address: Address, isLast: boolean): void {
    this.#own?.leaveSolicitedNode(address)
    if (isLast && this.#own !== null) this.#own.isRouter = false
  }

  /** Whether the nic is in the groups of routers. */
  set isRouter(isRouter: boolean) {
    if (isRouter) this.#own ??= new OwnGroups(this.memberships)
    if (this.#own !== null) this.#own.isRouter = isRouter
  }
}
