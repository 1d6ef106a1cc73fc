import { describe, expect, test } from 'vitest'
import { formatWords } from '../../src/base/address.ts'
import { Drop } from '../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../src/base/packet.ts'
import * as ipv6 from '../../src/wire/ipv6.ts'
import { dirtyPackets } from '../dirty.ts'
import { readVectors, vector } from '../vectors/read.ts'

const vectors = readVectors('ipv6')
const at = HEADROOM
const plain = vector(vectors, 'datagram of 5 bytes').bytes

/** The fixed header with a chain of extension headers, and `payload` behind it. */
function chain(
  first: number,
  headers: readonly (readonly number[])[],
  payload: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8],
): Packet {
  const body = [...headers.flat(), ...payload]
  const bytes = Uint8Array.from([...plain.subarray(0, 40), ...body])
  const view = new DataView(bytes.buffer)
  view.setUint16(4, body.length)
  view.setUint8(6, first)
  return new Packet().load(bytes)
}

function parseAll(packet: Packet): Drop {
  const drop = ipv6.parse(packet)
  return drop === Drop.None ? ipv6.walk(packet) : drop
}

/** Where a vector's upper layer begins: captured or built, each was looked at in tshark. */
const UPPER: Record<string, [protocol: number, transport: number]> = {
  'multicast listener report behind a hop-by-hop header with Router Alert': [58, 48],
  'datagram behind destination options that may be skipped': [17, 48],
  'datagram behind a hop-by-hop header with Router Alert': [17, 48],
  'datagram behind a segment routing header': [17, 64],
  'atomic fragment (RFC 6946)': [17, 48],
  'packet with No Next Header': [59, 40],
  'datagram behind hop-by-hop, destination options and routing headers, then destination options again': [17, 80],
  'datagram of 2048 bytes with hop-by-hop and destination options, first fragment': [17, 64],
  'datagram of 2048 bytes with hop-by-hop and destination options, last fragment': [17, 64],
}

