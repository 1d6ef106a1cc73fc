import { expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { ReadyList } from '../../src/udp/ready-list.ts'

test('a list of those that wait flushes each once, in order, and nobody when none waits', () => {
  const list = new ReadyList(new ManualClock())
  const seen: number[] = []
  for (const each of [1, 2]) list.add({ flush: () => void seen.push(each) })
  list.flush()
  list.flush()
  expect(seen).toEqual([1, 2])
})

test(
  'one that throws does not keep the others waiting, and one that is added meanwhile waits for the next ' + 'flush',
  () => {
    const clock = new ManualClock()
    const list = new ReadyList(clock)
    const seen: string[] = []
    list.add({
      flush() {
        list.add({ flush: () => void seen.push('added') })
      },
    })
    list.add({
      flush() {
        throw new Error('of the receiver')
      },
    })
    list.add({ flush: () => void seen.push('third') })
    expect(() => list.flush()).toThrow('of the receiver')
    expect(seen).toEqual([])
    clock.settle()
    expect(seen).toEqual(['added', 'third'])
  },
)
