import { describe, expect, it } from 'vitest'
import { ChecksumState, HEADROOM, Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { spareCopyOf } from '../../../src/link/memory/frame-copies.ts'
import { FrameQueue } from '../../../src/link/memory/frame-queue.ts'
import { pattern } from '../link-contract.ts'

/** Twenty times as fast as `toEqual` on long arrays. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

describe('FrameQueue', () => {
  it('behaves as an array of copies under random pushes, loans and receivers that overwrite what they may', () => {
    const random = new SeededRandom('frame queue')
    const packet = new Packet()
    for (let round = 0; round < 12; round++) {
      const limit = 2000 + random.below(60_000)
      const queue = new FrameQueue(limit)
      const twin: Uint8Array[] = []
      let bytes = 0
      let lent: { packet: Packet; start: number; expected: Uint8Array } | null = null
      for (let step = 0; step < 2000; step++) {
        // Long phases of more pushing than taking, and the other way round, so that the ring wraps,
        // grows and runs empty.
        const filling = (step >> 7) % 2 === 0
        if (random.below(10) < (filling ? 7 : 3)) {
          const frame = pattern(random.below(10) === 0 ? random.below(9000) : random.below(900), random.below(256))
          const fits = twin.length === 0 || bytes + 12 + frame.length <= limit
          packet.load(frame)
          // One of three is handed over with its packet.
          const isTaken =
            random.below(3) === 0
              ? queue.keep(spareCopyOf(packet), ChecksumState.None)
              : queue.push(packet, ChecksumState.None)
          expect(isTaken).toBe(fits)
          if (fits) {
            twin.push(frame)
            bytes += 12 + frame.length
          }
          // The loan outlives a push, also one that makes the ring grow.
          if (lent !== null)
            expect(same(lent.packet.bytes.subarray(lent.start, lent.start + lent.expected.length), lent.expected)).toBe(
              true,
            )
        } else {
          const taken = queue.next()
          const expected = twin.shift()
          expect(taken === null).toBe(expected === undefined)
          lent = null
          if (taken !== null && expected !== undefined) {
            expect(same(taken.copy(), expected)).toBe(true)
            bytes -= 12 + expected.length
            expect(taken.start).toBeGreaterThanOrEqual(HEADROOM)
            taken.bytes.fill(0xdd, taken.start - HEADROOM, taken.start)
            lent = { packet: taken, start: taken.start, expected }
          }
        }
        expect(queue.length).toBe(twin.length)
      }
    }
  })

  it('takes one frame that is longer than its limit, so that no sender waits for ever', () => {
    const queue = new FrameQueue(100)
    const packet = new Packet().load(pattern(200, 1))
    expect(queue.push(packet, ChecksumState.None)).toBe(true)
    expect(queue.push(packet, ChecksumState.None)).toBe(false)
    expect(queue.next()?.copy()).toEqual(pattern(200, 1))
    expect(queue.push(packet, ChecksumState.None)).toBe(true)
  })

  it('is empty after clear, and usable', () => {
    const queue = new FrameQueue(1000)
    queue.push(new Packet().load(pattern(500, 1)), ChecksumState.None)
    queue.clear()
    expect(queue.next()).toBe(null)
    expect(queue.push(new Packet().load(pattern(900, 2)), ChecksumState.None)).toBe(true)
    expect(queue.next()?.copy()).toEqual(pattern(900, 2))
  })

  it('lends a packet that it keeps with what links say of it, and gives it back to the stock', () => {
    const queue = new FrameQueue(1000)
    const packet = spareCopyOf(new Packet().load(pattern(600, 1)))
    Object.assign(packet, { cast: 3, trace: 0xffff_fffe, nic: 7, looped: 1, segmentLength: 100 })
    expect(queue.keep(packet, ChecksumState.Partial)).toBe(true)
    expect(queue.next()).toBe(packet)
    const { cast, trace, nic, looped, segmentLength, checksumState } = packet
    expect([cast, trace, nic, looped, segmentLength, checksumState]).toEqual([3, 0xffff_fffe, 7, 0, 100, 2])
    const next = new Packet().load(pattern(100, 2))
    expect(spareCopyOf(next)).not.toBe(packet)
    queue.release()
    expect(spareCopyOf(next)).toBe(packet)
  })

  it('copies short frames behind many, whose packets would hold many times their bytes', () => {
    const queue = new FrameQueue(1_000_000)
    const frame = (i: number) => new Packet().load(pattern(i % 3 === 0 ? 60 : 512, i))
    for (let i = 0; i < 64; i++) queue.keep(spareCopyOf(frame(i)), ChecksumState.None)
    const packet = spareCopyOf(frame(64))
    expect(queue.keep(packet, ChecksumState.None)).toBe(true)
    expect(spareCopyOf(frame(65))).toBe(packet)
    // Long ones too while there are copies, whose turn is later.
    const long = spareCopyOf(new Packet().load(pattern(600, 65)))
    expect(queue.keep(long, ChecksumState.None)).toBe(true)
    for (let i = 0; i < 65; i++) expect(queue.next()?.copy()).toEqual(frame(i).copy())
    expect(queue.next()?.copy()).toEqual(pattern(600, 65))
    expect(queue.next()).toBe(null)
    const next = spareCopyOf(frame(66))
    queue.keep(next, ChecksumState.None)
    expect(queue.next()).toBe(next)
  })

  it('leaves a packet on loan to its reader when it is cleared', () => {
    const queue = new FrameQueue(1000)
    const packet = spareCopyOf(new Packet().load(pattern(600, 1)))
    queue.keep(packet, ChecksumState.None)
    const lent = queue.next()
    queue.clear()
    queue.release()
    expect(spareCopyOf(new Packet().load(pattern(600, 2)))).not.toBe(lent)
    expect(lent?.copy()).toEqual(pattern(600, 1))
  })
})
