import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { ChecksumState, type Packet } from '../../../src/base/packet.ts'
import { completeChecksum } from '../../../src/link/checksum-offload.ts'
import { newPacketCounters } from '../../../src/link/device/packet-counters.ts'
import { PacketReader } from '../../../src/link/device/packet-reader.ts'
import { Status } from '../../../src/link/device/packet-ring.ts'
import { pattern } from '../../packet.ts'
import { takeApart, type VnetFrame, writeVnet } from '../../twins/segments.ts'
import { headersOf, hex, make, segmentsShape, shape, tcpFrame, udpFrame } from '../offload-traffic.ts'
import { fakeHost } from './fake-device.ts'
import { FakeRing, frameOf, type RingFrame } from './fake-ring.ts'

const RUNS = { seed: 20_261_130, numRuns: 300 }
const TYPE4 = [0x08, 0x00]
const TYPE6 = [0x86, 0xdd]

const ethernet = (payload: Uint8Array, type: readonly number[] = TYPE4) =>
  Uint8Array.from([2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 9, ...type, ...payload])

function readerOf(vnetHeader = 10, frames = 32) {
  const kernel = new FakeRing(vnetHeader, frames)
  const host = fakeHost()
  const seen: { frame: Uint8Array; state: number; cut: number }[] = []
  const drops: [Drop, Uint8Array][] = []
  const receiver = host.receiver as NonNullable<typeof host.receiver>
  receiver.input = (packet: Packet) => {
    host.told.push('input')
    seen.push({ frame: frameOf(packet), state: packet.checksumState, cut: packet.segmentLength })
  }
  receiver.dropped = (drop, packet) => drops.push([drop, frameOf(packet)])
  const counters = newPacketCounters()
  const answers = { hold: () => host.told.push('hold'), release: () => host.told.push('release') }
  const reader = new PacketReader(host, answers, kernel.ring, kernel.source, counters, 0)
  return { kernel, host, seen, drops, counters, reader }
}

