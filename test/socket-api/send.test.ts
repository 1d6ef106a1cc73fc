import dgram from 'node:dgram'
import { once } from 'node:events'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import type { Socket } from '../../src/socket-api/dgram/types.ts'
import { Stack } from '../../src/stack.ts'
import { bound, connected, message, open, pair, sent, stack, turns } from './pair.ts'

/** Sends until something waits for room in the link. */
async function fill(socket: Socket, port: number, done: (error: Error | null) => void = () => {}): Promise<number> {
  for (let count = 1; ; count++) {
    socket.send(Buffer.alloc(1400), port, '127.0.0.1', done)
    if (count % 1000 > 0) continue
    await new Promise<void>((resolve) => process.nextTick(resolve))
    if (socket.getSendQueueCount() > 0) return count
  }
}

test('what finds no room in its link waits, as its queue shows, and arrives in order', async () => {
  const host = stack()
  const receiver = await bound(host)
  const socket = await bound(host)
  let got = 0
  receiver.on('message', () => got++)
  const errors: unknown[] = []
  const last: number[] = []
  const count = await fill(socket, receiver.address().port, (error) => error === null || errors.push(error))
  expect(socket.getSendQueueSize()).toBe(socket.getSendQueueCount() * 1400)
  const arrived = new Promise<void>((resolve) =>
    receiver.on('message', (msg) => {
      last.push(msg.length)
      if (msg.length === 4) resolve()
    }),
  )
  await sent(socket, 'last', receiver.address().port, '127.0.0.1')
  await arrived
  expect(got).toBe(count + 1)
  expect(last.indexOf(4)).toBe(last.length - 1)
  expect([socket.getSendQueueSize(), socket.getSendQueueCount(), errors, host.drops]).toEqual([0, 0, [], []])
})

test("what waits when its socket closes is not sent, and its callbacks say so, after 'close'", async () => {
  const host = stack()
  const receiver = await bound(host)
  const socket = await bound(host)
  const order: unknown[] = []
  await fill(
    socket,
    receiver.address().port,
    (error) => error !== null && order.push((error as NodeJS.ErrnoException).code),
  )
  const waiting = socket.getSendQueueCount()
  socket.close(() => order.push('close'))
  await turns(2)
  expect(order).toEqual(['close', ...new Array(waiting).fill('ECANCELED')])
})

test('sockets that wait for the same link take turns', async () => {
  const host = stack()
  const receiver = await bound(host)
  const first = await bound(host)
  const second = await bound(host)
  const { port } = receiver.address()
  let done = 0
  await fill(first, port)
  for (let n = 0; n < 2000; n++) first.send(Buffer.alloc(1400), port, '127.0.0.1')
  for (let n = 0; n < 1000; n++) second.send(Buffer.alloc(1400), port, '127.0.0.1', () => done++)
  await turns(20)
  expect(first.getSendQueueCount()).toBeGreaterThan(0)
  expect(done).toBeGreaterThan(100)
})

test('a batch waits for room as single sends do', async () => {
  const host = stack()
  const receiver = await bound(host)
  const socket = await bound(host)
  let got = 0
  receiver.on('message', () => got++)
  const item = { msg: Buffer.alloc(1400), port: receiver.address().port, address: '127.0.0.1' }
  const outcome = await new Promise((resolve) =>
    socket.sendBatch(new Array(4000).fill(item), (...args) => resolve(args)),
  )
  expect(outcome).toEqual([null, 4000])
  while (got < 4000) await turns(1)
  const closing = new Promise((resolve) =>
    socket.sendBatch(new Array(4000).fill(item), (error, count) => resolve([error?.message, count < 4000])),
  )
  await turns(1)
  socket.close()
  expect(await closing).toEqual(['Not running', true])
})

test('a batch does not overtake the sends before it', async () => {
  const host = stack()
  const receiver = await bound(host)
  const socket = await bound(host)
  const got: string[] = []
  receiver.on('message', (msg) => got.push(msg.toString()))
  const { port } = receiver.address()
  socket.send('1', port, '127.0.0.1')
  socket.sendBatch([{ msg: '2', port, address: '127.0.0.1' }])
  socket.send('3', port, '127.0.0.1')
  await turns(3)
  expect(got).toEqual(['1', '2', '3'])
})

