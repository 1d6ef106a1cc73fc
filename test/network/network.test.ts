import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { Network } from '../../src/network/network.ts'
import type { NetworkOptions } from '../../src/network/settings.ts'
import { echo, listen } from './host.ts'

const open: Network[] = []
function make(options: NetworkOptions = {}) {
  const network = new Network({ seed: 1, ...options })
  open.push(network)
  return network
}
afterEach(() => {
  for (const network of open.splice(0)) network.close()
})

describe('two hosts on a cable', () => {
  test('get addresses of both families and talk, with the delay of each direction', async () => {
    const network = make()
    const a = network.host('a')
    const b = network.host('b')
    network.connect(a, b, { delay: '10ms', back: { delay: 3 } })
    expect([network.address('a'), network.address('b'), network.address('a', 6), network.address('b', 6)]).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      'fd00::1',
      'fd00::2',
    ])
    echo(b, 7)
    const { socket, received } = listen(network, a, 5000)
    socket.send('hello', 7, '10.0.0.2')
    await network.run()
    expect(received.map(({ time, text, from }) => [time, text, from])).toEqual([[13, 'hello', '10.0.0.2:7']])
  })

  test('find each other by name, in both families', async () => {
    const network = make()
    const a = network.host('a')
    const b = network.host('b')
    network.connect(a, b)
    const four = listen(network, b, 9)
    const six = listen(network, b, 10, 'udp6')
    a.dgram.createSocket('udp4').send('four', 9, 'b')
    a.dgram.createSocket('udp6').send('six', 10, 'b')
    await network.runFor('1s')
    expect(four.received.map(({ text }) => text)).toEqual(['four'])
    expect(six.received.map(({ text, info }) => [text, info.address])).toEqual([['six', 'fd00::1']])
  })

  test('take the subnets and addresses they are given', () => {
    const network = make()
    network.host('a')
    network.host('b')
    network.connect('a', 'b', {
      subnet: ['192.0.2.0/24', '2001:db8::/64'],
      addresses: { b: ['192.0.2.77', '2001:db8::77'] },
    })
    expect([network.address('a'), network.address('b'), network.address('b', 6)]).toEqual([
      '192.0.2.1',
      '192.0.2.77',
      '2001:db8::77',
    ])
  })
})

