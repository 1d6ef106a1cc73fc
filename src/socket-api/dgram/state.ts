/** What a socket knows of itself: hidden from programs, who hold the `Socket`. */
import type { EventEmitter } from 'node:events'
import { AsyncResource, type BlockList, dns, isIP, process } from '#platform'
import { KeepAlive } from '../../link/keep-alive.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import { Inbox, type Reader } from '../delivery/inbox.ts'
import { callListeners } from '../hosts/context.ts'
import { Backlog } from '../sending/backlog.ts'
import { checkFunction, checkInteger } from './arguments.ts'
import { checkBlockList } from './block-list.ts'
import { badType, errnoError, hostNotFound, notRunning } from './errors.ts'
import { HAS_SYNC_CALLS } from './node-version.ts'
import { type Scoped, unusualZone } from './scoped-address.ts'
import type { StackSockets } from './stack-sockets.ts'
import type { Lookup, Socket, SocketEvents, SocketOptions } from './types.ts'

export const BindState = { Unbound: 0, Binding: 1, Bound: 2 } as const
export const ConnectState = { Disconnected: 0, Connecting: 1, Connected: 2 } as const

type LookupCallback = (error: Error | null, address: string, family?: number) => void

// Literal addresses need not go through it, but through one that a program put in its place.
const nodeLookup: unknown = dns.lookup

export class SocketState implements Reader {
  readonly socket: Socket
  readonly shared: StackSockets
  readonly family: 4 | 6
  /** The context of the socket's creation, in which its messages are emitted. */
  readonly resource: AsyncResource
  readonly receiveBlockList: BlockList | undefined
  readonly sendBlockList: BlockList | undefined
  readonly recvBufferSize: number
  readonly sendBufferSize: number
  /** `undefined` is the default lookup of a Node that asks dns.lookup only when it has to. */
  readonly #lookup: Lookup | undefined
  readonly #keepAlive = new KeepAlive()
  /** `null` until the first bind or option: what the file descriptor is to a kernel's socket. */
  inbox: Inbox | null = null
  closed = false
  bindState: number = BindState.Unbound
  connectState: number = ConnectState.Disconnected
  reuseAddr: boolean
  reusePort: boolean
  ipv6Only: boolean
  recvInfo = false
  /** Calls that wait for the socket to be bound. */
  queue: (() => void)[] | undefined
  /** Datagrams that wait for room in their link. */
  readonly backlog: Backlog
  /** Called when the socket closes, by those who have promised an answer. */
  readonly pending = new Set<() => void>()
  /** Called when a message waits, while an iterator reads. */
  iterator: (() => void) | null = null
  #referenced = true

  /**
   * @throws {TypeError} ERR_SOCKET_BAD_TYPE, ERR_INVALID_ARG_TYPE
   * @throws {RangeError} ERR_OUT_OF_RANGE
   */
  constructor(socket: Socket, shared: StackSockets, type: unknown, options: Partial<SocketOptions>) {
    this.socket = socket
    this.shared = shared
    const { recvBufferSize, sendBufferSize, receiveBlockList, sendBlockList, lookup } = options
    if (recvBufferSize) checkInteger(recvBufferSize, 'options.recvBufferSize', 0, 0xffffffff)
    if (sendBufferSize) checkInteger(sendBufferSize, 'options.sendBufferSize', 0, 0xffffffff)
    this.recvBufferSize = recvBufferSize || 0
    this.sendBufferSize = sendBufferSize || 0
    this.receiveBlockList = checkBlockList(receiveBlockList, 'options.receiveBlockList')
    this.sendBlockList = checkBlockList(sendBlockList, 'options.sendBlockList')
    if (lookup !== undefined) checkFunction(lookup, 'lookup')
    this.#lookup = (lookup ?? (HAS_SYNC_CALLS ? undefined : dns.lookup)) as Lookup | undefined
    if (type !== 'udp4' && type !== 'udp6') throw badType()
    this.family = type === 'udp4' ? 4 : 6
    this.reuseAddr = Boolean(options.reuseAddr)
    this.reusePort = Boolean(options.reusePort)
    this.ipv6Only = Boolean(options.ipv6Only)
    this.backlog = new Backlog(shared.stack)
    this.resource = new AsyncResource('TUNGRAMSOCKET')
  }

