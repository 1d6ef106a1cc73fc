import { AsyncLocalStorage } from 'node:async_hooks'
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

/** send: argument forms, what is refused, callbacks, queues. */
export function sending(environment: Environment): void {
  const sockets = new Sockets(environment)
  const loose =
    (socket: Socket) =>
    (...args: unknown[]) =>
      (socket.send as (...given: unknown[]) => void).call(socket, ...args)

  const abc = Buffer.from('abcdef')
  test.each<[string, (port: number) => unknown[], string, number]>([
    ['a string', (to) => ['abc', to, '127.0.0.1'], 'abc', 3],
    ['a string of many bytes a character', (to) => ['äöü€', to, '127.0.0.1'], 'äöü€', 9],
    ['an empty string', (to) => ['', to, '127.0.0.1'], '', 0],
    ['a Buffer', (to) => [abc, to, '127.0.0.1'], 'abcdef', 6],
    ['an empty Buffer', (to) => [Buffer.alloc(0), to, '127.0.0.1'], '', 0],
    ['a Uint8Array', (to) => [Uint8Array.of(97, 98), to, '127.0.0.1'], 'ab', 2],
    ['a part of an ArrayBuffer', (to) => [new Uint8Array(abc.buffer, abc.byteOffset + 1, 2), to, '127.0.0.1'], 'bc', 2],
    ['a Uint16Array', (to) => [new Uint16Array([0x6261, 0x6463]), to, '127.0.0.1'], 'abcd', 4],
    ['a DataView', (to) => [new DataView(Uint8Array.of(97, 98, 99).buffer, 1), to, '127.0.0.1'], 'bc', 2],
    [
      'a list',
      (to) => [['ab', Buffer.from('cd'), Uint8Array.of(101), new DataView(Uint8Array.of(102).buffer)], to, '127.0.0.1'],
      'abcdef',
      6,
    ],
    ['an empty list', (to) => [[], to, '127.0.0.1'], '', 0],
    ['a list of nothing', (to) => [['', ''], to, '127.0.0.1'], '', 0],
    ['offset and length', (to) => [abc, 1, 3, to, '127.0.0.1'], 'bcd', 3],
    ['offset and length of a string', (to) => ['äbcdef', 2, 3, to, '127.0.0.1'], 'bcd', 3],
    ['offset and no length', (to) => [abc, 2, 0, to, '127.0.0.1'], '', 0],
    [
      'offset and length of a DataView',
      (to) => [new DataView(Uint8Array.of(97, 98, 99).buffer), 1, 2, to, '127.0.0.1'],
      'bc',
      2,
    ],
    ['no address', (to) => ['abc', to], 'abc', 3],
    ['a null address', (to) => ['abc', to, null], 'abc', 3],
    ['an empty address', (to) => ['abc', to, ''], 'abc', 3],
    ['offset, length and no address', (to) => [abc, 0, 2, to], 'ab', 2],
    ['a port in a string', (to) => ['abc', `${to}`, '127.0.0.1'], 'abc', 3],
    ['any as address', (to) => ['abc', to, '0.0.0.0'], 'abc', 3],
    ['localhost', (to) => ['abc', to, 'localhost'], 'abc', 3],
  ])('sends %s', async (_, args, text, bytes) => {
    const receiver = await sockets.bound()
    const sender = sockets.make()
    const got = message(receiver)
    expect(await send(sender, ...args(port(receiver)))).toBe(bytes)
    expect((await got).text).toBe(text)
  })

  test('send returns undefined', async () => {
    const socket = await sockets.bound()
    expect(loose(socket)('x', port(socket), '127.0.0.1')).toBeUndefined()
  })

  const bytes = 'of type string or an instance of Buffer, TypedArray, or DataView'
  test.each<[string, unknown[], string, string, string]>([
    ['nothing', [], 'TypeError', 'ERR_INVALID_ARG_TYPE', `The "buffer" argument must be ${bytes}. Received undefined`],
    [
      'a number',
      [23, 9],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "buffer" argument must be ${bytes}. Received type number (23)`,
    ],
    ['null', [null, 9], 'TypeError', 'ERR_INVALID_ARG_TYPE', `The "buffer" argument must be ${bytes}. Received null`],
    [
      'an object',
      [{}, 9],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "buffer" argument must be ${bytes}. Received an instance of Object`,
    ],
    [
      'a function',
      [setTimeout, 9],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "buffer" argument must be ${bytes}. Received function setTimeout`,
    ],
    [
      'a symbol',
      [Symbol('x'), 9],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "buffer" argument must be ${bytes}. Received type symbol (Symbol(x))`,
    ],
    [
      'an ArrayBuffer',
      [new ArrayBuffer(4), 9],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "buffer" argument must be ${bytes}. Received an instance of ArrayBuffer`,
    ],
    [
      'a bad list',
      [['a', 1], 9],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "buffer list arguments" argument must be ${bytes}. Received an instance of Array`,
    ],
    [
      'a list with a hole',
      // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
      [[, 'a'], 9],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "buffer list arguments" argument must be ${bytes}. Received an instance of Array`,
    ],
    [
      'a list of holes',
      [new Array(2), 9],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "buffer list arguments" argument must be ${bytes}. Received an instance of Array`,
    ],
    [
      'a list with an offset',
      [['a'], 0, 1, 9, '127.0.0.1'],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "buffer" argument must be ${bytes}. Received an instance of Array`,
    ],
    [
      'a number with an offset',
      [5, 0, 1, 9],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "buffer" argument must be ${bytes}. Received type number (5)`,
    ],
    [
      'an offset behind the end',
      [abc, 7, 0, 9],
      'RangeError',
      'ERR_BUFFER_OUT_OF_BOUNDS',
      '"offset" is outside of buffer bounds',
    ],
    [
      'a length beyond the end',
      [abc, 4, 3, 9],
      'RangeError',
      'ERR_BUFFER_OUT_OF_BOUNDS',
      '"length" is outside of buffer bounds',
    ],
    [
      'a negative offset',
      [abc, -1, 3, 9],
      'RangeError',
      'ERR_BUFFER_OUT_OF_BOUNDS',
      '"offset" is outside of buffer bounds',
    ],
    ['no port', ['x'], 'RangeError', 'ERR_SOCKET_BAD_PORT', 'Port should be > 0 and < 65536. Received undefined.'],
    [
      'port 0',
      ['x', 0],
      'RangeError',
      'ERR_SOCKET_BAD_PORT',
      'Port should be > 0 and < 65536. Received type number (0).',
    ],
    [
      'port 65536',
      ['x', 65536],
      'RangeError',
      'ERR_SOCKET_BAD_PORT',
      'Port should be > 0 and < 65536. Received type number (65536).',
    ],
    [
      'port -1',
      ['x', -1],
      'RangeError',
      'ERR_SOCKET_BAD_PORT',
      'Port should be > 0 and < 65536. Received type number (-1).',
    ],
    [
      'port 1.5',
      ['x', 1.5],
      'RangeError',
      'ERR_SOCKET_BAD_PORT',
      'Port should be > 0 and < 65536. Received type number (1.5).',
    ],
    ['port null', ['x', null], 'RangeError', 'ERR_SOCKET_BAD_PORT', 'Port should be > 0 and < 65536. Received null.'],
    [
      'a word as port',
      ['x', 'http'],
      'RangeError',
      'ERR_SOCKET_BAD_PORT',
      `Port should be > 0 and < 65536. Received type string ('http').`,
    ],
    [
      'an empty string as port',
      ['x', ''],
      'RangeError',
      'ERR_SOCKET_BAD_PORT',
      `Port should be > 0 and < 65536. Received type string ('').`,
    ],
    [
      'an object as port',
      ['x', {}],
      'RangeError',
      'ERR_SOCKET_BAD_PORT',
      'Port should be > 0 and < 65536. Received an instance of Object.',
    ],
    [
      'a list as port',
      ['x', []],
      'RangeError',
      'ERR_SOCKET_BAD_PORT',
      'Port should be > 0 and < 65536. Received an instance of Array.',
    ],
    [
      'a number as address',
      ['x', 9, 5],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      'The "address" argument must be of type string. Received type number (5)',
    ],
    [
      'true as address',
      ['x', 9, true],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      'The "address" argument must be of type string. Received type boolean (true)',
    ],
    [
      'an object as address',
      ['x', 9, {}],
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      'The "address" argument must be of type string. Received an instance of Object',
    ],
  ])('send of %s throws', (_, args, name, code, text) => {
    const socket = sockets.make()
    expect(thrown(() => loose(socket)(...args))).toEqual({ name, code, message: text })
    expect(thrown(() => socket.address()).code).toBe('EBADF')
  })

  test.each<[string, 'udp4' | 'udp6', Buffer, string | undefined, string, number]>([
    ['too large', 'udp4', Buffer.alloc(65508), '127.0.0.1', 'EMSGSIZE', -90],
    ['much too large', 'udp4', Buffer.alloc(200_000), '127.0.0.1', 'EMSGSIZE', -90],
    ['too large without address', 'udp4', Buffer.alloc(65508), undefined, 'EMSGSIZE', -90],
    ['a broadcast without leave', 'udp4', abc, '127.255.255.255', 'EACCES', -13],
    ['IPv6 on udp4', 'udp4', abc, '::1', 'EINVAL', -22],
    ['IPv4 on udp6', 'udp6', abc, '127.0.0.1', 'EINVAL', -22],
  ])('a datagram that is %s is an error of its callback', async (_, type, data, address, code, errno) => {
    const socket = await sockets.bound(type)
    const events: unknown[] = []
    socket.on('error', (error) => events.push(error))
    const given = address === undefined ? [data, 4444] : [data, 4444, address]
    expect(await rejected(send(socket, ...given))).toEqual({
      name: 'Error',
      message: `send ${code} ${address}:4444`,
      code,
      errno,
      syscall: 'send',
      address,
      port: 4444,
    })
    await turn()
    expect(events).toEqual([])
  })

  test('the largest datagrams arrive: 65507 bytes of IPv4, 65527 of IPv6 less what loopback takes', async () => {
    for (const [type, address, size] of [
      ['udp4', '127.0.0.1', 65507],
      ['udp6', '::1', 65487],
    ] as const) {
      const socket = await sockets.bound({ type, recvBufferSize: 200_000 })
      const data = Buffer.alloc(size, 'ab')
      const got = message(socket)
      expect(await send(socket, data, port(socket), address)).toBe(size)
      const { msg, rinfo } = await got
      expect(rinfo.size).toBe(size)
      expect(msg.equals(data)).toBe(true)
    }
  })

  test('a callback is called once, later, with null and the bytes', async () => {
    const socket = await sockets.bound()
    const calls: unknown[][] = []
    socket.send('abc', port(socket), '127.0.0.1', (...args) => calls.push(args))
    expect(calls).toEqual([])
    await message(socket)
    await turn()
    expect(calls).toEqual([[null, 3]])
  })

  test('callbacks come in the order of the sends', async () => {
    const socket = sockets.make()
    const receiver = await sockets.bound()
    const order: number[] = []
    const all = Promise.all(
      [1, 2, 3, 4, 5].map(
        (n) =>
          new Promise<void>((resolve) =>
            socket.send(`${n}`, port(receiver), '127.0.0.1', () => resolve(void order.push(n))),
          ),
      ),
    )
    expect(await texts(receiver, 5)).toEqual(['1', '2', '3', '4', '5'])
    await all
    expect(order).toEqual([1, 2, 3, 4, 5])
  })

  test('the callback runs before the next turn of the event loop when the socket is bound', async () => {
    const socket = await sockets.bound()
    const order: string[] = []
    setImmediate(() => order.push('turn'))
    socket.send('x', port(socket), '127.0.0.1', () => order.push('callback'))
    await turn()
    expect(order).toEqual(['callback', 'turn'])
  })

  test("'message' is never emitted inside send, nor before its callback is", async () => {
    const socket = await sockets.bound()
    const order: string[] = []
    socket.on('message', () => order.push('message'))
    socket.send('x', port(socket), '127.0.0.1', () => order.push('callback'))
    order.push('returned')
    await message(socket)
    expect(order).toEqual(['returned', 'callback', 'message'])
  })

  test(
    'sends queued by an implicit bind leave after the listeners that were there before, and with what they ' + 'set',
    async () => {
      const receiver = await sockets.bound('udp4', '0.0.0.0')
      const socket = sockets.make()
      const order: string[] = []
      socket.on('listening', () => {
        order.push('listening')
        socket.setBroadcast(true)
        socket.setTTL(9)
      })
      const left = send(socket, 'one', port(receiver), '127.255.255.255').then(() => order.push('sent'))
      const got = message(receiver)
      await left
      expect((await got).text).toBe('one')
      expect(order).toEqual(['listening', 'sent'])
    },
  )

  test('a list is copied at the call, its buffers are not touched', async () => {
    const receiver = await sockets.bound()
    const socket = sockets.make()
    const list = ['a', Buffer.from('b')]
    const got = message(receiver)
    const left = send(socket, list, port(receiver), '127.0.0.1')
    list[0] = 'z'
    list.push('more')
    await left
    expect((await got).text).toBe('ab')
  })

  test('a name is looked up as (host, family, callback), and so is a literal address', async () => {
    const asked: unknown[] = []
    const receiver = await sockets.bound()
    const lookup = (host: string, family: unknown, callback: (error: null, address: string) => void) => {
      asked.push([host, family])
      process.nextTick(callback, null, '127.0.0.1')
    }
    const socket = sockets.make({ type: 'udp4', lookup: lookup as never })
    await send(socket, 'x', port(receiver), 'some.host')
    await send(socket, 'x', port(receiver), '127.0.0.1')
    await send(socket, 'x', port(receiver))
    expect(asked).toEqual([
      ['0.0.0.0', 4],
      ['some.host', 4],
      ['127.0.0.1', 4],
      ['127.0.0.1', 4],
    ])
  })

  test('an error of the lookup goes to the callback, or becomes an event', async () => {
    const failing = (_: string, __: unknown, callback: (error: Error) => void) => {
      process.nextTick(callback, Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }))
    }
    const socket = sockets.make({
      type: 'udp4',
      lookup: ((host: string, family: number, callback: never) => {
        if (host === '0.0.0.0') process.nextTick(callback, null, host)
        else failing(host, family, callback)
      }) as never,
    })
    const events: unknown[] = []
    socket.on('error', (error) => events.push(shape(error)))
    expect(await rejected(send(socket, 'x', 9, 'nowhere'))).toMatchObject({
      code: 'ENOTFOUND',
      message: 'no such host',
    })
    expect(events).toEqual([])
    socket.send('x', 9, 'nowhere')
    await once(socket, 'error')
    expect(events).toHaveLength(1)
  })

  test('what a lookup answers is checked as an address', async () => {
    const socket = sockets.make({
      type: 'udp4',
      lookup: ((host: string, _: unknown, callback: (error: null, address: string) => void) =>
        process.nextTick(callback, null, host === '0.0.0.0' ? host : 'rubbish')) as never,
    })
    expect(await rejected(send(socket, 'x', 9, 'host'))).toMatchObject({ message: 'send EINVAL host:9' })
  })

  test('an IPv4 address in IPv6 form reaches IPv4', async () => {
    const receiver = await sockets.bound()
    const socket = sockets.make('udp6')
    const got = message(receiver)
    await send(socket, 'x', port(receiver), '::ffff:127.0.0.1')
    expect((await got).rinfo).toEqual({ address: '127.0.0.1', family: 'IPv4', port: port(socket), size: 1 })
  })

  test('queue size and count are 0 before anything is sent and when all has left', async () => {
    const socket = sockets.make()
    expect([socket.getSendQueueSize(), socket.getSendQueueCount()]).toEqual([0, 0])
    const receiver = await sockets.bound()
    await send(socket, 'abc', port(receiver), '127.0.0.1')
    expect([socket.getSendQueueSize(), socket.getSendQueueCount()]).toEqual([0, 0])
  })

  test('nothing is queued while the kernel, or the link, has room', async () => {
    const receiver = await sockets.bound()
    const socket = await sockets.bound()
    const seen: number[][] = []
    const look = () => seen.push([socket.getSendQueueSize(), socket.getSendQueueCount()])
    const sending = send(socket, 'abc', port(receiver), '127.0.0.1')
    look()
    process.nextTick(look)
    await sending
    look()
    expect(seen).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ])
  })

  test('the callback comes after the ticks that were waiting, and before anything of the next turn', async () => {
    const receiver = await sockets.bound()
    const socket = await sockets.bound()
    const order: string[] = []
    const arrived = message(receiver).then(() => order.push('message'))
    socket.send('x', port(receiver), '127.0.0.1', () => order.push('callback'))
    process.nextTick(() => order.push('tick'))
    await arrived
    expect(order).toEqual(['tick', 'callback', 'message'])
  })

  test('the bytes are read in the tick after send, but at once on a connected socket', async () => {
    const receiver = await sockets.bound()
    const socket = await sockets.bound()
    const peer = sockets.make()
    await new Promise<void>((resolve) => peer.connect(port(receiver), '127.0.0.1', resolve))
    const got = texts(receiver, 2)
    const bytes = [Buffer.from('before'), Buffer.from('before')] as const
    socket.send(bytes[0], port(receiver), '127.0.0.1')
    peer.send(bytes[1])
    for (const each of bytes) each.write('after!')
    expect((await got).sort()).toEqual(['after!', 'before'])
  })

  test('4000 datagrams in one turn are all sent, with a callback or without one', async () => {
    const receiver = await sockets.bound()
    const data = Buffer.alloc(1400)
    const errors: unknown[] = []
    for (const target of ['callback', 'none']) {
      const socket = await sockets.bound()
      socket.on('error', (error) => errors.push(error))
      let got = 0
      receiver.removeAllListeners('message').on('message', () => got++)
      const all: Promise<number>[] = []
      for (let n = 0; n < 4000; n++) {
        if (target === 'callback') all.push(send(socket, data, port(receiver), '127.0.0.1'))
        else socket.send(data, port(receiver), '127.0.0.1')
      }
      expect((await Promise.all(all)).every((size) => size === 1400)).toBe(true)
      while (socket.getSendQueueCount() > 0) await turn()
      for (let before = -1; got !== before; await quiet()) before = got
      expect(got).toBeGreaterThan(32)
    }
    expect(errors).toEqual([])
  })

  test('a send right before close does not leave, and nothing is said of it; to a peer it does', async () => {
    const receiver = await sockets.bound()
    const got: string[] = []
    receiver.on('message', (msg) => got.push(msg.toString()))
    const order: string[] = []
    const close = (socket: ReturnType<typeof sockets.make>, name: string) =>
      new Promise<void>((resolve) => socket.close(() => resolve(void order.push(`${name} closed`))))
    const socket = await sockets.bound()
    socket.send('bound', port(receiver), '127.0.0.1', () => order.push('bound sent'))
    socket.send(Buffer.alloc(70_000), port(receiver), '127.0.0.1', () => order.push('bound failed'))
    await close(socket, 'bound')
    const fresh = sockets.make()
    fresh.send('fresh', port(receiver), '127.0.0.1', () => order.push('fresh sent'))
    await close(fresh, 'fresh')
    const peer = sockets.make()
    await new Promise<void>((resolve) => peer.connect(port(receiver), '127.0.0.1', resolve))
    peer.send('peer', () => order.push('peer sent'))
    await close(peer, 'peer')
    const late = await sockets.bound()
    late.send('late', port(receiver), '127.0.0.1', () => order.push('late sent'))
    process.nextTick(() => late.close())
    await quiet()
    expect(order).toEqual(['bound closed', 'fresh closed', 'peer sent', 'peer closed', 'late sent'])
    expect(got).toEqual(['peer', 'late'])
  })

  test('a callback has the async context of its send', async () => {
    const receiver = await sockets.bound()
    const socket = await sockets.bound()
    const storage = new AsyncLocalStorage<number>()
    const seen: unknown[] = []
    for (const n of [1, 2])
      storage.run(n, () => socket.send('x', port(receiver), '127.0.0.1', () => seen.push(storage.getStore())))
    await send(socket, 'x', port(receiver), '127.0.0.1')
    expect(seen).toEqual([1, 2])
  })

  test('one who answers in the message handler can do so for long', async () => {
    const a = await sockets.bound()
    const b = await sockets.bound()
    let rounds = 0
    await new Promise<void>((resolve) => {
      a.on('message', (msg, rinfo) => a.send(msg, rinfo.port, rinfo.address))
      b.on('message', (msg, rinfo) => {
        if (++rounds === 200) resolve()
        else b.send(msg, rinfo.port, rinfo.address)
      })
      b.send('ball', port(a), '127.0.0.1')
    })
    expect(rounds).toBe(200)
  })

  test('sendto is send with everything given', async () => {
    const receiver = await sockets.bound()
    const socket = sockets.make() as Socket & { sendto(...args: unknown[]): void }
    const got = message(receiver)
    socket.sendto(abc, 1, 2, port(receiver), '127.0.0.1', () => {})
    expect((await got).text).toBe('bc')
    expect(thrown(() => socket.sendto(abc, 'x', 2, 9, '127.0.0.1'))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      message: 'The "offset" argument must be of type number. Received type string (\'x\')',
    })
    expect(thrown(() => socket.sendto(abc, 0, 2, 9, 5))).toMatchObject({
      message: 'The "address" argument must be of type string. Received type number (5)',
    })
  })

  test('a send that nobody hears is no error', async () => {
    const closed = await sockets.bound()
    const number = port(closed)
    closed.close()
    const socket = await sockets.bound()
    const errors: unknown[] = []
    socket.on('error', (error) => errors.push(error))
    expect(await send(socket, 'x', number, '127.0.0.1')).toBe(1)
    await quiet()
    expect(await send(socket, 'x', number, '127.0.0.1')).toBe(1)
    expect(errors).toEqual([])
  })
}
