// Read once: a program under test may replace the globals by fake ones.
const { setInterval, clearInterval } = globalThis

/**
 * Holds the process alive while it is on; in-memory links have no handle of the platform's that
 * would.
 */
export class KeepAlive {
  #timer: ReturnType<typeof setInterval> | null = null

  on(): void {
    this.#timer ??= setInterval(() => {}, 0x7fffffff)
  }

  off(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}
