import { describe, expect, test } from 'vitest'
import { Cast, ChecksumState, copyBytes, HEADROOM, MAX_PACKET, Packet } from '../../src/base/packet.ts'

describe('a packet', () => {
  test('a packet holds the largest packet behind the headroom, in a buffer of its own', () => {
    const packet = new Packet()
    expect(packet.bytes.length).toBe(HEADROOM + MAX_PACKET)
    expect(packet.bytes.buffer.byteLength).toBe(HEADROOM + MAX_PACKET)
    expect(packet.view.buffer).toBe(packet.bytes.buffer)
    expect(packet.view.byteOffset).toBe(0)
    expect(new Packet(10).bytes.length).toBe(10)
  })

  test('a packet is loaded with a copy of bytes, and copied out again', () => {
    const packet = new Packet(HEADROOM + 8)
    const bytes = Uint8Array.of(1, 2, 3)
    packet.load(bytes)
    bytes[0] = 9
    expect([packet.start, packet.end, packet.length]).toEqual([HEADROOM, HEADROOM + 3, 3])
    const copy = packet.copy()
    packet.bytes[HEADROOM] = 7
    expect([...copy]).toEqual([1, 2, 3])
  })

  test('a packet has windows on its bytes, the same one for the same bounds', () => {
    const packet = new Packet(2000)
    packet.bytes.set(packet.bytes.map((_, at) => at * 7))
    for (let round = 0; round < 2; round++)
      for (let start = 0; start < 900; start += 3)
        for (const end of [start, start + 1, 1500, 2000])
          expect(Buffer.compare(packet.window(start, end), packet.bytes.slice(start, end)), `${start} to ${end}`).toBe(
            0,
          )
    expect(packet.window(100, 200)).toBe(packet.window(100, 200))
    packet.bytes[100] = 99
    expect(packet.window(100, 200)[0]).toBe(99)
  })

  test('a packet gives bytes to another one, of any length to any place', () => {
    const from = new Packet(1000)
    from.bytes.set(from.bytes.map((_, at) => at * 7))
    for (let length = 0; length <= 400; length++) {
      const start = length % 5
      const at = length % 7
      const to = new Packet(1000)
      copyBytes(from, start, to, at, length)
      const expected = new Uint8Array(1000)
      expected.set(from.bytes.subarray(start, start + length), at)
      expect(Buffer.compare(to.bytes, expected), `${length} bytes`).toBe(0)
    }
  })

  test('a packet forgets what the link said of the frame before', () => {
    const packet = new Packet(HEADROOM + 8)
    packet.cast = Cast.Broadcast
    packet.checksumState = ChecksumState.Verified
    packet.nic = 3
    packet.looped = 1
    packet.trace = 5
    packet.load(Uint8Array.of(1))
    expect(packet).toMatchObject({ cast: Cast.Unicast, checksumState: ChecksumState.None, nic: 0, looped: 0, trace: 0 })
  })
})
