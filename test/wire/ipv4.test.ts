import { describe, expect, test } from 'vitest'
import { Address, formatWords, MAPPED } from '../../src/base/address.ts'
import { Drop } from '../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../src/base/packet.ts'
import * as ipv4 from '../../src/wire/ipv4.ts'
import { dirtyPackets } from '../dirty.ts'
import { hex, ipv4 as ipv4Packet, pattern } from '../packet.ts'
import { slowChecksum } from '../twins/checksum.ts'
import { readVectors, vector } from '../vectors/read.ts'

const vectors = readVectors('ipv4')
const plain = vector(vectors, 'datagram of 5 bytes').bytes

/** The plain datagram with bytes changed and the header checksum made right again. */
function changed(change: (bytes: Uint8Array) => void, mend = true): Packet {
  const bytes = plain.slice()
  change(bytes)
  if (mend) {
    bytes.fill(0, 10, 12)
    const header = Math.min(Math.max(20, ((bytes[0] as number) & 15) * 4), bytes.length)
    new DataView(bytes.buffer).setUint16(10, slowChecksum(bytes.subarray(0, header)))
  }
  return new Packet().load(bytes)
}

describe.each(vectors)('the IPv4 codec reads as tshark does: $name', (each) => {
  const at = HEADROOM
  const read = () => {
    const packet = new Packet().load(each.bytes)
    packet.problem = 7
    return { packet, drop: ipv4.parse(packet), view: packet.view }
  }

  test('the IPv4 codec fills the packet with what tshark reads', () => {
    const { packet, drop, view } = read()
    expect(drop).toBe(Drop.None)
    expect(packet.family).toBe(4)
    expect(packet.network).toBe(at)
    expect(packet.transport - at).toBe(each.number('ip.hdr_len'))
    expect(packet.end - at).toBe(each.number('ip.len'))
    expect(packet.networkEnd).toBe(packet.end)
    expect(packet.tos).toBe(each.number('ip.dsfield'))
    expect(packet.identification).toBe(each.number('ip.id'))
    expect(packet.dontFragment).toBe(each.number('ip.flags.df'))
    expect(packet.moreFragments).toBe(each.number('ip.flags.mf'))
    expect(packet.fragmentOffset).toBe(each.number('ip.frag_offset') * 8)
    expect(packet.hopLimit).toBe(each.number('ip.ttl'))
    expect(packet.protocol).toBe(each.number('ip.proto'))
    expect(view.getUint8(packet.protocolAt)).toBe(each.number('ip.proto'))
    expect(formatWords(packet.s0, packet.s1, packet.s2, packet.s3)).toBe(each.text('ip.src'))
    expect(formatWords(packet.d0, packet.d1, packet.d2, packet.d3)).toBe(each.text('ip.dst'))
    expect([packet.problem, packet.fragments, packet.fragmentHeader, packet.flowLabel]).toEqual([-1, 1, 0, 0])
  })

  test('the IPv4 codec has getters that say what tshark reads', () => {
    const { view } = read()
    expect(ipv4.version(view, at)).toBe(each.number('ip.version'))
    expect(ipv4.headerLength(view, at)).toBe(each.number('ip.hdr_len'))
    expect(ipv4.tos(view, at)).toBe(each.number('ip.dsfield'))
    expect(ipv4.totalLength(view, at)).toBe(each.number('ip.len'))
    expect(ipv4.identification(view, at)).toBe(each.number('ip.id'))
    expect(ipv4.dontFragment(view, at)).toBe(each.number('ip.flags.df') === 1)
    expect(ipv4.moreFragments(view, at)).toBe(each.number('ip.flags.mf') === 1)
    expect(ipv4.fragmentOffset(view, at)).toBe(each.number('ip.frag_offset') * 8)
    expect(ipv4.ttl(view, at)).toBe(each.number('ip.ttl'))
    expect(ipv4.protocol(view, at)).toBe(each.number('ip.proto'))
    expect(ipv4.headerChecksum(view, at)).toBe(each.number('ip.checksum'))
    expect(formatWords(0, 0, MAPPED, ipv4.source(view, at))).toBe(each.text('ip.src'))
    expect(formatWords(0, 0, MAPPED, ipv4.destination(view, at))).toBe(each.text('ip.dst'))
  })

  test('the IPv4 codec encodes the same header, into whatever was there before', () => {
    const header = each.number('ip.hdr_len')
    const length = each.number('ip.len')
    const { packet } = read()
    for (const dirty of dirtyPackets()) {
      for (const key of [
        'tos',
        'identification',
        'dontFragment',
        'moreFragments',
        'fragmentOffset',
        'hopLimit',
        'protocol',
        's3',
        'd3',
      ] as const)
        dirty[key] = packet[key]
      // Options are in place before the header is written.
      dirty.bytes.set(each.bytes.subarray(20, header), at + 20)
      dirty.start = at
      dirty.end = at + length
      const before = dirty.bytes[at - 1]
      const behind = dirty.bytes[at + header]
      ipv4.encode(dirty, at, header)
      expect(Buffer.from(dirty.bytes.subarray(at, at + header)).toString('hex')).toBe(
        Buffer.from(each.bytes.subarray(0, header)).toString('hex'),
      )
      expect([dirty.bytes[at - 1], dirty.bytes[at + header]]).toEqual([before, behind])
    }
  })

  test('the IPv4 codec drops every truncation, or sees less than a whole packet in none', () => {
    const total = each.number('ip.len')
    for (let length = 0; length < each.bytes.length; length++) {
      const cut = new Packet(HEADROOM + each.bytes.length).load(each.bytes.subarray(0, length))
      const result = ipv4.parse(cut)
      if (length < 20 || length < each.number('ip.hdr_len')) expect(result).toBe(Drop.IpTooShort)
      else if (length < total) expect(result).toBe(Drop.IpTotalLength)
      else expect([result, cut.end - at]).toEqual([Drop.None, total])
    }
  })
})

