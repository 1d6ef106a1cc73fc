/**
 * A link with addresses: what comes in goes to Ethernet or IP, what goes out gets its frame.
 *
 * On a link of medium 'ip' a frame is a packet, and there is no neighbor to find; Ethernet has a
 * layer of its own below the nic. Addresses, groups, MTU and neighbors are rooms of their own.
 */
import { type Address, type Cidr, parseCidr } from '../../base/address.ts'
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import { branch, type Random } from '../../base/random.ts'
import type { Link } from '../../link/link.ts'
import type { Memberships, Subscriber } from '../groups/memberships.ts'
import { checkLeaving } from '../host-only.ts'
import type { AdvertiseOptions } from '../nd/advertise-options.ts'
import { EthernetLayer } from './ethernet-layer.ts'
import type { LinkHost } from './link-host.ts'
import type { AddressEvent, NicAddress } from './nic-address.ts'
import { NicAddresses } from './nic-addresses.ts'
import { NicGroups } from './nic-groups.ts'
import { NicMtu } from './nic-mtu.ts'
import { type NeighborRow, NicNeighbors } from './nic-neighbors.ts'
import type { NicSettings } from './nic-settings.ts'

export type { AddressEvent, NeighborRow, NicAddress, NicSettings }

/** What a nic asks of its host. */
export interface NicHost extends LinkHost {
  /** Whether the host forwards packets for others. */
  readonly isRouter: boolean
  nicByIndex(index: number): Nic | undefined
  /** A packet, link header gone. */
  input(packet: Packet, nic: Nic): void
  /** Whether a merged packet may come as it is. */
  takesMerged(packet: Packet, nic: Nic): boolean
  idle(): void
}

/**
 * A nic, as a stack's user sees it and as the rooms do: `LinkReceiver`, `EthernetNic`,
 * `AddressedNic` and `GroupedNic`. It is longer than other files and has more than 25 members
 * because it is the façade of all its rooms; each member is a line or two.
 */
export class Nic {
  /** Unique in the stack, from 1 (the loopback); the zone of IPv6 scoped addresses. */
  readonly index: number
  readonly name: string
  readonly link: Link
  /** @internal The hop limit that routers advertise for this link, or 0: then the stack's. */
  hopLimit6 = 0
  /** @internal */
  readonly acceptsRouterAdvertisements: boolean
  /** @internal */
  readonly makesTemporaryAddresses: boolean
  /** @internal See {@link Link.numbered}. */
  readonly numbered: boolean
  readonly #ip: NicHost
  readonly #ethernet: EthernetLayer | null
  readonly #addresses: NicAddresses
  readonly #groups: NicGroups
  readonly #neighbors: NicNeighbors
  readonly #mtu: NicMtu
  #isUp: boolean
  /** What reached and left this nic, as `ip -s link` counts. */
  rxPackets = 0
  rxBytes = 0
  txPackets = 0
  txBytes = 0
  txDropped = 0
  /** @internal Called when the link fails; the stack names the listener. */
  onFailure: ((error: Error, fatal: boolean) => void) | null = null
  /** Told what becomes of addresses; the stack's user names the listener. */
  onAddress: ((event: AddressEvent) => void) | null = null

