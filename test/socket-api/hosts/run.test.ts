import { AsyncLocalStorage } from 'node:async_hooks'
import dgram, { createSocket } from 'node:dgram'
import dns, { lookup } from 'node:dns'
import { EventEmitter, once } from 'node:events'
import net from 'node:net'
import os, { hostname, networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Network } from '../../../src/network-node.ts'
import type { Stack } from '../../../src/stack.ts'

// As packages have them that were loaded before the first run.
const { createSocket: taken } = dgram
class Early extends dgram.Socket {}

/** Everything that a run touches, as it was before. */
const before = {
  dgram: { ...dgram },
  methods: Object.getOwnPropertyDescriptors(dgram.Socket.prototype),
  os: { networkInterfaces: os.networkInterfaces, hostname: os.hostname },
  dns: { ...dns },
  promises: { ...dns.promises },
  connect: net.Socket.prototype.connect,
  random: Math.random,
}

let network: Network
let a: Stack
let b: Stack
beforeEach(() => {
  network = new Network({ seed: 1 })
  a = network.host('a')
  b = network.host('b')
  network.connect(a, b, { delay: 10 })
})
afterEach(() => network.close())

test('ticks of a listener run before its promises, as in Node', async () => {
  const order: string[] = []
  const service = b.run(() => dgram.createSocket('udp4').bind(7))
  service.on('message', () => {
    void Promise.resolve().then(() => order.push('promise'))
    process.nextTick(() => order.push('tick'))
    setImmediate(() => order.push('immediate'))
  })
  const socket = a.run(() => dgram.createSocket('udp4'))
  socket.send('question', 7, 'b')
  await network.run()
  expect(order).toEqual(['tick', 'promise', 'immediate'])
  socket.close()
  service.close()
})

/** Names of the hosts that have sockets. */
const holders = () => network.sockets().map(({ host }) => host)

describe('node:dgram of code that runs as a host', () => {
  test.each<[string, () => dgram.Socket]>([
    ['createSocket of the module', () => dgram.createSocket('udp4')],
    ['createSocket by name', () => createSocket('udp4')],
    ['createSocket that was taken out before', () => taken({ type: 'udp4' })],
    ['new Socket', () => new dgram.Socket({ type: 'udp4' } as never)],
    ['a class that extends Socket, from before', () => new Early({ type: 'udp4' } as never)],
    [
      'a class that extends Socket, from now',
      () => new (class extends dgram.Socket {})({ type: 'udp4' } as unknown as never),
    ],
  ])('has its sockets on the host: %s', async (_form, make) => {
    const [one, other] = [a.run(make), b.run(make)]
    one.bind(1000)
    other.bind(1000)
    await network.run()
    expect(holders()).toEqual(['a', 'b'])
    expect(one).toBeInstanceOf(dgram.Socket)
    one.send('hello', 1000, 'b')
    const [message, { address, port }] = await network.run(once(other, 'message'))
    expect([String(message), address, port]).toEqual(['hello', '10.0.0.1', 1000])
    expect(one.address()).toEqual({ address: '0.0.0.0', family: 'IPv4', port: 1000 })
    one.close()
    other.close()
    await network.run()
    expect(holders()).toEqual([])
    expect(() => one.close()).toThrow('Not running')
  })

  test('a socket of before that has opened nothing becomes that of the host that uses it first', async () => {
    const socket = createSocket('udp4')
    const opened = createSocket('udp4')
    await new Promise<void>((done) => opened.bind(0, '127.0.0.1', done))
    a.run(() => socket.bind(5))
    b.run(() => opened.setTTL(5))
    await network.run()
    expect(holders()).toEqual(['a'])
    expect(b.run(() => opened.address().address)).toBe('127.0.0.1')
    socket.close()
    opened.close()
  })

  test('options and the lookup of the program count', async () => {
    const options = {
      type: 'udp6' as const,
      reuseAddr: true,
      ipv6Only: true,
      recvBufferSize: 5000,
      lookup: (name: string, _family: unknown, callback: (...args: unknown[]) => void) =>
        callback(null, name === 'where.ever' ? '::1' : name, 6),
    }
    const [one, two] = a.run(() => [createSocket(options as never), createSocket(options as never)] as const)
    one.bind(7)
    two.bind(7, 'where.ever')
    await network.run()
    expect(
      network
        .sockets()
        .map(({ localAddress, localPort }) => `${localAddress} ${localPort}`)
        .sort(),
    ).toEqual([':: 7', '::1 7'])
    expect(one.getRecvBufferSize()).toBe(10_000)
    one.close()
    two.close()
  })

  test('an aborted signal closes a socket', async () => {
    const controller = new AbortController()
    const socket = a.run(() => createSocket({ type: 'udp4', signal: controller.signal }).bind(9))
    await network.run()
    expect(holders()).toEqual(['a'])
    const closed = once(socket, 'close')
    controller.abort()
    await closed
    expect(holders()).toEqual([])
  })

  test('without a host it stays the kernel’s', async () => {
    a.run(() => {})
    const socket = createSocket('udp4')
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done))
    socket.send('to myself', socket.address().port, '127.0.0.1')
    expect(String((await once(socket, 'message'))[0])).toBe('to myself')
    expect(holders()).toEqual([])
    socket.close()
  })
})

