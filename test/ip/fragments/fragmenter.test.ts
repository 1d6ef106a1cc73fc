import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Drop } from '../../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { Counters } from '../../../src/ip/counters.ts'
import { Fragmenter } from '../../../src/ip/fragments/fragmenter.ts'
import { Reassembler } from '../../../src/ip/fragments/reassembler.ts'
import * as v4 from '../../../src/wire/ipv4.ts'
import * as v6 from '../../../src/wire/ipv6.ts'
import { hex, ipv4, ipv6, pattern } from '../../packet.ts'
import { slowChecksum } from '../../twins/checksum.ts'

function load(bytes: Uint8Array): Packet {
  const packet = new Packet().load(bytes)
  packet.family = (bytes[0] as number) >>> 4
  return packet
}

function fragment4(bytes: Uint8Array, mtu: number): Uint8Array[] {
  const fragments: Uint8Array[] = []
  const drop = new Fragmenter().fragment4(load(bytes), mtu, null, (fragment) => {
    fragments.push(fragment.copy())
    return Drop.None
  })
  expect(drop).toBe(Drop.None)
  return fragments
}

function fragment6(bytes: Uint8Array, mtu: number, unfragmentable = 0, nextHeaderAt = 6): Uint8Array[] {
  const fragments: Uint8Array[] = []
  const drop = new Fragmenter().fragment6(load(bytes), mtu, 0xcafe, unfragmentable, nextHeaderAt, null, (fragment) => {
    fragments.push(fragment.copy())
    return Drop.None
  })
  expect(drop).toBe(Drop.None)
  return fragments
}

function reassemble(family: 4 | 6, fragments: readonly Uint8Array[]): Packet | null {
  const reassembler = new Reassembler(family, new ManualClock(), new SeededRandom(1), new Counters(), {
    timedOut: () => {},
  })
  let whole: Packet | null = null
  for (const bytes of fragments) {
    expect(whole).toBe(null)
    const packet = load(bytes)
    expect(family === 4 ? v4.parse(packet) : v6.parse(packet)).toBe(Drop.None)
    if (family === 6) expect(v6.walk(packet)).toBe(Drop.None)
    whole = reassembler.add(packet)
  }
  return whole
}

describe('IPv4 fragments', () => {
  test('are as long as the MTU allows, in multiples of 8', () => {
    const fragments = fragment4(ipv4(pattern(3000), { identification: 77, ttl: 9, tos: 0x28 }), 1500)
    expect(fragments.map((each) => each.length)).toEqual([1500, 1500, 60])
    const fields = fragments.map((bytes) => {
      const packet = load(bytes)
      expect(v4.parse(packet)).toBe(Drop.None)
      const { fragmentOffset, moreFragments, identification, hopLimit, tos, protocol, dontFragment } = packet
      return { fragmentOffset, moreFragments, identification, hopLimit, tos, protocol, dontFragment }
    })
    const same = { identification: 77, hopLimit: 9, tos: 0x28, protocol: 17, dontFragment: 0 }
    expect(fields).toEqual([
      { ...same, fragmentOffset: 0, moreFragments: 1 },
      { ...same, fragmentOffset: 1480, moreFragments: 1 },
      { ...same, fragmentOffset: 2960, moreFragments: 0 },
    ])
  })

  test('of a fragment go on where it was, and only the last of a last one is last', () => {
    const middle = fragment4(ipv4(pattern(160), { offset: 800, moreFragments: true }), 100)
    const places = (fragments: Uint8Array[]) =>
      fragments.map((bytes) => [
        v4.fragmentOffset(load(bytes).view, HEADROOM),
        v4.moreFragments(load(bytes).view, HEADROOM),
      ])
    expect(places(middle)).toEqual([
      [800, true],
      [880, true],
    ])
    expect(places(fragment4(ipv4(pattern(160), { offset: 800 }), 100))).toEqual([
      [800, true],
      [880, false],
    ])
  })

  test('copy only the options that have the copy flag (RFC 791), as Linux: the others become No Operation', () => {
    const options = [7, 7, 4, 1, 2, 3, 4, 1, 0x94, 4, 0, 0]
    const fragments = fragment4(ipv4(pattern(300), { options }), 136)
    expect(fragments.length).toBe(3)
    expect(fragments.map((bytes) => [...bytes.subarray(20, 32)])).toEqual([
      options,
      [1, 1, 1, 1, 1, 1, 1, 1, 0x94, 4, 0, 0],
      [1, 1, 1, 1, 1, 1, 1, 1, 0x94, 4, 0, 0],
    ])
    for (const bytes of fragments) expect(slowChecksum(bytes.subarray(0, 32))).toBe(0)
  })

  test.each([
    ['that ends exactly where the header does', [7, 4, 9, 9], [1, 1, 1, 1]],
    ['of two bytes', [30, 2, 1, 1], [1, 1, 1, 1]],
    ['behind a No Operation', [1, 7, 3, 4], [1, 1, 1, 1]],
    ['behind another one', [7, 4, 9, 9, 68, 4, 5, 0], [1, 1, 1, 1, 1, 1, 1, 1]],
    ['that is longer than the header', [7, 9, 0, 0], [7, 9, 0, 0]],
    ['behind the end of the list', [0, 2, 7, 4, 1, 1, 0, 0], [0, 2, 7, 4, 1, 1, 0, 0]],
  ])('of a packet with an option %s', (_, options, later) => {
    const fragments = fragment4(ipv4(pattern(300), { options }), 136)
    expect(fragments.map((bytes) => [...bytes.subarray(20, 20 + options.length)])).toEqual([options, later, later])
  })

  test('with malformed or ended options do not run over the header', () => {
    for (const options of [
      [7, 0, 0, 0],
      [7, 9, 0, 0],
      [1, 1, 1, 7],
      [0, 7, 3, 0],
      [7, 1, 1, 1],
    ]) {
      const fragments = fragment4(ipv4(pattern(200), { options }), 128)
      expect(fragments.length).toBe(2)
      expect(reassemble(4, fragments)?.end).toBeGreaterThan(0)
    }
  })

  test('become the packet again, whatever its size, the MTU and the options', () => {
    fc.assert(
      fc.property(
        fc.nat(3000),
        fc.integer({ min: 68, max: 1500 }),
        fc.nat(10),
        fc.nat(0xffff),
        (size, mtu, words, identification) => {
          const options = new Array<number>(words * 4).fill(1)
          const bytes = ipv4(pattern(size, mtu), { options, identification, protocol: 253 })
          fc.pre(bytes.length > mtu)
          const fragments = fragment4(bytes, mtu)
          const header = 20 + options.length
          for (const each of fragments) expect(each.length).toBeLessThanOrEqual(mtu)
          expect(fragments.length).toBe(Math.ceil(size / ((mtu - header) & ~7)))
          expect(hex(reassemble(4, fragments)?.copy() as Uint8Array)).toBe(hex(bytes))
        },
      ),
      { seed: 791, numRuns: 150 },
    )
  })

  test('stop when one of them cannot be sent', () => {
    let count = 0
    const drop = new Fragmenter().fragment4(load(ipv4(pattern(1000))), 100, null, () =>
      ++count === 3 ? Drop.LinkQueueFull : Drop.None,
    )
    expect([drop, count]).toEqual([Drop.LinkQueueFull, 3])
  })
})

