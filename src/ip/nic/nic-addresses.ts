/**
 * The addresses of one nic: those in use, those that are checked for duplicates, a router's anycast
 * ones, and the link-local one that the nic makes for itself.
 */
import { Address, type Cidr, Prefix } from '../../base/address.ts'
import type { Random } from '../../base/random.ts'
import { solicitedNode3 } from '../../wire/ndp.ts'
import type { OwnAddresses } from '../addresses.ts'
import type { InterfaceIdentifiers } from '../nd/interface-identifier.ts'
import type { SlaacAddresses } from '../nd/slaac.ts'
import { MIN_PMTU6 } from '../routing/path-mtu.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import type { RouteTable } from '../routing/route-table.ts'
import type { AddressOwner } from './address-owner.ts'
import type { AddressEvent, NicAddress } from './nic-address.ts'
import { identifiersOf, type NicSettings } from './nic-settings.ts'

const LINK_LOCAL = Address.parse('fe80::')
/** RFC 7217 section 7: IDGEN_RETRIES. */
const LINK_LOCAL_RETRIES = 3

/** The nic that has the addresses. */
export interface AddressedNic extends RouteNic {
  readonly mtu: number
  /** The listener for what becomes of addresses. */
  readonly onAddress: ((event: AddressEvent) => void) | null
}

/** What a nic asks of its host for its addresses. */
export interface AddressHost {
  readonly isRouter: boolean
  readonly routes: RouteTable
  readonly addresses: OwnAddresses
}

/** ARP and Neighbor Discovery below: who else uses an address. */
export interface AddressChecks {
  check(added: NicAddress): void
  stopCheck(added: NicAddress): void
  /** The address is in use now; `checked` when others were asked about it. */
  assigned(added: NicAddress, checked: boolean): void
  /** Another station has an address that was made from a prefix. */
  duplicate(address: Address): void
}

/** The solicited-node groups of the addresses. */
export interface AddressGroups {
  joinSolicitedNode(address: Address): void
  leaveSolicitedNode(address: Address, isLast: boolean): void
  announceAll(): void
}

export class NicAddresses implements AddressOwner, SlaacAddresses {
  readonly #nic: AddressedNic
  readonly #host: AddressHost
  readonly identifiers: InterfaceIdentifiers | null
  /** Set at wiring; `null` on a link without neighbors. */
  checks: AddressChecks | null = null
  readonly #groups: AddressGroups
  readonly #settings: NicSettings
  #assigned: readonly NicAddress[] = []
  /** Addresses that are being checked for duplicates: not ours yet. */
  #tentative: readonly NicAddress[] = []
  /** A router's subnet-router anycast addresses, one for each address that brings one. */
  #anycast: readonly Address[] = []
  /** How often the link-local address was made anew because another station had it. */
  #linkLocalAttempts = 0
  /** Who waits for a check to end. */
  #waiting: (() => void)[] = []

  constructor(nic: AddressedNic, host: AddressHost, groups: AddressGroups, settings: NicSettings, random: Random) {
    this.#nic = nic
    this.#host = host
    this.identifiers = identifiersOf(nic.link.hardwareAddress, settings, random)
    this.#groups = groups
    this.#settings = settings
  }

  /** In use. */
  get assigned(): readonly NicAddress[] {
    return this.#assigned
  }

  /** Being checked for duplicates: they answer nothing and are no source yet. */
  get tentative(): readonly NicAddress[] {
    return this.#tentative
  }

