/** Options of a socket: those that Node has methods for, and every one by name. */
import { PmtuMode } from '../../ip/routing/pmtu-mode.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import { checkBoolean, checkInteger, checkNumber, checkString } from './arguments.ts'
import {
  badBufferSize,
  bufferSizeError,
  errnoError,
  invalidArgType,
  invalidArgValue,
  notConnected,
  notRunning,
} from './errors.ts'
import type { DontFragment, OptionName, SocketOptionValues } from './option-values.ts'
import { BindState, checkRunning, openedEndpoint, type SocketState } from './state.ts'

interface Option<Value> {
  get(endpoint: Endpoint, state: SocketState): Value
  /** Checks and sets. */
  set(value: unknown, endpoint: Endpoint, state: SocketState): void
}

const MODES: Record<DontFragment, PmtuMode> = {
  off: PmtuMode.Dont,
  want: PmtuMode.Want,
  do: PmtuMode.Do,
  probe: PmtuMode.Probe,
}
const MODE_NAMES = Object.keys(MODES) as DontFragment[]

/** @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE */
export function pmtuMode(value: unknown, name: string): PmtuMode {
  checkString(value, name)
  if (!Object.hasOwn(MODES, value)) throw invalidArgValue(name, `must be one of: 'off', 'want', 'do', 'probe'`, value)
  return MODES[value as DontFragment]
}

type Flag = 'broadcast' | 'multicastLoop' | 'dontRoute' | 'receiveErrors' | 'sendsZeroChecksum' | 'takesZeroChecksum'

function flag(field: Flag): Option<boolean> {
  return {
    get: (endpoint) => endpoint[field],
    set: (value, endpoint) => {
      checkBoolean(value, 'value')
      endpoint[field] = value
    },
  }
}

function integer(
  min: number,
  max: number,
  get: (endpoint: Endpoint, state: SocketState) => number,
  set: (endpoint: Endpoint, value: number) => void,
): Option<number> {
  return {
    get,
    set: (value, endpoint) => {
      checkInteger(value, 'value', min, max)
      set(endpoint, value)
    },
  }
}

/** A flag that decides how the socket is bound, and so comes before. */
function bindFlag(field: 'reuseAddr' | 'reusePort' | 'ipv6Only'): Option<boolean> {
  return {
    get: (_, state) => state[field],
    set: (value, _, state) => {
      checkBoolean(value, 'value')
      if (state.bindState !== BindState.Unbound) throw errnoError('EINVAL', 'setOption')
      state[field] = value
    },
  }
}

function nic(
  get: (endpoint: Endpoint) => number,
  set: (endpoint: Endpoint, index: number) => void,
): Option<string | null> {
  return {
    get: (endpoint, state) => state.shared.stack.nic(get(endpoint))?.name ?? null,
    set: (value, endpoint, state) => {
      if (value === null) {
        set(endpoint, 0)
        return
      }
      checkString(value, 'value')
      const found = state.shared.stack.nic(value)
      if (found === undefined) throw errnoError('ENODEV', 'setOption')
      set(endpoint, found.index)
    },
  }
}

const OPTIONS: { [Name in OptionName]: Option<SocketOptionValues[Name]> } = {
  broadcast: flag('broadcast'),
  ttl: integer(
    1,
    255,
    (endpoint, state) => (endpoint.hopLimit < 0 ? state.shared.stack.ip.hopLimit : endpoint.hopLimit),
    (endpoint, value) => {
      endpoint.hopLimit = value
    },
  ),
  minTTL: integer(
    0,
    255,
    (endpoint) => endpoint.minHopLimit,
    (endpoint, value) => {
      endpoint.minHopLimit = value
    },
  ),
  multicastTTL: integer(
    0,
    255,
    (endpoint) => endpoint.multicastHopLimit,
    (endpoint, value) => {
      endpoint.multicastHopLimit = value
    },
  ),
  multicastLoopback: flag('multicastLoop'),
  multicastInterface: nic(
    (endpoint) => (endpoint.family === 4 ? endpoint.multicastNic4 : endpoint.multicastNic6),
    (endpoint, index) => endpoint.setMulticastNic(index),
  ),
  tos: integer(
    0,
    255,
    (endpoint) => endpoint.tos,
    (endpoint, value) => {
      endpoint.tos = value
    },
  ),
  dscp: integer(
    0,
    63,
    (endpoint) => endpoint.tos >> 2,
    (endpoint, value) => {
      endpoint.tos = (value << 2) | (endpoint.tos & 3)
    },
  ),
  ecn: integer(
    0,
    3,
    (endpoint) => endpoint.tos & 3,
    (endpoint, value) => {
      endpoint.tos = (endpoint.tos & 0xfc) | value
    },
  ),
  dontFragment: {
    get: (endpoint) => MODE_NAMES[endpoint.pmtuMode] as DontFragment,
    set: (value, endpoint) => {
      endpoint.pmtuMode = pmtuMode(value, 'value')
    },
  },
  ipOptions: {
    get: (endpoint) => endpoint.ipOptions?.slice() ?? new Uint8Array(0),
    set: (value, endpoint) => {
      if (!(value instanceof Uint8Array)) throw invalidArgType('value', 'an instance of Uint8Array', value)
      const errno = endpoint.setIpOptions(value)
      if (errno !== '') throw errnoError(errno, 'setOption')
    },
  },
  recvBufferSize: integer(
    1,
    0x7fffffff,
    (endpoint) => endpoint.receiveBuffer,
    (endpoint, value) => endpoint.setReceiveBuffer(value),
  ),
  sendBufferSize: integer(
    1,
    0x7fffffff,
    (endpoint) => endpoint.sendBuffer,
    (endpoint, value) => endpoint.setSendBuffer(value),
  ),
  sendZeroChecksum: flag('sendsZeroChecksum'),
  recvZeroChecksum: flag('takesZeroChecksum'),
  recvInfo: {
    get: (_, state) => state.recvInfo,
    set: (value, _, state) => {
      checkBoolean(value, 'value')
      state.recvInfo = value
    },
  },
  recvErrors: flag('receiveErrors'),
  bindToDevice: nic(
    (endpoint) => endpoint.boundNic,
    (endpoint, index) => {
      endpoint.boundNic = index
    },
  ),
  dontRoute: flag('dontRoute'),
  reuseAddr: bindFlag('reuseAddr'),
  reusePort: bindFlag('reusePort'),
  ipv6Only: bindFlag('ipv6Only'),
}

