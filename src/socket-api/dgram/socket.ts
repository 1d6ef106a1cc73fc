/**
 * The UDP socket that programs hold: node:dgram's `Socket` over an endpoint of a stack.
 *
 * Forms, checks, errors, and the order and timing of events are Node's; `docs/node-dgram.md` lists
 * what differs. The additions at the end of the class are ours.
 */
import diagnosticsChannel from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Address } from '../../base/address.ts'
import type { Endpoint, SendOptions } from '../../udp/endpoint.ts'
import type { Errno } from '../../udp/errno.ts'
import { MessageIterator } from '../delivery/message-iterator.ts'
import { emitError, reportError, SocketDatagram } from '../sending/datagram.ts'
import { checkInteger, checkMessage, checkNumber, checkPort, checkString, slice } from './arguments.ts'
import { type BatchSend, type CheckedItem, checkItems, sendBatch } from './batch.ts'
import { bindNow, onceBound, readAddress, startListening, whenBound } from './bind.ts'
import { bufferEndpoint, setReceiveBuffer, setSendBuffer } from './buffers.ts'
import { descriptorType } from './descriptor.ts'
import {
  addressError,
  alreadyBound,
  errnoError,
  invalidArgType,
  invalidFdType,
  ipBlocked,
  isConnected,
  missingArgument,
  notConnected,
  notRunning,
} from './errors.ts'
import { chooseMulticastInterface, interfaceWithAddress } from './multicast-interface.ts'
import { HAS_HANDLE } from './node-version.ts'
import {
  type DontFragment,
  getOption,
  type OptionName,
  pmtuMode,
  type SocketOptionValues,
  setOption,
} from './options.ts'
import type { Shared } from './shared.ts'
import { BindState, ConnectState, SocketState } from './state.ts'
import { bindSync, connectSync, isBlocked } from './sync.ts'
import type {
  BatchItem,
  BindOptions,
  BindSyncOptions,
  Message,
  SendCallback,
  SendSettings,
  Socket,
  SocketEvents,
  SocketOptions,
  SocketType,
} from './types.ts'

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
    const [first, second] = args
    const state = running(this)
    if (state.bindState !== BindState.Unbound) throw alreadyBound()
    const callback = args.at(-1)
    const options = typeof first === 'object' && first !== null ? (first as BindOptions) : null
    const fd = options?.fd
    if (typeof fd === 'number' && fd === (fd | 0) && fd > 0) {
      const inbox = state.shared.inboxOf(fd)
      if (inbox === undefined || inbox.endpoint.family !== state.family) throw invalidFdType(descriptorType(fd))
      onceBound(this, callback)
      state.share(inbox)
      startListening(state)
      return this
    }
    state.bindState = BindState.Binding
    const forget = onceBound(this, callback)
    const port = options === null ? first : options.port
    const given = options === null ? second : options.address
    const host = typeof given === 'function' || !given ? (state.family === 4 ? '0.0.0.0' : '::') : (given as string)
    try {
      state.lookup(host, (error, ip) => {
        if (state.closed) return
        const failure = error ?? bindNow(state, ip, port)
        if (failure === null) startListening(state)
        else {
          state.bindState = BindState.Unbound
          this.emit('error', failure)
        }
      })
    } catch (error) {
      // dns.lookup throws for what is no host name.
      state.bindState = BindState.Unbound
      forget()
      throw error
    }
    return this
  }

  connect(port: number, address?: unknown, callback?: unknown): void {
    const checked = checkPort(port)
    const done = typeof address === 'function' ? address : callback
    const host = typeof address === 'function' || address === undefined ? '' : address
    checkString(host, 'address')
    const state = this[kState]
    if (state.connectState !== ConnectState.Disconnected) throw isConnected()
    running(this)
    state.connectState = ConnectState.Connecting
    whenBound(state, () => connectNow(this, checked, host, done as ((error?: Error) => void) | undefined))
  }

  bindSync(options: BindSyncOptions = {}): AddressInfo {
    bindSync(this[kState], options)
    return this.address()
  }

  connectSync(port: number, address?: string | null): void {
    connectSync(this[kState], port, address)
  }

  disconnect(): void {
    const state = this[kState]
    if (state.connectState !== ConnectState.Connected) throw notConnected()
    running(this)
    state.inbox?.endpoint.disconnect()
    state.connectState = ConnectState.Disconnected
  }

  send(msg: unknown, offset?: unknown, length?: unknown, port?: unknown, address?: unknown, callback?: unknown): void {
    const state = this[kState]
    const connected = state.connectState === ConnectState.Connected
    let message = msg
    let options: SendOptions | null = null
    if (isSettings(offset) && (connected || 'port' in offset)) {
      options = sendOptions(state, offset)
      callback = length
      port = offset.port
      address = offset.address
      if (connected && (port || address)) throw isConnected()
    } else if (!connected) {
      if (address || (port && typeof port !== 'function')) message = slice(msg, offset, length)
      else {
        callback = port
        port = offset
        address = length
      }
    } else {
      if (typeof length === 'number') {
        message = slice(msg, offset, length)
        if (typeof port === 'function') {
          callback = port
          port = null
        }
      } else callback = offset
      if (port || address) throw isConnected()
    }
    const bytes = checkMessage(message)
    const checkedPort = connected ? 0 : checkPort(port)
    if (typeof address === 'function') {
      callback = address
      address = undefined
    } else if (address !== undefined && address !== null) checkString(address, 'address')
    const done = typeof callback === 'function' ? (callback as SendCallback) : undefined
    if (state.closed) throw notRunning()
    const host = address as string | null | undefined
    const datagram = new SocketDatagram(state, bytes, checkedPort, host, options, done)
    if (state.bindState === BindState.Bound) sendSoon(datagram, connected)
    else whenBound(state, () => sendSoon(datagram, checkedPort === 0))
  }

  sendto(buffer: unknown, offset: unknown, length: unknown, port: unknown, address: unknown, callback?: unknown): void {
    checkNumber(offset, 'offset')
    checkNumber(length, 'length')
    checkNumber(port, 'port')
    checkString(address, 'address')
    this.send(buffer, offset, length, port, address, callback)
  }

  close(callback?: () => void): this {
    const state = this[kState]
    if (typeof callback === 'function') this.on('close', callback)
    if (state.queue !== undefined) {
      state.queue.push(() => this.close())
      return this
    }
    running(this)
    state.close()
    process.nextTick(emitClose, this)
    state.backlog.cancel()
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this[kState].closed) return
    await new Promise<void>((resolve) => this.close(resolve))
  }

  address(): AddressInfo {
    const { endpoint } = opened(this, 'getsockname')
    return addressInfo(this[kState], endpoint.localAddress, endpoint.localPort, endpoint.device)
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

  // ── options of the endpoint ──

  setBroadcast(flag: boolean): void {
    opened(this, 'setBroadcast').endpoint.broadcast = Boolean(flag)
  }

  setTTL(ttl: number): number {
    checkNumber(ttl, 'ttl')
    const value = ttl | 0
    if (value < 1 || value > 255) throw errnoError('EINVAL', 'setTTL')
    opened(this, 'setTTL').endpoint.hopLimit = value
    return ttl
  }

  setMulticastTTL(ttl: number): number {
    checkNumber(ttl, 'ttl')
    const value = ttl | 0
    if (value < 0 || value > 255) throw errnoError('EINVAL', 'setMulticastTTL')
    opened(this, 'setMulticastTTL').endpoint.multicastHopLimit = value
    return ttl
  }

  setMulticastLoopback(flag: boolean): boolean {
    opened(this, 'setMulticastLoopback').endpoint.multicastLoop = Boolean(flag)
    return flag
  }

  setMulticastInterface(multicastInterface: string): void {
    const state = running(this)
    checkString(multicastInterface, 'interfaceAddress')
    const { endpoint } = opened(this, 'setMulticastInterface')
    const errno = chooseMulticastInterface(state.shared, endpoint, multicastInterface)
    if (errno !== '') throw errnoError(errno, 'setMulticastInterface')
  }

  addMembership(multicastAddress: string, multicastInterface?: string): void {
    changeMembership(this, 'addMembership', multicastAddress, multicastInterface)
  }

  dropMembership(multicastAddress: string, multicastInterface?: string): void {
    changeMembership(this, 'dropMembership', multicastAddress, multicastInterface)
  }

  addSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    changeSource(this, 'addSourceSpecificMembership', sourceAddress, groupAddress, multicastInterface)
  }

  dropSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    changeSource(this, 'dropSourceSpecificMembership', sourceAddress, groupAddress, multicastInterface)
  }

  setRecvBufferSize(size: number): void {
    setReceiveBuffer(this[kState], size)
  }

  setSendBufferSize(size: number): void {
    setSendBuffer(this[kState], size)
  }

  getRecvBufferSize(): number {
    return bufferEndpoint(this[kState], 0, 'uv_recv_buffer_size').receiveBuffer
  }

  getSendBufferSize(): number {
    return bufferEndpoint(this[kState], 0, 'uv_send_buffer_size').sendBuffer
  }

  getSendQueueSize(): number {
    return running(this).backlog.size
  }

  getSendQueueCount(): number {
    return running(this).backlog.count
  }

  // ── beyond Node ──

  get fd(): number {
    const { inbox, shared, closed } = this[kState]
    return inbox === null || closed ? -1 : shared.descriptor(inbox)
  }

  get _handle(): { readonly fd: number } | null {
    return this[kState].closed ? null : { fd: this.fd }
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
    const state = running(this)
    const endpoint = state.open()
    if (address !== undefined) checkString(address, 'address')
    else if (endpoint.remoteAddress === null) throw notConnected()
    const scoped =
      address === undefined
        ? { address: endpoint.remoteAddress as Address, nic: endpoint.remoteNic }
        : readAddress(state, address)
    if (scoped === null) throw errnoError('EINVAL', 'getPathMTU')
    const mtu = endpoint.pathMtu(scoped.address, scoped.nic)
    if (mtu === 0) throw errnoError('ENETUNREACH', 'getPathMTU')
    return mtu
  }

  sendBatch(items: readonly BatchItem[], callback?: (error: Error | null, sent: number) => void): void {
    const send: BatchSend = (state, { bytes, toPeer, port, address, options }, done) =>
      sendOfBatch(new SocketDatagram(state, bytes, port, address, options, done), toPeer)
    const connected = running(this).connectState === ConnectState.Connected
    const check = (item: BatchItem): CheckedItem => {
      const { msg, port, address } = item
      if (connected && (port || address)) throw isConnected()
      if (address !== undefined && address !== null) checkString(address, 'address')
      return {
        bytes: checkMessage(msg),
        toPeer: connected,
        port: connected ? 0 : checkPort(port),
        address,
        options: sendOptions(this[kState], item),
      }
    }
    sendBatch(this[kState], checkItems(items, check), send, callback, (error) => reportError(this[kState], error))
  }

  setOption<Name extends OptionName>(name: Name, value: SocketOptionValues[Name]): this {
    setOption(running(this), name, value)
    return this
  }

  getOption<Name extends OptionName>(name: Name): SocketOptionValues[Name] {
    return getOption(running(this), name)
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
export function initialise(socket: UdpSocket, shared: Shared, type: unknown, listener: unknown): void {
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
  if (state.closed) throw notRunning()
  return state
}

/** The inbox of a socket whose endpoint exists. @throws {Error} EBADF */
function opened(socket: UdpSocket, syscall: string): { readonly endpoint: Endpoint } {
  const { inbox } = running(socket)
  if (inbox === null) throw errnoError('EBADF', syscall)
  return inbox
}

function addressInfo(state: SocketState, address: Address, port: number, nic: number): AddressInfo {
  const { w0, w1, w2, w3 } = address
  const texts = state.family === 4 ? state.shared.texts4 : state.shared.texts6
  return { address: texts.text(w0, w1, w2, w3, nic), family: state.family === 4 ? 'IPv4' : 'IPv6', port }
}

// ── connect ──

function connectNow(
  socket: UdpSocket,
  port: number,
  host: string,
  callback: ((error?: Error) => void) | undefined,
): void {
  const state = socket[kState]
  if (callback) socket.once('connect', callback)
  state.lookup(host, (error, ip) => {
    if (state.closed) return
    const failure = error ?? connectTo(state, ip, host, port)
    if (failure === null) {
      state.connectState = ConnectState.Connected
      process.nextTick(() => socket.emit('connect'))
      return
    }
    state.connectState = ConnectState.Disconnected
    process.nextTick(() => {
      if (callback) {
        socket.removeListener('connect', callback)
        callback(failure)
      } else if (!state.closed) socket.emit('error', failure)
    })
  })
}

function connectTo(state: SocketState, ip: string, host: string, port: number): Error | null {
  if (isBlocked(state.sendBlockList, ip)) return ipBlocked(ip)
  const scoped = readAddress(state, String(ip))
  const errno = scoped === null ? 'EINVAL' : state.open().connect(scoped.address, port, scoped.nic)
  return errno === '' ? null : addressError(errno, 'connect', host, port)
}

// ── send ──

function isSettings(value: unknown): value is SendSettings {
  return typeof value === 'object' && value !== null
}

/**
 * @throws {TypeError} ERR_INVALID_ARG_TYPE @throws {RangeError} ERR_OUT_OF_RANGE @throws {Error}
 * EINVAL, ENODEV
 */
function sendOptions(state: SocketState, settings: SendSettings): SendOptions | null {
  const { ttl, tos, source, interface: nicName, dontFragment } = settings
  const options: SendOptions = {}
  if (ttl !== undefined) {
    checkInteger(ttl, 'ttl', 0, 255)
    options.hopLimit = ttl
  }
  if (tos !== undefined) {
    checkInteger(tos, 'tos', 0, 255)
    options.tos = tos
  }
  if (source !== undefined) {
    checkString(source, 'source')
    const scoped = readAddress(state, source)
    if (scoped === null) throw errnoError('EINVAL', 'send')
    options.source = scoped.address
    if (scoped.nic !== 0) options.nic = scoped.nic
  }
  if (nicName !== undefined) {
    checkString(nicName, 'interface')
    const nic = state.shared.stack.nic(nicName)
    if (nic === undefined) throw errnoError('ENODEV', 'send')
    options.nic = nic.index
  }
  if (dontFragment !== undefined) options.pmtuMode = pmtuMode(dontFragment, 'dontFragment')
  return Object.keys(options).length === 0 ? null : options
}

/** Puts a literal address, whose lookup nobody could see, into a datagram. */
function isLiteral(datagram: SocketDatagram): boolean {
  const { state, host } = datagram
  const scoped = state.skipsLookup ? readAddress(state, host || (state.family === 4 ? '127.0.0.1' : '::1')) : null
  if (scoped === null) return false
  datagram.to = scoped.address
  datagram.nic = scoped.nic
  return true
}

/** To the peer at once; elsewhere in the next tick, or when the name was found. */
function sendSoon(datagram: SocketDatagram, toPeer: boolean): void {
  const { state, callback } = datagram
  if (toPeer) state.backlog.send(datagram)
  else if (isLiteral(datagram)) state.shared.sendTicks.next(() => sendFound(datagram), callback !== undefined)
  else sendByName(datagram)
}

/** @returns `null` when it has to wait, for its address or for room; its callback comes then */
function sendOfBatch(datagram: SocketDatagram, toPeer: boolean): Errno | null {
  const { state } = datagram
  if (!toPeer && !isLiteral(datagram)) {
    sendByName(datagram)
    return null
  }
  const errno = state.backlog.count > 0 ? 'ENOBUFS' : datagram.attempt()
  if (errno === '') state.shared.flushSoon()
  if (errno !== 'ENOBUFS') return errno
  state.backlog.send(datagram)
  return null
}

function sendByName(datagram: SocketDatagram): void {
  const { state, callback } = datagram
  state.lookup(datagram.host, (error, ip) => {
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
    const scoped = readAddress(state, String(ip))
    if (scoped === null) {
      datagram.done('EINVAL')
      return
    }
    datagram.to = scoped.address
    datagram.nic = scoped.nic
    sendFound(datagram)
  })
}

/**
 * As Node: what the socket has become since `send` counts, and nothing is said of what a closed one
 * does not send.
 */
function sendFound(datagram: SocketDatagram): void {
  const { state } = datagram
  if (state.closed) return
  if (state.connectState === ConnectState.Connected) datagram.done('EISCONN')
  else state.backlog.send(datagram)
}

function emitClose(socket: UdpSocket): void {
  socket.emit('close')
}

// ── groups ──

/**
 * A group operation's endpoint, bound to a random port if it was not: as in Node, without
 * 'listening'.
 */
function groupEndpoint(state: SocketState, syscall: string): Endpoint {
  const endpoint = state.open()
  if (endpoint.isBound) return endpoint
  endpoint.reuseAddress = true
  endpoint.ipv6Only = state.ipv6Only
  const errno = endpoint.bind(state.family === 4 ? Address.ANY4 : Address.ANY6, 0)
  if (errno !== '') throw errnoError(errno, syscall)
  return endpoint
}

/**
 * The nic that a group operation names: by address for IPv4 groups, by zone for IPv6 ones. An errno
 * when it cannot be.
 */
function groupInterface(state: SocketState, group: string, given: unknown): number | Errno | 'ENOPROTOOPT' {
  const four = !group.includes(':')
  const text = given === undefined || given === null ? (four ? '0.0.0.0' : '::') : String(given)
  const scoped = text.includes(':') === four ? null : state.shared.parse(text)
  if (scoped === null) return 'EINVAL'
  if (!four && state.family === 4) return 'ENOPROTOOPT'
  // A mapped group is none of IPv6.
  if (!four && state.shared.parse(group)?.address.family === 4) return 'EINVAL'
  return four ? (interfaceWithAddress(state.shared, scoped.address) ?? 'ENODEV') : scoped.nic
}

function throwIfFailed(errno: Errno | 'ENOPROTOOPT', syscall: string): void {
  if (errno !== '') throw errnoError(errno, syscall)
}

function changeMembership(
  socket: UdpSocket,
  syscall: 'addMembership' | 'dropMembership',
  group: unknown,
  given: unknown,
): void {
  const state = running(socket)
  if (!group) throw missingArgument('multicastAddress')
  const text = String(group)
  const scoped = state.shared.parse(text)
  if (scoped === null) throw errnoError('EINVAL', syscall)
  const endpoint = groupEndpoint(state, syscall)
  const nic = groupInterface(state, text, given)
  if (syscall === 'addMembership')
    throwIfFailed(typeof nic === 'string' ? nic : endpoint.join(scoped.address, nic), syscall)
  // Linux: a group was not joined on an interface that does not exist.
  else
    throwIfFailed(
      nic === 'ENODEV' ? 'EADDRNOTAVAIL' : typeof nic === 'string' ? nic : endpoint.leave(scoped.address, nic),
      syscall,
    )
}

function changeSource(
  socket: UdpSocket,
  syscall: 'addSourceSpecificMembership' | 'dropSourceSpecificMembership',
  source: unknown,
  group: unknown,
  given: unknown,
): void {
  const state = running(socket)
  checkString(source, 'sourceAddress')
  checkString(group, 'groupAddress')
  const from = state.shared.parse(source)
  const to = state.shared.parse(group)
  if (from === null || to === null || source.includes(':') !== group.includes(':')) throw errnoError('EINVAL', syscall)
  const endpoint = groupEndpoint(state, syscall)
  const nic = groupInterface(state, group, given)
  const errno =
    typeof nic === 'string'
      ? nic
      : syscall === 'addSourceSpecificMembership'
        ? endpoint.joinSource(to.address, from.address, nic)
        : endpoint.leaveSource(to.address, from.address, nic)
  if (errno !== '') throw errnoError(errno, syscall)
}
