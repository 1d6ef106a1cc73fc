/**
 * The multicast groups of one endpoint and the sources that it wants of them: RFC 3678, with
 * Linux's limits and error codes (ip_mc_join_group, ip_mc_source, ip_mc_sf_allow).
 */
import type { Address } from '../base/address.ts'
import type { Packet } from '../base/packet.ts'
import type { Subscriber } from '../ip/groups/memberships.ts'
import type { Errno } from './errno.ts'

/** Linux: IP_MAX_MEMBERSHIPS (net.ipv4.igmp_max_memberships). */
const MAX_MEMBERSHIPS = 20
/** Linux: net.ipv4.igmp_max_msf and net.ipv6.mld_max_msf. */
const MAX_SOURCES4 = 10
const MAX_SOURCES6 = 64

/** What a nic does with a membership. */
export interface GroupNic {
  readonly index: number
  readonly memberships: { changed(membership: Subscriber): void }
  join(membership: Subscriber): void
  leave(membership: Subscriber): void
}

/** What the groups ask of their host. */
export interface GroupHost {
  nicByIndex(index: number): GroupNic | undefined
  /** The route to a group; `nic` 0 for any nic. */
  route(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    nic: number,
  ): { readonly nic: { readonly index: number } } | null
}

/**
 * A joined group on one nic, with the sources it wants (INCLUDE) or does not want (EXCLUDE; any
 * source has an empty list).
 */
interface Membership extends Subscriber {
  readonly nic: number
  sources: Address[]
}

export class EndpointGroups {
  readonly #host: GroupHost
  readonly #family: 4 | 6
  #memberships: Membership[] = []

  /** @internal */
  constructor(host: GroupHost, family: 4 | 6) {
    this.#host = host
    this.#family = family
  }

