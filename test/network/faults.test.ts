import { afterEach, describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { Network } from '../../src/network/network.ts'
import type { FilterSpec } from '../../src/network/nodes/filter.ts'
import { listen } from './host.ts'

let network: Network
afterEach(() => network.close())

/** a — r1 — r2 — b */
function chain() {
  network = new Network({ seed: 1 })
  const a = network.host('a')
  const b = network.host('b', { icmpRateLimitPerDestination: false })
  network.router('r1', { icmpRateLimitPerDestination: false })
  network.router('r2', { icmpRateLimitPerDestination: false })
  network.connect(a, 'r1')
  network.connect('r1', 'r2')
  network.connect('r2', b, { mtu: 1300 })
  return { a, b }
}

describe('faults of a cable', () => {
  test('hit one direction or both, and change while the network runs', async () => {
    const { a, b } = chain()
    const there = listen(network, b, 9)
    const back = listen(network, a, 9)
    const cable = network.cable('r1', 'r2')
    const send = () => {
      there.socket.send('to a', 9, 'a')
      back.socket.send('to b', 9, 'b')
    }
    cable.impair({ loss: 1 }, 'r1')
    network.at('1s', send)
    network.at('2s', () => cable.impair({ loss: 1 }))
    network.at('3s', send)
    network.at('4s', () => cable.impair({ delay: '7ms' }))
    network.at('5s', send)
    await network.run()
    expect(there.received.map(({ time }) => time)).toEqual([5007])
    expect(back.received.map(({ time }) => time)).toEqual([1000, 5007])
    expect(network.drops()).toEqual([
      { node: 'r1', nic: 'eth1', reason: 'WireLoss', layer: 'link', count: 2 },
      { node: 'r2', nic: 'eth0', reason: 'WireLoss', layer: 'link', count: 1 },
    ])
    expect(() => cable.impair({}, 'a')).toThrow('The cable r1-r2 does not begin at a: its ends are r1 and r2.')
  })

  test('are plain data, models in words', async () => {
    network = new Network({ seed: 1 })
    const a = network.host('a')
    const b = network.host('b')
    network.connect(a, b, {
      forward: {
        rate: '1Mbit',
        queue: { tailDrop: { packets: 10 } },
        loss: { gilbertElliott: { toBad: 0.1, toGood: 0.5 } },
        duplication: '10%',
        corruption: { bitErrorRate: 1e-4 },
        reordering: { pattern: '....x' },
        delay: { pareto: { minimum: '5ms', shape: 3 }, correlation: 0.5 },
      },
      back: { delay: '10ms', jitter: '2ms' },
    })
    const { received } = listen(network, b, 9)
    const { socket } = listen(network, a, 9)
    for (let i = 0; i < 200; i++) network.at(i * 10, () => socket.send(`${i}`.padEnd(100), 9, 'b'))
    await network.run()
    expect(received.length).toBeGreaterThan(100)
    const reasons = new Set(network.drops().map(({ reason }) => reason))
    expect(reasons).toContain('WireLoss')
    expect(received.length).toBeGreaterThan(new Set(received.map(({ text }) => text)).size)
  })

  test('that are none are refused with their name', () => {
    network = new Network()
    network.host('a')
    network.host('b')
    const cases: [object, string][] = [
      [{ rate: '10 apples' }, "forward.rate: '10 apples' is of another form; expected bits per second above 0"],
      [{ loss: 'often' }, "forward.loss: 'often' is of another form; expected a probability"],
      [{ loss: { sometimes: 1 } }, 'forward.loss: {"sometimes":1} does not belong here'],
      [{ delay: { gauss: 1 } }, 'forward.delay: {"gauss":1} does not belong here'],
      [{ delay: { uniform: [1, 2] }, jitter: 1 }, 'delay: Jitter belongs to a delay that is one duration'],
      [
        { queue: { red: {} } },
        'forward.queue: {"red":{}} does not belong here; expected what waits before a slow wire: tailDrop, codel',
      ],
      [{ los: 0.1 }, 'forward.los: unknown key, did you mean loss?; there are mtu, rate, queue, loss'],
      [{ rate: { trace: '' } }, 'rate: The trace has no opportunity'],
    ]
    for (const [forward, message] of cases)
      expect(() => network.connect('a', 'b', { forward }), message).toThrow(message)
  })
})

describe('a filter', () => {
  test('of ICMP makes a black hole of path MTU discovery', async () => {
    const { a, b } = chain()
    const { received } = listen(network, b, 9)
    const { socket } = listen(network, a, 9)
    network.filter('r1', { icmp: 0 })
    for (let i = 0; i < 3; i++) network.at(i * 1000, () => socket.send(new Uint8Array(1400), 9, 'b'))
    await network.run()
    expect(received).toEqual([])
    expect(network.drops('r1')).toEqual([{ node: 'r1', nic: 'eth0', reason: 'WireFiltered', layer: 'link', count: 3 }])
    network.filter('r1', null)
    for (let i = 4; i < 6; i++) network.at(i * 1000, () => socket.send(new Uint8Array(1400), 9, 'b'))
    await network.run()
    expect(received.length).toBe(1)
  })

  test('of ICMP lets so many pass in a second', async () => {
    const { a } = chain()
    const { socket } = listen(network, a, 9)
    const times: number[] = []
    socket.on('icmp', () => times.push(network.now))
    network.filter('r1', { icmp: 1 })
    for (let i = 0; i < 10; i++) network.at(i * 300, () => socket.send('x', 99, 'b'))
    await network.run()
    expect(times).toEqual([0, 1200, 2400])
  })

  test('of ICMP errors lets echo pass, of all ICMP does not', async () => {
    const { a } = chain()
    await network.run()
    const { socket } = listen(network, a, 9)
    let got: string[] = []
    socket.on('icmp', ({ type, code }) => got.push(`${type}.${code}`))
    const ping = a.ip.icmp.openEcho(4, { reply: () => got.push('reply'), error: () => {} })
    const heard = async (filter: FilterSpec | null) => {
      got = []
      network.filter('r1', filter)
      ping.send(Address.parse(network.address('b')), 1, new Uint8Array(8))
      socket.send(new Uint8Array(1400), 9, 'b')
      await network.run()
      return got
    }
    expect(await heard({ icmpErrors: 0 })).toEqual(['reply'])
    expect(await heard({ icmp: 0 })).toEqual([])
    expect((await heard(null)).sort()).toEqual(['3.4', 'reply'])
    ping.close()
  })

  test('of a program discards what it says', async () => {
    const { a, b } = chain()
    const { received } = listen(network, b, 9)
    const { socket } = listen(network, a, 9)
    network.filter('r2', { drop: ({ destinationPort, length }) => destinationPort === 9 && length > 100 })
    socket.send('short', 9, 'b')
    socket.send(new Uint8Array(100), 9, 'b')
    await network.run()
    expect(received.map(({ text }) => text)).toEqual(['short'])
    expect(() => network.filter('r2', { icmp: -1 })).toThrow('icmp: -1 is below 0')
  })
})

describe('a partition', () => {
  test('keeps groups apart until it heals, wherever they are plugged in', async () => {
    network = new Network({ seed: 1 })
    network.switch('sw')
    const names = ['a', 'b', 'c', 'd'] as const
    const got = Object.fromEntries(
      names.map((name) => {
        const host = network.host(name)
        network.connect(host, 'sw')
        return [name, listen(network, host, 9)]
      }),
    ) as Record<(typeof names)[number], ReturnType<typeof listen>>
    const everybody = () => {
      for (const from of names) for (const to of names) if (from !== to) got[from].socket.send(`${from}${to}`, 9, to)
    }
    const texts = () => names.flatMap((name) => got[name].received.splice(0).map(({ text }) => text)).sort()
    everybody()
    await network.runFor('2s')
    expect(texts().length).toBe(12)
    network.partition(['a', 'b'], ['c'])
    everybody()
    await network.runFor('2s')
    expect(texts()).toEqual(['ab', 'ad', 'ba', 'bd', 'cd', 'da', 'db', 'dc'])
    network.partition(['a', 'b'])
    everybody()
    await network.runFor('2s')
    expect(texts()).toEqual(['ab', 'ba', 'cd', 'dc'])
    network.heal()
    everybody()
    await network.runFor('2s')
    expect(texts().length).toBe(12)
    expect(() => network.partition(['a'], ['a'])).toThrow('a is in two groups of the partition.')
    expect(() => network.partition(['a'], ['x'])).toThrow('No node is named x')
  })
})

describe('a cable that is pulled', () => {
  test('takes the carrier from both ends: the host has no route, the router says so', async () => {
    const { a, b } = chain()
    const { received } = listen(network, b, 9)
    const { socket } = listen(network, a, 9)
    const told: string[] = []
    socket.on('icmp', ({ type, code, offender }) => told.push(`${type}.${code} ${offender}`))
    await network.run()
    network.cable('r2', 'b').down()
    socket.send('x', 9, 'b')
    await network.run()
    expect(told).toEqual(['3.0 10.0.1.2'])
    network.cable('a', 'r1').down()
    const error = new Promise((resolve) => socket.send('x', 9, 'b', resolve))
    expect(await network.run(error)).toMatchObject({ code: 'ENETUNREACH' })
    for (const cable of network.cables) cable.up()
    socket.send('x', 9, 'b')
    await network.run()
    expect(received.length).toBe(1)
  })
})
