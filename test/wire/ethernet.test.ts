import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { Drop } from '../../src/base/drop.ts'
import { Cast, HEADROOM, Packet } from '../../src/base/packet.ts'
import * as ethernet from '../../src/wire/ethernet.ts'
import { formatHardwareAddress } from '../../src/wire/hardware-address.ts'
import { dirtyPackets } from '../dirty.ts'
import { readVectors, type Vector } from '../vectors/read.ts'

const vectors = readVectors('ethernet')
const own = { high: 0x0200, low: 1 }

describe.each(vectors)('the Ethernet codec reads as tshark does: $name', (each: Vector) => {
  test('the Ethernet codec reads every field as tshark does', () => {
    const { view } = new Packet().load(each.bytes)
    const text = (high: number, low: number) => formatHardwareAddress(high, low)
    expect(text(ethernet.destinationHigh(view, HEADROOM), ethernet.destinationLow(view, HEADROOM))).toBe(
      each.text('eth.dst'),
    )
    expect(text(ethernet.sourceHigh(view, HEADROOM), ethernet.sourceLow(view, HEADROOM))).toBe(each.text('eth.src'))
    expect(ethernet.type(view, HEADROOM)).toBe(each.number('eth.type'))
  })

  test('the Ethernet codec encodes the same bytes into whatever was there before', () => {
    const { view: from } = new Packet().load(each.bytes)
    for (const dirty of dirtyPackets()) {
      const before = dirty.bytes[HEADROOM - 1]
      ethernet.encode(
        dirty.view,
        HEADROOM,
        ethernet.destinationHigh(from, HEADROOM),
        ethernet.destinationLow(from, HEADROOM),
        ethernet.sourceHigh(from, HEADROOM),
        ethernet.sourceLow(from, HEADROOM),
        ethernet.type(from, HEADROOM),
      )
      expect(dirty.bytes.slice(HEADROOM, HEADROOM + 14)).toEqual(each.bytes.slice(0, 14))
      expect(dirty.bytes[HEADROOM - 1]).toBe(before)
    }
  })

  test('no truncation passes the Ethernet header', () => {
    for (let length = 0; length < ethernet.HEADER; length++) {
      const packet = new Packet().load(each.bytes.subarray(0, length))
      expect(ethernet.parse(packet, own.high, own.low)).toBe(Drop.FrameTooShort)
    }
  })

  test('the group address is the one its IP destination asks for (RFC 1112 section 6.4, RFC 2464 section 7)', () => {
    const { view } = new Packet().load(each.bytes)
    const group = Address.tryParse(each.text('ip.dst') || each.text('ipv6.dst'))
    if (group?.isMulticast !== true) return
    const four = group.family === 4
    expect(ethernet.destinationHigh(view, HEADROOM)).toBe(four ? ethernet.GROUP4_HIGH : ethernet.GROUP6_HIGH)
    expect(ethernet.destinationLow(view, HEADROOM)).toBe(four ? ethernet.group4Low(group.w3) : group.w3)
  })
})

describe('a frame', () => {
  const to = (destination: string, type = '0800') => {
    const text = `${destination}020000000002${type}45`
    return new Packet().load(Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
  }
  const parse = (packet: Packet) => ethernet.parse(packet, own.high, own.low)

  test('a frame for us, for a group and for all is told apart, and its header is stepped over', () => {
    for (const [destination, cast] of [
      ['020000000001', Cast.Unicast],
      ['01005e000001', Cast.Multicast],
      ['333300000001', Cast.Multicast],
      ['ffffffffffff', Cast.Broadcast],
    ] as const) {
      const packet = to(destination)
      expect(parse(packet)).toBe(Drop.None)
      expect(packet.cast).toBe(cast)
      expect(packet.start).toBe(HEADROOM + 14)
    }
  })

  test('a frame for another station is refused, and so are one of a neighboring address and the null address', () => {
    for (const destination of ['020000000002', '020000000101', '020100000001', '000000000000']) {
      const packet = to(destination)
      expect(parse(packet)).toBe(Drop.FrameOtherHost)
      expect(packet.cast).toBe(Cast.OtherHost)
    }
  })

  test.each(['8100', '88a8'])(
    'with a priority tag %s is taken as untagged, and so is one with two of them (Linux)',
    (tag) => {
      for (const tags of [`${tag}0000`, `${tag}e000`, `${tag}f000`, `${tag}e0008100a000`]) {
        const packet = to('020000000001', `${tags}0800`)
        expect(parse(packet)).toBe(Drop.None)
        expect(packet.start).toBe(HEADROOM + 14 + tags.length / 2)
      }
      expect(parse(to('020000000001', `${tag}a00088cc`))).toBe(Drop.FrameUnknownType)
      for (const cut of [tag, `${tag}00`, `${tag}0000`, `${tag}000008`]) {
        const whole = to('020000000001', '')
        const packet = new Packet().load(whole.bytes.slice(whole.start, whole.start + 12))
        packet.load(
          Uint8Array.from([
            ...whole.bytes.slice(whole.start, whole.start + 12),
            ...(cut.match(/../g) as string[]).map((pair) => Number.parseInt(pair, 16)),
          ]),
        )
        expect(parse(packet)).toBe(Drop.FrameTooShort)
      }
    },
  )

  test('a frame of a VLAN, or of a type nobody here speaks, is refused by name', () => {
    for (const tags of ['81000001', '88a80fff', '8100e005', '8100000081000001', '88a8e0008100e005'])
      expect(parse(to('020000000001', `${tags}0800`))).toBe(Drop.FrameVlanTagged)
    expect(parse(to('020000000001', '88cc'))).toBe(Drop.FrameUnknownType)
    // IEEE 802.3: a length in place of a type.
    expect(parse(to('020000000001', '0026'))).toBe(Drop.FrameUnknownType)
    for (const type of ['0800', '0806', '86dd']) expect(parse(to('020000000001', type))).toBe(Drop.None)
  })
})

describe('hardware addresses of groups', () => {
  test('hardware addresses of groups keep only 23 bits of an IPv4 group', () => {
    expect(ethernet.group4Low(Address.parse('224.128.2.3').w3)).toBe(ethernet.group4Low(Address.parse('239.0.2.3').w3))
    expect(formatHardwareAddress(ethernet.GROUP4_HIGH, ethernet.group4Low(Address.parse('239.255.255.255').w3))).toBe(
      '01:00:5e:7f:ff:ff',
    )
  })
})
