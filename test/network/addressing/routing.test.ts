import { once } from 'node:events'
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

describe('routers', () => {
  test.each([
    [4, '192.0.2.6/31', ['192.0.2.6', '192.0.2.7']],
    [6, '2001:db8::6/127', ['2001:db8::6', '2001:db8::7']],
  ] as const)('have both addresses of a pair: RFC 3021, RFC 6164 (IPv%i)', async (family, subnet, pair) => {
    const network = make()
    const a = network.host('a')
    network.router('r1')
    network.router('r2')
    network.connect('r1', 'r2', { subnet })
    network.connect(a, 'r1')
    const b = network.host('b')
    network.connect(b, 'r2')
    expect([network.address('r1', family), network.address('r2', family)]).toEqual(pair)
    const there = listen(network, b, 9, `udp${family}`)
    a.dgram.createSocket(`udp${family}`).send('across', 9, 'b')
    await network.runFor('1s')
    expect(there.received.map(({ text }) => text)).toEqual(['across'])
  })

  test('forward over the shortest path, lowering the hop limit at each', async () => {
    const network = make()
    const [a, b] = [network.host('a'), network.host('b')]
    for (const name of ['r1', 'r2', 'r3', 'long']) network.router(name)
    network.connect(a, 'r1')
    network.connect('r1', 'r2', { delay: 1 })
    network.connect('r2', 'r3', { delay: 1 })
    network.connect('r1', 'long', { delay: 1, cost: 5 })
    network.connect('long', 'r3', { delay: 1 })
    network.connect('r3', b)
    const { socket, received } = listen(network, b, 9)
    socket.setRecvInfo(true)
    a.dgram.createSocket('udp4').send('x', 9, 'b')
    await network.run()
    expect(received.map(({ info, time }) => [info.ttl, time])).toEqual([[61, 2]])
    expect(
      network
        .datagrams()[0]
        ?.events.filter(({ what }) => what === 'forwarded')
        .map(({ node }) => node),
    ).toEqual(['r1', 'r2', 'r3'])
  })

  test(
    'go another way when a cable is down and the routes are computed anew, and before say that there is ' + 'none',
    async () => {
      const network = make()
      const [a, b] = [network.host('a'), network.host('b')]
      for (const name of ['r1', 'r2', 'r3']) network.router(name)
      network.connect(a, 'r1')
      network.connect('r1', 'r3')
      network.connect('r1', 'r2')
      network.connect('r2', 'r3')
      network.connect('r3', b)
      const { received } = listen(network, b, 9)
      const socket = a.dgram.createSocket('udp4')
      await network.run()
      network.cable('r1', 'r3').down()
      socket.send('one', 9, 'b')
      await network.run()
      expect(received).toEqual([])
      expect(network.drops('r1')).toMatchObject([{ reason: 'IpNoRoute', count: 1 }])
      network.updateRoutes()
      socket.send('two', 9, 'b')
      await network.run()
      network.cable('r1-r3').up()
      network.updateRoutes()
      socket.send('three', 9, 'b')
      await network.run()
      const ways = network
        .datagrams({ delivered: true, port: 9 })
        .map(({ events }) => events.filter(({ what }) => what === 'forwarded').map(({ node }) => node))
      expect(ways).toEqual([
        ['r1', 'r2', 'r3'],
        ['r1', 'r3'],
      ])
    },
  )

  test('tell a sender of a hop limit that ran out and of a packet that is too big', async () => {
    const network = make()
    const [a, b] = [network.host('a'), network.host('b')]
    network.router('r')
    network.connect(a, 'r')
    network.connect('r', b, { mtu: 1300 })
    const { received } = listen(network, b, 9)
    const socket = a.dgram.createSocket('udp4')
    const errors: string[] = []
    socket.on('icmp', ({ type, code, mtu, offender }) => errors.push(`${type}.${code} ${mtu} ${offender}`))
    socket.bind()
    await network.run(once(socket, 'listening'))
    socket.setTTL(1)
    socket.send('x', 9, 'b')
    await network.run()
    socket.setTTL(64)
    socket.send(new Uint8Array(1400), 9, 'b')
    await network.run()
    socket.send(new Uint8Array(1400), 9, 'b')
    await network.run()
    expect(errors).toEqual(['11.0 0 10.0.0.2', '3.4 1300 10.0.0.2'])
    // The second time the path's MTU is known, and the datagram goes in fragments.
    expect(received.map(({ text }) => text)).toEqual(['1400 bytes'])
  })

  test('a host with two routers uses the better one for each destination', async () => {
    const network = make()
    const [a, b, c] = [network.host('a'), network.host('b'), network.host('c')]
    network.router('r1')
    network.router('r2')
    network.connect(a, 'r1')
    network.connect(a, 'r2')
    network.connect('r1', 'r2')
    network.connect('r1', b)
    network.connect('r2', c)
    for (const host of [b, c]) listen(network, host, 9)
    const socket = a.dgram.createSocket('udp4')
    socket.send('x', 9, 'b')
    socket.send('x', 9, 'c')
    await network.run()
    const ways = network
      .datagrams()
      .map(({ events }) => events.filter(({ what }) => what === 'forwarded').map(({ node }) => node))
    expect(ways).toEqual([['r1'], ['r2']])
  })
})

