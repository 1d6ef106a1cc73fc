import { once } from 'node:events'
import { setImmediate as immediate } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { Network } from '../../../src/network/network.ts'
import { echo, listen } from '../host.ts'

let network: Network
afterEach(() => network.close())

function pair(delay = 10) {
  network = new Network({ seed: 1 })
  const a = network.host('a')
  const b = network.host('b')
  network.connect(a, b, { delay })
  return { a, b }
}

describe('virtual time', () => {
  test('stands still while a program reads raw IP', async () => {
    const { b, a } = pair()
    const [receiver, sender] = [b, a].map((host) => host.openRaw({ family: 4, protocol: 253 }))
    const times: number[] = []
    const program = (async () => {
      for await (const { payload, source } of receiver as NonNullable<typeof receiver>) {
        times.push(network.now)
        receiver?.send(payload, source)
        if (payload[0] === 2) return
      }
    })()
    network.at(5, () => sender?.send(Uint8Array.of(1), '10.0.0.2'))
    network.at(50, () => sender?.send(Uint8Array.of(2), '10.0.0.2'))
    await network.run(program)
    expect(times).toEqual([15, 60])
    expect(network.now).toBe(60)
    receiver?.close()
    sender?.close()
  })

  test('stands still while a program uses promises, ticks and immediates between messages', async () => {
    const { a, b } = pair()
    const server = b.dgram.createSocket('udp4')
    server.bind(7)
    const times: number[] = []
    server.on('message', async (_message, { port, address }) => {
      await Promise.resolve()
      await new Promise((resolve) => process.nextTick(resolve))
      await immediate()
      times.push(network.now)
      server.send('answer', port, address)
    })
    const client = a.dgram.createSocket('udp4')
    const program = (async () => {
      const arrivals: number[] = []
      for (let round = 0; round < 3; round++) {
        client.send('question', 7, 'b')
        await once(client, 'message')
        arrivals.push(network.now)
        await immediate()
      }
      return arrivals
    })()
    expect(await network.run(program)).toEqual([20, 40, 60])
    expect(times).toEqual([10, 30, 50])
  })

  test('gives programs a turn between two messages of the same moment', async () => {
    const { a, b } = pair()
    const server = b.dgram.createSocket('udp4')
    server.bind(7)
    const client = a.dgram.createSocket('udp4')
    const program = (async () => {
      const texts: string[] = []
      for (let i = 0; i < 5; i++) {
        const [message] = await once(server, 'message')
        texts.push(String(message))
      }
      return texts
    })()
    for (const text of ['1', '2', '3', '4', '5']) client.send(text, 7, 'b')
    expect(await network.run(program)).toEqual(['1', '2', '3', '4', '5'])
  })

  test('runs for a span, and moves to its end', async () => {
    pair()
    const times: number[] = []
    network.at('1s', () => times.push(network.now))
    network.at('3s', () => times.push(network.now))
    await network.runFor('2s')
    expect([network.now, ...times]).toEqual([2000, 1000])
    await network.runFor(500)
    expect(network.now).toBe(2500)
    await network.run()
    expect([network.now, ...times]).toEqual([3000, 1000, 3000])
  })

  test('does what was planned for the past next, and not what was cancelled', async () => {
    pair()
    await network.runFor('5s')
    const happened: string[] = []
    network.at('1s', () => happened.push('past'))
    network.at('6s', () => happened.push('cancelled')).cancel()
    await network.run()
    expect([happened, network.now]).toEqual([['past'], 5000])
  })

  test('goes on step by step', async () => {
    const { a, b } = pair()
    const { received } = listen(network, b, 9)
    a.dgram.createSocket('udp4').send('x', 9, 'b')
    let steps = 0
    while (await network.step()) steps++
    expect(received.length).toBe(1)
    // The wire's delay, and the delivery.
    expect(steps).toBe(2)
    expect(await network.step()).toBe(false)
  })

  test('pauses in the middle, and goes on', async () => {
    pair()
    network.at('2s', () => network.pause())
    network.at('4s', () => {})
    await network.run()
    expect(network.now).toBe(2000)
    await network.run()
    expect(network.now).toBe(4000)
  })

  test('does not wait for the age of a path MTU or of a fragment', async () => {
    const { a, b } = pair()
    listen(network, b, 9)
    network.cable('a-b').impair({ loss: { frames: [2] } }, 'a')
    a.dgram.createSocket('udp4').send(new Uint8Array(2000), 9, 'b')
    await network.run()
    expect(network.now).toBe(0)
    await network.runFor('31s')
    expect(network.drops('b').map(({ reason }) => reason)).toEqual(['FragmentTimeout'])
  })

  test('says so when a promise cannot settle, was not given the time, or the network was paused', async () => {
    pair()
    const never = new Promise(() => {})
    await expect(network.run(never)).rejects.toThrow(
      'has not settled: nothing is left to happen in the network after 0 ms.',
    )
    const tick = () => void network.at(network.now + 1000, tick)
    tick()
    await expect(network.run(never, '10s')).rejects.toThrow('has not settled: 10000 ms have passed')
    network.at('20s', () => network.pause())
    await expect(network.run(never)).rejects.toThrow('has not settled: the network was paused.')
    await expect(network.run(Promise.reject(new Error('its own')))).rejects.toThrow('its own')
  })

  test('is moved by one at a time', async () => {
    pair()
    network.at('1s', () => {})
    const first = network.run()
    await expect(network.runFor(1)).rejects.toThrow('The network is running already')
    await first
  })

  test('throws on what an event throws, and can go on', async () => {
    pair()
    network.at('1s', () => {
      throw new Error('in the script')
    })
    network.at('2s', () => {})
    await expect(network.run()).rejects.toThrow('in the script')
    await network.run()
    expect(network.now).toBe(2000)
  })

  test('ten minutes cost the events and turns of the loop that the datagrams need, and no more', async () => {
    network = new Network({ seed: 1 })
    network.router('r')
    const hosts = Array.from({ length: 10 }, (_, index) => network.host(`h${index}`))
    for (const host of hosts) network.connect(host, 'r', { delay: { uniform: [1, 20] }, loss: 0.01 })
    const received = hosts.map((host) => listen(network, host, 9).received)
    const socket = hosts[0]?.dgram.createSocket('udp4')
    // Each of the others hears from the first one once a second.
    const beat = () => {
      for (let index = 1; index < 10; index++) socket?.send('beat', 9, `h${index}`)
      network.at(network.now + 1000, beat)
    }
    network.at(0, beat)
    const { clock } = network
    const schedule = clock.schedule.bind(clock)
    let events = 0
    clock.schedule = (delay, callback) => {
      events++
      return schedule(delay, callback)
    }
    let turns = 0
    let isOver = false
    const count = () => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    await network.runFor('10m')
    isOver = true
    expect(network.now).toBe(600_000)
    const total = received.reduce((sum, each) => sum + each.length, 0)
    const datagrams = 600 * 9
    expect(total).toBeGreaterThan(datagrams * 0.96)
    // Two wires and a beat make three events at most; programs have at most two turns an arrival.
    expect(events).toBeLessThan(datagrams * 3)
    expect(turns).toBeLessThan(datagrams * 4)
  })

  test('a socket that answers itself does not keep time from the others', async () => {
    const { a, b } = pair(0)
    echo(b, 7)
    const client = a.dgram.createSocket('udp4')
    let rounds = 0
    client.on('message', (message, { port, address }) => {
      rounds++
      if (rounds < 100) client.send(message, port, address)
    })
    client.send('x', 7, 'b')
    await network.run()
    expect([rounds, network.now]).toEqual([100, 0])
  })
})
