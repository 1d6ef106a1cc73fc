import { afterEach, describe, expect, test } from 'vitest'
import { Network } from '../../../src/network/network.ts'
import { chain, listen } from '../host.ts'

let network: Network
afterEach(() => network.close())

function make() {
  network = new Network({ seed: 1 })
  return chain(network)
}

describe('faults of a cable', () => {
  test('hit one direction or both, and change while the network runs', async () => {
    const { a, b } = make()
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

describe('a cable that is pulled', () => {
  test('takes the carrier from both ends: the host has no route, the router says so', async () => {
    const { a, b } = make()
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
