/** A packet socket on one end of a veth pair; the kernel is at the other end. */
import { execFile, execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { Packet } from '../../src/base/packet.ts'
import { openPacket, type PacketLink, type PacketOptions } from '../../src/link/device/packet.ts'
import { openTun } from '../../src/link/device/tun.ts'
import { loadLibc } from '../../src/link/device/tun-libc.ts'
import '../../src/socket-api/dgram/dgram.ts'
import { type NicOptions, Stack } from '../../src/stack.ts'
import { linkContract, Recorder } from '../link/link-contract.ts'
import { without } from './capabilities.ts'
import { describeOnTun } from './namespace.ts'

const run = promisify(execFile)
const ip = (...words: string[]) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()
const OURS = '02:00:00:00:00:07'
const KERNEL = { 4: '10.6.0.1', 6: 'fd06::1' } as const
const STACK = { 4: '10.6.0.2', 6: 'fd06::2' } as const
const SOL_UDP = 17
const UDP_SEGMENT = 103
const CAP_NET_ADMIN = 12
const CAP_NET_RAW = 13

describeOnTun('a packet socket', () => {
  const stacks: Stack[] = []
  const links: PacketLink[] = []
  const sockets: dgram.Socket[] = []

  beforeAll(() => {
    ip('link', 'add', 'ours', 'type', 'veth', 'peer', 'name', 'theirs')
    ip('link', 'set', 'theirs', 'up')
    ip('address', 'add', `${KERNEL[4]}/24`, 'dev', 'theirs')
    ip('address', 'add', `${KERNEL[6]}/64`, 'dev', 'theirs', 'nodad')
  })

  afterEach(() => {
    for (const stack of stacks.splice(0)) stack.close()
    for (const link of links.splice(0)) link.close()
    for (const socket of sockets.splice(0)) socket.close()
    ip('neigh', 'flush', 'all')
  })

  async function host(options: Partial<PacketOptions> = {}, nicOptions: NicOptions = {}) {
    const link = openPacket({ interface: 'ours', ...options })
    const stack = new Stack({ icmpRateLimit: false })
    stacks.push(stack)
    const nic = stack.addNic(link, {
      addresses: [`${STACK[4]}/24`, `${STACK[6]}/64`],
      dad: false,
      ...nicOptions,
    })
    link.ref()
    await nic.addressesReady()
    return { link, stack, nic }
  }

  async function bound(socket: dgram.Socket, port = 0, address?: string): Promise<dgram.Socket> {
    sockets.push(socket)
    socket.bind(port, address)
    await once(socket, 'listening')
    return socket
  }

  const ours = (stack: Stack, family: 4 | 6) =>
    stack.dgram.createSocket({ type: `udp${family}`, ipv6Only: family === 6 }) as unknown as dgram.Socket

  function failure(options: PacketOptions): NodeJS.ErrnoException {
    try {
      links.push(openPacket(options))
    } catch (error) {
      return error as NodeJS.ErrnoException
    }
    return expect.fail('the packet socket was opened')
  }

  describe.each([
    ['with the offloads of the kernel', { offload: true, wakeup: 'uv' }],
    ['without them, woken by a thread', { offload: false, wakeup: 'worker' }],
  ] as const)('%s', (_, options) => {
    test('lets the kernel find and ping the stack in both families', async () => {
      const { stack } = await host({ ...options, hardwareAddress: OURS })
      for (const address of [STACK[4], STACK[6]])
        expect((await run('ping', ['-c', '3', '-i', '0.2', '-W', '3', '-s', '4000', address])).stdout).toContain(
          '3 received',
        )
      expect(ip('neigh', 'show', STACK[4])).toMatch(new RegExp(`lladdr ${OURS}.* REACHABLE`))
      expect(ip('-6', 'neigh', 'show', STACK[6])).toMatch(new RegExp(`lladdr ${OURS}.* REACHABLE`))
      const kernels = /link\/ether (\S+)/.exec(ip('-o', 'link', 'show', 'theirs'))?.[1]
      expect(stack.neighbors.find(({ address }) => address === KERNEL[4])?.hardwareAddress).toBe(kernels)
    })

    test.each([4, 6] as const)('passes IPv%i datagrams of all sizes both ways, whole and in order', async (family) => {
      const { stack, link } = await host(options)
      const echo = await bound(ours(stack, family), 7)
      echo.on('message', (message, { port, address }) => echo.send(message, port, address))
      const kernel = await bound(dgram.createSocket(`udp${family}`), 0, KERNEL[family])
      const back: Buffer[] = []
      kernel.on('message', (message) => back.push(message))
      const sent = [0, 1, 17, 18, 60, 100, 1452, 1453, 1472, 1473, 4000, 20_000, ...new Array(60).fill(300)].map(
        (size, index) => Buffer.from(Array.from({ length: size }, (_, at) => (at * 7 + index) & 255)),
      )
      for (const message of sent) kernel.send(message, 7, STACK[family])
      await vi.waitFor(() => expect(back).toHaveLength(sent.length), 5000)
      const hexed = (messages: readonly Buffer[]) => messages.map((message) => message.toString('hex'))
      expect(hexed(back)).toEqual(hexed(sent))
      expect(stack.drops.filter(({ layer }) => layer === 'udp')).toEqual([])
      expect(link.counters).toMatchObject({ refusedPackets: 0, lostPackets: 0 })
    })

    test('has no frame of its own back, and none of the kernel that leaves by the same interface', async () => {
      const { link, stack, nic } = await host(options)
      const sources: string[] = []
      const input = nic.input.bind(nic)
      nic.input = (packet) => {
        sources.push(Buffer.from(packet.bytes.subarray(packet.start + 6, packet.start + 12)).toString('hex'))
        input(packet)
      }
      const group = await bound(ours(stack, 4))
      group.setMulticastTTL(3)
      group.send('x', 5000, '239.1.2.3')
      // The kernel asks by ARP.
      ip('address', 'add', '10.63.0.1/24', 'dev', 'ours')
      await run('ping', ['-c', '1', '-W', '1', '10.63.0.9']).catch(() => {})
      ip('address', 'del', '10.63.0.1/24', 'dev', 'ours')
      // And so it does on the other side, which is heard.
      await run('ping', ['-c', '1', '-W', '1', '10.6.0.9']).catch(() => {})
      const hexed = (mac: string | undefined) => mac?.replaceAll(':', '')
      const [kernelsOurs, theirs] = ['ours', 'theirs'].map((name) =>
        hexed(/link\/ether (\S+)/.exec(ip('-o', 'link', 'show', name))?.[1]),
      )
      expect(link.counters.sentPackets).toBeGreaterThan(0)
      expect(sources).toContain(theirs)
      expect(sources).not.toContain(kernelsOurs)
      expect(sources).not.toContain(Buffer.from(link.hardwareAddress).toString('hex'))
    })
  })

  describe.each([4, 6] as const)('IPv%i', (family) => {
    test('takes a large send with UDP_SEGMENT apart, which is longer than a slot of the ring', async () => {
      const { stack, link } = await host()
      const socket = await bound(ours(stack, family), 5000)
      const received: Buffer[] = []
      socket.on('message', (message) => received.push(message))
      const libc = loadLibc()
      const { library } = libc
      const sendto = library.func('intptr_t sendto(int fd, void *bytes, size_t length, int flags, void *to, int size)')
      const setsockopt = library.func('int setsockopt(int fd, int level, int name, void *value, int length)')
      const fd = libc.socket(family === 4 ? 2 : 10, 2, 0)
      expect(setsockopt(fd, SOL_UDP, UDP_SEGMENT, new Int32Array([1000]), 4)).toBe(0)
      const address = Buffer.alloc(family === 4 ? 16 : 28)
      address.writeUInt16LE(family === 4 ? 2 : 10)
      address.writeUInt16BE(5000, 2)
      if (family === 4) address.set([10, 6, 0, 2], 4)
      else address.set([0xfd, 0x06, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], 8)
      const payload = Buffer.from(Array.from({ length: 9500 }, (_, index) => index % 251))
      const wakeups = link.counters.receivedPackets
      expect(Number(sendto(fd, payload, payload.length, 0, address, address.length))).toBe(9500)
      libc.close(fd)
      await vi.waitFor(() => expect(received).toHaveLength(10))
      expect(received.map((message) => message.length)).toEqual([...new Array(9).fill(1000), 500])
      expect(Buffer.concat(received).equals(payload)).toBe(true)
      expect(link.counters.receivedPackets - wakeups).toBeGreaterThanOrEqual(10)
    })
  })

  test('puts VLAN tags back that the kernel has taken off', async () => {
    const link = openPacket({ interface: 'ours' })
    links.push(link)
    const receiver = new Recorder()
    link.attach(receiver)
    link.ref()
    // The kernel takes the tag off a frame that comes in with it.
    const sender = openPacket({ interface: 'theirs' })
    links.push(sender)
    const tagged = Uint8Array.from([
      ...link.hardwareAddress,
      ...sender.hardwareAddress,
      0x81,
      0,
      0x20,
      5,
      0x88,
      0xb5,
      1,
      2,
    ])
    expect(sender.send(new Packet().load(tagged))).toBe(Drop.None)
    const hexed = (frames: readonly Uint8Array[]) => frames.map((frame) => Buffer.from(frame).toString('hex'))
    await vi.waitFor(() => expect(hexed(receiver.frames)).toContain(Buffer.from(tagged).toString('hex')))
  })

  test('loses nothing of a stream, in which it rests', async () => {
    const { stack } = await host()
    const socket = stack.dgram.createSocket({ type: 'udp4', recvBufferSize: 4_000_000 }) as unknown as dgram.Socket
    await bound(socket, 5000)
    const received: number[] = []
    socket.on('message', (message) => received.push(message.readUInt32BE()))
    const program = `const s = require('node:dgram').createSocket('udp4'); let sent = 0
      const more = () => { const b = Buffer.alloc(64); b.writeUInt32BE(sent++)
        s.send(b, 5000, '${STACK[4]}', () => sent < 5000 ? more() : s.close()) }; more()`
    await run(process.execPath, ['-e', program])
    await vi.waitFor(() => expect(received).toHaveLength(5000), 5000)
    // The kernel swaps some: those that waited for our hardware address, or a sender changed its CPU.
    expect(received.sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, index) => index))
  })

  test('counts what its ring had no room for', async () => {
    const { link, stack } = await host({ ringFrames: 32 })
    const socket = await bound(ours(stack, 4), 5000)
    let received = 0
    socket.on('message', () => received++)
    const kernel = await bound(dgram.createSocket('udp4'), 0, KERNEL[4])
    kernel.send('warm', 5000, STACK[4])
    await vi.waitFor(() => expect(received).toBe(1))
    // Sent by another process while this one stands still.
    execFileSync(process.execPath, [
      '-e',
      `const s = require('node:dgram').createSocket('udp4'); let left = 200
       for (let i = 0; i < 200; i++) s.send('x', 5000, '${STACK[4]}', () => { if (--left === 0) s.close() })`,
    ])
    // What the kernel itself sends now and then has a slot too.
    await vi.waitFor(() => expect(received - 1 + link.counters.lostPackets).toBeGreaterThanOrEqual(200))
    expect(received).toBeLessThanOrEqual(33)
    expect(received).toBeGreaterThan(20)
    expect(link.counters.lostPackets).toBeLessThan(185)
  })

  test.each(['uv', 'worker'] as const)('follows its interface down, up and away (woken by %s)', async (wakeup) => {
    ip('link', 'add', 'mine', 'type', 'veth', 'peer', 'name', 'other')
    ip('link', 'set', 'other', 'up')
    ip('address', 'add', '10.61.0.1/24', 'dev', 'other')
    const { link, stack } = await host({ interface: 'mine', wakeup }, { addresses: ['10.61.0.2/24'] })
    const told: [string | undefined, boolean][] = []
    stack.onLinkFailure = (_nic, error, fatal) => told.push([(error as NodeJS.ErrnoException).code, fatal])
    const socket = await bound(ours(stack, 4), 5000)
    let received = 0
    socket.on('message', () => received++)
    const kernel = await bound(dgram.createSocket('udp4'), 0, '10.61.0.1')
    for (let round = 1; round <= 2; round++) {
      kernel.send('x', 5000, '10.61.0.2')
      await vi.waitFor(() => expect(received).toBe(round), 5000)
      ip('link', 'set', 'mine', 'down')
      await vi.waitFor(() => expect(told).toHaveLength(round))
      expect(link.isUp).toBe(false)
      const code = await new Promise((resolve) =>
        socket.send('x', 9, '10.61.0.1', (error) => resolve((error as NodeJS.ErrnoException)?.code)),
      )
      expect(code).toBe('ENETUNREACH')
      ip('link', 'set', 'mine', 'up')
      await vi.waitFor(() => expect(link.isUp).toBe(true))
    }
    ip('link', 'set', 'mine', 'mtu', '900')
    await vi.waitFor(() => expect(link.mtu).toBe(900))
    ip('link', 'del', 'mine')
    await vi.waitFor(() => expect(told.at(-1)).toEqual(['ENODEV', true]))
    expect(told).toEqual([
      ['EIO', false],
      ['EIO', false],
      ['ENODEV', true],
    ])
    expect(() => link.refresh()).toThrow(expect.objectContaining({ code: 'ENODEV' }))
  })

  describe("with the interface's own address", () => {
    const setting = (path: string) => readFileSync(`/proc/sys/net/${path}`, 'utf8').trim()
    const flags = () => ip('-o', 'link', 'show', 'ours')

    test('makes the kernel keep quiet there, and lets it speak again', async () => {
      ip('link', 'set', 'ours', 'up')
      writeFileSync('/proc/sys/net/ipv4/conf/ours/forwarding', '1')
      const own = /link\/ether (\S+)/.exec(flags())?.[1]
      const { link, stack } = await host({ hardwareAddress: 'interface' })
      expect(Buffer.from(link.hardwareAddress).toString('hex')).toBe(own?.replaceAll(':', ''))
      expect(flags()).toMatch(/NOARP/)
      expect(flags()).not.toMatch(/PROMISC/)
      expect([setting('ipv6/conf/ours/disable_ipv6'), setting('ipv4/conf/ours/forwarding')]).toEqual(['1', '0'])
      for (const address of [STACK[4], STACK[6]])
        expect((await run('ping', ['-c', '1', '-W', '3', address])).stdout).toContain('1 received')
      stack.close()
      expect(flags()).not.toMatch(/NOARP/)
      expect([setting('ipv6/conf/ours/disable_ipv6'), setting('ipv4/conf/ours/forwarding')]).toEqual(['0', '1'])
      writeFileSync('/proc/sys/net/ipv4/conf/ours/forwarding', '0')
    })

    test('is refused while the kernel has IPv4 addresses there, and changes nothing', () => {
      ip('address', 'add', '10.62.0.1/24', 'dev', 'ours')
      const error = failure({ interface: 'ours', hardwareAddress: 'interface' })
      ip('address', 'del', '10.62.0.1/24', 'dev', 'ours')
      expect(error).toMatchObject({ code: 'EBUSY' })
      expect(error.message).toMatch(/10\.62\.0\.1\/24 on 'ours'.*ip address flush dev ours/)
      expect(flags()).not.toMatch(/NOARP/)
    })
  })

  test('says what to do when it cannot be opened', () => {
    expect(failure({ interface: 'nothing0' })).toMatchObject({
      code: 'ENODEV',
      message: expect.stringMatching(/no interface 'nothing0'.*ip link/),
    })
    expect(failure({ interface: 'lo' })).toMatchObject({
      code: 'EINVAL',
      message: expect.stringMatching(/no Ethernet/),
    })
    const tun = openTun({ name: 'atun' })
    expect(failure({ interface: 'atun' })).toMatchObject({
      code: 'EINVAL',
      message: expect.stringMatching(/a TUN device.*openTun/),
    })
    tun.close()
    expect(() => openPacket({ interface: '' })).toThrow(TypeError)
    expect(() => openPacket({ interface: 'ours', hardwareAddress: 'mine' })).toThrow(TypeError)
    for (const ringFrames of [0, 31, 1.5, 2 ** 21])
      expect(() => openPacket({ interface: 'ours', ringFrames })).toThrow(RangeError)
    expect(() => openPacket({ interface: 'ours', mtu: 10 })).toThrow(RangeError)
    expect(without([CAP_NET_RAW], () => failure({ interface: 'ours' }))).toMatchObject({
      code: 'EPERM',
      syscall: 'socket',
      message: expect.stringMatching(/CAP_NET_RAW.*unshare -rn/),
    })
    ip('link', 'set', 'ours', 'down')
    expect(without([CAP_NET_ADMIN], () => failure({ interface: 'ours' }))).toMatchObject({
      code: 'EPERM',
      message: expect.stringMatching(/ip link set ours up/),
    })
    ip('link', 'set', 'ours', 'up')
  })

  test('leaves no descriptor, no memory and no promiscuous interface behind', () => {
    const state = () => [
      readdirSync('/proc/self/fd').length,
      readFileSync('/proc/self/maps', 'utf8')
        .split('\n')
        .filter((line) => line.includes('socket:')).length,
      /PROMISC/.test(ip('-o', 'link', 'show', 'ours')),
    ]
    openPacket({ interface: 'ours' }).close()
    const before = state()
    for (let i = 0; i < 20; i++) {
      const link = openPacket({ interface: 'ours', ringFrames: 64 })
      link.attach(new Recorder())
      link.close()
      link.close()
      failure({ interface: 'ours', mtu: 67 } as PacketOptions)
    }
    expect(state()).toEqual(before)
  })
})

