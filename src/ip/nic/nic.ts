/**
 * A link with addresses: strips and adds the link header, knows its prefixes and groups.
 *
 * On a link of medium 'ip' a frame is a packet, and there is no neighbor to find; Ethernet has a
 * layer of its own below the nic.
 */
import { Address, isMulticast, parseCidr } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import type { Link, LinkReceiver } from '../../link/link.ts'
import { addressHigh, addressLow, formatHardwareAddress, parseHardwareAddress } from '../../wire/hardware-address.ts'
import { ALL_ROUTERS, SOLICITED_NODE_0, SOLICITED_NODE_2, solicitedNode3 } from '../../wire/ndp.ts'
import { IGMP } from '../../wire/protocol.ts'
import { IgmpLayer } from '../groups/igmp-layer.ts'
import { type GroupFilter, Memberships, type Subscriber } from '../groups/memberships.ts'
import { MldLayer } from '../groups/mld-layer.ts'
import { OwnGroups, SITE_ROUTERS } from '../groups/own-groups.ts'
import { checkLeaving } from '../host-only.ts'
import type { IpLayer } from '../ip-layer.ts'
import type { AdvertiseOptions } from '../nd/advertise-options.ts'
import { type AddressGeneration, InterfaceIdentifiers } from '../nd/interface-identifier.ts'
import { MIN_PMTU6 } from '../routing/path-mtu.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import { EthernetLayer } from './ethernet-layer.ts'
import type { Neighbor, NeighborState } from './neighbor.ts'
import type { NeighborTable } from './neighbor-table.ts'
import type { NicAddress } from './nic-address.ts'

export type { NicAddress }

/**
 * What became of an address: in use, found in use by another station before or after that, or taken
 * away.
 */
export interface AddressEvent {
  readonly kind: 'assigned' | 'duplicate' | 'conflict' | 'removed'
  readonly address: Address
  /** The other station's, of a duplicate or a conflict. */
  readonly hardwareAddress: string | null
}

/** A row of `stack.neighbors`, as `ip neigh` prints it. */
export interface NeighborRow {
  readonly nic: string
  readonly address: string
  /** `null` while it is not known. */
  readonly hardwareAddress: string | null
  readonly state: NeighborState
  readonly router: boolean
}

/** How a nic behaves on Ethernet; on another medium nothing of it applies. */
export interface NicSettings {
  /**
   * Duplicate address detection for IPv6 (RFC 4862 section 5.4): an address is used only some 1 to
   * 2 s after it was added.
   */
  readonly dad: boolean
  /** The same for IPv4 (RFC 5227), which takes 4 to 7 s. */
  readonly conflictDetection: boolean
  /** A link-local IPv6 address made of the hardware address, if none is given. */
  readonly linkLocal: boolean
  /**
   * Default routes, prefixes and addresses from router advertisements. A stack that forwards never
   * takes them.
   */
  readonly acceptRouterAdvertisements: boolean
  /** How interface identifiers are made. */
  readonly addressGeneration: AddressGeneration
  /** The secret of stable-privacy; `null`: one is drawn. */
  readonly stableSecret: Uint8Array | null
  /** Temporary addresses beside those from routers' prefixes. */
  readonly temporaryAddresses: boolean
}

export class Nic implements LinkReceiver, RouteNic {
  /** Unique in the stack, from 1 (the loopback); the zone of IPv6 scoped addresses. */
  readonly index: number
  readonly name: string
  readonly link: Link
  readonly memberships: Memberships
  isUp = true
  /** The hop limit that routers advertise for this link, or 0: then the stack's. */
  hopLimit6 = 0
  /** The MTU that they advertise, or 0. */
  #advertisedMtu = 0
  readonly acceptsRouterAdvertisements: boolean
  readonly makesTemporaryAddresses: boolean
  /** `null` on a link without hardware addresses. */
  readonly identifiers: InterfaceIdentifiers | null
  /** How often the link-local address was made anew because another station had it. */
  #linkLocalAttempts = 0
  /** See {@link Link.numbered}. */
  readonly numbered: boolean
  readonly #ip: IpLayer
  readonly #settings: NicSettings
  readonly #ethernet: EthernetLayer | null
  readonly #igmp: IgmpLayer
  readonly #mld: MldLayer
  #addresses: readonly NicAddress[] = []
  /** A router's subnet-router anycast addresses, one for each address that brings one. */
  #anycast: readonly Address[] = []
  /** Addresses that are being checked for duplicates: not ours yet. */
  #tentative: readonly NicAddress[] = []
  /** Who waits for a check to end. */
  #waiting: (() => void)[] = []
  readonly #ownGroups: OwnGroups
  #mtu: number
  /** What the nic was given below the link's MTU, or `Infinity`. */
  #mtuLimit = Number.POSITIVE_INFINITY
  /** What reached and left this nic, as `ip -s link` counts. */
  rxPackets = 0
  rxBytes = 0
  txPackets = 0
  txBytes = 0
  txDropped = 0
  /** Called when the link fails; the stack names the listener. */
  onFailure: ((error: Error, fatal: boolean) => void) | null = null

