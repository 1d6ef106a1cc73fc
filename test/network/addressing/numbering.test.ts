import { expect, test } from 'vitest'
import { Segment } from '../../../src/link/segment.ts'
import { Domain, Subnets } from '../../../src/network/addressing/domain.ts'
import { Numbering } from '../../../src/network/addressing/numbering.ts'
import { StackNode } from '../../../src/network/nodes/node.ts'
import { Stack } from '../../../src/stack.ts'

function make(mtu = 1500) {
  const numbering = new Numbering(new Subnets())
  const wire = new Segment({ name: 'wire', medium: 'ip', mtu })
  const add = (name: string, domain: Domain, given?: readonly string[], dad = false) => {
    const node = new StackNode(name, new Stack({ name, dad }), false)
    numbering.addNic(node, wire.link({ name: 'eth0' }), domain, given)
    node.stack.close()
    return node
  }
  return { numbering, add }
}

test('domains are numbered in turn, and their hosts alike in both families', () => {
  const { numbering, add } = make()
  const first = new Domain()
  for (const name of ['a', 'b']) add(name, first)
  add('c', new Domain())
  expect([...numbering.names]).toEqual([
    ['a', ['10.0.0.1', 'fd00::1']],
    ['b', ['10.0.0.2', 'fd00::2']],
    ['c', ['10.0.1.1', 'fd00:0:0:1::1']],
  ])
})

test('a wire below the MTU of IPv6 gets IPv4 alone, and says so when asked', () => {
  const { numbering, add } = make(1279)
  add('a', new Domain())
  expect(numbering.address('a', 4)).toBe('10.0.0.1')
  expect(() => numbering.address('a', 6)).toThrow('a has no IPv6 address: connect it first, with an MTU of 1280')
})

test('given addresses bring their subnet along, stand IPv4 first, and are taken once', () => {
  const { numbering, add } = make()
  const domain = new Domain()
  const node = add('a', domain, ['2001:db8::7/64', '192.0.2.7/24'])
  expect(numbering.names.get('a')).toEqual(['192.0.2.7', '2001:db8::7'])
  expect(domain.prefixes.map(String)).toEqual(['2001:db8::/64', '192.0.2.0/24'])
  expect(domain.members.map((member) => member.node)).toEqual([node])
  add('b', domain, ['192.0.2.8'])
  expect(numbering.address('b', 4)).toBe('192.0.2.8')
  expect(() => add('c', domain, ['192.0.2.7'])).toThrow('addresses.c: another node has the address 192.0.2.7.')
  expect(() => add('c', domain, ['198.51.100.1'])).toThrow(
    'addresses.c: 198.51.100.1 is in no subnet of its cable (2001:db8::/64, 192.0.2.0/24); add a prefix length.',
  )
})

test('who looks for duplicates may be given an address of IPv6 that another node has', () => {
  const { numbering, add } = make()
  const domain = new Domain()
  add('a', domain, ['2001:db8::7/64', '192.0.2.7/24'])
  expect(() => add('b', domain, ['2001:db8::7'])).toThrow(
    'addresses.b: another node has the address 2001:db8::7. With dad: true the host looks for that itself.',
  )
  add('b', domain, ['2001:db8::7'], true)
  expect(numbering.address('b', 6)).toBe('2001:db8::7')
  expect(() => add('c', domain, ['192.0.2.7'], true)).toThrow('another node has the address 192.0.2.7.')
})
