/**
 * IP addresses and prefixes of both families.
 *
 * At rest an address is four signed 32-bit words, an IPv4 address being its IPv4-mapped form
 * `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2), so that every table is one table. The words are
 * signed because V8 then keeps them as small integers: an unsigned word with the top bit set would
 * turn the field into a heap number.
 */
import { Address4, Address6 } from 'ip-address'

/** IPv4 or IPv6. */
export type Family = 4 | 6

/** The third word of every IPv4-mapped address. */
export const MAPPED = 0x0000ffff

/** An immutable IPv4 or IPv6 address without a zone. */
export class Address {
  readonly w0: number
  readonly w1: number
  readonly w2: number
  readonly w3: number
  #text = ''

  /** Four 32-bit words, most significant first; `| 0` is applied. */
  constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0 | 0
    this.w1 = w1 | 0
    this.w2 = w2 | 0
    this.w3 = w3 | 0
  }

  /** The IPv4 address whose 32 bits are `word`. */
  static fromIPv4(word: number): Address {
    return new Address(0, 0, MAPPED, word)
  }

  /** Reads 4 or 16 bytes as they are on the wire. */
  static fromBytes(bytes: ArrayLike<number>): Address {
    const word = (at: number) =>
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    if (bytes.length === 4) return Address.fromIPv4(word(0))
    if (bytes.length === 16) return new Address(word(0), word(4), word(8), word(12))
    throw new RangeError(`An address has 4 or 16 bytes, not ${bytes.length}.`)
  }

  /**
   * Reads `192.0.2.1` or `2001:db8::1` (any legal form of RFC 4291 section 2.2); no zone, no prefix
   * length, no leading zeros in IPv4.
   * @throws {TypeError} when the text is no address
   */
  static parse(text: string): Address {
    const address = Address.tryParse(text)
    if (address === null)
      throw new TypeError(
        `Not an IP address: '${text}'. Expected an IPv4 address such as 192.0.2.1 or an IPv6 address such ` +
          'as 2001:db8::1.',
      )
    return address
  }

  /** As {@link Address.parse}, with `null` for text that is no address. */
  static tryParse(text: string): Address | null {
    if (typeof text !== 'string' || text.includes('/') || text.includes('%') || text.includes('[')) return null
    try {
      if (!text.includes(':'))
        return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && !/(^|\.)0\d/.test(text)
          ? Address.fromBytes(new Address4(text).toArray())
          : null
      const bytes = new Address6(text).toUnsignedByteArray()
      return Address.fromBytes([...new Array<number>(16 - bytes.length).fill(0), ...bytes])
    } catch {
      return null
    }
  }

  get family(): Family {
    return this.w0 === 0 && this.w1 === 0 && this.w2 === MAPPED ? 4 : 6
  }

  equals(other: Address): boolean {
    return this.w3 === other.w3 && this.w2 === other.w2 && this.w1 === other.w1 && this.w0 === other.w0
  }

  is(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.w3 === w3 && this.w2 === w2 && this.w1 === w1 && this.w0 === w0
  }

  /** `0.0.0.0` or `::`. */
  get isUnspecified(): boolean {
    return isUnspecified(this.w0, this.w1, this.w2, this.w3)
  }

  /** 127.0.0.0/8 or `::1`. */
  get isLoopback(): boolean {
    return isLoopback(this.w0, this.w1, this.w2, this.w3)
  }

  /** 224.0.0.0/4 or ff00::/8. */
  get isMulticast(): boolean {
    return isMulticast(this.w0, this.w1, this.w2, this.w3)
  }

  /** 169.254.0.0/16 or fe80::/10. */
  get isLinkLocal(): boolean {
    return isLinkLocal(this.w0, this.w1, this.w2, this.w3)
  }

  /** The limited broadcast address 255.255.255.255. */
  get isLimitedBroadcast(): boolean {
    return this.w3 === -1 && this.family === 4
  }

  /** 4 or 16 bytes in network order. */
  toBytes(): Uint8Array {
    const view = new DataView(new ArrayBuffer(this.family === 4 ? 4 : 16))
    this.write(view, 0)
    return new Uint8Array(view.buffer)
  }

  /** Writes the 4 or 16 bytes of this address at `at`. */
  write(view: DataView, at: number): void {
    if (this.family === 4) view.setInt32(at, this.w3)
    else {
      view.setInt32(at, this.w0)
      view.setInt32(at + 4, this.w1)
      view.setInt32(at + 8, this.w2)
      view.setInt32(at + 12, this.w3)
    }
  }

  /** Dotted decimal, or the canonical IPv6 text of RFC 5952; made once. */
  toString(): string {
    if (this.#text === '') this.#text = formatWords(this.w0, this.w1, this.w2, this.w3)
    return this.#text
  }

  toJSON(): string {
    return this.toString()
  }

  /** `0.0.0.0`. */
  static readonly ANY4: Address = Address.fromIPv4(0)
  /** `::`. */
  static readonly ANY6: Address = new Address(0, 0, 0, 0)
  static readonly LOOPBACK4: Address = Address.fromIPv4(0x7f000001)
  static readonly LOOPBACK6: Address = new Address(0, 0, 0, 1)
  static readonly BROADCAST4: Address = Address.fromIPv4(-1)
}

