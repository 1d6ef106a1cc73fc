/**
 * Addresses that a nic makes from the prefixes of routers: RFC 4862 section 5.5.3, and temporary
 * ones beside them (RFC 8981).
 */
import { type Address, type Cidr, Prefix } from '../../base/address.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { MIN_PMTU6 } from '../routing/path-mtu.ts'
import type { InterfaceIdentifiers } from './interface-identifier.ts'

/**
 * RFC 4862 section 5.5.3 (e): an advertisement cannot cut what is left of a lifetime below this.
 */
const TWO_HOURS = 7_200_000
/** Linux: max_addresses; temporary ones are not counted, of which a prefix has four at most. */
const MAX_ADDRESSES = 16
/**
 * RFC 7217 section 7 and RFC 8981 section 3.8: how often another identifier is tried when one is
 * found in use.
 */
const MAX_RETRIES = 3
/** RFC 8981 section 3.8, in milliseconds. */
const TEMP_VALID = 172_800_000
const TEMP_PREFERRED = 86_400_000
const MAX_DESYNC = 0.4 * TEMP_PREFERRED
const REGEN_ADVANCE = 5000

/** The addresses of the nic. */
export interface SlaacAddresses {
  /** How the nic makes interface identifiers; `null` on a link without hardware addresses. */
  readonly identifiers: InterfaceIdentifiers | null
  has(address: Address): boolean
  isTentative(address: Address): boolean
  /**
   * The address of a 64-bit prefix that the nic makes for itself; `attempt` counts those that were
   * found in use before.
   */
  interfaceAddress(prefix: Address, attempt: number): Address
  add(cidr: Cidr, temporary: boolean): void
  remove(address: Address): boolean
  setDeprecated(address: Address, deprecated: boolean): void
}

/** An address made from a prefix. */
interface Made {
  readonly prefix: Prefix
  address: Address
  /** How many identifiers were found in use before this one. */
  attempts: number
  preferredUntil: number
  validUntil: number
  /** When a temporary one may live no longer, whatever routers say; `null` for a stable one. */
  readonly limits: { readonly preferred: number; readonly valid: number } | null
  timer: Timer | null
}

export class Slaac {
  readonly #nic: { readonly mtu: number }
  readonly #addresses: SlaacAddresses
  readonly #clock: Clock
  readonly #random: Random
  readonly #makesTemporary: boolean
  #made: Made[] = []

  constructor(
    nic: { readonly mtu: number },
    addresses: SlaacAddresses,
    clock: Clock,
    random: Random,
    makesTemporary: boolean,
  ) {
    this.#nic = nic
    this.#addresses = addresses
    this.#clock = clock
    this.#random = random
    this.#makesTemporary = makesTemporary
  }

  /** Takes all its addresses away. */
  close(): void {
    const made = this.#made
    this.#made = []
    for (const each of made) {
      each.timer?.cancel()
      this.#addresses.remove(each.address)
    }
  }

