/** The check of a received packet's source against the routes: RFC 3704, Linux's rp_filter. */
import { isLinkLocal } from '../../base/address.ts'
import type { Packet } from '../../base/packet.ts'
import type { RouteTable } from './route-table.ts'

/**
 * `loose` discards a packet whose source no route leads to, `strict` one whose source is reached by
 * another nic than it came by.
 */
export type ReversePath = 'off' | 'loose' | 'strict'

export class ReversePathFilter {
  readonly isOff: boolean
  readonly #isStrict: boolean
  readonly #routes: RouteTable

  constructor(mode: ReversePath, routes: RouteTable) {
    this.isOff = mode === 'off'
    this.#isStrict = mode === 'strict'
    this.#routes = routes
  }

  /** Whether the source is reached at all (loose), and by the nic with this index (strict). */
  expects(packet: Packet, nic: number): boolean {
    if (this.isOff) return true
    const { s0, s1, s2, s3 } = packet
    if (isLinkLocal(s0, s1, s2, s3)) return true
    const route = this.#routes.lookup(s0, s1, s2, s3, 0)
    if (route === null || route.kind !== 'unicast') return false
    return !this.#isStrict || this.#routes.lookup(s0, s1, s2, s3, nic)?.prefix.length === route.prefix.length
  }
}