describe('the reader of a packet socket', () => {
  test('hands up all frames of a wake-up between hold and release, and ends them by idle', () => {
    const { kernel, reader, host, counters, seen } = readerOf()
    kernel.fill({ bytes: ethernet(pattern(50)) })
    kernel.fill({ bytes: ethernet(pattern(1500, 3)) })
    expect(reader.readable(false)).toBe(2)
    expect(host.told).toEqual(['hold', 'input', 'input', 'idle', 'release'])
    expect(hex(seen.map(({ frame }) => frame))).toEqual(hex([ethernet(pattern(50)), ethernet(pattern(1500, 3))]))
    expect(counters).toMatchObject({ receivedPackets: 2, receivedBytes: 64 + 1514, wakeups: 1, lostPackets: 0 })
    expect(kernel.filled).toBe(0)
  })

  test('finds nothing without calling idle', () => {
    const { reader, host } = readerOf()
    expect(reader.readable(false)).toBe(0)
    expect(host.told).toEqual(['hold', 'release'])
  })

  test('takes 32 frames of a flood, and leaves the rest to the next wake-up', () => {
    const { kernel, reader } = readerOf(10, 64)
    for (let i = 0; i < 40; i++) kernel.fill({ bytes: ethernet(pattern(60)) })
    expect(reader.readable(false)).toBe(32)
    expect(kernel.filled).toBe(8)
  })

  test.each([0, 10])('goes round the ring for ever, with frames of all lengths, vnet header %i', (vnetHeader) => {
    const { kernel, reader, seen } = readerOf(vnetHeader)
    const sent: Uint8Array[] = []
    for (let length = 0; length <= 1500; length++) {
      const bytes = ethernet(pattern(length, length))
      sent.push(bytes)
      expect(kernel.fill({ bytes })).toBe(true)
      if (length % 7 === 0) reader.readable(false)
    }
    reader.readable(false)
    expect(hex(seen.map(({ frame }) => frame))).toEqual(hex(sent))
  })

  test.each([
    ['rests in a stream', false, true],
    ['does not while it answers', true, false],
  ] as const)('%s, and hands up every frame', (_, isAnswered, rests) => {
    let time = 1
    const now = vi.spyOn(performance, 'now').mockImplementation(() => time)
    onTestFinished(() => now.mockRestore())
    const { kernel, reader, seen, counters } = readerOf(10, 64)
    const sent: Uint8Array[] = []
    for (let wakeup = 0; wakeup < 40; wakeup++) {
      time += 0.04
      for (let i = 0; i < 8; i++) {
        sent.push(ethernet(pattern(60, sent.length)))
        kernel.fill({ bytes: sent.at(-1) as Uint8Array })
      }
      if (isAnswered) counters.sentPackets++
      expect(reader.readable(false)).toBe(8)
    }
    expect(hex(seen.map(({ frame }) => frame))).toEqual(hex(sent))
    if (rests) expect(kernel.rests.length).toBeGreaterThan(20)
    else expect(kernel.rests).toEqual([])
  })

  test('stops when the receiver closes the socket, and lets the ring go only then', () => {
    const { kernel, reader, host, seen } = readerOf()
    for (let i = 0; i < 3; i++) kernel.fill({ bytes: ethernet(pattern(60)) })
    const receiver = host.receiver as NonNullable<typeof host.receiver>
    const { input } = receiver
    receiver.input = (packet) => {
      host.isOpen = false
      expect([reader.isDraining, kernel.unmapped]).toEqual([true, 0])
      input(packet)
    }
    expect(reader.readable(false)).toBe(1)
    expect([reader.isDraining, kernel.unmapped, seen.length]).toEqual([false, 1, 1])
    kernel.ring.close()
    expect(kernel.unmapped).toBe(1)
    expect(reader.readable(false)).toBe(0)
  })

  test('reads a frame that is longer than a slot from the socket', () => {
    const { kernel, reader, seen, drops } = readerOf()
    kernel.fill({ bytes: ethernet(pattern(60)) })
    kernel.fill({ bytes: ethernet(pattern(9000, 5)), status: Status.Copy })
    kernel.fill({ bytes: ethernet(pattern(61)) })
    expect(reader.readable(false)).toBe(3)
    expect(hex(seen.map(({ frame }) => frame))).toEqual(
      hex([ethernet(pattern(60)), ethernet(pattern(9000, 5)), ethernet(pattern(61))]),
    )
    expect(drops).toEqual([])
  })

  test('refuses one by name that had no room there, and goes on', () => {
    const { kernel, reader, seen, drops, counters } = readerOf()
    kernel.fill({ bytes: ethernet(pattern(9000)) })
    kernel.fill({ bytes: ethernet(pattern(60)) })
    expect(reader.readable(false)).toBe(2)
    expect(drops).toEqual([[Drop.FrameOffload, ethernet(pattern(9000)).subarray(0, 2048 - 76)]])
    expect(seen).toHaveLength(1)
    expect(counters.receivedPackets).toBe(2)
  })

  test('refuses a merged frame whose offload header makes no sense, and shows it as it came', () => {
    const { kernel, reader, seen, drops, counters } = readerOf()
    const nonsense = { flags: 1, type: 5, headers: 0, size: 0, checksumStart: 34, checksumOffset: 6 }
    for (const type of [TYPE4, [0x88, 0xb5]]) {
      const bytes = ethernet(pattern(200), type)
      kernel.fill({ bytes, vnet: writeVnet({ ...nonsense, bytes: new Uint8Array(0) }) })
      expect(reader.readable(false)).toBe(1)
      expect(drops.splice(0)).toEqual([[Drop.FrameOffload, bytes]])
    }
    expect([seen.length, counters.receivedPackets]).toEqual([0, 2])
  })

  test('counts what the kernel lost when a frame says so', () => {
    const { kernel, reader, counters } = readerOf()
    kernel.lost = 7
    kernel.fill({ bytes: ethernet(pattern(60)), status: Status.Losing })
    kernel.fill({ bytes: ethernet(pattern(60)) })
    reader.readable(false)
    expect(counters.lostPackets).toBe(7)
  })

  test('skips what came before, in the ring and beside it', () => {
    const { kernel, reader, seen, counters } = readerOf()
    kernel.fill({ bytes: ethernet(pattern(9000)), status: Status.Copy })
    kernel.fill({ bytes: ethernet(pattern(60)) })
    reader.skipEarly()
    expect([kernel.filled, kernel.waiting.length, counters.earlyPackets]).toEqual([0, 0, 2])
    kernel.fill({ bytes: ethernet(pattern(70)) })
    reader.readable(false)
    expect(seen).toHaveLength(1)
  })

  test('tells the socket of an error behind the frames that came before it', () => {
    const { kernel, reader, seen } = readerOf()
    kernel.fill({ bytes: ethernet(pattern(60)) })
    reader.readable(true)
    expect([seen.length, kernel.wasBroken]).toEqual([1, 1])
  })

  test.each([
    [{ status: Status.VlanValid, tag: 0x2005 }, [0x81, 0x00]],
    [{ status: Status.VlanValid | Status.VlanTypeValid, tag: 0x2005, tagType: 0x88a8 }, [0x88, 0xa8]],
  ])('puts a tag back that the kernel took off: %o', (tagged, type) => {
    const { kernel, reader, seen } = readerOf()
    const bytes = ethernet(pattern(60))
    kernel.fill({ bytes, ...tagged })
    reader.readable(false)
    const whole = Uint8Array.from([...bytes.subarray(0, 12), ...type, 0x20, 0x05, ...bytes.subarray(12)])
    expect(hex(seen.map(({ frame }) => frame))).toEqual(hex([whole]))
  })

  test.each([
    ['by the vnet header', 10, { vnet: Uint8Array.of(2, ...new Uint8Array(9)) }],
    ['by the status word', 0, { status: Status.ChecksumValid }],
  ])('takes a checksum for verified that the device has verified: %s', (_, vnetHeader, frame) => {
    const { kernel, reader, seen } = readerOf(vnetHeader)
    kernel.fill({ bytes: ethernet(pattern(60)), ...frame })
    kernel.fill({ bytes: ethernet(pattern(60)) })
    reader.readable(false)
    expect(seen.map(({ state }) => state)).toEqual([ChecksumState.Verified, ChecksumState.None])
  })
})

