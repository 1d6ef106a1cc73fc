/**
 * The groups that a nic is in by itself, and reports where switches hold back what nobody asked
 * for: the solicited-node groups of its addresses, and a router's (RFC 4291 section 2.8, RFC 9777
 * section 6).
 */
import { Address } from '../../base/address.ts'
import { ALL_ROUTERS, SOLICITED_NODE_0, SOLICITED_NODE_2, solicitedNode3 } from '../../wire/ndp.ts'
import type { Memberships, Subscriber } from './memberships.ts'

/** All routers of the site. */
export const SITE_ROUTERS = Address.parse('ff05::2')

export class OwnGroups {
  readonly #memberships: Memberships
  /** By the last word of the group, a count for each. */
  readonly #solicitedNodes = new Map<number, { subscriber: Subscriber; count: number }>()
  #routers: readonly Subscriber[] = []

  constructor(memberships: Memberships) {
    this.#memberships = memberships
  }

  joinSolicitedNode(address: Address): void {
    const key = solicitedNode3(address.w3)
    const known = this.#solicitedNodes.get(key)
    if (known !== undefined) {
      known.count++
      return
    }
    const subscriber = everySource(new Address(SOLICITED_NODE_0, 0, SOLICITED_NODE_2, key))
    this.#solicitedNodes.set(key, { subscriber, count: 1 })
    this.#memberships.add(subscriber)
  }

  leaveSolicitedNode(address: Address): void {
    const key = solicitedNode3(address.w3)
    const known = this.#solicitedNodes.get(key)
    if (known === undefined || --known.count > 0) return
    this.#solicitedNodes.delete(key)
    this.#memberships.remove(known.subscriber)
  }

  /** Whether the nic is a router's. */
  set isRouter(isRouter: boolean) {
    if (isRouter === this.#routers.length > 0) return
    if (isRouter) {
      this.#routers = [ALL_ROUTERS, SITE_ROUTERS].map(everySource)
      for (const each of this.#routers) this.#memberships.add(each)
      return
    }
    for (const each of this.#routers) this.#memberships.remove(each)
    this.#routers = []
  }
}

function everySource(group: Address): Subscriber {
  return { group, exclude: true, sources: [] }
}
