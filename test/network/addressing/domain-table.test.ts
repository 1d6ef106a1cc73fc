import { expect, test } from 'vitest'
import { Subnets } from '../../../src/network/addressing/domain.ts'
import { checkIpv6Mtu, DomainTable } from '../../../src/network/addressing/domain-table.ts'
import type { Member } from '../../../src/network/addressing/routed.ts'

const [host, other, sw1, sw2] = ['host', 'other', 'sw1', 'sw2'].map((name) => ({ name })) as [
  { name: string },
  { name: string },
  { name: string },
  { name: string },
]

function withSwitches(first: object = {}, second: object = {}): DomainTable {
  const table = new DomainTable(new Subnets())
  table.add(sw1, first)
  table.add(sw2, second)
  return table
}

test('two hosts have a domain of their own, and all hosts of a switch share one', () => {
  const table = withSwitches()
  expect(table.ofCable(host, other, {})).not.toBe(table.ofCable(host, other, {}))
  expect(table.ofCable(host, sw1, {})).toBe(table.ofCable(sw1, other, {}))
  expect(table.ofCable(host, sw1, {})).not.toBe(table.ofCable(host, sw2, {}))
})

test('two switches that are joined have one domain, which keeps the subnet of either', () => {
  const table = withSwitches({}, { subnet: '192.168.0.0/24' })
  const joined = table.ofCable(sw1, sw2, {})
  expect(joined.prefixes.map(String)).toEqual(['192.168.0.0/24'])
  expect(table.ofCable(host, sw1, {})).toBe(joined)
  expect(table.ofCable(host, sw2, {})).toBe(joined)
  expect(() => table.ofCable(sw2, sw1, {})).toThrow('a loop of switches')
})

test('domains that cannot join are refused', () => {
  const both = withSwitches({ subnet: '192.168.0.0/24' }, { subnet: '192.168.1.0/24' })
  expect(() => both.ofCable(sw1, sw2, {})).toThrow('sw1 and sw2 have a subnet each')
  const used = withSwitches()
  for (const node of [sw1, sw2]) used.ofCable(host, node, {}).members.push({} as Member)
  expect(() => used.ofCable(sw1, sw2, {})).toThrow('connect switches before hosts')
})

test('a subnet belongs to the switch, and errors name the option', () => {
  const table = withSwitches()
  expect(() => table.ofCable(host, sw1, { subnet: '10.1.0.0/24' })).toThrow('subnet: The subnet belongs to sw1')
  expect(() => table.create({ subnet: '10.1.0.1/24' })).toThrow(/^subnet: 10\.1\.0\.1\/24 is no subnet/)
  expect(() => checkIpv6Mtu(['10.1.0.0/24', '2001:db8::/64'], 1279)).toThrow(
    'subnet: 2001:db8::/64 cannot be used here',
  )
  checkIpv6Mtu('2001:db8::/64', 1280)
  checkIpv6Mtu('10.1.0.0/24', 576)
})
