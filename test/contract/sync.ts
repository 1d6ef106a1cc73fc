import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { skipAloud } from '../skips.ts'
import { type Environment, message, port, Sockets, send, thrown, turn } from './environment.ts'

/** The calls, which the types of older Nodes do not have. */
interface Sync {
  bindSync(...args: unknown[]): { address: string; family: string; port: number }
  connectSync(...args: unknown[]): void
}
const sync = (socket: Socket) => socket as unknown as Sync

const NOT_RUNNING = { name: 'Error', message: 'Not running', code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }
const BOUND = { name: 'Error', message: 'Socket is already bound', code: 'ERR_SOCKET_ALREADY_BOUND' }
const CONNECTED = { name: 'Error', message: 'Already connected', code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' }

/** The calls that answer at once, of Nodes that have them. */
export function synchronous(environment: Environment): void {
  const sockets = new Sockets(environment)
  if (!environment.sync) {
    skipAloud('the calls that answer at once', 'bindSync and connectSync, which came with Node 24', '')
    return
  }

  test.each([
    ['udp4', [], '0.0.0.0'],
    ['udp4', [undefined], '0.0.0.0'],
    ['udp4', [{}], '0.0.0.0'],
    ['udp4', [{ port: null, address: null }], '0.0.0.0'],
    ['udp4', [{ port: '0', address: '' }], '0.0.0.0'],
    ['udp4', [{ address: '127.0.0.1' }], '127.0.0.1'],
    ['udp6', [], '::'],
    ['udp6', [{ address: '::1', exclusive: false }], '::1'],
  ] as const)('%s is bound by bindSync%j', (type, args, address) => {
    const socket = sockets.make(type)
    const bound = sync(socket).bindSync(...args)
    expect(bound).toEqual({ address, family: type === 'udp4' ? 'IPv4' : 'IPv6', port: expect.any(Number) })
    expect(bound.port).toBeGreaterThan(0)
    expect(socket.address()).toEqual(bound)
  })

  test("'listening' comes in the next tick, and datagrams are heard", async () => {
    const socket = sockets.make()
    const order: string[] = []
    socket.on('listening', () => order.push('listening'))
    const { port } = sync(socket).bindSync({ address: '127.0.0.1' })
    order.push('bound')
    process.nextTick(() => order.push('tick'))
    const [heard] = await Promise.all([message(socket), send(sockets.make(), 'hello', port, '127.0.0.1')])
    expect(heard.text).toBe('hello')
    expect(order).toEqual(['bound', 'listening', 'tick'])
  })

  test("a socket that is closed at once says neither 'listening' nor 'connect'", async () => {
    const socket = sockets.make()
    const said: string[] = []
    for (const event of ['listening', 'connect']) socket.on(event, () => said.push(event))
    sync(socket).bindSync()
    sync(socket).connectSync(9)
    socket.close()
    await turn()
    expect(said).toEqual([])
  })

  test.each([
    ['null', [null], 'The "options" argument must be of type object. Received null'],
    ['a port', [5000], 'The "options" argument must be of type object. Received type number (5000)'],
    ['an array', [[]], 'The "options" argument must be of type object. Received an instance of Array'],
    [
      'a number as address',
      [{ address: 5 }],
      'The "options.address" property must be of type string. Received type number (5)',
    ],
  ])('bindSync refuses %s', (_what, args, message) => {
    const socket = sockets.make()
    expect(thrown(() => sync(socket).bindSync(...args))).toEqual({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
      message,
    })
    expect(sync(socket).bindSync().port).toBeGreaterThan(0)
  })

  test.each([
    [65_536, 'type number (65536)'],
    [-1, 'type number (-1)'],
    ['x', "type string ('x')"],
    [1.5, 'type number (1.5)'],
  ])('bindSync refuses port %s', (given, received) => {
    expect(thrown(() => sync(sockets.make()).bindSync({ port: given }))).toEqual({
      name: 'RangeError',
      code: 'ERR_SOCKET_BAD_PORT',
      message: `options.port should be >= 0 and < 65536. Received ${received}.`,
    })
  })

  test('neither bindSync nor connectSync looks a name up', () => {
    const socket = sockets.make()
    expect(thrown(() => sync(socket).bindSync({ address: 'localhost' }))).toEqual({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message:
        "The property 'options.address' must be a numeric IP address; bindSync does not perform DNS " +
        "resolution. Received 'localhost'",
    })
    expect(thrown(() => sync(socket).connectSync(9, 'localhost'))).toEqual({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message:
        "The argument 'address' must be a numeric IP address; connectSync does not perform DNS " +
        "resolution. Received 'localhost'",
    })
    expect(thrown(() => socket.address()).code).toBe('EBADF')
  })

  test('an address in use is thrown, and another may be tried', async () => {
    const other = await sockets.bound()
    const socket = sockets.make()
    expect(thrown(() => sync(socket).bindSync({ port: port(other), address: '127.0.0.1' }))).toEqual({
      name: 'Error',
      message: `bind EADDRINUSE 127.0.0.1:${port(other)}`,
      code: 'EADDRINUSE',
      errno: expect.any(Number),
      syscall: 'bind',
      address: '127.0.0.1',
      port: port(other),
    })
    expect(sync(socket).bindSync().port).not.toBe(port(other))
  })

  test.each([
    ['of nobody here', 'udp4', '192.0.2.77', 'bind EADDRNOTAVAIL 192.0.2.77'],
    ['of the other family', 'udp4', '::1', 'bind EINVAL ::1'],
    ['of the other family', 'udp6', '127.0.0.1', 'bind EINVAL 127.0.0.1'],
  ] as const)('an address %s is thrown: %s %s', (_what, type, address, message) => {
    expect(thrown(() => sync(sockets.make(type)).bindSync({ address })).message).toBe(message)
  })

  test('bindSync binds a socket once', async () => {
    const socket = sockets.make()
    sync(socket).bindSync()
    expect(thrown(() => sync(socket).bindSync())).toEqual(BOUND)
    expect(thrown(() => socket.bind())).toEqual(BOUND)
    const binding = sockets.make()
    binding.bind()
    expect(thrown(() => sync(binding).bindSync())).toEqual(BOUND)
    expect(thrown(() => sync(binding).connectSync(9))).toEqual(BOUND)
    await once(binding, 'listening')
    sync(binding).connectSync(9)
  })

  test('after close bindSync and connectSync throw', () => {
    const socket = sockets.make()
    socket.close()
    expect(thrown(() => sync(socket).bindSync(null))).toEqual(NOT_RUNNING)
    expect(thrown(() => sync(socket).connectSync('x'))).toEqual(NOT_RUNNING)
  })

  test('buffer sizes are set', () => {
    const socket = sockets.make({ type: 'udp4', recvBufferSize: 10_000 })
    sync(socket).bindSync()
    expect(socket.getRecvBufferSize()).toBe(20_000)
  })

  test.each([
    ['udp4', [], '127.0.0.1'],
    ['udp4', [null], '127.0.0.1'],
    ['udp4', [''], '127.0.0.1'],
    ['udp4', ['127.0.0.1'], '127.0.0.1'],
    ['udp6', [], '::1'],
    ['udp6', ['::1'], '::1'],
  ] as const)('%s is connected by connectSync(port, …%j), and bound', async (type, args, address) => {
    const peer = await sockets.bound(type, address)
    const socket = sockets.make(type)
    const events: string[] = []
    for (const event of ['listening', 'connect']) socket.on(event, () => events.push(event))
    expect(sync(socket).connectSync(port(peer), ...args)).toBe(undefined)
    expect(socket.remoteAddress()).toEqual({ address, family: type === 'udp4' ? 'IPv4' : 'IPv6', port: port(peer) })
    expect(socket.address()).toMatchObject({ address })
    expect(events).toEqual([])
    const [heard] = await Promise.all([message(peer), send(socket, 'to the peer')])
    expect(heard.text).toBe('to the peer')
    expect(events).toEqual(['listening', 'connect'])
  })

  test('connectSync connects a socket once, and again after disconnect', () => {
    const socket = sockets.make()
    sync(socket).connectSync(9)
    expect(thrown(() => sync(socket).connectSync(9))).toEqual(CONNECTED)
    expect(thrown(() => socket.connect(9))).toEqual(CONNECTED)
    socket.disconnect()
    sync(socket).connectSync(10)
    expect(socket.remoteAddress().port).toBe(10)
  })

  test.each([
    ['no port', [], { name: 'RangeError', message: 'Port should be > 0 and < 65536. Received undefined.' }],
    ['port 0', [0], { name: 'RangeError', message: 'Port should be > 0 and < 65536. Received type number (0).' }],
    [
      'a number as address',
      [9, 5],
      { message: 'The "address" argument must be of type string. Received type number (5)' },
    ],
    ['a function as address', [9, () => {}], { code: 'ERR_INVALID_ARG_TYPE' }],
    ['an address of the other family', [9, '::1'], { message: 'connect EINVAL ::1:9', syscall: 'connect', port: 9 }],
  ])('connectSync refuses %s, and leaves the socket unconnected', (_what, args, error) => {
    const socket = sockets.make()
    expect(thrown(() => sync(socket).connectSync(...args))).toMatchObject(error)
    sync(socket).connectSync(9)
    expect(socket.remoteAddress().port).toBe(9)
  })

  test('what blocks a destination blocks connectSync', async () => {
    const { BlockList } = await import('node:net')
    const sendBlockList = new BlockList()
    sendBlockList.addAddress('127.0.0.1')
    const socket = sockets.make({ type: 'udp4', sendBlockList })
    expect(thrown(() => sync(socket).connectSync(9))).toMatchObject({ code: 'ERR_IP_BLOCKED' })
    expect(thrown(() => socket.disconnect())).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' })
  })
}
