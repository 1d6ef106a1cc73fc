/** The MTU of one nic: the link's, a lower one that it was given, and what routers advertise. */
import type { Link } from '../../link/link.ts'
import { MIN_PMTU6 } from '../routing/path-mtu.ts'

export class NicMtu {
  readonly #link: Link
  readonly #name: string
  readonly #changed: (carriedIpv6: boolean) => void
  readonly #advertisedChanged: () => void
  #value: number
  /** What the nic was given below the link's MTU, or `Infinity`. */
  #limit = Number.POSITIVE_INFINITY
  /** What routers advertise for IPv6, or 0. */
  #advertised = 0

  /**
   * `changed` is told of another MTU, and whether the one before carried IPv6; `advertisedChanged`
   * of another one that routers advertise.
   */
  constructor(
    link: Link,
    name: string,
    mtu: number,
    changed: (carriedIpv6: boolean) => void,
    advertisedChanged: () => void,
  ) {
    this.#link = link
    this.#name = name
    this.#value = mtu
    this.#changed = changed
    this.#advertisedChanged = advertisedChanged
  }

  get value(): number {
    return this.#value
  }

  /** For a family: routers may advertise less for IPv6 (RFC 4861 section 6.3.4). */
  of(family: number): number {
    return family === 6 && this.#advertised !== 0 ? Math.min(this.#value, this.#advertised) : this.#value
  }

  /** RFC 8200 section 5. */
  get carriesIpv6(): boolean {
    return this.#value >= MIN_PMTU6
  }

  get advertised(): number {
    return this.#advertised
  }

  set advertised(mtu: number) {
    if (mtu === this.#advertised) return
    this.#advertised = mtu
    this.#advertisedChanged()
  }

  /** @throws {RangeError} below 68 (RFC 791), or above the link's MTU */
  set(mtu: number): void {
    const most = this.#link.mtu
    if (!Number.isInteger(mtu) || mtu < 68 || mtu > most)
      throw new RangeError(
        `MTU ${mtu} of ${this.#name} is out of range: 68 (IPv4's minimum, RFC 791) to ${most} (the link's).`,
      )
    this.#limit = mtu < most ? mtu : Number.POSITIVE_INFINITY
    this.#use(mtu)
  }

  /** The link may have another MTU now. */
  follow(): void {
    this.#use(Math.min(this.#link.mtu, this.#limit))
  }

  #use(mtu: number): void {
    if (mtu === this.#value) return
    const carried = this.carriesIpv6
    this.#value = mtu
    this.#changed(carried)
  }
}
