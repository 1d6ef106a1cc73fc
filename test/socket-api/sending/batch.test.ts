import { once } from 'node:events'
import { BlockList } from 'node:net'
import { expect, test } from 'vitest'
import type { BatchItem, Socket, SocketOptions } from '../../../src/socket-api/dgram/dgram.ts'
import { bound, connected, open, pair, stack, turn, turns } from '../pair.ts'

type Outcome = [error: string | null, sent: number]
type Lookup = (host: string, family: number, callback: (error: Error | null, address: string) => void) => void

/** A receiver on 127.0.0.1, what it heard, and where it is. */
async function receiver(host = stack()) {
  const socket = await bound(host, 'udp4', '127.0.0.1')
  const heard: string[] = []
  socket.on('message', (msg) => heard.push(msg.toString()))
  return { host, heard, to: { port: socket.address().port, address: '127.0.0.1' } }
}

/** Sends a batch; what its callback was told, call by call. */
function batch(socket: Socket, items: readonly BatchItem[]): Outcome[] {
  const calls: Outcome[] = []
  socket.sendBatch(items, (error, sent) =>
    calls.push([error === null ? null : ((error as NodeJS.ErrnoException).code ?? error.message), sent]),
  )
  expect(calls, 'not before sendBatch returns').toEqual([])
  return calls
}

const withLookup = (lookup: Lookup): SocketOptions => ({ type: 'udp4', lookup })

test('the callback is called once when the socket closes while a name is looked up', async () => {
  const { host, heard, to } = await receiver()
  let answer = () => {}
  const socket = await bound(
    host,
    withLookup((name, _family, callback) => {
      if (name !== 'slow') process.nextTick(callback, null, name)
      else answer = () => callback(null, '127.0.0.1')
    }),
  )
  const calls = batch(socket, [
    { msg: '1', ...to, address: 'slow' },
    { msg: '2', ...to },
  ])
  socket.close()
  await turns(3)
  expect(calls).toEqual([['ERR_SOCKET_DGRAM_NOT_RUNNING', 0]])
  answer()
  await turns(3)
  expect([calls.length, heard]).toEqual([1, []])
})

test('a name that is being looked up by Node itself is no different', async () => {
  const { host, to } = await receiver()
  const socket = await bound(host)
  const calls = batch(socket, [{ msg: 'a', ...to, address: 'localhost' }])
  socket.close()
  await turn()
  expect(calls).toEqual([['ERR_SOCKET_DGRAM_NOT_RUNNING', 0]])
})

test('what was sent before the socket closes is counted', async () => {
  const { host, heard, to } = await receiver()
  let answer = () => {}
  const socket = await bound(
    host,
    withLookup((name, _family, callback) => {
      if (name === 'never') answer = () => callback(null, '127.0.0.1')
      else process.nextTick(callback, null, name === 'name' ? '127.0.0.1' : name)
    }),
  )
  const calls = batch(socket, [
    { msg: '1', ...to, address: 'name' },
    { msg: '2', ...to, address: 'never' },
    { msg: '3', ...to },
  ])
  await turns(2)
  socket.close()
  answer()
  await turns(2)
  expect(calls).toEqual([['ERR_SOCKET_DGRAM_NOT_RUNNING', 1]])
  expect(heard).toEqual(['1'])
})

test('a socket that closes while it is being bound sends what was asked before', async () => {
  const { host, heard, to } = await receiver()
  const socket = open(host)
  const calls = batch(socket, [{ msg: '1', ...to }])
  socket.close()
  await turns(3)
  expect([calls, heard]).toEqual([[[null, 1]], ['1']])
})

test('a socket that cannot be bound tells the callback, once', async () => {
  const { host, to } = await receiver()
  const socket = open(host)
  socket.on('error', () => {})
  socket.bind(0, '192.0.2.77')
  const calls = [batch(socket, [{ msg: '1', ...to }]), batch(socket, [])]
  await turns(3)
  expect(calls).toEqual([[['EADDRNOTAVAIL', 0]], [['EADDRNOTAVAIL', 0]]])
  expect(socket.listenerCount('listening')).toBe(0)
})

