import type { Address } from '../../src/base/address.ts'
import type { Route } from '../../src/ip/routing/route-table.ts'

/**
 * The best route of a list, looked for one by one: longest prefix, then lowest metric, then the one
 * that was added first.
 */
export function slowLookup(routes: readonly Route[], to: Address, nic: number): Route | null {
  let best: Route | null = null
  for (const route of routes) {
    if (route.prefix.family !== to.family || !route.prefix.contains(to)) continue
    if ((nic !== 0 && route.nic.index !== nic) || !route.nic.isUp) continue
    const better =
      best === null ||
      route.prefix.length > best.prefix.length ||
      (route.prefix.length === best.prefix.length && route.metric < best.metric)
    if (better) best = route
  }
  return best
}
