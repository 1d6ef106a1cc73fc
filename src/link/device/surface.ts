/**
 * Calls of a receiver out of a callback of the event loop, which must not be unwound: what the
 * receiver throws surfaces beside it.
 */
import type { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { LinkReceiver } from '../link.ts'

export function handUp(receiver: LinkReceiver | null, packet: Packet): void {
  try {
    receiver?.input(packet)
  } catch (error) {
    surface(error)
  }
}

export function tellDropped(receiver: LinkReceiver | null, drop: Drop, packet: Packet): void {
  try {
    receiver?.dropped(drop, packet)
  } catch (error) {
    surface(error)
  }
}

export function tellIdle(receiver: LinkReceiver | null): void {
  try {
    receiver?.idle()
  } catch (error) {
    surface(error)
  }
}

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