  /** Told what becomes of addresses; the stack's user names the listener. */
  onAddress: ((event: AddressEvent) => void) | null = null

  constructor(
    ip: IpLayer,
    index: number,
    name: string,
    link: Link,
    mtu: number,
    settings: NicSettings,
    clock: Clock,
    random: Random,
  ) {
    this.#ip = ip
    this.memberships = new Memberships((group, filter) => this.#groupChanged(group, filter), ip.hash)
    this.#ownGroups = new OwnGroups(this.memberships)
    this.index = index
    this.name = name
    this.link = link
    this.#mtu = mtu
    this.isUp = link.isUp !== false
    this.numbered = link.numbered === true
    this.#settings = settings
    this.#igmp = new IgmpLayer(this, ip, clock, random)
    this.#mld = new MldLayer(this, ip, clock, random)
    const { hardwareAddress } = link
    const { addressGeneration, stableSecret } = settings
    this.identifiers =
      hardwareAddress === null
        ? null
        : new InterfaceIdentifiers(
            addressGeneration,
            addressHigh(hardwareAddress),
            addressLow(hardwareAddress),
            random,
            stableSecret,
          )
    this.makesTemporaryAddresses = settings.temporaryAddresses
    this.#ethernet =
      link.medium === 'ip' || hardwareAddress === null
        ? null
        : new EthernetLayer(this, hardwareAddress, ip, clock, random)
    this.acceptsRouterAdvertisements = this.#ethernet !== null && settings.acceptRouterAdvertisements
  }

  #groupChanged(group: Address, filter: GroupFilter): void {
    if (this.isLoopback) return
    if (group.family === 4) this.#igmp.changed(group, filter)
    else this.#mld.changed(group, filter)
  }

