import { describe, expect, test } from 'vitest'
import { Cast, ChecksumState, HEADROOM, MAX_PACKET, Packet } from '../../src/base/packet.ts'

describe('a packet', () => {
  test('holds the largest packet behind the headroom, in a buffer of its own', () => {
    const packet = new Packet()
    expect(packet.bytes.length).toBe(HEADROOM + MAX_PACKET)
    expect(packet.bytes.buffer.byteLength).toBe(HEADROOM + MAX_PACKET)
    expect(packet.view.buffer).toBe(packet.bytes.buffer)
    expect(packet.view.byteOffset).toBe(0)
    expect(new Packet(10).bytes.length).toBe(10)
  })

  test('is loaded with a copy of bytes, and copied out again', () => {
    const packet = new Packet(HEADROOM + 8)
    const bytes = Uint8Array.of(1, 2, 3)
    packet.load(bytes)
    bytes[0] = 9
    expect([packet.start, packet.end, packet.length]).toEqual([HEADROOM, HEADROOM + 3, 3])
    const copy = packet.copy()
    packet.bytes[HEADROOM] = 7
    expect([...copy]).toEqual([1, 2, 3])
  })

  test('forgets what the link said of the frame before', () => {
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
