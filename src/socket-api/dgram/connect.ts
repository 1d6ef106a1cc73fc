/** How a socket gets its peer: `connect`, `connectSync`, `disconnect`. */
import { process } from '#platform'
import { checkPort, checkString } from './arguments.ts'
import { bindSync, checkLiteral, emitLater, whenBound } from './bind.ts'
import { isBlocked } from './block-list.ts'
import { addressError, alreadyBound, ipBlocked, isConnected, notConnected } from './errors.ts'
import { BindState, ConnectState, checkRunning, type SocketState } from './state.ts'

type ConnectCallback = (error?: Error) => void

/** `connect` in all its forms. @throws {RangeError | TypeError | Error} as `socket.connect` says */
export function connect(state: SocketState, port: unknown, address: unknown, callback: unknown): void {
  const checked = checkPort(port)
  const done = typeof address === 'function' ? address : callback
  const host = typeof address === 'function' || address === undefined ? '' : address
  checkString(host, 'address')
  if (state.connectState !== ConnectState.Disconnected) throw isConnected()
  checkRunning(state)
  state.connectState = ConnectState.Connecting
  whenBound(state, () => lookUpAndConnect(state, checked, host, done as ConnectCallback | undefined))
}

/**
 * `connectSync`: the stack answers at once, and addresses are not looked up.
 * @throws {TypeError | RangeError | Error} as `socket.connectSync` says
 */
export function connectSync(state: SocketState, port: unknown, address: unknown): void {
  checkRunning(state)
  const checked = checkPort(port)
  if (state.connectState !== ConnectState.Disconnected) throw isConnected()
  const none = address === undefined || address === null || address === ''
  const ip = none ? state.loopback : checkLiteral(address, 'address', 'connectSync')
  if (state.bindState === BindState.Unbound) bindSync(state, {})
  else if (state.bindState !== BindState.Bound) throw alreadyBound()
  const failure = connectNow(state, ip, ip, checked)
  if (failure !== null) throw failure
  state.connectState = ConnectState.Connected
  emitLater(state, 'connect')
}

/** @throws {Error} ERR_SOCKET_DGRAM_NOT_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING */
export function disconnect(state: SocketState): void {
  if (state.connectState !== ConnectState.Connected) throw notConnected()
  checkRunning(state)
  state.inbox?.endpoint.disconnect()
  state.connectState = ConnectState.Disconnected
}

function lookUpAndConnect(state: SocketState, port: number, host: string, callback: ConnectCallback | undefined): void {
  const { socket } = state
  if (callback) socket.once('connect', callback)
  state.lookup(host, (error, ip) => {
    if (state.closed) return
    const failure = error ?? connectNow(state, ip, host, port)
    if (failure === null) {
      state.connectState = ConnectState.Connected
      process.nextTick(() => state.emit('connect'))
      return
    }
    state.connectState = ConnectState.Disconnected
    process.nextTick(() => {
      if (callback) {
        socket.removeListener('connect', callback)
        callback(failure)
      } else if (!state.closed) state.emit('error', failure)
    })
  })
}

/** Connects to the address `ip`; `host` is what the program gave, for the error. */
function connectNow(state: SocketState, ip: string, host: string, port: number): Error | null {
  if (isBlocked(state.sendBlockList, ip)) return ipBlocked(ip)
  const scoped = state.readAddress(String(ip))
  const errno = scoped === null ? 'EINVAL' : state.open().connect(scoped.address, port, scoped.nic)
  return errno === '' ? null : addressError(errno, 'connect', host, port)
}