describe.each(vectors)('the IPv6 codec reads as tshark does: $name', (each) => {
  const packet = new Packet().load(each.bytes)
  const drop = ipv6.parse(packet)
  const { view } = packet

  test('the IPv6 codec fills the packet with what tshark reads', () => {
    expect(drop).toBe(Drop.None)
    expect(packet.family).toBe(6)
    expect(packet.network).toBe(at)
    expect(packet.end - at - 40).toBe(each.number('ipv6.plen'))
    expect(packet.networkEnd).toBe(packet.end)
    expect(packet.tos).toBe(each.number('ipv6.tclass'))
    expect(packet.flowLabel).toBe(each.number('ipv6.flow'))
    expect(packet.hopLimit).toBe(each.number('ipv6.hlim'))
    expect(formatWords(packet.s0, packet.s1, packet.s2, packet.s3)).toBe(each.text('ipv6.src'))
    expect(formatWords(packet.d0, packet.d1, packet.d2, packet.d3)).toBe(each.text('ipv6.dst'))
    expect(packet.dontFragment).toBe(1)
  })

  test('the IPv6 codec has getters that say what tshark reads', () => {
    expect(ipv6.trafficClass(view, at)).toBe(each.number('ipv6.tclass'))
    expect(ipv6.flowLabel(view, at)).toBe(each.number('ipv6.flow'))
    expect(ipv6.payloadLength(view, at)).toBe(each.number('ipv6.plen'))
    expect(ipv6.nextHeader(view, at)).toBe(each.number('ipv6.nxt'))
    expect(ipv6.hopLimit(view, at)).toBe(each.number('ipv6.hlim'))
    expect(ipv6.sourceText(view, at)).toBe(each.text('ipv6.src'))
    expect(ipv6.destinationText(view, at)).toBe(each.text('ipv6.dst'))
  })

  test('the IPv6 codec finds where the chain of headers ends', () => {
    const walked = new Packet().load(each.bytes)
    const result = parseAll(walked)
    const fragment = each.text('ipv6.fraghdr.ident') !== ''
    const [protocol, transport] =
      UPPER[each.name] ?? (fragment ? [each.number('ipv6.fraghdr.nxt'), 48] : [each.number('ipv6.nxt'), 40])
    if (each.name === 'datagram behind a destination option that must be known') {
      expect([result, walked.problem, walked.pointer]).toEqual([Drop.IpUnknownOption, ipv6.UNKNOWN_OPTION, 42])
      return
    }
    expect(result).toBe(protocol === 59 ? Drop.IpNoNextHeader : Drop.None)
    expect([walked.protocol, walked.transport - at]).toEqual([protocol, transport])
    if (protocol !== 59) expect(view.getUint8(walked.protocolAt)).toBe(protocol)
    expect(walked.fragmentHeader !== 0).toBe(fragment)
    if (!fragment) return
    expect(walked.identification).toBe(each.number('ipv6.fraghdr.ident'))
    expect(walked.fragmentOffset).toBe(each.number('ipv6.fraghdr.offset') * 8)
    expect(walked.moreFragments).toBe(each.number('ipv6.fraghdr.more'))
  })

  test('the IPv6 codec encodes the same headers, into whatever was there before', () => {
    for (const dirty of dirtyPackets()) {
      for (const key of ['tos', 'flowLabel', 'hopLimit', 's0', 's1', 's2', 's3', 'd0', 'd1', 'd2', 'd3'] as const)
        dirty[key] = packet[key]
      dirty.start = at
      dirty.end = at + 40 + each.number('ipv6.plen')
      const around = [dirty.bytes[at - 1], dirty.bytes[at + 40]]
      ipv6.encode(dirty, at, each.number('ipv6.nxt'))
      expect([...dirty.bytes.subarray(at, at + 40)]).toEqual([...each.bytes.subarray(0, 40)])
      expect([dirty.bytes[at - 1], dirty.bytes[at + 40]]).toEqual(around)
      if (each.number('ipv6.nxt') !== 44) continue
      const offset = each.number('ipv6.fraghdr.offset') * 8
      const more = each.number('ipv6.fraghdr.more') === 1
      ipv6.encodeFragmentHeader(
        dirty.view,
        at + 40,
        each.number('ipv6.fraghdr.nxt'),
        offset,
        more,
        each.number('ipv6.fraghdr.ident'),
      )
      expect([...dirty.bytes.subarray(at + 40, at + 48)]).toEqual([...each.bytes.subarray(40, 48)])
    }
  })

  test('the IPv6 codec drops every truncation, or sees less than a whole packet in none', () => {
    const total = 40 + each.number('ipv6.plen')
    for (let length = 0; length < each.bytes.length; length++) {
      const cut = new Packet(HEADROOM + each.bytes.length).load(each.bytes.subarray(0, length))
      const result = ipv6.parse(cut)
      if (length < 40) expect(result).toBe(Drop.IpTooShort)
      else if (length < total) expect(result).toBe(Drop.IpTotalLength)
      else expect([result, cut.end - at]).toEqual([Drop.None, total])
    }
  })

  test('the IPv6 codec walks no further than the packet, however short Payload Length makes it', () => {
    for (let length = 0; length <= each.number('ipv6.plen'); length++) {
      const bytes = each.bytes.slice(0, 40 + length)
      new DataView(bytes.buffer).setUint16(4, length)
      // A buffer without a byte behind the packet: reading on would throw.
      const cut = new Packet(HEADROOM + bytes.length).load(bytes)
      const result = parseAll(cut)
      expect(cut.transport).toBeLessThanOrEqual(cut.end)
      if (result !== Drop.None)
        expect([Drop.IpExtensionHeader, Drop.IpNoNextHeader, Drop.IpUnknownOption]).toContain(result)
    }
  })
})

describe('the fixed IPv6 header', () => {
  test('the fixed IPv6 header of another version is dropped', () => {
    for (const version of [0, 4, 5, 7, 15]) {
      const bytes = plain.slice()
      bytes[0] = version << 4
      expect(ipv6.parse(new Packet().load(bytes))).toBe(Drop.IpVersion)
    }
  })

  test('the fixed IPv6 header is described in one line', () => {
    const packet = new Packet().load(
      vector(vectors, 'ping request with flow label 0x12345 and Traffic Class 0x2e').bytes,
    )
    expect(ipv6.describe(packet.view, at)).toBe(
      'IPv6 2001:db8:a::10 > 2001:db8:b::20 hlim 64 class 0x2e flow 0x12345 length 104',
    )
  })
})

