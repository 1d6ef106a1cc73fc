import { afterEach, beforeEach, expect, test } from 'vitest'
import { SeededRandom } from '../../src/base/random.ts'
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

test('what an event asks for soon is done behind it, before the loop goes on', async () => {
  const order: string[] = []
  await new Promise<void>((resolve) => {
    clock.schedule(1, () => {
      const time = clock.now()
      setImmediate(() => {
        order.push('loop')
        resolve()
      })
      clock.soon(() => {
        order.push('soon')
        clock.soon(() => order.push(clock.now() === time ? 'sooner' : 'later'))
      })
      order.push('event')
    })
  })
  expect(order).toEqual(['event', 'soon', 'sooner', 'loop'])
})

test('what events ask for without end leaves the loop its turns', async () => {
  let isOver = false
  let ran = 0
  clock.hold()
  const again = () => {
    ran++
    if (!isOver) clock.soon(again)
  }
  again()
  clock.release()
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
  isOver = true
  expect(ran).toBeGreaterThan(1000)
})

test('one that throws does not take with it what else was asked for', async () => {
  const ran: string[] = []
  clock.hold()
  clock.soon(() => {
    throw new Error('one of them')
  })
  clock.soon(() => ran.push('the other'))
  expect(() => clock.release()).toThrow('one of them')
  await after(1)
  expect(ran).toEqual(['the other'])
})

test('after a sleep timers run ahead of their time, but nothing leaves before it', async () => {
  let ahead = 0
  const early: number[] = []
  for (let count = 0; count < 1000 && ahead < 10; count++) {
    const begin = clock.now()
    // Two that are due together nearly: the second one waits as well.
    const timer = (delay: number) =>
      after(delay, () => {
        if (performance.now() < begin + delay) ahead++
        // How much it may be ahead is known from those that work.
        work(count % 2 === 0 ? 0.1 : 0)
        clock.reach()
        early.push(Math.max(0, begin + delay - performance.now()))
      })
    await Promise.all([timer(2), timer(2.05)])
  }
  expect(ahead).toBeGreaterThanOrEqual(10)
  expect(Math.max(...early)).toBeLessThan(1e-6)
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

/** Keeps the processor for so many milliseconds, as a hop's work does. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

test('what timers do, and what they ask for soon, happens at their times, however long it takes', async () => {
  const times: number[] = []
  const start = clock.now()
  await new Promise<void>((resolve) => {
    const hop = () => {
      times.push(clock.now() - start)
      work(0.2)
      // Its time stands still while it happens, and goes on with the next timer.
      expect(clock.now() - start).toBe(times.at(-1))
      if (times.length === 10) resolve()
      else clock.soon(() => clock.schedule(2, hop))
    }
    clock.soon(() => clock.schedule(start + 5 - clock.now(), hop))
  })
  for (const [hop, time] of times.entries()) expect(time).toBeCloseTo(5 + 2 * hop, 4)
})

test('who waits for a time, and asks for the difference to now, finds it passed', async () => {
  const random = new SeededRandom('differences')
  const wrong: number[] = []
  await new Promise<void>((resolve) => {
    let hops = 0
    let time = 0
    const hop = () => {
      if (hops > 0 && clock.now() !== time) wrong.push(clock.now() - time)
      if (++hops === 300) resolve()
      time = clock.now() + random.float() * (hops % 50 === 0 ? 40 : 0.2)
      if (hops < 300) clock.schedule(time - clock.now(), hop)
    }
    clock.schedule(1, hop)
  })
  expect(wrong).toEqual([])
})

test('what comes in happens at one time, behind what was due before', async () => {
  const told: [string, number][] = []
  const tell = (what: string) => told.push([what, clock.now()])
  const before = clock.now()
  clock.schedule(0.5, () => tell('due'))
  work(2)
  clock.hold()
  tell('in')
  work(1)
  tell('still')
  const later = after(1, () => tell('later'))
  clock.release()
  await later
  expect(told.map(([what]) => what)).toEqual(['due', 'in', 'still', 'later'])
  const [due, into, still, last] = told.map(([, time]) => time - before) as [number, number, number, number]
  expect(due).toBeLessThan(into)
  expect(into).toBeGreaterThanOrEqual(2)
  expect(still).toBe(into)
  expect(last).toBeCloseTo(into + 1, 4)
  expect(clock.now() - before).toBeGreaterThan(last)
})

test('time never goes back, whatever comes when', async () => {
  const random = new SeededRandom('times')
  const times: number[] = []
  const tell = () => times.push(clock.now())
  const waits: Promise<void>[] = []
  for (let i = 0; i < 300; i++) {
    const kind = random.below(4)
    if (kind === 0)
      waits.push(
        after(random.float() * 3, () => {
          tell()
          work(random.float() * 0.1)
          tell()
        }),
      )
    else if (kind === 1) clock.soon(tell)
    else if (kind === 2) {
      clock.hold()
      tell()
      work(random.float() * 0.05)
      waits.push(after(random.float(), tell))
      clock.release()
    } else tell()
    if (random.below(8) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(waits)
  expect(times.length).toBeGreaterThan(300)
  for (const [at, time] of times.entries()) expect(time).toBeGreaterThanOrEqual(times[at - 1] ?? 0)
})

test('timers of one time that ask for each other leave a turn to the rest of the program', async () => {
  let ran = 0
  let isOver = false
  const again = () => {
    ran++
    if (!isOver) clock.schedule(0, again)
  }
  clock.schedule(0, again)
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
  isOver = true
  expect(ran).toBeGreaterThan(5)
})

test('time stamps are those of what happens', async () => {
  clock.hold()
  const [now, stamp] = [clock.now(), clock.wallTime()]
  work(3)
  const [later, laterStamp] = [clock.now(), clock.wallTime()]
  clock.release()
  expect(later).toBe(now)
  expect(Math.abs(laterStamp - stamp)).toBeLessThan(1.5)
})
