/**
 * The host that a piece of a program runs as: kept by Node's async context, through promises,
 * ticks, timers and events.
 */
import { AsyncLocalStorage } from '#platform'
import type { Stack } from '../../stack.ts'

const storage = new AsyncLocalStorage<Stack>()
/** While no program runs as a host, Node's contexts cost nothing. */
let inUse = false

/** The host whose program is running; `undefined` for code that runs as none. */
export function currentHost(): Stack | undefined {
  return inUse ? storage.getStore() : undefined
}

/** Calls a function as a host; what comes out of it later runs as that host too. */
export function callAs<Result>(host: Stack, call: () => Result): Result {
  inUse = true
  return storage.run(host, call)
}

/**
 * Calls listeners of a socket as the host whose socket it is, whoever made the socket or moves the
 * network.
 */
export function callListeners(host: Stack, call: () => void): void {
  if (!inUse || storage.getStore() === host) call()
  else storage.run(host, call)
}

/** No program runs as a host any more: contexts that are still around have none. */
export function endContexts(): void {
  inUse = false
  storage.disable()
}
