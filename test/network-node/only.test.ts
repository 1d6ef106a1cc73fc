import dgram, { createSocket } from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Network } from '../../src/network-node.ts'
import { withNetwork } from '../../src/testing.ts'

let network: Network
beforeEach(() => {
  network = new Network({ seed: 1 })
  network.connect(network.host('client'), network.host('server'))
})
afterEach(() => network.close())

const CODE = 'ERR_OUTSIDE_NETWORK'

describe('while a network is the only one', () => {
  test.each<[string, (socket: dgram.Socket) => void]>([
    ['bind', (socket) => socket.bind(0)],
    ['send', (socket) => socket.send('x', 9, '127.0.0.1')],
    ['connect', (socket) => socket.connect(9, '127.0.0.1')],
    ['addMembership', (socket) => socket.addMembership('224.0.0.251')],
    ['setTTL', (socket) => socket.setTTL(3)],
  ])('no UDP socket of the kernel is opened: %s', (_call, open) => {
    const before = createSocket('udp4')
    network.only()
    for (const socket of [
      before,
      createSocket('udp4'),
      new (class extends dgram.Socket {})({ type: 'udp4' } as never),
    ]) {
      expect(() => open(socket)).toThrow(
        expect.objectContaining({
          code: CODE,
          message:
            'A UDP socket of the kernel is refused: the program runs on no host of the network, which is to be ' +
            'the only one. ' +
            "Run it on one of client, server: network.stack('client').run(() => …).",
        }),
      )
      socket.close()
    }
  })

  test('what is open already goes on, and hosts have their sockets', async () => {
    const open = createSocket('udp4')
    await new Promise<void>((done) => open.bind(0, '127.0.0.1', done))
    network.only()
    open.send('still', open.address().port, '127.0.0.1')
    expect(String((await once(open, 'message'))[0])).toBe('still')
    open.close()
    const virtual = network.stack('client').run(() => createSocket('udp4').bind(5))
    await network.run()
    expect(network.sockets()).toMatchObject([{ host: 'client', localPort: 5 }])
    virtual.close()
  })

  const error = async (socket: { once(event: 'error', listener: (error: Error) => void): unknown }) =>
    await new Promise<Error>((resolve) => socket.once('error', resolve))

  test.each<[string, () => Promise<unknown>]>([
    ['net.connect by address', () => error(net.connect(80, '192.0.2.1'))],
    ['net.connect by name', () => error(net.connect({ port: 80, host: 'www.example.org' }))],
    ['a Socket of its own', () => error(new net.Socket().connect(80, '2001:db8::1'))],
    [
      'a name of the program’s own lookup',
      () =>
        error(
          net.connect({
            port: 80,
            host: 'www.example.org',
            lookup: (_name, _options, callback) => callback(null, [{ address: '192.0.2.1', family: 4 }]),
          }),
        ),
    ],
    ['tls.connect', () => error(tls.connect(443, '192.0.2.1'))],
    ['http.get', () => error(http.get('http://192.0.2.1/'))],
    ['fetch', () => fetch('https://www.example.org/').catch((failed: Error) => failed.cause)],
  ])('no TCP connection leaves the machine, from no host and from any: %s', async (_how, connect) => {
    network.only()
    expect(await connect()).toMatchObject({ code: CODE, message: expect.stringMatching(/no host.* client, server/) })
    expect(await network.stack('client').run(connect)).toMatchObject({
      code: CODE,
      message: expect.stringContaining('the program runs on client, and hosts of a network in memory carry no TCP'),
    })
  })

  test.each<[string, (port: number) => net.Socket]>([
    ['127.0.0.1', (port) => net.connect(port, '127.0.0.1')],
    ['::ffff:127.0.0.1', (port) => net.connect(port, '::ffff:127.0.0.1')],
    ['0.0.0.0', (port) => net.connect({ port, host: '0.0.0.0' })],
    ['localhost', (port) => net.connect(port)],
    [
      'a name of the program’s own lookup',
      (port) =>
        net.connect({
          port,
          host: 'app.test',
          lookup: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
        }),
    ],
  ])('TCP over loopback goes on: %s', async (_to, connect) => {
    const server = net.createServer((socket) => socket.end('hi')).listen(0)
    await once(server, 'listening')
    network.only()
    const socket = connect((server.address() as net.AddressInfo).port)
    expect(String((await once(socket, 'data'))[0])).toBe('hi')
    socket.destroy()
    server.close()
  })

  test.each<[string, () => Promise<unknown>]>([
    ['lookup', () => promisify(dns.lookup)('www.example.org')],
    ['promises.lookup', () => dns.promises.lookup('www.example.org')],
    ['resolve4', () => promisify(dns.resolve4)('www.example.org')],
    ['promises.resolveMx', () => dns.promises.resolveMx('www.example.org')],
    ['a Resolver', () => new dns.promises.Resolver().resolve6('www.example.org')],
    ['reverse', () => dns.promises.reverse('192.0.2.1')],
    ['lookupService', () => dns.promises.lookupService('192.0.2.1', 80)],
  ])('nobody outside is asked for a name: %s', async (_api, ask) => {
    network.only()
    await expect(ask()).rejects.toMatchObject({ code: CODE })
    expect(await dns.promises.lookup('localhost')).toHaveProperty('address')
  })

  test('a pipe is no connection to anywhere', async () => {
    network.only()
    expect(await error(net.connect('/tungram/no/such/pipe'))).toMatchObject({ code: 'ENOENT' })
  })

  test('until that ends, or the network closes', () => {
    const end = network.only()
    const socket = createSocket('udp4')
    expect(() => socket.setBroadcast(true)).toThrow(expect.objectContaining({ code: CODE }))
    end()
    expect(() => socket.setBroadcast(true)).toThrow(expect.objectContaining({ code: 'EBADF' }))
    network.only()
    network.close()
    expect(() => socket.setBroadcast(true)).toThrow(expect.objectContaining({ code: 'EBADF' }))
    expect(() => network.only()).toThrow('closed')
    socket.close()
  })

  test('a network without hosts says what to add', () => {
    using empty = new Network()
    empty.only()
    expect(() => createSocket('udp4').bind()).toThrow('Add a host to the network')
  })
})

describe('tungram/testing', () => {
  const open = () => {
    const socket = createSocket('udp4')
    try {
      socket.setBroadcast(true)
    } finally {
      socket.close()
    }
  }

  test('has the network as the only one', async () => {
    let told: unknown
    await withNetwork((network) => {
      network.host('here')
      expect(open).toThrow(expect.objectContaining({ code: CODE, message: expect.stringContaining('one of here') }))
      told = 'yes'
    })()
    expect(told).toBe('yes')
    expect(open).toThrow(expect.objectContaining({ code: 'EBADF' }))
  })

  test('unless it is told otherwise', async () => {
    await withNetwork({ only: false }, () => {
      expect(open).toThrow(expect.objectContaining({ code: 'EBADF' }))
    })()
  })
})
