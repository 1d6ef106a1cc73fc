import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Drop } from '../../../src/base/drop.ts'
import { Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { Counters } from '../../../src/ip/counters.ts'
import { combineEcn, Reassembler } from '../../../src/ip/fragments/reassembler.ts'
import * as v4 from '../../../src/wire/ipv4.ts'
import * as v6 from '../../../src/wire/ipv6.ts'
import { makeHost } from '../../host.ts'
import { fragmentHeader, ipv4, ipv6, pattern } from '../../packet.ts'
import { SlowReassembler } from '../../twins/reassembler.ts'
import { readVectors } from '../../vectors/read.ts'

type Family = 4 | 6

class Bench {
  readonly clock = new ManualClock()
  readonly counters = new Counters()
  readonly timedOut: Uint8Array[] = []
  readonly reassembler: Reassembler
  readonly family: Family

  constructor(family: Family) {
    this.family = family
    this.reassembler = new Reassembler(family, this.clock, new SeededRandom('fragments'), this.counters, {
      timedOut: (packet) => this.timedOut.push(packet.copy()),
    })
  }

  /** Gives it a packet; returns the rebuilt one. */
  add(bytes: Uint8Array): Packet | null {
    const packet = new Packet().load(bytes)
    packet.nic = 1
    expect(this.family === 4 ? v4.parse(packet) : v6.parse(packet)).toBe(Drop.None)
    if (this.family === 6) expect(v6.walk(packet)).toBe(Drop.None)
    return this.reassembler.add(packet)
  }

  count(drop: Drop): number {
    return this.counters.dropCount(drop)
  }
}

interface Piece {
  readonly offset: number
  readonly more: boolean
  readonly bytes: Uint8Array
  readonly identification?: number
  readonly tos?: number
  readonly source?: string
  readonly protocol?: number
}

function fragment(
  family: Family,
  { offset, more, bytes, identification = 1, tos = 0, source, protocol = 253 }: Piece,
): Uint8Array {
  const ends = source === undefined ? {} : { source }
  return family === 4
    ? ipv4(bytes, { ...ends, offset, moreFragments: more, identification, tos, protocol })
    : ipv6([...fragmentHeader(protocol, offset, more, identification), ...bytes], {
        ...ends,
        next: 44,
        trafficClass: tos,
      })
}

const payloadOf = (packet: Packet) => packet.bytes.slice(packet.transport, packet.end)

describe.each([4, 6] as const)('IPv%i fragments', (family) => {
  const data = pattern(64)
  const pieces = (size = 16): Piece[] =>
    Array.from({ length: data.length / size }, (_, at) => ({
      offset: at * size,
      more: (at + 1) * size < data.length,
      bytes: data.subarray(at * size, (at + 1) * size),
    }))

  test('make the datagram in any order', () => {
    const orders: Piece[][] = []
    const permute = (left: Piece[], chosen: Piece[]) => {
      if (left.length === 0) orders.push(chosen)
      left.forEach((each, at) => {
        permute([...left.slice(0, at), ...left.slice(at + 1)], [...chosen, each])
      })
    }
    permute(pieces(), [])
    expect(orders.length).toBe(24)
    const bench = new Bench(family)
    orders.forEach((order, identification) => {
      const results = order.map((piece) => bench.add(fragment(family, { ...piece, identification })))
      const whole = results.pop()
      expect(results).toEqual([null, null, null])
      expect(payloadOf(whole as Packet)).toEqual(data)
      expect(whole).toMatchObject({ fragments: 4, protocol: 253, nic: 1, fragmentOffset: 0, moreFragments: 0 })
    })
    expect(bench.reassembler).toMatchObject({ pending: 0, memory: 0 })
    expect(bench.counters.drops).toEqual([])
  })

  test('are put together as the slow twin does, whatever comes: any order, duplicates, overlaps, other ends', () => {
    const piece = fc
      .record({
        from: fc.nat(9),
        units: fc.integer({ min: 1, max: 4 }),
        more: fc.boolean(),
        odd: fc.nat(7),
        fill: fc.nat(255),
      })
      .map(({ from, units, more, odd, fill }): Piece => {
        const length = more ? units * 8 : units * 8 - odd
        return { offset: from * 8, more, bytes: new Uint8Array(length).fill(fill) }
      })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (sequence) => {
        const bench = new Bench(family)
        const twin = new SlowReassembler()
        for (const each of sequence) {
          const before = [bench.count(Drop.FragmentDuplicate), bench.count(Drop.FragmentOverlap)] as const
          const whole = bench.add(fragment(family, each))
          const result =
            whole !== null
              ? payloadOf(whole)
              : bench.count(Drop.FragmentDuplicate) > before[0]
                ? 'duplicate'
                : bench.count(Drop.FragmentOverlap) > before[1]
                  ? 'overlap'
                  : null
          expect(result).toEqual(twin.add(each))
        }
      }),
      { seed: 815, numRuns: 500 },
    )
  })

  test('keep the first copy of bytes that come twice', () => {
    const bench = new Bench(family)
    bench.add(fragment(family, { offset: 0, more: true, bytes: pattern(32) }))
    expect(bench.add(fragment(family, { offset: 8, more: true, bytes: new Uint8Array(8).fill(0xee) }))).toBe(null)
    const whole = bench.add(fragment(family, { offset: 32, more: false, bytes: pattern(1) }))
    expect(payloadOf(whole as Packet).subarray(0, 32)).toEqual(pattern(32))
    expect(bench.count(Drop.FragmentDuplicate)).toBe(1)
  })

  test('after an overlap the identification is free again at once', () => {
    const bench = new Bench(family)
    bench.add(fragment(family, { offset: 0, more: true, bytes: pattern(32) }))
    bench.add(fragment(family, { offset: 24, more: true, bytes: pattern(32) }))
    expect(bench.reassembler).toMatchObject({ pending: 0, memory: 0 })
    bench.add(fragment(family, { offset: 0, more: true, bytes: pattern(32) }))
    expect(bench.add(fragment(family, { offset: 32, more: false, bytes: pattern(3) }))).not.toBe(null)
  })

  test('of other sources, identifications and (in IPv4) protocols are other datagrams', () => {
    const bench = new Bench(family)
    const half = { offset: 0, more: true, bytes: pattern(32) }
    bench.add(fragment(family, half))
    bench.add(fragment(family, { ...half, identification: 2 }))
    bench.add(fragment(family, { ...half, source: family === 4 ? '192.0.2.11' : '2001:db8:a::11' }))
    expect(bench.reassembler.pending).toBe(3)
    bench.add(fragment(family, { ...half, protocol: 254 }))
    // The IPv6 key has no next header.
    expect(bench.reassembler.pending).toBe(family === 4 ? 4 : 3)
    expect(bench.count(Drop.FragmentDuplicate)).toBe(family === 4 ? 0 : 1)
  })

  test('of one byte less than the longest datagram are accepted, and of one more refused', () => {
    const limit = family === 4 ? 65_515 : 65_535
    const last = Math.floor((limit - 1) / 8) * 8
    for (const extra of [0, 1]) {
      const bench = new Bench(family)
      for (let offset = 0; offset < last; offset += 8192) {
        const length = Math.min(8192, last - offset)
        bench.add(fragment(family, { offset, more: true, bytes: pattern(length, offset) }))
      }
      const whole = bench.add(fragment(family, { offset: last, more: false, bytes: pattern(limit - last + extra) }))
      expect(bench.count(Drop.FragmentTooBig)).toBe(extra)
      expect(whole === null ? 0 : whole.end - whole.transport).toBe(extra === 0 ? limit : 0)
    }
  })

  test('that never become whole are forgotten in time, the oldest first', () => {
    const bench = new Bench(family)
    const timeout = family === 4 ? 30_000 : 60_000
    bench.add(fragment(family, { offset: 0, more: true, bytes: pattern(32), identification: 1 }))
    bench.clock.advance(1000)
    bench.add(fragment(family, { offset: 8, more: true, bytes: pattern(32), identification: 2 }))
    // A later fragment does not prolong the time.
    bench.clock.advance(timeout - 1001)
    bench.add(fragment(family, { offset: 32, more: true, bytes: pattern(32), identification: 1 }))
    expect(bench.reassembler.pending).toBe(2)
    bench.clock.advance(1)
    expect(bench.reassembler.pending).toBe(1)
    expect(bench.timedOut).toEqual([fragment(family, { offset: 0, more: true, bytes: pattern(32), identification: 1 })])
    bench.clock.advance(1000)
    expect(bench.reassembler).toMatchObject({ pending: 0, memory: 0 })
    // Without the fragment with offset 0 nobody is told.
    expect(bench.timedOut.length).toBe(1)
    expect(bench.count(Drop.FragmentTimeout)).toBe(2)
    expect(bench.clock.nextTime).toBe(Number.POSITIVE_INFINITY)
  })

  test('hold bounded memory: a quarter for a source, 4 MiB in all, and none is left after close', () => {
    const bench = new Bench(family)
    const bytes = pattern(1400)
    for (let id = 0; id < 1500; id++) bench.add(fragment(family, { offset: 0, more: true, bytes, identification: id }))
    expect(bench.reassembler.memory).toBeLessThanOrEqual(1024 * 1024)
    expect(bench.reassembler.memory).toBeGreaterThan(1024 * 1024 - 2400)
    for (let source = 1; source < 7; source++)
      for (let id = 0; id < 800; id++)
        bench.add(
          fragment(family, {
            offset: 0,
            more: true,
            bytes,
            identification: id,
            source: family === 4 ? `203.0.113.${source}` : `2001:db8:c::${source}`,
          }),
        )
    expect(bench.reassembler.memory).toBeLessThanOrEqual(4 * 1024 * 1024)
    expect(bench.reassembler.memory).toBeGreaterThan(4 * 1024 * 1024 - 2400)
    expect(bench.reassembler.pending + bench.count(Drop.FragmentMemory)).toBe(1500 + 6 * 800)
    bench.reassembler.close()
    expect(bench.reassembler).toMatchObject({ pending: 0, memory: 0 })
    expect(bench.clock.nextTime).toBe(Number.POSITIVE_INFINITY)
  })

  test('past its bound the datagram that goes is named, and not the fragment that it makes way for', () => {
    const bench = new Bench(family)
    const told: [string, number, number | undefined][] = []
    bench.counters.onDrop((reason, _, packet) => told.push([reason, packet.family, packet.bytes[packet.end - 1]]))
    for (let id = 1; told.length < 3; id++)
      bench.add(fragment(family, { offset: 0, more: true, bytes: new Uint8Array(1400).fill(id), identification: id }))
    expect(told).toEqual([1, 2, 3].map((id) => ['FragmentMemory', family, id]))
  })

  test('a flood of first fragments does not keep an honest datagram of the same source out', () => {
    const bench = new Bench(family)
    let whole = 0
    for (let id = 0; id < 4000; id++) {
      bench.add(fragment(family, { offset: 0, more: true, bytes: pattern(1400), identification: 100_000 + id }))
      if (id % 40 !== 0) continue
      bench.add(fragment(family, { offset: 0, more: true, bytes: pattern(32), identification: id }))
      if (bench.add(fragment(family, { offset: 32, more: false, bytes: pattern(8), identification: id })) !== null)
        whole++
    }
    expect(whole).toBe(100)
  })

  test.each([
    // The four codepoints: Not-ECT 0, ECT(1) 1, ECT(0) 2, CE 3. RFC 3168 section 5.3, and Linux for
    // Not-ECT with ECT.
    [0, 0, 0],
    [1, 1, 1],
    [2, 2, 2],
    [3, 3, 3],
    [2, 3, 3],
    [3, 2, 3],
    [1, 3, 3],
    [0, 3, -1],
    [3, 0, -1],
    [0, 2, -1],
    [1, 0, -1],
  ])('with ECN %i and %i become %i', (first, second, expected) => {
    const bench = new Bench(family)
    bench.add(fragment(family, { offset: 0, more: true, bytes: pattern(32), tos: 0xb8 | first }))
    const whole = bench.add(fragment(family, { offset: 32, more: false, bytes: pattern(8), tos: 0xb8 | second }))
    expect(whole === null ? -1 : whole.tos).toBe(expected < 0 ? -1 : 0xb8 | expected)
    expect(bench.count(Drop.FragmentEcn)).toBe(expected < 0 ? 1 : 0)
  })

  test('captured from Linux give back what was sent', () => {
    const vectors = readVectors(family === 4 ? 'ipv4' : 'ipv6')
    const of = (name: string) =>
      vectors
        .filter(
          (each) => each.name.startsWith(name) && each.name.includes('fragment') && !each.name.includes('options'),
        )
        .map(({ bytes }) => bytes)
    for (const [name, upper, length] of [
      ['ping of 3000 bytes', 8, 3008],
      ['datagram of 2048 bytes', 8, 2056],
    ] as const) {
      const bench = new Bench(family)
      const results = of(name).map((bytes) => bench.add(bytes))
      const whole = results.pop() as Packet
      expect(results.every((each) => each === null)).toBe(true)
      expect(whole.end - whole.transport).toBe(length)
      if (name.startsWith('datagram'))
        expect(payloadOf(whole).subarray(upper)).toEqual(Uint8Array.from({ length: 2048 }, (_, at) => at & 255))
    }
  })
})

