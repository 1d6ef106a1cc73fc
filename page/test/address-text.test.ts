/** The reader of addresses in the built page gives what the package in its place gives. */
import fc from 'fast-check'
import { Address4, Address6 } from 'ip-address'
import { expect, test } from 'vitest'
import * as ours from '../src/worker/address-text.ts'

/** The sixteen bytes, or `null` for what is refused. */
function bytes6(text: string, Reader: new (text: string) => { toUnsignedByteArray(): number[] }): number[] | null {
  try {
    const bytes = new Reader(text).toUnsignedByteArray()
    return [...new Array<number>(16 - bytes.length).fill(0), ...bytes]
  } catch {
    return null
  }
}

function bytes4(text: string, Reader: new (text: string) => { toArray(): number[] }): number[] | null {
  try {
    return new Reader(text).toArray()
  } catch {
    return null
  }
}

const piece = fc.oneof(
  fc.constantFrom('', ':', '::', '0', 'ffff', '12345', 'g', '1.2.3.4', '1.2.3', '256.1.1.1', ' '),
  fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16)),
)
const dotted = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 3, maxLength: 5 }).map((each) => each.join('.'))

test('an IPv6 address is read, or refused, as by the package', () => {
  const texts = fc.oneof(
    fc.ipV6(),
    fc.array(piece, { maxLength: 9 }).map((each) => each.join(':')),
    fc.tuple(fc.array(piece, { maxLength: 6 }), fc.ipV4()).map(([front, end]) => `${front.join(':')}:${end}`),
  )
  let read = 0
  fc.assert(
    fc.property(texts, (text) => {
      // What has no colon never comes here (Address.tryParse).
      if (!text.includes(':')) return
      const expected = bytes6(text, Address6)
      if (expected !== null) read++
      expect(bytes6(text, ours.Address6), text).toEqual(expected)
    }),
    { seed: 4291, numRuns: 3000 },
  )
  expect(read).toBeGreaterThan(500)
})

test('an IPv4 address is read, or refused, as by the package', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), dotted), (text) => {
      expect(bytes4(text, ours.Address4), text).toEqual(bytes4(text, Address4))
    }),
    { seed: 791, numRuns: 1000 },
  )
})
