/**
 * `bindSync` and `connectSync`: neither call of the stack waits for anything, and addresses are not
 * looked up.
 */
import { type BlockList, isIP } from 'node:net'
import { checkObject, checkPort, checkString } from './arguments.ts'
import { bindNow, readAddress, startReceiving } from './bind.ts'
import { addressError, alreadyBound, invalidArgValue, ipBlocked, isConnected, notRunning } from './errors.ts'
import { BindState, ConnectState, type SocketState } from './state.ts'

/** @throws {TypeError | RangeError | Error} as `socket.bindSync` says */
export function bindSync(state: SocketState, options: unknown): void {
  if (state.closed) throw notRunning()
  checkObject(options, 'options')
  if (state.bindState !== BindState.Unbound) throw alreadyBound()
  const { port, address } = options as { port?: unknown; address?: unknown }
  const checked = checkPort(port ?? 0, 'options.port', true)
  const ip = address ? literal(address, 'options.address', 'bindSync') : state.family === 4 ? '0.0.0.0' : '::'
  const failure = bindNow(state, ip, checked)
  if (failure !== null) throw failure
  startReceiving(state)
  emitLater(state, 'listening')
  // A group joined before may have brought something already.
  if (state.open().queued > 0) state.inbox?.later()
}

/** @throws {TypeError | RangeError | Error} as `socket.connectSync` says */
export function connectSync(state: SocketState, port: unknown, address: unknown): void {
  if (state.closed) throw notRunning()
  const checked = checkPort(port)
  if (state.connectState !== ConnectState.Disconnected) throw isConnected()
  const loopback = state.family === 4 ? '127.0.0.1' : '::1'
  const ip =
    address === undefined || address === null || address === '' ? loopback : literal(address, 'address', 'connectSync')
  if (state.bindState === BindState.Unbound) bindSync(state, {})
  else if (state.bindState !== BindState.Bound) throw alreadyBound()
  if (isBlocked(state.sendBlockList, ip)) throw ipBlocked(ip)
  const scoped = readAddress(state, ip)
  const errno = scoped === null ? 'EINVAL' : state.open().connect(scoped.address, checked, scoped.nic)
  if (errno !== '') throw addressError(errno, 'connect', ip, checked)
  state.connectState = ConnectState.Connected
  emitLater(state, 'connect')
}

export function isBlocked(list: BlockList | undefined, ip: string): boolean {
  return list?.check(ip, isIP(ip) === 4 ? 'ipv4' : 'ipv6') ?? false
}

function literal(address: unknown, name: string, call: string): string {
  checkString(address, name)
  if (isIP(address) === 0)
    throw invalidArgValue(name, `must be a numeric IP address; ${call} does not perform DNS resolution`, address)
  return address
}

function emitLater(state: SocketState, event: 'listening' | 'connect'): void {
  process.nextTick(() => {
    if (!state.closed) state.socket.emit(event)
  })
}