describe('the header of a rebuilt packet', () => {
  test('is that of the fragment with offset 0, in IPv4 with its options', () => {
    const bench = new Bench(4)
    const options = [7, 7, 4, 0, 0, 0, 0, 1]
    bench.add(ipv4(pattern(8), { offset: 32, ttl: 9, tos: 4 }))
    const whole = bench.add(
      ipv4(pattern(32), { moreFragments: true, options, ttl: 33, tos: 8, dontFragment: false }),
    ) as Packet
    expect([whole.hopLimit, whole.tos, whole.transport - whole.start]).toEqual([33, 8, 28])
    expect([...whole.bytes.subarray(whole.start + 20, whole.transport)]).toEqual(options)
    expect(v4.parse(new Packet().load(whole.copy()))).toBe(Drop.None)
  })

  test('of a datagram with options captured from Linux is whole again', () => {
    const bench = new Bench(4)
    const [first, last] = readVectors('ipv4').filter((each) =>
      each.name.startsWith('datagram of 2048 bytes with options'),
    )
    expect(bench.add((last as { bytes: Uint8Array }).bytes)).toBe(null)
    const whole = bench.add((first as { bytes: Uint8Array }).bytes) as Packet
    expect(whole.end - whole.transport).toBe(2056)
    expect([...whole.bytes.subarray(whole.start + 20, whole.transport)]).toEqual([
      ...(first as { bytes: Uint8Array }).bytes.subarray(20, whole.transport - whole.start),
    ])
  })

  test('in IPv6 leaves the fragment header out of the chain', () => {
    const bench = new Bench(6)
    const options = [44, 0, 1, 4, 0, 0, 0, 0]
    bench.add(ipv6([...options, ...fragmentHeader(17, 0, true), ...pattern(32)], { next: 60, hopLimit: 33 }))
    const whole = bench.add(
      ipv6([...options, ...fragmentHeader(99, 32, false), ...pattern(8)], { next: 60, hopLimit: 9 }),
    ) as Packet
    expect(whole.copy()).toEqual(
      ipv6([17, 0, 1, 4, 0, 0, 0, 0, ...pattern(32), ...pattern(8)], { next: 60, hopLimit: 33 }),
    )
    expect([whole.protocol, whole.transport - whole.start, whole.hopLimit]).toEqual([17, 48, 33])
  })

  test('of captured fragments with hop-by-hop and destination options is whole again', () => {
    const bench = new Bench(6)
    const results = readVectors('ipv6')
      .filter((each) => each.name.startsWith('datagram of 2048 bytes with hop-by-hop'))
      .map(({ bytes }) => bench.add(bytes))
    const whole = results[1] as Packet
    expect([whole.protocol, whole.transport - whole.start, whole.end - whole.transport]).toEqual([17, 56, 2056])
  })
})