export function isUnspecified(w0: number, w1: number, w2: number, w3: number): boolean {
  return w3 === 0 && (w2 === MAPPED || w2 === 0) && w1 === 0 && w0 === 0
}

export function isLoopback(w0: number, w1: number, w2: number, w3: number): boolean {
  return w0 === 0 && w1 === 0 && ((w2 === MAPPED && w3 >>> 24 === 127) || (w2 === 0 && w3 === 1))
}

export function isMulticast(w0: number, w1: number, w2: number, w3: number): boolean {
  return w0 >>> 24 === 0xff || (w2 === MAPPED && w0 === 0 && w1 === 0 && w3 >>> 28 === 0xe)
}

export function isLinkLocal(w0: number, w1: number, w2: number, w3: number): boolean {
  return w0 >>> 22 === 0x3fa || (w2 === MAPPED && w0 === 0 && w1 === 0 && w3 >>> 16 === 0xa9fe)
}

/** An address as text from its words, for places that hold no {@link Address}. */
export function formatWords(w0: number, w1: number, w2: number, w3: number): string {
  if (w0 === 0 && w1 === 0 && w2 === MAPPED) return `${w3 >>> 24}.${(w3 >>> 16) & 255}.${(w3 >>> 8) & 255}.${w3 & 255}`
  const groups = [w0 >>> 16, w0 & 0xffff, w1 >>> 16, w1 & 0xffff, w2 >>> 16, w2 & 0xffff, w3 >>> 16, w3 & 0xffff]
  // RFC 5952 section 4.2: the first longest run of at least two zero groups becomes "::".
  let longestAt = -1
  let longest = 1
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && groups[at + length] === 0) length++
    if (length > longest) {
      longest = length
      longestAt = at
    }
    at += length
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  return longestAt < 0 ? hex(0, 8) : `${hex(0, longestAt)}::${hex(longestAt + longest, 8)}`
}

/**
 * The same for an address in an IPv6 header, where a mapped one is one of IPv6 (RFC 5952 section
 * 5).
 */
export function formatWords6(w0: number, w1: number, w2: number, w3: number): string {
  const text = formatWords(w0, w1, w2, w3)
  return w0 === 0 && w1 === 0 && w2 === MAPPED ? `::ffff:${text}` : text
}

/** The masks of a length in the 128-bit form, most significant first: one for all its prefixes. */
type Masks = readonly [number, number, number, number]

