/**
 * A link with addresses: strips and adds the link header, knows its prefixes and groups.
 *
 * On a link of medium 'ip' a frame is a packet, and there is no neighbor to find.
 */
import { type Address, type Cidr, isMulticast, parseCidr } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import type { Link, LinkReceiver } from '../link/link.ts'
import type { IpLayer } from './ip-layer.ts'
import { Memberships } from './memberships.ts'

/** Linux: one address of an interface. */
export type NicAddress = Cidr

export class Nic implements LinkReceiver {
  /** Unique in the stack, from 1 (the loopback); the zone of IPv6 scoped addresses. */
  readonly index: number
  readonly name: string
  readonly link: Link
  readonly memberships = new Memberships()
  isUp = true
  readonly #ip: IpLayer
  #addresses: readonly NicAddress[] = []
  #mtu: number
  /** What reached and left this nic, as `ip -s link` counts. */
  rxPackets = 0
  rxBytes = 0
  txPackets = 0
  txBytes = 0
  txDropped = 0
  /** Called when the link fails; the stack names the listener. */
  onFailure: ((error: Error, fatal: boolean) => void) | null = null

  constructor(ip: IpLayer, index: number, name: string, link: Link, mtu: number) {
    this.#ip = ip
    this.index = index
    this.name = name
    this.link = link
    this.#mtu = mtu
  }

  get isLoopback(): boolean {
    return this.link.loopback
  }

  /** The largest packet that leaves whole, in bytes: the link's unless set lower. */
  get mtu(): number {
    return this.#mtu
  }

  /** @throws {RangeError} below 68 (RFC 791), or above the link's MTU */
  set mtu(mtu: number) {
    if (!Number.isInteger(mtu) || mtu < 68 || mtu > this.link.mtu)
      throw new RangeError(`MTU ${mtu} of ${this.name} is out of range: 68 (IPv4's minimum, RFC 791) to ${this.link.mtu} (the link's).`)
    this.#mtu = mtu
    this.#ip.routes.generation++
  }

  get addresses(): readonly NicAddress[] {
    return this.#addresses
  }

  /**
   * Adds an address with its prefix, and the route to the prefix.
   * @throws {TypeError} when the text is no address with a prefix length, or is multicast or unspecified
   */
  addAddress(cidr: string): void {
    const added = parseCidr(cidr)
    if (added.address.isMulticast || added.address.isUnspecified)
      throw new TypeError(
        `${added.address} cannot be the address of a nic: expected a unicast address with a prefix length, such as 192.0.2.7/24.`,
      )
    if (this.hasAddress(added.address)) return
    this.#addresses = [...this.#addresses, added]
    this.#ip.addressAdded(this, added)
  }

  /** Removes an address and its routes; `false` when the nic does not have it. */
  removeAddress(address: Address): boolean {
    const removed = this.#addresses.find((each) => each.address.equals(address))
    if (removed === undefined) return false
    this.#addresses = this.#addresses.filter((each) => each !== removed)
    this.#ip.addressRemoved(this, removed)
    return true
  }

  hasAddress(address: Address): boolean {
    return this.#addresses.some((each) => each.address.equals(address))
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
    this.#ip.input(packet, this)
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

  // ── down ──

  /** Sends one packet, not longer than the MTU, to the next hop (words as in `Address`). Whoever called counts a drop. */
  output(packet: Packet, _n0: number, _n1: number, _n2: number, _n3: number): Drop {
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

  /** One more socket of this host wants the group. */
  join(group: Address): void {
    this.memberships.join(group)
  }

  /** One socket less wants it. */
  leave(group: Address): void {
    this.memberships.leave(group)
  }

  /** Whether a packet to this group is for this host: a joined group, or all-hosts (RFC 1112, RFC 4291 section 2.7.1). */
  isMember(w0: number, w1: number, w2: number, w3: number): boolean {
    if (!isMulticast(w0, w1, w2, w3)) return false
    return isImplicitGroup(this, w0, w1, w2, w3) || this.memberships.has(w0, w1, w2, w3)
  }
}

/** 224.0.0.1, ff01::1, ff02::1, and the solicited-node groups of the nic's addresses (RFC 4291 section 2.8). */
function isImplicitGroup(nic: Nic, w0: number, w1: number, w2: number, w3: number): boolean {
  if (w2 === 0xffff && w0 === 0 && w1 === 0) return w3 >>> 0 === 0xe0000001
  if (w1 !== 0) return false
  if (w2 === 0 && w3 === 1) return w0 === (0xff020000 | 0) || w0 === (0xff010000 | 0)
  if (w0 !== (0xff020000 | 0) || w2 !== 1 || w3 >>> 24 !== 0xff) return false
  for (const { address } of nic.addresses) if (address.family === 6 && (address.w3 & 0xffffff) === (w3 & 0xffffff)) return true
  return false
}
