import { expect, test } from 'vitest'
import { withoutFlowsOf } from '../../src/namespaces/taken-hosts.ts'
import { checkScenario } from '../../src/network/scenario/scenario.ts'

const scenario = checkScenario({
  hosts: { a: { echo: [7] }, b: {}, c: {} },
  segments: { lan: {} },
  links: [{ between: ['a', 'lan'] }, { between: ['b', 'lan'] }, { between: ['c', 'lan'] }],
  flows: [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
    { from: 'c', to: 'a' },
  ],
})

test('flows from and to a taken host are left out, and its echo service is; both are told', () => {
  const { scenario: left, notes } = withoutFlowsOf(scenario, ['a', 'a'])
  expect(left.flows).toEqual([{ from: 'b', to: 'c' }])
  expect(notes).toEqual([
    'a is a namespace of the kernel: its echo service is left out',
    '2 of 3 flows left out: programs run on the hosts that they begin or end at',
  ])
})

test('a scenario without such flows is as it was', () => {
  const plain = { ...scenario, flows: [{ from: 'a', to: 'b' }] }
  expect(withoutFlowsOf(plain, ['c'])).toEqual({ scenario: plain, notes: [] })
})
