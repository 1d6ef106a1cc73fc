import { afterEach, describe, expect, test } from 'vitest'
import { Network } from '../../../src/network/network.ts'
import { listen } from '../host.ts'

let network: Network
afterEach(() => network.close())

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
