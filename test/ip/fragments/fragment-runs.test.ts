import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { addRun, type FragmentRuns } from '../../../src/ip/fragments/fragment-runs.ts'

const noRuns = (): FragmentRuns => ({ runs: 0, runStarts: [], runEnds: [], total: -1 })
const runsOf = ({ runs, runStarts, runEnds }: FragmentRuns) =>
  runStarts.slice(0, runs).map((start, index) => [start, runEnds[index]])

/** Runs after these fragments, all of which are taken. */
function taken(...fragments: readonly (readonly [number, number])[]): FragmentRuns {
  const runs = noRuns()
  for (const [start, end] of fragments) expect(addRun(runs, start, end, false)).toBe(Drop.None)
  return runs
}

describe('the runs of a datagram', () => {
  test('are one when its fragments come in order', () => {
    expect(runsOf(taken([0, 8], [8, 24], [24, 32]))).toEqual([[0, 32]])
  })

  test('are kept by offset when its fragments come backwards', () => {
    expect(runsOf(taken([32, 40], [16, 24], [0, 8]))).toEqual([
      [0, 8],
      [16, 24],
      [32, 40],
    ])
  })

  test('take a fragment inside a run for a duplicate', () => {
    const runs = taken([0, 16], [16, 32])
    expect(addRun(runs, 8, 24, false)).toBe(Drop.FragmentDuplicate)
    expect(addRun(runs, 0, 32, false)).toBe(Drop.FragmentDuplicate)
  })

  test.each([
    [0, 24],
    [8, 40],
    [0, 48],
    [24, 40],
  ])('take a fragment from %i to %i, in part inside one, for an overlap', (start, end) => {
    expect(addRun(taken([16, 32]), start, end, false)).toBe(Drop.FragmentOverlap)
  })

  test('allow no fragment beyond the last one, and no other last one', () => {
    const runs = noRuns()
    expect(addRun(runs, 16, 20, true)).toBe(Drop.None)
    expect(addRun(runs, 24, 32, false)).toBe(Drop.FragmentOverlap)
    expect(addRun(runs, 0, 12, true)).toBe(Drop.FragmentOverlap)
    expect(runs.total).toBe(20)
  })

  test('take what ends with the last fragment, and the last fragment again for a duplicate', () => {
    const runs = noRuns()
    expect(addRun(runs, 16, 24, true)).toBe(Drop.None)
    expect(addRun(runs, 16, 24, true)).toBe(Drop.FragmentDuplicate)
    expect(addRun(runs, 16, 24, false)).toBe(Drop.FragmentDuplicate)
    expect(addRun(runs, 0, 8, false)).toBe(Drop.None)
    expect(addRun(runs, 8, 16, false)).toBe(Drop.None)
    expect(runs.total).toBe(24)
  })

  test('take no last fragment that ends elsewhere than the first one, or before what is there', () => {
    const runs = taken([0, 16])
    expect(addRun(runs, 0, 8, true)).toBe(Drop.FragmentOverlap)
    expect(runs.total).toBe(-1)
    expect(addRun(runs, 8, 16, true)).toBe(Drop.FragmentDuplicate)
    expect(runs.total).toBe(16)
    expect(addRun(runs, 16, 24, true)).toBe(Drop.FragmentOverlap)
    expect(runs.total).toBe(16)
  })

  test('of an empty datagram allow no byte', () => {
    const runs = noRuns()
    expect(addRun(runs, 0, 0, true)).toBe(Drop.None)
    expect(addRun(runs, 0, 8, true)).toBe(Drop.FragmentOverlap)
    expect(addRun(runs, 0, 8, false)).toBe(Drop.FragmentOverlap)
    expect(runs.total).toBe(0)
  })

  test('find the place of a fragment among many', () => {
    const starts = [0, 16, 32, 48, 64, 80, 96]
    for (const hole of [8, 24, 40, 56, 72, 88]) {
      const runs = taken(...starts.map((start) => [start, start + 4] as const))
      expect(addRun(runs, hole, hole + 4, false)).toBe(Drop.None)
      expect(runsOf(runs).map(([start]) => start)).toEqual(
        [...starts, hole].sort((a, b) => (a as number) - (b as number)),
      )
      expect(addRun(runs, hole - 2, hole + 4, false)).toBe(Drop.FragmentOverlap)
      expect(addRun(runs, hole, hole + 5, false)).toBe(Drop.FragmentOverlap)
      expect(addRun(runs, hole, hole + 4, false)).toBe(Drop.FragmentDuplicate)
    }
  })

  test('do not depend on what the arrays held before', () => {
    const runs = { runs: 0, runStarts: [800, 900], runEnds: [808, 908], total: -1 }
    expect(addRun(runs, 16, 24, false)).toBe(Drop.None)
    expect(addRun(runs, 0, 8, false)).toBe(Drop.None)
    expect(addRun(runs, 8, 16, true)).toBe(Drop.FragmentOverlap)
    expect(runsOf(runs)).toEqual([
      [0, 8],
      [16, 24],
    ])
  })

  test('say what the obvious map of bytes says, whatever comes', () => {
    const fragment = fc.tuple(fc.nat(12), fc.integer({ min: 1, max: 5 }))
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
        const runs = noRuns()
        const there = new Set<number>()
        for (const [from, length] of fragments) {
          const bytes = Array.from({ length: length * 8 }, (_, index) => from * 8 + index)
          const known = bytes.filter((each) => there.has(each)).length
          const drop = addRun(runs, from * 8, (from + length) * 8, false)
          if (known === 0) expect(drop).toBe(Drop.None)
          else if (known < bytes.length) expect(drop).toBe(Drop.FragmentOverlap)
          else expect([Drop.FragmentDuplicate, Drop.FragmentOverlap]).toContain(drop)
          if (drop === Drop.None) for (const each of bytes) there.add(each)
        }
      }),
      { seed: 5722, numRuns: 300 },
    )
  })
})
