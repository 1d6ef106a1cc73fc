import dgram from 'node:dgram'
import { once } from 'node:events'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Stack } from '../../../src/stack.ts'
import { bound, message, open, sent, stack, turns } from '../pair.ts'

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

test(
  "without a callback a failed send is an 'error' event for those who listen, and nothing for those who do " + 'not',
  async () => {
    const socket = await bound(stack())
    socket.send(Buffer.alloc(70_000), 9, '127.0.0.1')
    await turns(2)
    const failed = once(socket, 'error')
    socket.send(Buffer.alloc(70_000), 9, '127.0.0.1')
    expect((await failed)[0]).toMatchObject({ message: 'send EMSGSIZE 127.0.0.1:9', code: 'EMSGSIZE' })
  },
)

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
