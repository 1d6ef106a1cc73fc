import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { BlockList } from 'node:net'
import { expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Drop } from '../../../src/base/drop.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { Segment } from '../../../src/link/segment.ts'
import { Stack } from '../../../src/stack.ts'
import { uncaught } from '../../contract/environment.ts'
import { bound, connected, message, open, pair, sent, stack, turns } from '../pair.ts'

test('a datagram in the queue of a socket that closes is a drop with a name', async () => {
  const host = stack()
  const receiver = await bound(host)
  const sender = await bound(host)
  const seen: string[] = []
  host.onDrop((reason, _, packet) => seen.push(`${reason} ${Buffer.from(packet.copy())}`))
  receiver.on('message', () => receiver.close())
  for (const text of ['1', '2', '3']) sender.send(text, receiver.address().port, '127.0.0.1')
  await once(receiver, 'close')
  expect(seen).toEqual(['UdpClosed 2', 'UdpClosed 3'])
  expect(host.counters.dropCount(Drop.UdpClosed)).toBe(2)
})

test('a blocked sender is a drop with a name, and costs no room', async () => {
  const host = stack()
  const list = new BlockList()
  list.addAddress('127.0.0.1')
  const receiver = await bound(host, { type: 'udp4', receiveBlockList: list, recvBufferSize: 1024 })
  const dual = await bound(host, { type: 'udp6', receiveBlockList: list })
  const sender = await bound(host, 'udp4', '127.0.0.1')
  for (let n = 0; n < 10; n++) await sent(sender, Buffer.alloc(500), receiver.address().port, '127.0.0.1')
  await sent(sender, 'x', dual.address().port, '127.0.0.1')
  await turns(3)
  expect(host.counters.dropCount(Drop.UdpBlocked)).toBe(11)
  expect(host.counters.UdpRcvbufErrors).toBe(0)
  const other = await bound(host, 'udp4', '127.0.0.2')
  const got = message(receiver)
  await sent(other, 'free', receiver.address().port, '127.0.0.1')
  expect((await got).text).toBe('free')
})

test('a full receive buffer is a drop with a name', async () => {
  const host = stack()
  const receiver = await bound(host, { type: 'udp4', recvBufferSize: 2000 })
  const sender = await bound(host)
  let got = 0
  receiver.on('message', () => got++)
  for (let n = 0; n < 10; n++) sender.send(Buffer.alloc(1000), receiver.address().port, '127.0.0.1')
  await turns(5)
  expect(got).toBe(2)
  expect(host.counters.dropCount(Drop.UdpReceiveBuffer)).toBe(8)
})

test(
  'in simulated time messages of one instant come at that instant, in order, within the call that moves the ' + 'clock',
  () => {
    const clock = new ManualClock()
    const wire = new Segment({ clock, random: new SeededRandom(1) })
    const [a, b] = ['10.0.0.1/24', '10.0.0.2/24'].map((address, index) => {
      const host = new Stack({ clock, random: new SeededRandom(index) })
      host.addNic(wire.link(), { name: 'wire', addresses: [address] })
      return host
    }) as [Stack, Stack]
    return new Promise<void>((resolve) => {
      const receiver = b.dgram.createSocket('udp4')
      receiver.bind(5000, () => {
        const sender = a.dgram.createSocket('udp4')
        sender.bind(0, () => {
          const got: string[] = []
          receiver.on('message', (msg) => got.push(`${msg} at ${clock.now()}`))
          for (const text of ['1', '2', '3']) sender.send(text, 5000, '10.0.0.2')
          expect(got).toEqual([])
          clock.advance(5)
          expect(got).toEqual(['1 at 0', '2 at 0', '3 at 0'])
          for (const socket of [sender, receiver]) socket.close()
          resolve()
        })
      })
    })
  },
)

