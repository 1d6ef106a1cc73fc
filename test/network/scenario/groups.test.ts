import { expect, test } from 'vitest'
import { buildScenario, checkScenario, type Scenario } from '../../../src/network/scenario/scenario.ts'

const build = (more: Partial<Scenario>) =>
  buildScenario(checkScenario({ hosts: { a: null, b: null }, links: [{ between: ['a', 'b'] }], ...more })).close()

test('what is no group, and what no host can share, is said with its place', () => {
  expect(() => build({ hosts: { a: { groups: ['10.0.0.1'] }, b: null } })).toThrow(
    'hosts.a.groups[0]: 10.0.0.1 is no multicast group, such as 239.1.2.3 or ff15::1',
  )
  expect(() => build({ anycast: { '10.0.0.9': ['a', 'b'] } })).toThrow(
    'anycast.10.0.0.9: The subnet 10.0.0.9/32 overlaps',
  )
  expect(() => build({ anycast: { '192.0.2.53': ['a', 'x'] } })).toThrow('anycast.192.0.2.53: No node is named x')
  expect(() => build({ anycast: { '192.0.2.53': ['a'] } })).toThrow('anycast')
})

test('a host, or a router on all its links, may be in groups of both families', () => {
  build({ hosts: { a: { groups: ['239.1.2.3', 'ff15::1'] }, b: null } })
  build({ routers: { r: { groups: ['239.1.2.3'] } }, links: [{ between: ['a', 'r'] }, { between: ['r', 'b'] }] })
})
