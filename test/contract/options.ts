import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { type Environment, message, port, quiet, Sockets, send, thrown, uncaught } from './environment.ts'

/** TTL, broadcast, loopback, buffers. */
export function options(environment: Environment): void {
  const sockets = new Sockets(environment)
  const call = (socket: Socket, name: string, ...args: unknown[]) =>
    (socket as unknown as Record<string, (...given: unknown[]) => unknown>)[name]?.(...args)

  test.each([
    ['setTTL', 5],
    ['setMulticastTTL', 5],
    ['setMulticastLoopback', true],
    ['setBroadcast', true],
    ['setMulticastInterface', '127.0.0.1'],
  ])('%s before bind throws EBADF', (name, value) => {
    expect(thrown(() => call(sockets.make(), name, value))).toEqual({
      name: 'Error',
      message: `${name} EBADF`,
      code: 'EBADF',
      errno: -9,
      syscall: name,
    })
  })

  test.each([
    ['setTTL', 1, 1],
    ['setTTL', 255, 255],
    ['setTTL', 7.9, 7.9],
    ['setMulticastTTL', 0, 0],
    ['setMulticastTTL', 255, 255],
    ['setMulticastLoopback', true, true],
    ['setMulticastLoopback', 0, 0],
    ['setMulticastLoopback', 'yes', 'yes'],
    ['setBroadcast', true, undefined],
    ['setBroadcast', 0, undefined],
  ])('%s(%o) returns %o', async (name, value, expected) => {
    expect(call(await sockets.bound(), name, value)).toBe(expected)
    expect(call(await sockets.bound('udp6'), name, value)).toBe(expected)
  })

  test.each([
    ['setTTL', 0],
    ['setTTL', 256],
    ['setTTL', -1],
    ['setTTL', Number.NaN],
    ['setTTL', 0.5],
    ['setMulticastTTL', 256],
    ['setMulticastTTL', -1],
  ])('%s(%o) throws EINVAL', async (name, value) => {
    const expected = { name: 'Error', message: `${name} EINVAL`, code: 'EINVAL', errno: -22, syscall: name }
    expect(thrown(() => call(sockets.make(), name, value))).toEqual(
      name === 'setMulticastTTL' && environment.name === 'kernel' ? expect.anything() : expected,
    )
    const bound = await sockets.bound()
    expect(thrown(() => call(bound, name, value))).toEqual(expected)
  })

  test.each(['setTTL', 'setMulticastTTL'])('%s takes numbers only', async (name) => {
    const socket = await sockets.bound()
    for (const [value, received] of [
      ['5', `type string ('5')`],
      [undefined, 'undefined'],
      [null, 'null'],
      [{}, 'an instance of Object'],
    ])
      expect(thrown(() => call(socket, name, value))).toEqual({
        name: 'TypeError',
        message: `The "ttl" argument must be of type number. Received ${received}`,
        code: 'ERR_INVALID_ARG_TYPE',
      })
  })

  test('broadcast is allowed by setBroadcast, and only then', async () => {
    const receiver = await sockets.bound('udp4', '0.0.0.0')
    const sender = await sockets.bound('udp4', '0.0.0.0')
    const got = message(receiver)
    await expect(send(sender, 'x', port(receiver), '127.255.255.255')).rejects.toMatchObject({ code: 'EACCES' })
    sender.setBroadcast(true)
    await send(sender, 'all', port(receiver), '127.255.255.255')
    expect((await got).text).toBe('all')
    sender.setBroadcast(false)
    await expect(send(sender, 'x', port(receiver), '127.255.255.255')).rejects.toMatchObject({ code: 'EACCES' })
  })

  test.each(['getRecvBufferSize', 'getSendBufferSize', 'setRecvBufferSize', 'setSendBufferSize'])(
    '%s before bind throws as a SystemError',
    (name) => {
      const syscall = name.includes('Recv') ? 'uv_recv_buffer_size' : 'uv_send_buffer_size'
      let error: unknown
      try {
        call(sockets.make(), name, 8192)
      } catch (caught) {
        error = caught
      }
      const { name: shown, message: text, ...own } = error as Error & Record<string, unknown>
      expect((error as Error).name).toBe('SystemError')
      expect(text).toBe(`Could not get or set buffer size: ${syscall} returned EBADF (bad file descriptor)`)
      expect(shown).toBe('SystemError')
      expect(own).toEqual({
        code: 'ERR_SOCKET_BUFFER_SIZE',
        info: { errno: -9, code: 'EBADF', message: 'bad file descriptor', syscall },
        errno: -9,
        syscall,
      })
      expect(String(error)).toBe(`SystemError [ERR_SOCKET_BUFFER_SIZE]: ${text}`)
      const printed = inspect(error)
      for (const part of [
        // The test runner changes the first line of Node's own.
        environment.name === 'tungram' ? `SystemError [ERR_SOCKET_BUFFER_SIZE]: ${text}` : text,
        `code: 'ERR_SOCKET_BUFFER_SIZE'`,
        `info: {`,
        `errno: [Getter/Setter: -9]`,
        `syscall: [Getter/Setter: '${syscall}']`,
      ])
        expect(printed).toContain(part)
      ;(error as { errno: number }).errno = -5
      expect((error as { info: { errno: number } }).info.errno).toBe(-5)
    },
  )

  test.each(['setRecvBufferSize', 'setSendBufferSize'])('%s refuses what is no size', async (name) => {
    const socket = await sockets.bound()
    for (const size of [-1, 1.5, 'x', undefined, null, Number.POSITIVE_INFINITY, 2 ** 32])
      expect(thrown(() => call(socket, name, size))).toEqual({
        name: 'TypeError',
        message: 'Buffer size must be a positive integer',
        code: 'ERR_SOCKET_BAD_BUFFER_SIZE',
      })
    expect(thrown(() => call(socket, name, 2 ** 31))).toMatchObject({
      code: 'ERR_SOCKET_BUFFER_SIZE',
      info: { code: 'EINVAL', errno: -22, message: 'invalid argument' },
    })
  })

  test('buffer sizes are doubled, with Linux’s least sizes', async () => {
    const socket = await sockets.bound()
    expect(socket.setRecvBufferSize(10_000)).toBeUndefined()
    expect(socket.setSendBufferSize(9_000)).toBeUndefined()
    expect([socket.getRecvBufferSize(), socket.getSendBufferSize()]).toEqual([20_000, 18_000])
    socket.setRecvBufferSize(1)
    socket.setSendBufferSize(1)
    expect([socket.getRecvBufferSize(), socket.getSendBufferSize()]).toEqual([2304, 4608])
    socket.setRecvBufferSize(0)
    expect(socket.getRecvBufferSize()).toBe(2304)
  })

  test('buffer sizes given to createSocket count from bind on', async () => {
    const socket = sockets.make({ type: 'udp4', recvBufferSize: 10_000, sendBufferSize: 9_000 })
    let inListening: number[] = []
    socket.on('listening', () => {
      inListening = [socket.getRecvBufferSize(), socket.getSendBufferSize()]
    })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    expect(inListening).toEqual([20_000, 18_000])
  })

  test.each([
    ['recvBufferSize', 'uv_recv_buffer_size'],
    ['sendBufferSize', 'uv_send_buffer_size'],
  ])(
    'a %s that is too large is an uncaught error of bind, behind which the socket is bound and never listens',
    async (option, syscall) => {
      const socket = sockets.make({ type: 'udp4', [option]: 2 ** 31 })
      let listening = 0
      socket.on('listening', () => listening++)
      socket.on('error', () => listening++)
      const errors = await uncaught(async () => {
        socket.bind(0, '127.0.0.1')
        await quiet()
      })
      expect(errors).toMatchObject([
        {
          name: 'SystemError',
          code: 'ERR_SOCKET_BUFFER_SIZE',
          message: `Could not get or set buffer size: ${syscall} returned EINVAL (invalid argument)`,
        },
      ])
      expect(listening).toBe(0)
      expect(port(socket)).toBeGreaterThan(0)
      expect(thrown(() => socket.bind())).toMatchObject({ code: 'ERR_SOCKET_ALREADY_BOUND' })
      expect(await send(socket, 'x', port(socket), '127.0.0.1')).toBe(1)
    },
  )

  test('ref and unref return the socket, also before bind', () => {
    const socket = sockets.make()
    expect(socket.ref()).toBe(socket)
    expect(socket.unref()).toBe(socket)
  })
}
