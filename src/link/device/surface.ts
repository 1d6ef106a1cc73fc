/** Exceptions of a receiver, taken out of a callback that must not be unwound. */

/** Rethrows outside of the device's loop, as an 'uncaughtException'. */
export function surface(error: unknown): void {
  // Listeners hear of it now, before any tick, as of one in a socket of Node's own: by a function
  // of Node's that it does not document, and which answers whether somebody took it. The report of
  // a crash is left to a microtask's, which shows the line that threw.
  const { _fatalException } = process as { _fatalException?: (error: unknown, fromPromise: boolean) => boolean }
  if (_fatalException?.(error, false)) return
  queueMicrotask(() => {
    throw error
  })
}
