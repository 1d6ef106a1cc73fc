import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { testWith } from '../skips.ts'
import { type Environment, message, port, quiet, Sockets, send, shape, thrown } from './environment.ts'

/**
 * Groups. Everything stays on the loopback interface, or on one without anybody else, which are
 * named in every call.
 */
export function multicast(environment: Environment): void {
  const sockets = new Sockets(environment)
  const GROUP = '239.1.2.3'
  const GROUP6 = 'ff02::1234'
  const ZONE = '::%d0'
  const call = (socket: Socket, name: string, ...args: unknown[]) =>
    (socket as unknown as Record<string, (...given: unknown[]) => unknown>)[name]?.(...args)
  const failure = (name: string, code: string, errno: number) => ({
    name: 'Error',
    message: `${name} ${code}`,
    code,
    errno,
    syscall: name,
  })

  /** A sender to groups over the loopback interface. */
  async function sender(type: 'udp4' | 'udp6' = 'udp4'): Promise<Socket> {
    const socket = await sockets.bound(type, type === 'udp4' ? '0.0.0.0' : '::')
    socket.setMulticastInterface(type === 'udp4' ? '127.0.0.1' : ZONE)
    return socket
  }

  test('a group is joined, heard, and left', async () => {
    const receiver = await sockets.bound('udp4', '0.0.0.0')
    expect(receiver.addMembership(GROUP, '127.0.0.1')).toBeUndefined()
    const from = await sender()
    const got = message(receiver)
    expect(await send(from, 'one', port(receiver), GROUP)).toBe(3)
    expect((await got).rinfo).toMatchObject({ address: '127.0.0.1', port: port(from), size: 3 })
    expect(receiver.dropMembership(GROUP, '127.0.0.1')).toBeUndefined()
    const more: string[] = []
    receiver.on('message', (msg) => more.push(msg.toString()))
    await send(from, 'two', port(receiver), GROUP)
    await quiet()
    expect(more).toEqual([])
  })

  testWith(environment.d0, 'a network namespace')('a group of IPv6 too', async () => {
    const receiver = await sockets.bound('udp6', '::')
    receiver.addMembership(GROUP6, ZONE)
    const from = await sender('udp6')
    const got = message(receiver)
    await send(from, 'six', port(receiver), `${GROUP6}%d0`)
    expect((await got).text).toBe('six')
    receiver.dropMembership(GROUP6, ZONE)
  })

  test('with reuseAddr every socket of the port gets each datagram once, the sender’s own too', async () => {
    const first = await sockets.bound({ type: 'udp4', reuseAddr: true }, '0.0.0.0')
    const second = await sockets.bound({ type: 'udp4', reuseAddr: true }, '0.0.0.0', port(first))
    const unicast = await sockets.bound({ type: 'udp4', reuseAddr: true }, '127.0.0.1', port(first))
    const got: string[] = []
    for (const [name, socket] of Object.entries({ first, second, unicast }))
      socket.on('message', (msg) => got.push(`${name} ${msg}`))
    for (const socket of [first, second]) socket.addMembership(GROUP, '127.0.0.1')
    first.setMulticastInterface('127.0.0.1')
    await send(first, 'x', port(first), GROUP)
    await quiet()
    expect(got.sort()).toEqual(['first x', 'second x'])
  })

  test('a broadcast reaches all sockets of the port, none bound to a unicast address', async () => {
    const first = await sockets.bound({ type: 'udp4', reuseAddr: true }, '0.0.0.0')
    const second = await sockets.bound({ type: 'udp4', reuseAddr: true }, '0.0.0.0', port(first))
    const unicast = await sockets.bound({ type: 'udp4', reuseAddr: true }, '127.0.0.1', port(first))
    const got: string[] = []
    for (const [name, socket] of Object.entries({ first, second, unicast }))
      socket.on('message', (msg) => got.push(`${name} ${msg}`))
    first.setBroadcast(true)
    await send(first, 'x', port(first), '127.255.255.255')
    await quiet()
    expect(got.sort()).toEqual(['first x', 'second x'])
  })

  test('a socket bound to the group hears it alone', async () => {
    const receiver = await sockets.bound('udp4', GROUP)
    receiver.addMembership(GROUP, '127.0.0.1')
    const from = await sender()
    const got: string[] = []
    receiver.on('message', (msg) => got.push(msg.toString()))
    await send(from, 'unicast', port(receiver), '127.0.0.1')
    await send(from, 'group', port(receiver), GROUP)
    await quiet()
    expect(got).toEqual(['group'])
  })

  testWith(environment.d0, 'a network namespace')(
    'without multicast loopback the host does not hear itself',
    async () => {
      const receiver = await sockets.bound('udp6', '::')
      receiver.addMembership(GROUP6, ZONE)
      const from = await sender('udp6')
      const got: string[] = []
      receiver.on('message', (msg) => got.push(msg.toString()))
      expect(from.setMulticastLoopback(false)).toBe(false)
      await send(from, 'unheard', port(receiver), GROUP6)
      from.setMulticastLoopback(true)
      await send(from, 'heard', port(receiver), GROUP6)
      await quiet()
      expect(got).toEqual(['heard'])
    },
  )

  testWith(environment.d0, 'a network namespace')(
    'joining twice is EADDRINUSE, leaving what was not joined EADDRNOTAVAIL',
    async () => {
      const socket = await sockets.bound('udp4', '0.0.0.0')
      socket.addMembership(GROUP, '127.0.0.1')
      expect(thrown(() => socket.addMembership(GROUP, '127.0.0.1'))).toEqual(
        failure('addMembership', 'EADDRINUSE', -98),
      )
      socket.dropMembership(GROUP, '127.0.0.1')
      expect(thrown(() => socket.dropMembership(GROUP, '127.0.0.1'))).toEqual(
        failure('dropMembership', 'EADDRNOTAVAIL', -99),
      )
      const six = await sockets.bound('udp6', '::')
      six.addMembership(GROUP6, ZONE)
      expect(thrown(() => six.addMembership(GROUP6, ZONE))).toEqual(failure('addMembership', 'EADDRINUSE', -98))
      six.dropMembership(GROUP6, ZONE)
      expect(thrown(() => six.dropMembership(GROUP6, ZONE))).toEqual(failure('dropMembership', 'EADDRNOTAVAIL', -99))
    },
  )

  test.each([
    ['addMembership', ['rubbish'], 'EINVAL', -22],
    ['addMembership', ['10.0.0.1', '127.0.0.1'], 'EINVAL', -22],
    ['addMembership', [GROUP, 'lo'], 'EINVAL', -22],
    ['addMembership', [GROUP, '::1'], 'EINVAL', -22],
    ['addMembership', [GROUP, '192.0.2.77'], 'ENODEV', -19],
    ['addMembership', ['ff02::1'], 'ENOPROTOOPT', -92],
    ['addMembership', ['ff02::1', '127.0.0.1'], 'EINVAL', -22],
    ['dropMembership', ['rubbish'], 'EINVAL', -22],
    ['dropMembership', ['239.9.9.9', '127.0.0.1'], 'EADDRNOTAVAIL', -99],
    ['addSourceSpecificMembership', ['rubbish', '232.1.1.1'], 'EINVAL', -22],
    ['addSourceSpecificMembership', ['127.0.0.1', '10.1.1.1', '127.0.0.1'], 'EINVAL', -22],
    ['addSourceSpecificMembership', ['127.0.0.1', '232.1.1.1', '192.0.2.77'], 'ENODEV', -19],
    ['addSourceSpecificMembership', ['::1', '232.1.1.1'], 'EINVAL', -22],
    ['addSourceSpecificMembership', ['::1', 'ff32::1'], 'ENOPROTOOPT', -92],
    ['dropSourceSpecificMembership', ['127.0.0.1', '232.1.1.1', '127.0.0.1'], 'EINVAL', -22],
  ] as const)('%s(%j) throws %s on udp4', async (name, args, code, errno) => {
    const socket = await sockets.bound('udp4', '0.0.0.0')
    expect(thrown(() => call(socket, name, ...args))).toEqual(failure(name, code, errno))
  })

  test.each([
    ['addMembership', [], 'ERR_MISSING_ARGS', 'The "multicastAddress" argument must be specified'],
    ['dropMembership', [''], 'ERR_MISSING_ARGS', 'The "multicastAddress" argument must be specified'],
    [
      'addSourceSpecificMembership',
      [],
      'ERR_INVALID_ARG_TYPE',
      'The "sourceAddress" argument must be of type string. Received undefined',
    ],
    [
      'addSourceSpecificMembership',
      ['127.0.0.1'],
      'ERR_INVALID_ARG_TYPE',
      'The "groupAddress" argument must be of type string. Received undefined',
    ],
    [
      'dropSourceSpecificMembership',
      [5],
      'ERR_INVALID_ARG_TYPE',
      'The "sourceAddress" argument must be of type string. Received type number (5)',
    ],
    [
      'dropSourceSpecificMembership',
      ['127.0.0.1', null],
      'ERR_INVALID_ARG_TYPE',
      'The "groupAddress" argument must be of type string. Received null',
    ],
    [
      'setMulticastInterface',
      [],
      'ERR_INVALID_ARG_TYPE',
      'The "interfaceAddress" argument must be of type string. Received undefined',
    ],
    [
      'setMulticastInterface',
      [1],
      'ERR_INVALID_ARG_TYPE',
      'The "interfaceAddress" argument must be of type string. Received type number (1)',
    ],
  ])('%s(%j) throws %s', (name, args, code, text) => {
    expect(thrown(() => call(sockets.make(), name, ...args))).toEqual({ name: 'TypeError', message: text, code })
  })

  test('a source-specific membership hears its source alone', async () => {
    const receiver = await sockets.bound('udp4', '0.0.0.0')
    receiver.addSourceSpecificMembership('127.0.0.1', '232.1.1.1', '127.0.0.1')
    const wanted = await sockets.bound('udp4', '127.0.0.1')
    const other = await sockets.bound('udp4', '127.0.0.2')
    for (const socket of [wanted, other]) socket.setMulticastInterface('127.0.0.1')
    const got: string[] = []
    receiver.on('message', (msg) => got.push(msg.toString()))
    await send(other, 'other', port(receiver), '232.1.1.1')
    await send(wanted, 'wanted', port(receiver), '232.1.1.1')
    await quiet()
    expect(got).toEqual(['wanted'])
    expect(thrown(() => receiver.addSourceSpecificMembership('127.0.0.1', '232.1.1.1', '127.0.0.1'))).toEqual(
      failure('addSourceSpecificMembership', 'EADDRNOTAVAIL', -99),
    )
    expect(thrown(() => receiver.dropSourceSpecificMembership('127.0.0.9', '232.1.1.1', '127.0.0.1'))).toEqual(
      failure('dropSourceSpecificMembership', 'EADDRNOTAVAIL', -99),
    )
    receiver.dropSourceSpecificMembership('127.0.0.1', '232.1.1.1', '127.0.0.1')
    await send(wanted, 'late', port(receiver), '232.1.1.1')
    await quiet()
    expect(got).toEqual(['wanted'])
  })

  testWith(environment.d0, 'a network namespace')('a source-specific membership of IPv6', async () => {
    const receiver = await sockets.bound('udp6', '::')
    receiver.addSourceSpecificMembership('fe80::1', 'ff32::1', ZONE)
    expect(thrown(() => receiver.addSourceSpecificMembership('fe80::1', 'ff32::1', ZONE))).toEqual(
      failure('addSourceSpecificMembership', 'EADDRNOTAVAIL', -99),
    )
    const from = await sockets.bound('udp6', 'fe80::1%d0')
    from.setMulticastInterface(ZONE)
    const got = message(receiver)
    await send(from, 'six', port(receiver), 'ff32::1')
    expect((await got).text).toBe('six')
    receiver.dropSourceSpecificMembership('fe80::1', 'ff32::1', ZONE)
    expect(thrown(() => receiver.dropSourceSpecificMembership('fe80::1', 'ff32::1', ZONE))).toEqual(
      failure('dropSourceSpecificMembership', 'EINVAL', -22),
    )
  })

  test('addMembership binds a socket that is not bound, without an event, and bind fails from then on', async () => {
    const socket = sockets.make()
    const events: string[] = []
    socket.on('listening', () => events.push('listening'))
    socket.addMembership(GROUP, '127.0.0.1')
    expect(socket.address()).toEqual({ address: '0.0.0.0', family: 'IPv4', port: expect.any(Number) })
    expect(port(socket)).toBeGreaterThan(0)
    await quiet()
    expect(events).toEqual([])
    const failed = once(socket, 'error')
    socket.bind(0)
    expect(shape((await failed)[0])).toMatchObject({ message: 'bind EINVAL 0.0.0.0' })
  })

  test.each([
    ['udp4', '127.0.0.1'],
    ['udp4', '0.0.0.0'],
    ['udp6', ZONE],
    ['udp6', '::'],
    ['udp6', '::%nosuch'],
    ['udp6', '::1'],
    ['udp6', '127.0.0.1'],
  ] as const)('setMulticastInterface of %s takes %s', async (type, address) => {
    const socket = await sockets.bound(type, type === 'udp4' ? '0.0.0.0' : '::')
    expect(socket.setMulticastInterface(address)).toBeUndefined()
  })

  test.each([
    ['rubbish', 'EINVAL', -22],
    ['', 'EINVAL', -22],
    ['192.0.2.77', 'EADDRNOTAVAIL', -99],
    ['::1', 'ENOPROTOOPT', -92],
  ])('setMulticastInterface(%j) throws %s on udp4', async (address, code, errno) => {
    const socket = await sockets.bound('udp4', '0.0.0.0')
    expect(thrown(() => socket.setMulticastInterface(address))).toEqual(failure('setMulticastInterface', code, errno))
  })

  test('a membership of IPv4 on a udp6 socket', async () => {
    const receiver = await sockets.bound('udp6', '::')
    receiver.addMembership(GROUP, '127.0.0.1')
    const from = await sender()
    const got = message(receiver)
    await send(from, 'four', port(receiver), GROUP)
    expect((await got).rinfo.address).toBe('::ffff:127.0.0.1')
  })

  testWith(environment.d0, 'a network namespace')(
    'a link-local sender is shown with its zone, and can be answered and connected to there',
    async () => {
      const a = await sockets.bound('udp6', 'fe80::1%d0')
      const b = await sockets.bound('udp6', '::')
      expect(a.address()).toEqual({ address: 'fe80::1%d0', family: 'IPv6', port: expect.any(Number) })
      const got = message(b)
      await send(a, 'x', port(b), 'fe80::1%d0')
      const { rinfo } = await got
      expect(rinfo).toEqual({ address: 'fe80::1%d0', family: 'IPv6', port: port(a), size: 1 })
      const answer = message(a)
      await send(b, 'y', rinfo.port, rinfo.address)
      expect((await answer).text).toBe('y')
      const c = sockets.make('udp6')
      await new Promise<void>((resolve) => c.connect(port(a), 'fe80::1%d0', resolve))
      expect(c.remoteAddress()).toEqual({ address: 'fe80::1%d0', family: 'IPv6', port: port(a) })
      expect(c.address().address).toBe('fe80::1%d0')
      const last = message(c)
      await send(a, 'z', port(c), 'fe80::1%d0')
      expect((await last).text).toBe('z')
    },
  )

  testWith(environment.d0, 'a network namespace')(
    'a link-local peer needs its zone, a destination goes where the route says',
    async () => {
      const receiver = await sockets.bound('udp6', '::')
      const socket = await sockets.bound('udp6', '::')
      const got = message(receiver)
      await send(socket, 'x', port(receiver), 'fe80::1')
      expect((await got).text).toBe('x')
      socket.connect(9, 'fe80::1')
      expect(shape((await once(socket, 'error'))[0])).toMatchObject({ message: 'connect EINVAL fe80::1:9' })
    },
  )

  testWith(environment.d0, 'a network namespace')(
    'the interface of a group decides who hears, and from where',
    async () => {
      const receiver = await sockets.bound('udp4', '0.0.0.0')
      receiver.addMembership(GROUP, '10.77.0.1')
      const from = await sockets.bound('udp4', '0.0.0.0')
      const got: string[] = []
      receiver.on('message', (msg, rinfo) => got.push(`${msg} ${rinfo.address}`))
      from.setMulticastInterface('127.0.0.1')
      await send(from, 'lo', port(receiver), GROUP)
      from.setMulticastInterface('10.77.0.1')
      await send(from, 'd0', port(receiver), GROUP)
      await quiet()
      expect(got).toEqual(['d0 10.77.0.1'])
    },
  )

  testWith(environment.d0, 'a network namespace')('a subnet broadcast reaches the host’s own sockets', async () => {
    const receiver = await sockets.bound('udp4', '0.0.0.0')
    const from = await sockets.bound('udp4', '0.0.0.0')
    from.setBroadcast(true)
    const got = message(receiver)
    await send(from, 'all', port(receiver), '10.77.0.255')
    expect((await got).rinfo.address).toBe('10.77.0.1')
  })

  testWith(environment.d0, 'a network namespace')('setBroadcast right after send is in time', async () => {
    const receiver = await sockets.bound('udp4', '0.0.0.0')
    const from = await sockets.bound('udp4', '0.0.0.0')
    const got = message(receiver)
    const left = send(from, 'all', port(receiver), '10.77.0.255')
    from.setBroadcast(true)
    await left
    expect((await got).text).toBe('all')
  })
}
