import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { BusyPoll, PollWorth } from '../../../src/link/device/busy-poll.ts'

describe('a busy poll', () => {
  test('looks in a turn of its own after packets came, and not before', async () => {
    let looks = 0
    const poll = new BusyPoll(0, () => {
      looks++
      return 0
    })
    poll.again()
    expect(looks).toBe(0)
    await nextTurn()
    expect(looks).toBe(1)
    await nextTurn()
    expect(looks).toBe(1)
  })

  test('goes on in the next turn while it finds packets', async () => {
    let looks = 0
    const poll = new BusyPoll(0, () => {
      if (++looks === 3) return 0
      poll.again()
      return 1
    })
    poll.again()
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    expect(looks).toBe(3)
  })

  test('asks once in a turn, however often it is asked', async () => {
    let looks = 0
    const poll = new BusyPoll(0, () => {
      looks++
      return 0
    })
    for (let i = 0; i < 5; i++) poll.again()
    await nextTurn()
    expect(looks).toBe(1)
  })

  test('stops at once when there will be no more', async () => {
    let looks = 0
    const poll = new BusyPoll(10_000, () => {
      looks++
      return -1
    })
    poll.again()
    await nextTurn()
    expect(looks).toBe(1)
  })

  test('lets the loop end now and then under a flood that does not', async () => {
    let pending = false
    const poll = new BusyPoll(0, () => {
      pending = true
      poll.again()
      return 1
    })
    poll.again()
    do {
      pending = false
      await nextTurn()
    } while (pending)
    expect(pending).toBe(false)
  })
})

describe('a busy poll that pays', () => {
  /** A wake-up after `gap`, then waits as long as it is on. Returns the time, and how many waits there were. */
  function trial(worth: PollWorth, from: number, gap: number, wait: (index: number) => number, most = 1000) {
    let now = from + gap
    let waits = 0
    worth.wokeUp(now)
    while (worth.isOn && waits < most) {
      const time = wait(waits++)
      now += time
      worth.waited(time, now)
    }
    return { now, waits }
  }

  test('goes on while packets come sooner than a wake-up would take', () => {
    const worth = new PollWorth()
    let { now } = trial(worth, 0, 1, () => 0)
    expect(worth.isOn).toBe(false)
    const short = trial(worth, now, 0.1, () => 0.02)
    expect([short.waits, worth.isOn]).toEqual([1000, true])
    ;({ now } = short)
    // Now and then one comes late, or none at all.
    const mixed = trial(worth, now, 0.1, (index) => (index % 8 === 7 ? 0.08 : 0.02))
    expect([mixed.waits, worth.isOn]).toEqual([1000, true])
  })

  test('is given up when they do not, and tried again ever more rarely', () => {
    const worth = new PollWorth()
    let now = trial(worth, 0, 1, () => 0).now
    const trials: number[] = []
    for (let wakeup = 1; wakeup <= 5000; wakeup++) {
      const tried = trial(worth, now, 0.1, () => 0.08)
      now = tried.now
      if (tried.waits === 0) continue
      expect(tried.waits).toBeLessThan(8)
      trials.push(wakeup)
    }
    const pauses = trials.map((wakeup, index) => wakeup - (trials[index - 1] ?? 0))
    expect(pauses).toEqual([1, 9, 17, 33, 65, 129, 257, 513, 1025, 1025, 1025])
  })

  test('is given up at once, and not tried, where packets are rare', () => {
    const worth = new PollWorth()
    let now = trial(worth, 0, 1, () => 0).now
    now = trial(worth, now, 0.1, () => 0.01, 100).now
    expect(worth.isOn).toBe(true)
    for (let wakeup = 0; wakeup < 100; wakeup++) {
      now += 1
      worth.wokeUp(now)
      expect(worth.isOn).toBe(false)
    }
  })

  test('is tried soon again after it has paid', () => {
    const worth = new PollWorth()
    let now = trial(worth, 0, 1, () => 0).now
    for (let wakeup = 0; wakeup < 200; wakeup++) now = trial(worth, now, 0.1, () => 0.08).now
    while (!worth.isOn) now = trial(worth, now, 0.1, () => 0.01, 100).now
    // It paid; then it does not.
    while (worth.isOn) {
      now += 0.05
      worth.waited(0.05, now)
    }
    let wakeups = 0
    for (; !worth.isOn; wakeups++) {
      now += 0.1
      worth.wokeUp(now)
    }
    expect(wakeups).toBe(9)
  })

  test('polls only while it does, and says so', async () => {
    let time = 1
    const now = vi.spyOn(performance, 'now').mockImplementation(() => time)
    onTestFinished(() => now.mockRestore())
    let found = 0
    let looks = 0
    const poll = new BusyPoll('auto', () => {
      looks++
      time += 0.01
      if (found === 0) return 0
      found--
      poll.again()
      return 1
    })
    poll.again()
    // The first wake-up ever says nothing of those to come.
    expect(poll.isOn).toBe(false)
    found = 3
    poll.again()
    expect(poll.isOn).toBe(true)
    for (let turn = 0; turn < 6; turn++) await nextTurn()
    expect(found).toBe(0)
    const before = looks
    for (let turn = 0; turn < 6; turn++) await nextTurn()
    expect(looks).toBe(before)
  })
})
