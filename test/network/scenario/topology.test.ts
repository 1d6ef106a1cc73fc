import { expect, test } from 'vitest'
import { buildNetwork, type Topology } from '../../../src/network/scenario/topology.ts'
import { listen } from '../host.ts'

test('a topology of plain data is a network', async () => {
  const network = buildNetwork({
    seed: 1,
    hosts: { a: {}, b: { hopLimit: 9 }, c: {} },
    routers: { r: { nat: { outside: 'c' }, filter: { icmp: 0 } } },
    switches: { sw1: { subnet: '192.168.0.0/24' }, sw2: {} },
    links: [
      { between: ['a', 'sw1'] },
      { between: ['b', 'sw2'] },
      { between: ['sw1', 'sw2'] },
      { between: ['r', 'sw2'] },
      { between: ['r', 'c'], delay: '10ms', back: { delay: '20ms' } },
    ],
  })
  expect(network.nodes.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
    'switch sw1',
    'switch sw2',
    'router r',
    'host a',
    'host b',
    'host c',
  ])
  const server = listen(network, network.stack('c'), 9)
  const near = listen(network, network.stack('a'), 9)
  near.socket.send('x', 9, 'c')
  listen(network, network.stack('b'), 10).socket.send('y', 9, 'a')
  await network.runFor('3s')
  expect(near.received.map(({ text, from }) => [text, from])).toEqual([['y', '192.168.0.2:10']])
  expect(server.received.map(({ text, from }) => [text, from])).toEqual([
    ['x', `${network.address('r').replace('192.168.0.3', '10.0.0.1')}:9`],
  ])
  network.close()
})

test('what is wrong in it is told with its place', () => {
  const cases: [object, string][] = [
    [{ host: {} }, 'host: a topology has no such key; it has seed, clock'],
    [{ hosts: { a: { hopLimit: 300 } } }, 'hosts.a: hopLimit: 300 is above 255'],
    [{ hosts: { a: {} }, links: [{ between: ['a', 'b'] }] }, 'links[0]: No node is named b: there are a.'],
    [
      {
        hosts: { a: {}, b: {} },
        links: [
          { between: ['a', 'b'], subnet: '10.1.0.0/16' },
          { between: ['a', 'b'], subnet: '10.1.2.0/24' },
        ],
      },
      'links[1]: subnet: The subnet 10.1.2.0/24 overlaps 10.1.0.0/16',
    ],
    [{ hosts: { a: {}, b: {} }, links: [{ between: ['a', 'b'], loss: 3 }] }, 'links[0]: loss: 3 is above 1'],
    [{ hosts: { a: {}, b: {} }, links: [{ between: ['a', 'b'], mtu: 20 }] }, 'links[0]: mtu: 20 is below 68'],
    [{ routers: { r: { nat: { outside: 'x' } } } }, 'routers.r.nat: r has no cable to, or named, x.'],
    [
      { hosts: { a: {} }, routers: { a: {} } },
      'hosts.a: routers has a node named a too (routers.a): give one of them another name.',
    ],
    [{ segments: { s: { cost: 0 } } }, 'segments.s: cost: 0 is not above 0'],
  ]
  for (const [topology, message] of cases) expect(() => buildNetwork(topology as Topology), message).toThrow(message)
})
