/** Literal addresses with their zones, read as libuv reads them. */
import { isIP } from '#platform'
import { Address } from '../../base/address.ts'
import type { Stack } from '../../stack.ts'

/** An address with the index of its zone's nic, 0 without one. */
export interface Scoped {
  readonly address: Address
  readonly nic: number
}

/**
 * The address and the zone of a text that `net.isIP` refuses for its zone alone, and which
 * getaddrinfo takes: the name of an interface may have characters that Node does not know in a zone
 * (`fe80::1%my_nic`). `null` for other text.
 */
export function unusualZone(text: string): { address: string; zone: string } | null {
  const percent = text.indexOf('%')
  if (percent < 0 || isIP(text) !== 0 || isIP(text.slice(0, percent)) !== 6) return null
  return { address: Address.parse(text.slice(0, percent)).toString(), zone: text.slice(percent + 1) }
}

/**
 * Addresses without a zone, by their text. One memory for all stacks, to which they are the same:
 * of ten thousand hosts each writes to others again, and reading a text costs 4 µs (Node 20).
 */
const parsed = new Map<string, Scoped>()
const PARSED_LIMIT = 16_384

/** Reads addresses for the sockets of one stack. */
export class AddressReader {
  readonly #stack: Stack

  constructor(stack: Stack) {
    this.#stack = stack
  }

  /**
   * Whatever is behind `%` is the name of an interface, and one that does not exist (a number,
   * nothing) is none. `null` for other text.
   */
  parse(text: string): Scoped | null {
    const known = parsed.get(text)
    if (known !== undefined) return known
    const percent = text.indexOf('%')
    const host = percent < 0 ? text : text.slice(0, percent)
    const address = isIP(host) === 0 ? null : Address.tryParse(host)
    if (address === null || (percent >= 0 && !host.includes(':'))) return null
    if (percent >= 0) return { address, nic: this.#stack.nic(text.slice(percent + 1))?.index ?? 0 }
    if (parsed.size === PARSED_LIMIT) parsed.clear()
    const read = { address, nic: 0 }
    parsed.set(text, read)
    return read
  }

  /** The same for a socket of `family`: libuv takes no text of the other one. */
  parseFor(family: 4 | 6, text: string): Scoped | null {
    return text.includes(':') === (family === 6) ? this.parse(text) : null
  }
}