describe('IPv6 fragments', () => {
  test('are as long as the MTU allows, in multiples of 8, behind a fragment header', () => {
    const fragments = fragment6(ipv6(pattern(3000), { next: 253, hopLimit: 9, trafficClass: 0x28 }), 1280)
    expect(fragments.map((each) => each.length)).toEqual([1280, 1280, 40 + 8 + 3000 - 2 * 1232])
    const fields = fragments.map((bytes) => {
      const packet = load(bytes)
      expect([v6.parse(packet), v6.walk(packet)]).toEqual([Drop.None, Drop.None])
      const { fragmentOffset, moreFragments, identification, hopLimit, tos, protocol } = packet
      return { fragmentOffset, moreFragments, identification, hopLimit, tos, protocol }
    })
    const same = { identification: 0xcafe, hopLimit: 9, tos: 0x28, protocol: 253 }
    expect(fields).toEqual([
      { ...same, fragmentOffset: 0, moreFragments: 1 },
      { ...same, fragmentOffset: 1232, moreFragments: 1 },
      { ...same, fragmentOffset: 2464, moreFragments: 0 },
    ])
  })

  test('repeat the unfragmentable part', () => {
    const hopByHop = [253, 0, 5, 2, 0, 0, 1, 0]
    const bytes = ipv6([...hopByHop, ...pattern(2000)], { next: 0 })
    const fragments = fragment6(bytes, 1280, 8, 40)
    for (const each of fragments)
      expect([...each.subarray(40, 56)]).toEqual([44, ...hopByHop.slice(1), ...each.subarray(48, 56)])
    expect(hex(reassemble(6, fragments)?.copy() as Uint8Array)).toBe(hex(bytes))
  })

  test('become the packet again, whatever its size and the MTU', () => {
    fc.assert(
      fc.property(fc.nat(4000), fc.integer({ min: 68, max: 1500 }), (size, mtu) => {
        const bytes = ipv6(pattern(size, mtu), { next: 253 })
        fc.pre(bytes.length > mtu)
        const fragments = fragment6(bytes, mtu)
        for (const each of fragments) expect(each.length).toBeLessThanOrEqual(mtu)
        expect(fragments.length).toBe(Math.ceil(size / ((mtu - 48) & ~7)))
        expect(hex(reassemble(6, fragments)?.copy() as Uint8Array)).toBe(hex(bytes))
      }),
      { seed: 8200, numRuns: 150 },
    )
  })

  test('are no more than it takes when the last one is full', () => {
    const room = 1280 - 48
    expect(fragment6(ipv6(pattern(2 * room), { next: 253 }), 1280).length).toBe(2)
    expect(fragment6(ipv6(pattern(2 * room + 1), { next: 253 }), 1280).length).toBe(3)
  })

  test('stop when one of them cannot be sent', () => {
    let count = 0
    const drop = new Fragmenter().fragment6(load(ipv6(pattern(5000))), 1280, 1, 0, 6, null, () =>
      ++count === 2 ? Drop.LinkQueueFull : Drop.None,
    )
    expect([drop, count]).toEqual([Drop.LinkQueueFull, 2])
  })

  test('cannot be made when the MTU leaves no room for 8 bytes', () => {
    const none = () => Drop.None
    expect(new Fragmenter().fragment6(load(ipv6(pattern(100))), 55, 1, 0, 6, null, none)).toBe(Drop.LinkMtuExceeded)
    expect(new Fragmenter().fragment6(load(ipv6(pattern(100))), 56, 1, 0, 6, null, none)).toBe(Drop.None)
  })
})