/** @throws {TypeError} ERR_INVALID_ARG_VALUE for an unknown name */
function find<Name extends OptionName>(name: Name): Option<SocketOptionValues[Name]> {
  if (typeof name !== 'string') throw invalidArgType('name', 'of type string', name)
  if (!Object.hasOwn(OPTIONS, name))
    throw invalidArgValue('name', `must be one of: ${Object.keys(OPTIONS).join(', ')}`, name)
  return OPTIONS[name]
}

export function setOption(state: SocketState, name: OptionName, value: unknown): void {
  find(name).set(value, state.open(), state)
}

export function getOption<Name extends OptionName>(state: SocketState, name: Name): SocketOptionValues[Name] {
  return find(name).get(state.open(), state)
}

// ── Node's methods ──

export function setBroadcast(state: SocketState, flag: unknown): void {
  openedEndpoint(state, 'setBroadcast').broadcast = Boolean(flag)
}

export function setTTL(state: SocketState, ttl: unknown): number {
  checkNumber(ttl, 'ttl')
  const value = ttl | 0
  if (value < 1 || value > 255) throw errnoError('EINVAL', 'setTTL')
  openedEndpoint(state, 'setTTL').hopLimit = value
  return ttl
}

export function setMulticastTTL(state: SocketState, ttl: unknown): number {
  checkNumber(ttl, 'ttl')
  const value = ttl | 0
  if (value < 0 || value > 255) throw errnoError('EINVAL', 'setMulticastTTL')
  openedEndpoint(state, 'setMulticastTTL').multicastHopLimit = value
  return ttl
}

export function setMulticastLoopback<Flag>(state: SocketState, flag: Flag): Flag {
  openedEndpoint(state, 'setMulticastLoopback').multicastLoop = Boolean(flag)
  return flag
}

export function setReceiveBuffer(state: SocketState, size: number): void {
  const endpoint = bufferEndpoint(state, size, 'uv_recv_buffer_size')
  if (size > 0) endpoint.setReceiveBuffer(size)
}

export function setSendBuffer(state: SocketState, size: number): void {
  const endpoint = bufferEndpoint(state, size, 'uv_send_buffer_size')
  if (size > 0) endpoint.setSendBuffer(size)
}

export function receiveBuffer(state: SocketState): number {
  return bufferEndpoint(state, 0, 'uv_recv_buffer_size').receiveBuffer
}

export function sendBuffer(state: SocketState): number {
  return bufferEndpoint(state, 0, 'uv_send_buffer_size').sendBuffer
}

/**
 * Checks a size in Node's order, which asks the kernel too when it only reads one, with 0.
 * @throws {TypeError} ERR_SOCKET_BAD_BUFFER_SIZE
 * @throws {Error} ERR_SOCKET_BUFFER_SIZE, ERR_SOCKET_DGRAM_NOT_RUNNING
 */
function bufferEndpoint(state: SocketState, size: number, syscall: string): Endpoint {
  if (size >>> 0 !== size) throw badBufferSize()
  if (state.closed) throw notRunning()
  if (size > 0x7fffffff) throw bufferSizeError('EINVAL', syscall)
  if (state.inbox === null) throw bufferSizeError('EBADF', syscall)
  return state.inbox.endpoint
}

// ── beyond Node ──

/** @throws {Error} ENETUNREACH, EINVAL, ERR_SOCKET_DGRAM_NOT_CONNECTED */
export function pathMtu(state: SocketState, address: unknown): number {
  checkRunning(state)
  const endpoint = state.open()
  if (address !== undefined) checkString(address, 'address')
  const { remoteAddress, remoteNic } = endpoint
  if (address === undefined && remoteAddress === null) throw notConnected()
  const peer = remoteAddress === null ? null : { address: remoteAddress, nic: remoteNic }
  const to = address === undefined ? peer : state.readAddress(address)
  if (to === null) throw errnoError('EINVAL', 'getPathMTU')
  const mtu = endpoint.pathMtu(to.address, to.nic)
  if (mtu === 0) throw errnoError('ENETUNREACH', 'getPathMTU')
  return mtu
}
