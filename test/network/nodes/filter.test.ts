import { afterEach, describe, expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import { Network } from '../../../src/network/network.ts'
import type { FilterSpec } from '../../../src/network/nodes/filter.ts'
import { chain, listen } from '../host.ts'

let network: Network
afterEach(() => network.close())

function make() {
  network = new Network({ seed: 1 })
  return chain(network)
}

describe('a filter', () => {
  test('of ICMP makes a black hole of path MTU discovery', async () => {
    const { a, b } = make()
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
    const { a } = make()
    const { socket } = listen(network, a, 9)
    const times: number[] = []
    socket.on('icmp', () => times.push(network.now))
    network.filter('r1', { icmp: 1 })
    for (let i = 0; i < 10; i++) network.at(i * 300, () => socket.send('x', 99, 'b'))
    await network.run()
    expect(times).toEqual([0, 1200, 2400])
  })

  test('of ICMP errors lets echo pass, of all ICMP does not', async () => {
    const { a } = make()
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
    const { a, b } = make()
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
