import { expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import type { Socket } from '../../../src/socket-api/dgram/types.ts'
import { Backlog } from '../../../src/socket-api/sending/backlog.ts'
import { Stack } from '../../../src/stack.ts'
import { bound, sent, stack, turns } from '../pair.ts'

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

test('a backlog that is never empty sends everything once and in order', () => {
  const stack = new Stack({ clock: new ManualClock(), random: new SeededRandom('backlog') })
  const backlog = new Backlog(stack)
  const left: number[] = []
  let room = 0
  const send = (number: number) =>
    backlog.send({
      size: 10,
      attempt: () => (room-- > 0 ? '' : 'ENOBUFS'),
      done: () => left.push(number),
    })
  send(0)
  for (let number = 1; number <= 3000; number++) {
    send(number)
    room = 1
    expect(backlog.retry()).toBe(true)
    expect(backlog.count).toBe(1)
    expect(backlog.size).toBe(10)
  }
  expect(left).toEqual(Array.from({ length: 3000 }, (_, at) => at))
  expect(backlog.retry()).toBe(false)
  backlog.cancel()
  expect(left).toHaveLength(3001)
  expect(backlog.count).toBe(0)
  stack.close()
})
