import { describe, expect, test } from 'vitest'
import { Gathering } from '../../../src/link/device/gathering.ts'

/** Milliseconds from a frame, or the end of a rest, until the program looks. */
const WAKE_UP = 0.02

interface Sender {
  /** Frames in a millisecond. */
  readonly rate: number
  /** Most frames that the reader has not seen yet. */
  readonly window?: number
  /** Each wake-up is answered. */
  readonly answered?: boolean
}

/** A reader and its sender for so many wake-ups; returns the wake-ups that followed a rest, with their frames. */
function run(gathering: Gathering, { rate, window = Infinity, answered = false }: Sender, wakeups: number, from = 0) {
  let now = from
  let sent = 0
  let rest = 0
  let begun = now
  const rested: { wakeup: number; frames: number; rest: number }[] = []
  for (let wakeup = 0; wakeup < wakeups; wakeup++) {
    // Without a rest the next frame wakes it.
    now += (rest > 0 ? rest : 1 / rate) + WAKE_UP
    const found = Math.max(1, Math.min(window, 32, Math.round((now - begun) * rate)))
    begun = now
    if (rest > 0) rested.push({ wakeup, frames: found, rest })
    if (answered) sent += found
    rest = gathering.rest(found, found < 32, sent, now)
  }
  return { rested, now }
}

describe('a reader lets frames gather', () => {
  test.each([120, 200, 400])('in a stream of %i in a millisecond, once it has lasted', (rate) => {
    const { rested } = run(new Gathering(), { rate }, 2000)
    expect(rested[0]?.wakeup).toBeGreaterThan(15)
    expect(rested.length).toBeGreaterThan(1900)
    for (const { rest, frames } of rested) {
      expect(rest).toBeLessThanOrEqual(0.05)
      expect(frames).toBeGreaterThan(rate * 0.03)
      expect(frames).toBeLessThan(32)
    }
  })

  test('for a shorter time when more would come than a wake-up takes', () => {
    const { rested } = run(new Gathering(), { rate: 800 }, 100)
    expect(rested.length).toBeGreaterThan(0)
    for (const { rest } of rested) expect(rest).toBeCloseTo(24 / 800, 2)
  })

  test('not when frames are rare', () => {
    expect(run(new Gathering(), { rate: 20 }, 5000).rested).toEqual([])
  })

  test('not while it answers', () => {
    expect(run(new Gathering(), { rate: 300, answered: true }, 5000).rested).toEqual([])
  })

  test('not at the end of a stream: a single answer, or half a millisecond of silence, begins anew', () => {
    const gathering = new Gathering()
    const { now } = run(gathering, { rate: 200 }, 100)
    expect(gathering.rest(1, true, 0, now + 0.6)).toBe(0)
    expect(run(gathering, { rate: 200 }, 100, now + 0.6).rested[0]?.wakeup).toBeGreaterThan(14)
    const again = new Gathering()
    const later = run(again, { rate: 200 }, 100).now
    expect(again.rest(1, true, 1, later + 0.01)).toBe(0)
  })

  test('ever more rarely where the sender waits for what has been seen', () => {
    const { rested } = run(new Gathering(), { rate: 300, window: 6 }, 20_000)
    expect(rested.length).toBeGreaterThan(0)
    // A handful of rests in vain after 64, 128, … wake-ups.
    expect(rested.length).toBeLessThan(80)
  })

  test('again soon when rests that were given up are not in vain any more', () => {
    const gathering = new Gathering()
    let { now } = run(gathering, { rate: 300, window: 6 }, 5000)
    const long = run(gathering, { rate: 300 }, 20_000, now)
    now = long.now
    expect(long.rested.length).toBeGreaterThan(10_000)
    gathering.rest(1, true, 0, now + 1)
    expect(run(gathering, { rate: 300 }, 100, now + 1).rested[0]?.wakeup).toBeLessThan(20)
  })
})