describe('the context', () => {
  test('keeps in promises, ticks, timers and events', async () => {
    const restore = network.installTimers()
    const seen: Record<string, string> = {}
    const note = (what: string) => {
      seen[what] = hostname()
    }
    const emitter = new EventEmitter()
    const work = b.run(async () => {
      process.nextTick(note, 'nextTick')
      queueMicrotask(() => note('microtask'))
      setTimeout(note, 5, 'setTimeout')
      setImmediate(note, 'setImmediate')
      const beat = setInterval(() => {
        note('setInterval')
        clearInterval(beat)
      }, 7)
      emitter.on('event', () => note('emitter'))
      AbortSignal.timeout(3).addEventListener('abort', () => note('abort'))
      network.at(11, () => note('at'))
      await promisify(setTimeout)(8)
      note('promisified')
      await sleep(8)
      note('timers/promises')
      emitter.emit('event')
      a.run(() => note('nested'))
      note('after nested')
    })
    await network.run(work)
    restore()
    expect(seen).toEqual({
      ...Object.fromEntries(
        [
          ...['nextTick', 'microtask', 'setTimeout', 'setImmediate', 'setInterval', 'emitter', 'abort', 'at'],
          ...['promisified', 'timers/promises', 'after nested'],
        ].map((what) => [what, 'b']),
      ),
      nested: 'a',
    })
  })

  test.each<[string, () => dgram.Socket]>([
    ['of node:dgram', () => b.run(() => createSocket('udp4'))],
    ['of host.dgram', () => b.dgram.createSocket('udp4') as unknown as dgram.Socket],
  ])('listeners of a socket %s run as its host, whoever calls', async (_kind, make) => {
    const seen: string[] = []
    const socket = make()
    for (const event of ['listening', 'message', 'error', 'close', 'connect'])
      socket.on(event, () => seen.push(`${event} ${hostname()}`))
    const [one, other] = a.run(() => {
      socket.bind(7)
      const sender = createSocket('udp4')
      sender.on('message', () => seen.push(`answer ${hostname()}`))
      sender.bind(8)
      return [sender, createSocket('udp4').bind(99)]
    })
    socket.on('message', () => socket.send('back', 8, 'a'))
    await network.run()
    a.run(() => one?.send('hello', 7, 'b'))
    await network.runFor('1s')
    a.run(() => socket.connect(9, 'a'))
    await network.run()
    // Nobody is there.
    a.run(() => socket.send('x'))
    await network.runFor('1s')
    const closed = once(socket, 'close')
    a.run(() => socket.close())
    await closed
    expect(seen).toEqual(['listening b', 'message b', 'answer a', 'connect b', 'error b', 'close b'])
    one?.close()
    other?.close()
  })

  test('other contexts of the program are kept beside it', async () => {
    const storage = new AsyncLocalStorage<number>()
    const socket = storage.run(5, () => a.run(() => createSocket('udp4').bind(7)))
    socket.on('message', () => socket.emit('seen', storage.getStore(), hostname()))
    b.run(() => {
      const sender = createSocket('udp4')
      sender.send('x', 7, 'a', () => sender.close())
    })
    expect(await network.run(once(socket, 'seen'))).toEqual([5, 'a'])
    socket.close()
  })

  test('what the function returns or throws passes through', async () => {
    expect(a.run(() => 5)).toBe(5)
    await expect(a.run(async () => 'later')).resolves.toBe('later')
    expect(() =>
      a.run(() => {
        throw new Error('mine')
      }),
    ).toThrow('mine')
  })

  test('a closed host runs nothing', () => {
    network.close()
    expect(() => a.run(() => {})).toThrow('The host a is closed')
  })
})

