/** `sendBatch`: datagrams one after the other, and one callback for all of them. */
import { process } from '#platform'
import { checkMessage, checkPort, checkString } from '../dgram/arguments.ts'
import { whenBound } from '../dgram/bind.ts'
import { addressError, invalidArgType, isConnected, notRunning } from '../dgram/errors.ts'
import { ConnectState, checkRunning, type SocketState } from '../dgram/state.ts'
import type { BatchItem } from '../dgram/types.ts'
import { reportError, type SendRequest } from './datagram.ts'
import { sendAtOnce } from './send.ts'
import { sendOptions } from './settings.ts'

type BatchCallback = (error: Error | null, sent: number) => void

/** @throws {TypeError | RangeError | Error} as `socket.sendBatch` says */
export function sendBatch(state: SocketState, items: unknown, callback: unknown): void {
  checkRunning(state)
  const batch = new Batch(state, typeof callback === 'function' ? (callback as BatchCallback) : undefined)
  batch.start(readItems(state, items, (at, error) => batch.settled(at, error)))
}

/**
 * @throws {TypeError} ERR_INVALID_ARG_TYPE for no list, for holes in it and for what is no object;
 * and what `send` throws for an item
 */
function readItems(
  state: SocketState,
  items: unknown,
  settled: (at: number, error: Error | null) => void,
): SendRequest[] {
  if (!Array.isArray(items)) throw invalidArgType('items', 'an instance of Array', items)
  const connected = state.connectState === ConnectState.Connected
  return Array.from(items, (item: unknown, index): SendRequest => {
    if (typeof item !== 'object' || item === null) throw invalidArgType(`items[${index}]`, 'of type object', item)
    const { msg, port, address } = item as BatchItem
    if (connected && (port || address)) throw isConnected()
    if (address !== undefined && address !== null) checkString(address, 'address')
    return {
      message: checkMessage(msg),
      toPeer: connected,
      port: connected ? 0 : checkPort(port),
      host: address,
      options: sendOptions(state, item as BatchItem),
      callback: (error) => settled(index, error),
    }
  })
}

/**
 * Sends until one fails. The callback hears once of the failure or of `null`, and how many left,
 * whatever happens: the socket closes, it cannot be bound, a lookup fails or throws, or calls back
 * twice.
 */
class Batch {
  readonly #state: SocketState
  readonly #callback: BatchCallback | undefined
  #requests: readonly SendRequest[] = []
  /** Those before it have left. */
  #next = 0
  #over = false
  readonly #closed = () => this.#finish(notRunning())

  constructor(state: SocketState, callback: BatchCallback | undefined) {
    this.#state = state
    this.#callback = callback
  }

  start(requests: readonly SendRequest[]): void {
    this.#requests = requests
    const { pending, shared } = this.#state
    const { sendTicks } = shared
    pending.add(this.#closed)
    try {
      whenBound(
        this.#state,
        // It does not overtake sends that wait for their tick.
        () => (sendTicks.isWaiting ? sendTicks.next(this, true) : this.run()),
        (error) => this.#finish(error),
      )
    } catch (error) {
      // Nothing was sent, and the program hears it by the exception.
      this.#over = true
      pending.delete(this.#closed)
      throw error
    }
  }

  /** A datagram that had to wait has left or failed. */
  settled(at: number, error: Error | null): void {
    // A lookup may call back again, for one that is past.
    if (this.#over || this.#next !== at) return
    if (error === null) {
      this.#next++
      this.run()
    } else this.#finish(error)
  }

  /** Sends what can leave now. */
  run(): void {
    try {
      this.#advance()
    } catch (error) {
      // dns.lookup throws for what is no host name; some have left by then.
      this.#finish(error as Error)
    }
  }

  #advance(): void {
    while (!this.#over && this.#next < this.#requests.length) {
      const request = this.#requests[this.#next] as SendRequest
      const errno = sendAtOnce(this.#state, request)
      if (errno === null) return
      if (errno !== '') this.#finish(addressError(errno, 'send', request.host, request.port))
      else this.#next++
    }
    this.#finish(null)
  }

  #finish(error: Error | null): void {
    if (this.#over) return
    this.#over = true
    this.#state.pending.delete(this.#closed)
    if (this.#callback !== undefined) process.nextTick(this.#callback, error, this.#next)
    else if (error !== null) reportError(this.#state, error)
  }
}
