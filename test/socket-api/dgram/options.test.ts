import { expect, test } from 'vitest'
import type { OptionName } from '../../../src/socket-api/dgram/dgram.ts'
import { bound, connected, message, open, pair, sent, stack, turns } from '../pair.ts'

test.each<[OptionName, unknown, unknown, unknown]>([
  ['broadcast', false, true, true],
  ['ttl', 64, 7, 7],
  ['minTTL', 0, 255, 255],
  ['multicastTTL', 1, 0, 0],
  ['multicastLoopback', true, false, false],
  ['multicastInterface', null, 'wire', 'wire'],
  ['tos', 0, 0xb8, 0xb8],
  ['dscp', 0, 46, 46],
  ['ecn', 0, 1, 1],
  ['dontFragment', 'want', 'probe', 'probe'],
  ['ipOptions', new Uint8Array(0), Uint8Array.of(0x94, 4, 0, 0), Uint8Array.of(0x94, 4, 0, 0)],
  ['recvBufferSize', 212_992, 10_000, 20_000],
  ['sendBufferSize', 212_992, 10_000, 20_000],
  ['sendZeroChecksum', false, true, true],
  ['recvZeroChecksum', false, true, true],
  ['recvInfo', false, true, true],
  ['recvErrors', false, true, true],
  ['bindToDevice', null, 'wire', 'wire'],
  ['dontRoute', false, true, true],
  ['reuseAddr', false, true, true],
  ['reusePort', false, true, true],
  ['ipv6Only', false, true, true],
])('the option %s is %o at first, and can be set before bind', (name, first, value, then) => {
  const socket = open(pair().a)
  expect(socket.getOption(name)).toEqual(first)
  expect(socket.setOption(name, value as never)).toBe(socket)
  expect(socket.getOption(name)).toEqual(then)
})

test.each<[OptionName, unknown, string]>([
  ['broadcast', 1, 'ERR_INVALID_ARG_TYPE'],
  ['ttl', 0, 'ERR_OUT_OF_RANGE'],
  ['ttl', 256, 'ERR_OUT_OF_RANGE'],
  ['ttl', 1.5, 'ERR_OUT_OF_RANGE'],
  ['ttl', '64', 'ERR_INVALID_ARG_TYPE'],
  ['minTTL', 256, 'ERR_OUT_OF_RANGE'],
  ['tos', 256, 'ERR_OUT_OF_RANGE'],
  ['dscp', 64, 'ERR_OUT_OF_RANGE'],
  ['ecn', 4, 'ERR_OUT_OF_RANGE'],
  ['dontFragment', 'never', 'ERR_INVALID_ARG_VALUE'],
  ['dontFragment', 1, 'ERR_INVALID_ARG_TYPE'],
  ['dontFragment', null, 'ERR_INVALID_ARG_TYPE'],
  ['ipOptions', 'router alert', 'ERR_INVALID_ARG_TYPE'],
  ['ipOptions', new Uint8Array(41), 'EINVAL'],
  ['ipOptions', Uint8Array.of(0x83, 7, 8, 10, 0, 0, 2), 'EINVAL'],
  ['bindToDevice', 'nosuch', 'ENODEV'],
  ['bindToDevice', 1, 'ERR_INVALID_ARG_TYPE'],
  ['multicastInterface', 'nosuch', 'ENODEV'],
  ['recvBufferSize', 0, 'ERR_OUT_OF_RANGE'],
  ['nosuch' as OptionName, 1, 'ERR_INVALID_ARG_VALUE'],
  ['toString' as OptionName, 1, 'ERR_INVALID_ARG_VALUE'],
])('setOption(%o, %o) throws %s', (name, value, code) => {
  const socket = open(stack())
  expect(() => socket.setOption(name, value as never)).toThrowError(expect.objectContaining({ code }))
})

test('what decides how a socket is bound cannot be set afterwards', async () => {
  const socket = await bound(stack())
  for (const name of ['reuseAddr', 'reusePort', 'ipv6Only'] as const)
    expect(() => socket.setOption(name, true)).toThrowError(
      expect.objectContaining({ code: 'EINVAL', syscall: 'setOption' }),
    )
})

test('reuseAddr set by setOption counts in bind', async () => {
  const host = stack()
  const first = open(host).setOption('reuseAddr', true)
  await new Promise<void>((resolve) => first.bind(0, '127.0.0.1', resolve))
  const second = open(host).setOption('reuseAddr', true)
  await new Promise<void>((resolve) => second.bind(first.address().port, '127.0.0.1', resolve))
  expect(second.address()).toEqual(first.address())
})

test('a socket with a least TTL hears neighbors only, and one of a tunnel needs no checksums', async () => {
  const { a, b } = pair()
  const near = (await bound(b)).setOption('minTTL', 255)
  const sender = await bound(a)
  const heard: string[] = []
  near.on('message', (msg) => heard.push(msg.toString()))
  for (const ttl of [254, 255]) await sent(sender, `${ttl}`, { port: near.address().port, address: '10.0.0.2', ttl })
  const tunnel = await bound(b, 'udp6')
  tunnel.on('message', (msg) => heard.push(msg.toString()))
  const other = (await bound(a, 'udp6')).setOption('sendZeroChecksum', true)
  await sent(other, 'not yet', tunnel.address().port, 'fd00::2')
  await turns(5)
  tunnel.setOption('recvZeroChecksum', true)
  await sent(other, 'tunnelled', tunnel.address().port, 'fd00::2')
  await turns(5)
  expect(heard).toEqual(['255', 'tunnelled'])
})

