/** Segmentation offload between the stack and the kernel, both ways. */
import dgram from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openTun, type TunLink } from '../../src/link/device/tun.ts'
import { loadLibc } from '../../src/link/device/tun-libc.ts'
import '../../src/socket-api/dgram/dgram.ts'
import { Stack } from '../../src/stack.ts'
import { describeOnTun } from './namespace.ts'

const KERNEL = { 4: '10.9.0.1', 6: 'fd09::1' } as const
const SOL_UDP = 17
const UDP_SEGMENT = 103

describeOnTun('segmentation offload', () => {
  let stack: Stack
  let link: TunLink
  beforeAll(() => {
    stack = new Stack()
    link = openTun({ peer: ['10.9.0.1/24', 'fd09::1/64'] })
    stack.addNic(link, { addresses: ['10.9.0.2/24', 'fd09::2/64'] })
  })
  afterAll(() => stack.close())

  for (const family of [4, 6] as const) {
    test(`a burst of one IPv${family} socket reaches the kernel's socket datagram by datagram, in order`, async () => {
      const kernel = dgram.createSocket(`udp${family}`)
      const received: Buffer[] = []
      kernel.on('message', (message) => received.push(message))
      kernel.bind(0, KERNEL[family])
      await once(kernel, 'listening')
      const socket = stack.dgram.createSocket(`udp${family}`)
      socket.bind(0)
      await once(socket, 'listening')
      const sizes = [...new Array(70).fill(200), 100, 300, 300, 0, 1, 1472]
      const before = link.counters.sentPackets
      const callbacks: unknown[] = []
      sizes.forEach((size, index) => {
        socket.send(Buffer.alloc(size, index), kernel.address().port, KERNEL[family], (...results: unknown[]) =>
          callbacks.push(results),
        )
      })
      await vi.waitFor(() => expect(received).toHaveLength(sizes.length))
      expect(received).toEqual(sizes.map((size, index) => Buffer.alloc(size, index)))
      expect(callbacks).toEqual(sizes.map((size) => [null, size]))
      // 1472 bytes fit behind an IPv4 header, not behind an IPv6 one.
      expect(link.counters.sentPackets - before).toBe(sizes.length + (family === 4 ? 0 : 1))
      kernel.close()
      socket.close()
    })

    test(`the answers to a burst of IPv${family} datagrams leave in a few frames`, async () => {
      const kernel = dgram.createSocket(`udp${family}`)
      const received: Buffer[] = []
      kernel.on('message', (message) => received.push(message))
      const socket = stack.dgram.createSocket(`udp${family}`)
      let told = 0
      socket.on('message', (message, { port, address }) => socket.send(message, port, address, () => told++))
      socket.bind(0)
      await once(socket, 'listening')
      kernel.connect(socket.address().port, family === 4 ? '10.9.0.2' : 'fd09::2')
      await once(kernel, 'connect')
      // What the kernel's side of the interface received: bytes, then packets.
      const frames = () => {
        const [, counts = ''] = readFileSync('/proc/thread-self/net/dev', 'utf8').split(`${link.interfaceName}:`)
        return Number(counts.trim().split(/ +/)[1])
      }
      const before = frames()
      const messages = Array.from({ length: 50 }, (_, index) => Buffer.alloc(100, index))
      for (const message of messages) kernel.send(message)
      await vi.waitFor(() => expect(received).toHaveLength(messages.length))
      expect(received).toEqual(messages)
      expect(told).toBe(messages.length)
      // One by itself and a frame with the others, for every wake-up that the burst took.
      expect(frames() - before).toBeLessThan(messages.length / 2)
      kernel.close()
      socket.close()
    })

    test(`a large IPv${family} send with UDP_SEGMENT arrives as the datagrams it stands for`, async () => {
      const socket = stack.dgram.createSocket(`udp${family}`)
      const received: Buffer[] = []
      socket.on('message', (message) => received.push(message))
      socket.bind(5000)
      await once(socket, 'listening')
      const libc = loadLibc()
      const { library } = libc
      const sendto = library.func(
        'intptr_t sendto(int fd, void *bytes, size_t length, int flags, void *address, int size)',
      )
      const setsockopt = library.func('int setsockopt(int fd, int level, int name, void *value, int length)')
      const fd = libc.socket(family === 4 ? 2 : 10, 2, 0)
      expect(setsockopt(fd, SOL_UDP, UDP_SEGMENT, new Int32Array([300]), 4)).toBe(0)
      const address = Buffer.alloc(family === 4 ? 16 : 28)
      address.writeUInt16LE(family === 4 ? 2 : 10)
      address.writeUInt16BE(5000, 2)
      if (family === 4) address.set([10, 9, 0, 2], 4)
      else address.set([0xfd, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], 8)
      const payload = Buffer.from(Array.from({ length: 1300 }, (_, index) => index % 251))
      expect(Number(sendto(fd, payload, payload.length, 0, address, address.length))).toBe(1300)
      libc.close(fd)
      await vi.waitFor(() => expect(received).toHaveLength(5))
      expect(received.map((message) => message.length)).toEqual([300, 300, 300, 300, 100])
      expect(Buffer.concat(received).equals(payload)).toBe(true)
      expect(stack.drops.filter(({ layer }) => layer === 'udp')).toEqual([])
      socket.close()
    })

    test(`a burst of long IPv${family} datagrams is fragmented by the device, but for the first one`, async () => {
      const kernel = dgram.createSocket({ type: `udp${family}`, recvBufferSize: 4_000_000 })
      const received: Buffer[] = []
      kernel.on('message', (message) => received.push(message))
      kernel.bind(0, KERNEL[family])
      await once(kernel, 'listening')
      const socket = stack.dgram.createSocket(`udp${family}`)
      socket.bind(0)
      await once(socket, 'listening')
      const sizes = [3000, 64, 1473, 8192, family === 4 ? 65_507 : 65_487, 64]
      const before = link.counters.sentPackets
      sizes.forEach((size, index) => {
        socket.send(Buffer.alloc(size, index), kernel.address().port, KERNEL[family])
      })
      await vi.waitFor(() => expect(received).toHaveLength(sizes.length))
      expect(received.map((message) => message.length)).toEqual(sizes)
      for (const [index, message] of received.entries())
        expect(message.equals(Buffer.alloc(sizes[index] as number, index))).toBe(true)
      // The first one left as three fragments; without the device there would be 58 frames. A send
      // more than a millisecond late is another first one.
      expect(link.counters.sentPackets - before).toBeGreaterThanOrEqual(sizes.length + 2)
      expect(link.counters.sentPackets - before).toBeLessThan(58)
      kernel.close()
      socket.close()
    })

    test(`a kernel that forwards long IPv${family} datagrams fragments them to the MTU, checksums right`, async () => {
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
      writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1')
      const far = new Stack()
      const farLink = openTun({ peer: ['10.10.0.1/24', 'fd10::1/64'], offload: false })
      far.addNic(farLink, { addresses: ['10.10.0.2/24', 'fd10::2/64'] })
      far.addRoute({ to: 'default', via: '10.10.0.1' })
      far.addRoute({ to: 'default', via: 'fd10::1' })
      await vi.waitFor(
        () => expect(farLink.kernelAddresses().map(({ address }) => `${address}`)).toContain('fd10::1'),
        { timeout: 4000 },
      )
      const to = family === 4 ? '10.10.0.2' : 'fd10::2'
      stack.addRoute({ to: family === 4 ? '10.10.0.0/24' : 'fd10::/64', via: KERNEL[family] })
      const lengths: number[] = []
      const receiver = far.dgram.createSocket(`udp${family}`)
      receiver.on('message', (message) => lengths.push(message.length))
      receiver.bind(5000)
      await once(receiver, 'listening')
      const socket = stack.dgram.createSocket(`udp${family}`)
      socket.bind(0)
      await once(socket, 'listening')
      const before = far.counters.toJSON()
      const sent = link.counters.sentPackets
      for (const size of [1473, 10, 3000, 20_000]) socket.send(Buffer.alloc(size, 7), 5000, to)
      await vi.waitFor(() => expect(lengths).toEqual([1473, 10, 3000, 20_000]))
      // The first one as two fragments of the stack's own, the others in one write each; all by the
      // stack would be 20.
      expect(link.counters.sentPackets - sent).toBeGreaterThanOrEqual(5)
      expect(link.counters.sentPackets - sent).toBeLessThan(20)
      const fragments = (size: number, room: number) => Math.ceil((size + 8) / room)
      const room = family === 4 ? 1480 : 1448
      const counter = family === 4 ? 'IpReasmReqds' : 'Ip6ReasmReqds'
      expect(far.counters[counter] - before[counter]).toBe(2 + fragments(3000, room) + fragments(20_000, room))
      // The kernel's own multicast reports are nobody's.
      expect(far.drops.filter(({ reason }) => reason !== 'IpNotMember')).toEqual([])
      far.close()
      socket.close()
    })
  }
})
