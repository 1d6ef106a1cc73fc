/**
 * Worker threads under the drop-in: each loads it before the program's code, whatever started it.
 */
import threads, { type WorkerOptions } from 'node:worker_threads'

/** Under this key a worker finds the `process.execArgv` that Node would have shown it. */
const SHOWN = 'tungram/register: execArgv'

/** A flag that no Node knows: a worker that is given it is refused before its thread starts. */
const UNKNOWN = '--tungram-asks-which-flags-a-worker-takes'

/**
 * The class that takes the place of `worker_threads.Worker`: Node itself loads a module of
 * `--import` neither for the code of an `eval` worker nor where `execArgv` is given.
 *
 * @param file what each thread loads by `--require`, before the program's own preloads
 */
export function workerClass(file: string): typeof threads.Worker {
  const shown = threads.isMainThread ? undefined : threads.getEnvironmentData(SHOWN)
  threads.setEnvironmentData(SHOWN, undefined)
  if (Array.isArray(shown)) process.execArgv = shown as string[]
  // What a worker inherits is what the thread was started with, not what the program made of it
  // since.
  const started = [...process.execArgv]
  let accepted: string[] | undefined

  return class Worker extends threads.Worker {
    constructor(filename: string | URL, options?: WorkerOptions) {
      const given = options?.execArgv
      if (given) {
        // What is no array, Node refuses in its own words.
        const execArgv = Array.isArray(given) ? ['--require', file, ...given] : given
        super(filename, { ...options, execArgv })
        return
      }
      accepted ??= workerFlags(started)
      threads.setEnvironmentData(SHOWN, [...started])
      try {
        super(filename, { ...options, execArgv: ['--require', file, ...accepted] })
      } finally {
        threads.setEnvironmentData(SHOWN, undefined)
      }
    }
  }
}

/**
 * Those of a process's flags that `execArgv` of a worker may have. Node passes over the others
 * (V8's, and those of the whole process) where a worker inherits them, and refuses them where they
 * are given.
 */
export function workerFlags(flags: readonly string[]): string[] {
  const nothing = refusal([])
  const taken = (some: readonly string[]) => refusal(some) === nothing
  if (taken(flags)) return [...flags]
  const accepted: string[] = []
  for (let at = 0; at < flags.length; at++) {
    const flag = flags[at] as string
    // The value of a flag that was refused.
    if (!flag.startsWith('-')) continue
    const value = flags[at + 1]
    if (taken([flag])) accepted.push(flag)
    else if (value !== undefined && taken([flag, value])) {
      accepted.push(flag, value)
      at++
    }
  }
  return accepted
}

/** What Node says to flags and an unknown one behind them. */
function refusal(flags: readonly string[]): string {
  try {
    new threads.Worker('', { eval: true, execArgv: [...flags, UNKNOWN] })
  } catch (error) {
    return (error as Error).message
  }
  return 'none'
}
