import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checksum, finish, fold, sum, sumLong, update, verify } from '../../src/base/checksum.ts'
import { SIMD_FROM, simd } from '../../src/base/checksum-simd.ts'
import { MAX_PACKET, Packet } from '../../src/base/packet.ts'
import { slowChecksum } from '../twins/checksum.ts'

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const seeded = { seed: 1071, numRuns: 300 }

describe('the Internet checksum', () => {
  test('the Internet checksum of the example in RFC 1071 section 3', () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7)
    expect(fold(sum(viewOf(bytes), 0, 8, 0))).toBe(0xddf2)
    expect(checksum(viewOf(bytes), 0, 8)).toBe(0x220d)
  })

  test('the Internet checksum of nothing is 0xffff, and of zeros too', () => {
    expect(checksum(viewOf(new Uint8Array(8)), 3, 3)).toBe(0xffff)
    expect(checksum(viewOf(new Uint8Array(8)), 0, 8)).toBe(0xffff)
  })

  test('the Internet checksum takes an odd last byte as the high byte of a pair', () => {
    expect(checksum(viewOf(Uint8Array.of(0x12)), 0, 1)).toBe(0xffff - 0x1200)
  })

  test('the Internet checksum is that of the slow twin, for every length and offset', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, at) => (at * 151 + 7) & 255)
    for (let start = 0; start < 20; start++)
      for (let end = start; end <= bytes.length; end++)
        expect(checksum(viewOf(bytes), start, end), `${start} to ${end}`).toBe(slowChecksum(bytes.subarray(start, end)))
  })

  test('the Internet checksum is that of the slow twin, for random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(40), (bytes, offset) => {
        const start = Math.min(offset, bytes.length)
        expect(checksum(viewOf(bytes), start, bytes.length)).toBe(slowChecksum(bytes.subarray(start)))
      }),
      seeded,
    )
  })

  test(
    'the Internet checksum is that of the slow twin by vector instructions too, for every remainder and ' + 'offset',
    () => {
      expect(simd).toBe(true)
      const packet = new Packet(SIMD_FROM + 200)
      const { bytes } = packet
      bytes.set(bytes.map((_, at) => (at * 151 + 7) & 255))
      for (let start = 0; start < 40; start++)
        for (let end = SIMD_FROM - 4; end <= bytes.length; end++)
          expect(finish(sumLong(packet, start, end, 0)), `${start} to ${end}`).toBe(
            slowChecksum(bytes.subarray(start, end)),
          )
    },
  )

  test('the Internet checksum by vector instructions goes on from a sum of what lies before', () => {
    const packet = new Packet(2000)
    const { bytes, view } = packet
    bytes.set(bytes.map((_, at) => (at * 151 + 7) & 255))
    expect(finish(sumLong(packet, 8, 1999, sum(view, 0, 8, 0)))).toBe(slowChecksum(bytes.subarray(0, 1999)))
  })

  test.each([65_535, MAX_PACKET, 131_072])('the Internet checksum does not overflow on %i bytes of ones', (length) => {
    const packet = new Packet(length)
    packet.bytes.fill(0xff)
    expect(checksum(packet.view, 0, length)).toBe(slowChecksum(packet.bytes))
    if (length <= MAX_PACKET) expect(finish(sumLong(packet, 0, length, 0))).toBe(slowChecksum(packet.bytes))
  })

  test('the Internet checksum is the same where WebAssembly is missing', () => {
    const script = `
      const { finish, sumLong } = await import('./dist/base/checksum.js')
      const { simd } = await import('./dist/base/checksum-simd.js')
      const { Packet } = await import('./dist/base/packet.js')
      const packet = new Packet(3000)
      for (let at = 0; at < 3000; at++) packet.bytes[at] = at * 151 + 7
      console.log(simd, finish(sumLong(packet, 1, 2998, 0)))`
    const run = (...flags: string[]) =>
      execFileSync(process.execPath, [...flags, '--input-type=module', '-e', script], { encoding: 'utf8' }).trim()
    const expected = slowChecksum(Uint8Array.from({ length: 3000 }, (_, at) => (at * 151 + 7) & 255).subarray(1, 2998))
    expect(run()).toBe(`true ${expected}`)
    expect(run('--jitless')).toBe(`false ${expected}`)
  })

  test('the Internet checksum may be summed in parts, as long as they begin at even offsets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(100), (bytes, half) => {
        const middle = Math.min(half * 2, bytes.length & ~1)
        const view = viewOf(bytes)
        expect(finish(sum(view, middle, bytes.length, sum(view, 0, middle, 0)))).toBe(slowChecksum(bytes))
      }),
      seeded,
    )
  })

  test('the Internet checksum is verified with the field in place, and any changed bit is noticed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 100 }), fc.nat(), (bytes, choice) => {
        const view = viewOf(bytes)
        view.setUint16(2, 0)
        view.setUint16(2, slowChecksum(bytes))
        expect(verify(view, 0, bytes.length, 0)).toBe(true)
        const bit = choice % (bytes.length * 8)
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(verify(view, 0, bytes.length, 0)).toBe(false)
      }),
      seeded,
    )
  })

  test('0x0000 and 0xffff are the same in a field', () => {
    const bytes = Uint8Array.of(0x00, 0x00, 0x00, 0x00)
    expect(verify(viewOf(bytes), 0, 4, 0)).toBe(true)
    bytes.set([0xff, 0xff])
    expect(verify(viewOf(bytes), 0, 4, 0)).toBe(true)
    bytes.set([0xff, 0xfe])
    expect(verify(viewOf(bytes), 0, 4, 0)).toBe(false)
  })
})

