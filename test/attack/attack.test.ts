/**
 * Floods beside an honest client: what it is still answered, what a frame of the flood costs, what stays in memory. The long form of this, on a
 * real device and with the kernel beside, is `npm run attack`.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { Field, share } from './field.ts'
import { FLOODS } from './floods.mjs'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function held(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Honest traffic, of each kind. */
const LEAST_SHARE = 0.98
/** Microseconds of CPU: 20 000 frames a second are then less than one core. */
const MOST_CPU = 40
/** Milliseconds of CPU for one millisecond's frames. A collection of garbage may fall into it. */
const MOST_WORK = 20
/** Bytes that all tables, queues and buffers may hold after a flood: two reassemblies of 4 MiB, neighbors, sockets. */
const MOST_HELD = 24e6

describe.each(FLOODS)('under $name', (flood) => {
  test('the honest client is answered, a frame costs little, and what is held is bounded', () => {
    const field = new Field()
    const before = held()
    const during = field.run(2000, flood)
    const bytes = held() - before
    const rest = field.run(2000, null)
    const after = field.run(500, null)
    field.close()
    expect.soft(share(during), `answered during ${JSON.stringify(during)}`).toBeGreaterThanOrEqual(LEAST_SHARE)
    expect.soft(share(after), `answered after ${JSON.stringify(rest)} ${JSON.stringify(after)}`).toBe(1)
    expect.soft(during.cpu, 'microseconds of CPU a frame').toBeLessThan(MOST_CPU)
    expect.soft(during.worst, 'milliseconds of CPU for the frames of one millisecond').toBeLessThan(MOST_WORK)
    expect.soft(bytes, 'bytes held').toBeLessThan(MOST_HELD)
  })
})

test('without a flood everything is answered', () => {
  const field = new Field()
  expect(share(field.run(1000, null))).toBe(1)
  field.close()
})
