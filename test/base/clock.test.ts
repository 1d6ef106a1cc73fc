import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { ManualClock, SystemClock, type Timer } from '../../src/base/clock.ts'

describe('a manual clock', () => {
  test('a manual clock never comes to what waits for ever, and takes no number for now', () => {
    const clock = new ManualClock()
    const ran: string[] = []
    clock.schedule(Number.POSITIVE_INFINITY, () => ran.push('never'))
    clock.schedule(Number.NaN, () => ran.push('now'))
    expect(clock.step()).toBe(true)
    expect(clock.step()).toBe(false)
    clock.advance(2 ** 40)
    expect(ran).toEqual(['now'])
  })

  test('a manual clock stands still until it is told', () => {
    const clock = new ManualClock()
    const ran: string[] = []
    clock.schedule(0, () => ran.push('now'))
    clock.soon(() => ran.push('soon'))
    expect(clock.now()).toBe(0)
    expect(ran).toEqual([])
    clock.settle()
    expect(ran).toEqual(['now', 'soon'])
    expect(clock.now()).toBe(0)
  })

  test('a manual clock has a wall time that moves along', () => {
    const clock = new ManualClock(1_000_000)
    clock.advance(1.5)
    expect(clock.wallTime()).toBe(1_000_001.5)
    expect(new Date(new ManualClock().wallTime()).toISOString()).toBe('2000-01-01T00:00:00.000Z')
  })

  test(
    'a manual clock runs callbacks in the order of time, ties in the order of scheduling, like a sorted ' + 'list',
    () => {
      const action = fc.record({ delay: fc.nat(20), cancels: fc.option(fc.nat(60), { freq: 3 }) })
      fc.assert(
        fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
          const clock = new ManualClock()
          const ran: number[] = []
          const timers: Timer[] = []
          actions.forEach(({ delay }, number) => {
            timers.push(clock.schedule(delay, () => ran.push(number)))
          })
          const cancelled = new Set<number>()
          for (const { cancels } of actions) {
            if (cancels === null || cancels >= timers.length) continue
            timers[cancels]?.cancel()
            cancelled.add(cancels)
          }
          const expected = actions
            .map(({ delay }, number) => ({ delay, number }))
            .filter(({ number }) => !cancelled.has(number))
            .sort((a, b) => a.delay - b.delay || a.number - b.number)
          expect(clock.pending).toBe(expected.length)
          expect(clock.nextTime).toBe(expected[0]?.delay ?? Number.POSITIVE_INFINITY)
          clock.advance(100)
          expect(ran).toEqual(expected.map(({ number }) => number))
          expect(clock.now()).toBe(100)
          expect(clock.step()).toBe(false)
        }),
        { seed: 1, numRuns: 300 },
      )
    },
  )

  test(
    'a manual clock runs what callbacks schedule in the order of time, ties in the order of scheduling, ' +
      'like a list that is searched',
    () => {
      interface Action {
        delay: number
        after: readonly Action[]
      }
      const { actions } = fc.letrec<{ actions: Action[] }>((tie) => ({
        actions: fc.array(
          fc.record({ delay: fc.nat(3), after: fc.oneof({ depthSize: 'small' }, fc.constant([]), tie('actions')) }),
          {
            maxLength: 5,
          },
        ),
      }))
      fc.assert(
        fc.property(actions, (first) => {
          const clock = new ManualClock()
          const ran: [Action, number][] = []
          const schedule = (all: readonly Action[]) => {
            for (const action of all)
              clock.schedule(action.delay, () => {
                ran.push([action, clock.now()])
                schedule(action.after)
              })
          }
          schedule(first)
          clock.advance(1000)

          const expected: [Action, number][] = []
          const waiting: [Action, number][] = []
          const add = (all: readonly Action[], now: number) => {
            for (const action of all) waiting.push([action, now + action.delay])
          }
          add(first, 0)
          while (waiting.length > 0) {
            const time = Math.min(...waiting.map(([, each]) => each))
            const [next] = waiting.splice(
              waiting.findIndex(([, each]) => each === time),
              1,
            ) as [[Action, number]]
            expected.push(next)
            add(next[0].after, time)
          }
          expect(ran).toEqual(expected)
        }),
        { seed: 1, numRuns: 300 },
      )
    },
  )

  test('a manual clock shows a callback the time for which it was scheduled', () => {
    const clock = new ManualClock()
    const times: number[] = []
    for (const delay of [7, 2.25, 5]) clock.schedule(delay, () => times.push(clock.now()))
    clock.advance(5)
    expect(times).toEqual([2.25, 5])
    expect(clock.nextTime).toBe(7)
    clock.advance(2)
    expect(times).toEqual([2.25, 5, 7])
  })

  test('a manual clock runs what callbacks schedule within the time that is advanced', () => {
    const clock = new ManualClock()
    const times: number[] = []
    const again = () => {
      times.push(clock.now())
      clock.schedule(10, again)
    }
    clock.schedule(10, again)
    clock.advance(35)
    expect(times).toEqual([10, 20, 30])
    expect(clock.now()).toBe(35)
  })

  test('a manual clock steps from callback to callback', () => {
    const clock = new ManualClock()
    const ran: string[] = []
    clock.schedule(3, () => ran.push('b'))
    clock.schedule(1, () => ran.push('a'))
    expect(clock.step()).toBe(true)
    expect([clock.now(), ran.join('')]).toEqual([1, 'a'])
    expect(clock.step()).toBe(true)
    expect([clock.now(), ran.join('')]).toEqual([3, 'ab'])
    expect(clock.step()).toBe(false)
  })

  test('a manual clock takes a negative delay as none: time never goes back', () => {
    const clock = new ManualClock()
    clock.advance(5)
    clock.schedule(-3, () => {})
    expect(clock.nextTime).toBe(5)
  })

  test('a manual clock forgets a cancelled timer, also from within a callback of the same moment', () => {
    const clock = new ManualClock()
    const ran: string[] = []
    let second: Timer | null = null
    clock.schedule(1, () => {
      ran.push('first')
      second?.cancel()
    })
    second = clock.schedule(1, () => ran.push('second'))
    clock.advance(2)
    second.cancel()
    expect(ran).toEqual(['first'])
    expect(clock.nextTime).toBe(Number.POSITIVE_INFINITY)
  })

  test('a manual clock forgets a cancelled timer of the moment that it is', () => {
    const clock = new ManualClock()
    const ran: string[] = []
    const timers = ['a', 'b', 'c'].map((name) => clock.schedule(0, () => ran.push(name)))
    timers[0]?.cancel()
    timers[2]?.cancel()
    clock.soon(() => ran.push('d'))
    expect(clock.pending).toBe(2)
    clock.settle()
    expect(ran).toEqual(['b', 'd'])
  })
})

