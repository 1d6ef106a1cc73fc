import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { type Environment, message, port, quiet, Sockets, send, texts, thrown, turn } from './environment.ts'

const NOT_RUNNING = { name: 'Error', message: 'Not running', code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }

/** Timers of the test runner's own come and go while they are counted. */
const NOISY = { retry: 3 }

/** close, disposal, and what keeps the process alive. */
export function closing(environment: Environment): void {
  const sockets = new Sockets(environment)

  test("close returns the socket, emits 'close' in a tick, with the callback as a listener", async () => {
    const socket = await sockets.bound()
    const order: string[] = []
    socket.on('close', () => order.push('event'))
    process.nextTick(() => order.push('before'))
    expect(socket.close(() => order.push('callback'))).toBe(socket)
    process.nextTick(() => order.push('after'))
    expect(order).toEqual([])
    await turn()
    expect(order).toEqual(['before', 'event', 'callback', 'after'])
  })

  test('a socket that was never bound closes too', async () => {
    const socket = sockets.make()
    let callback = 0
    socket.close(() => callback++)
    await once(socket, 'close')
    expect(callback).toBe(1)
  })

  test('a second close throws, its callback is a listener all the same', async () => {
    const socket = await sockets.bound()
    let called = 0
    socket.close()
    expect(thrown(() => socket.close(() => called++))).toEqual(NOT_RUNNING)
    await once(socket, 'close')
    expect(called).toBe(1)
  })

  test.each<[string, (socket: Socket) => unknown]>([
    ['bind', (socket) => socket.bind()],
    ['send', (socket) => socket.send('x', 9)],
    ['address', (socket) => socket.address()],
    ['remoteAddress', (socket) => socket.remoteAddress()],
    ['addMembership', (socket) => socket.addMembership('224.0.0.114')],
    ['dropMembership', (socket) => socket.dropMembership('224.0.0.114')],
    ['addSourceSpecificMembership', (socket) => socket.addSourceSpecificMembership('127.0.0.1', '232.1.1.1')],
    ['dropSourceSpecificMembership', (socket) => socket.dropSourceSpecificMembership('127.0.0.1', '232.1.1.1')],
    ['setMulticastInterface', (socket) => socket.setMulticastInterface('127.0.0.1')],
  ])('after close %s throws that it is not running', async (_, call) => {
    const socket = await sockets.bound()
    socket.close()
    expect(thrown(() => call(socket))).toEqual(NOT_RUNNING)
  })

  test.each<[string, (socket: Socket) => unknown]>([
    ['setTTL', (socket) => socket.setTTL(9)],
    ['setBroadcast', (socket) => socket.setBroadcast(true)],
    ['setMulticastTTL', (socket) => socket.setMulticastTTL(9)],
    ['setMulticastLoopback', (socket) => socket.setMulticastLoopback(true)],
    ['getRecvBufferSize', (socket) => socket.getRecvBufferSize()],
    ['setSendBufferSize', (socket) => socket.setSendBufferSize(9000)],
    ['getSendQueueSize', (socket) => socket.getSendQueueSize()],
    ['connect', (socket) => socket.connect(9)],
  ])('after close %s throws', async (_, call) => {
    const socket = await sockets.bound()
    socket.close()
    const error = thrown(() => call(socket))
    // Node stumbles over its own null here.
    if (environment.name === 'kernel') expect(error.name).toBe('TypeError')
    else expect(error).toEqual(NOT_RUNNING)
  })

  test('after close ref, unref and a disconnect of what was not connected do as ever', async () => {
    const socket = await sockets.bound()
    socket.close()
    expect(socket.ref()).toBe(socket)
    expect(socket.unref()).toBe(socket)
    expect(thrown(() => socket.disconnect()).code).toBe('ERR_SOCKET_DGRAM_NOT_CONNECTED')
  })

  test('close in listening', async () => {
    const receiver = await sockets.bound()
    const socket = sockets.make()
    const events: string[] = []
    socket.on('listening', () => {
      events.push('listening')
      socket.close()
    })
    socket.on('close', () => events.push('close'))
    socket.on('error', () => events.push('error'))
    socket.bind(0, '127.0.0.1')
    receiver.on('message', () => events.push('message'))
    await once(socket, 'close')
    await quiet()
    expect(events).toEqual(['listening', 'close'])
  })

  test('a close behind queued sends waits for its turn, and is one', async () => {
    const receiver = await sockets.bound()
    const socket = sockets.make()
    let closes = 0
    socket.on('close', () => closes++)
    socket.send('x', port(receiver), '127.0.0.1')
    expect(socket.close()).toBe(socket)
    // Not closed yet: the sends are before it.
    expect(thrown(() => socket.bind()).code).toBe('ERR_SOCKET_ALREADY_BOUND')
    await once(socket, 'close')
    await quiet()
    expect(closes).toBe(1)
  })

  test('close in the callback of a send, as clients do', async () => {
    const receiver = await sockets.bound()
    const got = message(receiver)
    const socket = sockets.make()
    const closed = once(socket, 'close')
    socket.send('x', port(receiver), 'localhost', () => socket.close())
    await closed
    expect((await got).text).toBe('x')
  })

  test('datagrams that come after close are for nobody', async () => {
    const receiver = await sockets.bound()
    const sender = await sockets.bound()
    const got: string[] = []
    receiver.on('message', (msg) => got.push(msg.toString()))
    sender.send('x', port(receiver), '127.0.0.1')
    receiver.close()
    await quiet()
    expect(got).toEqual([])
  })

  test('Symbol.asyncDispose closes, and resolves when that is done', async () => {
    const socket = await sockets.bound()
    const events: string[] = []
    socket.on('close', () => events.push('close'))
    await (socket as unknown as AsyncDisposable)[Symbol.asyncDispose]()
    expect(events).toEqual(['close'])
    await (socket as unknown as AsyncDisposable)[Symbol.asyncDispose]()
    expect(events).toEqual(['close'])
  })

  /** What holds the process: handles of the kernel's sockets, timers of ours. */
  const resources = () =>
    process.getActiveResourcesInfo().filter((name) => (environment.name === 'kernel' ? /^UDP/ : /^Timeout/).test(name))
      .length

  /** The count once handles of earlier sockets are gone. */
  async function settled(): Promise<number> {
    for (let n = 0; n < 4; n++) await turn()
    return resources()
  }

  test('a bound socket holds the process, one that is not bound or is closed does not', NOISY, async () => {
    const before = await settled()
    const socket = sockets.make()
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    expect(resources()).toBe(before + 1)
    socket.close()
    expect(await settled()).toBe(before)
  })

  test('unref lets the process go and ref holds it, as often as one likes, before bind and after', NOISY, async () => {
    const before = await settled()
    const socket = sockets.make()
    expect(socket.unref()).toBe(socket)
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    expect(resources()).toBe(before)
    expect(socket.ref()).toBe(socket)
    socket.ref()
    expect(resources()).toBe(before + 1)
    socket.unref().unref()
    expect(resources()).toBe(before)
    for (let n = 0; n < 5; n++) {
      socket.ref()
      socket.send('x', port(socket), '127.0.0.1')
      await message(socket)
      socket.unref()
    }
    expect(resources()).toBe(before)
  })

  test('many sockets open and close without a trace', NOISY, async () => {
    const before = await settled()
    const hub = await sockets.bound()
    const got = texts(hub, 20)
    for (let n = 0; n < 20; n++) {
      const socket = sockets.make()
      await send(socket, `${n}`, port(hub), '127.0.0.1')
      socket.close()
    }
    await got
    hub.close()
    expect(await settled()).toBe(before)
  })
}
