/**
 * Makes Node's own UDP sockets sockets of a host, when it is code of a host that makes or first
 * uses them.
 *
 * Node tells of each socket that is made, by whatever reference to `createSocket` or `Socket`, or
 * by a subclass, on the diagnostics channel `udp.socket`. The methods of `dgram.Socket.prototype`
 * then ask which kind a socket is: so it does not matter when and how a program took what from
 * `node:dgram`. A socket that opened nothing before is taken over by the first call on a host: some
 * packages make their sockets while they are loaded.
 */
import dgram from 'node:dgram'
import diagnosticsChannel from 'node:diagnostics_channel'
import { constants } from 'node:os'
import { kState, UdpSocket } from '../dgram/socket.ts'
import { socketsOf } from '../dgram/stack-sockets.ts'
import { SocketState } from '../dgram/state.ts'
import type { Lookup, Socket, SocketOptions } from '../dgram/types.ts'
import { currentHost } from './context.ts'
import { refusal } from './guard.ts'
import { disguised, type Restore, replaceValue } from './replace.ts'

type Method = (this: object, ...args: unknown[]) => unknown

/** What Node keeps of a socket under a symbol of its own. */
interface NodeState extends Partial<Omit<SocketOptions, 'type'>> {
  handle: NodeHandle | null
  bindState: number
}

interface NodeHandle {
  /** Bun's have none. */
  close?(): void
  lookup: (address: string, callback: (error: Error | null, address: string, family: number) => void) => void
}

/** A kernel's socket of Node's, or one that was taken over. */
type AnySocket = dgram.Socket & { [kState]?: SocketState }

/** What opens nothing: it may be asked of any socket. */
const HARMLESS = new Set<PropertyKey>([
  'close',
  Symbol.asyncDispose,
  'ref',
  'unref',
  'address',
  'remoteAddress',
  'disconnect',
  'getSendQueueSize',
  'getSendQueueCount',
])

const UNBOUND = 0

/** The sockets that were taken over and are open. */
const adopted = new Map<SocketState, NodeState>()

/** @returns what gives all sockets to the kernel again */
export function installSockets(): Restore {
  const made = (message: unknown) => {
    const { socket } = message as { socket: AnySocket }
    if (socket instanceof dgram.Socket) virtual(socket)
  }
  diagnosticsChannel.subscribe('udp.socket', made)
  const { prototype } = dgram.Socket
  const own = Object.getOwnPropertyDescriptors(UdpSocket.prototype) as Record<PropertyKey, PropertyDescriptor>
  const restores = Reflect.ownKeys(prototype).flatMap((name) => {
    const theirs = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor
    const ours = own[name]
    if (ours === undefined || name === 'constructor' || !theirs.configurable) return []
    return typeof theirs.value === 'function'
      ? [replaceValue(prototype, name, dispatching(name, theirs.value, ours.value))]
      : []
  })
  return () => {
    diagnosticsChannel.unsubscribe('udp.socket', made)
    for (const restore of restores) restore()
    const open = [...adopted]
    adopted.clear()
    for (const [state, node] of open) {
      node.bindState = state.bindState
      state.close()
      state.backlog.cancel()
    }
  }
}

/** A method that is ours for sockets of hosts and Node's for the kernel's. */
function dispatching(name: PropertyKey, theirs: Method, ours: Method): Method {
  const harmless = HARMLESS.has(name)
  return disguised(
    function (...args) {
      const socket = this as AnySocket
      if (socket[kState] !== undefined) return ours.apply(socket, args)
      if (harmless || stateOf(socket)?.bindState !== UNBOUND) return theirs.apply(socket, args)
      if (virtual(socket)) return ours.apply(socket, args)
      const error = refusal('A UDP socket of the kernel')
      if (error !== null) throw error
      return theirs.apply(socket, args)
    },
    theirs as () => unknown,
  )
}

/** Takes a socket over if a host is running. @returns whether it is a host's now */
function virtual(socket: AnySocket): boolean {
  const host = currentHost()
  const node = stateOf(socket)
  if (host === undefined || !node?.handle || node.bindState !== UNBOUND) return false
  const { handle } = node
  const state = new SocketState(socket as unknown as Socket, socketsOf(host), (socket as { type?: unknown }).type, {
    ...node,
    // Node's handle has the program's lookup, or the default.
    lookup: ((name, _family, callback) => handle.lookup(name, callback as never)) as Lookup,
  })
  Object.defineProperty(socket, kState, { value: state })
  node.handle = Object.defineProperty(deadHandle(handle, state.family), 'fd', { get: () => state.descriptor })
  handle.close?.()
  adopted.set(state, node)
  state.pending.add(() => {
    if (adopted.delete(state)) node.handle = null
  })
  return true
}

function stateOf(socket: object): NodeState | undefined {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')
  return key === undefined ? undefined : (socket as Record<symbol, NodeState>)[key]
}

/**
 * Stands where Node keeps the kernel's socket: should Node's own methods ever get hold of a socket
 * that was taken over, because its network has closed, they find the network down.
 */
function deadHandle(handle: NodeHandle, family: 4 | 6): NodeHandle {
  const dead: Record<string, unknown> = {}
  for (let from: object | null = handle; from !== null && from !== Object.prototype; from = Object.getPrototypeOf(from))
    for (const name of Object.getOwnPropertyNames(from)) dead[name] = () => 0
  for (const name of ['send', 'send6', 'connect', 'connect6', 'getsockname', 'getpeername'])
    dead[name] = () => -constants.errno.ENETDOWN
  dead.lookup = (_address: string, callback: (error: null, address: string, family: number) => void) => {
    process.nextTick(callback, null, family === 4 ? '127.0.0.1' : '::1', family)
  }
  return dead as unknown as NodeHandle
}
