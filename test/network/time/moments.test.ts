import { expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Moments } from '../../../src/network/time/moments.ts'
import { Network } from '../../../src/network-node.ts'

test('actions of one time happen in the order of the calls, however time moves between them', () => {
  const clock = new ManualClock()
  const moments = new Moments(clock)
  const order: string[] = []
  moments.add(10, 10, () => order.push('first'))
  // As if a little time had passed, or a clock were not exact.
  moments.add(10, 9.9, () => order.push('second'))
  moments.add(5, 5, () => order.push('before'))
  clock.advance(20)
  expect(order).toEqual(['before', 'first', 'second'])
})

test('what is cancelled does not happen, and a time with nothing left has no timer', () => {
  const clock = new ManualClock()
  const moments = new Moments(clock)
  const order: string[] = []
  const action = () => order.push('action')
  const first = moments.add(10, 10, action)
  moments.add(10, 10, action)
  first.cancel()
  first.cancel()
  const only = moments.add(20, 20, () => order.push('only'))
  only.cancel()
  expect(clock.pending).toBe(1)
  // The time can be named again.
  moments.add(20, 20, () => order.push('again'))
  only.cancel()
  clock.advance(30)
  expect(order).toEqual(['action', 'again'])
})

test('one that throws does not keep the others', () => {
  const clock = new ManualClock()
  const moments = new Moments(clock)
  const order: string[] = []
  moments.add(1, 1, () => {
    throw new Error('of the first')
  })
  moments.add(1, 1, () => order.push('second'))
  expect(() => clock.advance(2)).toThrow('of the first')
  expect(order).toEqual(['second'])
})

test('events of a network in real time keep their order', async () => {
  const network = new Network({ clock: 'real' })
  const order: number[] = []
  const all = Array.from({ length: 50 }, (_, index) => index)
  for (const index of all) network.at(30, () => order.push(index))
  await network.runFor(60)
  expect(order).toEqual(all)
  network.close()
})