describe('extension headers', () => {
  const HOP = 0
  const ROUTING = 43
  const FRAGMENT = 44
  const UDP = 17
  const DESTINATION = 60
  const pad = [1, 4, 0, 0, 0, 0]

  test('extension headers come in any order and number', () => {
    const packet = chain(HOP, [
      [DESTINATION, 0, ...pad],
      [DESTINATION, 0, ...pad],
      [ROUTING, 0, ...pad],
      [DESTINATION, 0, 77, 0, 0, 0, 0, 0],
      [UDP, 0, ...pad],
    ])
    expect(parseAll(packet)).toBe(Drop.None)
    expect([packet.protocol, packet.transport - at, packet.protocolAt - at]).toEqual([UDP, 80, 72])
  })

  test('60 deep are walked, and the place that named the protocol is known', () => {
    const packet = chain(DESTINATION, [...Array.from({ length: 59 }, () => [DESTINATION, 0, ...pad]), [253, 0, ...pad]])
    expect(parseAll(packet)).toBe(Drop.None)
    expect([packet.protocol, packet.protocolAt - at]).toEqual([253, 40 + 59 * 8])
  })

  test('hop-by-hop anywhere but first is an unknown protocol to the caller', () => {
    const packet = chain(DESTINATION, [
      [HOP, 0, ...pad],
      [UDP, 0, ...pad],
    ])
    expect(parseAll(packet)).toBe(Drop.None)
    expect([packet.protocol, packet.protocolAt - at]).toEqual([HOP, 40])
  })

  test.each<[string, number, number[]]>([
    ['hop-by-hop header beyond the packet', HOP, [UDP, 2, ...pad]],
    ['destination options beyond the packet', DESTINATION, [UDP, 255, ...pad]],
    ['routing header beyond the packet', ROUTING, [UDP, 9, 0, 0, 0, 0, 0, 0]],
    ['option beyond its header', DESTINATION, [UDP, 0, 0x1e, 5, 0, 0, 0, 0]],
    ['option type as the last byte', DESTINATION, [UDP, 0, 1, 3, 0, 0, 0, 0x1e]],
    ['PadN that is not zero', DESTINATION, [UDP, 0, 1, 4, 0, 0, 0, 1]],
    ['Router Alert of the wrong length', HOP, [UDP, 0, 5, 3, 0, 0, 0, 0]],
  ])('a %s is dropped in silence', (_name, first, header) => {
    const packet = chain(first, [header])
    expect(parseAll(packet)).toBe(Drop.IpExtensionHeader)
    expect(packet.problem).toBe(-1)
  })

  test('more than 7 bytes of padding in a row are dropped, 7 are not', () => {
    const padded = (bytes: number) =>
      chain(DESTINATION, [
        [
          UDP,
          1,
          ...new Array<number>(bytes).fill(0),
          0x1e,
          14 - bytes - 2,
          ...new Array<number>(14 - bytes - 2).fill(0),
        ],
      ])
    expect(parseAll(padded(7))).toBe(Drop.None)
    expect(parseAll(padded(8))).toBe(Drop.IpExtensionHeader)
    const padN = (data: number) =>
      chain(DESTINATION, [
        [UDP, 1, 1, data, ...new Array<number>(data).fill(0), 0x1e, 10 - data, ...new Array<number>(10 - data).fill(0)],
      ])
    expect(parseAll(padN(5))).toBe(Drop.None)
    expect(parseAll(padN(6))).toBe(Drop.IpExtensionHeader)
  })

  test('more than 8 options in a header are dropped, 8 are not', () => {
    const options = (count: number) =>
      chain(DESTINATION, [
        [
          UDP,
          2,
          ...Array.from({ length: count }, () => [0x1e, 0]).flat(),
          ...(count === 8 ? [1, 4, 0, 0, 0, 0] : [1, 2, 0, 0]),
        ],
      ])
    expect(parseAll(options(8))).toBe(Drop.None)
    expect(parseAll(options(9))).toBe(Drop.IpExtensionHeader)
  })

  describe('an unknown option does what its top bits say (RFC 8200 section 4.2)', () => {
    const option = (action: number, multicast: boolean) => {
      const packet = chain(DESTINATION, [[UDP, 0, (action << 6) | 0x1e, 4, 1, 2, 3, 4]])
      if (multicast) packet.bytes.set([0xff, 0x02], at + 24)
      const drop = parseAll(packet)
      return { drop, problem: packet.problem, pointer: packet.problem < 0 ? 0 : packet.pointer }
    }
    test.each([
      [0, false, { drop: Drop.None, problem: -1, pointer: 0 }],
      [0, true, { drop: Drop.None, problem: -1, pointer: 0 }],
      [1, false, { drop: Drop.IpUnknownOption, problem: -1, pointer: 0 }],
      [1, true, { drop: Drop.IpUnknownOption, problem: -1, pointer: 0 }],
      [2, false, { drop: Drop.IpUnknownOption, problem: 2, pointer: 42 }],
      [2, true, { drop: Drop.IpUnknownOption, problem: 2, pointer: 42 }],
      [3, false, { drop: Drop.IpUnknownOption, problem: 2, pointer: 42 }],
      [3, true, { drop: Drop.IpUnknownOption, problem: -1, pointer: 0 }],
    ])('%i to a group: %s', (action, multicast, expected) => {
      expect(option(action, multicast)).toEqual(expected)
    })
  })

  test.each([0, 2, 4, 77])('a routing header of type %i is skipped without segments left, and refused with', (type) => {
    const skipped = chain(ROUTING, [[UDP, 0, type, 0, 0, 0, 0, 0]])
    expect(parseAll(skipped)).toBe(Drop.None)
    expect(skipped.protocol).toBe(UDP)
    const refused = chain(ROUTING, [[UDP, 0, type, 1, 0, 0, 0, 0]])
    expect(parseAll(refused)).toBe(Drop.IpRoutingHeader)
    expect([refused.problem, refused.pointer]).toEqual([0, 42])
  })

  test('a fragment header inside a fragment is refused', () => {
    const packet = chain(FRAGMENT, [
      [FRAGMENT, 0, 0, 0, 0, 0, 0, 1],
      [UDP, 0, 0, 0, 0, 0, 0, 2],
    ])
    expect(parseAll(packet)).toBe(Drop.None)
    expect(ipv6.walk(packet)).toBe(Drop.IpExtensionHeader)
  })

  test('a fragment header that does not fit is dropped', () => {
    expect(parseAll(chain(FRAGMENT, [], [UDP, 0, 0, 0, 0, 0, 0]))).toBe(Drop.IpExtensionHeader)
  })

  test('extension headers reserved bits of a fragment header are ignored', () => {
    const packet = chain(FRAGMENT, [[UDP, 0xff, 0x00, 0x16 | 1, 1, 2, 3, 4]])
    expect(parseAll(packet)).toBe(Drop.None)
    expect([packet.fragmentOffset, packet.moreFragments, packet.identification]).toEqual([16, 1, 0x01020304])
  })

  test('No Next Header ends the chain, whatever follows', () => {
    expect(parseAll(chain(DESTINATION, [[59, 0, ...pad]]))).toBe(Drop.IpNoNextHeader)
  })
})

