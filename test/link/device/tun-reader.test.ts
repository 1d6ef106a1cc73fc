import { describe, expect, test } from 'vitest'
import { newTunCounters } from '../../../src/link/device/tun-counters.ts'
import { TunReader } from '../../../src/link/device/tun-reader.ts'
import { datagram, FakeDescriptor, fakeHost } from './fake-device.ts'

function readerOf(offload = false) {
  const descriptor = new FakeDescriptor()
  const host = fakeHost()
  const counters = newTunCounters()
  const answers = { hold: () => host.told.push('hold'), release: () => host.told.push('release') }
  const reader = new TunReader(host, answers, descriptor.frames(offload), counters, 0)
  return { ...descriptor, descriptor, host, counters, reader }
}

describe('the reader of a device', () => {
  test('hands up all frames of a wake-up between hold and release, and ends them by idle', () => {
    const { descriptor, reader, host, counters } = readerOf()
    descriptor.waiting.push(datagram(10), datagram(20))
    expect(reader.readable(false)).toBe(2)
    expect(host.told).toEqual(['hold', 'input 38', 'input 48', 'idle', 'release'])
    expect(counters).toMatchObject({ receivedPackets: 2, receivedBytes: 86, wakeups: 1 })
  })

  test('tells the receiver that a wake-up begins and ends, also when it brings nothing or fails', () => {
    const { descriptor, reader, host } = readerOf()
    Object.assign(host.receiver as object, {
      begin: () => host.told.push('begin'),
      end: () => host.told.push('end'),
    })
    descriptor.waiting.push(datagram(10))
    reader.readable(false)
    expect(host.told).toEqual(['begin', 'hold', 'input 38', 'idle', 'release', 'end'])
    host.told.length = 0
    reader.readable(true)
    expect(host.told).toEqual(['begin', 'hold', 'release', 'fail EBADFD', 'end'])
  })

  test('finds nothing without calling idle', () => {
    const { reader, host } = readerOf()
    expect(reader.readable(false)).toBe(0)
    expect(host.told).toEqual(['hold', 'release'])
  })

  test('reads 32 frames of a flood, and leaves the rest to the next wake-up', () => {
    const { descriptor, reader } = readerOf()
    for (let i = 0; i < 40; i++) descriptor.waiting.push(datagram(1))
    expect(reader.readable(false)).toBe(32)
    expect(descriptor.waiting).toHaveLength(8)
  })

  test('looks for a second frame in every eighth wake-up while they bring one each', () => {
    const { descriptor, reader } = readerOf()
    let reads = 0
    const { read } = descriptor.libc
    descriptor.libc.read = (...given) => {
      reads++
      return read(...given)
    }
    for (let i = 0; i < 16; i++) {
      descriptor.waiting.push(datagram(1))
      reader.readable(false)
    }
    expect(reads).toBe(18)
  })

  test('stops when the receiver closes the device', () => {
    const { descriptor, reader, host } = readerOf()
    descriptor.waiting.push(datagram(1), datagram(2))
    if (host.receiver !== null)
      host.receiver.input = () => {
        host.isOpen = false
      }
    expect(reader.readable(false)).toBe(1)
    expect(descriptor.waiting).toHaveLength(1)
  })

  test('says that the interface was deleted, after what came has been delivered', () => {
    const { descriptor, reader, host } = readerOf()
    descriptor.waiting.push(datagram(1), 77)
    reader.readable(false)
    expect(host.told.slice(-2)).toEqual(['release', 'fail EBADFD'])
  })

  test('discards a frame whose offload header is cut off, by its name', () => {
    const { descriptor, reader, host, counters } = readerOf(true)
    descriptor.waiting.push(new Uint8Array(4))
    expect(reader.readable(false)).toBe(1)
    expect(host.told.filter((each) => each.startsWith('dropped'))).toHaveLength(1)
    expect(counters.receivedPackets).toBe(1)
  })

  test('discards what waited before the receiver was there, and counts it', () => {
    const { descriptor, reader, host, counters } = readerOf()
    descriptor.waiting.push(datagram(1), datagram(2), datagram(3))
    reader.skipEarly()
    expect(counters.earlyPackets).toBe(3)
    expect(host.told).toEqual([])
  })
})
