import { describe, expect, test } from 'vitest'
import { milliseconds } from '../../../src/network/time/duration.ts'

describe('durations', () => {
  test('are milliseconds, or text with a unit', () => {
    expect([5, '250us', '150ms', '2s', '1.5m', '2min', '1h'].map(milliseconds)).toEqual([
      5, 0.25, 150, 2000, 90_000, 120_000, 3_600_000,
    ])
    expect(() => milliseconds('2 weeks')).toThrow("Not a duration: '2 weeks'.")
    expect(() => milliseconds(-1)).toThrow('The duration -1 is out of range')
    expect(() => milliseconds(Number.NaN)).toThrow('out of range')
  })
})
