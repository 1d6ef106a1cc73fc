/** Patience with the worker, without one: the test says what it says. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EngineClient, Hung } from '../src/engine-client.ts'
import type { Reply, Request } from '../src/protocol.ts'

let hear: (reply: Reply) => void = () => {}
/** The calls that each worker was given. */
let workers: number[][] = []
let ended = 0

beforeEach(() => {
  vi.useFakeTimers()
  ended = 0
  workers = []
  vi.stubGlobal(
    'Worker',
    class {
      readonly #given: number[] = []
      constructor() {
        workers.push(this.#given)
      }
      addEventListener(type: string, listener: (event: { data: Reply }) => void) {
        if (type === 'message') hear = (data) => listener({ data })
      }
      postMessage({ id }: Request) {
        this.#given.push(id)
      }
      terminate() {
        ended++
      }
    },
  )
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('patience begins with the turn of a call; when it ends, those behind go to another worker', async () => {
  const client = new EngineClient()
  const request = { text: '' }
  const capture = client.call('capture', [request])
  const outcome = client.call('run', [request], undefined, 100).catch((error: Error) => error)
  const behind = client.call('run', [request], undefined, 100)
  vi.advanceTimersByTime(1000)
  hear({ id: 1, value: new Uint8Array(3) })
  expect(await capture).toHaveLength(3)
  vi.advanceTimersByTime(99)
  hear({ id: 2, progress: 1 })
  vi.advanceTimersByTime(99)
  expect([ended, workers]).toEqual([0, [[1, 2, 3]]])
  vi.advanceTimersByTime(1)
  expect(await outcome).toBeInstanceOf(Hung)
  expect([ended, workers]).toEqual([1, [[1, 2, 3], [3]]])
  vi.advanceTimersByTime(99)
  hear({ id: 3, value: 'the run' })
  expect(await behind).toBe('the run')
  // Nothing waits for anything.
  expect(vi.getTimerCount()).toBe(0)
})

test('a worker that has worked for long is replaced when nothing waits', async () => {
  const client = new EngineClient()
  const request = { text: '' }
  const long = client.call('run', [request])
  const behind = client.call('capture', [request])
  vi.advanceTimersByTime(3000)
  hear({ id: 1, value: 'the run' })
  expect([await long, ended]).toEqual(['the run', 0])
  vi.advanceTimersByTime(10)
  hear({ id: 2, value: 'the capture' })
  expect([await behind, ended, workers]).toEqual(['the capture', 1, [[1, 2], []]])
  const short = client.call('run', [request])
  vi.advanceTimersByTime(1000)
  hear({ id: 3, value: 'another' })
  expect([await short, ended, workers]).toEqual(['another', 1, [[1, 2], [3]]])
})
