import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { ChecksumState, HEADROOM, Packet } from '../../../src/base/packet.ts'
import { newPacketCounters } from '../../../src/link/device/packet-counters.ts'
import type { PacketLibc } from '../../../src/link/device/packet-libc.ts'
import { PacketWriter } from '../../../src/link/device/packet-writer.ts'
import type { Libc } from '../../../src/link/device/tun-libc.ts'
import { pattern, datagram as udpDatagram } from '../../packet.ts'
import { complete, readVnet, takeApart, udpAt } from '../../twins/segments.ts'
import { hex, make, pseudoSum, shape } from '../offload-traffic.ts'
import { fakeHost } from './fake-device.ts'

const [EAGAIN, ENETDOWN, EMSGSIZE, EINVAL] = [11, 100, 90, 22]
const RUNS = { seed: 20_261_201, numRuns: 100 }
const UDP_L4 = 5
const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
const SPACE = 0x100_0000

/**
 * The kernel's sendmmsg, over memory that is addressed as koffi would. One that `isOld` takes no
 * merged frames.
 */
function writerOf(vnetHeader: number, isOld = false) {
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
      const frames = Array.from({ length: Math.min(taken, count) }, (_, index) => {
        const header = at(messages + index * 64, 64)
        const message = new DataView(header.buffer, header.byteOffset, 64)
        expect(number(message, 24)).toBe(1)
        const bytes = at(number(message, 16), 16)
        const vector = new DataView(bytes.buffer, bytes.byteOffset, 16)
        return at(number(vector, 0), number(vector, 8)).slice()
      })
      const merged = isOld ? frames.findIndex((frame) => frame[1] === UDP_L4) : -1
      if (merged === 0) {
        errno = EINVAL
        return -1
      }
      if (merged > 0) frames.length = merged
      calls.push(frames)
      return frames.length
    },
  } as unknown as PacketLibc
  const host = fakeHost()
  const counters = newPacketCounters()
  const writer = new PacketWriter(host, libc, packetLibc, 3, counters, vnetHeader, vnetHeader > 0)
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

/** What the device makes of a frame with a vnet header and an Ethernet header. */
function onTheWire(frame: Uint8Array): Uint8Array[] {
  const whole = readVnet(frame)
  const [header, bytes] = [whole.bytes.slice(0, 14), whole.bytes.slice(14)]
  const { flags, headers, checksumStart } = whole
  const behind = flags === 0 ? whole : { ...whole, headers: headers - 14, checksumStart: checksumStart - 14 }
  // Which a lone frame's header does not name.
  const apart = takeApart({ ...behind, headers: Math.max(0, behind.headers), bytes })
  expect(apart).not.toBeNull()
  return (apart as Uint8Array[]).map((each) => Uint8Array.from([...header, ...each]))
}

