/** The worker: takes calls one after the other, and answers with columns that it gives away. */
import type { Reply, Request } from '../protocol.ts'
import { ScenarioEngine } from './engine.ts'
import { placeOf } from './script-place.ts'

let current = 0
const say = (reply: Reply, given: Transferable[] = []) => (self as unknown as Worker).postMessage(reply, given)
const engine = new ScenarioEngine((progress) => say({ id: current, progress }), placeOf)
for (const type of ['error', 'unhandledrejection'] as const)
  self.addEventListener(type, (event: Event & { error?: unknown; reason?: unknown }) => {
    if (engine.takes(event.error ?? event.reason)) event.preventDefault()
  })
let last: Promise<void> = Promise.resolve()

self.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  last = last.then(() => answer(data))
})

async function answer({ id, call, args }: Request): Promise<void> {
  current = id
  try {
    const method = engine[call] as (...args: unknown[]) => unknown
    const value = await method.apply(engine, args as unknown[])
    say({ id, value }, [...buffersIn(value)])
  } catch (error) {
    say({ id, error: (error as Error).message })
  }
}

/** The memory of all typed arrays in a value, each once. */
function buffersIn(value: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    // Bytes of a frame are a window of a file that others look into as well.
    if (value.byteLength === value.buffer.byteLength) found.add(value.buffer as ArrayBuffer)
  } else if (Array.isArray(value)) {
    if (typeof value[0] === 'object') for (const each of value) buffersIn(each, found)
  } else if (typeof value === 'object' && value !== null)
    for (const each of Object.values(value)) buffersIn(each, found)
  return found
}
