/** `sendBatch`: datagrams one after the other, and one callback for all of them. */
import type { SendOptions } from '../../udp/endpoint.ts'
import type { Errno } from '../../udp/errno.ts'
import { whenBound } from './bind.ts'
import { addressError, invalidArgType, notRunning } from './errors.ts'
import type { SocketState } from './state.ts'

/** A datagram whose arguments were checked. */
export interface CheckedItem {
  readonly bytes: Uint8Array | Uint8Array[]
  /** To the peer of a connected socket: port and address say nothing. */
  readonly toPeer: boolean
  readonly port: number
  readonly address: string | null | undefined
  readonly options: SendOptions | null
}

/** Sends one; `null` when that takes a lookup, after which `done` is called. */
export type BatchSend = (state: SocketState, item: CheckedItem, done: (error: Error | null) => void) => Errno | null

/**
 * @throws {TypeError} ERR_INVALID_ARG_TYPE for no list, for holes in it and for what is no object;
 * and what `check` throws
 */
export function checkItems<Item>(items: unknown, check: (item: Item) => CheckedItem): CheckedItem[] {
  if (!Array.isArray(items)) throw invalidArgType('items', 'an instance of Array', items)
  return Array.from(items, (item: unknown, index) => {
    if (typeof item !== 'object' || item === null) throw invalidArgType(`items[${index}]`, 'of type object', item)
    return check(item as Item)
  })
}

/**
 * Sends until one fails. `callback` hears once of the failure or of `null`, and how many left,
 * whatever happens: the socket closes, it cannot be bound, a lookup fails or throws, or calls back
 * twice.
 */
export function sendBatch(
  state: SocketState,
  items: readonly CheckedItem[],
  send: BatchSend,
  callback: unknown,
  report: (error: Error) => void,
): void {
  let next = 0
  let over = false
  const finish = (error: Error | null): void => {
    if (over) return
    over = true
    state.pending.delete(closed)
    if (typeof callback === 'function')
      process.nextTick(callback as (error: Error | null, sent: number) => void, error, next)
    else if (error !== null) report(error)
  }
  const closed = () => finish(notRunning())
  const proceed = (): void => {
    while (!over && next < items.length) {
      const item = items[next] as CheckedItem
      const at = next
      const errno = send(state, item, (error) => {
        // A lookup may call back again, for an item that is past.
        if (over || next !== at) return
        if (error === null) {
          next++
          advance()
        } else finish(error)
      })
      if (errno === null) return
      if (errno !== '') finish(addressError(errno, 'send', item.address, item.port))
      else next++
    }
    finish(null)
  }
  const advance = (): void => {
    try {
      proceed()
    } catch (error) {
      // dns.lookup throws for what is no host name; some have left by then.
      finish(error as Error)
    }
  }
  state.pending.add(closed)
  try {
    const { sendTicks } = state.shared
    // It does not overtake sends that wait for their tick.
    whenBound(state, () => (sendTicks.isWaiting ? sendTicks.next(advance, true) : advance()), finish)
  } catch (error) {
    // Nothing was sent, and the program hears it by the exception.
    over = true
    state.pending.delete(closed)
    throw error
  }
}