const MASKS: readonly Masks[] = Array.from({ length: 129 }, (_, length) => {
  const mask = (index: number) => {
    const ones = Math.min(32, Math.max(0, length - index * 32))
    return ones === 0 ? 0 : -1 << (32 - ones)
  }
  return [mask(0), mask(1), mask(2), mask(3)]
})

/** The masks of a prefix of `length` bits, 0 to 128; those of IPv4 begin at 96. */
export function masksOf(length: number): Masks {
  return MASKS[length] as Masks
}

/** A CIDR prefix: an address whose host bits are zero, and a length. */
export class Prefix {
  /** The first address of the prefix. */
  readonly address: Address
  /** Bits of the family's own address: 0 to 32, or 0 to 128. */
  readonly length: number
  readonly #masks: Masks

  /** @throws {RangeError} when the length does not fit the family */
  constructor(address: Address, length: number) {
    const bits = address.family === 4 ? 32 : 128
    if (!Number.isInteger(length) || length < 0 || length > bits)
      throw new RangeError(
        `Prefix length ${length} of ${address} is out of range: 0 to ${bits} for IPv${address.family}.`,
      )
    this.#masks = masksOf(length + 128 - bits)
    this.length = length
    this.address = address
    if (this.contains(address)) return
    const [m0, m1, m2, m3] = this.#masks
    this.address = new Address(address.w0 & m0, address.w1 & m1, address.w2 & m2, address.w3 & m3)
  }

  /**
   * Reads `192.0.2.0/24`; host bits are cleared, a missing length means one host.
   * @throws {TypeError} when the text is no prefix
   */
  static parse(text: string): Prefix {
    return parseCidr(text).prefix
  }

  get family(): Family {
    return this.address.family
  }

  contains(address: Address): boolean {
    return this.containsWords(address.w0, address.w1, address.w2, address.w3)
  }

  containsWords(w0: number, w1: number, w2: number, w3: number): boolean {
    const [m0, m1, m2, m3] = this.#masks
    const own = this.address
    return (w3 & m3) === own.w3 && (w2 & m2) === own.w2 && (w1 & m1) === own.w1 && (w0 & m0) === own.w0
  }

  equals(other: Prefix): boolean {
    return this.length === other.length && this.address.equals(other.address)
  }

  /** The directed broadcast address; `null` for IPv6 and for /31 and /32 (RFC 3021). */
  get broadcast(): Address | null {
    if (this.family === 6 || this.length > 30) return null
    return Address.fromIPv4(this.address.w3 | (0xffffffff >>> this.length))
  }

  toString(): string {
    return `${this.address}/${this.length}`
  }
}

/** An interface address with its prefix, as `ip address add` takes it. */
export type Cidr = { readonly address: Address; readonly prefix: Prefix }

/**
 * Reads `192.0.2.7/24` into the address and its prefix; without a length the prefix is the address
 * alone.
 * @throws {TypeError} when the text is no address with a prefix length
 */
export function parseCidr(text: string): Cidr {
  const slash = text.indexOf('/')
  const address = Address.tryParse(slash < 0 ? text : text.slice(0, slash))
  const lengthText = slash < 0 ? '' : text.slice(slash + 1)
  if (address === null || (slash >= 0 && !/^\d{1,3}$/.test(lengthText)))
    throw new TypeError(
      `Not an address with a prefix length: '${text}'. Expected for example 192.0.2.7/24 or 2001:db8::7/64.`,
    )
  return { address, prefix: new Prefix(address, slash < 0 ? (address.family === 4 ? 32 : 128) : Number(lengthText)) }
}

/**
 * `fe80::1%eth0` into the address and its zone (RFC 4007 section 11); the zone is `''` when there
 * is none; `null` when it is no address.
 */
export function parseScoped(text: string): { address: Address; zone: string } | null {
  const percent = text.indexOf('%')
  const address = Address.tryParse(percent < 0 ? text : text.slice(0, percent))
  if (address === null || (percent >= 0 && address.family === 4)) return null
  return { address, zone: percent < 0 ? '' : text.slice(percent + 1) }
}
