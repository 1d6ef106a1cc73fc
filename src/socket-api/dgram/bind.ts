/** How a socket gets its address: by `bind`, `bindSync`, or the first call that needs one. */
import { descriptorType, EventEmitter, isIP, process } from '#platform'
import type { Endpoint } from '../../udp/endpoint.ts'
import { checkObject, checkPort, checkString } from './arguments.ts'
import { addressError, alreadyBound, invalidArgValue, invalidFdType } from './errors.ts'
import { HAS_SYNC_CALLS } from './node-version.ts'
import { setReceiveBuffer, setSendBuffer } from './options.ts'
import { BindState, ConnectState, checkRunning, type SocketState } from './state.ts'
import type { BindOptions } from './types.ts'

/**
 * The event that tells Node's `bind` of a failure. Where that is 'error', Node counts the error as
 * handled.
 */
const FAILED = HAS_SYNC_CALLS ? EventEmitter.errorMonitor : 'error'

/** `bind` in all its forms. @throws {Error | TypeError} as `socket.bind` says */
export function bind(state: SocketState, args: readonly unknown[]): void {
  const [first, second] = args
  checkRunning(state)
  if (state.bindState !== BindState.Unbound) throw alreadyBound()
  const callback = args.at(-1)
  const options = typeof first === 'object' && first !== null ? (first as BindOptions) : null
  const fd = options?.fd
  if (typeof fd === 'number' && fd === (fd | 0) && fd > 0) {
    bindDescriptor(state, fd, callback)
    return
  }
  state.bindState = BindState.Binding
  const forget = onceBound(state, callback)
  const port = options === null ? first : options.port
  const given = options === null ? second : options.address
  const host = typeof given === 'function' || !given ? anyAddress(state) : (given as string)
  try {
    state.lookup(host, (error, ip) => {
      if (state.closed) return
      const failure = error ?? bindNow(state, ip, port)
      if (failure === null) startListening(state)
      else {
        state.bindState = BindState.Unbound
        state.emit('error', failure)
      }
    })
  } catch (error) {
    // dns.lookup throws for what is no host name.
    state.bindState = BindState.Unbound
    forget()
    throw error
  }
}

/**
 * `bindSync`: the stack answers at once, and addresses are not looked up.
 * @throws {TypeError | RangeError | Error} as `socket.bindSync` says
 */
export function bindSync(state: SocketState, options: unknown): void {
  checkRunning(state)
  checkObject(options, 'options')
  if (state.bindState !== BindState.Unbound) throw alreadyBound()
  const { port, address } = options as { port?: unknown; address?: unknown }
  const checked = checkPort(port ?? 0, 'options.port', true)
  const ip = address ? checkLiteral(address, 'options.address', 'bindSync') : anyAddress(state)
  const failure = bindNow(state, ip, checked)
  if (failure !== null) throw failure
  startReceiving(state)
  emitLater(state, 'listening')
  // A group joined before may have brought something already.
  if (state.open().queued > 0) state.inbox?.later()
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

/**
 * An address that needs no lookup.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE
 */
export function checkLiteral(address: unknown, name: string, call: string): string {
  checkString(address, name)
  if (isIP(address) === 0)
    throw invalidArgValue(name, `must be a numeric IP address; ${call} does not perform DNS resolution`, address)
  return address
}

export function emitLater(state: SocketState, event: 'listening' | 'connect'): void {
  process.nextTick(() => {
    if (!state.closed) state.emit(event)
  })
}

function anyAddress(state: SocketState): string {
  return state.family === 4 ? '0.0.0.0' : '::'
}

/** Takes part in the endpoint of another socket of the stack. */
function bindDescriptor(state: SocketState, fd: number, callback: unknown): void {
  const inbox = state.shared.descriptors.find(fd)
  if (inbox === undefined || inbox.endpoint.family !== state.family) throw invalidFdType(descriptorType(fd))
  onceBound(state, callback)
  state.share(inbox)
  startListening(state)
}

/**
 * The callback of `bind` is for 'listening'; an error takes it away, and so does the function that
 * is returned.
 */
function onceBound({ socket }: SocketState, callback: unknown): () => void {
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

function bindNow(state: SocketState, ip: string, port: unknown): Error | null {
  const scoped = state.readAddress(String(ip))
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
function startReceiving(state: SocketState): void {
  state.bindState = BindState.Bound
  state.hold()
  if (state.recvBufferSize > 0) setReceiveBuffer(state, state.recvBufferSize)
  if (state.sendBufferSize > 0) setSendBuffer(state, state.sendBufferSize)
}

/** @throws {Error} as {@link startReceiving} does */
function startListening(state: SocketState): void {
  const { endpoint } = state.inbox as { endpoint: Endpoint }
  startReceiving(state)
  state.emit('listening')
  // A group joined before may have brought something already.
  if (endpoint.queued > 0) state.inbox?.flush()
}
