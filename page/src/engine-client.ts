/** The page's side of the worker: its calls as promises; it can be stopped and begun anew. */
import type { Call, Engine, Reply, Request } from './protocol.ts'

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

/**
 * Milliseconds of work after which a worker that rests is replaced. What it has used it keeps, for a
 * browser collects the garbage of a worker late when it has nothing to do: of a run of a million
 * events, 100 MB (bench/page/run.mjs, Chromium 150, 2 cores).
 */
const LONG_WORK = 2000

interface Waiting {
  readonly request: Request
  resolve(value: unknown): void
  reject(error: Error): void
  readonly progress: ((time: number) => void) | undefined
  readonly patience: number
}

export class EngineClient {
  #worker: Worker | null = null
  #next = 1
  /** In the order in which the worker answers. */
  readonly #waiting = new Map<number, Waiting>()
  #timer: ReturnType<typeof setTimeout> | undefined
  /** When the turn of the first call that waits began. */
  #begun = 0
  #isSpent = false

  /**
   * With `patience` (milliseconds, without end by default) a call rejects with {@link Hung} when it is
   * its turn and nothing is heard of it for so long: of a program that never returns nothing else can
   * be known. Calls that wait behind it are answered by another worker.
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
      const request: Request = { id: this.#next++, call: name, args }
      this.#worker.postMessage(request)
      this.#waiting.set(request.id, { request, resolve: resolve as Waiting['resolve'], reject, progress, patience })
      if (this.#waiting.size > 1) return
      this.#begun = performance.now()
      this.#listen()
    })
  }

  /** Ends what is going on, whatever it is. The next call begins a new worker. */
  stop(): void {
    const stopped = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#end()
    for (const { reject } of stopped) reject(new Stopped())
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#worker?.terminate()
    this.#worker = null
    this.#isSpent = false
  }

  /** Waits anew for a word of the call whose turn it is. */
  #listen(): void {
    clearTimeout(this.#timer)
    const [first] = this.#waiting.values()
    if (first === undefined || first.patience === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => {
      this.#end()
      this.#waiting.delete(first.request.id)
      first.reject(new Hung(first.patience))
      if (this.#waiting.size > 0) this.#worker = this.#begin()
      for (const { request } of this.#waiting.values()) this.#worker?.postMessage(request)
      this.#listen()
    }, first.patience)
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

  #finish(id: number): void {
    this.#waiting.delete(id)
    const now = performance.now()
    if (now - this.#begun > LONG_WORK) this.#isSpent = true
    this.#begun = now
    if (!this.#isSpent || this.#waiting.size > 0) return
    this.#end()
    this.#worker = this.#begin()
  }

  /** Told when the worker itself fails. */
  onFailure: (message: string) => void = () => {}

  #hear(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id)
    if (waiting === undefined) return
    if (!('progress' in reply)) this.#finish(reply.id)
    this.#listen()
    if ('progress' in reply) waiting.progress?.(reply.progress)
    else if ('error' in reply) waiting.reject(new Error(reply.error))
    else waiting.resolve(reply.value)
  }
}
