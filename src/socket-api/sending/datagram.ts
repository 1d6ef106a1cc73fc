/** One datagram of a socket's, from `send` to its callback. */
import { process } from '#platform'
import type { Address } from '../../base/address.ts'
import type { SendOptions } from '../../udp/endpoint.ts'
import type { Errno } from '../../udp/errno.ts'
import type { Inbox } from '../delivery/inbox.ts'
import { addressError } from '../dgram/errors.ts'
import { ConnectState, type SocketState } from '../dgram/state.ts'
import type { SendCallback } from '../dgram/types.ts'
import type { Outgoing, SendErrno } from './backlog.ts'
import type { Tick } from './ticks.ts'

/** What a program wants to be sent, with its arguments checked. */
export interface SendRequest {
  readonly message: Uint8Array | Uint8Array[]
  /** To the peer of a connected socket: port and host say nothing. */
  readonly toPeer: boolean
  readonly port: number
  /** As the program gave it, for errors. */
  readonly host: string | null | undefined
  /** The datagram's own settings, if it has any. */
  readonly options: SendOptions | null
  readonly callback: SendCallback | undefined
}

export class SocketDatagram implements Outgoing, Tick {
  readonly state: SocketState
  readonly request: SendRequest
  readonly size: number
  /** `null` sends to the peer. */
  #to: Address | null = null
  /** Of the address's zone. */
  #nic = 0

  constructor(state: SocketState, request: SendRequest) {
    this.state = state
    this.request = request
    this.size = sizeOf(request.message)
  }

  /** Reads the address to send to. @returns false for text that is none of the socket's family */
  address(text: string): boolean {
    const scoped = this.state.readAddress(text)
    if (scoped === null) return false
    this.#to = scoped.address
    this.#nic = scoped.nic
    return true
  }

  /**
   * Sends it to the address that was read. As in Node, what the socket has become since `send`
   * counts, and nothing is said of what a closed one does not send.
   */
  run(): void {
    const { state } = this
    if (state.closed) return
    if (state.connectState === ConnectState.Connected) this.done('EISCONN')
    else state.backlog.send(this)
  }

  attempt(): Errno {
    const { size } = this
    const { message, port, options } = this.request
    const { endpoint } = this.state.inbox as Inbox
    const packet = endpoint.beginSend(size)
    // What is longer than any datagram is refused by its length alone.
    if (size === packet.end - packet.start) {
      if (message instanceof Uint8Array) packet.bytes.set(message, packet.start)
      else {
        let at = packet.start
        for (const piece of message) {
          packet.bytes.set(piece, at)
          at += piece.length
        }
      }
    }
    const to = this.#to
    return endpoint.send(packet, to, to === null ? 0 : port, this.#nic, options)
  }

  done(errno: SendErrno): void {
    const { state } = this
    const { host, port, callback } = this.request
    if (errno === '') {
      state.shared.flushSoon()
      if (callback !== undefined) process.nextTick(callback, null, this.size)
    } else this.fail(addressError(errno, 'send', host, port))
  }

  /**
   * Node documents an 'error' event for a failed send without callback, but says nothing at all:
   * who listens gets the event, nobody else dies of it.
   */
  fail(error: Error): void {
    const { callback } = this.request
    if (callback !== undefined) process.nextTick(callback, error)
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
  if (!state.closed) state.emit('error', error)
}