test('a listener that throws in simulated time does not stop the clock', async () => {
  const clock = new ManualClock()
  const host = new Stack({ clock })
  const socket = host.dgram.createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, resolve))
  const got: string[] = []
  const errors = await uncaught(async () => {
    socket.on('message', (msg) => {
      got.push(msg.toString())
      if (got.length === 1) throw new Error('once')
    })
    for (const text of ['1', '2']) socket.send(text, socket.address().port, '127.0.0.1')
    clock.advance(1)
    await turns(1)
  })
  expect(got).toEqual(['1', '2'])
  expect(errors).toEqual([new Error('once')])
  socket.close()
})

test('a tick that throws between two messages is an uncaught exception, and the rest comes', async () => {
  const host = stack()
  const socket = await bound(host)
  const got: string[] = []
  const errors = await uncaught(async () => {
    socket.on('message', (msg) => {
      got.push(msg.toString())
      if (got.length === 1)
        process.nextTick(() => {
          throw new Error('tick')
        })
    })
    for (const text of ['1', '2', '3']) socket.send(text, socket.address().port, '127.0.0.1')
    await turns(5)
  })
  expect(got).toEqual(['1', '2', '3'])
  expect(errors).toEqual([new Error('tick')])
})

test('events of an error come in the context in which the socket was made', async () => {
  const storage = new AsyncLocalStorage<string>()
  const host = stack()
  const socket = storage.run('creation', () => open(host))
  await connected(socket, 9, '127.0.0.1')
  const store = new Promise((resolve) => socket.on('error', () => resolve(storage.getStore())))
  storage.run('sending', () => socket.send('x'))
  expect(await store).toBe('creation')
})

test("an unconnected socket hears of ICMP errors by 'icmp', and by nothing else", async () => {
  const { a, b } = pair()
  const socket = await bound(a)
  const errors: unknown[] = []
  socket.on('error', (error) => errors.push(error))
  const heard = once(socket, 'icmp')
  await sent(socket, 'x', 7777, '10.0.0.2')
  expect((await heard)[0]).toEqual({
    family: 'IPv4',
    type: 3,
    code: 3,
    mtu: 0,
    pointer: 0,
    offender: '10.0.0.2',
    destination: { address: '10.0.0.2', port: 7777 },
    extensions: [],
  })
  const six = await bound(a, 'udp6')
  const heard6 = once(six, 'icmp')
  await sent(six, 'x', 7777, 'fd00::2')
  expect((await heard6)[0]).toMatchObject({ family: 'IPv6', type: 1, code: 4, offender: 'fd00::2' })
  await turns(2)
  expect(errors).toEqual([])
  expect(b.counters.UdpNoPorts).toBe(1)
})

test('with recvErrors an unconnected socket gets errors as events', async () => {
  const { a } = pair()
  const socket = (await bound(a)).setOption('recvErrors', true)
  const failed = once(socket, 'error')
  await sent(socket, 'x', 7777, '10.0.0.2')
  expect((await failed)[0]).toMatchObject({ message: 'recvmsg ECONNREFUSED' })
})

test.each([
  ['udp4', '10.0.0.9', 3, 1, '10.0.0.1'],
  ['udp6', 'fd00::9', 1, 3, 'fd00::1'],
] as const)(
  'a neighbor that does not answer is told as Linux tells it: %s to %s',
  async (type, silent, kind, code, offender) => {
    // EHOSTUNREACH with IP_RECVERR alone, on connected sockets too; 'icmp' needs no option here.
    const clock = new ManualClock()
    const random = new SeededRandom('neighbor')
    const host = new Stack({ name: 'host', clock, random, dad: false })
    const wire = new Segment({ clock, random, medium: 'ethernet' })
    host.addNic(wire.link(), { name: 'eth0', addresses: ['10.0.0.1/24', 'fd00::1/64'] })
    wire.link().attach({ input: () => {}, idle: () => {}, dropped: () => {}, failed: () => {} })
    const plain = open(host, type)
    const asking = open(host, type).setOption('recvErrors', true)
    const told: string[] = []
    for (const [name, socket] of Object.entries({ plain, asking })) {
      socket.on('error', (error: NodeJS.ErrnoException) => told.push(`${name} ${error.message} ${error.code}`))
      socket.on('icmp', (info) =>
        told.push(`${name} ${info.type}/${info.code} from ${info.offender} about ${info.destination.address}`),
      )
      await connected(socket, 9, silent)
      await sent(socket, 'x')
    }
    clock.advance(2999)
    await turns(3)
    expect(told).toEqual([])
    clock.advance(2)
    await turns(3)
    const icmp = `${kind}/${code} from ${offender} about ${silent}`
    expect(told.sort()).toEqual([`asking ${icmp}`, 'asking recvmsg EHOSTUNREACH EHOSTUNREACH', `plain ${icmp}`])
    host.close()
  },
)

