/**
 * The time between two messages.
 *
 * Node runs ticks and microtasks after each message, so that `await once(socket, 'message')` in a loop misses none. Several messages that came in
 * one wake-up are a loop of ours, and between two of them the same is done here, for about 50 ns; a turn of the event loop each would cost 300.
 */
import { type Clock, SystemClock } from '../base/clock.ts'

/**
 * Two functions of Node's that it does not document: one runs what `process.nextTick` and promises have waiting, the other makes an exception an
 * 'uncaughtException' and answers whether somebody took it. Without them (in another runtime) each message takes a turn of the event loop.
 */
const { _tickCallback: runTicks, _fatalException: surface } = process as {
  _tickCallback?: () => void
  _fatalException?: (error: unknown, fromPromise: boolean) => boolean
}

const resolved = Promise.resolve()

export class Turns {
  /** In simulated time nothing of the program may run while the clock moves. */
  readonly #possible: boolean
  /** Ticks and microtasks have run since the last listener. */
  #settled = true
  /** Exceptions on their way. */
  #raised = 0
  readonly #settle = () => {
    this.#settled = true
  }

  constructor(clock: Clock) {
    this.#possible = runTicks !== undefined && surface !== undefined && clock instanceof SystemClock
  }

  /** The last listener of a loop has run: another socket's loop may follow in this wake-up. */
  end(): void {
    if (!this.#settled || !this.#possible) return
    this.#settled = false
    // Half the cost of queueMicrotask, which keeps an async context for the callback.
    resolved.then(this.#settle)
  }

  /** Before the first message of a loop. @returns false when the loop has to wait for another turn */
  begin(): boolean {
    return this.#settled || (this.#run() && this.#settled)
  }

  /**
   * Between two messages of a loop; `again` when that has succeeded in this loop before. To be called outside of any async scope of ours, for Node
   * ends all scopes when a tick throws.
   *
   * @returns false when the rest of the loop has to wait for another turn
   */
  between(again: boolean): boolean {
    if (again) return this.#run()
    this.end()
    // Within a microtask, microtasks do not run.
    return this.#run() && this.#settled
  }

  /** An exception of the program's: it becomes its 'uncaughtException' when nothing of ours is on the stack, and before anything else is emitted. */
  raise(error: unknown): void {
    this.#raised++
    process.nextTick(() => {
      this.#raised--
      throw error
    })
  }

  #run(): boolean {
    if (runTicks === undefined || surface === undefined || !this.#possible || this.#raised > 0) return false
    try {
      runTicks()
      return true
    } catch (error) {
      // Node aborts when a tick's exception is caught by anybody else: the tick's context is still on its stack, which this clears.
      if (!surface(error, false)) throw error
      return false
    }
  }
}
