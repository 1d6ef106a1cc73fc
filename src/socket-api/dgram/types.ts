/**
 * What programs see of the socket API: node:dgram's forms, and our additions. No types of
 * node:dgram are used but where they have to be, so that these stand with the types of any Node
 * from 20 on.
 *
 * The file is longer than others, because it is the reference of the socket: each member of one
 * interface with its units, defaults, errors and source.
 */
import type { Buffer } from 'node:buffer'
import type { LookupOneOptions } from 'node:dns'
import type { EventEmitter } from 'node:events'
import type { AddressInfo, BlockList } from 'node:net'
import type { IcmpInfo, MessageInfo } from './message-info.ts'
import type { DontFragment, OptionName, SocketOptionValues } from './option-values.ts'

export type SocketType = 'udp4' | 'udp6'

/**
 * One of the views that bytes are seen through: a typed array, `Buffer` among them, or a
 * `DataView`.
 */
export type Bytes = NodeJS.ArrayBufferView

/** A datagram: text (as UTF-8), bytes, or a list of pieces that become one datagram. */
export type Payload = string | Bytes | readonly (string | Bytes)[]

/**
 * `error` is `null` for what was sent; `bytes` are those of the payload, and are missing with an
 * error.
 */
export type SendCallback = (error: Error | null, bytes: number) => void

/** Called with the failure, or with `null` and a literal address; `family` is not used. */
export type LookupCallback = (error: NodeJS.ErrnoException | null, address: string, family?: number) => void

/**
 * Finds the address of a host, as `dns.lookup` does. `family` is the number 4 or 6, as Node hands
 * it over; node:dgram's own types call it the options, so functions written for those are taken
 * too.
 */
export type Lookup = (hostname: string, family: (4 | 6) & LookupOneOptions, callback: LookupCallback) => void

/** What `createSocket` takes: the options of Node 22.18, on every Node. */
export interface SocketOptions {
  /** IPv4 or IPv6; a `udp6` socket speaks IPv4 too unless it is `ipv6Only`. */
  type: SocketType
  /**
   * Others may be bound to the same address, each getting every multicast and broadcast datagram.
   * Default false. Linux: SO_REUSEADDR.
   */
  reuseAddr?: boolean | undefined
  /**
   * Others may be bound to the same port, the datagrams being spread over them by flow. Default
   * false. Linux: SO_REUSEPORT.
   */
  reusePort?: boolean | undefined
  /** A udp6 socket does not speak IPv4. Default false. Linux: IPV6_V6ONLY. */
  ipv6Only?: boolean | undefined
  /**
   * Bytes, 0 to 2³² − 1; set at bind, doubled, and an error of `bind` from 2³¹ on. Default 0: left
   * at 212 992. Linux: SO_RCVBUF.
   */
  recvBufferSize?: number | undefined
  /** Bytes, as `recvBufferSize`. Linux: SO_SNDBUF. */
  sendBufferSize?: number | undefined
  /** Default: the names in `stack.hosts`, then `dns.lookup`. */
  lookup?: Lookup | undefined
  /** Closes the socket when it aborts. */
  signal?: AbortSignal | undefined
  /** Senders to be discarded, counted as `UdpBlocked`. */
  receiveBlockList?: BlockList | undefined
  /** Destinations that are refused with `ERR_IP_BLOCKED`. */
  sendBlockList?: BlockList | undefined
}

/** Where `bind` binds to. */
export interface BindOptions {
  /** 0 to 65535. With 0, `null` or none, a free port is chosen. */
  port?: number | null | undefined
  /** An address of the stack, or a name of one. Default: all (`0.0.0.0`, `::`). */
  address?: string | null | undefined
  /** Accepted, and nothing changes: there is no cluster to share with. */
  exclusive?: boolean | undefined
  /** A descriptor of the same stack: `socket.fd`. Goes before `port` and `address`. */
  fd?: number | undefined
}

/** Where `bindSync` binds to. */
export interface BindSyncOptions {
  /** 0 to 65535. Default 0: a free one. */
  port?: number | null | undefined
  /** A literal address. Default: all (`0.0.0.0`, `::`). */
  address?: string | null | undefined
}

