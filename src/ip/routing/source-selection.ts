/**
 * The source address for a destination over a route. IPv4: Linux's inet_select_addr. IPv6: RFC 6724
 * section 5.
 */
import { type Address, isLoopback, MAPPED } from '../../base/address.ts'
import type { NicAddress } from '../nic/nic-address.ts'
import type { NicList, RouteNic } from './route-nic.ts'
import type { Route } from './route-table.ts'

const LINK_LOCAL_SCOPE = 2
const GLOBAL_SCOPE = 14

/**
 * The address of this host to send from; `null` without one. In IPv6 `over` is the nic whose
 * addresses are preferred, by default the route's.
 */
export function selectSource(
  nics: NicList,
  route: Route,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  over: RouteNic = route.nic,
): Address | null {
  if (route.source !== null) return route.source
  return w2 === MAPPED && w0 === 0 && w1 === 0
    ? selectSource4(nics, route, w3)
    : selectSource6(nics, over, w0, w1, w2, w3)
}

/**
 * The nic's first address whose prefix holds the next hop, else its first, else any nic's (Linux:
 * inet_select_addr). 127.0.0.0/8 has a route with a source.
 */
function selectSource4(nics: NicList, route: Route, word: number): Address | null {
  const hop = route.gateway
  let first: Address | null = null
  for (const { address, prefix } of route.nic.addresses) {
    if (address.family !== 4) continue
    if (hop === null ? prefix.containsWords(0, 0, MAPPED, word) : prefix.contains(hop)) return address
    first ??= address
  }
  if (first !== null) return first
  for (const nic of nics) {
    if (nic === undefined || nic.isLoopback) continue
    for (const { address } of nic.addresses) if (address.family === 4 && !address.isLinkLocal) return address
  }
  return null
}

/**
 * RFC 6724 section 5 as far as it distinguishes here: same address, scope, not deprecated, outgoing
 * nic, label, temporary, longest common prefix.
 */
function selectSource6(nics: NicList, over: RouteNic, w0: number, w1: number, w2: number, w3: number): Address | null {
  let best: Address | null = null
  let bestScore = -1
  const wanted = scope6(w0, w1, w2, w3)
  const wantedLabel = label6(w0, w1, w2)
  for (const nic of nics) {
    if (nic === undefined || !nic.isUp) continue
    const outgoing = nic === over
    const { addresses } = nic
    // Of equal ones the last that was added: Linux keeps a nic's list newest first within a scope
    // (ipv6_link_dev_addr), and takes the first.
    for (let index = addresses.length - 1; index >= 0; index--) {
      const { address, prefix, deprecated, temporary } = addresses[index] as NicAddress
      if (address.family !== 6) continue
      // Link-local addresses, and all for link-local and multicast destinations, come from the
      // outgoing nic (RFC 6724 section 4).
      if (!outgoing && (address.isLinkLocal || wanted <= LINK_LOCAL_SCOPE || w0 >>> 24 === 0xff)) continue
      const scope = scope6(address.w0, address.w1, address.w2, address.w3)
      // Rule 2: the smallest scope that is large enough; without one, the largest.
      const scopeScore = scope >= wanted ? 32 - (scope - wanted) : scope
      const sameLabel = label6(address.w0, address.w1, address.w2) === wantedLabel
      // Rule 8 counts no bits of the interface identifier.
      const common = Math.min(commonPrefix(address, w0, w1, w2, w3), prefix.length)
      // Rules 3 (not a deprecated one), 5 (the outgoing nic's), 6 (of the same label), 7 (a
      // temporary one) and 8.
      const better = (deprecated ? 0 : 8) + (outgoing ? 4 : 0) + (sameLabel ? 2 : 0) + (temporary ? 1 : 0)
      const score = (scopeScore << 12) + (better << 8) + common
      if (score > bestScore) {
        bestScore = score
        best = address
      }
    }
  }
  return best
}

/** RFC 6724 section 3.1, RFC 4291 section 2.7. */
function scope6(w0: number, w1: number, w2: number, w3: number): number {
  if (w0 >>> 24 === 0xff) return (w0 >>> 16) & 15
  if (w0 >>> 22 === 0x3fa || isLoopback(w0, w1, w2, w3)) return LINK_LOCAL_SCOPE
  return GLOBAL_SCOPE
}

/**
 * RFC 6724 section 2.1: addresses of one kind of connectivity. (::1 and mapped addresses never come
 * here.)
 */
function label6(w0: number, w1: number, w2: number): number {
  if (w0 >>> 16 === 0x2002) return 2
  if (w0 === 0x20010000) return 5
  if (w0 >>> 25 === 0xfc >>> 1) return 13
  if (w0 >>> 22 === 0xfec0 >>> 6) return 11
  if (w0 >>> 16 === 0x3ffe) return 12
  return w0 === 0 && w1 === 0 && w2 === 0 ? 3 : 1
}

/** Leading bits that two addresses share, 0 to 128. */
function commonPrefix(a: Address, w0: number, w1: number, w2: number, w3: number): number {
  if (a.w0 !== w0) return Math.clz32(a.w0 ^ w0)
  if (a.w1 !== w1) return 32 + Math.clz32(a.w1 ^ w1)
  if (a.w2 !== w2) return 64 + Math.clz32(a.w2 ^ w2)
  return 96 + Math.clz32(a.w3 ^ w3)
}