describe('an anycast address', () => {
  /** a – r1 – r2 – r3 – b, with servers at r1 and at r3. */
  function servers(address: string, type: 'udp4' | 'udp6') {
    const network = make()
    const [a, b, west, east] = ['a', 'b', 'west', 'east'].map((name) => network.host(name))
    for (const name of ['r1', 'r2', 'r3']) network.router(name)
    network.connect('a', 'r1')
    network.connect('b', 'r3')
    network.connect('r1', 'r2')
    network.connect('r2', 'r3')
    const near = network.connect('west', 'r1')
    network.connect('east', 'r3')
    network.anycast(address, 'west', 'east')
    const heard = [west, east].map((host) => listen(network, host as typeof a & object, 53, type))
    const ask = (host: typeof a, text: string) => host?.dgram.createSocket(type).send(text, 53, address)
    return { network, a, b, near, ask, texts: () => heard.map(({ received }) => received.map(({ text }) => text)) }
  }

  test.each([
    ['udp4', '192.0.2.53'],
    ['udp6', '2001:db8::53'],
  ] as const)(
    '%s: the nearest host that has it is reached, and another one when that is gone',
    async (type, address) => {
      const { network, a, b, near, ask, texts } = servers(address, type)
      ask(a, 'from a')
      ask(b, 'from b')
      await network.run()
      expect(texts()).toEqual([['from a'], ['from b']])
      near.down()
      network.updateRoutes()
      ask(a, 'again')
      await network.run()
      expect(texts()).toEqual([['from a'], ['from b', 'again']])
    },
  )

  test('costs decide, of hosts with several routers and on one link too', async () => {
    const network = make()
    const [a, far, near] = [network.host('a'), network.host('far'), network.host('near')]
    for (const name of ['r1', 'r2']) network.router(name)
    network.connect(a, 'r1')
    network.connect(a, 'r2')
    network.connect(far, 'r1', { cost: 9 })
    network.connect(near, 'r2')
    network.anycast('192.0.2.53', 'far', 'near')
    const there = listen(network, near, 53)
    a.dgram.createSocket('udp4').send('x', 53, '192.0.2.53')
    await network.run()
    expect(there.received.map(({ text }) => text)).toEqual(['x'])
    // Two hosts and no router.
    const small = make()
    small.switch('sw')
    const [one, two, three] = ['one', 'two', 'three'].map((name) => small.host(name))
    for (const name of ['one', 'two', 'three']) small.connect(name, 'sw')
    small.anycast('192.0.2.53', 'two', 'three')
    const first = listen(small, two as typeof a, 53)
    one?.dgram.createSocket('udp4').send('y', 53, '192.0.2.53')
    await small.runFor('1s')
    expect([first.received.map(({ text }) => text), three?.name]).toEqual([['y'], 'three'])
  })

  test('is no part of a subnet, and that of two hosts or more', () => {
    const network = make()
    network.host('a')
    network.host('b')
    network.connect('a', 'b', { subnet: '192.0.2.0/24' })
    expect(() => network.anycast('192.0.2.53', 'a', 'b')).toThrow('The subnet 192.0.2.53/32 overlaps 192.0.2.0/24')
    expect(() => network.anycast('198.51.100.1', 'a')).toThrow('198.51.100.1: an anycast address is that of two hosts')
    expect(() => network.anycast('239.1.2.3', 'a', 'b')).toThrow('239.1.2.3 is not the address of a host.')
    expect(() => network.anycast('198.51.100.1', 'a', 'x')).toThrow('No node is named x')
  })
})