  /**
   * IP_ADD_MEMBERSHIP and MCAST_JOIN_GROUP; `nic` 0 lets the route to the group decide. @returns
   * EINVAL, ENODEV, EADDRINUSE, ENOBUFS
   */
  join(group: Address, nic: number): Errno {
    const over = this.#nicFor(group, nic)
    if (typeof over === 'string') return over
    if (this.#find(group, over.index) !== undefined) return 'EADDRINUSE'
    return this.#add({ group, nic: over.index, exclude: true, sources: [] }, over)
  }

  /** @returns EADDRNOTAVAIL when not joined, EINVAL, ENODEV */
  leave(group: Address, nic: number): Errno {
    if (!group.isMulticast) return 'EINVAL'
    const found = this.#findOver(group, nic)
    if (found === undefined) return nic !== 0 && this.#host.nicByIndex(nic) === undefined ? 'ENODEV' : 'EADDRNOTAVAIL'
    this.#remove(found)
    return ''
  }

  /** @internal */
  leaveAll(): void {
    for (const each of this.#memberships) this.#remove(each)
  }

  /** MCAST_JOIN_SOURCE_GROUP. @returns EINVAL, ENODEV, EADDRNOTAVAIL, ENOBUFS */
  joinSource(group: Address, source: Address, nic: number): Errno {
    const over = this.#nicFor(group, nic)
    if (typeof over === 'string') return over
    if (source.family !== group.family) return 'EINVAL'
    const found = this.#find(group, over.index)
    if (found === undefined) return this.#add({ group, nic: over.index, exclude: false, sources: [source] }, over)
    // RFC 3678 section 4.1.3: INCLUDE and EXCLUDE do not mix.
    if (found.exclude) return 'EINVAL'
    return this.#addSource(found, source)
  }

  /** MCAST_LEAVE_SOURCE_GROUP. @returns EADDRNOTAVAIL, EINVAL, ENODEV */
  leaveSource(group: Address, source: Address, nic: number): Errno {
    if (!group.isMulticast) return 'EINVAL'
    const found = this.#findOver(group, nic)
    if (found === undefined || found.exclude) return 'EINVAL'
    // INCLUDE of nothing is no membership.
    const [only, ...others] = found.sources
    if (others.length > 0 || only?.equals(source) !== true) return this.#removeSource(found, source)
    this.#remove(found)
    return ''
  }

  /**
   * MCAST_BLOCK_SOURCE: a group that was joined for any source, but not for this one. @returns
   * EINVAL, EADDRNOTAVAIL, ENOBUFS
   */
  blockSource(group: Address, source: Address, nic: number): Errno {
    const found = this.#joinedForAny(group, source, nic)
    return found === undefined ? 'EINVAL' : this.#addSource(found, source)
  }

  /** MCAST_UNBLOCK_SOURCE. @returns EINVAL, EADDRNOTAVAIL */
  unblockSource(group: Address, source: Address, nic: number): Errno {
    const found = this.#joinedForAny(group, source, nic)
    return found === undefined ? 'EINVAL' : this.#removeSource(found, source)
  }

  /**
   * Whether the endpoint wants a group's datagram from its source (Linux: ip_mc_sf_allow with
   * IP_MULTICAST_ALL, its default: a socket without a membership of its own hears every group of
   * the nic).
   * @internal
   */
  allows(packet: Packet, nic: number): boolean {
    for (const { group, nic: index, exclude, sources } of this.#memberships) {
      if (index !== nic || !group.is(packet.d0, packet.d1, packet.d2, packet.d3)) continue
      for (const source of sources) if (source.is(packet.s0, packet.s1, packet.s2, packet.s3)) return !exclude
      return exclude
    }
    // Linux: a udp6 socket has IPV6_MULTICAST_ALL, but no IP_MULTICAST_ALL.
    return this.#family === packet.family
  }

  #nicFor(group: Address, index: number): GroupNic | Errno {
    if (!group.isMulticast || (group.family === 6 && this.#family === 4)) return 'EINVAL'
    const over = index === 0 ? this.#host.route(group.w0, group.w1, group.w2, group.w3, 0)?.nic.index : index
    return (over === undefined ? undefined : this.#host.nicByIndex(over)) ?? 'ENODEV'
  }

  #find(group: Address, nic: number): Membership | undefined {
    return this.#memberships.find((each) => each.nic === nic && each.group.equals(group))
  }

  /** `nic` 0 takes the first nic on which the group was joined. */
  #findOver(group: Address, nic: number): Membership | undefined {
    return this.#memberships.find((each) => each.group.equals(group) && (nic === 0 || each.nic === nic))
  }

  #joinedForAny(group: Address, source: Address, nic: number): Membership | undefined {
    if (source.family !== group.family) return undefined
    return this.#memberships.find((each) => each.exclude && each.group.equals(group) && (nic === 0 || each.nic === nic))
  }

  #add(membership: Membership, nic: GroupNic): Errno {
    if (this.#family === 4 && this.#memberships.length >= MAX_MEMBERSHIPS) return 'ENOBUFS'
    this.#memberships.push(membership)
    nic.join(membership)
    return ''
  }

  #remove(membership: Membership): void {
    this.#memberships = this.#memberships.filter((each) => each !== membership)
    this.#host.nicByIndex(membership.nic)?.leave(membership)
  }

  #addSource(membership: Membership, source: Address): Errno {
    const { group, sources } = membership
    if (sources.some((each) => each.equals(source))) return 'EADDRNOTAVAIL'
    if (sources.length >= (group.family === 4 ? MAX_SOURCES4 : MAX_SOURCES6)) return 'ENOBUFS'
    this.#setSources(membership, [...sources, source])
    return ''
  }

  #removeSource(membership: Membership, source: Address): Errno {
    const rest = membership.sources.filter((each) => !each.equals(source))
    if (rest.length === membership.sources.length) return 'EADDRNOTAVAIL'
    this.#setSources(membership, rest)
    return ''
  }

  #setSources(membership: Membership, sources: Address[]): void {
    membership.sources = sources
    this.#host.nicByIndex(membership.nic)?.memberships.changed(membership)
  }
}