  /** What stands for the file descriptor; -1 when there is none. */
  get descriptor(): number {
    return this.inbox === null || this.closed ? -1 : this.shared.descriptors.of(this.inbox)
  }

  get listening(): boolean {
    return this.bindState === BindState.Bound && this.iterator === null
  }

  messageWaits(): void {
    this.iterator?.()
  }

  /** The endpoint, made now if there was none. */
  open(): Endpoint {
    if (this.inbox === null) {
      this.inbox = new Inbox(this.shared, this.family)
      this.inbox.readers.push(this)
    }
    return this.inbox.endpoint
  }

  /** Tells the listeners of the socket, who run as its host. */
  emit(event: 'listening' | 'connect' | 'close'): void
  emit(event: 'error', error: Error): void
  emit(event: keyof SocketEvents, ...args: unknown[]): void {
    callListeners(this.shared.stack, () => (this.socket as EventEmitter).emit(event, ...args))
  }

  /** Takes part in the endpoint of another socket. */
  share(inbox: Inbox): void {
    this.inbox?.leave(this)
    this.inbox = inbox
    inbox.readers.push(this)
  }

  close(): void {
    this.closed = true
    this.inbox?.leave(this)
    this.hold()
    this.iterator?.()
    for (const each of this.pending) each()
  }

  /** Whether a bound socket keeps the process alive. */
  reference(on: boolean): void {
    this.#referenced = on
    this.hold()
  }

  /** Makes the process stay, or not, as the state of the socket asks. */
  hold(): void {
    this.shared.hold(this.#keepAlive, this.#referenced && this.bindState === BindState.Bound && !this.closed)
  }

  /**
   * What getaddrinfo says of a zone that `isIP` refuses. The interface has to be there, and is not
   * in the answer: Node's `bind` and `connect` are EINVAL then.
   */
  #findZone(name: string, { address, zone }: { address: string; zone: string }, callback: LookupCallback): void {
    const found = this.family === 6 && this.shared.stack.nic(zone) !== undefined
    if (found) process.nextTick(callback, null, address, 6)
    else process.nextTick(callback, hostNotFound(name), '')
  }

  /** The address that a missing host stands for. */
  get loopback(): string {
    return this.family === 4 ? '127.0.0.1' : '::1'
  }

  /** A literal address of this socket's family, with its zone; `null` for other text. */
  readAddress(text: string): Scoped | null {
    return this.shared.addresses.parseFor(this.family, text)
  }

  /**
   * Whether literal addresses need no lookup: the socket's is Node's own, so no program sees the
   * difference.
   */
  get skipsLookup(): boolean {
    return (this.#lookup === nodeLookup || this.#lookup === undefined) && this.sendBlockList === undefined
  }

  /**
   * Finds the address of a host: the stack's own names first, then the lookup of the socket. Never
   * calls back before it returns, but for a lookup that does.
   */
  lookup(host: string | null | undefined, callback: LookupCallback): void {
    const name = host || this.loopback
    if (this.#lookup === undefined || this.#lookup === nodeLookup) {
      // What is no text is for Node's lookup to refuse.
      const zoned = typeof name === 'string' ? unusualZone(name) : null
      if (zoned !== null) {
        this.#findZone(name, zoned, callback)
        return
      }
    }
    const own = this.shared.stack.hosts.get(name)?.find((address) => isIP(address) === this.family)
    if (own !== undefined) process.nextTick(callback, null, own, this.family)
    else if (this.#lookup === undefined) {
      if (isIP(name) === this.family) process.nextTick(callback, null, name, this.family)
      else (dns.lookup as Lookup)(name, this.family, callback)
    } else if (this.#lookup === nodeLookup && isIP(name) !== 0) process.nextTick(callback, null, name)
    else this.#lookup(name, this.family, callback)
  }
}

/** @throws {Error} ERR_SOCKET_DGRAM_NOT_RUNNING when the socket is closed */
export function checkRunning(state: SocketState): void {
  if (state.closed) throw notRunning()
}

/** The endpoint of a socket that has one. @throws {Error} EBADF, ERR_SOCKET_DGRAM_NOT_RUNNING */
export function openedEndpoint(state: SocketState, syscall: string): Endpoint {
  checkRunning(state)
  if (state.inbox === null) throw errnoError('EBADF', syscall)
  return state.inbox.endpoint
}
