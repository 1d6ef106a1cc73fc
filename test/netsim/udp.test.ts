/**
 * Two stacks on a wire with faults, by loss, MTU and size: each datagram arrives whole or not at
 * all, and each that does not has its reason.
 */
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { type Impairments, impair } from '../../src/link/impairment/impairment.ts'
import { Segment } from '../../src/link/segment.ts'
import { Stack } from '../../src/stack.ts'
import { dropCount, open, send } from '../host.ts'
import { checksum, hex, pattern } from '../packet.ts'

const ADDRESSES = { 4: ['10.0.0.1', '10.0.0.2'], 6: ['fd00::1', 'fd00::2'] } as const
const COUNT = 80

interface Run {
  readonly received: readonly Uint8Array[]
  /** The sender's and the receiver's. */
  readonly stacks: readonly [Stack, Stack]
}

function run(family: 4 | 6, size: number, mtu: number, faults: Impairments, seed: string): Run {
  const clock = new ManualClock()
  const random = new SeededRandom(seed)
  const segment = new Segment({ clock, mtu, random: random.fork('segment') })
  const stacks = [0, 1].map((at) => {
    const stack = new Stack({ clock, random: random.fork(`stack ${at}`) })
    const link = impair(segment.link(), at === 0 ? { clock, random: random.fork('wire'), send: faults } : { clock })
    stack.addNic(link, { addresses: [`${ADDRESSES[4][at]}/24`, ...(mtu < 1280 ? [] : [`${ADDRESSES[6][at]}/64`])] })
    return stack
  }) as [Stack, Stack]
  const { endpoint } = open(stacks[0], family)
  const { mailbox } = open(stacks[1], family, 7)
  for (let i = 0; i < COUNT; i++) {
    const payload = pattern(size, i)
    if (size >= 2) payload.set([i >> 8, i & 255])
    expect(send(endpoint, payload, ADDRESSES[family][1], 7)).toBe('')
    clock.advance(10)
  }
  clock.advance(61_000)
  return { received: mailbox.received.map(({ payload }) => payload), stacks }
}

const number = (payload: Uint8Array) => ((payload[0] as number) << 8) | (payload[1] as number)

/** The payload that was sent with this one's number. */
function sentAs(payload: Uint8Array, size: number): Uint8Array {
  const sent = pattern(size, number(payload))
  sent.set(payload.subarray(0, 2))
  return sent
}

function expectIntact({ received }: Run, size: number): void {
  for (const payload of received) expect(hex(payload)).toBe(hex(sentAs(payload, size)))
}

const cells = [4, 6].flatMap((family) =>
  [0, 0.02, 0.2].flatMap((loss) =>
    (family === 4 ? [68, 576, 1500, 9000] : [1280, 1500, 9000]).flatMap((mtu) =>
      [2, 64, 1472, 4000]
        .filter((size) => mtu > 68 || size <= 1472)
        .map((size) => ({ family: family as 4 | 6, loss, mtu, size })),
    ),
  ),
)

describe.each(cells)('IPv$family, loss $loss, MTU $mtu, $size bytes', ({ family, loss, mtu, size }) => {
  test('arrive whole or not at all, as often as the loss of fragments allows', () => {
    const outcome = run(family, size, mtu, { loss, delay: 3 }, `${loss}/${mtu}/${size}`)
    const { received, stacks } = outcome
    expectIntact(outcome, size)
    const numbers = received.map(number)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))

    const room = family === 4 ? (mtu - 20) & ~7 : (mtu - 48) & ~7
    const fragments = size + 8 + (family === 4 ? 20 : 40) <= mtu ? 1 : Math.ceil((size + 8) / room)
    const expected = COUNT * (1 - loss) ** fragments
    // Five standard deviations of a binomial distribution.
    const slack = loss === 0 ? 0 : 5 * Math.sqrt(expected * (1 - expected / COUNT)) + 1
    expect(Math.abs(received.length - expected)).toBeLessThanOrEqual(slack)

    // Nothing vanishes: what did not come was lost on the wire, and what came of it was given up in
    // time.
    const lost = dropCount(stacks[0], 'WireLoss')
    const sent = stacks[0].netstat().nics[1]?.txPackets ?? 0
    expect(sent).toBe(COUNT * fragments)
    const { counters } = stacks[1]
    expect(family === 4 ? counters.IpInReceives : counters.Ip6InReceives).toBe(sent - lost)
    const incomplete = dropCount(stacks[1], 'FragmentTimeout')
    const vanished = COUNT - received.length - incomplete
    expect(vanished).toBeGreaterThanOrEqual(0)
    if (fragments === 1) expect([incomplete, vanished]).toEqual([0, lost])
    if (loss === 0) expect(stacks.map(({ drops }) => drops)).toEqual([[], []])
  })
})

describe('whatever else the wire does', () => {
  const corrupted = (family: 4 | 6, mtu: number) => {
    const outcome = run(family, 1000, mtu, { corruption: 0.3 }, 'noise')
    const damaged = outcome.stacks[1].drops.reduce((sum, { count }) => sum + count, 0)
    expect(outcome.received.length).toBeLessThan(COUNT)
    expect(outcome.received.length).toBeGreaterThan(COUNT / 10)
    expect(damaged).toBeGreaterThan(0)
    return outcome
  }

  test.each([4, 6] as const)('corrupted IPv%i datagrams never reach the program, and are dropped by name', (family) => {
    // One damaged bit a datagram, which every checksum sees.
    expectIntact(corrupted(family, 1500), 1000)
  })

  test('corrupted fragments make a datagram that reaches the program only where their damage cancels out', () => {
    // RFC 768: of two damaged bits, one in each fragment, a sum of words sees no more than the sum.
    const unseen = corrupted(4, 600).received.filter((payload) => hex(payload) !== hex(sentAs(payload, 1000)))
    for (const payload of unseen) expect(checksum(payload)).toBe(checksum(sentAs(payload, 1000)))
    expect(unseen.length).toBeLessThan(COUNT / 20)
  })

  test.each([4, 6] as const)(
    'reordered and duplicated fragments of IPv%i still make each datagram, some twice',
    (family) => {
      const outcome = run(family, 3000, 1280, { duplication: 0.2, reordering: 0.2, delay: 4 }, 'mess')
      expectIntact(outcome, 3000)
      expect(new Set(outcome.received.map(number)).size).toBe(COUNT)
      expect(dropCount(outcome.stacks[1], 'FragmentDuplicate')).toBeGreaterThan(0)
      expect(dropCount(outcome.stacks[1], 'FragmentOverlap')).toBe(0)
    },
  )

  test('a black hole for large packets is counted where they vanish', () => {
    const { received, stacks } = run(4, 1400, 1500, { mtu: 1000 }, 'hole')
    expect(received).toEqual([])
    expect(dropCount(stacks[0], 'LinkMtuExceeded')).toBe(COUNT)
  })

  test('the same seed has the same outcome, another seed another', () => {
    const numbers = (seed: string) => run(6, 2000, 1280, { loss: 0.2 }, seed).received.map(number)
    expect(numbers('one')).toEqual(numbers('one'))
    expect(numbers('one')).not.toEqual(numbers('two'))
  })
})
