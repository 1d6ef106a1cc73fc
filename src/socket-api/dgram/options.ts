/** `setOption` and `getOption`: every option of a socket by name. */
import { PmtuMode } from '../../ip/routing/pmtu-mode.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import { checkBoolean, checkInteger, checkString } from './arguments.ts'
import { errnoError, invalidArgType, invalidArgValue } from './errors.ts'
import { BindState, type SocketState } from './state.ts'

export type DontFragment = 'off' | 'want' | 'do' | 'probe'

/** Options and what they hold. Defaults and Linux's names are in `docs/node-dgram.md`. */
export interface SocketOptionValues {
  broadcast: boolean
  ttl: number
  /**
   * Datagrams with a lower TTL or hop limit are discarded: 255 takes those of neighbors only (RFC
   * 5082).
   */
  minTTL: number
  multicastTTL: number
  multicastLoopback: boolean
  /** Name of an interface, `null` for what the route says. */
  multicastInterface: string | null
  tos: number
  dscp: number
  ecn: number
  dontFragment: DontFragment
  /** Options in the header of every IPv4 datagram sent, as bytes; empty for none. */
  ipOptions: Uint8Array
  recvBufferSize: number
  sendBufferSize: number
  /** For tunnels over IPv6 alone: UDP checksums are left out, and may be (RFC 6935). */
  sendZeroChecksum: boolean
  recvZeroChecksum: boolean
  recvInfo: boolean
  recvErrors: boolean
  /** Name of an interface, `null` for all. */
  bindToDevice: string | null
  dontRoute: boolean
  reuseAddr: boolean
  reusePort: boolean
  ipv6Only: boolean
}

export type OptionName = keyof SocketOptionValues

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
