import { expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { dropRows } from '../../../src/network/observe/drops.ts'

test('what a stack counted and none of its nics did was discarded within the host', () => {
  const host = {
    name: 'a',
    stack: {
      drops: [
        { reason: 'WireLoss', count: 3 },
        { reason: 'UdpNoPort', count: 2 },
      ] as const,
    },
    ports: [{ name: 'eth0', drops: new Map([[Drop.WireLoss, 3]]) }],
  }
  const sw = { name: 'sw', stack: null, ports: [{ name: 'eth1', drops: new Map([[Drop.LinkDown, 1]]) }] }
  expect(dropRows([host, sw])).toMatchObject([
    { node: 'a', nic: 'eth0', reason: 'WireLoss', count: 3 },
    { node: 'a', nic: null, reason: 'UdpNoPort', count: 2 },
    { node: 'sw', nic: 'eth1', reason: 'LinkDown', count: 1 },
  ])
})