test('DSCP and ECN are the parts of TOS', () => {
  const socket = open(stack())
  socket.setTOS(0b101110_01)
  expect([socket.getDSCP(), socket.getECN()]).toEqual([0b101110, 1])
  socket.setDSCP(0b001010)
  expect(socket.getTOS()).toBe(0b001010_01)
  socket.setECN(2)
  expect(socket.getTOS()).toBe(0b001010_10)
})

test.each(['udp4', 'udp6'] as const)('TTL and TOS of %s are on the wire', async (type) => {
  const { a, b } = pair()
  const [from, to] = type === 'udp4' ? ['10.0.0.1', '10.0.0.2'] : ['fd00::1', 'fd00::2']
  const receiver = (await bound(b, type)).setRecvInfo(true)
  const sender = await bound(a, type)
  sender.setTTL(33)
  sender.setTOS(0xb9)
  const got = message(receiver)
  await sent(sender, 'x', receiver.address().port, to)
  const before = Date.now()
  const { rinfo } = await got
  expect(rinfo).toEqual({
    address: from,
    family: type === 'udp4' ? 'IPv4' : 'IPv6',
    port: sender.address().port,
    size: 1,
    ttl: 33,
    tos: 0xb9,
    ecn: 1,
    local: to,
    interface: 'wire',
    fragments: 1,
    timestamp: expect.any(Number),
  })
  expect(Math.abs((rinfo.timestamp as number) - before)).toBeLessThan(5000)
  receiver.setRecvInfo(false)
  const plain = message(receiver)
  await sent(sender, 'x', receiver.address().port, to)
  expect(Object.keys((await plain).rinfo)).toEqual(['address', 'family', 'port', 'size'])
})

test('settings of one datagram go before those of the socket, and leave them as they are', async () => {
  const { a, b } = pair()
  const receiver = (await bound(b)).setRecvInfo(true)
  const sender = await bound(a)
  const to = { port: receiver.address().port, address: '10.0.0.2' }
  const first = message(receiver)
  expect(await sent(sender, 'one', { ...to, ttl: 5, tos: 0x28 })).toBe(3)
  expect((await first).rinfo).toMatchObject({ ttl: 5, tos: 0x28 })
  const second = message(receiver)
  await sent(sender, 'two', to)
  expect((await second).rinfo).toMatchObject({ ttl: 64, tos: 0 })
})

test('a datagram may choose its source and its interface', async () => {
  const { a, b } = pair()
  a.nic('wire')?.addAddress('10.0.0.9/24')
  const receiver = await bound(b)
  const sender = await bound(a)
  const got = message(receiver)
  await sent(sender, 'x', { port: receiver.address().port, address: '10.0.0.2', source: '10.0.0.9' })
  expect((await got).rinfo.address).toBe('10.0.0.9')
  await expect(sent(sender, 'x', { port: 9, address: '10.0.0.2', source: '10.0.0.77' })).rejects.toMatchObject({
    code: 'EINVAL',
  })
  const group = open(b)
  group.bind(0)
  await new Promise((resolve) => group.once('listening', resolve))
  group.addMembership('239.1.1.1', '10.0.0.2')
  const heard = message(group)
  await sent(sender, 'x', { port: group.address().port, address: '239.1.1.1', interface: 'wire' })
  expect((await heard).rinfo.address).toBe('10.0.0.1')
})

test.each([
  [{ ttl: 256 }, 'ERR_OUT_OF_RANGE'],
  [{ ttl: '5' }, 'ERR_INVALID_ARG_TYPE'],
  [{ tos: -1 }, 'ERR_OUT_OF_RANGE'],
  [{ source: 5 }, 'ERR_INVALID_ARG_TYPE'],
  [{ source: 'rubbish' }, 'EINVAL'],
  [{ interface: 'nosuch' }, 'ENODEV'],
  [{ dontFragment: 'maybe' }, 'ERR_INVALID_ARG_VALUE'],
  [{ dontFragment: 2 }, 'ERR_INVALID_ARG_TYPE'],
  [{ port: 0 }, 'ERR_SOCKET_BAD_PORT'],
  [{ address: 5 }, 'ERR_INVALID_ARG_TYPE'],
])('send with %o throws %s', (settings, code) => {
  const socket = open(stack())
  const send = socket.send as (msg: string, settings: object) => void
  expect(() => send.call(socket, 'x', { port: 9, ...settings })).toThrowError(expect.objectContaining({ code }))
})