/** How one datagram goes; what is left out is the socket's own. */
export interface SendDetails {
  /** TTL or hop limit, 0 to 255. Linux: a control message IP_TTL, IPV6_HOPLIMIT. */
  ttl?: number | undefined
  /** TOS or Traffic Class, 0 to 255. Linux: IP_TOS, IPV6_TCLASS. */
  tos?: number | undefined
  /** An address of the stack to send from; EINVAL for any other. Linux: IP_PKTINFO. */
  source?: string | undefined
  /**
   * Name of the interface to leave by; ENODEV when there is none. Linux: IP_PKTINFO, IPV6_PKTINFO.
   */
  interface?: string | undefined
  /** Linux has this only for the socket: IP_MTU_DISCOVER. */
  dontFragment?: DontFragment | undefined
}

/**
 * Where and how one datagram goes. On a connected socket `port` and `address` must be left out, on
 * others `port` must not.
 */
export interface SendSettings extends SendDetails {
  /** 1 to 65535. */
  port?: number | undefined
  /** An address or a name. Default: 127.0.0.1 or ::1. */
  address?: string | undefined
}

/** One datagram of `sendBatch`. */
export interface BatchItem extends SendSettings {
  msg: Payload
}

/** Events and what their listeners are given. */
export interface SocketEvents {
  /** After `close`; nothing else comes any more. */
  close: []
  /** The socket is connected. */
  connect: []
  /**
   * Binding or connecting failed, the peer's port is closed (ECONNREFUSED), or a send without
   * callback failed.
   */
  error: [error: Error]
  /** The socket is bound, and hears datagrams. */
  listening: []
  /** A datagram. `msg` is the program's own. */
  message: [msg: Buffer<ArrayBuffer>, rinfo: MessageInfo]
  /** An ICMP error about a datagram of this socket. Beyond Node. */
  icmp: [error: IcmpInfo]
}

/** A datagram and where it came from, as the socket's iterator gives it. */
export interface Message {
  msg: Buffer<ArrayBuffer>
  rinfo: MessageInfo
}

/** Adds a listener; the socket is returned. */
export interface Listen<This> {
  <Name extends keyof SocketEvents>(event: Name, listener: (...args: SocketEvents[Name]) => void): This
  // biome-ignore lint/suspicious/noExplicitAny: as EventEmitter has it
  (event: string | symbol, listener: (...args: any[]) => void): This
}

/**
 * A UDP socket: node:dgram's, over a stack. Made by `stack.dgram.createSocket`. Errors, their codes
 * and the order and time of events are Node's; `docs/node-dgram.md` lists what differs, and what is
 * beyond Node.
 *
 * Every method but `ref`, `unref` and the queries named there throws ERR_SOCKET_DGRAM_NOT_RUNNING
 * after `close`.
 */
export interface Socket extends EventEmitter {
  readonly type: SocketType
  on: Listen<this>
  once: Listen<this>
  addListener: Listen<this>
  prependListener: Listen<this>
  prependOnceListener: Listen<this>

  // ── address and end ──

  /**
   * Binds to a port of an address, and listens for datagrams; `callback` is a listener for
   * 'listening', once. What fails is an 'error' event: EADDRINUSE, EADDRNOTAVAIL, EINVAL (an
   * address of the other family), or the lookup's error.
   *
   * @param port 0 to 65535. Default 0: a free one
   * @param address an address of the stack or a name of one. Default: all (`0.0.0.0`, `::`)
   * @throws {Error} ERR_SOCKET_ALREADY_BOUND; {TypeError} ERR_INVALID_FD_TYPE for an `fd` that is
   *   none of this stack's sockets
   */
  bind(port?: number | null, address?: string | null, callback?: () => void): this
  bind(port: number, callback: () => void): this
  bind(callback: () => void): this
  bind(options: BindOptions, callback?: () => void): this

  /**
   * Binds at once, without a lookup, and returns the address. 'listening' is emitted in the next
   * tick.
   *
   * @throws {Error} `bind EADDRINUSE …`, EADDRNOTAVAIL, EINVAL; ERR_SOCKET_ALREADY_BOUND
   * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (an address that is not
   *   literal); {RangeError} ERR_SOCKET_BAD_PORT
   */
  bindSync(options?: BindSyncOptions): AddressInfo

