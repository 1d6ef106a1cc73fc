/** ARP, Neighbor Discovery, IGMP and MLD on the wire: what Linux sent and tshark reads. */
import { describe, expect, test } from 'vitest'
import { Address, formatWords } from '../../src/base/address.ts'
import { Drop } from '../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../src/base/packet.ts'
import * as arp from '../../src/wire/arp.ts'
import { formatHardwareAddress } from '../../src/wire/hardware-address.ts'
import * as icmpv6 from '../../src/wire/icmpv6.ts'
import * as igmp from '../../src/wire/igmp.ts'
import * as ipv4 from '../../src/wire/ipv4.ts'
import * as ipv6 from '../../src/wire/ipv6.ts'
import * as mld from '../../src/wire/mld.ts'
import * as ndp from '../../src/wire/ndp.ts'
import { dirtyPackets } from '../dirty.ts'
import { readVectors, type Vector, vector } from '../vectors/read.ts'

const vectors = readVectors('ethernet')
const having = (field: string) => vectors.filter((each) => each.text(field) !== '')
const ip4 = (word: number) => formatWords(0, 0, 0xffff, word)

/** Behind the Ethernet header. */
function load(each: Vector): Packet {
  const packet = new Packet().load(each.bytes)
  packet.start += 14
  return packet
}

function load4(each: Vector): Packet {
  const packet = load(each)
  expect(ipv4.parse(packet)).toBe(Drop.None)
  return packet
}

function load6(each: Vector): Packet {
  const packet = load(each)
  expect(ipv6.parse(packet)).toBe(Drop.None)
  expect(ipv6.walk(packet)).toBe(Drop.None)
  expect(icmpv6.parse(packet)).toBe(Drop.None)
  return packet
}

const target = (view: DataView, at: number) =>
  formatWords(ndp.target(view, at, 0), ndp.target(view, at, 1), ndp.target(view, at, 2), ndp.target(view, at, 3))

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
  const solicitation = vector(vectors, 'neighbor solicitation for an address')
  const detection = vector(vectors, 'neighbor solicitation of duplicate address detection')
  const answer = vector(vectors, 'neighbor advertisement that answers it')
  const router = vector(vectors, 'router solicitation')

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

const igmpVectors = having('igmp.type')

describe.each(igmpVectors)('IGMP: $name', (each: Vector) => {
  const lists = (field: string) => (each.text(field) === '' ? [] : each.text(field).split(','))

  test('every field is read', () => {
    const packet = load4(each)
    expect(igmp.parse(packet)).toBe(Drop.None)
    const { view, transport, end } = packet
    expect(igmp.type(view, transport)).toBe(each.number('igmp.type'))
    if (each.number('igmp.type') === igmp.REPORT_V3) return
    expect(ip4(igmp.group(view, transport))).toBe(each.text('igmp.maddr'))
    if (each.number('igmp.type') !== igmp.QUERY) return
    const version = igmp.queryVersion(view, transport, end)
    expect(version).toBe(each.number('igmp.version'))
    expect(igmp.maxResponse(view, transport, version)).toBe(each.number('igmp.max_resp') * 100)
    if (version < 3) return
    expect(igmp.robustness(view, transport)).toBe(each.number('igmp.qrv'))
    expect(igmp.queryInterval(view, transport)).toBe(each.number('igmp.qqic') * 1000)
    expect(igmp.sourceCount(view, transport)).toBe(each.number('igmp.num_src'))
    expect(lists('igmp.saddr')).toEqual(
      Array.from({ length: igmp.sourceCount(view, transport) }, (_, index) => ip4(igmp.source(view, transport, index))),
    )
  })

  test('and reports are written, into whatever was there before', () => {
    const type = each.number('igmp.type')
    if (type === igmp.QUERY) return
    const groups = lists('igmp.maddr').map(Address.parse)
    for (const dirty of dirtyPackets()) {
      let end = HEADROOM + igmp.HEADER
      if (type !== igmp.REPORT_V3) igmp.encode(dirty.view, HEADROOM, type, groups[0] as Address)
      else {
        const sources = lists('igmp.saddr').map(Address.parse)
        groups.forEach((group, index) => {
          const own = sources.splice(0, Number(lists('igmp.num_src')[index]))
          end = igmp.encodeRecord(dirty.view, end, Number(lists('igmp.record_type')[index]), group, own)
        })
        igmp.encodeReport(dirty.view, HEADROOM, end, groups.length)
      }
      expect(dirty.bytes.slice(HEADROOM, end)).toEqual(each.bytes.slice(14 + 24))
    }
  })

  test('no truncation passes, and no flipped bit', () => {
    const whole = load4(each)
    for (let length = 0; length < whole.end - whole.transport; length++) {
      const packet = load4(each)
      packet.end = packet.transport + length
      expect(igmp.parse(packet), `${length} bytes`).toBe(Drop.GroupReportMalformed)
    }
    for (let at = whole.transport; at < whole.end; at++) {
      whole.bytes[at] = (whole.bytes[at] as number) ^ 4
      expect(igmp.parse(whole)).toBe(Drop.GroupReportMalformed)
      whole.bytes[at] = (whole.bytes[at] as number) ^ 4
    }
  })
})