describe('names', () => {
  const four = { address: '10.0.0.2', family: 4 }
  const six = { address: 'fd00::2', family: 6 }

  test('of the network are looked up in every form', async () => {
    const forms: [unknown, unknown][] = await a.run(async () => [
      [await promisify(lookup)('b'), four],
      [await promisify(dns.lookup)('B.', { family: 6 }), six],
      [await dns.promises.lookup('b', 6), six],
      [await dns.promises.lookup('b', { all: true }), [four, six]],
      [await dns.promises.lookup('b', { all: true, order: 'ipv6first' } as never), [six, four]],
      [await dns.promises.lookup('b', { family: 6, hints: dns.V4MAPPED }), six],
      [await dns.promises.lookup('localhost'), { address: '127.0.0.1', family: 4 }],
      [await dns.promises.resolve4('b'), ['10.0.0.2']],
      [await dns.promises.resolve4('b', { ttl: true }), [{ address: '10.0.0.2', ttl: 0 }]],
      [await promisify(dns.resolve6)('b'), ['fd00::2']],
      [await promisify(dns.resolve)('b'), ['10.0.0.2']],
      [await new dns.promises.Resolver().resolve4('b'), ['10.0.0.2']],
      [await dns.promises.resolveAny('b').then((all) => all.map(({ type }) => type)), ['A', 'AAAA']],
      [await dns.promises.reverse('10.0.0.2'), ['b']],
      [await dns.promises.resolvePtr('2.0.0.10.in-addr.arpa'), ['b']],
      [await dns.promises.lookupService('fd00::2', 1), { hostname: 'b', service: 'tcpmux' }],
    ])
    for (const [found, wanted] of forms) expect(found).toEqual(wanted)
  })

  test.each<[string, () => Promise<unknown>, object]>([
    [
      'lookup',
      () => promisify(lookup)('nobody'),
      { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'nobody', message: 'getaddrinfo ENOTFOUND nobody' },
    ],
    ['promises.lookup', () => dns.promises.lookup('nobody'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }],
    ['resolve4', () => dns.promises.resolve4('nobody'), { code: 'ENOTFOUND', message: 'queryA ENOTFOUND nobody' }],
    ['resolveMx', () => promisify(dns.resolveMx)('b'), { code: 'ENODATA', message: 'queryMx ENODATA b' }],
    ['reverse', () => dns.promises.reverse('192.0.2.1'), { code: 'ENOTFOUND', syscall: 'getHostByAddr' }],
    ['lookupService', () => dns.promises.lookupService('192.0.2.1', 1), { code: 'ENOTFOUND', syscall: 'getnameinfo' }],
    [
      'a socket',
      () =>
        new Promise((_, reject) => {
          const socket = createSocket('udp4')
          socket.send('x', 1, 'nobody', (error) => {
            socket.close()
            reject(error)
          })
        }),
      { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'nobody' },
    ],
  ])('unknown ones give Node’s own error: %s', async (_api, ask, error) => {
    await expect(network.run(a.run(ask))).rejects.toMatchObject(error)
  })

  test('wrong arguments are Node’s to refuse', () => {
    a.run(() => {
      expect(() => lookup(5 as never, () => {})).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
      expect(() => dns.promises.lookup('b', 5)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
    })
  })
})

test('os tells of the host', () => {
  const { eth0, ...others } = a.run(() => networkInterfaces())
  expect(Object.keys(others)).toEqual(['lo'])
  expect(eth0?.map(({ cidr }) => cidr)).toEqual(['10.0.0.1/24', 'fd00::1/64'])
  expect(b.run(() => `${os.hostname}`)).toBe('b')
  expect(networkInterfaces()).not.toHaveProperty('eth0', eth0)
})

describe('when the last network closes', () => {
  function expectAsBefore() {
    expect({ ...dgram }).toEqual(before.dgram)
    expect(Object.getOwnPropertyDescriptors(dgram.Socket.prototype)).toEqual(before.methods)
    expect({ networkInterfaces, hostname }).toEqual(before.os)
    expect(os.networkInterfaces).toBe(before.os.networkInterfaces)
    expect({ ...dns }).toEqual(before.dns)
    expect({ ...dns.promises }).toEqual(before.promises)
    expect(net.Socket.prototype.connect).toBe(before.connect)
  }

  test('nothing is left in Node’s modules', () => {
    const second = new Network()
    second.host('c').run(() => {})
    a.run(() => {})
    network.only()
    network.close()
    expect(dgram.Socket.prototype.bind).not.toBe(before.methods.bind?.value)
    second.close()
    expectAsBefore()
    // And again.
    const third = new Network()
    third.host('d').run(() => expect(hostname()).toBe('d'))
    third.close()
    expectAsBefore()
  })

  test('sockets that are open never reach the kernel, and close', async () => {
    const [bound, fresh] = a.run(() => [createSocket('udp4').bind(7), createSocket('udp4')] as const)
    await network.run()
    network.close()
    expectAsBefore()
    for (const socket of [bound, fresh]) {
      const error = await new Promise<Error | null>((done) => socket.send('x', 9, '127.0.0.1', done))
      expect(error).toMatchObject({ code: 'ENETDOWN' })
      const closed = once(socket, 'close')
      socket.close()
      await closed
    }
  })
})