  /**
   * A prefix was advertised for autonomous addresses; lifetimes in milliseconds. RFC 4862 section
   * 5.5.3 (d) and (e).
   */
  configure(prefix: Prefix, valid: number, preferred: number): void {
    const now = this.#clock.now()
    let stable = this.#made.find((each) => each.limits === null && each.prefix.equals(prefix))
    if (stable === undefined) {
      if (valid === 0 || this.#made.filter((each) => each.limits === null).length >= MAX_ADDRESSES) return
      const address = this.#addresses.interfaceAddress(prefix.address, 0)
      // One that somebody gave by hand stays as it is.
      if (this.#addresses.has(address) || this.#addresses.isTentative(address)) return
      stable = {
        prefix,
        address,
        attempts: 0,
        preferredUntil: now + preferred,
        validUntil: now + valid,
        limits: null,
        timer: null,
      }
      this.#add(stable)
    } else {
      const left = stable.validUntil - now
      if (valid > TWO_HOURS || valid > left) stable.validUntil = now + valid
      else if (left > TWO_HOURS) stable.validUntil = now + TWO_HOURS
      stable.preferredUntil = now + preferred
    }
    const { preferredUntil, validUntil } = stable
    for (const each of this.#made) {
      if (each.limits === null || !each.prefix.equals(prefix)) continue
      each.preferredUntil = Math.min(preferredUntil, each.limits.preferred)
      each.validUntil = Math.min(validUntil, each.limits.valid)
      this.#age(each)
    }
    this.#age(stable)
    this.#addTemporary(prefix)
  }

  /** Another station has the address: another identifier is tried, where there are others. */
  duplicate(address: Address): void {
    const made = this.#made.find((each) => each.address.equals(address))
    if (made === undefined || made.attempts === MAX_RETRIES) return
    if (made.limits === null && this.#addresses.identifiers?.generation !== 'stable-privacy') return
    made.attempts++
    made.address =
      made.limits === null
        ? this.#addresses.interfaceAddress(made.prefix.address, made.attempts)
        : this.#draw(made.prefix)
    this.#add(made)
    this.#addresses.setDeprecated(made.address, made.preferredUntil <= this.#clock.now())
  }

  #add(made: Made): void {
    // Of too small an MTU (RFC 8200 section 5): the nic has no IPv6 now.
    if (this.#nic.mtu < MIN_PMTU6) return
    if (!this.#made.includes(made)) this.#made.push(made)
    // Not the prefix's length: whether its other addresses are on the link is a matter of its L
    // flag (RFC 5942).
    this.#addresses.add({ address: made.address, prefix: new Prefix(made.address, 128) }, made.limits !== null)
  }

  /** RFC 8981 section 3.4: one that is preferred for a while, unless there is such a one. */
  #addTemporary(prefix: Prefix): void {
    if (!this.#makesTemporary) return
    const now = this.#clock.now()
    const ofPrefix = this.#made.filter((each) => each.prefix.equals(prefix))
    const stable = ofPrefix.find(({ limits }) => limits === null)
    if (
      stable === undefined ||
      ofPrefix.some(({ limits }) => limits !== null && limits.preferred - now > REGEN_ADVANCE)
    )
      return
    // Hosts that start together do not change their addresses together.
    const preferred = now + TEMP_PREFERRED - this.#random.float() * MAX_DESYNC
    const preferredUntil = Math.min(stable.preferredUntil, preferred)
    if (preferredUntil - now <= REGEN_ADVANCE) return
    const limits = { preferred, valid: now + TEMP_VALID }
    const validUntil = Math.min(stable.validUntil, limits.valid)
    const made: Made = {
      prefix,
      address: this.#draw(prefix),
      attempts: 0,
      preferredUntil,
      validUntil,
      limits,
      timer: null,
    }
    this.#add(made)
    this.#age(made)
  }

  #draw(prefix: Prefix): Address {
    for (;;) {
      const address = (this.#addresses.identifiers as InterfaceIdentifiers).temporary(prefix.address)
      if (!this.#addresses.has(address) && !this.#addresses.isTentative(address)) return address
    }
  }

  /** Deprecates and removes an address when its time has come, and waits for the next such time. */
  #age(made: Made): void {
    made.timer?.cancel()
    made.timer = null
    const now = this.#clock.now()
    if (made.validUntil <= now) {
      this.#made = this.#made.filter((each) => each !== made)
      this.#addresses.remove(made.address)
      return
    }
    const isDeprecated = made.preferredUntil <= now
    this.#addresses.setDeprecated(made.address, isDeprecated)
    let next = isDeprecated ? made.validUntil : Math.min(made.preferredUntil, made.validUntil)
    if (made.limits !== null) {
      // The next one is there, and checked for duplicates, when this one becomes deprecated (RFC
      // 8981 section 3.4).
      const regeneration = made.limits.preferred - REGEN_ADVANCE
      if (regeneration <= now) this.#addTemporary(made.prefix)
      else next = Math.min(next, regeneration)
    }
    if (next < Number.POSITIVE_INFINITY) made.timer = this.#clock.schedule(next - now, () => this.#age(made))
  }
}
