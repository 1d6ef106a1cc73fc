import type { Socket } from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { expect, test } from 'vitest'
import { testWith } from '../skips.ts'
import {
  type Environment,
  message,
  nodeHasSync,
  type Options,
  port,
  Sockets,
  send,
  shape,
  thrown,
  turn,
  uncaught,
} from './environment.ts'

/** 'listening' or the error of a bind. */
function outcome(socket: Socket): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    socket.once('listening', () => resolve({ listening: socket.address() }))
    socket.once('error', (error) => resolve(shape(error)))
  })
}

/** bind: forms, addresses, conflicts, order of events. */
export function binding(environment: Environment): void {
  const sockets = new Sockets(environment)
  const loose = (socket: Socket) => socket.bind as (...args: unknown[]) => Socket

  const ANY4 = { address: '0.0.0.0', family: 'IPv4', port: expect.any(Number) }
  const LO4 = { ...ANY4, address: '127.0.0.1' }
  test.each([
    ['no argument', 'udp4', [], ANY4],
    ['port 0', 'udp4', [0], ANY4],
    ['null', 'udp4', [null], ANY4],
    ['an empty object', 'udp4', [{}], ANY4],
    ['an address', 'udp4', [0, '127.0.0.1'], LO4],
    ['an object with an address', 'udp4', [{ address: '127.0.0.1' }], LO4],
    ['an object with all', 'udp4', [{ port: 0, address: '127.0.0.1', exclusive: true }], LO4],
    ['a null address', 'udp4', [0, null], ANY4],
    ['an empty address', 'udp4', [0, ''], ANY4],
    ['another loopback address', 'udp4', [0, '127.9.8.7'], { ...ANY4, address: '127.9.8.7' }],
    ['a group', 'udp4', [0, '224.0.0.1'], { ...ANY4, address: '224.0.0.1' }],
    ['the broadcast address', 'udp4', [0, '255.255.255.255'], { ...ANY4, address: '255.255.255.255' }],
    ['nothing on udp6', 'udp6', [], { address: '::', family: 'IPv6', port: expect.any(Number) }],
    ['::1', 'udp6', [0, '::1'], { address: '::1', family: 'IPv6', port: expect.any(Number) }],
    [
      'an IPv4 address in IPv6 form',
      'udp6',
      [0, '::ffff:127.0.0.1'],
      { address: '::ffff:127.0.0.1', family: 'IPv6', port: expect.any(Number) },
    ],
    ['localhost', 'udp4', [0, 'localhost'], LO4],
  ] as const)('bind with %s', async (_, type, args, expected) => {
    const socket = sockets.make(type)
    const got = outcome(socket)
    expect(loose(socket).call(socket, ...args)).toBe(socket)
    expect(await got).toEqual({ listening: expected })
    expect(port(socket)).toBeGreaterThan(0)
  })

  test.each([
    ['udp4', 0, '::1', 'bind EINVAL ::1', 'EINVAL', -22],
    ['udp6', 0, '127.0.0.1', 'bind EINVAL 127.0.0.1', 'EINVAL', -22],
    ['udp4', 0, '192.0.2.77', 'bind EADDRNOTAVAIL 192.0.2.77', 'EADDRNOTAVAIL', -99],
    ['udp4', 7777, '192.0.2.77', 'bind EADDRNOTAVAIL 192.0.2.77:7777', 'EADDRNOTAVAIL', -99],
    ['udp6', 0, '2001:db8::77', 'bind EADDRNOTAVAIL 2001:db8::77', 'EADDRNOTAVAIL', -99],
    ['udp6', 0, 'fe80::77', 'bind EINVAL fe80::77', 'EINVAL', -22],
    ['udp6', 0, 'fe80::77%lo', 'bind EADDRNOTAVAIL fe80::77%lo', 'EADDRNOTAVAIL', -99],
  ] as const)('%s bound to port %i of %s fails', async (type, number, address, text, code, errno) => {
    const socket = sockets.make(type)
    const got = outcome(socket)
    socket.bind(number, address)
    expect(await got).toEqual({
      name: 'Error',
      message: text,
      code,
      errno,
      syscall: 'bind',
      address,
      ...(number === 0 ? {} : { port: number }),
    })
  })

  test('ipv6Only is nothing for udp4', async () => {
    const socket = sockets.make({ type: 'udp4', ipv6Only: true })
    const got = outcome(socket)
    socket.bind()
    expect(await got).toMatchObject({ message: 'bind EINVAL 0.0.0.0' })
  })

  test('a port beyond 65535 counts modulo 65536, a text is a number or 0', async () => {
    const used = await sockets.bound()
    const big = sockets.make()
    const gotBig = outcome(big)
    big.bind(port(used) + 0x10000, '127.0.0.2')
    expect(await gotBig).toMatchObject({ listening: { port: port(used) } })
    const text = sockets.make()
    const gotText = outcome(text)
    loose(text).call(text, `${port(used)}`, '127.0.0.3')
    expect(await gotText).toMatchObject({ listening: { port: port(used) } })
    const word = sockets.make()
    const gotWord = outcome(word)
    loose(word).call(word, 'http')
    expect(await gotWord).toMatchObject({ listening: { port: expect.any(Number) } })
  })

  test('what is no host name throws at once', () => {
    const socket = sockets.make()
    expect(thrown(() => loose(socket).call(socket, 0, 5))).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
    })
  })

  test('a name that does not exist is an error of getaddrinfo', async () => {
    const socket = sockets.make({
      type: 'udp4',
      lookup: (host, _, callback) => callback(Object.assign(new Error(`no ${host}`), { code: 'ENOTFOUND' }), '', 4),
    })
    const got = outcome(socket)
    socket.bind(0, 'nowhere')
    expect(await got).toMatchObject({ message: 'no nowhere', code: 'ENOTFOUND' })
  })

  test('binding twice throws, while binding too', async () => {
    const socket = sockets.make()
    const listening = once(socket, 'listening')
    socket.bind(0, '127.0.0.1')
    const expected = { name: 'Error', message: 'Socket is already bound', code: 'ERR_SOCKET_ALREADY_BOUND' }
    expect(thrown(() => socket.bind())).toEqual(expected)
    await listening
    expect(thrown(() => socket.bind())).toEqual(expected)
  })

  test("'listening' and the callback come later, the callback with the socket as this", async () => {
    const socket = sockets.make()
    const order: string[] = []
    socket.on('listening', () => order.push('event'))
    await new Promise<void>((resolve) => {
      socket.bind(0, '127.0.0.1', function (this: unknown) {
        order.push(this === socket ? 'callback' : 'stranger')
        resolve()
      } as () => void)
      order.push('returned')
    })
    expect(order).toEqual(['returned', 'event', 'callback'])
  })

  test('bind is done in the next tick', async () => {
    const socket = sockets.make()
    const order: string[] = []
    process.nextTick(() => order.push('before'))
    socket.bind(0, '127.0.0.1', () => order.push('listening'))
    process.nextTick(() => order.push('after'))
    setImmediate(() => order.push('turn'))
    await turn()
    expect(order).toEqual(['before', 'listening', 'after', 'turn'])
  })

  test('before bind and while binding there is no address', async () => {
    const socket = sockets.make()
    const expected = { name: 'Error', message: 'getsockname EBADF', code: 'EBADF', errno: -9, syscall: 'getsockname' }
    expect(thrown(() => socket.address())).toEqual(expected)
    socket.bind(0, '127.0.0.1')
    expect(thrown(() => socket.address())).toEqual(expected)
    await once(socket, 'listening')
    expect(socket.address().address).toBe('127.0.0.1')
    expect(Object.keys(socket.address())).toEqual(['address', 'family', 'port'])
  })

  test('a failed bind leaves no listener behind, and the socket can be bound again', async () => {
    const used = await sockets.bound()
    const socket = sockets.make()
    let called = 0
    const got = new Promise((resolve) => socket.once('error', resolve))
    socket.bind(port(used), '127.0.0.1', () => called++)
    await got
    expect([socket.listenerCount('error'), socket.listenerCount('listening'), called]).toEqual([0, 0, 0])
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    expect(called).toBe(0)
    socket.send('again', port(socket), '127.0.0.1')
    expect((await message(socket)).text).toBe('again')
  })

  test('closing while binding: no listening, no error, one close', async () => {
    const socket = sockets.make()
    const events: string[] = []
    for (const event of ['listening', 'error', 'close']) socket.on(event, () => events.push(event))
    socket.bind(0, '127.0.0.1')
    socket.close()
    await turn()
    await turn()
    expect(events).toEqual(['close'])
  })

  test('an error that comes after close is swallowed', async () => {
    const used = await sockets.bound()
    const socket = sockets.make()
    const events: string[] = []
    for (const event of ['listening', 'error', 'close']) socket.on(event, () => events.push(event))
    socket.bind(port(used), '127.0.0.1')
    socket.close()
    await turn()
    await turn()
    expect(events).toEqual(['close'])
  })

  const U4 = { type: 'udp4' } as const
  const U6 = { type: 'udp6' } as const
  const REUSE4 = { type: 'udp4', reuseAddr: true } as const
  test.each<[string, Options, string, Options, string, string]>([
    ['the same address', U4, '127.0.0.1', U4, '127.0.0.1', 'EADDRINUSE'],
    ['any after one', U4, '127.0.0.1', U4, '0.0.0.0', 'EADDRINUSE'],
    ['one after any', U4, '0.0.0.0', U4, '127.0.0.1', 'EADDRINUSE'],
    ['two addresses', U4, '127.0.0.1', U4, '127.0.0.2', 'ok'],
    ['reuseAddr in both', REUSE4, '127.0.0.1', REUSE4, '127.0.0.1', 'ok'],
    ['reuseAddr in the first', REUSE4, '127.0.0.1', U4, '127.0.0.1', 'EADDRINUSE'],
    ['reuseAddr in the second', U4, '127.0.0.1', REUSE4, '127.0.0.1', 'EADDRINUSE'],
    ['dual stack after any of IPv4', U4, '0.0.0.0', U6, '::', 'EADDRINUSE'],
    ['dual stack after one of IPv4', U4, '127.0.0.1', U6, '::', 'EADDRINUSE'],
    ['IPv4 after dual stack', U6, '::', U4, '127.0.0.1', 'EADDRINUSE'],
    ['ipv6Only after IPv4', U4, '0.0.0.0', { type: 'udp6', ipv6Only: true }, '::', 'ok'],
    ['::1 and 127.0.0.1', U6, '::1', U4, '127.0.0.1', 'ok'],
    ['dual stack after IPv4 with reuseAddr', REUSE4, '0.0.0.0', { type: 'udp6', reuseAddr: true }, '::', 'ok'],
    ['an IPv4 address in IPv6 form after IPv4', U4, '127.0.0.1', U6, '::ffff:127.0.0.1', 'EADDRINUSE'],
  ])('two sockets on one port: %s', async (_, firstType, firstAddress, secondType, secondAddress, expected) => {
    const first = await sockets.bound(firstType, firstAddress)
    const second = sockets.make(secondType)
    const got = outcome(second)
    second.bind(port(first), secondAddress)
    const result = await got
    if (expected === 'ok') expect(result).toMatchObject({ listening: { port: port(first) } })
    else
      expect(result).toEqual({
        name: 'Error',
        message: `bind EADDRINUSE ${secondAddress}:${port(first)}`,
        code: 'EADDRINUSE',
        errno: -98,
        syscall: 'bind',
        address: secondAddress,
        port: port(first),
      })
  })

  testWith(
    environment.node22,
    'Node 22',
    '',
  )('reusePort lets both bind, and spreads by flow: one sender reaches one socket', async () => {
    const options = { type: 'udp4', reusePort: true } as const
    const first = await sockets.bound(options)
    const second = await sockets.bound(options, '127.0.0.1', port(first))
    const got: Socket[] = []
    for (const socket of [first, second]) socket.on('message', () => got.push(socket))
    const sender = await sockets.bound()
    for (let i = 0; i < 8; i++) await send(sender, 'x', port(first), '127.0.0.1')
    while (got.length < 8) await turn()
    expect(new Set(got).size).toBe(1)
    const third = sockets.make()
    const refused = outcome(third)
    third.bind(port(first), '127.0.0.1')
    expect(await refused).toMatchObject({ code: 'EADDRINUSE' })
  })

  test('a port is free again after close', async () => {
    const first = await sockets.bound()
    const number = port(first)
    first.close()
    const second = await sockets.bound('udp4', '127.0.0.1', number)
    expect(port(second)).toBe(number)
  })

  test.each([
    ['that is none', () => 99_999_999, 'UNKNOWN'],
    ['of a file', () => openSync('/dev/null', 'r'), 'FILE'],
  ])('bind to a descriptor %s throws', (_, descriptor, type) => {
    const socket = sockets.make()
    const fd = descriptor()
    const error = thrown(() => loose(socket).call(socket, { fd }))
    if (type === 'FILE') closeSync(fd)
    expect(error).toEqual({ name: 'TypeError', message: `Unsupported fd type: ${type}`, code: 'ERR_INVALID_FD_TYPE' })
  })

  test('a send binds to any', async () => {
    const receiver = await sockets.bound()
    const socket = sockets.make()
    const listening = once(socket, 'listening')
    socket.send('x', port(receiver), '127.0.0.1')
    expect(thrown(() => socket.bind()).code).toBe('ERR_SOCKET_ALREADY_BOUND')
    await listening
    expect(socket.address()).toMatchObject({ address: '0.0.0.0', port: expect.any(Number) })
    const { rinfo } = await message(receiver)
    expect(rinfo.port).toBe(port(socket))
  })

  test('bind without an address asks the lookup once, with any', async () => {
    const asked: unknown[][] = []
    const lookup = (host: string, family: unknown, callback: (error: null, address: string) => void) => {
      asked.push([host, family, typeof callback])
      process.nextTick(callback, null, host)
    }
    for (const type of ['udp4', 'udp6'] as const) {
      const socket = sockets.make({ type, lookup: lookup as never })
      socket.bind()
      await once(socket, 'listening')
    }
    expect(asked).toEqual([
      ['0.0.0.0', 4, 'function'],
      ['::', 6, 'function'],
    ])
  })

  test('the callback of bind makes a failure a handled one, but in Nodes that have bindSync', async () => {
    const socket = sockets.make()
    socket.bind(0, '192.0.2.77', () => {})
    expect(socket.listenerCount('error')).toBe(nodeHasSync ? 0 : 1)
    const errors = await uncaught(async () => {
      await turn()
      await turn()
    })
    expect(errors.map((error) => (error as { code: string }).code)).toEqual(nodeHasSync ? ['EADDRNOTAVAIL'] : [])
  })

  test(
    nodeHasSync ? 'dns.lookup is read when a name is looked up' : 'dns.lookup is read when the socket is made',
    async () => {
      const original = dns.lookup
      const asked: string[] = []
      const replacement = ((
        host: string,
        family: number,
        callback: (error: null, address: string, family: number) => void,
      ) => {
        asked.push(host)
        process.nextTick(callback, null, '127.0.0.1', family)
      }) as unknown as typeof dns.lookup
      dns.lookup = replacement
      const patched = sockets.make()
      if (!nodeHasSync) dns.lookup = original
      const plain = sockets.make()
      patched.bind(0, 'some.name')
      dns.lookup = original
      await once(patched, 'listening')
      plain.bind(0, 'localhost')
      await once(plain, 'listening')
      expect(asked).toEqual(['some.name'])
      expect(patched.address().address).toBe('127.0.0.1')
    },
  )

  test('a lookup that calls back at once is in order too', async () => {
    const socket = sockets.make({
      type: 'udp4',
      lookup: ((_: string, __: number, callback: (error: null, address: string) => void) =>
        callback(null, '127.0.0.1')) as never,
    })
    let listening = 0
    socket.bind(0, () => listening++)
    expect(listening).toBe(1)
  })
}
