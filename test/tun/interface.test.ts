/**
 * What others do to the interface while its device is open: `ip link set mtu`, `name`, `down`,
 * `netns`.
 */
import { execFileSync, spawn } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { Packet } from '../../src/base/packet.ts'
import { openTun, TunLink, type TunOptions } from '../../src/link/device/tun.ts'
import { loadLibc } from '../../src/link/device/tun-libc.ts'
import { findInterface } from '../../src/link/device/tun-netlink.ts'
import { attachDevice, openDevice } from '../../src/link/device/tun-setup.ts'
import '../../src/socket-api/dgram/dgram.ts'
import { Stack } from '../../src/stack.ts'
import { between } from '../packet.ts'
import { describeOnTun } from './namespace.ts'

const ip = (...words: string[]) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

describeOnTun('an interface that is changed while its device is open', () => {
  const stacks: Stack[] = []
  afterEach(() => {
    for (const stack of stacks.splice(0)) stack.close()
  })

  function host(options: TunOptions = {}) {
    const stack = new Stack()
    const link = openTun({ peer: '10.0.0.1/24', ...options })
    const nic = stack.addNic(link, { addresses: ['10.0.0.2/24'] })
    stacks.push(stack)
    return { stack, link, nic, row: () => stack.netstat().nics.find(({ index }) => index === nic.index) }
  }

  /** What `send` says: a code, or `ok`. */
  const send = (socket: dgram.Socket, size = 10, to = '10.0.0.1') =>
    new Promise<string>((resolve) =>
      socket.send(Buffer.alloc(size), 9, to, (error) => resolve((error as NodeJS.ErrnoException)?.code ?? 'ok')),
    )

  async function bound(socket: dgram.Socket, port = 0): Promise<dgram.Socket> {
    socket.on('error', () => {})
    socket.bind(port)
    await once(socket, 'listening')
    return socket
  }

  describe.each(['uv', 'worker'] as const)('woken by %s', (wakeup) => {
    test(
      'an interface that is changed has its new MTU in the link, in netstat and in what may not be ' + 'fragmented',
      async () => {
        const { stack, link, nic, row } = host({ wakeup })
        const socket = await bound(stack.dgram.createSocket('udp4') as unknown as dgram.Socket)
        const tungram = socket as unknown as { setOption(name: string, value: string): void }
        tungram.setOption('dontFragment', 'do')
        expect(await send(socket, 1400)).toBe('ok')
        ip('link', 'set', link.name, 'mtu', '900')
        expect(link.mtu).toBe(900)
        await vi.waitFor(() => expect(row()?.mtu).toBe(900))
        expect(await send(socket, 1400)).toBe('EMSGSIZE')
        ip('link', 'set', link.name, 'mtu', '9000')
        await vi.waitFor(() => expect(row()?.mtu).toBe(9000))
        expect(await send(socket, 8000)).toBe('ok')
        // A nic that was set lower stays there, but follows further down.
        nic.mtu = 1000
        ip('link', 'set', link.name, 'mtu', '1200')
        expect(link.mtu).toBe(1200)
        expect(nic.mtu).toBe(1000)
        ip('link', 'set', link.name, 'mtu', '800')
        await vi.waitFor(() => expect(nic.mtu).toBe(800))
        ip('link', 'set', link.name, 'mtu', '1500')
        await vi.waitFor(() => expect(nic.mtu).toBe(1000))
      },
    )

    test('an interface that is changed has its new name', async () => {
      const { stack, link } = host({ wakeup, name: 'before' })
      ip('link', 'set', 'before', 'down')
      ip('link', 'set', 'before', 'name', 'after')
      ip('link', 'set', 'after', 'up')
      expect(link.interfaceName).toBe('after')
      expect(link.name).toBe('after')
      await vi.waitFor(() => expect(stack.netstat().nics[1]).toMatchObject({ name: 'before', up: true }))
      link.setMtu(1300)
      expect(ip('link', 'show', 'after')).toMatch(/mtu 1300/)
    })

    test(
      'an interface that is changed tells of being down once, answers sends as the kernel does, and goes on ' +
        'when it is up',
      async () => {
        const { stack, link, row } = host({ wakeup })
        const told: [string | undefined, boolean][] = []
        stack.onLinkFailure = (_nic, error, fatal) => told.push([(error as NodeJS.ErrnoException).code, fatal])
        const socket = await bound(stack.dgram.createSocket('udp4') as unknown as dgram.Socket)
        const connected = stack.dgram.createSocket('udp4') as unknown as dgram.Socket
        connected.on('error', () => {})
        connected.connect(9, '10.0.0.1')
        await once(connected, 'connect')
        const kernel = await bound(dgram.createSocket('udp4'), 9)
        for (let round = 1; round <= 2; round++) {
          expect(await send(socket)).toBe('ok')
          ip('link', 'set', link.name, 'down')
          await vi.waitFor(() => expect(row()?.up).toBe(false))
          const kernelsSays = await send(kernel, 10, '10.0.0.2')
          expect(kernelsSays).toBe('ENETUNREACH')
          expect(await send(socket)).toBe(kernelsSays)
          const again = await new Promise<string>((resolve) =>
            connected.send('x', (error) => resolve((error as NodeJS.ErrnoException)?.code ?? 'ok')),
          )
          expect(again).toBe(kernelsSays)
          expect(told).toEqual(new Array(round).fill(['EIO', false]))
          ip('link', 'set', link.name, 'up')
          await vi.waitFor(() => expect(row()?.up).toBe(true))
          const message = once(kernel, 'message')
          expect(await send(socket)).toBe('ok')
          expect((await message)[0]).toHaveLength(10)
        }
        kernel.close()
      },
    )

    test('a program that does not ask for link failures survives an interface that is taken down', async () => {
      const { stack, link, row } = host({ wakeup })
      const uncaught: unknown[] = []
      const listener = (error: unknown) => uncaught.push(error)
      process.on('uncaughtException', listener)
      const socket = await bound(stack.dgram.createSocket('udp4') as unknown as dgram.Socket)
      ip('link', 'set', link.name, 'down')
      // The first sends may come before the kernel's notice has.
      for (let count = 0; count < 3; count++) expect(await send(socket)).toMatch(/^ENET(DOWN|UNREACH)$/)
      await vi.waitFor(() => expect(row()?.up).toBe(false))
      ip('link', 'set', link.name, 'up')
      await vi.waitFor(() => expect(row()?.up).toBe(true))
      expect(await send(socket)).toBe('ok')
      process.off('uncaughtException', listener)
      expect(uncaught).toEqual([])
    })

    test('an interface that is changed is followed into another network namespace', async () => {
      const { link, row } = host({ wakeup, name: 'moving' })
      const other = spawn('unshare', ['-n', 'sleep', '60'], { stdio: 'ignore' })
      try {
        const pid = other.pid as number
        const home = readlinkSync('/proc/thread-self/ns/net')
        await vi.waitFor(() => expect(readlinkSync(`/proc/${pid}/ns/net`)).not.toBe(home))
        const there = (...words: string[]) =>
          execFileSync('nsenter', ['-t', String(pid), '-n', 'ip', ...words], { stdio: 'pipe' }).toString()
        ip('link', 'set', 'moving', 'netns', String(pid))
        // The kernel takes it down on its way.
        await vi.waitFor(() => expect(row()).toMatchObject({ up: false, mtu: 1500 }))
        there('link', 'set', 'moving', 'mtu', '1300', 'up')
        await vi.waitFor(() => expect(row()).toMatchObject({ up: true, mtu: 1300 }))
        expect(link.refresh()).toBe(1300)
        there('address', 'add', '10.0.0.1/24', 'dev', 'moving')
        expect(link.kernelAddresses().map(({ address }) => `${address}`)).toContain('10.0.0.1')
        link.setMtu(1200)
        expect(there('link', 'show', 'moving')).toMatch(/mtu 1200/)
        expect(readlinkSync('/proc/thread-self/ns/net')).toBe(home)
      } finally {
        other.kill()
        await once(other, 'exit')
      }
    })
  })

  test('an interface that is changed is asked when nobody listens yet', () => {
    const link = openTun({ name: 'quiet' })
    ip('link', 'set', 'quiet', 'mtu', '700')
    expect(link.mtu).toBe(700)
    ip('link', 'set', 'quiet', 'down')
    ip('link', 'set', 'quiet', 'name', 'silent')
    expect(link.name).toBe('silent')
    expect(link.isUp).toBe(false)
    link.close()
  })

  test('an interface that is changed has its state in the link even when the kernel lost notices', async () => {
    const { link, row } = host()
    const other = openTun({ name: 'noise', up: false })
    // More than a socket's receive buffer holds, in one turn.
    for (let count = 0; count < 400; count++) other.setMtu(1000 + (count % 2))
    ip('link', 'set', link.name, 'mtu', '777')
    expect(link.mtu).toBe(777)
    await vi.waitFor(() => expect(row()?.mtu).toBe(777))
    other.close()
  })

  test('a frame whose offload header makes no sense is a named drop, and nothing is delivered', async () => {
    const libc = loadLibc()
    const copy = libc.library.func('void *memcpy(intptr_t to, void *from, size_t length)')
    const fd = openDevice()
    attachDevice(libc, fd, 'tun', 'odd', 1, true)
    const info = findInterface(libc, 'odd')
    // NEEDS_CSUM, with the field beyond the frame; a TCP segment that nobody offered to take apart.
    const payload = between('10.0.0.1:1', '10.0.0.2:2', Buffer.from('hello'))
    const frames = [
      [1, 0, 0, 0, 0, 0, 0xff, 0xff, 6, 0],
      [1, 1, 40, 0, 5, 0, 20, 0, 16, 0],
    ].map((header) => Uint8Array.from([...header, ...payload]))
    const odd = {
      ...libc,
      read: (device: number, address: number, length: number) => {
        const frame = frames.shift()
        if (frame === undefined) return libc.read(device, address, length)
        copy(address, frame, frame.length)
        return frame.length
      },
    }
    const waiting = frames.splice(0)
    const link = new TunLink(odd, fd, info as NonNullable<typeof info>, 'tun', null, 'uv', true, 0)
    const seen: string[] = []
    link.attach({
      input: (packet) => void (packet.bytes[packet.start] === 0x45 && seen.push('input')),
      idle() {},
      dropped: (drop, packet) => void seen.push(`${drop} ${packet.length}`),
      failed() {},
    })
    frames.push(...waiting)
    ip('link', 'set', 'odd', 'up')
    const lure = await bound(dgram.createSocket('udp4'))
    ip('address', 'add', '10.7.0.1/24', 'dev', 'odd')
    lure.send('x', 9, '10.7.0.2')
    await vi.waitFor(() =>
      expect(seen.filter((each) => each !== 'input')).toEqual(
        new Array(2).fill(`${Drop.FrameOffload} ${payload.length}`),
      ),
    )
    expect(link.counters.receivedPackets).toBeGreaterThanOrEqual(2)
    lure.close()
    link.close()
  })

  test('a device that is gone takes nothing from others', () => {
    const link = openTun({ name: 'short' })
    ip('link', 'del', 'short')
    expect(link.mtu).toBe(1500)
    expect(link.name).toBe('short')
    expect(() => link.refresh()).toThrow(expect.objectContaining({ code: 'ENODEV' }))
    expect(link.send(new Packet().load(between('10.0.0.2:1', '10.0.0.1:2', new Uint8Array(1))))).toBe(Drop.LinkDown)
    link.close()
  })
})
