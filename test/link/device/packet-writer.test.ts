import { describe, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { ChecksumState, HEADROOM, Packet } from '../../../src/base/packet.ts'
import { newPacketCounters } from '../../../src/link/device/packet-counters.ts'
import type { PacketLibc } from '../../../src/link/device/packet-libc.ts'
import { PacketWriter } from '../../../src/link/device/packet-writer.ts'
import type { Libc } from '../../../src/link/device/tun-libc.ts'
import { pattern, datagram as udpDatagram } from '../../packet.ts'
import { complete, readVnet, takeApart } from '../../twins/segments.ts'
import { pseudoSum } from '../offload-traffic.ts'
import { fakeHost } from './fake-device.ts'

const [EAGAIN, ENETDOWN, EMSGSIZE] = [11, 100, 90]
const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
const SPACE = 0x100_0000

/** The kernel's sendmmsg, over memory that is addressed as koffi would. */
function writerOf(vnetHeader: number) {
  const memory: Uint8Array[] = []
  const at = (address: number, length: number) => {
    const bytes = memory[Math.floor(address / SPACE) - 1] as Uint8Array
    return bytes.subarray(address % SPACE, (address % SPACE) + length)
  }
  const number = (view: DataView, offset: number) => Number(view.getBigUint64(offset, LITTLE))
  const calls: Uint8Array[][] = []
  /** How many frames a call takes, or the errno that it has. */
  const answers: { taken?: number; errno?: number }[] = []
  let errno = 0
  const libc = {
    addressOf: (bytes: Uint8Array) => memory.push(bytes) * SPACE,
    errno: () => errno,
  } as unknown as Libc
  const packetLibc = {
    sendmmsg: (_fd: number, messages: number, count: number) => {
      const { taken = count, errno: failed = 0 } = answers.shift() ?? {}
      if (failed !== 0) {
        errno = failed
        return -1
      }
      const frames = Array.from({ length: taken }, (_, index) => {
        const header = at(messages + index * 64, 64)
        const message = new DataView(header.buffer, header.byteOffset, 64)
        expect(number(message, 24)).toBe(1)
        const bytes = at(number(message, 16), 16)
        const vector = new DataView(bytes.buffer, bytes.byteOffset, 16)
        return at(number(vector, 0), number(vector, 8)).slice()
      })
      calls.push(frames)
      return taken
    },
  } as unknown as PacketLibc
  const host = fakeHost()
  const counters = newPacketCounters()
  const writer = new PacketWriter(host, libc, packetLibc, 3, counters, vnetHeader)
  return { writer, host, counters, calls, answers }
}

const ethernet = (payload: Uint8Array, type = [8, 0]) =>
  Uint8Array.from([2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 9, ...type, ...payload])
const packet = (bytes: Uint8Array) => new Packet(HEADROOM + 70_000).load(bytes)
const lengths = (calls: readonly Uint8Array[][]) => calls.map((frames) => frames.map(({ length }) => length))

describe('the writer of a packet socket', () => {
  test('sends the first frame of a turn at once, and those that follow with one call at its end', async () => {
    const { writer, calls, counters } = writerOf(0)
    const frames = [60, 61, 62].map((size) => ethernet(pattern(size, size)))
    for (const frame of frames) expect(writer.send(packet(frame))).toBe(Drop.None)
    expect(lengths(calls)).toEqual([[74]])
    await null
    expect(lengths(calls)).toEqual([[74], [75, 76]])
    expect(calls.flat()).toEqual(frames)
    expect(counters).toMatchObject({ sentPackets: 3, sentBytes: 74 + 75 + 76, refusedPackets: 0 })
  })

  test('sends answers to a wake-up at its end, whatever is flushed before', async () => {
    const { writer, calls } = writerOf(10)
    writer.turn.hold()
    for (let i = 0; i < 3; i++) writer.send(packet(ethernet(pattern(60))))
    writer.turn.flush()
    await null
    expect(lengths(calls)).toEqual([[84]])
    writer.turn.release()
    expect(lengths(calls)).toEqual([[84], [84, 84]])
    expect(calls.flat().every((frame) => frame.subarray(0, 10).every((octet) => octet === 0))).toBe(true)
  })

  test('goes on where a call left off, and makes no call of more than 64 frames', () => {
    const { writer, calls, answers } = writerOf(0)
    writer.turn.hold()
    answers.push({}, { taken: 10 })
    for (let i = 0; i < 100; i++) writer.send(packet(ethernet(pattern(i + 50, i))))
    writer.turn.release()
    expect(calls.map((frames) => frames.length)).toEqual([1, 10, 54, 35])
    expect(calls.flat()).toEqual(Array.from({ length: 100 }, (_, i) => ethernet(pattern(i + 50, i))))
  })

  test('says at once why the first frame of a turn is refused, and tells of each later one', () => {
    const { writer, host, calls, answers, counters } = writerOf(10)
    answers.push({ errno: EAGAIN })
    writer.turn.hold()
    expect(writer.send(packet(ethernet(pattern(60))))).toBe(Drop.LinkQueueFull)
    for (const size of [70, 80, 90]) expect(writer.send(packet(ethernet(pattern(size))))).toBe(Drop.None)
    answers.push({ taken: 1 }, { errno: EMSGSIZE }, {})
    writer.turn.release()
    expect(lengths(calls)).toEqual([[94], [114]])
    expect(host.told).toEqual([`dropped ${Drop.LinkRefused}`])
    expect(counters).toMatchObject({ sentPackets: 2, refusedPackets: 2 })
  })

  test('says that the interface is down', () => {
    const { writer, host, answers } = writerOf(0)
    answers.push({ errno: ENETDOWN })
    expect(writer.send(packet(ethernet(pattern(60))))).toBe(Drop.LinkDown)
    expect(host.told).toEqual(['down'])
    host.isOpen = false
    expect(writer.send(packet(ethernet(pattern(60))))).toBe(Drop.LinkDown)
  })

  test('refuses what is longer than the MTU, which counts no Ethernet header', () => {
    const { writer } = writerOf(0)
    expect(writer.send(packet(ethernet(pattern(1500))))).toBe(Drop.None)
    expect(writer.send(packet(ethernet(pattern(1501))))).toBe(Drop.LinkMtuExceeded)
  })

  test.each([
    [4, udpDatagram(pattern(100), 4), [8, 0]],
    [6, udpDatagram(pattern(100), 6), [0x86, 0xdd]],
  ] as const)('leaves a Partial checksum of IPv%i to the device, by the vnet header', (family, bytes, type) => {
    const { writer, calls } = writerOf(10)
    const at = family === 4 ? 20 : 40
    const partial = bytes.slice()
    new DataView(partial.buffer).setUint16(at + 6, pseudoSum(bytes, at))
    const sent = packet(ethernet(partial, [...type]))
    sent.checksumState = ChecksumState.Partial
    writer.send(sent)
    const frame = readVnet(calls[0]?.[0] as Uint8Array)
    expect(frame).toMatchObject({ flags: 1, type: 0, checksumStart: 14 + at, checksumOffset: 6 })
    expect(complete(frame.bytes, 14 + at, 6)).toEqual(ethernet(bytes, [...type]))
    expect(takeApart(frame)).toEqual([ethernet(bytes, [...type])])
  })
})