test('on a connected socket the settings have no destination', async () => {
  const { a, b } = pair()
  const receiver = (await bound(b)).setRecvInfo(true)
  const sender = open(a)
  await connected(sender, receiver.address().port, '10.0.0.2')
  const got = message(receiver)
  await sent(sender, 'x', { ttl: 3 })
  expect((await got).rinfo.ttl).toBe(3)
  const send = sender.send as unknown as (msg: string, settings: object) => void
  expect(() => send.call(sender, 'x', { port: 9 })).toThrowError(
    expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' }),
  )
})

test('what is longer than the MTU: fragments unless that is forbidden', async () => {
  const { a, b } = pair({ mtu: 1500 })
  const receiver = (await bound(b)).setRecvInfo(true)
  const sender = await bound(a)
  const data = Buffer.alloc(3000, 'x')
  const to = [receiver.address().port, '10.0.0.2']
  for (const mode of ['want', 'off'] as const) {
    sender.setDontFragment(mode)
    const got = message(receiver)
    await sent(sender, data, ...to)
    expect((await got).rinfo).toMatchObject({ size: 3000, fragments: 3 })
  }
  for (const mode of ['do', 'probe'] as const) {
    sender.setDontFragment(mode)
    expect(sender.getDontFragment()).toBe(mode)
    await expect(sent(sender, data, ...to)).rejects.toMatchObject({ code: 'EMSGSIZE' })
  }
  sender.setDontFragment('want')
  await expect(sent(sender, data, { port: to[0], address: to[1], dontFragment: 'do' })).rejects.toMatchObject({
    code: 'EMSGSIZE',
  })
})

test('the MTU of a path', async () => {
  const { a, b } = pair({ mtu: 1400 })
  const socket = open(a)
  expect(socket.getPathMTU('10.0.0.2')).toBe(1400)
  expect(socket.getPathMTU('127.0.0.1')).toBe(65536)
  expect(() => socket.getPathMTU('192.0.2.1')).toThrowError(
    expect.objectContaining({ code: 'ENETUNREACH', syscall: 'getPathMTU' }),
  )
  for (const wrong of [5, null, {}])
    expect(() => socket.getPathMTU(wrong as never)).toThrowError(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
  expect(() => socket.getPathMTU('rubbish')).toThrowError(expect.objectContaining({ code: 'EINVAL' }))
  expect(() => socket.getPathMTU()).toThrowError(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' }))
  const receiver = await bound(b)
  await connected(socket, receiver.address().port, '10.0.0.2')
  expect(socket.getPathMTU()).toBe(1400)
})

test('a socket bound to a device sends and hears there alone', async () => {
  const { a, b } = pair()
  const onWire = open(b).setOption('bindToDevice', 'wire')
  await new Promise<void>((resolve) => onWire.bind(0, resolve))
  const local = await bound(b)
  const remote = await bound(a)
  const got: string[] = []
  onWire.on('message', (msg) => got.push(msg.toString()))
  await sent(local, 'by lo', onWire.address().port, '127.0.0.1')
  await sent(remote, 'by wire', onWire.address().port, '10.0.0.2')
  await turns(5)
  expect(got).toEqual(['by wire'])
  onWire.setOption('bindToDevice', null)
  await sent(local, 'by lo', onWire.address().port, '127.0.0.1')
  await turns(5)
  expect(got).toEqual(['by wire', 'by lo'])
})

test('dontRoute reaches neighbours, not what is behind a router', async () => {
  const { a } = pair()
  a.addRoute({ to: 'default', via: '10.0.0.2' })
  const socket = await bound(a)
  await sent(socket, 'x', 9, '192.0.2.1')
  socket.setOption('dontRoute', true)
  await expect(sent(socket, 'x', 9, '192.0.2.1')).rejects.toMatchObject({ code: 'ENETUNREACH' })
  await sent(socket, 'x', 9, '10.0.0.2')
})

test(
  'IP options are in the header of every fragment or of the first, by their copy bit, and the datagram ' + 'arrives',
  async () => {
    const { a, b } = pair({ mtu: 600 })
    const server = await bound(b, 'udp4', '10.0.0.2', 5000)
    const client = open(a)
    // Router Alert (copied), then Record Route with one slot (in the first fragment only), which the
    // sender fills in.
    client.setOption('ipOptions', Uint8Array.of(0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0))
    const frames: Uint8Array[] = []
    const { link } = a.nic('wire') as { link: { send(packet: { copy(): Uint8Array }): number } }
    const send = link.send.bind(link)
    link.send = (packet) => {
      frames.push(packet.copy())
      return send(packet)
    }
    const arrived = message(server)
    client.send(Buffer.alloc(1000, 7), 5000, '10.0.0.2')
    const { msg } = await arrived
    expect(msg.equals(Buffer.alloc(1000, 7))).toBe(true)
    const udp = frames.filter((frame) => frame[9] === 17)
    expect(udp.length).toBeGreaterThan(1)
    expect([...(udp[0] as Uint8Array).subarray(20, 32)]).toEqual([0x94, 4, 0, 0, 7, 7, 8, 10, 0, 0, 1, 0])
    for (const later of udp.slice(1)) {
      expect([...later.subarray(20, 24)]).toEqual([0x94, 4, 0, 0])
      expect([...later.subarray(24, 32)]).not.toContain(10)
    }
  },
)
