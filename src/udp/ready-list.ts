/** The endpoints whose receivers wait for the end of a wake-up. */
import type { Clock } from '../base/clock.ts'

/** One that waits. */
interface Ready {
  flush(): void
}

export class ReadyList {
  readonly #clock: Clock
  #ready: Ready[] = []
  #flushing: Ready[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(each: Ready): void {
    this.#ready.push(each)
  }

  /**
   * Flushes all of them. One that throws does not keep the others waiting: they have their turn
   * from the clock.
   */
  flush(): void {
    if (this.#ready.length === 0) return
    const batch = this.#ready
    this.#ready = this.#flushing
    this.#flushing = batch
    let at = 0
    try {
      for (; at < batch.length; at++) (batch[at] as Ready).flush()
    } finally {
      if (++at < batch.length) this.#clock.soon(() => this.flush())
      for (; at < batch.length; at++) this.#ready.push(batch[at] as Ready)
      // As a rule there is one: setting the length would free the array's memory each time.
      while (batch.length > 0) batch.pop()
    }
  }
}
