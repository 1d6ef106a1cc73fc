import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { type Environment, message, port, quiet, Sockets, send, texts, turn, uncaught } from './environment.ts'

/** 'message': what comes, in which order, context and company. */
export function receiving(environment: Environment): void {
  const sockets = new Sockets(environment)

  test('a message is a Buffer with the address, family, port and size of its datagram', async () => {
    const receiver = await sockets.bound()
    const sender = await sockets.bound('udp4', '127.0.0.5')
    const got = message(receiver)
    await send(sender, 'hello', port(receiver), '127.0.0.1')
    const { msg, rinfo } = await got
    expect(Buffer.isBuffer(msg)).toBe(true)
    expect(rinfo).toEqual({ address: '127.0.0.5', family: 'IPv4', port: port(sender), size: 5 })
    expect(Object.keys(rinfo)).toEqual(['address', 'family', 'port', 'size'])
  })

  test('a message over IPv6 says so', async () => {
    const receiver = await sockets.bound('udp6')
    const sender = await sockets.bound('udp6')
    const got = message(receiver)
    await send(sender, '', port(receiver), '::1')
    expect((await got).rinfo).toEqual({ address: '::1', family: 'IPv6', port: port(sender), size: 0 })
  })

  test('IPv4 reaches a dual-stack socket, with its address in IPv6 form', async () => {
    const receiver = await sockets.bound('udp6', '::')
    const sender = await sockets.bound()
    const got = message(receiver)
    await send(sender, 'x', port(receiver), '127.0.0.1')
    expect((await got).rinfo).toMatchObject({ address: '::ffff:127.0.0.1', family: 'IPv6' })
  })

  test('IPv4 does not reach a socket that is ipv6Only', async () => {
    const receiver = await sockets.bound({ type: 'udp6', ipv6Only: true }, '::')
    const sender = await sockets.bound()
    const six = await sockets.bound('udp6')
    const got = texts(receiver, 1)
    await send(sender, 'four', port(receiver), '127.0.0.1')
    await send(six, 'six', port(receiver), '::1')
    expect(await got).toEqual(['six'])
  })

  test('a udp4 socket is preferred to a dual-stack one on the same port', async () => {
    const four = await sockets.bound({ type: 'udp4', reuseAddr: true }, '0.0.0.0')
    const six = await sockets.bound({ type: 'udp6', reuseAddr: true }, '::', port(four))
    const fourGot = texts(four, 1)
    const sixGot = texts(six, 1)
    const sender = await sockets.bound()
    await send(sender, '4', port(four), '127.0.0.1')
    const sender6 = await sockets.bound('udp6')
    await send(sender6, '6', port(four), '::1')
    expect(await fourGot).toEqual(['4'])
    expect(await sixGot).toEqual(['6'])
  })

  test('the more specific address gets the datagram', async () => {
    const any = await sockets.bound({ type: 'udp4', reuseAddr: true }, '0.0.0.0')
    const one = await sockets.bound({ type: 'udp4', reuseAddr: true }, '127.0.0.1', port(any))
    const anyGot = texts(any, 1)
    const oneGot = texts(one, 1)
    const sender = await sockets.bound()
    await send(sender, 'one', port(any), '127.0.0.1')
    await send(sender, 'any', port(any), '127.0.0.2')
    expect(await oneGot).toEqual(['one'])
    expect(await anyGot).toEqual(['any'])
  })

  test('a socket bound to any answers from the address it was asked at', async () => {
    const server = await sockets.bound('udp4', '0.0.0.0')
    const client = await sockets.bound()
    server.on('message', (msg, rinfo) => server.send(msg, rinfo.port, rinfo.address))
    const got = message(client)
    await send(client, 'x', port(server), '127.0.0.1')
    expect((await got).rinfo).toMatchObject({ address: '127.0.0.1', port: port(server) })
  })

  test('all of 127.0.0.0/8 is here', async () => {
    const receiver = await sockets.bound('udp4', '0.0.0.0')
    const sender = await sockets.bound('udp4', '0.0.0.0')
    const got = texts(receiver, 2)
    await send(sender, 'a', port(receiver), '127.1.2.3')
    await send(sender, 'b', port(receiver), '127.255.255.254')
    expect(await got).toEqual(['a', 'b'])
  })

  test('loopback keeps the order', async () => {
    const receiver = await sockets.bound({ type: 'udp4', recvBufferSize: 400_000 })
    const sender = await sockets.bound()
    const got = texts(receiver, 200)
    for (let n = 0; n < 200; n++) sender.send(`${n}`, port(receiver), '127.0.0.1')
    expect(await got).toEqual(Array.from({ length: 200 }, (_, n) => `${n}`))
  })

  test.each([1, 64, 65, 1400, 5000])('messages of %i bytes do not share memory', async (size) => {
    const receiver = await sockets.bound()
    const sender = await sockets.bound()
    const got: Buffer[] = []
    receiver.on('message', (msg) => {
      got.push(msg)
      msg.fill(got.length)
    })
    const data = Buffer.alloc(size, 9)
    for (let n = 0; n < 4; n++) sender.send(data, port(receiver), '127.0.0.1')
    while (got.length < 4) await turn()
    expect(got.map((msg) => msg.every((byte) => byte === msg[0]) && msg[0])).toEqual([1, 2, 3, 4])
    expect(got.map((msg) => [msg.byteOffset, msg.buffer.byteLength])).toEqual(new Array(4).fill([0, size]))
  })

  test.each([0, 1, 64, 65, 1400, 5000])(
    'a message of %i bytes may be transferred, and a clone of it carries nothing else',
    async (size) => {
      const receiver = await sockets.bound()
      const other = await sockets.bound()
      const sender = await sockets.bound()
      const data = Buffer.alloc(size, 9)
      const got: Uint8Array[] = []
      receiver.on('message', (msg) => {
        expect((structuredClone(msg) as Uint8Array).buffer.byteLength).toBe(size)
        got.push(structuredClone(msg, { transfer: [msg.buffer as ArrayBuffer] }))
      })
      other.on('message', (msg) => got.push(msg))
      for (const socket of [receiver, other, receiver, other]) sender.send(data, port(socket), '127.0.0.1')
      while (got.length < 4) await turn()
      expect(got.map((bytes) => data.equals(Buffer.from(bytes)))).toEqual([true, true, true, true])
    },
  )

  test('a socket gets 32 messages in a turn at most, so that others have theirs', async () => {
    const receiver = await sockets.bound()
    const quietOne = await sockets.bound()
    const sender = await sockets.bound()
    const order: string[] = []
    let turns = 0
    receiver.on('message', () => {
      if (order.length === 0) setImmediate(() => order.push(`immediate after ${order.length}`))
      order.push('flood')
    })
    quietOne.on('message', () => order.push('other'))
    for (let n = 0; n < 80; n++) sender.send('x', port(receiver), '127.0.0.1')
    sender.send('y', port(quietOne), '127.0.0.1')
    for (; order.length < 82 && turns < 1000; turns++) await turn()
    expect(order.filter((each) => each === 'flood')).toHaveLength(80)
    expect(order).toContain('other')
    // On the kernel the other socket may have had its message in that turn, too.
    expect(['immediate after 32', 'immediate after 33']).toContain(order.find((each) => each.startsWith('immediate')))
  })

  test('between two messages ticks and microtasks run, so that once in a loop misses none', async () => {
    const receiver = await sockets.bound()
    const sender = await sockets.bound()
    for (let n = 0; n < 20; n++) sender.send(`${n}`, port(receiver), '127.0.0.1')
    const got: string[] = []
    for (let n = 0; n < 20; n++) got.push((await message(receiver)).text)
    expect(got).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`))
  })

  test('between the messages of two sockets ticks and microtasks run, too', async () => {
    const first = await sockets.bound()
    const second = await sockets.bound()
    const sender = await sockets.bound()
    sender.send('1', port(first), '127.0.0.1')
    sender.send('2', port(second), '127.0.0.1')
    expect((await message(first)).text).toBe('1')
    expect((await message(second)).text).toBe('2')
  })

  test('a tick of one message runs before the next message', async () => {
    const receiver = await sockets.bound()
    const sender = await sockets.bound()
    const order: string[] = []
    receiver.on('message', (msg) => {
      order.push(`message ${msg}`)
      process.nextTick(() => order.push(`tick ${msg}`))
      Promise.resolve().then(() => order.push(`promise ${msg}`))
    })
    sender.send('1', port(receiver), '127.0.0.1')
    sender.send('2', port(receiver), '127.0.0.1')
    while (order.length < 6) await turn()
    expect(order).toEqual(['message 1', 'tick 1', 'promise 1', 'message 2', 'tick 2', 'promise 2'])
  })

  test("a listener that throws is an 'uncaughtException', and the next message comes", async () => {
    const receiver = await sockets.bound()
    const sender = await sockets.bound()
    const got: string[] = []
    const errors = await uncaught(async () => {
      receiver.on('message', (msg) => {
        got.push(msg.toString())
        if (got.length === 1) throw new Error(`over ${msg}`)
      })
      for (const n of [1, 2, 3]) sender.send(`${n}`, port(receiver), '127.0.0.1')
      while (got.length < 3) await turn()
    })
    expect(got).toEqual(['1', '2', '3'])
    expect(errors).toEqual([new Error('over 1')])
  })

  test("an 'uncaughtException' comes before the ticks of the listener that threw", async () => {
    const receiver = await sockets.bound()
    const sender = await sockets.bound()
    const order: string[] = []
    const note = () => order.push('uncaught')
    const errors = await uncaught(async () => {
      process.on('uncaughtException', note)
      receiver.on('message', (msg) => {
        order.push(`message ${msg}`)
        process.nextTick(() => order.push('tick'))
        throw new Error('over')
      })
      sender.send('1', port(receiver), '127.0.0.1')
      while (order.length < 3) await turn()
    })
    expect(errors).toHaveLength(1)
    expect(order).toEqual(['message 1', 'uncaught', 'tick'])
  })

  test('another socket is served although a listener throws', async () => {
    const bad = await sockets.bound()
    const good = await sockets.bound()
    const sender = await sockets.bound()
    bad.on('message', () => {
      throw new Error('bad')
    })
    const errors = await uncaught(async () => {
      const got = message(good)
      sender.send('x', port(bad), '127.0.0.1')
      sender.send('y', port(good), '127.0.0.1')
      expect((await got).text).toBe('y')
      await turn()
    })
    expect(errors).toEqual([new Error('bad')])
  })

  test('close inside a message handler: no more messages', async () => {
    const receiver = await sockets.bound()
    const sender = await sockets.bound()
    const events: string[] = []
    receiver.on('close', () => events.push('close'))
    receiver.on('message', (msg) => {
      events.push(msg.toString())
      receiver.close()
    })
    for (const n of [1, 2, 3]) sender.send(`${n}`, port(receiver), '127.0.0.1')
    await once(receiver, 'close')
    await quiet()
    expect(events).toEqual(['1', 'close'])
  })

  test('messages come in the context in which the socket was made', async () => {
    const storage = new AsyncLocalStorage<string>()
    const receiver = storage.run('creation', () => sockets.make())
    await storage.run('binding', async () => {
      receiver.bind(0, '127.0.0.1')
      await once(receiver, 'listening')
    })
    const seen: unknown[] = []
    storage.run('listening', () => receiver.on('message', () => seen.push(storage.getStore())))
    const sender = await sockets.bound()
    await storage.run('sending', async () => {
      const got = texts(receiver, 2)
      sender.send('1', port(receiver), '127.0.0.1')
      sender.send('2', port(receiver), '127.0.0.1')
      await got
    })
    expect(seen).toEqual(['creation', 'creation'])
  })

  test("callbacks come in the context of their call: bind's, 'listening', send's and connect's", async () => {
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const note = () => seen.push(storage.getStore())
    const socket = storage.run('creation', () => sockets.make())
    socket.on('listening', note)
    await new Promise<void>((resolve) =>
      storage.run('binding', () =>
        socket.bind(0, '127.0.0.1', () => {
          note()
          resolve()
        }),
      ),
    )
    await new Promise<void>((resolve) =>
      storage.run('sending', () =>
        socket.send('x', port(socket), '127.0.0.1', () => {
          note()
          resolve()
        }),
      ),
    )
    await new Promise<void>((resolve) =>
      storage.run('connecting', () =>
        socket.connect(9, '127.0.0.1', () => {
          note()
          resolve()
        }),
      ),
    )
    expect(seen).toEqual(['binding', 'binding', 'sending', 'connecting'])
  })

  test('a slow program loses what its receive buffer cannot hold, and no more', async () => {
    const receiver = await sockets.bound({ type: 'udp4', recvBufferSize: 8192 })
    const sender = await sockets.bound()
    let got = 0
    receiver.on('message', () => got++)
    const data = Buffer.alloc(1000)
    const all: Promise<number>[] = []
    for (let n = 0; n < 100; n++) all.push(send(sender, data, port(receiver), '127.0.0.1'))
    await Promise.all(all)
    await quiet()
    expect(got).toBeGreaterThan(3)
    expect(got).toBeLessThan(100)
    const before = got
    await send(sender, data, port(receiver), '127.0.0.1')
    await quiet()
    expect(got).toBe(before + 1)
  })
}