describe('a Payload Length of 0 in front of a hop-by-hop header (RFC 2675 section 3)', () => {
  const JUMBO = [0xc2, 4, 0, 1, 0, 0]
  /** A packet of Payload Length 0 with these headers and bytes behind it in the frame. */
  const frame = (headers: readonly number[], first = 0) => {
    const packet = chain(first, [headers])
    packet.view.setUint16(HEADROOM + 4, 0)
    return packet
  }

  test.each<[string, readonly number[], Drop, number, number]>([
    [
      'without a Jumbo Payload option is a problem of that field',
      [17, 0, 1, 4, 0, 0, 0, 0],
      Drop.IpExtensionHeader,
      0,
      4,
    ],
    ['with a Router Alert alone is one, too', [17, 0, 5, 2, 0, 0, 1, 0], Drop.IpExtensionHeader, 0, 4],
    ['whose header is cut short is one, too', [17, 9], Drop.IpExtensionHeader, 0, 4],
    [
      'with a jumbo length below 65536 is a problem of that length',
      [17, 0, 0xc2, 4, 0, 0, 0xff, 0xff],
      Drop.IpExtensionHeader,
      0,
      44,
    ],
    ['with a right jumbo length is longer than its frame', [17, 0, ...JUMBO], Drop.IpTotalLength, -1, 0],
    [
      'with a jumbo payload in fragments is a problem of the fragment header',
      [44, 0, ...JUMBO, 17, 0, 0, 1, 0, 0, 0, 1],
      Drop.IpExtensionHeader,
      0,
      48,
    ],
    [
      'with a fragment header further behind is the same',
      [60, 0, ...JUMBO, 44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 1],
      Drop.IpExtensionHeader,
      0,
      56,
    ],
    ['with a jumbo option of a wrong size is malformed', [17, 0, 0xc2, 2, 0, 0, 1, 0], Drop.IpExtensionHeader, -1, 0],
    [
      'with a jumbo option that is not aligned to 4n + 2 is malformed',
      [17, 1, 1, 0, 0xc2, 4, 0, 1, 0, 0, 1, 4, 0, 0, 0, 0],
      Drop.IpExtensionHeader,
      -1,
      0,
    ],
    [
      'with an unknown option that asks for a report is a problem of that one',
      [17, 0, 0x9e, 4, 0, 0, 0, 0],
      Drop.IpUnknownOption,
      2,
      42,
    ],
  ])('%s', (_, headers, drop, code, pointer) => {
    const packet = frame(headers)
    // Nothing behind the headers where they are to be cut short.
    if (headers[1] === 9) packet.end = HEADROOM + 40 + headers.length
    expect(ipv6.parse(packet)).toBe(drop)
    expect(packet.problem).toBe(code)
    if (code >= 0) expect(packet.pointer).toBe(pointer)
  })

  test('a Payload Length of 0 with any other header is an empty packet', () => {
    const packet = frame([17, 0, 1, 4, 0, 0, 0, 0], 60)
    expect(ipv6.parse(packet)).toBe(Drop.None)
    expect(packet.end).toBe(HEADROOM + 40)
  })

  test('a Jumbo Payload option with a Payload Length is a problem of the option', () => {
    const packet = chain(0, [[17, 0, ...JUMBO]])
    expect(ipv6.parse(packet)).toBe(Drop.IpExtensionHeader)
    expect([packet.problem, packet.pointer]).toEqual([0, 42])
  })
})
