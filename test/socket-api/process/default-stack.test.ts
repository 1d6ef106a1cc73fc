import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { Packet } from '../../../src/base/packet.ts'
import { DEFAULT_CONFIG, readConfig } from '../../../src/socket-api/process/config.ts'
import { buildStack } from '../../../src/socket-api/process/default-stack.ts'
import { networkInterfaces } from '../../../src/socket-api/process/interfaces.ts'
import type { Stack } from '../../../src/stack.ts'
import { datagram } from '../../packet.ts'

const stacks: Stack[] = []
afterEach(() => {
  for (const stack of stacks.splice(0)) stack.close()
})

function build(config: object): Stack {
  const stack = buildStack(readConfig(JSON.stringify(config)))
  stacks.push(stack)
  return stack
}

/** Sends one datagram from a socket of its own and resolves with the answer. */
async function ask(
  stack: Stack,
  message: Buffer,
  port: number,
  host: string,
): Promise<{ text: string; address: string; milliseconds: number }> {
  const socket = stack.dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4')
  const before = performance.now()
  socket.send(message, port, host)
  const [answer, { address }] = await once(socket, 'message')
  socket.close()
  return { text: String(answer), address, milliseconds: performance.now() - before }
}

test(
  'the default host has a loopback and a nic with IPv4, global and link-local IPv6 addresses, as ' +
    'os.networkInterfaces tells them',
  () => {
    const stack = buildStack(DEFAULT_CONFIG)
    stacks.push(stack)
    const mac = '02:00:00:00:00:01'
    expect(networkInterfaces(stack)).toEqual({
      lo: [
        {
          address: '127.0.0.1',
          netmask: '255.0.0.0',
          family: 'IPv4',
          mac: '00:00:00:00:00:00',
          internal: true,
          cidr: '127.0.0.1/8',
        },
        {
          address: '::1',
          netmask: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
          family: 'IPv6',
          mac: '00:00:00:00:00:00',
          internal: true,
          cidr: '::1/128',
          scopeid: 0,
        },
      ],
      mem0: [
        { address: '10.77.0.1', netmask: '255.255.255.0', family: 'IPv4', mac, internal: false, cidr: '10.77.0.1/24' },
        {
          address: '2001:db8:77::1',
          netmask: 'ffff:ffff:ffff:ffff::',
          family: 'IPv6',
          mac,
          internal: false,
          cidr: '2001:db8:77::1/64',
          scopeid: 0,
        },
        {
          address: 'fe80::1',
          netmask: 'ffff:ffff:ffff:ffff::',
          family: 'IPv6',
          mac,
          internal: false,
          cidr: 'fe80::1/64',
          scopeid: 2,
        },
      ],
    })
  },
)

test.each([
  ['udp4', '224.0.0.251', '10.77.0.1'],
  ['udp6', 'ff02::fb%mem0', 'fe80::1%mem0'],
] as const)('%s: two sockets of the default host meet in a group', async (type, group, source) => {
  const stack = buildStack(DEFAULT_CONFIG)
  stacks.push(stack)
  const [a, b] = [1, 2].map(() => stack.dgram.createSocket({ type, reuseAddr: true }))
  for (const socket of [a, b]) {
    await new Promise<void>((resolve) => socket?.bind(5353, resolve))
    socket?.addMembership(group)
  }
  const heard = Promise.all([a, b].map((socket) => once(socket as never, 'message')))
  a?.send('hello', 5353, group)
  expect((await heard).map(([message, { address }]) => [String(message), address])).toEqual([
    ['hello', source],
    ['hello', source],
  ])
  a?.close()
  b?.close()
})

test('a host that echoes survives a datagram from port 0, which it cannot answer', async () => {
  const stack = build({ hosts: { a: '10.0.0.1/24', b: { address: '10.0.0.2/24', echo: 7 } } })
  const ends = { source: '10.0.0.1', destination: '10.0.0.2', sourcePort: 0, destinationPort: 7 }
  const frame = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, ...datagram([1], 4, ends)]
  expect(stack.nic('mem0')?.link.send(new Packet().load(Uint8Array.from(frame)))).toBe(Drop.None)
  expect(await ask(stack, Buffer.from('x'), 7, 'b')).toMatchObject({ text: 'x' })
})

test('the stack is the first host, or the one named; others are on its wire, under their names', async () => {
  const hosts = {
    a: '10.0.0.1/24',
    b: { address: ['10.0.0.2/24', 'fd00::2/64', 'fe80::2/64'], echo: [7, 8] },
    c: '10.0.0.3/24',
  }
  expect(build({ hosts }).name).toBe('a')
  const stack = build({ hosts, host: 'c' })
  expect(stack.name).toBe('c')
  expect([...stack.hosts]).toEqual([
    ['a', ['10.0.0.1']],
    ['b', ['10.0.0.2', 'fd00::2', 'fe80::2']],
    ['c', ['10.0.0.3']],
  ])
  for (const port of [7, 8])
    expect(await ask(stack, Buffer.from('x'), port, 'b')).toMatchObject({ text: 'x', address: '10.0.0.2' })
  expect(await ask(stack, Buffer.from('x'), 7, 'fe80::2%mem0')).toMatchObject({ text: 'x', address: 'fe80::2%mem0' })
})

test('the delay is that of each way, and the MTU that of the wire', async () => {
  const stack = build({ hosts: { a: '10.0.0.1/24', b: { address: '10.0.0.2/24', echo: 7 } }, delay: 30, mtu: 600 })
  // ARP asks before the first datagram.
  await ask(stack, Buffer.from('x'), 7, 'b')
  const { text, milliseconds } = await ask(stack, Buffer.alloc(1000, 'y'), 7, 'b')
  expect(text).toBe('y'.repeat(1000))
  expect(milliseconds).toBeGreaterThan(59)
  expect(milliseconds).toBeLessThan(1000)
  expect(stack.counters.nonZero()).toMatchObject({ IpFragCreates: 2, IpReasmOKs: 1 })
})

test('with a seed the same datagrams are lost each time', async () => {
  const run = async () => {
    const stack = build({ hosts: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, loss: 0.5, seed: 7 })
    stack.addNeighbor('mem0', '10.0.0.2', '02:00:00:00:00:02')
    const lost: number[] = []
    stack.onDrop((reason, _layer, { bytes, end, length }) => {
      // An Ethernet frame with one byte of payload; others are asked for by ARP.
      if (reason === 'WireLoss' && length === 14 + 20 + 8 + 1) lost.push(bytes[end - 1] as number)
    })
    const socket = stack.dgram.createSocket('udp4')
    await Promise.all(
      Array.from(
        { length: 40 },
        (_, i) => new Promise((resolve) => socket.send(Uint8Array.of(i), 7, '10.0.0.2', resolve)),
      ),
    )
    await new Promise((resolve) => socket.close(() => resolve(undefined)))
    return lost
  }
  const lost = await run()
  expect(lost.length).toBeGreaterThan(1)
  expect(lost.length).toBeLessThan(39)
  expect(await run()).toEqual(lost)
})

test('the capture has the packets of both directions', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tungram-'))
  try {
    const capture = join(directory, 'x.pcapng')
    const stack = build({ hosts: { a: '10.0.0.1/24', b: { address: '10.0.0.2/24', echo: 7 } }, capture })
    await ask(stack, Buffer.from('one payload'), 7, 'b')
    await new Promise((resolve) => setTimeout(resolve, 300))
    const text = readFileSync(capture).toString('latin1')
    expect(text.split('one payload').length - 1).toBe(2)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
