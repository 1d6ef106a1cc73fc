/**
 * The law of offloads: a merged or split frame, taken apart, is byte for byte what was sent, but
 * for a checksum that was declared `Partial`.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ChecksumState, Packet } from '../../src/base/packet.ts'
import { completeChecksum } from '../../src/link/checksum-offload.ts'
import { SegmentBatch, Splitter } from '../../src/link/device/tun-offload.ts'
import { ipv4, ipv6, pattern, udp } from '../packet.ts'
import { complete, readVnet, takeApart, udpAt, writeVnet } from '../twins/segments.ts'
import {
  headersOf,
  hex,
  make,
  pseudoSum,
  type Sent,
  segmentsShape,
  shape,
  tcpFrame,
  udpFrame,
  withHeaders,
} from './offload-traffic.ts'

const RUNS = { seed: 20_251_129, numRuns: 400 }

/**
 * What the device makes of the frames in which datagrams leave: the batch is used as the device
 * uses it.
 */
function throughBatches(sent: readonly Sent[]): { arrived: Uint8Array[]; frames: number } {
  const batch = new SegmentBatch()
  const packet = new Packet()
  const arrived: Uint8Array[] = []
  let frames = 0
  const write = (frame: Uint8Array) => {
    const apart = takeApart(readVnet(frame))
    expect(apart).not.toBeNull()
    arrived.push(...(apart as Uint8Array[]))
    frames++
  }
  const seal = () => {
    if (batch.count === 0) return
    const frame = batch.seal()
    batch.count = 0
    write(frame.bytes.slice(frame.start, frame.end))
  }
  for (const { bytes, partial } of sent) {
    packet.load(bytes)
    if (partial) {
      const at = udpAt(bytes)
      packet.view.setUint16(packet.start + at + 6, pseudoSum(bytes, at))
      packet.checksumState = ChecksumState.Partial
    }
    if (batch.add(packet)) continue
    seal()
    if (batch.add(packet)) continue
    if (packet.checksumState === ChecksumState.Partial) completeChecksum(packet)
    write(writeVnet({ ...NOTHING, bytes: packet.copy() }))
  }
  seal()
  return { arrived, frames }
}

const NOTHING = { flags: 0, type: 0, headers: 0, size: 0, checksumStart: 0, checksumOffset: 0 }

for (const family of [4, 6] as const) {
  describe(`IPv${family} datagrams that leave together`, () => {
    test('arrive as they were sent, in their order, whatever they are', () => {
      let merged = 0
      let all = 0
      fc.assert(
        fc.property(
          fc.array(shape, { minLength: 1, maxLength: 24 }),
          fc.constantFrom(0, 7, 65_530),
          (shapes, start) => {
            let identification: number = start
            const sent = shapes.map((fields, index) => {
              identification += fields.step
              return make(family, fields, identification, index)
            })
            const { arrived, frames } = throughBatches(sent)
            all += sent.length
            merged += sent.length - frames
            expect(hex(arrived)).toEqual(hex(sent.map(({ bytes }) => bytes)))
          },
        ),
        RUNS,
      )
      // The property would hold if nothing were ever merged.
      expect(merged).toBeGreaterThan(all / 5)
    })

    test('are one frame when they are alike, Partial and complete checksums mixed', () => {
      const plain = { size: 100, step: 1, surplus: 0, field: 'none' } as const
      const sent = Array.from({ length: 64 }, (_, index) =>
        make(family, { ...plain, state: index % 3 === 0 ? 'valid' : 'partial' }, 65_500 + index, index),
      )
      const { arrived, frames } = throughBatches(sent)
      expect(hex(arrived)).toEqual(hex(sent.map(({ bytes }) => bytes)))
      expect(frames).toBe(1)
    })
  })
}

// ── what the kernel hands up ──

const splitter = new Splitter()
const lent = new Packet()

function split(frame: Uint8Array): Uint8Array[] | null {
  const parts: Uint8Array[] = []
  const count = splitter.split(lent.load(frame), (part) => {
    if (part.checksumState === ChecksumState.Partial) completeChecksum(part)
    parts.push(part.copy())
  })
  expect(parts).toHaveLength(count)
  return count === 0 ? null : parts
}

