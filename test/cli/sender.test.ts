import { expect, test } from 'vitest'
import { Sender } from '../../src/cli/sender.ts'
import type { NeighborState } from '../../src/ip/nic/neighbor-table.ts'

type Callback = (error: Error | null) => void

/** Runs a sender to its end; `outcome` decides what becomes of each datagram. */
async function run(
  count: number,
  rate: number,
  outcome: (attempt: number) => string | null,
  neighbor: () => NeighborState | undefined = () => undefined,
) {
  const sender = new Sender(count, rate, neighbor)
  const times: number[] = []
  let waiting = 0
  let mostWaiting = 0
  const send = (callback: Callback) => {
    times.push(performance.now())
    mostWaiting = Math.max(mostWaiting, ++waiting)
    const code = outcome(times.length)
    setImmediate(() => {
      waiting--
      callback(code === null ? null : Object.assign(new Error(`send ${code}`), { code }))
    })
  }
  const failure = await new Promise<Error | undefined>((resolve) => sender.start(10, send, resolve))
  sender.stop()
  return { sender, times, mostWaiting, failure }
}

test('all datagrams are counted when the last callback has come', async () => {
  const { sender, times, failure } = await run(5000, Number.POSITIVE_INFINITY, () => null)
  expect({ sent: sender.sent, bytes: sender.bytes, attempts: times.length, failure }).toEqual({
    sent: 5000,
    bytes: 50_000,
    attempts: 5000,
    failure: undefined,
  })
})

test('a datagram that found the queue full goes again, after a moment', async () => {
  const { sender, times } = await run(100, Number.POSITIVE_INFINITY, (attempt) => (attempt <= 130 ? 'ENOBUFS' : null))
  expect({ sent: sender.sent, attempts: times.length }).toEqual({ sent: 100, attempts: 230 })
  expect((times[100] as number) - (times[99] as number)).toBeGreaterThan(0.5)
})

test('the last datagram too goes again', async () => {
  const { sender, times } = await run(1, 10, (attempt) => (attempt < 3 ? 'ENOBUFS' : null))
  expect({ sent: sender.sent, attempts: times.length }).toEqual({ sent: 1, attempts: 3 })
})

test('another failure ends it with the reason', async () => {
  const { sender, failure } = await run(5000, Number.POSITIVE_INFINITY, (attempt) =>
    attempt === 3 ? 'EMSGSIZE' : null,
  )
  expect(failure?.message).toBe('send EMSGSIZE')
  expect(sender.stopped).toBe(true)
})

test('the first datagram alone waits for the neighbor; when that does not answer no other one is tried', async () => {
  for (const outcome of ['REACHABLE', 'FAILED'] as const) {
    const states: NeighborState[] = ['INCOMPLETE', 'INCOMPLETE', 'INCOMPLETE']
    let asked = 0
    const { times, failure } = await run(
      50,
      Number.POSITIVE_INFINITY,
      () => null,
      () => (asked++ === 0 ? undefined : (states.pop() ?? outcome)),
    )
    expect({ outcome, attempts: times.length, failure }).toEqual({
      outcome,
      attempts: outcome === 'FAILED' ? 1 : 50,
      failure: undefined,
    })
  }
})

test('a neighbor that is lost later ends nothing', async () => {
  let asked = 0
  const { times } = await run(
    600,
    Number.POSITIVE_INFINITY,
    () => null,
    () => (asked++ === 3 ? 'FAILED' : 'REACHABLE'),
  )
  expect(times).toHaveLength(600)
})

test('callbacks that do not come hold it back', async () => {
  const { mostWaiting } = await run(20_000, Number.POSITIVE_INFINITY, () => null)
  expect(mostWaiting).toBeLessThanOrEqual(1024)
})

test.each([
  [200, 60],
  [5000, 1500],
])('a rate of %i datagrams a second is kept', async (rate, count) => {
  const { times } = await run(count, rate, () => null)
  const first = times[0] as number
  // No datagram leaves before its time; how late one may be is the machine's affair.
  times.forEach((time, index) => {
    expect(time - first).toBeGreaterThan((index * 1000) / rate - 1)
  })
  expect((times.at(-1) as number) - first).toBeLessThan((count * 1000) / rate + 300)
})
