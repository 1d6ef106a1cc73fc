/**
 * The time between two messages.
 *
 * Node runs ticks and microtasks after each message, so that `await once(socket, 'message')` in a
 * loop misses none. Several messages that came in one wake-up are a loop of ours, and between two
 * of them the same is done here, for about 50 ns; a turn of the event loop each would cost 300.
 */
import { process } from '#platform'
import { type Clock, SystemClock } from '../../base/clock.ts'

/**
 * A function of Node's that it does not document: it runs what `process.nextTick` and promises have
 * waiting. Without it (in another runtime) each message takes a turn of the event loop.
 */
const { _tickCallback: runTicks } = process as { _tickCallback?: () => void }

/**
 * What one socket hands to its program in one turn, so that timers and other sockets have theirs:
 * libuv's number (uv__udp_recvmsg).
 */
export const MESSAGES_A_TURN = 32

const resolved = Promise.resolve()

export class Turns {
  /**
   * In simulated time nothing of the program may run while the clock moves, and none of its
   * exceptions may stop it.
   */
  readonly #possible: boolean
  /** Whether what a listener starts may run between two messages at all. */
  readonly #real: boolean
  /** Ticks and microtasks have run since the last listener. */
  #settled = true
  readonly #settle = () => {
    this.#settled = true
  }

  constructor(clock: Clock) {
    this.#real = clock instanceof SystemClock
    this.#possible = runTicks !== undefined && this.#real
  }

  /** The last listener of a loop has run: another socket's loop may follow in this wake-up. */
  end(): void {
    if (!this.#settled || !this.#real) return
    this.#settled = false
    // Half the cost of queueMicrotask, which keeps an async context for the callback.
    resolved.then(this.#settle)
  }

  /**
   * Before the first message of a loop. @returns false when the loop has to wait for another turn
   */
  begin(): boolean {
    return this.#settled || (this.#run() && this.#settled)
  }

  /**
   * Between two messages of a loop; `again` when that has succeeded in this loop before. To be
   * called outside of any async scope of ours, for Node ends all scopes when a tick throws, which
   * passes through.
   *
   * @returns false when the rest of the loop has to wait for another turn
   */
  between(again: boolean): boolean {
    if (again) return this.#run()
    this.end()
    // Within a microtask, microtasks do not run.
    return this.#run() && this.#settled
  }

  /**
   * Calls what runs listeners. Their exceptions pass through, to whoever called the link: Node's
   * own loop, which makes each an 'uncaughtException' at once, before any tick, and whose report of
   * a crash shows the program's line. One that was caught and thrown again would show ours.
   */
  call(emit: () => void): void {
    if (this.#possible) {
      emit()
      return
    }
    try {
      emit()
    } catch (error) {
      this.raise(error)
    }
  }

  /**
   * Makes an exception an 'uncaughtException' when nothing of ours is on the stack. As a
   * microtask's its report shows the line that threw it.
   */
  raise(error: unknown): void {
    queueMicrotask(() => {
      throw error
    })
  }

  #run(): boolean {
    if (runTicks === undefined || !this.#possible) return false
    runTicks()
    return true
  }
}
