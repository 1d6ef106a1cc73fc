/**
 * Broadcast domains and their subnets: given, or numbered 10.0.0.0/24, 10.0.1.0/24, … and
 * fd00::/64, fd00:0:0:1::/64, …
 */
import { Address, type Cidr, type Family, MAPPED, Prefix, parseCidr } from '../../base/address.ts'
import type { Member, RoutedDomain } from './routed.ts'

/** 10.0.0.0/24 to 10.255.255.0/24. */
const NUMBERED = 65_536

export class Domain implements RoutedDomain {
  prefixes: readonly Prefix[] = []
  readonly members: Member[] = []
  cost = 1
  readonly #taken = new Set<string>()
  #next = 1

  /** The next address of a subnet that nobody has. */
  newAddress(prefix: Prefix): Cidr {
    for (;;) {
      const address = addressAt(prefix, this.#next)
      if (address === null)
        throw new RangeError(
          `The subnet ${prefix} is full: give a larger one, such as ${prefix.address}/${prefix.length - 4}.`,
        )
      if (this.take(address)) return { address, prefix }
      this.#next++
    }
  }

  /** Ends the round of addresses of one host, so that the next one gets other numbers. */
  nextHost(): void {
    this.#next++
  }

  /** `false` when somebody has it. */
  take(address: Address): boolean {
    const key = address.toString()
    if (this.#taken.has(key)) return false
    this.#taken.add(key)
    return true
  }
}

/** Hands out subnets, each once. */
export class Subnets {
  readonly #used: Prefix[] = []
  #next = 0

  /**
   * The prefixes of given subnets.
   * @throws {TypeError} for text that is none, {RangeError} for one that overlaps another
   */
  given(texts: readonly string[]): Prefix[] {
    return texts.map((text) => {
      const { address, prefix } = parseCidr(text)
      if (!address.equals(prefix.address))
        throw new TypeError(`${text} is no subnet: bits are set behind its length. Did you mean ${prefix}?`)
      this.claim(prefix)
      return prefix
    })
  }

  /** @throws {RangeError} when it overlaps another */
  claim(prefix: Prefix): void {
    const other = this.#used.find((each) => overlap(each, prefix)) ?? this.#numberedOverlap(prefix)
    if (other !== undefined)
      throw new RangeError(`The subnet ${prefix} overlaps ${other}, which another part of the network has.`)
    this.#used.push(prefix)
  }

  /** The next free numbered subnets, one of each family. */
  next(families: readonly Family[]): Prefix[] {
    while (this.#next < NUMBERED) {
      const number = this.#next++
      const prefixes = families.map((family) => numbered(family, number))
      if (!prefixes.some((prefix) => this.#used.some((each) => overlap(each, prefix)))) return prefixes
    }
    throw new RangeError('All subnets of 10.0.0.0/8 are used: give the others subnets of your own.')
  }

  #numberedOverlap(prefix: Prefix): Prefix | undefined {
    const { w0, w1, w3 } = prefix.address
    const number = prefix.family === 4 ? (w3 >>> 8) & 0xffff : w1
    const inside = numbered(prefix.family, number)
    // A shorter prefix may hold any of them; those in use are the first ones.
    const first = numbered(prefix.family, 0)
    if (this.#next > 0 && (prefix.contains(first.address) || (number < this.#next && overlap(inside, prefix))))
      return prefix.contains(first.address) ? first : inside
    return w0 === 0 && prefix.length === 0 && this.#next > 0 ? first : undefined
  }
}

function numbered(family: Family, number: number): Prefix {
  return family === 4
    ? new Prefix(Address.fromIPv4(0x0a000000 | (number << 8)), 24)
    : new Prefix(new Address(0xfd000000, number, 0, 0), 64)
}

function overlap(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && (a.contains(b.address) || b.contains(a.address))
}

/**
 * The address with this number in a subnet; `null` beyond its end and for its broadcast address.
 */
function addressAt(prefix: Prefix, number: number): Address | null {
  const { w0, w1, w2, w3 } = prefix.address
  // A /31 (RFC 3021) and a /127 (RFC 6164) have two hosts, and no address besides.
  const isPair = prefix.length === (prefix.family === 4 ? 31 : 127)
  const address = new Address(w0, w1, w2, (w3 >>> 0) + number - (isPair ? 1 : 0))
  if (!prefix.contains(address) || (prefix.family === 4 && w2 !== MAPPED)) return null
  return prefix.broadcast?.equals(address) ? null : address
}
