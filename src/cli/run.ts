/** Runs a command until a signal or the command itself ends it. */

/** The end of a run: called by signals and by the command itself; the first call counts. */
export interface Run {
  /** `''` when the run ended as it should; otherwise what went wrong. */
  end(failure?: string): void
  /** Settled by the first `end`. While it is pending the process stays alive. */
  readonly ended: Promise<string>
  /** The exit code of a run that a signal ended, 128 and its number; 0 while there was none. */
  readonly signalled: number
}

/**
 * Starts a run that SIGINT and SIGTERM end. A second signal ends the process at once, as signals
 * do.
 */
export function startRun(): Run {
  const { promise, resolve } = withResolvers()
  // A promise alone does not keep Node alive.
  const alive = setInterval(() => {}, 0x7fffffff)
  const end = (failure = '') => {
    clearInterval(alive)
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
    resolve(failure)
  }
  let signalled = 0
  const onSignal = (signal: NodeJS.Signals) => {
    signalled = signal === 'SIGINT' ? 130 : 143
    end()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    end,
    ended: promise,
    get signalled() {
      return signalled
    },
  }
}

function withResolvers(): { promise: Promise<string>; resolve: (failure: string) => void } {
  let resolve: (failure: string) => void = () => {}
  const promise = new Promise<string>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/**
 * Counts datagrams and the time from the first to the last. The clock is read once a turn of the
 * event loop, not once a datagram.
 */
export class Meter {
  datagrams = 0
  bytes = 0
  #first = 0
  #last = 0
  #marked = false
  readonly #mark = () => {
    this.#marked = false
    this.#last = performance.now()
  }

  count(bytes: number): void {
    this.bytes += bytes
    if (this.datagrams++ === 0) this.#first = performance.now()
    if (this.#marked) return
    this.#marked = true
    setImmediate(this.#mark)
  }

  /** From the first to the last datagram; 0 before the second. */
  get seconds(): number {
    if (this.datagrams < 2) return 0
    return ((this.#marked ? performance.now() : this.#last) - this.#first) / 1000
  }

  /** Milliseconds since the last datagram; 0 before there is one. */
  get idle(): number {
    return this.datagrams === 0 || this.#marked ? 0 : performance.now() - this.#last
  }
}
