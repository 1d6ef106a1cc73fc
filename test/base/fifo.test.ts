import { describe, expect, test } from 'vitest'
import { Fifo } from '../../src/base/fifo.ts'
import { SeededRandom } from '../../src/base/random.ts'

describe('a queue', () => {
  test('gives what it got in the same order, as an array does, however long it is', () => {
    const random = new SeededRandom('fifo')
    const fifo = new Fifo<{ number: number }>()
    const twin: { number: number }[] = []
    let number = 0
    for (let round = 0; round < 60; round++) {
      // Grows at first, then runs empty, in spans longer than what is given back at once.
      for (let pushes = random.below(round < 30 ? 900 : 100); pushes > 0; pushes--) {
        const item = { number: number++ }
        fifo.push(item)
        twin.push(item)
      }
      for (let shifts = random.below(round < 30 ? 600 : 1200); shifts > 0; shifts--)
        expect(fifo.shift()).toBe(twin.shift())
      expect([fifo.length, fifo.first, fifo.last]).toEqual([twin.length, twin[0], twin.at(-1)])
    }
    expect(number).toBeGreaterThan(10_000)
  })

  test('is empty when it was cleared', () => {
    const fifo = new Fifo<object>()
    for (let i = 0; i < 3; i++) fifo.push({})
    fifo.shift()
    fifo.clear()
    expect([fifo.length, fifo.first, fifo.last, fifo.shift()]).toEqual([0, undefined, undefined, undefined])
  })
})