/** The packets that a reader hands up for frames with vnet headers, with complete checksums. */
function throughReader(frames: readonly VnetFrame[], type: readonly number[]): Uint8Array[] {
  const { kernel, reader, host } = readerOf(10, 64)
  const packets: Uint8Array[] = []
  const receiver = host.receiver as NonNullable<typeof host.receiver>
  receiver.input = (packet) => {
    expect(hex([packet.bytes.slice(packet.start, packet.start + 14)])).toEqual(hex([ethernet(new Uint8Array(0), type)]))
    packet.start += 14
    if (packet.checksumState === ChecksumState.Partial) completeChecksum(packet)
    packets.push(frameOf(packet))
  }
  for (const frame of frames) {
    const { checksumStart, headers, flags } = frame
    const shifted = flags === 0 ? frame : { ...frame, checksumStart: checksumStart + 14, headers: headers + 14 }
    const filled: RingFrame = {
      bytes: ethernet(frame.bytes, type),
      vnet: writeVnet(shifted).subarray(0, 10),
      status: Status.Copy,
    }
    expect(kernel.fill(filled)).toBe(true)
    reader.readable(false)
  }
  return packets
}

for (const family of [4, 6] as const) {
  const type = family === 4 ? TYPE4 : TYPE6
  describe(`frames with IPv${family} that the kernel merged, or left a checksum in`, () => {
    test('are handed up as the packets that a device makes of them', () => {
      let apart = 0
      fc.assert(
        fc.property(segmentsShape, headersOf(family), fc.nat(65_535), fc.boolean(), (segments, headers, id, isTcp) => {
          const frame = (isTcp ? tcpFrame : udpFrame)(family, segments, headers, id)
          const expected = takeApart(frame) ?? []
          apart += expected.length
          expect(hex(throughReader([frame], type))).toEqual(hex(expected))
        }),
        RUNS,
      )
      expect(apart).toBeGreaterThan(RUNS.numRuns)
    })

    test('are handed up as they are where nothing is asked for, whatever they are', () => {
      fc.assert(
        fc.property(fc.array(shape, { minLength: 1, maxLength: 8 }), (shapes) => {
          const sent = shapes.map((fields, index) => make(family, fields, index, index).bytes)
          const plain = sent.map((bytes) => ({
            flags: 0,
            type: 0,
            headers: 0,
            size: 0,
            checksumStart: 0,
            checksumOffset: 0,
            bytes,
          }))
          expect(hex(throughReader(plain, type))).toEqual(hex(sent))
        }),
        RUNS,
      )
    })
  })
}
