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

/** Milliseconds after which a run that says nothing is taken to hang in the code of a host. */
export const PATIENCE = 5000

/** A call whose worker said nothing for too long, and was stopped. */
export class Hung extends Error {
  constructor(patience: number) {
    super(`The run has said nothing for ${patience / 1000} s and was stopped: does the code of a host have an end?`)
    this.name = 'Hung'
  }
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
  progress?: ((time: number) => void) | undefined
  /** Starts the wait for a sign of life anew. */
  alive(): void
}

export class EngineClient {
  #worker: Worker | null = null
  #next = 1
  readonly #waiting = new Map<number, Waiting>()

  /**
   * With `patience` (milliseconds, without end by default) a call is stopped, and rejects with
   * {@link Hung}, when nothing is heard of it for so long: of a program that never returns nothing
   * else can be known.
   * Rejects in a browser that has no workers, or does not let this page have one.
   */
  call<Name extends Call>(
    name: Name,
    args: Parameters<Engine[Name]>,
    progress?: (time: number) => void,
    patience = Number.POSITIVE_INFINITY,
  ): Promise<Result<Name>> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#begin()
      const id = this.#next++
      let timer: ReturnType<typeof setTimeout> | undefined
      const alive = () => {
        clearTimeout(timer)
        if (patience < Number.POSITIVE_INFINITY && this.#waiting.has(id))
          timer = setTimeout(() => this.stop(new Hung(patience)), patience)
      }
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, progress, alive })
      alive()
      this.#worker.postMessage({ id, call: name, args })
    })
  }

  /** Ends what is going on, whatever it is. The next worker knows nothing: load again. */
  stop(reason: Error = new Stopped()): void {
    this.#worker?.terminate()
    this.#worker = null
    const stopped = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject, alive } of stopped) {
      alive()
      reject(reason)
    }
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
      waiting.alive()
      waiting.progress?.(reply.progress)
      return
    }
    this.#waiting.delete(reply.id)
    waiting.alive()
    if ('error' in reply) waiting.reject(new Error(reply.error))
    else waiting.resolve(reply.value)
  }
}
