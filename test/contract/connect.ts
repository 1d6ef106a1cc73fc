import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import {
  type Environment,
  message,
  port,
  quiet,
  rejected,
  Sockets,
  send,
  shape,
  texts,
  thrown,
  turn,
} from './environment.ts'

function connect(socket: Socket, ...args: unknown[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const loose = socket.connect as unknown as (...given: unknown[]) => void
    loose.call(socket, ...args, (error?: Error) => (error ? reject(error) : resolve()))
  })
}

const CONNECTED = { name: 'Error', message: 'Already connected', code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' }
const NOT_CONNECTED = { name: 'Error', message: 'Not connected', code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' }

/** connect, disconnect, and sockets that are connected. */
export function connecting(environment: Environment): void {
  const sockets = new Sockets(environment)
  const loose =
    (socket: Socket) =>
    (...args: unknown[]) =>
      (socket.connect as unknown as (...given: unknown[]) => void).call(socket, ...args)
  const looseSend =
    (socket: Socket) =>
    (...args: unknown[]) =>
      (socket.send as (...given: unknown[]) => void).call(socket, ...args)

  test.each([
    ['udp4', ['127.0.0.1'], '127.0.0.1'],
    ['udp4', [], '127.0.0.1'],
    ['udp4', [''], '127.0.0.1'],
    ['udp4', ['localhost'], '127.0.0.1'],
    ['udp4', ['0.0.0.0'], '127.0.0.1'],
    ['udp6', ['::1'], '::1'],
    ['udp6', [], '::1'],
    ['udp6', ['::ffff:127.0.0.1'], '::ffff:127.0.0.1'],
  ] as const)('%s connects to %j', async (type, args, address) => {
    const peer = await sockets.bound(
      type,
      type === 'udp4' || address.includes('.') ? (type === 'udp4' ? '127.0.0.1' : '::ffff:127.0.0.1') : '::1',
    )
    const socket = sockets.make(type)
    await connect(socket, port(peer), ...args)
    const family = type === 'udp4' ? 'IPv4' : 'IPv6'
    expect(socket.remoteAddress()).toEqual({ address, family, port: port(peer) })
    expect(socket.address()).toEqual({ address, family, port: expect.any(Number) })
  })

  test.each([
    ['no port', [], 'RangeError', 'ERR_SOCKET_BAD_PORT', 'Port should be > 0 and < 65536. Received undefined.'],
    ['port 0', [0], 'RangeError', 'ERR_SOCKET_BAD_PORT', 'Port should be > 0 and < 65536. Received type number (0).'],
    [
      'port 65536',
      [65536],
      'RangeError',
      'ERR_SOCKET_BAD_PORT',
      'Port should be > 0 and < 65536. Received type number (65536).',
    ],
    [
      'a number as address',
      [9, 5],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      'The "address" argument must be of type string. Received type number (5)',
    ],
    [
      'null as address',
      [9, null],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      'The "address" argument must be of type string. Received null',
    ],
  ])('connect with %s throws', (_, args, name, code, text) => {
    expect(thrown(() => loose(sockets.make())(...args))).toEqual({ name, code, message: text })
  })

  test("connect returns undefined, and 'connect' comes with the callback, later", async () => {
    const socket = sockets.make()
    const events: string[] = []
    socket.on('connect', () => events.push('event'))
    expect(loose(socket)(9, '127.0.0.1', () => events.push('callback'))).toBeUndefined()
    expect(events).toEqual([])
    await once(socket, 'connect')
    expect(events).toEqual(['event', 'callback'])
  })

  test('states: a second connect, a disconnect while connecting, after it', async () => {
    const socket = sockets.make()
    expect(thrown(() => socket.disconnect())).toEqual(NOT_CONNECTED)
    expect(thrown(() => socket.remoteAddress())).toEqual(NOT_CONNECTED)
    const connected = connect(socket, 9, '127.0.0.1')
    expect(thrown(() => socket.connect(9))).toEqual(CONNECTED)
    expect(thrown(() => socket.connect(0)).code).toBe('ERR_SOCKET_BAD_PORT')
    expect(thrown(() => socket.disconnect())).toEqual(NOT_CONNECTED)
    expect(thrown(() => socket.remoteAddress())).toEqual(NOT_CONNECTED)
    await connected
    expect(thrown(() => socket.connect(9))).toEqual(CONNECTED)
    socket.disconnect()
    expect(thrown(() => socket.disconnect())).toEqual(NOT_CONNECTED)
    expect(thrown(() => socket.remoteAddress())).toEqual(NOT_CONNECTED)
    await connect(socket, 10, '127.0.0.1')
    expect(socket.remoteAddress().port).toBe(10)
  })

  test('after disconnect a socket that was bound keeps its address and speaks to anybody', async () => {
    const socket = await sockets.bound()
    const number = port(socket)
    const other = await sockets.bound()
    await connect(socket, 9, '127.0.0.1')
    socket.disconnect()
    expect(socket.address().address).toBe('127.0.0.1')
    const got = message(socket)
    await send(socket, 'x', port(other), '127.0.0.1')
    if (environment.name === 'tungram') expect(port(socket)).toBe(number)
    await send(other, 'hello', port(socket), '127.0.0.1')
    expect((await got).text).toBe('hello')
  })

  test('a connected socket sends to its peer', async () => {
    const peer = await sockets.bound()
    const socket = sockets.make()
    await connect(socket, port(peer), '127.0.0.1')
    const got = texts(peer, 5)
    expect(await send(socket, 'abc')).toBe(3)
    expect(await send(socket, Buffer.from('abcdef'), 1, 3)).toBe(3)
    expect(await send(socket, ['d', 'e'])).toBe(2)
    looseSend(socket)('f')
    looseSend(socket)(Buffer.from('xgx'), 1, 1)
    expect(await got).toEqual(['abc', 'bcd', 'de', 'f', 'g'])
  })

  test('a connected socket refuses a destination', async () => {
    const socket = sockets.make()
    await connect(socket, 9, '127.0.0.1')
    expect(thrown(() => looseSend(socket)('x', 9, '127.0.0.1', () => {}))).toEqual(CONNECTED)
    expect(thrown(() => looseSend(socket)(Buffer.from('x'), 0, 1, 9))).toEqual(CONNECTED)
    expect(thrown(() => looseSend(socket)(Buffer.from('x'), 0, 1, 9, '127.0.0.1', () => {}))).toEqual(CONNECTED)
    expect(thrown(() => looseSend(socket)(5)).code).toBe('ERR_INVALID_ARG_TYPE')
    expect(thrown(() => looseSend(socket)(Buffer.from('x'), 2, 1)).code).toBe('ERR_BUFFER_OUT_OF_BOUNDS')
  })

  test('a connected socket hears its peer only', async () => {
    const peer = await sockets.bound()
    const stranger = await sockets.bound()
    const socket = sockets.make()
    await connect(socket, port(peer), '127.0.0.1')
    const got = texts(socket, 1)
    await send(stranger, 'stranger', port(socket), '127.0.0.1')
    await send(peer, 'peer', port(socket), '127.0.0.1')
    expect(await got).toEqual(['peer'])
  })

  test('lookup is asked for the connect, and no more', async () => {
    const asked: string[] = []
    const lookup = (host: string, family: number, callback: (error: null, address: string) => void) => {
      asked.push(`${host} ${family}`)
      process.nextTick(callback, null, host === 'peer' ? '127.0.0.1' : host)
    }
    const socket = sockets.make({ type: 'udp4', lookup: lookup as never })
    await connect(socket, 9, 'peer')
    await send(socket, 'x')
    expect(asked).toEqual(['0.0.0.0 4', 'peer 4'])
  })

  test.each([
    ['IPv6', 'udp4', '::1', { message: 'connect EINVAL ::1:4444', code: 'EINVAL', errno: -22 }],
    [
      'broadcast',
      'udp4',
      '127.255.255.255',
      { message: 'connect EACCES 127.255.255.255:4444', code: 'EACCES', errno: -13 },
    ],
    ['IPv4', 'udp6', '127.0.0.1', { message: 'connect EINVAL 127.0.0.1:4444', code: 'EINVAL', errno: -22 }],
  ] as const)(
    'connect to %s on %s fails in its callback, and the socket lives on',
    async (_, type, address, expected) => {
      const socket = sockets.make(type)
      const events: unknown[] = []
      socket.on('error', (error) => events.push(error))
      expect(await rejected(connect(socket, 4444, address))).toEqual({
        name: 'Error',
        syscall: 'connect',
        address,
        port: 4444,
        ...expected,
      })
      expect(events).toEqual([])
      expect(socket.listenerCount('connect')).toBe(0)
      await connect(socket, 4444)
      expect(socket.remoteAddress().port).toBe(4444)
    },
  )

  test("without a callback a failed connect is an 'error' event", async () => {
    const socket = sockets.make()
    socket.connect(4444, '::1')
    const [error] = (await once(socket, 'error')) as [Error]
    expect(shape(error)).toMatchObject({ message: 'connect EINVAL ::1:4444' })
  })

  test('an error of the lookup is the error of the connect', async () => {
    const lookup = (host: string, _: number, callback: (error: Error | null, address?: string) => void) => {
      if (host === '0.0.0.0') process.nextTick(callback, null, host)
      else process.nextTick(callback, new Error('no such host'))
    }
    const socket = sockets.make({ type: 'udp4', lookup: lookup as never })
    expect(await rejected(connect(socket, 9, 'nowhere'))).toMatchObject({ message: 'no such host' })
  })

  test("a refused datagram on a connected socket is an 'error' of recvmsg, and the socket survives it", async () => {
    const closed = await sockets.bound()
    const number = port(closed)
    closed.close()
    const socket = sockets.make()
    await connect(socket, number, '127.0.0.1')
    for (let n = 0; n < 2; n++) {
      const failed = once(socket, 'error')
      await send(socket, 'x')
      expect(shape((await failed)[0])).toEqual({
        name: 'Error',
        message: 'recvmsg ECONNREFUSED',
        code: 'ECONNREFUSED',
        errno: -111,
        syscall: 'recvmsg',
      })
    }
    const peer = await sockets.bound('udp4', '127.0.0.1', number)
    const got = message(peer)
    await send(socket, 'now')
    expect((await got).text).toBe('now')
  })

  test('a refused datagram over IPv6 is an error of recvmsg, too', async () => {
    const closed = await sockets.bound('udp6')
    const number = port(closed)
    closed.close()
    const socket = sockets.make('udp6')
    await connect(socket, number, '::1')
    const failed = once(socket, 'error')
    socket.send('x')
    expect(shape((await failed)[0])).toMatchObject({ message: 'recvmsg ECONNREFUSED' })
  })

  test.each(['bound', 'unbound'])(
    'a %s socket that is connecting needs a port, and then refuses what it is told to send',
    async (kind) => {
      const peer = await sockets.bound()
      const got = texts(peer, 1)
      const socket = kind === 'bound' ? await sockets.bound() : sockets.make()
      const connected = connect(socket, port(peer), '127.0.0.1')
      expect(thrown(() => looseSend(socket)('x', () => {}))).toMatchObject({ code: 'ERR_SOCKET_BAD_PORT' })
      const elsewhere = rejected(send(socket, 'x', 9, '127.0.0.1'))
      const same = rejected(send(socket, 'x', port(peer)))
      await connected
      expect(await elsewhere).toMatchObject({
        message: 'send EISCONN 127.0.0.1:9',
        code: 'EISCONN',
        errno: -106,
        syscall: 'send',
      })
      expect(await same).toMatchObject({ code: 'EISCONN' })
      await send(socket, 'late')
      expect(await got).toEqual(['late'])
    },
  )

  test('what is sent before connect is called leaves', async () => {
    const peer = await sockets.bound()
    const got = texts(peer, 1)
    const socket = sockets.make()
    const left = send(socket, 'early', port(peer), '127.0.0.1')
    await connect(socket, 9, '127.0.0.1')
    expect(await left).toBe(5)
    expect(await got).toEqual(['early'])
  })

  test('connect on a bound socket keeps its port', async () => {
    const socket = await sockets.bound('udp4', '0.0.0.0')
    const number = port(socket)
    await connect(socket, 9, '127.0.0.1')
    expect(socket.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: number })
  })

  test('close while connecting: nothing but close', async () => {
    const socket = await sockets.bound()
    const events: string[] = []
    for (const event of ['connect', 'error', 'close']) socket.on(event, () => events.push(event))
    socket.connect(9, '127.0.0.1', () => events.push('callback'))
    socket.close()
    await turn()
    await quiet()
    expect(events).toEqual(['close'])
  })

  test('a failing bind takes the connect with it', async () => {
    const socket = sockets.make({
      type: 'udp4',
      lookup: ((_: string, __: number, callback: (error: Error) => void) =>
        process.nextTick(callback, new Error('no'))) as never,
    })
    let called = 0
    socket.connect(9, '127.0.0.1', () => called++)
    await once(socket, 'error')
    await quiet()
    expect(called).toBe(0)
  })
}
