/**
 * The UDP socket that programs hold: node:dgram's `Socket` over an endpoint of a stack.
 *
 * A façade: each method belongs to a room that works on the socket's state (bind, connect, groups,
 * options, sending). Forms, checks, errors, and the order and timing of events are Node's, and so
 * is the number of members; `docs/node-dgram.md` lists what differs, and what is beyond Node.
 */
import type { AddressInfo } from 'node:net'
import { diagnosticsChannel, EventEmitter, process } from '#platform'
import type { Address } from '../../base/address.ts'
import { MessageIterator } from '../delivery/message-iterator.ts'
import { sendBatch } from '../sending/batch.ts'
import { checkSendto, send } from '../sending/send.ts'
import { bind, bindSync } from './bind.ts'
import { connect, connectSync, disconnect } from './connect.ts'
import { invalidArgType, notConnected } from './errors.ts'
import * as groups from './groups.ts'
import { HAS_HANDLE } from './node-version.ts'
import type { DontFragment, OptionName, SocketOptionValues } from './option-values.ts'
import * as options from './options.ts'
import type { StackSockets } from './stack-sockets.ts'
import { ConnectState, checkRunning, openedEndpoint, SocketState } from './state.ts'
import type { BatchItem, BindSyncOptions, Message, Socket, SocketEvents, SocketOptions, SocketType } from './types.ts'

/**
 * Under this symbol a socket has its state; not enumerable, so that `util.inspect` does not print a
 * whole stack.
 */
export const kState: unique symbol = Symbol('state')

const socketChannel = diagnosticsChannel.channel('udp.socket')

/**
 * The class behind {@link Socket}; the function that makes sockets is in dgram.ts, for it is
 * callable without `new`.
 */
export class UdpSocket extends EventEmitter implements Socket {
  declare readonly type: SocketType
  declare readonly [kState]: SocketState

  bind(...args: unknown[]): this {
    bind(this[kState], args)
    return this
  }

  bindSync(options: BindSyncOptions = {}): AddressInfo {
    bindSync(this[kState], options)
    return this.address()
  }

  connect(port: number, address?: unknown, callback?: unknown): void {
    connect(this[kState], port, address, callback)
  }

  connectSync(port: number, address?: string | null): void {
    connectSync(this[kState], port, address)
  }

  disconnect(): void {
    disconnect(this[kState])
  }

  send(msg: unknown, offset?: unknown, length?: unknown, port?: unknown, address?: unknown, callback?: unknown): void {
    send(this[kState], { msg, offset, length, port, address, callback })
  }

  sendto(msg: unknown, offset: unknown, length: unknown, port: unknown, address: unknown, callback?: unknown): void {
    checkSendto(offset, length, port, address)
    this.send(msg, offset, length, port, address, callback)
  }

