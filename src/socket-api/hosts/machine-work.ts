/**
 * What programs wait for besides the network: files of the machine, and keys, hashes and signatures
 * that threads of the machine make. Simulated time stands still meanwhile.
 *
 * Node's async hooks tell of each operation: of its type when its object is made, and when its
 * callback is called.
 */
import { createHook } from 'node:async_hooks'

// Read once: a program under test may replace the globals by fake ones.
const { setTimeout, clearTimeout } = globalThis
const realTime = performance.now.bind(performance)

const FILES = new Set(['FSREQCALLBACK', 'FSREQPROMISE', 'FILEHANDLECLOSEREQ'])

/** Jobs of node:crypto, in a thread or at once. */
const KEYS = new Set([
  'ARGON2REQUEST',
  'CHECKPRIMEREQUEST',
  'CIPHERREQUEST',
  'DERIVEBITSREQUEST',
  'HASHREQUEST',
  'KEYEXPORTREQUEST',
  'KEYGENREQUEST',
  'KEYPAIRGENREQUEST',
  'PBKDF2REQUEST',
  'RANDOMBYTESREQUEST',
  'RANDOMPRIMEREQUEST',
  'SCRYPTREQUEST',
  'SIGNREQUEST',
  'VERIFYREQUEST',
])

/**
 * Milliseconds of the machine after which nothing is waited for any more: reading a pipe that has a
 * name is an operation on a file, and may never end.
 */
const PATIENCE = 10_000

/**
 * A job of node:crypto: what it gives tells that it was done at once, in a list of error and
 * result.
 */
interface Job {
  run?: (...args: unknown[]) => unknown
}

const users = new Set<object>()
/** Those that have begun, by their async ids: when. The oldest comes first. */
const operations = new Map<number, number>()
const waiting = new Set<() => void>()

const hook = createHook({
  init(id, type, _trigger, resource) {
    if (FILES.has(type)) operations.set(id, realTime())
    else if (KEYS.has(type)) watchJob(id, resource)
  },
  before(id) {
    if (operations.delete(id)) wake()
  },
  // Known to newer versions of Node: promises, of which there are many, are not told of.
  ...{ trackPromises: false },
})

/** Watches what is begun from now on. @returns what ends it; harmless when called twice */
export function watchMachineWork(): () => void {
  const user = {}
  users.add(user)
  hook.enable()
  return () => {
    if (!users.delete(user) || users.size > 0) return
    hook.disable()
    operations.clear()
    wake()
  }
}

/** Settles when one of the operations is over, or has taken too long; `null` when there is none. */
export function machineWork(): Promise<void> | null {
  const now = realTime()
  for (const since of operations.values())
    if (since + PATIENCE > now)
      return new Promise((resolve) => {
        const over = () => {
          clearTimeout(limit)
          waiting.delete(over)
          resolve()
        }
        const limit = setTimeout(over, since + PATIENCE - now)
        waiting.add(over)
      })
  return null
}

function watchJob(id: number, job: Job): void {
  const { run } = job
  if (run === undefined) return
  job.run = function (...args) {
    const result = run.apply(this, args)
    if (!Array.isArray(result)) operations.set(id, realTime())
    return result
  }
}

function wake(): void {
  for (const each of [...waiting]) each()
}
