/** Neighbor Discovery on the wire: what Linux sent and tshark reads. */
import { describe, expect, test } from 'vitest'
import { formatWords } from '../../src/base/address.ts'
import { Drop } from '../../src/base/drop.ts'
import type { Packet } from '../../src/base/packet.ts'
import { formatHardwareAddress } from '../../src/wire/hardware-address.ts'
import * as icmpv6 from '../../src/wire/icmpv6.ts'
import * as ndp from '../../src/wire/ndp.ts'
import { frames, having, load6 } from '../vectors/frames.ts'
import { type Vector, vector } from '../vectors/read.ts'

const target = (view: DataView, at: number) =>
  formatWords(ndp.target(view, at, 0), ndp.target(view, at, 1), ndp.target(view, at, 2), ndp.target(view, at, 3))

describe.each(having('icmpv6.type').filter((each) => [133, 135, 136].includes(each.number('icmpv6.type'))))(
  'ND: $name',
  (each: Vector) => {
    test('every field is read', () => {
      const packet = load6(each)
      expect(ndp.parse(packet)).toBe(Drop.None)
      const { view, transport } = packet
      const kind = icmpv6.type(view, transport)
      if (kind !== ndp.ROUTER_SOLICITATION)
        expect(target(view, transport)).toBe(
          each.text('icmpv6.nd.ns.target_address') || each.text('icmpv6.nd.na.target_address'),
        )
      if (kind === ndp.NEIGHBOR_ADVERTISEMENT) {
        const flags = ndp.flags(view, transport)
        expect(
          [flags & ndp.ROUTER, flags & ndp.SOLICITED, flags & ndp.OVERRIDE].map((bit) => (bit === 0 ? 0 : 1)),
        ).toEqual([
          each.number('icmpv6.nd.na.flag.r'),
          each.number('icmpv6.nd.na.flag.s'),
          each.number('icmpv6.nd.na.flag.o'),
        ])
      }
      const type = kind === ndp.NEIGHBOR_ADVERTISEMENT ? ndp.TARGET_LINK_ADDRESS : ndp.SOURCE_LINK_ADDRESS
      const option = ndp.findOption(packet, type, 8)
      const found =
        option === 0 ? '' : formatHardwareAddress(ndp.linkAddressHigh(view, option), ndp.linkAddressLow(view, option))
      expect(found).toBe(each.text('icmpv6.opt.linkaddr'))
    })

    test('no truncation passes, nor a hop limit of 254, nor another code, nor one that came in a fragment', () => {
      const whole = load6(each)
      const length = whole.end - whole.transport
      for (let short = 8; short < length; short++) {
        const packet = load6(each)
        packet.end = packet.transport + short
        // Cut in front of the options it is a whole message again.
        const header = icmpv6.type(packet.view, packet.transport) === ndp.ROUTER_SOLICITATION ? 8 : 24
        expect(ndp.parse(packet), `${short} bytes`).toBe(short === header ? Drop.None : Drop.NdMalformed)
      }
      const far = load6(each)
      far.hopLimit = 254
      expect(ndp.parse(far)).toBe(Drop.NdMalformed)
      const code = load6(each)
      code.bytes[code.transport + 1] = 1
      expect(ndp.parse(code)).toBe(Drop.NdMalformed)
      const fragment = load6(each)
      fragment.fragmentHeader = fragment.transport
      expect(ndp.parse(fragment)).toBe(Drop.NdMalformed)
    })
  },
)

describe('ND messages that no state is needed to refuse (RFC 4861 sections 6.1, 7.1)', () => {
  const solicitation = vector(frames, 'neighbor solicitation for an address')
  const detection = vector(frames, 'neighbor solicitation of duplicate address detection')
  const answer = vector(frames, 'neighbor advertisement that answers it')
  const router = vector(frames, 'router solicitation')

  const parse = (each: Vector, change: (packet: Packet) => void): Drop => {
    const packet = load6(each)
    change(packet)
    return ndp.parse(packet)
  }

  test('an option of length 0, or one that ends behind the message', () => {
    expect(parse(solicitation, ({ bytes, transport }) => (bytes[transport + 25] = 0))).toBe(Drop.NdMalformed)
    expect(parse(solicitation, ({ bytes, transport }) => (bytes[transport + 25] = 2))).toBe(Drop.NdMalformed)
  })

  test('a multicast target', () => {
    for (const each of [solicitation, answer])
      expect(parse(each, ({ bytes, transport }) => (bytes[transport + 8] = 0xff))).toBe(Drop.NdMalformed)
  })

  test('a solicitation from nobody that is not for the solicited-node group, or that tells a hardware address', () => {
    expect(parse(detection, (packet) => (packet.d3 = 1))).toBe(Drop.NdMalformed)
    expect(parse(detection, ({ bytes, transport }) => (bytes[transport + 24] = ndp.SOURCE_LINK_ADDRESS))).toBe(
      Drop.NdMalformed,
    )
    const fromNobody = (packet: Packet) => {
      packet.s0 = packet.s1 = packet.s2 = packet.s3 = 0
    }
    expect(parse(router, fromNobody)).toBe(Drop.NdMalformed)
  })

  test('a solicited advertisement to a group', () => {
    expect(parse(answer, (packet) => (packet.d0 = 0xff020000 | 0))).toBe(Drop.NdMalformed)
  })

  test('a router advertisement or a redirect that is not from a link-local address', () => {
    for (const type of [ndp.ROUTER_ADVERTISEMENT, ndp.REDIRECT]) {
      const change = (packet: Packet) => {
        packet.bytes[packet.transport] = type
        packet.end = packet.transport + (type === ndp.REDIRECT ? 40 : 16)
        // The destination of the redirect is its target: it is on the link.
        packet.bytes.copyWithin(packet.transport + 24, packet.transport + 8, packet.transport + 24)
      }
      expect(parse(solicitation, change)).toBe(Drop.NdMalformed)
      const linkLocal = (packet: Packet) => {
        change(packet)
        packet.s0 = 0xfe800000 | 0
      }
      expect(parse(solicitation, linkLocal)).toBe(Drop.None)
    }
  })
})
