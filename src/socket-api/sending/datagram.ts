/** One datagram of a socket's, from `send` to its callback. */
import type { Address } from '../../base/address.ts'
import type { SendOptions } from '../../udp/endpoint.ts'
import type { Errno } from '../../udp/errno.ts'
import { addressError } from '../dgram/errors.ts'
import type { SocketState } from '../dgram/state.ts'
import type { SendCallback } from '../dgram/types.ts'
import type { Outgoing, SendErrno } from './backlog.ts'

export class SocketDatagram implements Outgoing {
  readonly state: SocketState
  readonly message: Uint8Array | Uint8Array[]
  readonly size: number
  readonly port: number
  /** As the program gave it, for errors. */
  readonly host: string | null | undefined
  readonly options: SendOptions | null
  readonly callback: SendCallback | undefined
  /** `null` sends to the peer. */
  to: Address | null = null
  /** Of the address's zone. */
  nic = 0

  constructor(
    state: SocketState,
    message: Uint8Array | Uint8Array[],
    port: number,
    host: string | null | undefined,
    options: SendOptions | null,
    callback: SendCallback | undefined,
  ) {
    this.state = state
    this.message = message
    this.size = sizeOf(message)
    this.port = port
    this.host = host
    this.options = options
    this.callback = callback
  }

  attempt(): Errno {
    const { state, message, size, to, port, nic, options } = this
    return state.transmit(message, size, to, to === null ? 0 : port, nic, options)
  }

  done(errno: SendErrno): void {
    const { state, callback } = this
    if (errno === '') {
      state.shared.flushSoon()
      if (callback !== undefined) process.nextTick(callback, null, this.size)
    } else this.fail(addressError(errno, 'send', this.host, this.port))
  }

  /**
   * Node documents an 'error' event for a failed send without callback, but says nothing at all:
   * who listens gets the event, nobody else dies of it.
   */
  fail(error: Error): void {
    if (this.callback !== undefined) process.nextTick(this.callback, error)
    else reportError(this.state, error)
  }
}

function sizeOf(message: Uint8Array | Uint8Array[]): number {
  if (message instanceof Uint8Array) return message.length
  let size = 0
  for (const piece of message) size += piece.length
  return size
}

export function reportError(state: SocketState, error: Error): void {
  process.nextTick(() => {
    if (state.socket.listenerCount('error') > 0) emitError(state, error)
  })
}

export function emitError(state: SocketState, error: Error): void {
  if (!state.closed) state.socket.emit('error', error)
}
