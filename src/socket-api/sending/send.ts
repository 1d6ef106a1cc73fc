/**
 * `send`: its argument forms, the lookup of the address, and the tick in which a datagram leaves.
 */
import { process } from '#platform'
import type { SendOptions } from '../../udp/endpoint.ts'
import type { Errno } from '../../udp/errno.ts'
import { checkMessage, checkNumber, checkPort, checkString, slice } from '../dgram/arguments.ts'
import { whenBound } from '../dgram/bind.ts'
import { isBlocked } from '../dgram/block-list.ts'
import { ipBlocked, isConnected } from '../dgram/errors.ts'
import { unusualZone } from '../dgram/scoped-address.ts'
import { BindState, ConnectState, checkRunning, type SocketState } from '../dgram/state.ts'
import type { SendCallback, SendSettings } from '../dgram/types.ts'
import { emitError, type SendRequest, SocketDatagram } from './datagram.ts'
import { sendOptions } from './settings.ts'

/** The arguments of `send` by their places in Node's longest form. */
export interface SendArguments {
  readonly msg: unknown
  readonly offset: unknown
  readonly length: unknown
  readonly port: unknown
  readonly address: unknown
  readonly callback: unknown
}

/** @throws {TypeError | RangeError | Error} as `socket.send` says */
export function send(state: SocketState, given: SendArguments): void {
  const request = readArguments(state, given)
  checkRunning(state)
  const datagram = new SocketDatagram(state, request)
  if (state.bindState === BindState.Bound) sendSoon(datagram)
  else whenBound(state, () => sendSoon(datagram))
}

/**
 * `sendto` is `send` in a form of which nothing may be left out.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE
 */
export function checkSendto(offset: unknown, length: unknown, port: unknown, address: unknown): void {
  checkNumber(offset, 'offset')
  checkNumber(length, 'length')
  checkNumber(port, 'port')
  checkString(address, 'address')
}

/**
 * Sends a datagram of a batch, on a bound socket.
 * @returns `null` when it has to wait, for its address or for room; its callback comes then
 */
export function sendAtOnce(state: SocketState, request: SendRequest): Errno | null {
  const datagram = new SocketDatagram(state, request)
  if (!request.toPeer && !isLiteral(datagram)) {
    sendByName(datagram)
    return null
  }
  const errno = state.backlog.count > 0 ? 'ENOBUFS' : datagram.attempt()
  if (errno === '') state.shared.flushSoon()
  if (errno !== 'ENOBUFS') return errno
  state.backlog.send(datagram)
  return null
}

/** Tells the forms apart as Node does, and checks in Node's order. */
function readArguments(state: SocketState, given: SendArguments): SendRequest {
  let { msg, offset, length, port, address, callback } = given
  const connected = state.connectState === ConnectState.Connected
  let options: SendOptions | null = null
  if (isSettings(offset) && (connected || 'port' in offset)) {
    options = sendOptions(state, offset)
    callback = length
    port = offset.port
    address = offset.address
    if (connected && (port || address)) throw isConnected()
  } else if (!connected) {
    if (address || (port && typeof port !== 'function')) msg = slice(msg, offset, length)
    else {
      callback = port
      port = offset
      address = length
    }
  } else {
    if (typeof length === 'number') {
      msg = slice(msg, offset, length)
      if (typeof port === 'function') {
        callback = port
        port = null
      }
    } else callback = offset
    if (port || address) throw isConnected()
  }
  const message = checkMessage(msg)
  const checkedPort = connected ? 0 : checkPort(port)
  if (typeof address === 'function') {
    callback = address
    address = undefined
  } else if (address !== undefined && address !== null) checkString(address, 'address')
  return {
    message,
    toPeer: connected,
    port: checkedPort,
    host: address as string | null | undefined,
    options,
    callback: typeof callback === 'function' ? (callback as SendCallback) : undefined,
  }
}

function isSettings(value: unknown): value is SendSettings {
  return typeof value === 'object' && value !== null
}

/** To the peer at once; elsewhere in the next tick, or when the name was found. */
function sendSoon(datagram: SocketDatagram): void {
  const { state, request } = datagram
  const { toPeer, callback } = request
  if (toPeer) state.backlog.send(datagram)
  else if (isLiteral(datagram)) state.shared.sendTicks.next(datagram, callback !== undefined)
  else sendByName(datagram)
}

/**
 * Whether its address is a literal one, whose lookup nobody could see; the datagram has it then.
 */
function isLiteral(datagram: SocketDatagram): boolean {
  const { state, request } = datagram
  const text = request.host || state.loopback
  if (!state.skipsLookup || (state.family === 6 && isUnknownZone(state, text))) return false
  return datagram.address(text)
}

/** Whether a zone that `isIP` refuses names no interface: the lookup says so. */
function isUnknownZone({ shared }: SocketState, text: string): boolean {
  const zoned = text.includes('%') ? unusualZone(text) : null
  return zoned !== null && shared.stack.nic(zoned.zone) === undefined
}

function sendByName(datagram: SocketDatagram): void {
  const { state, request } = datagram
  const { host, callback } = request
  state.lookup(host, (error, ip) => {
    if (error) {
      if (callback !== undefined) process.nextTick(callback, error)
      else process.nextTick(emitError, state, error)
      return
    }
    if (state.closed) return
    if (isBlocked(state.sendBlockList, ip)) {
      if (callback !== undefined) process.nextTick(callback, ipBlocked(ip))
      return
    }
    if (datagram.address(String(ip))) datagram.run()
    else datagram.done('EINVAL')
  })
}