  /** @internal */
  constructor(
    ip: NicHost,
    index: number,
    name: string,
    link: Link,
    mtu: number,
    settings: NicSettings,
    clock: Clock,
    random: Random,
  ) {
    this.#ip = ip
    this.index = index
    this.name = name
    this.link = link
    const changed = (carriedIpv6: boolean) => this.#mtuChanged(carriedIpv6)
    this.#mtu = new NicMtu(link, name, mtu, changed, () => ip.routes.generation++)
    this.#isUp = link.isUp !== false
    this.numbered = link.numbered === true
    this.#groups = new NicGroups(this, ip, clock, branch(random, 'groups'))
    const { hardwareAddress } = link
    this.#addresses = new NicAddresses(this, ip, this.#groups, settings, branch(random, 'addresses'))
    this.makesTemporaryAddresses = settings.temporaryAddresses
    this.#ethernet =
      link.medium === 'ip' || hardwareAddress === null
        ? null
        : new EthernetLayer(this, hardwareAddress, this.#addresses, ip, clock, random)
    this.#neighbors = new NicNeighbors(name, this.#ethernet)
    this.#addresses.checks = this.#ethernet
    this.acceptsRouterAdvertisements = this.#ethernet !== null && settings.acceptRouterAdvertisements
  }

  /** @internal Begins work, once the addresses that were given are there. */
  start(): void {
    this.#addresses.addLinkLocal()
  }

  /** @internal Forgets all timers, neighbors and what routers advertised; a router says goodbye. */
  close(): void {
    this.#ethernet?.close()
    this.#addresses.close()
    this.#groups.close()
  }

  get isLoopback(): boolean {
    return this.link.loopback
  }

  /** Whether the nic sends: routes over one that is down do not count. */
  get isUp(): boolean {
    return this.#isUp
  }

  set isUp(isUp: boolean) {
    if (isUp === this.#isUp) return
    this.#isUp = isUp
    // What is remembered of routes holds no more.
    this.#ip.routes.generation++
  }

  /** The largest packet that leaves whole, in bytes: the link's, unless it was set lower. */
  get mtu(): number {
    return this.#mtu.value
  }

  /**
   * Below 1280 the nic loses its IPv6 addresses and routes, and what it learnt from routers; from
   * 1280 on it gets its link-local address back and asks for routers, but nothing that was given
   * comes back. An MTU that routers advertised is forgotten in every case (Linux: addrconf_notify).
   * @throws {RangeError} below 68 (RFC 791), or above the link's MTU
   */
  set mtu(mtu: number) {
    this.#mtu.set(mtu)
  }

  /** The same for a family: routers may advertise less for IPv6, on all of the link. */
  mtuOf(family: number): number {
    return this.#mtu.of(family)
  }

  /** @internal What routers advertise, or 0. */
  get advertisedMtu(): number {
    return this.#mtu.advertised
  }

  /** @internal */
  set advertisedMtu(mtu: number) {
    this.#mtu.advertised = mtu
  }

  #mtuChanged(carriedIpv6: boolean): void {
    this.#ip.routes.generation++
    this.#ethernet?.nd.discovery.setMtu(0)
    if (!this.#mtu.carriesIpv6) this.#leaveIpv6()
    else if (!carriedIpv6) this.start()
  }

  #leaveIpv6(): void {
    this.#ethernet?.nd.discovery.close()
    for (const { address } of this.#addresses.all) if (address.family === 6) this.removeAddress(address)
    for (const route of this.#ip.routes.list())
      if (route.nic === this && route.prefix.family === 6) this.#ip.routes.remove(route)
  }

  // ── addresses ──

  get addresses(): readonly NicAddress[] {
    return this.#addresses.assigned
  }

  /** Addresses that are being checked for duplicates: they answer nothing and are no source yet. */
  get tentativeAddresses(): readonly NicAddress[] {
    return this.#addresses.tentative
  }

  /**
   * Adds an address with its prefix, and the route to the prefix.
   * @throws {TypeError} when the text is no address with a prefix length, or is multicast or
   *   unspecified
   * @throws {RangeError} for an IPv6 address when the MTU is below 1280
   */
  addAddress(cidr: string, temporary = false): void {
    this.#addresses.add(parseCidr(cidr), temporary)
  }

  /** @internal {@link addAddress} for one that was read already. */
  addCidr(cidr: Cidr): void {
    this.#addresses.add(cidr, false)
  }

  /** Removes an address and its routes; `false` when the nic does not have it. */
  removeAddress(address: Address): boolean {
    return this.#addresses.remove(address)
  }

  /** Resolves when no address is being checked any more. */
  addressesReady(): Promise<void> {
    return this.#addresses.ready()
  }

  setDeprecated(address: Address, deprecated: boolean): void {
    this.#addresses.setDeprecated(address, deprecated)
  }

  hasAddress(address: Address): boolean {
    return this.#addresses.has(address)
  }

  /** @internal {@link hasAddress} for the words of an address. */
  hasWords(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.#addresses.hasWords(w0, w1, w2, w3)
  }

  /** @internal */
  hasSolicitedNode(w3: number): boolean {
    return this.#addresses.hasSolicitedNode(w3)
  }

  /** @internal Whether this is the anycast address of a prefix, and the stack a router. */
  isAnycast(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.#addresses.isAnycast(w0, w1, w2, w3)
  }

  // ── up ──

  /** @internal */
  input(packet: Packet): void {
    this.rxPackets++
    this.rxBytes += packet.end - packet.start
    if (this.link.loopback) {
      packet.looped = 1
      // A copy of a multicast or broadcast packet comes back as if from the nic it left by.
      const from = packet.nic === 0 ? this : (this.#ip.nicByIndex(packet.nic) ?? this)
      if (from === this) packet.nic = this.index
      this.#ip.input(packet, from)
      return
    }
    packet.nic = this.index
    if (this.#ethernet !== null) this.#ethernet.input(packet)
    else this.receive(packet)
  }

  /** @internal */
  takesMerged(packet: Packet): boolean {
    return this.#ethernet === null && this.#ip.takesMerged(packet, this)
  }

  /** @internal Whether the frame to a group may be to one that this host is in. */
  hears(packet: Packet): boolean {
    return this.#ethernet === null || this.#groups.hears(packet)
  }

  /** @internal A packet whose frame header is gone. */
  receive(packet: Packet): void {
    this.#ip.input(packet, this)
  }

  /** @internal A Neighbor Discovery message (ICMPv6 types 133 to 137) at `packet.transport`. */
  neighborDiscovery(packet: Packet): Drop {
    return this.#ethernet === null || !this.#mtu.carriesIpv6 ? Drop.NdIgnored : this.#ethernet.nd.input(packet)
  }

  /** @internal A redirect at `packet.transport` that was believed. */
  redirected(packet: Packet, isRouter: boolean): void {
    this.#ethernet?.nd.redirected(packet, isRouter)
  }

  /**
   * Tells who sent the packet at `packet.network … packet.networkEnd` that `target` is a better
   * first hop on this link (IPv6).
   * @internal
   */
  redirect(packet: Packet, target: Address): void {
    this.#ethernet?.nd.redirect(packet, target)
  }

  /** @internal An IGMP message at `packet.transport`. */
  igmp(packet: Packet): Drop {
    return this.#groups.igmp(packet)
  }

  /**
   * A Multicast Listener Discovery message (ICMPv6 types 130 to 132 and 143) at `packet.transport`.
   * @internal
   */
  mld(packet: Packet): Drop {
    return this.#groups.mld(packet)
  }

  /** @internal */
  idle(): void {
    this.#ip.idle()
  }

  /** @internal */
  dropped(drop: Drop, packet: Packet): void {
    this.txDropped++
    this.#ip.counters.drop(drop, packet)
  }

  /** @internal */
  failed(error: Error, fatal: boolean): void {
    if (fatal) this.isUp = false
    this.onFailure?.(error, fatal)
  }

  /** @internal The link has another MTU, or went down or up. */
  changed(): void {
    this.#mtu.follow()
    this.isUp = this.link.isUp !== false
  }

  // ── down ──

  /**
   * Sends one packet, not longer than the MTU, to its next hop. The caller counts a drop.
   * @internal
   */
  output(packet: Packet): Drop {
    if (!this.link.loopback) {
      const drop = checkLeaving(packet)
      if (drop !== Drop.None) return drop
    }
    return this.#ethernet === null ? this.transmit(packet) : this.#ethernet.output(packet)
  }

  /** @internal Sends a frame. */
  transmit(packet: Packet): Drop {
    const length = packet.end - packet.start
    const drop = this.link.send(packet)
    if (drop !== Drop.None) {
      this.txDropped++
      return drop
    }
    this.#sent(length)
    return Drop.None
  }

  /**
   * Hands a datagram longer than `mtu` to a device that fragments; `false` where there is none, or
   * it did not take it.
   * @internal
   */
  transmitLong(packet: Packet, mtu: number): boolean {
    const { link } = this
    if (link.sendLong === undefined || checkLeaving(packet) !== Drop.None) return false
    const length = packet.end - packet.start
    if (link.sendLong(packet, mtu) !== Drop.None) return false
    this.#sent(length)
    return true
  }

  #sent(length: number): void {
    this.txPackets++
    this.txBytes += length
  }

  // ── neighbors ──

  /** The neighbors of both families; none on a link without hardware addresses. */
  get neighbors(): NeighborRow[] {
    return this.#neighbors.list()
  }

  /**
   * Adds a neighbor that is always there and never asked for, or makes one so.
   * @throws {TypeError} for a malformed hardware address
   * @throws {Error} on a link without hardware addresses
   */
  addNeighbor(address: Address, hardwareAddress: string): void {
    this.#neighbors.add(address, hardwareAddress)
  }

  /** Forgets a neighbor; `false` when it is not known. */
  removeNeighbor(address: Address): boolean {
    return this.#neighbors.remove(address)
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
    this.#groups.isRouter = this.isRouter && this.#addresses.speaksIpv6
  }

  /**
   * Resolves to `true` when a router has advertised itself, to `false` when none is asked any more,
   * or none has answered.
   */
  nextRouterAdvertisement(): Promise<boolean> {
    return this.#ethernet === null ? Promise.resolve(false) : this.#ethernet.nd.discovery.nextAdvertisement()
  }

  // ── groups ──

  /** @internal */
  get memberships(): Memberships {
    return this.#groups.memberships
  }

  /**
   * A group that a socket of this host wants, until {@link leave} with the same object.
   * @internal
   */
  join(subscriber: Subscriber): void {
    this.memberships.add(subscriber)
  }

  /** @internal */
  leave(subscriber: Subscriber): void {
    this.memberships.remove(subscriber)
  }

  /** @internal Whether a packet to this group can be for this host. */
  isMember(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.#groups.isMember(w0, w1, w2, w3)
  }

  /** @internal Whether a multicast packet is for this host, from its source. */
  admit(packet: Packet): Drop {
    return this.#groups.admit(packet)
  }
}