describe('the system clock', () => {
  test('the system clock goes forward with the wall', () => {
    const clock = new SystemClock()
    expect(Math.abs(clock.wallTime() - Date.now())).toBeLessThan(1000)
    const before = clock.now()
    expect(clock.now()).toBeGreaterThanOrEqual(before)
  })

  test('the system clock runs a callback not before its time, and soon before that', async () => {
    const clock = new SystemClock()
    const start = clock.now()
    const ran: string[] = []
    const elapsed = await new Promise<number>((resolve) => {
      clock.schedule(20.4, () => {
        ran.push('timer')
        resolve(clock.now() - start)
      })
      clock.soon(() => ran.push('soon'))
      clock.schedule(5, () => ran.push('cancelled')).cancel()
      ran.push('here')
      // The clock's own timers do not keep a process alive, so something else must.
      setTimeout(() => {}, 200)
    })
    expect(ran).toEqual(['here', 'soon', 'timer'])
    expect(elapsed).toBeGreaterThanOrEqual(20.4 - 1)
  })

  test('the system clock waits longer than setTimeout can, and for ever, and stops when it is told to', async () => {
    vi.resetModules()
    vi.useFakeTimers()
    try {
      // The clock reads the globals when it is loaded.
      const clock = new (await import('../../src/base/clock.ts')).SystemClock()
      const ran: string[] = []
      clock.schedule(2 ** 32 + 5000, () => ran.push('after 49 days'))
      clock.schedule(Number.POSITIVE_INFINITY, () => ran.push('never')).cancel()
      clock.schedule(Number.POSITIVE_INFINITY, () => ran.push('never'))
      const stopped = clock.schedule(2 ** 33, () => ran.push('stopped'))
      vi.advanceTimersByTime(2 ** 32)
      expect(ran).toEqual([])
      vi.advanceTimersByTime(5000)
      expect(ran).toEqual(['after 49 days'])
      stopped.cancel()
      vi.advanceTimersByTime(2 ** 34)
      expect(ran).toEqual(['after 49 days'])
    } finally {
      vi.useRealTimers()
      vi.resetModules()
    }
  })
})

describe("the wall time of the machine's own clock", () => {
  test(
    "the wall time of the machine's own clock is between what Date.now() says before and after, fractions " + 'in it',
    () => {
      const clock = new SystemClock()
      const fractions = new Set<number>()
      let last = 0
      for (let count = 0; count < 20_000; count++) {
        const before = Date.now()
        const time = clock.wallTime()
        const after = Date.now()
        expect(time >= before && time < after + 1).toBe(true)
        if (after >= last && time < last) expect.fail(`${time} is before ${last}`)
        last = time
        fractions.add(time % 1)
      }
      expect(fractions.size).toBeGreaterThan(100)
    },
  )

  test.each([3_600_000, -3_600_000])("the wall time of the machine's own clock follows a step of %i ms", (step) => {
    const clock = new SystemClock()
    const before = clock.wallTime()
    const real = Date.now
    const stepped = vi.spyOn(Date, 'now').mockImplementation(() => real() + step)
    try {
      const moved = clock.wallTime() - before - step
      expect(moved).toBeGreaterThan(-1.5)
      expect(Math.floor(clock.wallTime())).toBeGreaterThanOrEqual(Math.floor(before) + step)
      expect(clock.wallTime()).toBeLessThan(Date.now() + 1)
      expect(clock.now()).toBeLessThan(before)
    } finally {
      stepped.mockRestore()
    }
    expect(clock.wallTime()).toBeLessThan(Date.now() + 1)
    expect(clock.wallTime()).toBeGreaterThanOrEqual(Math.floor(before))
  })
})
