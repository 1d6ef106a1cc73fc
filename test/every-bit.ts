/** A checksum that covers every bit. */
import { expect } from 'vitest'
import { Drop } from '../src/base/drop.ts'
import type { Packet } from '../src/base/packet.ts'

/**
 * Any bit of the message, and of the pseudo-header in IPv6, flipped alone makes the checksum wrong.
 */
export function everyBitCounts(packet: Packet, parse: (packet: Packet) => Drop, from = packet.transport): void {
  for (let at = from; at < packet.end; at++) {
    const bit = 1 << (at & 7)
    packet.bytes[at] = (packet.bytes[at] as number) ^ bit
    expect(parse(packet), `byte ${at - packet.transport}`).toBe(Drop.IcmpChecksum)
    packet.bytes[at] = (packet.bytes[at] as number) ^ bit
  }
  expect(parse(packet)).toBe(Drop.None)
}
