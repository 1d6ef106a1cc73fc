import { expect, test } from 'vitest'
import { Arrivals } from '../../../src/network/scenario/arrivals.ts'

test('copies, the order and the delays are those of each datagram once', () => {
  const arrivals = new Arrivals()
  const taken = [
    [0, 0, 10],
    [2, 20, 30],
    [2, 20, 31],
    [1, 10, 40],
    [3, 30, 50],
  ].map(([number, sent, now]) => arrivals.add(number as number, sent as number, now as number, 100))
  expect(taken).toEqual([true, true, false, true, true])
  expect(arrivals).toMatchObject({ received: 4, duplicated: 1, reordered: 1 })
  // 300 bytes behind the first arrival, in 40 ms.
  expect(arrivals.throughput).toBe(60_000)
  expect(arrivals.latency).toEqual({ min: 10, mean: 17.5, p50: 10, p90: 30, p99: 30, max: 30 })
})

test('of no datagram there is no latency, and of one no throughput', () => {
  const arrivals = new Arrivals()
  expect(arrivals.latency).toBe(null)
  arrivals.add(0, 0, 5, 100)
  expect(arrivals.throughput).toBe(0)
})
