/**
 * Honest fragments beside a flood: what is counted is datagrams and entries compared, never time.
 */
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { KeyedHash } from '../../src/base/hash.ts'
import { HEADROOM, Packet } from '../../src/base/packet.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { Counters } from '../../src/ip/counters.ts'
import { REASSEMBLY_MEMORY, Reassembler } from '../../src/ip/fragments/reassembler.ts'

/** Milliseconds, and frames of the flood in each: 20 000 a second. */
const DURATION = 2000
const FLOOD = 20
/** Between the fragments of an honest datagram, in milliseconds. */
const GAP = 20

type Source = readonly [number, number, number, number]

class Bench {
  readonly clock = new ManualClock()
  readonly counters = new Counters()
  readonly reassembler: Reassembler
  readonly #family: 4 | 6
  readonly #packet = new Packet(HEADROOM + 2048)

  constructor(family: 4 | 6) {
    this.#family = family
    this.reassembler = new Reassembler(family, this.clock, new SeededRandom('stack'), this.counters, {
      timedOut: () => {},
    })
  }

  /** @returns whether the datagram is complete */
  add([s0, s1, s2, s3]: Source, identification: number, offset: number, length: number, more: boolean): boolean {
    const packet = this.#packet
    const four = this.#family === 4
    packet.reset(HEADROOM, HEADROOM + (four ? 20 : 48) + length)
    const { view } = packet
    view.setUint8(HEADROOM, four ? 0x45 : 0x60)
    if (four) {
      view.setUint16(HEADROOM + 2, 20 + length)
      view.setUint8(HEADROOM + 9, 17)
    } else {
      view.setUint16(HEADROOM + 4, 8 + length)
      view.setUint8(HEADROOM + 6, 44)
      view.setUint8(HEADROOM + 40, 17)
    }
    packet.family = this.#family
    packet.network = HEADROOM
    packet.transport = packet.end - length
    packet.fragmentHeader = HEADROOM + 40
    Object.assign(packet, { s0, s1, s2, s3, d0: s0, d1: s1, d2: s2, d3: 1, identification, protocol: 17 })
    Object.assign(packet, { moreFragments: more ? 1 : 0, fragmentOffset: offset })
    return this.reassembler.add(packet) !== null
  }
}

const guess = new KeyedHash(new SeededRandom('guess'))
const random = new SeededRandom('flood')
/** Sources of the flood: one, the addresses of one network, any. */
const floods: [string, (family: 4 | 6) => Source][] = [
  ['one source', (family) => (family === 4 ? [0, 0, 0xffff, 7] : [0x20010db8, 1, 0, 7])],
  [
    'one network',
    (family) =>
      family === 4 ? [0, 0, 0xffff, random.below(256)] : [0x20010db8, 1, random.uint32() | 0, random.uint32() | 0],
  ],
  [
    'anybody',
    (family) =>
      family === 4
        ? [0, 0, 0xffff, random.uint32() | 0]
        : [0x20010000 + random.below(65_536), random.uint32() | 0, 0, 7],
  ],
]

describe.each([4, 6] as const)('honest IPv%i fragments', (family) => {
  test.each(floods)('are put together beside 20 000 chosen ones a second from %s', (_, source) => {
    const bench = new Bench(family)
    const honest: Source = family === 4 ? [0, 0, 0xffff, 0x0a000001] : [0x20010db8, 5, 0, 1]
    let complete = 0
    let identification = 0
    let longest = 0
    for (let ms = 0; ms < DURATION; ms++) {
      for (let i = 0; i < FLOOD; i++) {
        // Those that a guessed secret puts into one of 64 places.
        const from = source(family)
        do identification++
        while ((guess.flow(...from, 0, 0, 0, 0, identification, 17) & 63) !== 0)
        bench.add(from, identification, 0, 8, true)
      }
      // A datagram of three fragments in every millisecond.
      for (let part = 0; part < 3; part++) {
        const which = ms - part * GAP
        if (which >= 0 && bench.add(honest, which, part * 1400, part === 2 ? 100 : 1400, part < 2)) complete++
      }
      if (ms % 200 === 0) longest = Math.max(longest, bench.reassembler.longestChain)
      expect(bench.reassembler.memory).toBeLessThanOrEqual(REASSEMBLY_MEMORY)
      bench.clock.advance(1)
    }
    expect(complete / (DURATION - 2 * GAP)).toBeGreaterThanOrEqual(0.98)
    expect(longest).toBeLessThan(20)
  })
})