for (const family of [4, 6] as const) {
  describe(`IPv${family} frames from the kernel`, () => {
    test('come apart behind headers of any length as Linux takes them apart', () => {
      fc.assert(
        fc.property(
          headersOf(family),
          fc.integer({ min: 1, max: 128 }),
          fc.integer({ min: 1, max: 60 }),
          fc.nat(59),
          fc.nat(65_535),
          fc.nat(60),
          (headers, segments, size, short, identification, hint) => {
            const frame = udpFrame(family, { segments, size, less: short }, headers, identification, hint)
            const expected = takeApart(frame)
            expect(expected).toHaveLength(segments)
            expect(hex(split(writeVnet(frame)))).toEqual(hex(expected))
          },
        ),
        { ...RUNS, numRuns: 100 },
      )
    })

    test('of many TCP segments come apart behind headers of any length as Linux takes them apart', () => {
      fc.assert(
        fc.property(headersOf(family), segmentsShape, fc.nat(65_535), (headers, shape, identification) => {
          const frame = tcpFrame(family, shape, headers, identification)
          const expected = takeApart(frame)
          expect(expected).toHaveLength(shape.segments)
          expect(hex(split(writeVnet(frame)))).toEqual(hex(expected))
        }),
        { ...RUNS, numRuns: 200 },
      )
    })

    test('get the checksum that is named, wherever it stands: an inner one of a tunnel, and their own', () => {
      fc.assert(
        fc.property(
          headersOf(family),
          fc.nat(300),
          fc.boolean(),
          fc.constantFrom(4, 6),
          (headers, size, inner, innerFamily) => {
            const message = udp(pattern(size), innerFamily as 4 | 6)
            const carried = innerFamily === 4 ? ipv4(message) : ipv6(message)
            const vxlan = [
              8,
              0,
              0,
              0,
              0,
              0,
              7,
              0,
              ...new Array(12).fill(2),
              innerFamily === 4 ? 8 : 0x86,
              innerFamily === 4 ? 0 : 0xdd,
              ...carried,
            ]
            const outer = udp(vxlan, family, { destinationPort: 4789, ...(inner ? { checksum: 0 } : {}) })
            const whole = withHeaders(family, headers, outer, 8)
            const outerAt = udpAt(whole)
            const at = inner ? outerAt + 8 + 22 + udpAt(carried) : outerAt
            // The field holds what is not summed: the pseudo-header.
            const sum = inner ? pseudoSum(carried, udpAt(carried)) : pseudoSum(whole, outerAt)
            const bytes = whole.slice()
            new DataView(bytes.buffer).setUint16(at + 6, sum)
            expect(hex([complete(bytes, at, 6)])).toEqual(hex([whole]))
            const frame = { flags: 1, type: 0, headers: 0, size: 0, checksumStart: at, checksumOffset: 6, bytes }
            expect(hex(split(writeVnet(frame)))).toEqual(hex([whole]))
          },
        ),
        { ...RUNS, numRuns: 100 },
      )
    })

    test('are handed on as they should be or not at all, whatever the header says', () => {
      const word = fc.oneof(fc.nat(70), fc.nat(65_535))
      let refused = 0
      let taken = 0
      fc.assert(
        fc.property(
          fc.record({
            flags: fc.nat(3),
            type: fc.constantFrom(0, 0, 5, 5, 0x85, 1, 3, 4, 7),
            headers: fc.oneof(fc.nat(40), word),
            size: word,
            checksumOffset: fc.oneof(fc.constant(6), word),
          }),
          fc.oneof(fc.constant(-1), word),
          headersOf(family),
          fc.nat(200),
          fc.option(fc.tuple(fc.nat(60), fc.nat(255)), { freq: 3 }),
          (fields, given, headers, size, damage) => {
            const bytes = withHeaders(family, headers, udp(pattern(size), family), 4)
            if (damage !== null && damage[0] < bytes.length) bytes[damage[0]] = damage[1]
            const frame = { ...fields, checksumStart: given < 0 ? Math.max(0, udpAt(bytes)) : given, bytes }
            const expected = takeApart(frame)
            if (expected === null) refused++
            else taken++
            expect(hex(split(writeVnet(frame)))).toEqual(hex(expected))
          },
        ),
        RUNS,
      )
      expect(refused).toBeGreaterThan(RUNS.numRuns / 10)
      expect(taken).toBeGreaterThan(RUNS.numRuns / 10)
    })
  })
}

test('a frame that is shorter than its header is refused', () => {
  for (let length = 0; length < 10; length++) expect(split(new Uint8Array(length))).toBeNull()
})
