import { Socket as kernelSocket, type Socket } from 'node:dgram'
import diagnosticsChannel from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import { BlockList } from 'node:net'
import { inherits, inspect } from 'node:util'
import { expect, test } from 'vitest'
import { testWith } from '../skips.ts'
import { type Environment, message, port, quiet, Sockets, send, thrown } from './environment.ts'

/** createSocket: forms, options, the class. */
export function creating(environment: Environment): void {
  const sockets = new Sockets(environment)
  const { dgram } = environment
  const loose = dgram.createSocket as unknown as (...args: unknown[]) => Socket
  const { Socket: LooseSocket } = dgram as unknown as { Socket: new (...args: unknown[]) => Socket }

  test.each([['udp5'], [undefined], [null], [{}], [{ type: 'tcp4' }], [4]])(
    'createSocket(%o) refuses the type',
    (type) => {
      expect(thrown(() => loose(type))).toEqual({
        name: 'TypeError',
        message: 'Bad socket type specified. Valid types are: udp4, udp6',
        code: 'ERR_SOCKET_BAD_TYPE',
      })
    },
  )

  test.each([
    [
      { lookup: null },
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      'The "lookup" argument must be of type function. Received null',
    ],
    [
      { lookup: {} },
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      'The "lookup" argument must be of type function. Received an instance of Object',
    ],
    [
      { recvBufferSize: -1 },
      'RangeError',
      'ERR_OUT_OF_RANGE',
      'The value of "options.recvBufferSize" is out of range. It must be >= 0 && <= 4294967295. Received -1',
    ],
    [
      { recvBufferSize: 1.5 },
      'RangeError',
      'ERR_OUT_OF_RANGE',
      'The value of "options.recvBufferSize" is out of range. It must be an integer. Received 1.5',
    ],
    [
      { sendBufferSize: 'large' },
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      `The "options.sendBufferSize" property must be of type number. Received type string ('large')`,
    ],
    [
      { signal: {} },
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      'The "options.signal" property must be an instance of AbortSignal. Received an instance of Object',
    ],
    [
      { signal: null },
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      'The "options.signal" property must be an instance of AbortSignal. Received null',
    ],
  ])('createSocket with %o throws', (option, name, code, text) => {
    expect(thrown(() => loose({ type: 'udp4', ...option }))).toEqual({ name, code, message: text })
  })

  test('createSocket may be called with new', () => {
    const Create = dgram.createSocket as unknown as new (type: string) => Socket
    const socket = new Create('udp4')
    expect(socket).toBeInstanceOf(dgram.Socket)
    socket.close()
  })

  test('a socket has _handle where the sockets of the Node that runs have it', () => {
    expect('_handle' in dgram.Socket.prototype).toBe('_handle' in kernelSocket.prototype)
  })

  testWith(environment.node22, 'Node 22', '').each(['receiveBlockList', 'sendBlockList'])(
    '%s has to be a BlockList',
    (option) => {
      expect(thrown(() => loose({ type: 'udp4', [option]: { check: () => true } }))).toEqual({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
        message: `The "options.${option}" property must be an net.BlockList. Received an instance of Object`,
      })
    },
  )

  test(
    'an error of an argument shows its code in stack, text and inspection, and is enumerable in nothing ' + 'else',
    () => {
      let error: unknown
      try {
        loose('udp5')
      } catch (caught) {
        error = caught
      }
      const first = 'TypeError [ERR_SOCKET_BAD_TYPE]: Bad socket type specified. Valid types are: udp4, udp6'
      // The test runner takes the code out of the stacks of Node's own errors.
      if (environment.name === 'tungram') expect((error as Error).stack?.split('\n')[0]).toBe(first)
      expect(String(error)).toBe(first)
      expect(inspect(error)).toContain("code: 'ERR_SOCKET_BAD_TYPE'")
      expect(Object.keys(error as Error)).toEqual(['code'])
      expect(error).toBeInstanceOf(TypeError)
    },
  )

  test('the listener given to createSocket gets messages, with the socket as this', async () => {
    let self: unknown
    const receiver = sockets.make('udp4', function (this: unknown) {
      self = this
    })
    receiver.bind(0, '127.0.0.1')
    await once(receiver, 'listening')
    expect(receiver.listenerCount('message')).toBe(1)
    receiver.send('x', port(receiver), '127.0.0.1')
    await message(receiver)
    expect(self).toBe(receiver)
  })

  test('a listener that is no function is ignored', () => {
    expect(loose('udp4', 'no').listenerCount('message')).toBe(0)
  })

  test('a socket is an EventEmitter and an instance of Socket, with its type', () => {
    const socket = sockets.make('udp6')
    expect(socket).toBeInstanceOf(EventEmitter)
    expect(socket).toBeInstanceOf(dgram.Socket)
    expect((socket as unknown as { type: string }).type).toBe('udp6')
    expect(socket.constructor).toBe(dgram.Socket)
    expect(dgram.Socket.name).toBe('Socket')
  })

  test('new Socket makes a socket that works', async () => {
    const socket = new LooseSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    socket.send('x', port(socket), '127.0.0.1')
    expect((await message(socket)).text).toBe('x')
    socket.close()
  })

  test('Socket called as a plain function has no object to work on', () => {
    const { Socket } = dgram as unknown as { Socket: (type: string) => void }
    expect(thrown(() => Socket('udp4')).name).toBe('TypeError')
  })

  test('a class that extends Socket works', async () => {
    class Counting extends LooseSocket {
      count = 0
      constructor() {
        super('udp4')
        this.on('message', () => this.count++)
      }
      override send(...args: unknown[]): void {
        this.count += 10
        ;(super.send as (...given: unknown[]) => void)(...args)
      }
    }
    const socket = new Counting()
    expect(socket).toBeInstanceOf(dgram.Socket)
    expect(socket).toBeInstanceOf(Counting)
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    socket.send('x', port(socket), '127.0.0.1')
    await message(socket)
    expect(socket.count).toBe(11)
    socket.close()
  })

  test('inheriting the old way, without new, works', async () => {
    const Base = dgram.Socket as unknown as { call(self: object, type: string): void; prototype: object }
    function Old(this: Socket): void {
      Base.call(this, 'udp4')
    }
    inherits(Old, Base as unknown as new () => object)
    const socket = new (Old as unknown as new () => Socket)()
    expect(socket).toBeInstanceOf(dgram.Socket)
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    expect(await send(socket, 'x', port(socket), '127.0.0.1')).toBe(1)
    socket.close()
  })

  test('a method replaced on the prototype is the one that is called', () => {
    const { prototype } = dgram.Socket as { prototype: { getSendQueueCount(): number } }
    const original = prototype.getSendQueueCount
    prototype.getSendQueueCount = () => 77
    try {
      expect(sockets.make().getSendQueueCount()).toBe(77)
    } finally {
      prototype.getSendQueueCount = original
    }
  })

  test('a socket can be inspected', () => {
    expect(inspect(sockets.make())).toMatch(/^(<ref \*1> )?Socket \{/)
  })

  test("creation is published on the channel 'udp.socket'", () => {
    const seen: unknown[] = []
    const listener = (event: unknown) => seen.push((event as { socket: unknown }).socket)
    diagnosticsChannel.subscribe('udp.socket', listener)
    const socket = sockets.make()
    diagnosticsChannel.unsubscribe('udp.socket', listener)
    sockets.make()
    expect(seen).toEqual([socket])
  })

  test('aborting the signal closes the socket', async () => {
    const controller = new AbortController()
    const socket = sockets.make({ type: 'udp4', signal: controller.signal })
    controller.abort()
    await once(socket, 'close')
    expect(thrown(() => socket.address()).code).toBe('ERR_SOCKET_DGRAM_NOT_RUNNING')
  })

  test('an aborted signal closes at once, with the event to come', async () => {
    const socket = sockets.make({ type: 'udp4', signal: AbortSignal.abort() })
    expect(thrown(() => socket.address()).code).toBe('ERR_SOCKET_DGRAM_NOT_RUNNING')
    await once(socket, 'close')
  })

  test('aborting after close does nothing, twice neither', async () => {
    const controller = new AbortController()
    const socket = sockets.make({ type: 'udp4', signal: controller.signal })
    let closes = 0
    socket.on('close', () => closes++)
    socket.close()
    controller.abort()
    await quiet()
    expect(closes).toBe(1)
  })

  testWith(
    environment.node22,
    'Node 22',
    '',
  )('a receive block list discards without a word', async () => {
    const list = new BlockList()
    list.addAddress('127.0.0.9')
    const receiver = await sockets.bound({ type: 'udp4', receiveBlockList: list }, '0.0.0.0')
    const blocked = await sockets.bound('udp4', '127.0.0.9')
    const free = await sockets.bound()
    const first = message(receiver)
    await send(blocked, 'blocked', port(receiver), '127.0.0.1')
    await send(free, 'free', port(receiver), '127.0.0.1')
    expect((await first).text).toBe('free')
  })

  testWith(
    environment.node22,
    'Node 22',
    '',
  )('a send block list refuses destinations of send and connect', async () => {
    const list = new BlockList()
    list.addSubnet('127.0.0.0', 8)
    const socket = sockets.make({ type: 'udp4', sendBlockList: list })
    const blocked = { name: 'Error', message: 'IP(127.0.0.1) is blocked by net.BlockList', code: 'ERR_IP_BLOCKED' }
    const errors: unknown[] = []
    await new Promise<void>((resolve) => {
      socket.send('x', 9, '127.0.0.1', (error) => {
        errors.push(error)
        resolve()
      })
    })
    await new Promise<void>((resolve) => {
      const connect = socket.connect as unknown as (
        port: number,
        address: string,
        callback: (error: unknown) => void,
      ) => void
      connect.call(socket, 9, '127.0.0.1', (error) => {
        errors.push(error)
        resolve()
      })
    })
    expect(
      errors.map((error) =>
        thrown(() => {
          throw error
        }),
      ),
    ).toEqual([blocked, blocked])
  })
}
