import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { BusyPoll } from '../../../src/link/device/busy-poll.ts'

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