test('the next-hop MTU of Fragmentation Needed is in its event', async () => {
  const { a, b } = pair()
  const far = new Segment({ clock: b.clock, random: b.random, mtu: 1000 })
  const router = new Stack({ clock: a.clock, forwarding: true })
  const near = new Segment({ clock: a.clock, random: a.random })
  const host = stack('near')
  host.addNic(near.link(), { name: 'eth0', addresses: ['10.1.0.1/24'] })
  router.addNic(near.link(), { name: 'eth0', addresses: ['10.1.0.254/24'] })
  router.addNic(far.link(), { name: 'eth1', addresses: ['10.2.0.254/24'] })
  host.addRoute({ to: 'default', via: '10.1.0.254' })
  const socket = await bound(host)
  const heard = once(socket, 'icmp')
  await sent(socket, Buffer.alloc(1200), 7777, '10.2.0.1')
  expect((await heard)[0]).toMatchObject({
    type: 3,
    code: 4,
    mtu: 1000,
    offender: '10.1.0.254',
    destination: { address: '10.2.0.1', port: 7777 },
  })
  expect(socket.getPathMTU('10.2.0.1')).toBe(1000)
  router.close()
})

test('a second socket that is bound to the descriptor of the first takes over when that closes', async () => {
  const host = stack()
  const first = await bound(host)
  const { port } = first.address()
  const { fd } = first
  expect(fd).toBeGreaterThan(1000)
  expect(first._handle).toEqual({ fd })
  const second = open(host)
  let listening = 0
  second.on('listening', () => listening++)
  expect(second.bind({ fd })).toBe(second)
  expect(listening).toBe(1)
  expect(second.address()).toEqual(first.address())
  const sender = await bound(host)
  const one = message(first)
  await sent(sender, 'first', port, '127.0.0.1')
  expect((await one).text).toBe('first')
  first.close()
  expect(first.fd).toBe(-1)
  const two = message(second)
  await sent(sender, 'second', port, '127.0.0.1')
  expect((await two).text).toBe('second')
  second.close()
  const again = await bound(host, 'udp4', undefined, port)
  expect(again.address().port).toBe(port)
  const late = open(host)
  expect(() => late.bind({ fd })).toThrowError(expect.objectContaining({ code: 'ERR_INVALID_FD_TYPE' }))
  late.bind(0)
  await once(late, 'listening')
})

test('a descriptor of another stack, or of another family, is refused', async () => {
  const host = stack()
  const { fd } = await bound(host)
  expect(() => open(stack()).bind({ fd })).toThrowError(
    expect.objectContaining({ code: 'ERR_INVALID_FD_TYPE', message: 'Unsupported fd type: UNKNOWN' }),
  )
  expect(() => open(host, 'udp6').bind({ fd })).toThrowError(expect.objectContaining({ code: 'ERR_INVALID_FD_TYPE' }))
})

test('stacks share nothing: the same port, and classes of their own', async () => {
  const one = stack()
  const two = stack()
  const first = await bound(one, 'udp4', '127.0.0.1')
  const second = await bound(two, 'udp4', '127.0.0.1', first.address().port)
  expect(second.address()).toEqual(first.address())
  expect(first).toBeInstanceOf(one.dgram.Socket)
  expect(first).not.toBeInstanceOf(two.dgram.Socket)
  expect(one.dgram).toBe(one.dgram)
})
