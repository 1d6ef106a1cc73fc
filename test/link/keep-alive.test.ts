import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import type { Link } from '../../src/link/link.ts'
import { Loopback } from '../../src/link/loopback.ts'
import { Segment } from '../../src/link/segment.ts'

/** Timers that hold the process. */
function holding(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
}

const kinds: [string, () => Link][] = [
  ['Loopback', () => new Loopback(new ManualClock())],
  ['a link of a Segment', () => new Segment().link()],
]

describe.each(kinds)('%s', (_name, make) => {
  it('lets the process end, holds it after ref, and lets it go by unref or close', () => {
    const before = holding()
    const link = make()
    expect(holding()).toBe(before)
    link.ref()
    link.ref()
    expect(holding()).toBe(before + 1)
    link.unref()
    expect(holding()).toBe(before)
    link.ref()
    link.close()
    expect(holding()).toBe(before)
    link.ref()
    expect(holding()).toBe(before)
  })
})