describe('an IPv4 header', () => {
  test.each<[string, Drop, (bytes: Uint8Array) => void]>([
    ['of version 5', Drop.IpVersion, (bytes) => (bytes[0] = 0x55)],
    ['of version 6', Drop.IpVersion, (bytes) => (bytes[0] = 0x65)],
    ['of 4 words', Drop.IpHeaderLength, (bytes) => (bytes[0] = 0x44)],
    ['of no words', Drop.IpHeaderLength, (bytes) => (bytes[0] = 0x40)],
    ['that is longer than what came', Drop.IpTooShort, (bytes) => (bytes[0] = 0x4f)],
    ['with a total length below its own', Drop.IpTotalLength, (bytes) => bytes.set([0, 19], 2)],
    ['with a total length of 0', Drop.IpTotalLength, (bytes) => bytes.set([0, 0], 2)],
    ['with a total length beyond the frame', Drop.IpTotalLength, (bytes) => bytes.set([0, 34], 2)],
  ])('%s is dropped', (_name, drop, change) => {
    expect(ipv4.parse(changed(change))).toBe(drop)
  })

  test('an IPv4 header with one bit flipped is dropped, whichever it is', () => {
    for (let bit = 0; bit < 160; bit++) {
      const packet = changed((bytes) => {
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      }, false)
      expect(ipv4.parse(packet), `bit ${bit}`).not.toBe(Drop.None)
    }
  })

  test('an IPv4 header may be all there is: total length 20', () => {
    const packet = changed((bytes) => bytes.set([0, 20], 2))
    expect(ipv4.parse(packet)).toBe(Drop.None)
    expect(packet.end).toBe(packet.transport)
  })

  test('an IPv4 header keeps the reserved flag out of everything', () => {
    const packet = changed((bytes) => (bytes[6] = (bytes[6] as number) | 0x80))
    expect(ipv4.parse(packet)).toBe(Drop.None)
    expect([packet.dontFragment, packet.moreFragments, packet.fragmentOffset]).toEqual([1, 0, 0])
  })

  test('an IPv4 header is patched into a fragment of itself, DF gone, the checksum right', () => {
    const packet = changed(() => {})
    ipv4.patchFragment(packet.view, HEADROOM, 28, 1480, true)
    packet.end = HEADROOM + 28
    expect(ipv4.parse(packet)).toBe(Drop.None)
    expect([packet.fragmentOffset, packet.moreFragments, packet.dontFragment, packet.end - packet.start]).toEqual([
      1480, 1, 0, 28,
    ])
  })

  test('an IPv4 header is described in one line', () => {
    const packet = new Packet().load(vector(vectors, 'ping of 3000 bytes, first fragment').bytes)
    expect(ipv4.describe(packet.view, HEADROOM)).toBe(
      'IPv4 192.0.2.10 > 198.51.100.20 ttl 64 id 29292 frag 0+ length 1500',
    )
    const tos = new Packet().load(vector(vectors, 'ping request with TOS 0xb8').bytes)
    expect(ipv4.describe(tos.view, HEADROOM)).toMatch(
      /^IPv4 192\.0\.2\.10 > 198\.51\.100\.20 ttl 64 tos 0xb8 id \d+ DF length 84$/,
    )
  })

  test('the last fragment of a packet is described with its place', () => {
    const packet = changed((bytes) => bytes.set([0, 185], 6))
    expect(ipv4.describe(packet.view, HEADROOM)).toContain(' frag 1480 length')
  })

  test('an IPv4 header has all its fields in a dump', () => {
    const packet = new Packet().load(
      ipv4Packet(pattern(4), { tos: 0xb9, ttl: 9, identification: 77, options: [1, 1, 1, 0] }),
    )
    expect(ipv4.fields(packet.view, HEADROOM, HEADROOM + 24)).toEqual([
      ['version', '4'],
      ['header length', '24'],
      ['TOS', '0xb9 (DSCP 46, ECT(1))'],
      ['total length', '28'],
      ['identification', '77'],
      ['flags', 'none'],
      ['fragment offset', '0'],
      ['TTL', '9'],
      ['protocol', '17 (UDP)'],
      [
        'header checksum',
        `0x${packet.view
          .getUint16(HEADROOM + 10)
          .toString(16)
          .padStart(4, '0')}`,
      ],
      ['source', '192.0.2.10'],
      ['destination', '198.51.100.20'],
      ['options', '01010100'],
    ])
    const flags = (fields: Parameters<typeof ipv4Packet>[1]) => {
      const { view } = new Packet().load(ipv4Packet(pattern(8), fields))
      const rows = new Map(ipv4.fields(view, HEADROOM, HEADROOM + 20))
      return [rows.get('flags'), rows.get('fragment offset'), rows.has('options')]
    }
    expect(flags({ dontFragment: true })).toEqual(['DF', '0', false])
    expect(flags({ moreFragments: true, offset: 800 })).toEqual(['MF', '800', false])
    expect(flags({ dontFragment: true, moreFragments: true })).toEqual(['DF MF', '0', false])
  })

  test('an IPv4 header of a program is completed with length, identification, checksum and a missing source', () => {
    for (const given of ['203.0.113.9', '0.0.0.0']) {
      const packet = new Packet().load(
        ipv4Packet(pattern(9), { source: given, identification: 5, totalLength: 7, headerChecksum: 1 }),
      )
      packet.identification = 0x1234
      packet.s3 = Address.parse('192.0.2.77').w3
      ipv4.complete(packet, HEADROOM)
      const whole = ipv4Packet(pattern(9), {
        source: given === '0.0.0.0' ? '192.0.2.77' : given,
        identification: 0x1234,
      })
      expect(hex(packet.copy())).toBe(hex(whole))
    }
  })

  test('an IPv4 header has a pseudo-header of addresses, protocol and length', () => {
    const packet = changed(() => {})
    const words = [Address.parse('192.0.2.10').w3 >>> 0, Address.parse('198.51.100.20').w3 >>> 0, 17, 13]
    expect(ipv4.pseudoHeaderSum(packet.view, HEADROOM, 13) % 0xffff).toBe(words.reduce((a, b) => a + b) % 0xffff)
  })
})