describe('a plan that cannot work is refused, with the place', () => {
  const cases: [string, (network: Network) => unknown, string][] = [
    ['a name twice', (network) => network.router('a'), 'The network has a node named a already.'],
    ['an odd name', (network) => network.host('a b'), "'a b' is no name for a node"],
    [
      'an unknown node',
      (network) => network.connect('a', 'nobody'),
      'No node is named nobody: there are a, b, sw, sw2, lan.',
    ],
    ['a cable to itself', (network) => network.connect('a', 'a'), 'a cannot be connected to itself.'],
    [
      'subnets that overlap',
      (network) => {
        network.connect('a', 'b', { subnet: '192.0.2.0/24' })
        network.connect('a', 'b', { subnet: '192.0.2.128/25' })
      },
      'The subnet 192.0.2.128/25 overlaps 192.0.2.0/24',
    ],
    [
      'a subnet over numbered ones',
      (network) => {
        network.connect('a', 'b')
        network.connect('a', 'b', { subnet: '10.0.0.0/16' })
      },
      'The subnet 10.0.0.0/16 overlaps 10.0.0.0/24',
    ],
    [
      'host bits in a subnet',
      (network) => network.connect('a', 'b', { subnet: '192.0.2.1/24' }),
      'Did you mean 192.0.2.0/24?',
    ],
    [
      'an address outside',
      (network) => network.connect('a', 'b', { subnet: '192.0.2.0/24', addresses: { a: '198.51.100.1' } }),
      'addresses.a: 198.51.100.1 is in no subnet of its cable (192.0.2.0/24)',
    ],
    [
      'an address twice',
      (network) => network.connect('a', 'b', { subnet: '192.0.2.0/24', addresses: { a: '192.0.2.1', b: '192.0.2.1' } }),
      'addresses.b: another node has the address 192.0.2.1.',
    ],
    [
      'addresses of others',
      (network) => network.connect('a', 'b', { addresses: { c: '192.0.2.1' } }),
      'addresses.c: c is no end of the cable a-b.',
    ],
    [
      'an IPv6 address where the MTU is too small',
      (network) => network.connect('a', 'b', { mtu: 1279, addresses: { a: 'fd01::1/64' } }),
      'addresses.a: fd01::1 cannot be an address of eth0: IPv6 needs an MTU of 1280 at least (RFC 8200 ' +
        'section 5), and it has 1279.',
    ],
    [
      'an IPv6 subnet where the MTU is too small',
      (network) => network.connect('a', 'b', { mtu: 1279, subnet: ['192.0.2.0/24', 'fd01::/64'] }),
      'subnet: fd01::/64 cannot be used here: IPv6 needs an MTU of 1280 at least, and it is 1279.',
    ],
    [
      'an IPv6 subnet of a segment whose MTU is too small',
      (network) => network.segment('narrow', { mtu: 600, subnet: 'fd01::/64' }),
      'subnet: fd01::/64 cannot be used here',
    ],
    [
      'an MTU below the minimum',
      (network) => network.connect('a', 'b', { mtu: 67 }),
      'mtu: 67 is below 68; expected an MTU',
    ],
    [
      'a negative rate',
      (network) => network.connect('a', 'b', { rate: -1 }),
      'rate: -1 is not above 0; expected bits per second',
    ],
    [
      'a loss above 1',
      (network) => network.connect('a', 'b', { loss: 2 }),
      'loss: 2 is above 1; expected a probability',
    ],
    [
      'an unknown duration',
      (network) => network.connect('a', 'b', { delay: '5 parsecs' }),
      'delay: "5 parsecs" does not belong here',
    ],
    [
      'a loop of switches',
      (network) => {
        network.connect('sw', 'sw2')
        network.connect('sw', 'sw2')
      },
      'a loop of switches',
    ],
    [
      'a subnet that is full',
      (network) => network.connect('a', 'b', { subnet: '192.0.2.0/32' }),
      'The subnet 192.0.2.0/32 is full',
    ],
    ['a segment in virtual time on a device', (network) => network.nat('a', { outside: 'b' }), 'a is no router'],
    ['no such cable', (network) => network.cable('a', 'b'), 'No cable joins a and b: there are none.'],
    ['no address yet', (network) => network.address('a'), 'a has no IPv4 address: connect it first.'],
  ]
  test('a node behind a narrow cable of a switch has no IPv6 address, unlike its neighbors', () => {
    const network = make()
    for (const name of ['a', 'b']) network.host(name)
    network.switch('sw')
    network.connect('a', 'sw')
    network.connect('b', 'sw', { mtu: 1000 })
    expect(network.address('a', 6)).toBe('fd00::1')
    expect(
      network
        .stack('b')
        .nic('eth0')
        ?.addresses.map(({ address }) => `${address}`),
    ).toEqual([network.address('b')])
    expect(() => network.address('b', 6)).toThrow(
      'b has no IPv6 address: connect it first, with an MTU of 1280 or more.',
    )
  })

  for (const [name, build, message] of cases)
    test(name, () => {
      const network = make()
      network.host('a')
      network.host('b')
      network.switch('sw')
      network.switch('sw2')
      network.segment('lan')
      expect(() => build(network)).toThrow(message)
    })

  test('a clock or a number of datagrams that is none', () => {
    expect(() => new Network({ lineage: -1 })).toThrow('lineage: -1 is below 0; expected 0 or more datagrams')
    expect(() => new Network({ clock: 'fast' as 'real' })).toThrow(
      'clock: "fast" is not allowed; there are virtual, real (new Network).',
    )
  })
})

test("a clock of one's own runs the network by itself", async () => {
  const clock = new ManualClock()
  const network = make({ clock })
  network.connect(network.host('a'), network.host('b'), { delay: '10ms' })
  const { received, socket } = listen(network, network.stack('b'), 9)
  await once(socket, 'listening')
  network.stack('a').dgram.createSocket('udp4').send('hello', 9, '10.0.0.2')
  await new Promise((resolve) => setImmediate(resolve))
  clock.advance(9)
  expect(received).toEqual([])
  clock.advance(2)
  await new Promise((resolve) => setImmediate(resolve))
  expect(received.map(({ text }) => text)).toEqual(['hello'])
  await expect(network.step()).rejects.toThrow('step is for virtual time')
})

test('a network in real time runs by itself', async () => {
  const network = make({ clock: 'real' })
  const [a, b] = [network.host('a'), network.host('b')]
  network.connect(a, b, { delay: 20 })
  echo(b, 7)
  const { socket, received } = listen(network, a, 5000)
  const begun = performance.now()
  await once(socket, 'listening')
  socket.send('hello', 7, 'b')
  await network.run(once(socket, 'message'))
  expect(performance.now() - begun).toBeGreaterThan(38)
  expect(received.map(({ text }) => text)).toEqual(['hello'])
  await expect(network.step()).rejects.toThrow("step is for virtual time; this network was made with clock: 'real'.")
  await expect(network.run()).rejects.toThrow('Real time runs by itself')
})