  close(callback?: () => void): this {
    const state = this[kState]
    if (typeof callback === 'function') this.on('close', callback)
    if (state.queue !== undefined) {
      state.queue.push(() => this.close())
      return this
    }
    checkRunning(state)
    state.close()
    process.nextTick(emitClose, state)
    state.backlog.cancel()
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this[kState].closed) return
    await new Promise<void>((resolve) => this.close(resolve))
  }

  address(): AddressInfo {
    const { localAddress, localPort, device } = openedEndpoint(this[kState], 'getsockname')
    return addressInfo(this[kState], localAddress, localPort, device)
  }

  remoteAddress(): AddressInfo {
    const state = running(this)
    const endpoint = state.inbox?.endpoint
    if (state.connectState !== ConnectState.Connected || endpoint === undefined || endpoint.remoteAddress === null)
      throw notConnected()
    return addressInfo(state, endpoint.remoteAddress, endpoint.remotePort, endpoint.remoteNic)
  }

  ref(): this {
    this[kState].reference(true)
    return this
  }

  unref(): this {
    this[kState].reference(false)
    return this
  }

  // ── groups ──

  addMembership(multicastAddress: string, multicastInterface?: string): void {
    groups.addMembership(this[kState], multicastAddress, multicastInterface)
  }

  dropMembership(multicastAddress: string, multicastInterface?: string): void {
    groups.dropMembership(this[kState], multicastAddress, multicastInterface)
  }

  addSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    groups.addSourceMembership(this[kState], sourceAddress, groupAddress, multicastInterface)
  }

  dropSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    groups.dropSourceMembership(this[kState], sourceAddress, groupAddress, multicastInterface)
  }

  setMulticastInterface(multicastInterface: string): void {
    groups.setMulticastInterface(this[kState], multicastInterface)
  }

  // ── options ──

  setBroadcast(flag: boolean): void {
    options.setBroadcast(this[kState], flag)
  }

  setTTL(ttl: number): number {
    return options.setTTL(this[kState], ttl)
  }

  setMulticastTTL(ttl: number): number {
    return options.setMulticastTTL(this[kState], ttl)
  }

  setMulticastLoopback(flag: boolean): boolean {
    return options.setMulticastLoopback(this[kState], flag)
  }

  setRecvBufferSize(size: number): void {
    options.setReceiveBuffer(this[kState], size)
  }

  setSendBufferSize(size: number): void {
    options.setSendBuffer(this[kState], size)
  }

  getRecvBufferSize(): number {
    return options.receiveBuffer(this[kState])
  }

  getSendBufferSize(): number {
    return options.sendBuffer(this[kState])
  }

  getSendQueueSize(): number {
    return running(this).backlog.size
  }

  getSendQueueCount(): number {
    return running(this).backlog.count
  }

  // ── beyond Node ──

  get fd(): number {
    return this[kState].descriptor
  }

  get _handle(): { readonly fd: number } | null {
    return this[kState].closed ? null : { fd: this.fd }
  }

  setOption<Name extends OptionName>(name: Name, value: SocketOptionValues[Name]): this {
    options.setOption(running(this), name, value)
    return this
  }

  getOption<Name extends OptionName>(name: Name): SocketOptionValues[Name] {
    return options.getOption(running(this), name)
  }

  setTOS(tos: number): this {
    return this.setOption('tos', tos)
  }

  getTOS(): number {
    return this.getOption('tos')
  }

  setDSCP(dscp: number): this {
    return this.setOption('dscp', dscp)
  }

  getDSCP(): number {
    return this.getOption('dscp')
  }

  setECN(ecn: number): this {
    return this.setOption('ecn', ecn)
  }

  getECN(): number {
    return this.getOption('ecn')
  }

  setDontFragment(mode: DontFragment): this {
    return this.setOption('dontFragment', mode)
  }

  getDontFragment(): DontFragment {
    return this.getOption('dontFragment')
  }

  setRecvInfo(flag: boolean): this {
    return this.setOption('recvInfo', flag)
  }

  getPathMTU(address?: string): number {
    return options.pathMtu(this[kState], address)
  }

  sendBatch(items: readonly BatchItem[], callback?: (error: Error | null, sent: number) => void): void {
    sendBatch(this[kState], items, callback)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    return new MessageIterator(running(this))
  }
}

// As in the Node that runs: programs ask whether a socket has it.
if (!HAS_HANDLE) Reflect.deleteProperty(UdpSocket.prototype, '_handle')

/**
 * What a constructor does for `socket`, which may be an instance of a subclass or of an old-style
 * one.
 */
export function initialise(socket: UdpSocket, shared: StackSockets, type: unknown, listener: unknown): void {
  const options = typeof type === 'object' && type !== null ? (type as SocketOptions) : null
  const family = options === null ? type : options.type
  const state = new SocketState(socket, shared, family, options ?? {})
  Object.defineProperty(socket, kState, { value: state })
  ;(socket as { type: unknown }).type = family
  if (typeof listener === 'function') socket.on('message', listener as (...args: SocketEvents['message']) => void)
  if (options !== null && options.signal !== undefined) closeOnAbort(socket, options.signal)
  if (socketChannel.hasSubscribers) socketChannel.publish({ socket })
}

function closeOnAbort(socket: UdpSocket, signal: AbortSignal): void {
  if (typeof signal !== 'object' || signal === null || !('aborted' in signal))
    throw invalidArgType('options.signal', 'an instance of AbortSignal', signal)
  const close = () => {
    if (!socket[kState].closed) socket.close()
  }
  if (signal.aborted) close()
  else {
    signal.addEventListener('abort', close, { once: true })
    socket.once('close', () => signal.removeEventListener('abort', close))
  }
}

/** The state of a socket that is not closed. @throws {Error} ERR_SOCKET_DGRAM_NOT_RUNNING */
function running(socket: UdpSocket): SocketState {
  const state = socket[kState]
  checkRunning(state)
  return state
}

function addressInfo(state: SocketState, address: Address, port: number, nic: number): AddressInfo {
  const { w0, w1, w2, w3 } = address
  const texts = state.family === 4 ? state.shared.texts4 : state.shared.texts6
  return { address: texts.text(w0, w1, w2, w3, nic), family: state.family === 4 ? 'IPv4' : 'IPv6', port }
}

function emitClose(state: SocketState): void {
  state.emit('close')
}
