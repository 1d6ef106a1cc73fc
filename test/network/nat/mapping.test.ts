import { describe, expect, test } from 'vitest'
import { KeyedHash } from '../../../src/base/hash.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { Mapping, portThatCounts, Queue, remoteAddress } from '../../../src/network/nat/mapping.ts'
import { ICMPV4, TCP, UDP } from '../../../src/wire/protocol.ts'

const hash = new KeyedHash(new SeededRandom(1))
const mapping = (port: number) => new Mapping(hash, UDP, 1, port, 0, 0, port, port)

/** The ports from the oldest to the newest, and the other way. */
function ports(queue: Queue): [number[], number[]] {
  const forward: number[] = []
  for (let each = queue.oldest; each !== null; each = each.newer) forward.push(each.port)
  const back: number[] = []
  for (let each = queue.newest; each !== null; each = each.older) back.unshift(each.port)
  return [forward, back]
}

describe('the mappings of one timeout', () => {
  test('are in the order in which they were added', () => {
    const queue = new Queue(1000)
    expect(ports(queue)).toEqual([[], []])
    for (const port of [1, 2, 3]) queue.add(mapping(port))
    expect(ports(queue)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  test.each([
    [0, [2, 3]],
    [1, [1, 3]],
    [2, [1, 2]],
  ] as const)('stay in order when number %i goes', (index, rest) => {
    const queue = new Queue(1000)
    const all = [1, 2, 3].map(mapping)
    for (const each of all) queue.add(each)
    queue.remove(all[index] as Mapping)
    expect(ports(queue)).toEqual([rest, rest])
    queue.add(all[index] as Mapping)
    expect(ports(queue)).toEqual([
      [...rest, index + 1],
      [...rest, index + 1],
    ])
  })

  test('are none when the last one goes', () => {
    const queue = new Queue(1000)
    const one = mapping(1)
    queue.add(one)
    queue.remove(one)
    expect([queue.oldest, queue.newest]).toEqual([null, null])
  })
})

test('how far a mapping depends on the remote end', () => {
  const behaviours = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const
  expect(behaviours.map((each) => remoteAddress(each, 99))).toEqual([0, 99, 99])
  expect(behaviours.map((each) => portThatCounts(each, UDP, 7))).toEqual([0, 0, 7])
  expect(behaviours.map((each) => portThatCounts(each, TCP, 7))).toEqual([0, 0, 7])
  // An echo message has no port at the remote end.
  expect(behaviours.map((each) => portThatCounts(each, ICMPV4, 7))).toEqual([0, 0, 0])
})
