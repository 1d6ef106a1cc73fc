/**
 * Floods beside an honest client: what it is still answered, what a frame of the flood costs, what
 * stays in memory. The long form of this, on a real device and with the kernel beside, is
 * `npm run attack`.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { Field, type Result, share } from './field.ts'
import { FLOODS, type Flood } from './floods.mjs'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use. The second collection waits for what the first left to be swept in other threads. */
function held(): number {
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Honest traffic, of each kind. */
const LEAST_SHARE = 0.98
/** Microseconds of CPU: 20 000 frames a second are then one core at most. */
const MOST_CPU = 50
/** Milliseconds of CPU for one millisecond's frames. A collection of garbage may fall into it. */
const MOST_WORK = 20
/**
 * Bytes that all tables, queues and buffers may hold after a flood: two reassemblies of 4 MiB,
 * neighbors, sockets.
 */
const MOST_HELD = 24e6

/** Other work on the machine makes everything slower: a cost that is too high is measured again. */
const ATTEMPTS = 3

interface Outcome {
  readonly during: Result
  readonly bytes: number
  /** The last half second of the honest client, two seconds after the flood. */
  readonly after: Result
}

function attack(flood: Flood): Outcome {
  const field = new Field()
  const before = held()
  const during = field.run(2000, flood)
  const bytes = held() - before
  field.run(2000, null)
  const after = field.run(500, null)
  field.close()
  return { during, bytes, after }
}

/** A busy machine takes its time; what is measured is CPU. */
const PATIENCE = { timeout: 120_000 }

const isCheap = ({ during }: Outcome) => during.cpu < MOST_CPU && during.worst < MOST_WORK

describe.each(FLOODS)('under $name', (flood) => {
  test('the honest client is answered, a frame costs little, and what is held is bounded', PATIENCE, () => {
    let outcome = attack(flood)
    for (let attempt = 1; attempt < ATTEMPTS && !isCheap(outcome); attempt++) outcome = attack(flood)
    const { during, bytes, after } = outcome
    expect.soft(share(during), `answered during it: ${JSON.stringify(during)}`).toBeGreaterThanOrEqual(LEAST_SHARE)
    expect.soft(share(after), `answered after it: ${JSON.stringify(after)}`).toBe(1)
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
