/** Summaries that are remembered, beside those that are read anew each time. */
import { expect, test } from 'vitest'
import { Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { summarize } from '../../../src/network/observe/ip-frame.ts'
import { Summaries } from '../../../src/network/observe/summaries.ts'

const FOUR = '4500003012340000401100000a0000010a00000213880007001c0000'
const SIX = '60000000001c114020010db8000000000000000000000001fe80000000000000000000000000000213880007001c0000'

test.each([FOUR, SIX])('%s, with other bytes and other lengths, is told as if nothing were remembered', (hex) => {
  const random = new SeededRandom('summaries')
  const summaries = new Summaries()
  const packet = new Packet()
  const bytes = Buffer.from(hex.padEnd(2 * 60, '0'), 'hex')
  for (let round = 0; round < 4000; round++) {
    packet.bytes.set(bytes, 20)
    packet.start = 20
    packet.end = 20 + (round % 3 === 0 ? 40 + random.below(21) : 60)
    // A few values, so that many rounds meet what others have left; never another version.
    for (let changes = random.below(3); changes > 0; changes--)
      packet.bytes[20 + 1 + random.below(hex.length / 2 - 1)] = random.below(3)
    if (random.below(8) === 0) packet.bytes[20] = (bytes[0] as number) + random.below(2)
    expect(summaries.of(packet, 20)).toEqual(summarize(packet, 20))
  }
})

test('the same headers are one object, of whichever datagram they are', () => {
  const summaries = new Summaries()
  const packet = new Packet()
  packet.bytes.set(Buffer.from(FOUR.padEnd(2 * 60, '0'), 'hex'))
  packet.end = 60
  const first = summaries.of(packet, 0)
  packet.bytes[5] = 9
  expect(summaries.of(packet, 0)).toBe(first)
  packet.bytes[8] = 63
  expect(summaries.of(packet, 0)).not.toBe(first)
  expect(first.hopLimit).toBe(64)
})
