import { expect, test } from 'vitest'
import { isWithin } from '../../src/base/range.ts'

test('both ends belong to a range, but for an exclusive one', () => {
  const port = { type: 'integer', minimum: 1, maximum: 255 } as const
  expect([0, 1, 255, 256].map((value) => isWithin(value, port))).toEqual([false, true, true, false])
  const above = { type: 'number', exclusiveMinimum: 0 } as const
  expect([-1, 0, 0.001, Number.POSITIVE_INFINITY].map((value) => isWithin(value, above))).toEqual([
    false,
    false,
    true,
    true,
  ])
})

test('NaN is in no range, and a fraction in none of integers', () => {
  expect(isWithin(Number.NaN, { type: 'number' })).toBe(false)
  expect(isWithin(Number.NaN, { type: 'integer' })).toBe(false)
  expect(isWithin(1.5, { type: 'integer' })).toBe(false)
  expect(isWithin(1.5, { type: 'number' })).toBe(true)
})
