/** The page's side of the worker: its calls as promises; it can be stopped and begun anew. */
import type { Call, Engine, Reply } from './protocol.ts'

type Result<Name extends Call> = Awaited<ReturnType<Engine[Name]>>

/** A call whose worker was stopped. */
export class Stopped extends Error {
  constructor() {
    super('The run was stopped.')
    this.name = 'Stopped'
  }
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
  progress?: ((time: number) => void) | undefined
}

export class EngineClient {
  #worker: Worker | null = null
  #next = 1
  readonly #waiting = new Map<number, Waiting>()

  /** Rejects in a browser that has no workers, or does not let this page have one. */
  call<Name extends Call>(
    name: Name,
    args: Parameters<Engine[Name]>,
    progress?: (time: number) => void,
  ): Promise<Result<Name>> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#begin()
      const id = this.#next++
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, progress })
      this.#worker.postMessage({ id, call: name, args })
    })
  }

  /** Ends what is going on, whatever it is. The next worker knows nothing: load again. */
  stop(): void {
    this.#worker?.terminate()
    this.#worker = null
    for (const { reject } of this.#waiting.values()) reject(new Stopped())
    this.#waiting.clear()
  }

  #begin(): Worker {
    if (typeof Worker === 'undefined') throw new Error('This browser has no Web Workers, in which the network runs.')
    const worker = new Worker(new URL('./worker/main.ts', import.meta.url), { type: 'module', name: 'tungram' })
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#hear(data))
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      const message = event.message || 'it could not be loaded'
      this.stop()
      this.onFailure(`The worker with the network has failed: ${message}.`)
    })
    return worker
  }

  /** Told when the worker itself fails. */
  onFailure: (message: string) => void = () => {}

  #hear(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id)
    if (waiting === undefined) return
    if ('progress' in reply) {
      waiting.progress?.(reply.progress)
      return
    }
    this.#waiting.delete(reply.id)
    if ('error' in reply) waiting.reject(new Error(reply.error))
    else waiting.resolve(reply.value)
  }
}
