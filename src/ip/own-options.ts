/** The IPv4 options that a program gives its own datagrams: checked once, when it sets them. */
import {
  END,
  LOOSE_SOURCE_ROUTE,
  MAX_OPTIONS,
  NO_OPERATION,
  RECORD_ROUTE,
  STRICT_SOURCE_ROUTE,
  TIMESTAMP,
} from './ipv4-options.ts'

/** Options of a program's own datagrams. */
export interface OwnOptions {
  /** As the program gave them, padded to a multiple of 4. */
  readonly given: Uint8Array
  /**
   * As they go out. A source route lacks its first hop there, which is the destination in the
   * header, and ends with the slot at {@link last}.
   */
  readonly sent: Uint8Array
  /** The first hop of a source route, as a word; 0 without one. */
  readonly firstHop: number
  /**
   * Offset in {@link sent} of the route's last slot, for the address that the datagram is for in
   * the end.
   */
  readonly last: number
  /** The first hop must be on a link of this host. */
  readonly strict: boolean
}

/**
 * Checks options that a program wants to send, source routes included (Linux: ip_options_compile
 * without a packet).
 * @returns `null` when they are too long or malformed, or have two source routes (RFC 1812 section
 *   5.2.4.1)
 */
export function checkOwn(options: Uint8Array): OwnOptions | null {
  if (options.length > MAX_OPTIONS) return null
  const padded = new Uint8Array((options.length + 3) & ~3)
  padded.set(options)
  let route = -1
  for (let at = 0; at < padded.length && padded[at] !== END; ) {
    const type = padded[at] as number
    const length = type === NO_OPERATION ? 1 : (padded[at + 1] ?? 0)
    if (length < 1 || (type !== NO_OPERATION && length < 2) || at + length > padded.length) return null
    if (type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE) {
      if (route >= 0 || length < 7 || (length - 3) % 4 !== 0 || padded[at + 2] !== 4) return null
      route = at
    }
    if (type === RECORD_ROUTE && (length < 7 || (padded[at + 2] as number) < 4)) return null
    if (type === TIMESTAMP && (length < 8 || (padded[at + 2] as number) < 5)) return null
    at += length
  }
  if (route < 0) return { given: padded, sent: padded, firstHop: 0, last: 0, strict: false }
  const sent = padded.slice()
  const last = route + (padded[route + 1] as number) - 4
  sent.copyWithin(route + 3, route + 7, last + 4)
  const firstHop = new DataView(padded.buffer).getInt32(route + 3)
  return { given: padded, sent, firstHop, last, strict: padded[route] === STRICT_SOURCE_ROUTE }
}
