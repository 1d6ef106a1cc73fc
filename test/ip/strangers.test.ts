import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Address, MAPPED } from '../../src/base/address.ts'
import { Strangers } from '../../src/ip/strangers.ts'
import { Segment } from '../../src/link/segment.ts'
import { Stack } from '../../src/stack.ts'

/** What a router would ask each time. */
function isStranger({ ip }: Stack, word: number): boolean {
  const top = word >>> 24
  return top !== 0 && top !== 127 && top < 0xe0 && !ip.isBroadcast4(word) && !ip.isLocal(0, 0, MAPPED, word)
}

test('knows strangers as a router does that asks each time, while addresses come and go', () => {
  const word = fc.oneof(
    fc.nat(7).map((bits) => 0x0a000000 | bits),
    fc.constantFrom(0, -1, 0x7f000001, 0xe0000001 | 0, 0xf0000001 | 0, 0x0a0000ff),
    fc.integer(),
  )
  const step = fc.oneof(
    { weight: 6, arbitrary: word.map((asked) => ({ asked })) },
    { weight: 1, arbitrary: fc.record({ own: fc.integer({ min: 1, max: 6 }), length: fc.constantFrom(8, 24, 29) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const stack = new Stack({ forwarding: true })
      try {
        const nic = stack.addNic(new Segment().link(), { addresses: [] })
        const strangers = new Strangers(stack.ip.addresses, stack.ip.routes)
        for (const each of steps)
          if ('asked' in each) expect(strangers.has(each.asked)).toBe(isStranger(stack, each.asked))
          else {
            const address = Address.fromIPv4(0x0a000000 | each.own)
            if (!nic.removeAddress(address)) nic.addAddress(`10.0.0.${each.own}/${each.length}`)
          }
      } finally {
        stack.close()
      }
    }),
    { seed: 1, numRuns: 100 },
  )
})
