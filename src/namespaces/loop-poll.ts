/**
 * Waits with the processor awake, and asks whether the event loop has anything to do: turns of the
 * loop itself make garbage, whose collection would be the latency of packets.
 */
import type { Clock } from '../base/clock.ts'
import type { Libc } from '../link/device/tun-libc.ts'
import { loadUv } from '../link/device/uv-watcher.ts'

const POLLIN = 1
/** Each call is most of a microsecond; what looks at the time between two of them makes garbage. */
const CALLS = 4

export class LoopPoll {
  readonly #poll: (fds: number, count: number, milliseconds: number) => number
  /** One struct pollfd; `null` where the loop has no descriptor that is known. */
  readonly #request: Int32Array | null
  readonly #address: number

  constructor(libc: Libc) {
    this.#poll = libc.library.func('poll', 'int', ['intptr_t', 'ulong', 'int'])
    const uv = loadUv(libc)
    this.#request = uv === null ? null : new Int32Array([uv.backend(uv.loop()), POLLIN])
    this.#address = this.#request === null ? 0 : libc.addressOf(new Uint8Array(this.#request.buffer))
  }

  /**
   * Keeps the processor awake until `time`, or until a descriptor has something to read, as far as
   * is known.
   * @returns the time then
   */
  wait(clock: Clock, time: number): number {
    let now = clock.now()
    while (now < time && !this.#hasWork()) now = clock.now()
    return now
  }

  #hasWork(): boolean {
    if (this.#request === null) return true
    for (let i = 0; i < CALLS; i++) if (this.#poll(this.#address, 1, 0) !== 0) return true
    return false
  }
}
