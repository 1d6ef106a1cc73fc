import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { KeyedHash } from '../../../src/base/hash.ts'
import { Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { PendingTable } from '../../../src/ip/fragments/pending-table.ts'

const makeTable = (memory = 100_000, family: 4 | 6 = 4, clock = new ManualClock()) =>
  new PendingTable(family, memory, new KeyedHash(new SeededRandom(1)), clock, 30_000)

function fragment(identification: number, source = 1, fields: Partial<Packet> = {}): Packet {
  return Object.assign(new Packet(256), { family: 4, s2: 0xffff, d2: 0xffff, s3: source, identification }, fields)
}

describe('the datagrams that wait for fragments', () => {
  test('are found again by source, destination, identification and protocol', () => {
    const table = makeTable()
    const first = table.findOrAdd(fragment(7))
    expect(table.findOrAdd(fragment(7))).toBe(first)
    for (const other of [fragment(8), fragment(7, 2), fragment(7, 1, { d3: 5 }), fragment(7, 1, { protocol: 17 })])
      expect(table.findOrAdd(other)).not.toBe(first)
    expect(table.size).toBe(5)
    expect(table.findOrAdd(fragment(7))).toBe(first)
  })

  test('are of one link when their destination is link-local', () => {
    const table = makeTable(100_000, 6)
    const scoped = (nic: number) => fragment(7, 1, { family: 6, d0: 0xfe800000 | 0, nic })
    expect(table.findOrAdd(scoped(1))).not.toBe(table.findOrAdd(scoped(2)))
  })

  test('wait in the order in which they came, each until its deadline', () => {
    const clock = new ManualClock()
    const table = makeTable(100_000, 4, clock)
    const first = table.findOrAdd(fragment(1))
    clock.advance(500)
    const second = table.findOrAdd(fragment(2))
    expect([first.deadline, second.deadline]).toEqual([30_000, 30_500])
    expect(table.oldest).toBe(first)
    table.remove(first)
    expect(table.oldest).toBe(second)
  })

  test('leave nothing behind when they go', () => {
    const table = makeTable()
    for (let i = 0; i < 20; i++) table.addFragment(table.findOrAdd(fragment(i, i)), 1000)
    expect(table.held).toBeGreaterThan(20_000)
    table.clear()
    expect([table.size, table.held, table.oldest]).toEqual([0, 0, null])
  })

  test('name the oldest of a source that has more than its quarter of the memory', () => {
    const table = makeTable(40_000)
    const honest = table.findOrAdd(fragment(1, 1))
    const greedy = table.findOrAdd(fragment(2, 2))
    while (table.victim(greedy.source) === null) table.addFragment(greedy, 1000)
    expect(table.held).toBeLessThan(40_000)
    expect(table.victim(greedy.source)).toBe(greedy)
    expect(table.victim(honest.source)).toBe(null)
  })

  test('name the oldest of all when the memory is full', () => {
    const table = makeTable(40_000)
    const oldest = table.findOrAdd(fragment(1, 1))
    let last = oldest
    for (let source = 2; table.victim(last.source) === null; source++) {
      last = table.findOrAdd(fragment(1, source))
      table.addFragment(last, 1000)
    }
    expect(table.victim(last.source)).toBe(oldest)
  })

  test('have nothing of a datagram whose record and memory they use again', () => {
    const table = makeTable()
    const old = table.findOrAdd(fragment(1, 1, { trace: 5 }))
    const kept = table.addFragment(old, 10)
    Object.assign(kept, { offset: 8, length: 10, at: 20 })
    table.addFragment(old, 1000)
    Object.assign(old, { first: kept, total: 99, received: 10, ecn: 3, largest: 30, largestWhole: 30 })
    table.remove(old)
    const next = table.findOrAdd(fragment(2, 2))
    expect(next).toBe(old)
    expect(next).toMatchObject({ identification: 2, trace: 0, first: null, total: -1, received: 0, runs: 0, ecn: 0 })
    expect(next).toMatchObject({ fragments: null, fragmentCount: 0, largest: 0, largestWhole: 0 })
    expect(table.addFragment(next, 12)).toBe(kept)
    expect([kept.next, next.fragmentCount]).toEqual([null, 1])
    expect(table.findOrAdd(fragment(1))).not.toBe(next)
  })

  test('keep no fragment of one that is gone, however long it was', () => {
    const table = makeTable()
    const old = table.findOrAdd(fragment(1))
    const short = table.addFragment(old, 10)
    const long = table.addFragment(old, 9000)
    old.first = long
    table.remove(old)
    // As it was, for who reads it now …
    expect([old.fragments, old.first, short.next]).toEqual([short, long, long])
    // … and no longer.
    const other = table.findOrAdd(fragment(2, 2))
    table.remove(other)
    expect(old).toBe(other)
    expect([old.fragments, old.newestFragment, old.first, short.next]).toEqual([null, null, null, null])
  })

  test('are searched for by their source only as long as something of it waits', () => {
    const table = makeTable()
    for (let i = 0; i < 1000; i++) table.remove(table.findOrAdd(fragment(i, i)))
    const first = table.findOrAdd(fragment(1, 1))
    const second = table.findOrAdd(fragment(2, 1))
    expect(second.source).toBe(first.source)
    table.remove(first)
    expect(table.findOrAdd(fragment(3, 1)).source).toBe(second.source)
  })
})