  /**
   * Connects to a peer: sends without port and address go there, and only its datagrams are heard.
   * A socket that is not bound is bound to a free port. `callback` is a listener for 'connect',
   * once, and is given the error when there is one; without it an error is an 'error' event.
   *
   * @param port 1 to 65535
   * @param address an address or a name. Default: 127.0.0.1 or ::1
   * @throws {RangeError} ERR_SOCKET_BAD_PORT; {TypeError} ERR_INVALID_ARG_TYPE; {Error}
   *   ERR_SOCKET_DGRAM_IS_CONNECTED
   */
  connect(port: number, address?: string, callback?: (error?: Error) => void): void
  connect(port: number, callback: (error?: Error) => void): void

  /**
   * Connects at once, without a lookup; 'connect' is emitted in the next tick.
   *
   * @param port 1 to 65535
   * @param address a literal address. Default: 127.0.0.1 or ::1
   * @throws {Error} `connect ENETUNREACH …`, EINVAL; ERR_SOCKET_DGRAM_IS_CONNECTED,
   *   ERR_SOCKET_ALREADY_BOUND (while it is being bound), ERR_IP_BLOCKED
   * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; {RangeError}
   *   ERR_SOCKET_BAD_PORT
   */
  connectSync(port: number, address?: string | null): void

  /** Ends the connection; the port stays. @throws {Error} ERR_SOCKET_DGRAM_NOT_CONNECTED */
  disconnect(): void

  /**
   * Closes the socket; `callback` is a listener for 'close'. @throws {Error}
   * ERR_SOCKET_DGRAM_NOT_RUNNING when it is closed
   */
  close(callback?: () => void): this

  /** Closes the socket unless it is closed, and waits for 'close'. */
  [Symbol.asyncDispose](): Promise<void>

  /** The own address and port. @throws {Error} EBADF before the socket is bound */
  address(): AddressInfo

  /** The peer's address and port. @throws {Error} ERR_SOCKET_DGRAM_NOT_CONNECTED */
  remoteAddress(): AddressInfo

  /** A bound socket keeps the process alive: the default. */
  ref(): this

  /** The socket does not keep the process alive. */
  unref(): this

  // ── sending ──

  /**
   * Sends a datagram; a socket that is not bound is bound to a free port. On a connected socket
   * port and address are left out.
   *
   * `callback` hears when the datagram is with the link, or why it is not: EMSGSIZE, ENETUNREACH,
   * EHOSTUNREACH, EACCES (a broadcast address without `setBroadcast`), EINVAL, ENOBUFS, the
   * lookup's error, ERR_IP_BLOCKED. Without a callback it is an 'error' event for who listens to
   * that, and nothing otherwise.
   *
   * @param msg the payload: at most 65 507 bytes over IPv4, 65 527 over IPv6. Bytes must stay as
   *   they are until the callback
   * @param port 1 to 65535
   * @param address an address or a name. Default: 127.0.0.1 or ::1
   * @throws {TypeError} ERR_INVALID_ARG_TYPE; {RangeError} ERR_SOCKET_BAD_PORT,
   *   ERR_BUFFER_OUT_OF_BOUNDS
   * @throws {Error} ERR_SOCKET_DGRAM_IS_CONNECTED (port or address on a connected socket)
   */
  send(msg: Payload, port?: number, address?: string | null, callback?: SendCallback): void
  send(msg: Payload, port: number, callback: SendCallback): void
  send(msg: Payload, callback?: SendCallback): void
  /** Sends `length` bytes of `msg` from `offset` on; not of a list. */
  send(
    msg: string | Bytes,
    offset: number,
    length: number,
    port?: number,
    address?: string | null,
    callback?: SendCallback,
  ): void
  send(msg: string | Bytes, offset: number, length: number, port: number, callback: SendCallback): void
  send(msg: string | Bytes, offset: number, length: number, callback: SendCallback): void
  /**
   * Sends with settings of this datagram's own. Beyond Node. @throws {RangeError} ERR_OUT_OF_RANGE;
   * {Error} EINVAL (source), ENODEV (interface)
   */
  send(msg: Payload, settings: SendSettings, callback?: SendCallback): void