describe('fold', () => {
  test('fold adds the carries back, for every sum below 2^32', () => {
    expect(fold(0)).toBe(0)
    expect(fold(0xffff)).toBe(0xffff)
    expect(fold(0x1_0000)).toBe(1)
    expect(fold(0xffff_ffff)).toBe(0xffff)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), (total) => {
        // One's complement arithmetic is arithmetic modulo 65535 in which a sum that is not 0 never
        // becomes 0.
        expect(fold(total)).toBe(total % 65535 || 65535)
      }),
      seeded,
    )
  })
})

describe('the incremental update of RFC 1624', () => {
  test('the incremental update of RFC 1624 gives the example of section 4: 0xDD2F, 0x5555 to 0x3285, is 0x0000', () => {
    expect(update(0xdd2f, 0x5555, 0x3285)).toBe(0x0000)
  })

  test('the incremental update of RFC 1624 is the checksum computed anew, whichever word changes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 40 }), fc.nat(), fc.nat(0xffff), (bytes, choice, word) => {
        const at = (choice % (bytes.length >> 1)) * 2
        const view = viewOf(bytes)
        const before = slowChecksum(bytes)
        const old = view.getUint16(at)
        view.setUint16(at, word)
        // A message of zeros alone is the one case where the two may differ: 0x0000 for 0xffff.
        fc.pre(bytes.some((byte) => byte !== 0))
        expect(update(before, old, word)).toBe(slowChecksum(bytes))
      }),
      seeded,
    )
  })

  test(
    'the incremental update of RFC 1624 of a word that stays as it is leaves the checksum alone, 0x0000 and ' +
      '0xffff apart',
    () => {
      for (const word of [0x0000, 0x0001, 0x7fff, 0x8000, 0xfffe, 0xffff])
        for (let field = 1; field < 0xffff; field += 97) expect(update(field, word, word)).toBe(field)
      expect([0x0000, 0xffff]).toContain(update(0xffff, 0x1234, 0x1234))
      expect([0x0000, 0xffff]).toContain(update(0x0000, 0x1234, 0x1234))
    },
  )

  test('the incremental update of RFC 1624 follows a TTL down from 255 to 0', () => {
    const header = Uint8Array.from(Buffer.from('45000073000040004011b861c0a80001c0a800c7', 'hex'))
    header[8] = 255
    const view = viewOf(header)
    view.setUint16(10, 0)
    view.setUint16(10, slowChecksum(header))
    for (let ttl = 254; ttl >= 0; ttl--) {
      const old = view.getUint16(8)
      view.setUint8(8, ttl)
      view.setUint16(10, update(view.getUint16(10), old, view.getUint16(8)))
      expect(verify(view, 0, 20, 0), `TTL ${ttl}`).toBe(true)
    }
  })
})
