/** What a socket knows of itself: hidden from programs, who hold the `Socket`. */
import { AsyncResource } from 'node:async_hooks'
import dns from 'node:dns'
import { BlockList, isIP } from 'node:net'
import type { Address } from '../../base/address.ts'
import { KeepAlive } from '../../link/keep-alive.ts'
import type { Endpoint, SendOptions } from '../../udp/endpoint.ts'
import type { Errno } from '../../udp/errno.ts'
import { Inbox, type Reader } from '../delivery/inbox.ts'
import { Backlog } from '../sending/backlog.ts'
import { checkFunction, checkInteger } from './arguments.ts'
import { badType, invalidArgType } from './errors.ts'
import { HAS_SYNC_CALLS } from './node-version.ts'
import type { Shared } from './shared.ts'
import type { Lookup, Socket, SocketOptions } from './types.ts'

export const BindState = { Unbound: 0, Binding: 1, Bound: 2 } as const
export const ConnectState = { Disconnected: 0, Connecting: 1, Connected: 2 } as const

type LookupCallback = (error: Error | null, address: string, family?: number) => void

// Literal addresses need not go through it, but through one that a program put in its place.
const nodeLookup: unknown = dns.lookup

export class SocketState implements Reader {
  readonly socket: Socket
  readonly shared: Shared
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
   * @throws {TypeError} ERR_SOCKET_BAD_TYPE, ERR_INVALID_ARG_TYPE @throws {RangeError}
   * ERR_OUT_OF_RANGE
   */
  constructor(socket: Socket, shared: Shared, type: unknown, options: Partial<SocketOptions>) {
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

  /** Whether no lookup of a literal address could be seen: it is Node's own, or none. */
  get skipsLookup(): boolean {
    return (this.#lookup === nodeLookup || this.#lookup === undefined) && this.sendBlockList === undefined
  }

  /**
   * Finds the address of a host: the stack's own names first, then the lookup of the socket. Never
   * calls back before it returns, but for a lookup that does.
   */
  lookup(host: string | null | undefined, callback: LookupCallback): void {
    const name = host || (this.family === 4 ? '127.0.0.1' : '::1')
    const own = this.shared.stack.hosts.get(name)?.find((address) => isIP(address) === this.family)
    if (own !== undefined) process.nextTick(callback, null, own, this.family)
    else if (this.#lookup === undefined) {
      if (isIP(name) === this.family) process.nextTick(callback, null, name, this.family)
      else (dns.lookup as Lookup)(name, this.family, callback)
    } else if (this.#lookup === nodeLookup && isIP(name) !== 0) process.nextTick(callback, null, name)
    else this.#lookup(name, this.family, callback)
  }

  /** Hands a datagram of `size` bytes to the stack. `to` null is the peer. */
  transmit(
    message: Uint8Array | Uint8Array[],
    size: number,
    to: Address | null,
    port: number,
    nic: number,
    options: SendOptions | null,
  ): Errno {
    const { endpoint } = this.inbox as Inbox
    const packet = endpoint.beginSend(size)
    // What is longer than any datagram is refused by its length alone.
    if (size === packet.end - packet.start) {
      if (message instanceof Uint8Array) packet.bytes.set(message, packet.start)
      else {
        let at = packet.start
        for (const piece of message) {
          packet.bytes.set(piece, at)
          at += piece.length
        }
      }
    }
    return endpoint.send(packet, to, port, nic, options)
  }
}

function checkBlockList(value: unknown, name: string): BlockList | undefined {
  if (!value) return undefined
  if (!isBlockList(value)) throw invalidArgType(name, 'an net.BlockList', value)
  return value
}

function isBlockList(value: unknown): value is BlockList {
  // Node 20 has no isBlockList.
  const { isBlockList } = BlockList as { isBlockList?: (value: unknown) => boolean }
  return isBlockList === undefined ? value instanceof BlockList : isBlockList(value)
}
