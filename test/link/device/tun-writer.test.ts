import { describe, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { ChecksumState, HEADROOM, Packet } from '../../../src/base/packet.ts'
import { newTunCounters } from '../../../src/link/device/tun-counters.ts'
import { TunWriter } from '../../../src/link/device/tun-writer.ts'
import { datagram, FakeDescriptor, fakeHost } from './fake-device.ts'

const [EIO, EINVAL, ENOBUFS, ENODEV, EPERM] = [5, 22, 105, 19, 1]

function writerOf(offload: boolean, linkHeader = 0) {
  const descriptor = new FakeDescriptor()
  const host = fakeHost()
  const counters = newTunCounters()
  const writer = new TunWriter(host, descriptor.frames(offload), counters, linkHeader)
  return { descriptor, host, counters, writer }
}

function packet(bytes: Uint8Array): Packet {
  const made = new Packet(HEADROOM + 4096)
  made.load(bytes)
  made.checksumState = ChecksumState.Partial
  return made
}

describe('the writer of a device', () => {
  test('writes the first datagram of a turn at once, and those that follow as one frame at its end', async () => {
    const { descriptor, writer, counters } = writerOf(true)
    for (let i = 0; i < 4; i++) expect(writer.send(packet(datagram(100, i)))).toBe(Drop.None)
    expect(descriptor.written.map(({ length }) => length)).toEqual([138])
    await null
    expect(descriptor.written.map(({ length }) => length)).toEqual([138, 10 + 28 + 300])
    expect(counters).toMatchObject({ sentPackets: 4, sentBytes: 128 + 328 })
  })

  test('writes what it collected before a datagram of another flow', () => {
    const { descriptor, writer } = writerOf(true)
    for (const port of [7, 7, 8]) writer.send(packet(datagram(100, 0, port)))
    expect(descriptor.written).toHaveLength(2)
    writer.turn.flush()
    expect(descriptor.written).toHaveLength(3)
  })

  test('writes answers to a wake-up at its end, whatever is flushed before', async () => {
    const { descriptor, writer } = writerOf(true)
    writer.turn.hold()
    for (let i = 0; i < 3; i++) writer.send(packet(datagram(100, i)))
    writer.turn.flush()
    await null
    expect(descriptor.written).toHaveLength(1)
    writer.turn.release()
    expect(descriptor.written).toHaveLength(2)
  })

  test('writes every frame by itself where the device has no offloads', () => {
    const { descriptor, writer } = writerOf(false)
    for (let i = 0; i < 3; i++) writer.send(packet(datagram(100, i)))
    expect(descriptor.written.map(({ length }) => length)).toEqual([128, 128, 128])
  })

  test('writes the datagrams of a refused frame one by one, and reports those that are refused again', () => {
    const { descriptor, writer, host, counters } = writerOf(true)
    for (let i = 0; i < 3; i++) writer.send(packet(datagram(100, i)))
    descriptor.refusals.push(EINVAL, 0, ENOBUFS)
    writer.turn.flush()
    expect(descriptor.written).toHaveLength(2)
    expect(host.told).toEqual([`dropped ${Drop.LinkQueueFull}`])
    expect(counters).toMatchObject({ sentPackets: 2, refusedPackets: 1 })
  })

  test.each([
    [ENOBUFS, Drop.LinkQueueFull, []],
    [EIO, Drop.LinkDown, ['down']],
    [ENODEV, Drop.LinkDown, ['fail ENODEV']],
    [EPERM, Drop.LinkRefused, []],
  ])('names what a write that failed with errno %i means', async (errno, drop, told) => {
    const { descriptor, writer, host, counters } = writerOf(false)
    descriptor.refusals.push(errno)
    expect(writer.send(packet(datagram(1)))).toBe(drop)
    await null
    expect(host.told).toEqual(told)
    expect(counters.refusedPackets).toBe(1)
  })

  test('refuses a packet longer than the MTU, the link header excluded, and any on a closed device', () => {
    const { writer, host } = writerOf(false, 14)
    expect(writer.send(packet(new Uint8Array(1514)))).toBe(Drop.None)
    expect(writer.send(packet(new Uint8Array(1515)))).toBe(Drop.LinkMtuExceeded)
    host.isOpen = false
    expect(writer.send(packet(new Uint8Array(20)))).toBe(Drop.LinkDown)
  })

  test('a write that succeeds shows that the interface is up again', () => {
    const { writer, host } = writerOf(false)
    host.down = true
    writer.send(packet(datagram(1)))
    expect(host.down).toBe(false)
  })

  test('leaves a lone long datagram to the stack', () => {
    const { descriptor, writer } = writerOf(true)
    expect(writer.sendLong(packet(datagram(3000)), 1500)).toBe(Drop.LinkMtuExceeded)
    expect(descriptor.written).toEqual([])
  })
})