describe('datagrams of one flow', () => {
  const TYPE = { 4: [8, 0], 6: [0x86, 0xdd] } as const
  const identified = (family: 4 | 6, size: number, index: number) => {
    const fields = { size, state: 'valid', step: 1, surplus: 0, field: 'none' } as const
    return ethernet(make(family, fields, index, index).bytes, [...TYPE[family]])
  }

  test.each([4, 6] as const)('leave as one frame, which is taken apart into what was sent (IPv%i)', (family) => {
    const { writer, calls, counters } = writerOf(10)
    const sent = Array.from({ length: 64 }, (_, index) => identified(family, index < 63 ? 250 : 99, index))
    writer.turn.hold()
    for (const frame of sent) expect(writer.send(packet(frame))).toBe(Drop.None)
    writer.turn.release()
    expect(calls.map((frames) => frames.length)).toEqual([1, 1])
    const headers = family === 4 ? 42 : 62
    expect(readVnet(calls[1]?.[0] as Uint8Array)).toMatchObject({ flags: 1, type: UDP_L4, headers, size: 250 })
    expect(hex(calls.flat().flatMap(onTheWire))).toEqual(hex(sent))
    expect(counters).toMatchObject({ sentPackets: 64, refusedPackets: 0 })
    expect(writer.segmentation).toBe(true)
  })

  test('leave one by one, and so do all later ones, where the kernel refuses such a frame', () => {
    const { writer, calls, counters, host } = writerOf(10, true)
    const sent = Array.from({ length: 12 }, (_, index) => identified(4, 250, index))
    for (const part of [sent.slice(0, 6), sent.slice(6)]) {
      writer.turn.hold()
      for (const frame of part) expect(writer.send(packet(frame))).toBe(Drop.None)
      writer.turn.release()
      expect(writer.segmentation).toBe(false)
    }
    expect(calls.map((frames) => frames.length)).toEqual([1, 5, 1, 5])
    expect(hex(calls.flat().flatMap(onTheWire))).toEqual(hex(sent))
    expect(counters).toMatchObject({ sentPackets: 12, refusedPackets: 0 })
    expect(host.told).toEqual([])
  })

  test('are told of one by one when there is no room for their frame', () => {
    const { writer, calls, counters, host, answers } = writerOf(10)
    writer.turn.hold()
    answers.push({}, { errno: EAGAIN }, { taken: 1 }, { errno: EAGAIN })
    for (let index = 0; index < 4; index++) writer.send(packet(identified(4, 100, index)))
    writer.turn.release()
    expect(host.told).toEqual([`dropped ${Drop.LinkQueueFull}`])
    expect(counters).toMatchObject({ sentPackets: 3, refusedPackets: 1 })
    expect(hex(calls.flat().flatMap(onTheWire))).toEqual(hex([0, 1, 3].map((index) => identified(4, 100, index))))
    expect(writer.segmentation).toBe(true)
  })

  test('have one frame only where they have one Ethernet header, whose type is that of IP', () => {
    const { writer, calls } = writerOf(10)
    const frames = [0, 1, 2, 3].map((index) => identified(4, 100, index))
    for (const [index, at] of [
      [1, 0],
      [2, 11],
      [3, 13],
    ] as const)
      (frames[index] as Uint8Array)[at] = 6
    const others = [4, 5].map((index) => ethernet(identified(4, 100, index).slice(14), [0x88, 0xb5]))
    writer.turn.hold()
    writer.send(packet(ethernet(pattern(60))))
    for (const frame of [...frames, ...others]) writer.send(packet(frame))
    writer.turn.release()
    expect(calls[1]).toHaveLength(6)
    expect(hex(calls.flat().slice(1).flatMap(onTheWire))).toEqual(hex([...frames, ...others]))
  })

  for (const family of [4, 6] as const) {
    test.each([
      ['a kernel that takes frames of many', 10, false],
      ['one that does not', 10, true],
      ['a socket without offloads', 0, false],
    ] as const)(
      `and all others arrive as they were sent, in their order (IPv${family}, %s)`,
      (_, vnetHeader, isOld) => {
        let merged = 0
        let all = 0
        fc.assert(
          fc.property(
            fc.array(fc.tuple(shape, fc.integer({ min: 0, max: 20 })), { minLength: 1, maxLength: 40 }),
            fc.array(fc.record({ taken: fc.integer({ min: 1, max: 3 }) }), { maxLength: 3 }),
            (shapes, taken) => {
              const { writer, calls, counters, host, answers } = writerOf(vnetHeader, isOld)
              answers.push({}, ...(isOld ? [] : taken))
              let identification = 65_530
              const sent: Uint8Array[] = []
              writer.turn.hold()
              for (const [index, [fields, odd]] of shapes.entries()) {
                identification += fields.step
                const { bytes, partial } = make(family, fields, identification, index)
                // Another neighbor now and then.
                const frame = ethernet(bytes, [...TYPE[family]])
                if (odd === 0) frame[5] = 8
                sent.push(frame.slice())
                const lent = packet(frame)
                if (partial && vnetHeader > 0) {
                  const at = udpAt(bytes)
                  lent.view.setUint16(lent.start + 14 + at + 6, pseudoSum(bytes, at))
                  lent.checksumState = ChecksumState.Partial
                }
                expect(writer.send(lent)).toBe(Drop.None)
              }
              writer.turn.release()
              const frames = calls.flat()
              expect(hex(vnetHeader === 0 ? frames : frames.flatMap(onTheWire))).toEqual(hex(sent))
              expect(counters).toMatchObject({ sentPackets: sent.length, refusedPackets: 0 })
              expect(host.told).toEqual([])
              all += sent.length
              merged += sent.length - frames.length
            },
          ),
          RUNS,
        )
        // The property would hold if nothing were ever merged.
        if (vnetHeader > 0 && !isOld) expect(merged).toBeGreaterThan(all / 5)
        else expect(merged).toBe(0)
      },
    )
  }
})
