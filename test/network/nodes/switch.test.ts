import { afterEach, describe, expect, test } from 'vitest'
import { Network } from '../../../src/network/network.ts'
import type { NetworkOptions } from '../../../src/network/settings.ts'
import { listen } from '../host.ts'

const open: Network[] = []
function make(options: NetworkOptions = {}) {
  const network = new Network({ seed: 1, ...options })
  open.push(network)
  return network
}
afterEach(() => {
  for (const network of open.splice(0)) network.close()
})

describe('segments and switches', () => {
  test('hosts of a segment find each other by ARP and Neighbor Discovery', async () => {
    const network = make()
    network.segment('lan', { subnet: ['192.0.2.0/24', '2001:db8::/64'] })
    const hosts = ['a', 'b', 'c'].map((name) => network.host(name))
    for (const host of hosts) network.connect(host, 'lan', { delay: 1 })
    const [a, b, c] = hosts as [(typeof hosts)[0], (typeof hosts)[0], (typeof hosts)[0]]
    const four = listen(network, b, 9)
    const six = listen(network, c, 9, 'udp6')
    a.dgram.createSocket('udp4').send('four', 9, 'b')
    a.dgram.createSocket('udp6').send('six', 9, 'c')
    await network.runFor('5s')
    expect(four.received.map(({ text, from }) => [text, from.split(':')[0]])).toEqual([['four', '192.0.2.1']])
    expect(six.received.map(({ text, info }) => [text, info.address])).toEqual([['six', '2001:db8::1']])
    // To the wire, and from it.
    const [sent] = network.datagrams({ to: 'b' })
    expect((four.received[0]?.time ?? 0) - (sent?.time ?? 0)).toBe(2)
  })

  test('a switch floods what it does not know, and then only the one port sees the frame', async () => {
    const network = make({ lineage: 100 })
    const fabric = network.switch('sw')
    const hosts = ['a', 'b', 'c'].map((name) => network.host(name))
    for (const host of hosts) network.connect(host, 'sw')
    const { received } = listen(network, hosts[1] as (typeof hosts)[0], 9)
    const socket = (hosts[0] as (typeof hosts)[0]).dgram.createSocket('udp4')
    socket.send('x', 9, 'b')
    await network.runFor('2s')
    expect(received.length).toBe(1)
    const ways = network
      .datagrams({ port: 9 })[0]
      ?.events.filter(({ what, node }) => what === 'arrived' && node !== 'sw')
    expect(ways?.map(({ node }) => node)).toEqual(['b'])
    expect(fabric.table.map(({ port }) => port).sort()).toEqual(['eth0', 'eth1', 'eth2'])
  })

  test('switches of a chain are one subnet, with a router to the rest', async () => {
    const network = make()
    network.switch('sw1')
    network.switch('sw2')
    network.connect('sw1', 'sw2')
    const [a, b, c] = [network.host('a'), network.host('b'), network.host('c')]
    network.router('r')
    network.connect(a, 'sw1')
    network.connect(b, 'sw2')
    network.connect('r', 'sw2')
    network.connect('r', c)
    const near = listen(network, b, 9)
    const far = listen(network, c, 9)
    const socket = a.dgram.createSocket('udp4')
    socket.send('x', 9, 'b')
    socket.send('y', 9, 'c')
    await network.runFor('3s')
    expect(near.received.map(({ text }) => text)).toEqual(['x'])
    expect(far.received.map(({ text, from }) => [text, from.split(':')[0]])).toEqual([['y', '10.0.0.1']])
  })

  test('a broadcast reaches all hosts of a switch', async () => {
    const network = make()
    network.switch('sw')
    const hosts = ['a', 'b', 'c', 'd'].map((name) => network.host(name))
    for (const host of hosts) network.connect(host, 'sw')
    const got = hosts.slice(1).map((host) => listen(network, host, 9).received)
    const socket = (hosts[0] as (typeof hosts)[0]).dgram.createSocket('udp4')
    socket.bind(() => {
      socket.setBroadcast(true)
      socket.send('all', 9, '10.0.0.255')
    })
    await network.runFor('1s')
    expect(got.map((received) => received.map(({ text }) => text))).toEqual([['all'], ['all'], ['all']])
  })
})