  /** Begins work, once the addresses that were given are there. */
  start(): void {
    const ethernet = this.#ethernet
    if (ethernet === null || !this.#settings.linkLocal || !this.#carriesIpv6) return
    if ([...this.#addresses, ...this.#tentative].some(({ address }) => address.family === 6 && address.isLinkLocal))
      return
    this.addAddress(`${this.interfaceAddress(LINK_LOCAL, this.#linkLocalAttempts)}/64`)
  }

  /** Forgets all timers, neighbors and what routers advertised; a router says goodbye. */
  close(): void {
    this.#ethernet?.close()
    this.#tentative = []
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#igmp.manager.close()
    this.#mld.manager.close()
  }

  get isLoopback(): boolean {
    return this.link.loopback
  }

  /**
   * The largest packet that leaves whole, in bytes: the link's, which it follows, unless set lower.
   */
  get mtu(): number {
    return this.#mtu
  }

  /**
   * The same for a family: routers may advertise less for IPv6, on all of the link (RFC 4861
   * section 6.3.4).
   */
  mtuOf(family: number): number {
    return family === 6 && this.#advertisedMtu !== 0 ? Math.min(this.#mtu, this.#advertisedMtu) : this.#mtu
  }

  set advertisedMtu(mtu: number) {
    if (mtu === this.#advertisedMtu) return
    this.#advertisedMtu = mtu
    this.#ip.routes.generation++
  }

  /**
   * Below 1280 the nic loses its IPv6 addresses and routes, and what it learnt from routers; from
   * 1280 on it gets its link-local address back and asks for routers, but nothing that was given
   * comes back. An MTU that routers advertised is forgotten in every case (Linux: addrconf_notify).
   * @throws {RangeError} below 68 (RFC 791), or above the link's MTU
   */
  set mtu(mtu: number) {
    if (!Number.isInteger(mtu) || mtu < 68 || mtu > this.link.mtu)
      throw new RangeError(
        `MTU ${mtu} of ${this.name} is out of range: 68 (IPv4's minimum, RFC 791) to ${this.link.mtu} (the link's).`,
      )
    this.#mtuLimit = mtu < this.link.mtu ? mtu : Number.POSITIVE_INFINITY
    this.#useMtu(mtu)
  }

  #useMtu(mtu: number): void {
    if (mtu === this.#mtu) return
    const carried = this.#carriesIpv6
    this.#mtu = mtu
    this.#ip.routes.generation++
    this.#ethernet?.nd.discovery.setMtu(0)
    if (!this.#carriesIpv6) this.#leaveIpv6()
    else if (!carried) this.start()
  }

  #leaveIpv6(): void {
    this.#ethernet?.nd.discovery.close()
    for (const { address } of [...this.#addresses, ...this.#tentative])
      if (address.family === 6) this.removeAddress(address)
    for (const route of this.#ip.routes.list())
      if (route.nic === this && route.prefix.family === 6) this.#ip.routes.remove(route)
  }

  /** RFC 8200 section 5. */
  get #carriesIpv6(): boolean {
    return this.#mtu >= MIN_PMTU6
  }

  get addresses(): readonly NicAddress[] {
    return this.#addresses
  }

  /**
   * Adds an address with its prefix, and the route to the prefix.
   * @throws {TypeError} when the text is no address with a prefix length, or is multicast or
   *   unspecified
   * @throws {RangeError} for an IPv6 address when the MTU is below 1280
   */
  addAddress(cidr: string, temporary = false): void {
    const added = parseCidr(cidr)
    if (added.address.isMulticast || added.address.isUnspecified)
      throw new TypeError(
        `${added.address} cannot be the address of a nic: expected a unicast address with a prefix length, such as 192.0.2.7/24.`,
      )
    if (added.address.family === 6 && !this.#carriesIpv6)
      throw new RangeError(
        `${added.address} cannot be an address of ${this.name}: IPv6 needs an MTU of ${MIN_PMTU6} at least (RFC 8200 section 5), and it has ${this.#mtu}.`,
      )
    if (this.hasAddress(added.address) || this.isTentative(added.address)) return
    const entry: NicAddress = { ...added, deprecated: false, temporary }
    if (added.address.family === 6) this.#joinSolicitedNode(added.address)
    const { dad, conflictDetection } = this.#settings
    if (this.#ethernet !== null && (added.address.family === 6 ? dad : conflictDetection)) {
      this.#tentative = [...this.#tentative, entry]
      this.#ethernet.check(entry)
    } else this.#assign(entry, false)
  }

  #assign(entry: NicAddress, checked: boolean): void {
    const first = !this.#hasLinkLocal6
    this.#addresses = [...this.#addresses, entry]
    this.#ip.addresses.add(this, entry)
    const anycast = this.#anycastOf(entry)
    if (anycast !== null) this.#addAnycast(anycast)
    this.#ethernet?.assigned(entry, checked)
    // Reports sent from no address are not what all switches heed (RFC 3590).
    if (first && this.#hasLinkLocal6) this.#mld.manager.announceAll()
    this.#tell('assigned', entry.address, null)
  }

  get #hasLinkLocal6(): boolean {
    return this.#addresses.some(({ address }) => address.family === 6 && address.isLinkLocal)
  }

  /** Nobody else uses the address: it is this nic's. */
  checkPassed(entry: NicAddress): void {
    this.#tentative = this.#tentative.filter((each) => each !== entry)
    this.#assign(entry, true)
  }

  /** Another station uses, or wants, the address: it is not taken. */
  checkFailed(entry: NicAddress, hardwareAddress: string): void {
    this.#tentative = this.#tentative.filter((each) => each !== entry)
    if (entry.address.family === 6) this.#leaveSolicitedNode(entry.address)
    this.#tell('duplicate', entry.address, hardwareAddress)
    if (entry.address.family === 6) this.#tryAnother(entry.address)
  }

  /** RFC 7217 section 6, RFC 8981 section 3.4: another identifier, where there are others. */
  #tryAnother(taken: Address): void {
    if (!taken.isLinkLocal) this.#ethernet?.nd.discovery.slaac.duplicate(taken)
    else if (this.identifiers?.generation === 'stable-privacy' && this.#linkLocalAttempts < LINK_LOCAL_RETRIES) {
      // One that was given is not ours to change.
      if (!this.interfaceAddress(LINK_LOCAL, this.#linkLocalAttempts).equals(taken)) return
      this.#linkLocalAttempts++
      this.start()
    }
  }

  /** Another station uses an address of this nic. */
  conflict(address: Address, hardwareAddress: string): void {
    this.#tell('conflict', address, hardwareAddress)
  }

  #tell(kind: AddressEvent['kind'], address: Address, hardwareAddress: string | null): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.onAddress?.({ kind, address, hardwareAddress })
  }

  /** Addresses that are being checked for duplicates: they answer nothing and are no source yet. */
  get tentativeAddresses(): readonly NicAddress[] {
    return this.#tentative
  }

  isTentative(address: Address): boolean {
    return this.#tentative.some((each) => each.address.equals(address))
  }

  /** Resolves when no address is being checked any more. */
  async addressesReady(): Promise<void> {
    while (this.#tentative.length > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  setDeprecated(address: Address, deprecated: boolean): void {
    for (const each of [...this.#addresses, ...this.#tentative])
      if (each.address.equals(address) && each.deprecated !== deprecated) {
        each.deprecated = deprecated
        this.#ip.routes.generation++
      }
  }

  /**
   * The address of a 64-bit prefix that this nic makes for itself; `attempt` counts those that were
   * found in use before.
   */
  interfaceAddress(prefix: Address, attempt = 0): Address {
    return (this.identifiers as InterfaceIdentifiers).stable(prefix, attempt)
  }

  /** Removes an address and its routes; `false` when the nic does not have it. */
  removeAddress(address: Address): boolean {
    const tentative = this.#tentative.find((each) => each.address.equals(address))
    if (tentative !== undefined) {
      this.#ethernet?.stopCheck(tentative)
      this.#tentative = this.#tentative.filter((each) => each !== tentative)
      if (address.family === 6) this.#leaveSolicitedNode(address)
      this.#tell('removed', address, null)
      return true
    }
    const removed = this.#addresses.find((each) => each.address.equals(address))
    if (removed === undefined) return false
    this.#addresses = this.#addresses.filter((each) => each !== removed)
    this.#ip.addresses.remove(this, removed)
    const anycast = this.#anycastOf(removed)
    if (anycast !== null) this.#removeAnycast(anycast)
    if (address.family === 6) this.#leaveSolicitedNode(address)
    this.#tell('removed', address, null)
    return true
  }

  hasAddress(address: Address): boolean {
    return this.#addresses.some((each) => each.address.equals(address))
  }

  /** {@link hasAddress} for the words of an address. */
  hasWords(w0: number, w1: number, w2: number, w3: number): boolean {
    for (const { address } of this.#addresses) if (address.is(w0, w1, w2, w3)) return true
    return false
  }

  /**
   * Whether this is the subnet-router anycast address of a prefix on this link, and the stack a
   * router (RFC 4291 section 2.6.1).
   */
  isAnycast(w0: number, w1: number, w2: number, w3: number): boolean {
    for (const address of this.#anycast) if (address.is(w0, w1, w2, w3)) return true
    return false
  }

  /**
   * The anycast address that comes with an address. A prefix of 127 bits or more has none (RFC 6164
   * section 6).
   */
  #anycastOf({ address, prefix }: NicAddress): Address | null {
    if (address.family === 4 || !this.#ip.isRouter || this.isLoopback || prefix.length >= 127) return null
    return prefix.address.isUnspecified ? null : prefix.address
  }

  /** No check for duplicates: others have it too. */
  #addAnycast(anycast: Address): void {
    if (!this.#anycast.some((each) => each.equals(anycast))) this.#ip.addresses.addAnycast(this, anycast)
    this.#anycast = [...this.#anycast, anycast]
    this.#joinSolicitedNode(anycast)
  }

  #removeAnycast(anycast: Address): void {
    const at = this.#anycast.findIndex((each) => each.equals(anycast))
    this.#anycast = this.#anycast.filter((_, index) => index !== at)
    if (!this.#anycast.some((each) => each.equals(anycast))) this.#ip.addresses.removeAnycast(this, anycast)
    this.#leaveSolicitedNode(anycast)
  }

  // ── up ──

  input(packet: Packet): void {
    this.rxPackets++
    this.rxBytes += packet.end - packet.start
    if (this.link.loopback) {
      packet.looped = 1
      // A copy of a multicast or broadcast packet comes back as if from the nic it left by.
      const from = packet.nic === 0 ? undefined : this.#ip.nicByIndex(packet.nic)
      if (from !== undefined) {
        this.#ip.input(packet, from)
        return
      }
    }
    packet.nic = this.index
    if (this.#ethernet !== null) this.#ethernet.input(packet)
    else this.#ip.input(packet, this)
  }

  /** A Neighbor Discovery message (ICMPv6 types 133 to 137) at `packet.transport`. */
  neighborDiscovery(packet: Packet): Drop {
    return this.#ethernet === null || !this.#carriesIpv6 ? Drop.NdIgnored : this.#ethernet.nd.input(packet)
  }

  /** A redirect at `packet.transport` that was believed. */
  redirected(packet: Packet, isRouter: boolean): void {
    this.#ethernet?.nd.redirected(packet, isRouter)
  }

  /**
   * Tells who sent the packet at `packet.network … packet.networkEnd` that `target` is a better
   * first hop on this link (IPv6).
   */
  redirect(packet: Packet, target: Address): void {
    this.#ethernet?.nd.redirect(packet, target)
  }

  /** An IGMP message at `packet.transport`. */
  igmp(packet: Packet): Drop {
    return this.#igmp.input(packet)
  }

  /**
   * A Multicast Listener Discovery message (ICMPv6 types 130 to 132 and 143) at `packet.transport`.
   */
  mld(packet: Packet): Drop {
    return this.#mld.input(packet)
  }

  idle(): void {
    this.#ip.idle()
  }

  dropped(drop: Drop, packet: Packet): void {
    this.txDropped++
    this.#ip.counters.drop(drop, packet)
  }

  failed(error: Error, fatal: boolean): void {
    if (fatal) this.isUp = false
    this.onFailure?.(error, fatal)
  }

  /** The link has another MTU, or went down or up: routes over a nic that is down do not count. */
  changed(): void {
    this.#useMtu(Math.min(this.link.mtu, this.#mtuLimit))
    const isUp = this.link.isUp !== false
    if (isUp === this.isUp) return
    this.isUp = isUp
    this.#ip.routes.generation++
  }

  // ── down ──

  /**
   * Sends one packet, not longer than the MTU, to its next hop. The caller counts a drop.
   */
  output(packet: Packet): Drop {
    if (!this.link.loopback) {
      const drop = checkLeaving(packet)
      if (drop !== Drop.None) return drop
    }
    return this.#ethernet === null ? this.transmit(packet) : this.#ethernet.output(packet)
  }

  /** Sends a frame. */
  transmit(packet: Packet): Drop {
    const length = packet.end - packet.start
    const drop = this.link.send(packet)
    if (drop !== Drop.None) {
      this.txDropped++
      return drop
    }
    this.txPackets++
    this.txBytes += length
    return Drop.None
  }

  /**
   * Hands a datagram longer than `mtu` to a device that fragments; `false` where there is none, or
   * it did not take it.
   */
  transmitLong(packet: Packet, mtu: number): boolean {
    const { link } = this
    if (link.sendLong === undefined || checkLeaving(packet) !== Drop.None) return false
    const length = packet.end - packet.start
    if (link.sendLong(packet, mtu) !== Drop.None) return false
    this.txPackets++
    this.txBytes += length
    return true
  }

  // ── neighbors ──

  /** The neighbors of both families; none on a link without hardware addresses. */
  get neighbors(): NeighborRow[] {
    const ethernet = this.#ethernet
    if (ethernet === null) return []
    return [...ethernet.arp.neighbors.list(), ...ethernet.nd.neighbors.list()].map((neighbor: Neighbor) => ({
      nic: this.name,
      address: neighbor.address.toString(),
      hardwareAddress: neighbor.isValid ? formatHardwareAddress(neighbor.high, neighbor.low) : null,
      state: neighbor.state,
      router: neighbor.isRouter,
    }))
  }

  /**
   * Adds a neighbor that is always there and never asked for, or makes one so.
   * @throws {TypeError} for a malformed hardware address
   * @throws {Error} on a link without hardware addresses
   */
  addNeighbor(address: Address, hardwareAddress: string): void {
    const bytes = parseHardwareAddress(hardwareAddress)
    this.#neighborTable(address).addPermanent(address, addressHigh(bytes), addressLow(bytes))
  }

  /** Forgets a neighbor; `false` when it is not known. */
  removeNeighbor(address: Address): boolean {
    return this.#ethernet !== null && this.#neighborTable(address).remove(address)
  }

  #neighborTable(address: Address): NeighborTable {
    if (this.#ethernet === null) throw new Error(`${this.name} has no neighbors: its link has no hardware addresses.`)
    return (address.family === 4 ? this.#ethernet.arp : this.#ethernet.nd).neighbors
  }

  // ── routers ──

  /** Whether this nic is a router's: the stack forwards, or it advertises. */
  get isRouter(): boolean {
    return this.#ip.isRouter || this.#ethernet?.nd.advertiser.isActive === true
  }

  /**
   * Sends router advertisements from now on, or (`null`) no more.
   * @throws {RangeError} for a value out of range
   * @throws {TypeError} for a malformed prefix
   * @throws {Error} on a link that is not Ethernet
   */
  advertise(options: AdvertiseOptions | null): void {
    if (this.#ethernet === null) throw new Error(`${this.name} cannot advertise a router: its link is not Ethernet.`)
    if (options === null) this.#ethernet.nd.advertiser.stop()
    else this.#ethernet.nd.advertiser.start(options)
    this.#ownGroups.isRouter = this.isRouter && this.#speaksIpv6
  }

  /**
   * Resolves to `true` when a router has advertised itself, to `false` when none is asked any more,
   * or none has answered.
   */
  nextRouterAdvertisement(): Promise<boolean> {
    return this.#ethernet === null ? Promise.resolve(false) : this.#ethernet.nd.discovery.nextAdvertisement()
  }

  // ── groups ──

  /** A group that a socket of this host wants, until {@link leave} with the same object. */
  join(subscriber: Subscriber): void {
    this.memberships.add(subscriber)
  }

  leave(subscriber: Subscriber): void {
    this.memberships.remove(subscriber)
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
   * 224.0.0.1, ff01::1, ff02::1, for routers ff02::2 and ff05::2, and the solicited-node groups of
   * the nic's addresses, anycast ones too.
   */
  #isImplicit(w0: number, w1: number, w2: number, w3: number): boolean {
    if (w2 === 0xffff && w0 === 0 && w1 === 0) return w3 === (0xe0000001 | 0)
    if (w1 !== 0) return false
    if (w2 === 0 && w3 === 1) return w0 === (0xff020000 | 0) || w0 === (0xff010000 | 0)
    if (w2 === 0 && w3 === 2) return (w0 === ALL_ROUTERS.w0 || w0 === SITE_ROUTERS.w0) && this.isRouter
    if (w0 !== SOLICITED_NODE_0 || w2 !== SOLICITED_NODE_2) return false
    for (const address of this.#anycast) if (solicitedNode3(address.w3) === w3) return true
    return hasSolicitedNode(this.#addresses, w3) || hasSolicitedNode(this.#tentative, w3)
  }

  /**
   * Lets switches hear of the solicited-node group of an own address, where there are neighbors who
   * ask, and of the groups of a router.
   */
  #joinSolicitedNode(address: Address): void {
    if (this.#ethernet === null) return
    this.#ownGroups.joinSolicitedNode(address)
    this.#ownGroups.isRouter = this.isRouter
  }

  #leaveSolicitedNode(address: Address): void {
    if (this.#ethernet === null) return
    this.#ownGroups.leaveSolicitedNode(address)
    if (!this.#speaksIpv6) this.#ownGroups.isRouter = false
  }

  /** Whether there is an IPv6 address, be it one that is still checked. */
  get #speaksIpv6(): boolean {
    return [...this.#addresses, ...this.#tentative].some(({ address }) => address.family === 6)
  }
}

const LINK_LOCAL = Address.parse('fe80::')
/** RFC 7217 section 7: IDGEN_RETRIES. */
const LINK_LOCAL_RETRIES = 3

/** RFC 4291 section 2.7.1. */
function hasSolicitedNode(addresses: readonly NicAddress[], w3: number): boolean {
  for (const { address } of addresses) if (address.family === 6 && solicitedNode3(address.w3) === w3) return true
  return false
}
