import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Member, RoutedDomain, RoutedNode } from '../../../src/network/addressing/routed.ts'
import { RouterMap } from '../../../src/network/addressing/router-ways.ts'
import { slowWays } from '../../twins/ways.ts'

const ROUTERS = 7

interface Plan {
  readonly cost: number
  /** Numbers of the nodes in the domain, hosts from 7 on, and whether their nics are up. */
  readonly members: readonly (readonly [node: number, isUp: boolean])[]
}

function network(plans: readonly Plan[]) {
  const nodes = Array.from({ length: ROUTERS + 3 }, (_, index) => {
    const places: { domain: RoutedDomain; member: Member }[] = []
    return { forwards: index < ROUTERS, places } as unknown as RoutedNode & { places: typeof places }
  })
  const domains = plans.map(({ cost, members: planned }): RoutedDomain => {
    const members: Member[] = []
    const domain = { prefixes: [], members, cost }
    for (const [number, isUp] of planned) {
      const node = nodes[number] as (typeof nodes)[0]
      const member = { node, nic: { isUp } as Member['nic'], gateways: [] }
      members.push(member)
      node.places.push({ domain, member })
    }
    return domain
  })
  return { routers: nodes.slice(0, ROUTERS), domains }
}

const plan = fc.record({
  cost: fc.integer({ min: 1, max: 3 }),
  nodes: fc.array(fc.nat(ROUTERS + 2), { minLength: 1, maxLength: 4 }),
})

test('ways to all domains are those of the slow twin, in its order, also when nics go down later', () => {
  const withDown = fc.record({ plans: fc.array(plan, { maxLength: 16 }), down: fc.array(fc.nat(40), { maxLength: 6 }) })
  fc.assert(
    fc.property(withDown, ({ plans, down }) => {
      let at = 0
      const { routers, domains } = network(
        plans.map(({ cost, nodes }) => ({ cost, members: nodes.map((node) => [node, !down.includes(at++)] as const) })),
      )
      const map = new RouterMap(domains)
      const slow = routers.map(slowWays)
      const fast = routers.map((router) => map.waysFrom(router))
      for (const { members } of domains) for (const { nic } of members) (nic as { isUp: boolean }).isUp = !nic.isUp
      for (const [index, ways] of fast.entries()) {
        const expected = slow[index] as ReturnType<typeof slowWays>
        expect([...ways].map(([domain]) => domains.indexOf(domain))).toEqual(
          [...expected.keys()].map((domain) => domains.indexOf(domain)),
        )
        for (const domain of domains) {
          const [one, other] = [ways.get(domain), expected.get(domain)]
          expect([one?.cost, one?.nic === other?.nic, one?.via === other?.via]).toEqual([other?.cost, true, true])
        }
      }
    }),
    { seed: 17, numRuns: 400 },
  )
})
