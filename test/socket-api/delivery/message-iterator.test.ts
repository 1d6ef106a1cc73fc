import { once } from 'node:events'
import { expect, test } from 'vitest'
import { Stack } from '../../../src/stack.ts'
import { uncaught } from '../../contract/environment.ts'
import { bound, connected, message, open, sent, stack, turns } from '../pair.ts'

test('for await takes messages one by one, until close', async () => {
  const host = stack()
  const receiver = await bound(host)
  const sender = await bound(host)
  const to = [receiver.address().port, '127.0.0.1']
  for (const text of ['1', '2', '3', 'end']) sender.send(text, ...(to as [number, string]))
  const got: string[] = []
  for await (const { msg, rinfo } of receiver) {
    got.push(`${msg} ${rinfo.port === sender.address().port}`)
    await turns(1)
    if (msg.toString() === 'end') receiver.close()
  }
  expect(got).toEqual(['1 true', '2 true', '3 true', 'end true'])
})

test('an iterator gets 32 messages in a turn at most, as a listener does', async () => {
  const host = stack()
  const receiver = await bound(host)
  const sender = await bound(host)
  const messages = receiver[Symbol.asyncIterator]()
  for (let n = 0; n < 100; n++) await sent(sender, `${n}`, receiver.address().port, '127.0.0.1')
  await turns(10)
  const got: string[] = []
  let first = -1
  setImmediate(() => {
    first = got.length
  })
  while (got.length < 100) got.push(`${(await messages.next()).value.msg}`)
  expect(got).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`))
  expect(first).toBe(32)
})

test('while messages are iterated there are no events, and afterwards there are again', async () => {
  const host = stack()
  const receiver = await bound(host)
  const sender = await bound(host)
  const to = [receiver.address().port, '127.0.0.1'] as const
  const events: string[] = []
  receiver.on('message', (msg) => events.push(msg.toString()))
  const got: string[] = []
  for (const text of ['1', '2', '3']) sender.send(text, ...to)
  for await (const { msg } of receiver) {
    got.push(msg.toString())
    if (got.length === 2) break
  }
  await turns(3)
  expect(got).toEqual(['1', '2'])
  expect(events).toEqual(['3'])
  expect(receiver.listenerCount('error')).toBe(0)
})

test('what is not taken waits in the receive buffer, and what does not fit there is counted as dropped', async () => {
  const host = stack()
  const receiver = await bound(host, { type: 'udp4', recvBufferSize: 4096 })
  const sender = await bound(host)
  const messages = receiver[Symbol.asyncIterator]()
  const data = Buffer.alloc(1000)
  for (let n = 0; n < 20; n++) await sent(sender, data, receiver.address().port, '127.0.0.1')
  await turns(5)
  expect(host.counters.UdpRcvbufErrors).toBe(15)
  for (let n = 0; n < 5; n++) expect((await messages.next()).done).toBe(false)
  const next = messages.next()
  await sent(sender, 'room again', receiver.address().port, '127.0.0.1')
  expect((await next).value.msg.toString()).toBe('room again')
})

test('reads that wait are served in order, and end with close', async () => {
  const host = stack()
  const receiver = await bound(host)
  const sender = await bound(host)
  const messages = receiver[Symbol.asyncIterator]()
  const reads = [messages.next(), messages.next(), messages.next()]
  for (const text of ['1', '2']) sender.send(text, receiver.address().port, '127.0.0.1')
  expect((await reads[0])?.value.msg.toString()).toBe('1')
  expect((await reads[1])?.value.msg.toString()).toBe('2')
  receiver.close()
  expect(await reads[2]).toEqual({ value: undefined, done: true })
  expect(await messages.next()).toEqual({ value: undefined, done: true })
})

test("an 'error' ends the iteration as an exception", async () => {
  const socket = open(stack())
  await connected(socket, 9, '127.0.0.1')
  socket.send('x')
  const read = async () => {
    for await (const _ of socket);
  }
  await expect(read()).rejects.toMatchObject({ message: 'recvmsg ECONNREFUSED' })
})

test('two iterators at once are refused, one after the other is fine', async () => {
  const host = stack()
  const socket = await bound(host)
  const first = socket[Symbol.asyncIterator]()
  expect(() => socket[Symbol.asyncIterator]()).toThrowError('iterated already')
  expect(await first.return?.()).toEqual({ value: undefined, done: true })
  const second = socket[Symbol.asyncIterator]()
  const read = second.next()
  await sent(socket, 'x', socket.address().port, '127.0.0.1')
  expect((await read).value.msg.toString()).toBe('x')
})

test('an iterator of a socket that is not bound yet waits for it', async () => {
  const host = stack()
  const socket = open(host)
  const read = socket[Symbol.asyncIterator]().next()
  socket.bind(0)
  await once(socket, 'listening')
  const sender = open(host)
  await sent(sender, 'x', socket.address().port, '127.0.0.1')
  expect((await read).value.msg.toString()).toBe('x')
})

test('a break inside leaves what has not been taken for the events', async () => {
  const host = stack()
  const socket = await bound(host)
  for (const text of ['1', '2']) socket.send(text, socket.address().port, '127.0.0.1')
  for await (const { msg } of socket) {
    expect(msg.toString()).toBe('1')
    break
  }
  expect((await message(socket)).text).toBe('2')
})

test("an 'icmp' listener that throws does not end the iteration", async () => {
  const host = stack()
  const socket = await bound(host)
  socket.on('icmp', () => {
    throw new Error('heard')
  })
  let text = ''
  const errors = await uncaught(async () => {
    const read = socket[Symbol.asyncIterator]().next()
    await sent(socket, 'x', 9, '127.0.0.1')
    await turns(3)
    await sent(socket, 'y', socket.address().port, '127.0.0.1')
    text = (await read).value.msg.toString()
  })
  expect(text).toBe('y')
  expect(errors).toEqual([new Error('heard')])
})

test('ICMP errors wait in the receive buffer too, and what does not fit there is counted as dropped', async () => {
  const host = new Stack({ name: 'host', icmpRateLimit: false })
  const socket = await bound(host, { type: 'udp4', recvBufferSize: 4096 })
  const seen: number[] = []
  socket.on('icmp', ({ destination }) => seen.push(destination.port))
  const messages = socket[Symbol.asyncIterator]()
  // Nobody listens there. An error costs 768 bytes of 8192.
  for (let n = 0; n < 50; n++) await sent(socket, 'x', 40_000 + n, '127.0.0.1')
  await turns(5)
  expect(host.drops.find(({ reason }) => reason === 'IcmpErrorsFull')?.count).toBe(40)
  expect(host.netstat().sockets[0]?.receiveQueue).toBe(10 * 768)
  expect(seen).toEqual([])
  // Reading lets them go, and makes room for others.
  const next = messages.next()
  expect(seen).toEqual(Array.from({ length: 10 }, (_, n) => 40_000 + n))
  expect(host.netstat().sockets[0]?.receiveQueue).toBe(0)
  await sent(socket, 'y', socket.address().port, '127.0.0.1')
  expect((await next).value.msg.toString()).toBe('y')
  socket.close()
  host.close()
})
