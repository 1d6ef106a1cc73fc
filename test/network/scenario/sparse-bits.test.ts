import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SparseBits } from '../../../src/network/scenario/sparse-bits.ts'

test('bits are there that were added, and no others', () => {
  const bit = fc.tuple(fc.nat(3), fc.oneof(fc.nat(5000), fc.nat(0xffff_ffff)))
  fc.assert(
    fc.property(fc.array(bit), fc.array(bit), (added, asked) => {
      const bits = new SparseBits()
      for (const [row, at] of added) bits.add(row, at)
      const twin = new Set(added.map(String))
      for (const each of [...added, ...asked]) expect(bits.has(...each)).toBe(twin.has(String(each)))
    }),
  )
})