test('when time is simulated by hand, a burst leaves and arrives within the call that moves it', () => {
  const clock = new ManualClock()
  const host = new Stack({ clock })
  return new Promise<void>((resolve) => {
    const receiver = host.dgram.createSocket('udp4')
    receiver.bind(0, '127.0.0.1', () => {
      let got = 0
      receiver.on('message', () => got++)
      for (let n = 0; n < 4000; n++) receiver.send(Buffer.alloc(1400), receiver.address().port, '127.0.0.1')
      expect(receiver.getSendQueueCount()).toBeGreaterThan(0)
      clock.advance(0)
      expect(got + host.counters.UdpRcvbufErrors).toBe(4000)
      host.close()
      resolve()
    })
  })
})

test('an option that is set right after a send counts for it', async () => {
  const host = stack()
  const receiver = (await bound(host)).setRecvInfo(true)
  const socket = await bound(host)
  const got = message(receiver)
  socket.send('x', receiver.address().port, '127.0.0.1')
  socket.setTTL(7)
  expect((await got).rinfo.ttl).toBe(7)
})

test("without a callback a failed send is an 'error' event for those who listen, and nothing for those who do not", async () => {
  const socket = await bound(stack())
  socket.send(Buffer.alloc(70_000), 9, '127.0.0.1')
  await turns(2)
  const failed = once(socket, 'error')
  socket.send(Buffer.alloc(70_000), 9, '127.0.0.1')
  expect((await failed)[0]).toMatchObject({ message: 'send EMSGSIZE 127.0.0.1:9', code: 'EMSGSIZE' })
})

test('a failed send is an error of its callback or an event, never both', async () => {
  const socket = await bound(stack())
  const events: unknown[] = []
  socket.on('error', (error) => events.push(error))
  await expect(sent(socket, 'x', 9, '192.0.2.1')).rejects.toMatchObject({
    message: 'send ENETUNREACH 192.0.2.1:9',
    errno: -101,
  })
  await turns(2)
  expect(events).toEqual([])
})

test('sends wait for an earlier one that is being looked up', async () => {
  const host = stack()
  const receiver = await bound(host)
  host.hosts.set('peer', ['127.0.0.1'])
  const socket = await bound(host)
  const got: string[] = []
  receiver.on('message', (msg) => got.push(msg.toString()))
  socket.send('first', receiver.address().port, 'peer')
  socket.send('second', receiver.address().port, '127.0.0.1')
  await turns(4)
  expect(got).toEqual(['first', 'second'])
})

test("names of the stack's hosts are found before lookup is asked, by family", async () => {
  const host = stack()
  host.hosts.set('both', ['::1', '127.0.0.1'])
  host.hosts.set('six', ['::1'])
  const asked: unknown[] = []
  const lookup = (name: string, family: unknown, callback: (error: null, address: string) => void) => {
    asked.push([name, family])
    process.nextTick(callback, null, name === 'six' ? '127.0.0.1' : name)
  }
  const receiver = await bound(host)
  const socket = open(host, { type: 'udp4', lookup: lookup as never })
  const got = message(receiver)
  await sent(socket, 'x', receiver.address().port, 'both')
  await got
  await sent(socket, 'x', receiver.address().port, 'six')
  expect(asked).toEqual([
    ['0.0.0.0', 4],
    ['six', 4],
  ])
})

test('a batch leaves in order, and tells how many did', async () => {
  const { a, b } = pair()
  const receiver = (await bound(b)).setRecvInfo(true)
  const to = { port: receiver.address().port, address: '10.0.0.2' }
  const socket = open(a)
  const got: string[] = []
  receiver.on('message', (msg, rinfo) => got.push(`${msg} ${rinfo.ttl}`))
  const outcome = await new Promise<[Error | null, number]>((resolve) =>
    socket.sendBatch(
      [
        { msg: '1', ...to },
        { msg: ['2', Buffer.from('2')], ...to, ttl: 9 },
        { msg: new Uint8Array(1).fill(51), ...to },
      ],
      (error, count) => resolve([error, count]),
    ),
  )
  expect(outcome).toEqual([null, 3])
  await turns(3)
  expect(got).toEqual(['1 64', '22 9', '3 64'])
})