// Two packet sockets, and a bridge of the kernel between them as the wire.
describeOnTun('the contract of links', () => {
  beforeAll(() => {
    // The kernel's own multicast reports and solicitations would be received too.
    writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1')
    ip('link', 'add', 'wire', 'type', 'bridge', 'mcast_snooping', '0')
    ip('link', 'set', 'wire', 'up')
    for (const end of ['a', 'b']) {
      ip('link', 'add', `end${end}`, 'type', 'veth', 'peer', 'name', `port${end}`)
      ip('link', 'set', `port${end}`, 'master', 'wire')
      for (const each of [`end${end}`, `port${end}`]) ip('link', 'set', each, 'up')
    }
  })

  const turn = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
  const isClosed = (link: PacketLink) => {
    try {
      link.refresh()
      return false
    } catch {
      return true
    }
  }

  for (const options of [
    { wakeup: 'uv' },
    { wakeup: 'worker' },
    { offload: false },
    { busyPoll: 50 },
    { busyPoll: 'auto' },
  ] as const) {
    linkContract(`a pair of packet sockets, ${JSON.stringify(options)},`, () => {
      const a = openPacket({ interface: 'enda', ...options })
      const b = openPacket({ interface: 'endb', ...options })
      const settle = async () => {
        const deadline = performance.now() + 5000
        while (!isClosed(b) && b.counters.receivedPackets < a.counters.sentPackets && performance.now() < deadline)
          await turn(2)
        await turn(10)
      }
      return { a, b, settle }
    })
  }
})