  /**
   * Sends datagrams in order, as Linux's sendmmsg: the first that fails ends the batch. Beyond
   * Node.
   *
   * `callback` is called once, whatever happens, with that failure or `null`, and the number of
   * datagrams that left. A socket that closes meanwhile is a failure: ERR_SOCKET_DGRAM_NOT_RUNNING.
   *
   * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_SOCKET_BAD_PORT and so on, before anything is
   *   sent; holes in the list too
   */
  sendBatch(items: readonly BatchItem[], callback?: (error: Error | null, sent: number) => void): void

  /**
   * Bytes of payload that were sent in this turn and are not with the link yet. @throws {Error}
   * ERR_SOCKET_DGRAM_NOT_RUNNING
   */
  getSendQueueSize(): number

  /**
   * Datagrams that were sent in this turn and are not with the link yet. @throws {Error}
   * ERR_SOCKET_DGRAM_NOT_RUNNING
   */
  getSendQueueCount(): number

  // ── groups ──

  /**
   * Joins a group; a socket that is not bound is bound to a free port.
   *
   * @param multicastAddress the group; for IPv6 `%` and an interface may follow
   * @param multicastInterface an IPv4 address of the interface, or `::%eth0` for IPv6. Default:
   *   what the route says
   * @throws {Error} EINVAL (no group), ENODEV (no such interface), EADDRINUSE (a member already);
   *   {TypeError} ERR_MISSING_ARGS
   */
  addMembership(multicastAddress: string, multicastInterface?: string): void

  /**
   * Leaves a group; closing does so too. Arguments as of `addMembership`. @throws {Error} EINVAL,
   * ENODEV, EADDRNOTAVAIL (no member)
   */
  dropMembership(multicastAddress: string, multicastInterface?: string): void

  /**
   * Joins a group for what one source sends to it. @throws {Error} EINVAL, ENODEV, EADDRNOTAVAIL;
   * {TypeError} ERR_INVALID_ARG_TYPE
   */
  addSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void

  /**
   * Leaves a group for one source. @throws {Error} EINVAL, ENODEV, EADDRNOTAVAIL; {TypeError}
   * ERR_INVALID_ARG_TYPE
   */
  dropSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void

  /**
   * The interface that multicast leaves by: an own IPv4 address, or `::%eth0` for IPv6; `0.0.0.0`
   * and `::` undo it. Linux: IP_MULTICAST_IF, IPV6_MULTICAST_IF.
   *
   * @throws {Error} EBADF (not bound), EINVAL, EADDRNOTAVAIL, ENOPROTOOPT (the other family);
   *   {TypeError} ERR_INVALID_ARG_TYPE
   */
  setMulticastInterface(multicastInterface: string): void

  /**
   * Whether multicast that is sent comes back to sockets of this host. Default true. Linux:
   * IP_MULTICAST_LOOP. @throws {Error} EBADF
   */
  setMulticastLoopback(flag: boolean): boolean

  /**
   * TTL or hop limit of multicast, 0 to 255. Default 1. Linux: IP_MULTICAST_TTL. @throws {Error}
   * EINVAL, EBADF; {TypeError} ERR_INVALID_ARG_TYPE
   */
  setMulticastTTL(ttl: number): number

  // ── options ──

  /**
   * Whether broadcast addresses may be sent to. Default false. Linux: SO_BROADCAST. @throws {Error}
   * EBADF before bind
   */
  setBroadcast(flag: boolean): void

  /**
   * TTL or hop limit, 1 to 255. Default 64, or the stack's. Linux: IP_TTL, IPV6_UNICAST_HOPS.
   * @throws {Error} EINVAL, EBADF; {TypeError} ERR_INVALID_ARG_TYPE
   */
  setTTL(ttl: number): number

  /**
   * Bytes, of which the double is set, 425 984 at most. Linux: SO_RCVBUF. @throws {Error}
   * ERR_SOCKET_BUFFER_SIZE; {TypeError} ERR_SOCKET_BAD_BUFFER_SIZE
   */
  setRecvBufferSize(size: number): void