test('a batch of nothing is done, on a socket of any state', async () => {
  const { host } = await receiver()
  const [fresh, ready] = [open(host), await bound(host)]
  const calls = [batch(fresh, []), batch(ready, [])]
  await turns(3)
  expect(calls).toEqual([[[null, 0]], [[null, 0]]])
})

test.each<[string, Lookup, string]>([
  ['fails', (_name, _family, callback) => process.nextTick(callback, new Error('no such name'), ''), 'no such name'],
  [
    'throws',
    () => {
      throw new Error('thrown')
    },
    'thrown',
  ],
  ['answers no address', (_name, _family, callback) => process.nextTick(callback, null, 'nonsense'), 'EINVAL'],
  ['answers the other family', (_name, _family, callback) => process.nextTick(callback, null, '::1'), 'EINVAL'],
])('a lookup that %s ends the batch', async (_what, lookup, error) => {
  const { host, heard, to } = await receiver()
  const socket = open(
    host,
    withLookup((name, family, callback) => (name === 'name' ? lookup(name, family, callback) : callback(null, name))),
  )
  socket.bind()
  const calls = batch(socket, [
    { msg: '1', ...to },
    { msg: '2', ...to, address: 'name' },
    { msg: '3', ...to },
  ])
  await turns(4)
  expect([calls, heard]).toEqual([[[error, 1]], ['1']])
})

test('a lookup that answers twice sends once, and is counted once', async () => {
  const { host, heard, to } = await receiver()
  const twice = (name: string, _family: number, callback: (error: null, address: string) => void) => {
    process.nextTick(callback, null, name)
    if (name === '127.0.0.1') process.nextTick(callback, null, name)
  }
  const socket = await bound(host, withLookup(twice))
  const calls = batch(
    socket,
    ['1', '2', '3'].map((msg) => ({ msg, ...to })),
  )
  await turns(4)
  expect(calls).toEqual([[null, 3]])
  expect([...new Set(heard)]).toEqual(['1', '2', '3'])
})

test('a destination that is blocked ends the batch', async () => {
  const { host, heard, to } = await receiver()
  const sendBlockList = new BlockList()
  sendBlockList.addAddress('192.0.2.1')
  const socket = await bound(host, { type: 'udp4', sendBlockList })
  const calls = batch(socket, [
    { msg: '1', ...to },
    { msg: '2', ...to, address: '192.0.2.1' },
    { msg: '3', ...to },
  ])
  await turns(4)
  expect([calls, heard]).toEqual([[['ERR_IP_BLOCKED', 1]], ['1']])
})

test('a failure without a callback is an error event, for who listens', async () => {
  const { host, to } = await receiver()
  const socket = await bound(host)
  const failed = once(socket, 'error')
  socket.sendBatch([{ msg: Buffer.alloc(70_000), ...to }])
  expect((await failed)[0]).toMatchObject({ code: 'EMSGSIZE' })
})

test.each<[string, (to: { port: number; address: string }) => unknown]>([
  // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
  ['a hole', (to) => [{ msg: 'x', ...to }, , { msg: 'y', ...to }]],
  ['nothing but holes', () => new Array(3)],
  ['null', (to) => [{ msg: 'x', ...to }, null]],
  ['a text', (to) => [{ msg: 'x', ...to }, 'y']],
  [
    'a message with a hole',
    (to) => [
      { msg: 'x', ...to },
      { msg: new Array(1), ...to },
    ],
  ],
  ['no list', () => ({ length: 0 })],
])('%s in the list is refused with a code, and nothing is sent', async (_what, items) => {
  const { host, heard, to } = await receiver()
  const socket = await bound(host)
  const calls: unknown[] = []
  expect(() => socket.sendBatch(items(to) as BatchItem[], (...args) => calls.push(args))).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  )
  await turns(3)
  expect([calls, heard]).toEqual([[], []])
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
