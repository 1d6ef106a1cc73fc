/** Turns of the platform's event loop. */

// Read once: a program under test may replace the globals by fake ones.
const { setTimeout, MessageChannel } = globalThis
const setImmediate: ((callback: () => void) => unknown) | undefined = globalThis.setImmediate

/** What waits for a message of the channel, one for each. */
const waiting: (() => void)[] = []
let port: { postMessage(message: null): void } | null = null

/**
 * Calls back in the next turn, when microtasks have run, and ticks and immediates that wait. Where
 * there is no setImmediate, a message channel is the only way to a turn without the delay that
 * browsers give to nested timers.
 */
export function nextTurn(callback: () => void): void {
  if (setImmediate !== undefined) setImmediate(callback)
  else if (MessageChannel === undefined) setTimeout(callback, 0)
  else {
    waiting.push(callback)
    port ??= openPort()
    port.postMessage(null)
  }
}

function openPort(): { postMessage(message: null): void } {
  const { port1, port2 } = new MessageChannel()
  port1.addEventListener('message', () => waiting.shift()?.())
  port1.start()
  return port2
}