  /**
   * Bytes, as `setRecvBufferSize`. Linux: SO_SNDBUF. @throws {Error} ERR_SOCKET_BUFFER_SIZE;
   * {TypeError} ERR_SOCKET_BAD_BUFFER_SIZE
   */
  setSendBufferSize(size: number): void

  /** Bytes. Default 212 992. @throws {Error} ERR_SOCKET_BUFFER_SIZE before bind */
  getRecvBufferSize(): number

  /** Bytes. Default 212 992. @throws {Error} ERR_SOCKET_BUFFER_SIZE before bind */
  getSendBufferSize(): number

  /**
   * Sets an option by name; may be called before `bind`. Beyond Node. The names, with defaults and
   * Linux's equivalents, are those of {@link SocketOptionValues}.
   *
   * @throws {TypeError} ERR_INVALID_ARG_VALUE (an unknown name or word), ERR_INVALID_ARG_TYPE;
   *   {RangeError} ERR_OUT_OF_RANGE
   * @throws {Error} ENODEV (no such interface), EINVAL (an option of `bind` afterwards)
   */
  setOption<Name extends OptionName>(name: Name, value: SocketOptionValues[Name]): this

  /**
   * An option by name. Beyond Node. @throws {TypeError} ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE
   */
  getOption<Name extends OptionName>(name: Name): SocketOptionValues[Name]

  /**
   * The TOS or Traffic Class byte of what is sent, 0 to 255. Default 0. Beyond Node. Linux: IP_TOS,
   * IPV6_TCLASS. @throws {RangeError} ERR_OUT_OF_RANGE
   */
  setTOS(tos: number): this
  /** The TOS or Traffic Class byte. */
  getTOS(): number

  /**
   * The upper six bits of TOS (RFC 2474), 0 to 63; ECN stays. Default 0. Beyond Node. @throws
   * {RangeError} ERR_OUT_OF_RANGE
   */
  setDSCP(dscp: number): this
  /** The upper six bits of TOS. */
  getDSCP(): number

  /**
   * The lower two bits of TOS (RFC 3168), 0 to 3; DSCP stays. Default 0. Beyond Node. @throws
   * {RangeError} ERR_OUT_OF_RANGE
   */
  setECN(ecn: number): this
  /** The lower two bits of TOS. */
  getECN(): number

  /**
   * How datagrams longer than the path MTU are sent. Beyond Node: `off` fragments and leaves DF
   * clear, `want` (the default) sets DF and fragments here to the path MTU, `do` never fragments
   * (EMSGSIZE), `probe` as `do` but without regard of the path MTU. Linux: IP_MTU_DISCOVER,
   * IPV6_MTU_DISCOVER.
   *
   * @throws {TypeError} ERR_INVALID_ARG_VALUE
   */
  setDontFragment(mode: DontFragment): this
  /** What `setDontFragment` has set. */
  getDontFragment(): DontFragment

  /**
   * Whether `rinfo` also has `ttl`, `tos`, `ecn`, `local`, `interface`, `fragments` and
   * `timestamp`. Default false. Beyond Node.
   */
  setRecvInfo(flag: boolean): this

  /**
   * The known MTU of the path to an address, or to the peer, in bytes of IP packet. Beyond Node.
   * Linux: IP_MTU.
   * @throws {Error} ENETUNREACH without a route, EINVAL for what is no address of the socket's
   *   family, ERR_SOCKET_DGRAM_NOT_CONNECTED
   */
  getPathMTU(address?: string): number

  /**
   * The socket's number in the table of its stack, which `bind({ fd })` of another socket of the
   * stack takes; -1 before there is one and after close. No descriptor of the process. Beyond Node.
   */
  readonly fd: number

  /**
   * What Node's undocumented `_handle` tells, until Node 25: `null` after close, and a descriptor.
   */
  readonly _handle?: { readonly fd: number } | null

  /**
   * `for await (const { msg, rinfo } of socket)`: datagrams one by one, ended by close and by
   * 'error'. Beyond Node. What is not taken yet waits in the receive buffer, and what no longer
   * fits there is lost, as with a program that does not read; there are no 'message' events
   * meanwhile.
   * @throws {Error} when another iterator reads
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message>
}