describe('what the families do differently with a middle fragment whose length is no multiple of 8', () => {
  test('IPv4 rounds it down, and goes on', () => {
    const bench = new Bench(4)
    bench.add(fragment(4, { offset: 0, more: true, bytes: pattern(37) }))
    const whole = bench.add(fragment(4, { offset: 32, more: false, bytes: pattern(8) })) as Packet
    expect(payloadOf(whole)).toEqual(Uint8Array.from([...pattern(32), ...pattern(8)]))
  })

  test('IPv6 asks for a Parameter Problem that points to Payload Length', () => {
    const bench = new Bench(6)
    const packet = new Packet().load(fragment(6, { offset: 0, more: true, bytes: pattern(37) }))
    v6.parse(packet)
    v6.walk(packet)
    expect(bench.reassembler.add(packet)).toBe(null)
    expect([packet.problem, packet.pointer]).toEqual([0, 4])
    expect(bench.reassembler.pending).toBe(0)
  })
})

test('ECN codepoints that came, a bit each, combine to bits to be added', () => {
  expect([1, 2, 4, 8, 6, 10, 12, 14].map(combineEcn)).toEqual([0, 0, 0, 3, 0, 3, 3, 3])
  expect([3, 5, 7, 9, 11, 13, 15].map(combineEcn)).toEqual([-1, -1, -1, -1, -1, -1, -1])
})

test('of two datagrams with one identification, both are named as lost', () => {
  const { stack, link } = makeHost()
  const lost: [string, number][] = []
  stack.onDrop((reason, _layer, { trace }) => lost.push([reason, trace]))
  for (const [trace, offset] of [
    [7, 0],
    [8, 8],
  ] as const) {
    const packet = new Packet().load(ipv4(pattern(24), { identification: 5, moreFragments: true, offset }))
    packet.trace = trace
    link.receivePacket(packet)
  }
  expect(lost).toEqual([
    ['FragmentOverlap', 7],
    ['FragmentOverlap', 8],
  ])
})