test('a batch ends at the first failure', async () => {
  const host = stack()
  const receiver = await bound(host)
  const to = { port: receiver.address().port, address: '127.0.0.1' }
  const got: string[] = []
  receiver.on('message', (msg) => got.push(msg.toString()))
  const socket = open(host)
  const items = [
    { msg: '1', ...to },
    { msg: Buffer.alloc(70_000), ...to },
    { msg: '3', ...to },
  ]
  const outcome = await new Promise<[Error | null, number]>((resolve) =>
    socket.sendBatch(items, (error, count) => resolve([error, count])),
  )
  expect(outcome).toEqual([expect.objectContaining({ code: 'EMSGSIZE' }), 1])
  await turns(3)
  expect(got).toEqual(['1'])
  const failed = once(socket, 'error')
  socket.sendBatch([{ msg: Buffer.alloc(70_000), ...to }])
  expect((await failed)[0]).toMatchObject({ code: 'EMSGSIZE' })
})

test('a batch of nothing is done, one with a mistake is not begun', async () => {
  const host = stack()
  const socket = await bound(host)
  expect(await new Promise((resolve) => socket.sendBatch([], (...args) => resolve(args)))).toEqual([null, 0])
  const to = { port: socket.address().port, address: '127.0.0.1' }
  const batch = socket.sendBatch as (items: unknown) => void
  for (const [items, code] of [
    [
      [
        { msg: 'x', ...to },
        { msg: 5, ...to },
      ],
      'ERR_INVALID_ARG_TYPE',
    ],
    [[{ msg: 'x', ...to }, { msg: 'y' }], 'ERR_SOCKET_BAD_PORT'],
    [[{ msg: 'x', ...to, ttl: 999 }], 'ERR_OUT_OF_RANGE'],
    ['x', 'ERR_INVALID_ARG_TYPE'],
  ] as const)
    expect(() => batch.call(socket, items)).toThrowError(expect.objectContaining({ code }))
  const got: unknown[] = []
  socket.on('message', (msg) => got.push(msg))
  await turns(3)
  expect(got).toEqual([])
  await connected(socket, to.port, to.address)
  expect(() => socket.sendBatch([{ msg: 'x', ...to }])).toThrowError(
    expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' }),
  )
})

test('whatever is given to send, the answer is that of node:dgram', () => {
  const ours = open(stack())
  const kernel = dgram.createSocket('udp4')
  const reach = (socket: object, args: unknown[]) => {
    const send = (socket as { send(...given: unknown[]): void }).send.bind(socket)
    try {
      send(...args)
      return 'sent'
    } catch (error) {
      return { name: (error as Error).name, message: (error as Error).message, code: (error as { code?: string }).code }
    }
  }
  // Nothing that is legal in all is drawn: a send would leave this process.
  const odd = fc.oneof(
    fc.constantFrom(
      undefined,
      null,
      true,
      Number.NaN,
      -1,
      0,
      1.5,
      65_536,
      2 ** 40,
      '',
      'text',
      10n,
      Symbol('s'),
      new Date(0),
      /x/,
      new Map(),
      {},
      [],
      [1],
      Object.create(null),
    ),
    fc.string(),
    fc.double(),
    fc.constantFrom(
      function named() {},
      () => {},
      class K {},
    ),
  )
  const illegal = fc.constantFrom(
    undefined,
    null,
    true,
    5,
    Number.NaN,
    10n,
    Symbol('s'),
    {},
    new Date(0),
    [1],
    new ArrayBuffer(3),
    () => {},
    Object.create(null),
  )
  const port = fc.constantFrom(undefined, null, true, -1, 0, 1.5, 65_536, '', 'x', {}, [], Number.NaN, 10n)
  fc.assert(
    fc.property(
      fc.oneof(
        fc.tuple(illegal, odd, odd),
        fc.tuple(illegal, odd, odd, odd, odd),
        fc.tuple(fc.constantFrom('abc', Buffer.from('abc')), port),
        fc.tuple(
          fc.constantFrom('abc', Buffer.from('abc')),
          fc.constant(9),
          fc.constantFrom(5, true, {}, [], Symbol('s')),
        ),
        fc.tuple(fc.constant(Buffer.from('abc')), fc.integer({ min: 4 }), fc.nat(3), fc.constant(9)),
        fc.tuple(fc.constant(Buffer.from('abc')), fc.nat(3), fc.integer({ min: 4 }), fc.constant(9)),
      ),
      (args) => {
        // An object with a port is our own form.
        if (typeof args[1] === 'object' && args[1] !== null && 'port' in args[1]) return
        expect(reach(ours, args)).toEqual(reach(kernel, args))
      },
    ),
    { numRuns: 2000, seed: 20 },
  )
  kernel.close()
})
