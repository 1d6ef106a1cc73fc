/** The sizes of a socket's buffers, with Node's checks. */
import type { Endpoint } from '../../udp/endpoint.ts'
import { badBufferSize, bufferSizeError, notRunning } from './errors.ts'
import type { SocketState } from './state.ts'

/**
 * As Node: a size is checked, then set unless it is 0. @throws {TypeError}
 * ERR_SOCKET_BAD_BUFFER_SIZE @throws {Error} ERR_SOCKET_BUFFER_SIZE
 */
export function bufferEndpoint(
  state: SocketState,
  size: number,
  syscall: string,
  set?: (endpoint: Endpoint) => void,
): Endpoint {
  if (size >>> 0 !== size) throw badBufferSize()
  if (state.closed) throw notRunning()
  if (size > 0x7fffffff) throw bufferSizeError('EINVAL', syscall)
  if (state.inbox === null) throw bufferSizeError('EBADF', syscall)
  const { endpoint } = state.inbox
  if (size > 0) set?.(endpoint)
  return endpoint
}

export function setReceiveBuffer(state: SocketState, size: number): void {
  bufferEndpoint(state, size, 'uv_recv_buffer_size', (endpoint) => endpoint.setReceiveBuffer(size))
}

export function setSendBuffer(state: SocketState, size: number): void {
  bufferEndpoint(state, size, 'uv_send_buffer_size', (endpoint) => endpoint.setSendBuffer(size))
}
