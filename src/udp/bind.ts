/** Which addresses an endpoint may be bound to: Linux's inet_bind and inet6_bind. */
import type { Address } from '../base/address.ts'
import type { Errno } from './errno.ts'

/** What the rules ask of the host. */
export interface BindHost {
  isLocal(w0: number, w1: number, w2: number, w3: number): boolean
  /** Whether an IPv4 word is a broadcast address of the host. */
  isBroadcast4(word: number): boolean
  nicByIndex(index: number): { hasAddress(address: Address): boolean } | undefined
}

/** What the rules ask of an endpoint. */
export interface Bindable {
  readonly family: 4 | 6
  readonly ipv6Only: boolean
}

/**
 * Whether an IPv6 address means nothing without a link: a link-local one, and groups of scope 1 and
 * 2 (Linux: __ipv6_addr_needs_scope_id).
 */
export function needsNic(address: Address): boolean {
  if (address.family === 4) return false
  const scope = (address.w0 >>> 16) & 15
  return address.isLinkLocal || (address.isMulticast && (scope === 1 || scope === 2))
}

/**
 * Own addresses, groups and broadcast addresses may be bound to; a link-local one on its own nic
 * only. `over` is the nic, 0 for none.
 */
export function checkBind(host: BindHost, endpoint: Bindable, address: Address, over: number): Errno {
  if (endpoint.family === 4 && address.family === 6 && !address.isUnspecified) return 'EAFNOSUPPORT'
  if (endpoint.family === 6 && address.family === 4 && endpoint.ipv6Only) return 'EINVAL'
  if (needsNic(address) && over === 0) return 'EINVAL'
  return address.isUnspecified || address.isMulticast || isOwn(host, address, over) ? '' : 'EADDRNOTAVAIL'
}

/**
 * IPv6 addresses of less than global scope, ::1 among them, are their nic's (Linux: ipv6_chk_addr).
 */
function isOwn(host: BindHost, address: Address, over: number): boolean {
  const { w0, w1, w2, w3 } = address
  if (address.family === 4) return host.isLocal(w0, w1, w2, w3) || host.isBroadcast4(w3)
  if (address.isLinkLocal || (over !== 0 && address.isLoopback))
    return host.nicByIndex(over)?.hasAddress(address) ?? false
  return host.isLocal(w0, w1, w2, w3)
}

/**
 * What an endpoint that is bound to the address sends from; `null` when the route decides, as for
 * groups and broadcast addresses. But a udp6 endpoint's mapped group or broadcast address stays its
 * source, from which Linux then sends nothing (EINVAL).
 */
export function sourceOf(host: BindHost, endpoint: Bindable, address: Address): Address | null {
  if (address.isUnspecified) return endpoint.family === 6 && address.family === 4 ? address : null
  if (endpoint.family === 6 && address.family === 4) return address
  return address.isMulticast || (address.family === 4 && host.isBroadcast4(address.w3)) ? null : address
}
