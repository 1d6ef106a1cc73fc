import { afterEach, beforeEach, expect, test } from 'vitest'
import { Lateness } from '../../src/namespaces/lateness.ts'
import { PreciseClock } from '../../src/namespaces/precise-clock.ts'

let lateness: Lateness
let clock: PreciseClock
beforeEach(() => {
  lateness = new Lateness()
  clock = new PreciseClock(lateness)
})
afterEach(() => clock.close())

/** Resolves when a timer of the clock has run. */
const after = (delay: number, action = () => {}) =>
  new Promise<void>((resolve) => {
    clock.schedule(delay, () => {
      action()
      resolve()
    })
  })

test('timers run in the order of their times, none before its time', async () => {
  const ran: string[] = []
  const start = clock.now()
  const early: number[] = []
  const at = (name: string, delay: number) =>
    // The calls themselves take time.
    after(start + delay - clock.now(), () => {
      ran.push(name)
      early.push(Math.min(0, clock.now() - start - delay))
    })
  await Promise.all([at('c', 30.5), at('a', 20), at('b', 30.25), at('d', 31)])
  expect(ran).toEqual(['a', 'b', 'c', 'd'])
  expect(early.every((each) => each > -1e-6)).toBe(true)
})

test('a timer that was cancelled does not run, and holds no other up', async () => {
  const ran: string[] = []
  const first = clock.schedule(1, () => ran.push('cancelled'))
  const second = after(2, () => ran.push('second'))
  first.cancel()
  await second
  expect(ran).toEqual(['second'])
})

test('a timer that is set while timers run has its turn, the past counts as now', async () => {
  const ran: string[] = []
  await new Promise<void>((resolve) => {
    clock.schedule(1, () => {
      ran.push('outer')
      clock.schedule(-5, () => {
        ran.push('inner')
        resolve()
      })
    })
  })
  expect(ran).toEqual(['outer', 'inner'])
})

test('soon runs in a later turn', async () => {
  let ran = false
  const soon = new Promise<void>((resolve) => {
    clock.soon(() => {
      ran = true
      resolve()
    })
  })
  expect(ran).toBe(false)
  await soon
})

test('each timer is counted with how late it was', async () => {
  await Promise.all([after(0.5), after(1), after(1.5)])
  const { count, worst, p50 } = lateness.lag
  expect(count).toBe(3)
  expect(worst).toBeGreaterThanOrEqual(p50)
})

test('a callback that throws does not stop the others', async () => {
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const thrown = new Promise<Error>((resolve) => {
    process.once('uncaughtException', resolve)
  })
  try {
    clock.schedule(0.1, () => {
      throw new Error('one of them')
    })
    await after(0.2)
    expect((await thrown).message).toBe('one of them')
  } finally {
    for (const each of listeners) process.on('uncaughtException', each)
  }
})

test('nothing runs once it is closed', async () => {
  let ran = false
  const other = new PreciseClock(lateness)
  other.schedule(0.1, () => {
    ran = true
  })
  other.close()
  await after(2)
  expect(ran).toBe(false)
})