  /** Both. */
  get all(): readonly NicAddress[] {
    return [...this.#assigned, ...this.#tentative]
  }

  /** Whether there is an IPv6 address, be it one that is still checked. */
  get speaksIpv6(): boolean {
    return this.all.some(({ address }) => address.family === 6)
  }

  /** Makes a link-local address, where the link has hardware addresses and none was given. */
  addLinkLocal(): void {
    if (this.checks === null || !this.#settings.linkLocal || this.#nic.mtu < MIN_PMTU6) return
    if (this.all.some(({ address }) => address.family === 6 && address.isLinkLocal)) return
    const address = this.interfaceAddress(LINK_LOCAL, this.#linkLocalAttempts)
    this.add({ address, prefix: new Prefix(address, 64) }, false)
  }

  /** The checks that go on end without a result. */
  close(): void {
    this.#tentative = []
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** See `Nic.addAddress`. */
  add({ address, prefix }: Cidr, temporary: boolean): void {
    if (address.isMulticast || address.isUnspecified)
      throw new TypeError(
        `${address} cannot be the address of a nic: expected a unicast address with a prefix length, such ` +
          'as 192.0.2.7/24.',
      )
    const { mtu, name } = this.#nic
    if (address.family === 6 && mtu < MIN_PMTU6)
      throw new RangeError(
        `${address} cannot be an address of ${name}: IPv6 needs an MTU of ${MIN_PMTU6} at least (RFC 8200 ` +
          `section 5), and it has ${mtu}.`,
      )
    if (this.has(address) || this.isTentative(address)) return
    const entry: NicAddress = { address, prefix, deprecated: false, temporary }
    if (address.family === 6) this.#joinSolicitedNode(address)
    const { dad, conflictDetection } = this.#settings
    if (this.checks !== null && (address.family === 6 ? dad : conflictDetection)) {
      this.#tentative = [...this.#tentative, entry]
      this.checks.check(entry)
    } else this.#assign(entry, false)
  }

  #assign(entry: NicAddress, checked: boolean): void {
    const first = !this.#hasLinkLocal6
    // No spread, which makes room for sixteen more.
    this.#assigned = this.#assigned.concat(entry)
    this.#host.addresses.add(this.#nic, entry)
    const anycast = this.#anycastOf(entry)
    if (anycast !== null) this.#addAnycast(anycast)
    this.checks?.assigned(entry, checked)
    if (first && this.#hasLinkLocal6) this.#groups.announceAll()
    this.#tell('assigned', entry.address, null)
  }

  get #hasLinkLocal6(): boolean {
    return this.#assigned.some(({ address }) => address.family === 6 && address.isLinkLocal)
  }

  /** Nobody else uses the address. */
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
    if (!taken.isLinkLocal) this.checks?.duplicate(taken)
    else if (
      this.identifiers?.generation === 'stable-privacy' &&
      this.#linkLocalAttempts < LINK_LOCAL_RETRIES &&
      // One that was given is not ours to change.
      this.interfaceAddress(LINK_LOCAL, this.#linkLocalAttempts).equals(taken)
    ) {
      this.#linkLocalAttempts++
      this.addLinkLocal()
    }
  }

  /** Another station uses an address of this nic. */
  conflict(address: Address, hardwareAddress: string): void {
    this.#tell('conflict', address, hardwareAddress)
  }

  #tell(kind: AddressEvent['kind'], address: Address, hardwareAddress: string | null): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#nic.onAddress?.({ kind, address, hardwareAddress })
  }

  /** Resolves when no address is being checked any more. */
  async ready(): Promise<void> {
    while (this.#tentative.length > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  setDeprecated(address: Address, deprecated: boolean): void {
    for (const each of this.all)
      if (each.address.equals(address) && each.deprecated !== deprecated) {
        each.deprecated = deprecated
        this.#host.routes.generation++
      }
  }

  interfaceAddress(prefix: Address, attempt: number): Address {
    return (this.identifiers as InterfaceIdentifiers).stable(prefix, attempt)
  }

  /** Removes an address and its routes; `false` when the nic does not have it. */
  remove(address: Address): boolean {
    const tentative = this.#tentative.find((each) => each.address.equals(address))
    const assigned = this.#assigned.find((each) => each.address.equals(address))
    if (tentative !== undefined) {
      this.checks?.stopCheck(tentative)
      this.#tentative = this.#tentative.filter((each) => each !== tentative)
    } else if (assigned !== undefined) {
      this.#assigned = this.#assigned.filter((each) => each !== assigned)
      this.#host.addresses.remove(this.#nic, assigned)
      const anycast = this.#anycastOf(assigned)
      if (anycast !== null) this.#removeAnycast(anycast)
    } else return false
    if (address.family === 6) this.#leaveSolicitedNode(address)
    this.#tell('removed', address, null)
    return true
  }

  has(address: Address): boolean {
    return this.#assigned.some((each) => each.address.equals(address))
  }

  hasWords(w0: number, w1: number, w2: number, w3: number): boolean {
    for (const { address } of this.#assigned) if (address.is(w0, w1, w2, w3)) return true
    return false
  }

  isTentative(address: Address): boolean {
    return this.#tentative.some((each) => each.address.equals(address))
  }

  /** Whether an address, anycast ones too, has the solicited-node group with this last word. */
  hasSolicitedNode(w3: number): boolean {
    for (const address of this.#anycast) if (solicitedNode3(address.w3) === w3) return true
    return hasSolicitedNode(this.#assigned, w3) || hasSolicitedNode(this.#tentative, w3)
  }

  // ── anycast ──

  /**
   * Whether this is the subnet-router anycast address of a prefix on this link (RFC 4291 section
   * 2.6.1).
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
    if (address.family === 4 || !this.#host.isRouter || this.#nic.isLoopback || prefix.length >= 127) return null
    return prefix.address.isUnspecified ? null : prefix.address
  }

  /** No check for duplicates: others have it too. */
  #addAnycast(anycast: Address): void {
    if (!this.#anycast.some((each) => each.equals(anycast))) this.#host.addresses.addAnycast(this.#nic, anycast)
    this.#anycast = [...this.#anycast, anycast]
    this.#joinSolicitedNode(anycast)
  }

  #removeAnycast(anycast: Address): void {
    const at = this.#anycast.findIndex((each) => each.equals(anycast))
    this.#anycast = this.#anycast.filter((_, index) => index !== at)
    if (!this.#anycast.some((each) => each.equals(anycast))) this.#host.addresses.removeAnycast(this.#nic, anycast)
    this.#leaveSolicitedNode(anycast)
  }

  // ── solicited-node groups, where there are neighbors who ask ──

  #joinSolicitedNode(address: Address): void {
    if (this.checks !== null) this.#groups.joinSolicitedNode(address)
  }

  #leaveSolicitedNode(address: Address): void {
    if (this.checks !== null) this.#groups.leaveSolicitedNode(address, !this.speaksIpv6)
  }
}

/** RFC 4291 section 2.7.1. */
function hasSolicitedNode(addresses: readonly NicAddress[], w3: number): boolean {
  for (const { address } of addresses) if (address.family === 6 && solicitedNode3(address.w3) === w3) return true
  return false
}
