/** How a socket gets its address, by `bind` or by the first call that needs one. */
import { EventEmitter } from 'node:events'
import type { Address } from '../../base/address.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import { setReceiveBuffer, setSendBuffer } from './buffers.ts'
import { addressError } from './errors.ts'
import { HAS_SYNC_CALLS } from './node-version.ts'
import { BindState, ConnectState, type SocketState } from './state.ts'

/**
 * By which event Node's `bind` sees that it failed; as a listener for 'error' it makes the error a
 * handled one.
 */
const FAILED = HAS_SYNC_CALLS ? EventEmitter.errorMonitor : 'error'

/**
 * A literal address, with a zone; `null` for other text and for the other family's, as libuv has
 * it.
 */
export function readAddress(state: SocketState, text: string): { address: Address; nic: number } | null {
  return text.includes(':') === (state.family === 6) ? state.shared.parse(text) : null
}

/**
 * The callback of `bind` is for 'listening'; an error takes it away, and so does the function that
 * is returned.
 */
export function onceBound(socket: EventEmitter, callback: unknown): () => void {
  if (typeof callback !== 'function') return () => {}
  const forget = () => {
    socket.removeListener(FAILED, forget)
    socket.removeListener('listening', listening)
  }
  const listening = () => {
    forget()
    callback.call(socket)
  }
  socket.on(FAILED, forget)
  socket.on('listening', listening)
  return forget
}

export function bindNow(state: SocketState, ip: string, port: unknown): Error | null {
  const scoped = readAddress(state, String(ip))
  // The port is taken as libuv takes it, modulo 2^16.
  const number = (Number(port) >>> 0) & 0xffff
  const endpoint = state.open()
  endpoint.reuseAddress = state.reuseAddr
  endpoint.reusePort = state.reusePort
  endpoint.ipv6Only = state.ipv6Only
  const impossible = scoped === null || (state.ipv6Only && state.family === 4)
  const errno = impossible ? 'EINVAL' : endpoint.bind(scoped.address, number, scoped.nic)
  return errno === '' ? null : addressError(errno, 'bind', ip, port as number)
}

/**
 * @throws {Error} ERR_SOCKET_BUFFER_SIZE, of a bound socket that never says 'listening': as Node
 * does for a size of 2^31 or more
 */
export function startReceiving(state: SocketState): void {
  state.bindState = BindState.Bound
  state.hold()
  if (state.recvBufferSize > 0) setReceiveBuffer(state, state.recvBufferSize)
  if (state.sendBufferSize > 0) setSendBuffer(state, state.sendBufferSize)
}

/** @throws {Error} as {@link startReceiving} does */
export function startListening(state: SocketState): void {
  const { endpoint } = state.inbox as { endpoint: Endpoint }
  startReceiving(state)
  state.socket.emit('listening')
  // A group joined before may have brought something already.
  if (endpoint.queued > 0) state.inbox?.flush()
}

/**
 * Runs `call` once the socket is bound, binding it if nobody has. When binding fails, the calls are
 * forgotten, and `failed` hears why.
 */
export function whenBound(state: SocketState, call: () => void, failed?: (error: Error) => void): void {
  const { socket } = state
  if (state.bindState === BindState.Unbound) socket.bind({ port: 0, exclusive: true })
  if (state.bindState === BindState.Bound) {
    call()
    return
  }
  if (failed !== undefined) {
    const forget = () => {
      socket.removeListener(EventEmitter.errorMonitor, hear)
      socket.removeListener('listening', forget)
    }
    const hear = (error: Error) => {
      forget()
      failed(error)
    }
    socket.on(EventEmitter.errorMonitor, hear)
    socket.on('listening', forget)
  }
  if (state.queue !== undefined) {
    state.queue.push(call)
    return
  }
  state.queue = [call]
  const listening = () => {
    socket.removeListener(EventEmitter.errorMonitor, notBound)
    const queue = state.queue ?? []
    state.queue = undefined
    for (const queued of queue) queued()
  }
  const notBound = () => {
    socket.removeListener('listening', listening)
    socket.removeListener(EventEmitter.errorMonitor, notBound)
    state.queue = undefined
    if (state.connectState === ConnectState.Connecting) state.connectState = ConnectState.Disconnected
  }
  socket.once(EventEmitter.errorMonitor, notBound)
  socket.once('listening', listening)
}
