/** ARP on the wire: what Linux sent and tshark reads. */
import { describe, expect, test } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { HEADROOM } from '../../src/base/packet.ts'
import * as arp from '../../src/wire/arp.ts'
import { formatHardwareAddress } from '../../src/wire/hardware-address.ts'
import { dirtyPackets } from '../dirty.ts'
import { having, ip4, load } from '../vectors/frames.ts'
import type { Vector } from '../vectors/read.ts'

describe.each(having('arp.opcode'))('ARP: $name', (each: Vector) => {
  test('every field is read', () => {
    const packet = load(each)
    expect(arp.parse(packet)).toBe(Drop.None)
    const { view, start } = packet
    expect(arp.operation(view, start)).toBe(each.number('arp.opcode'))
    expect(formatHardwareAddress(arp.senderHigh(view, start), arp.senderLow(view, start))).toBe(
      each.text('arp.src.hw_mac'),
    )
    expect(ip4(arp.sender(view, start))).toBe(each.text('arp.src.proto_ipv4'))
    expect(formatHardwareAddress(arp.targetHigh(view, start), arp.targetLow(view, start))).toBe(
      each.text('arp.dst.hw_mac'),
    )
    expect(ip4(arp.target(view, start))).toBe(each.text('arp.dst.proto_ipv4'))
  })

  test('and written, into whatever was there before', () => {
    const { view, start } = load(each)
    for (const dirty of dirtyPackets()) {
      arp.encode(
        dirty.view,
        HEADROOM,
        arp.operation(view, start),
        arp.senderHigh(view, start),
        arp.senderLow(view, start),
        arp.sender(view, start),
        arp.targetHigh(view, start),
        arp.targetLow(view, start),
        arp.target(view, start),
      )
      expect(dirty.bytes.slice(HEADROOM, HEADROOM + arp.LENGTH)).toEqual(each.bytes.slice(14, 14 + arp.LENGTH))
    }
  })

  test('no truncation and no other type, size or operation passes', () => {
    for (let length = 0; length < arp.LENGTH; length++) {
      const packet = load(each)
      packet.end = packet.start + length
      expect(arp.parse(packet)).toBe(Drop.ArpMalformed)
    }
    for (const [at, value] of [
      [1, 6],
      [2, 0x86],
      [4, 8],
      [5, 16],
      [7, 0],
      [7, 3],
      [6, 1],
    ] as const) {
      const packet = load(each)
      packet.bytes[packet.start + at] = value
      expect(arp.parse(packet), `byte ${at}`).toBe(Drop.ArpMalformed)
    }
  })

  test('a sender that is a group, in either of its addresses, is refused', () => {
    const hardware = load(each)
    hardware.bytes[hardware.start + 8] = 1
    expect(arp.parse(hardware)).toBe(Drop.ArpMalformed)
    for (const first of [224, 255, 127]) {
      const protocol = load(each)
      protocol.bytes[protocol.start + 14] = first
      expect(arp.parse(protocol)).toBe(Drop.ArpMalformed)
    }
  })
})