describe.each(having('icmpv6.mld.multicast_address').concat(having('icmpv6.mldr.nb_mcast_records')))(
  'MLD: $name',
  (each: Vector) => {
    test('every field is read', () => {
      const packet = load6(each)
      expect(mld.parse(packet)).toBe(Drop.None)
      const { view, bytes, transport, end } = packet
      if (each.number('icmpv6.type') === mld.REPORT_V2) return
      const group = formatWords(
        mld.group(view, transport, 0),
        mld.group(view, transport, 1),
        mld.group(view, transport, 2),
        mld.group(view, transport, 3),
      )
      expect(group).toBe(each.text('icmpv6.mld.multicast_address'))
      if (each.number('icmpv6.type') !== mld.QUERY) return
      const version = mld.queryVersion(end, transport)
      expect(version).toBe(each.text('icmpv6.mld.nb_sources') === '' ? 1 : 2)
      const shown = each.text('icmpv6.mld.maximum_response_delay') || each.text('icmpv6.mld.maximum_response_code')
      expect(mld.maxResponse(view, transport, version)).toBe(Number(shown))
      if (version === 1) return
      expect(mld.robustness(view, transport)).toBe(each.number('icmpv6.mld.flag.qrv'))
      expect(mld.queryInterval(view, transport)).toBe(each.number('icmpv6.mld.qqi') * 1000)
      const source = mld.sourceAt(transport, 0)
      expect(Address.fromBytes(bytes.subarray(source, source + 16)).toString()).toBe(
        each.text('icmpv6.mld.source_address'),
      )
    })

    test('no truncation passes, nor hop limit 2, nor a missing router alert, nor a source beyond the link', () => {
      const whole = load6(each)
      for (let length = 8; length < whole.end - whole.transport; length++) {
        const packet = load6(each)
        packet.end = packet.transport + length
        // Cut to 24 bytes a query is one of version 1, and a version 2 report's records are the
        // routers' business.
        const isWhole =
          each.number('icmpv6.type') === mld.REPORT_V2 || (each.number('icmpv6.type') === mld.QUERY && length === 24)
        expect(mld.parse(packet), `${length} bytes`).toBe(isWhole ? Drop.None : Drop.GroupReportMalformed)
      }
      const far = load6(each)
      far.hopLimit = 2
      expect(mld.parse(far)).toBe(Drop.GroupReportMalformed)
      const silent = load6(each)
      silent.bytes[silent.network + 42] = 1
      silent.bytes.fill(0, silent.network + 44, silent.network + 46)
      expect(mld.parse(silent)).toBe(Drop.GroupReportMalformed)
      const forRsvp = load6(each)
      forRsvp.bytes[forRsvp.network + 45] = 1
      expect(mld.parse(forRsvp)).toBe(Drop.GroupReportMalformed)
      const global = load6(each)
      global.s0 = 0x20010db8
      expect(mld.parse(global)).toBe(Drop.GroupReportMalformed)
    })

    test('a query from nobody is refused, a report is not', () => {
      const packet = load6(each)
      packet.s0 = packet.s1 = packet.s2 = packet.s3 = 0
      expect(mld.parse(packet)).toBe(each.number('icmpv6.type') === mld.QUERY ? Drop.GroupReportMalformed : Drop.None)
    })
  },
)

describe('codes that stand for larger numbers', () => {
  test('IGMP: from 128 on a mantissa and an exponent (RFC 9776 section 4.1.1)', () => {
    expect([0, 127, 128, 0x8f, 0x90, 0xff].map(igmp.floatCode)).toEqual([0, 127, 128, 248, 256, 31_744])
  })

  test('MLD: from 32768 on (RFC 9777 section 5.1.3)', () => {
    const { view } = new Packet()
    const of = (code: number) => {
      view.setUint16(4, code)
      return mld.maxResponse(view, 0, 2)
    }
    expect([1, 32_767, 0x8000, 0x8fff, 0xffff].map(of)).toEqual([1, 32_767, 32_768, 65_528, 8_387_584])
  })

  test('IGMPv1 has none: ten seconds', () => {
    expect(igmp.maxResponse(new Packet().view, 0, 1)).toBe(10_000)
  })
})
