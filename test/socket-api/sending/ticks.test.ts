import { expect, test } from 'vitest'
import { ManualClock, SystemClock } from '../../../src/base/clock.ts'
import { SendTicks } from '../../../src/socket-api/sending/ticks.ts'

const note = (seen: string[], name: string) => ({ run: () => seen.push(name) })

test('calls run in the next tick in their order, whether they have a tick of their own or share one', async () => {
  const ticks = new SendTicks(new SystemClock())
  const seen: string[] = []
  for (const [name, own] of [
    ['a', false],
    ['b', false],
    ['c', true],
    ['d', false],
  ] as const)
    ticks.next(note(seen, name), own)
  expect([seen, ticks.isWaiting]).toEqual([[], true])
  await new Promise<void>((resolve) => process.nextTick(resolve))
  expect([seen, ticks.isWaiting]).toEqual([['a', 'b', 'c', 'd'], false])
})

test('a call that is asked for while the shared tick runs has a later one', async () => {
  const ticks = new SendTicks(new SystemClock())
  const seen: string[] = []
  ticks.next({ run: () => ticks.next(note(seen, 'later'), false) }, false)
  ticks.next({ run: () => expect(seen).toEqual([]) }, false)
  await new Promise<void>((resolve) => process.nextTick(() => process.nextTick(resolve)))
  expect(seen).toEqual(['later'])
})

test('a program that moves the clock itself sends at once', () => {
  const ticks = new SendTicks(new ManualClock())
  const seen: string[] = []
  ticks.next(note(seen, 'now'), false)
  expect([seen, ticks.isWaiting]).toEqual([['now'], false])
})
