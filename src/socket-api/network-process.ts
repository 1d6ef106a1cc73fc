/**
 * Emacs's network processes for datagrams: `make-network-process` and its family, in camelCase,
 * over a tungram stack.
 *
 * What they do follows the Emacs Lisp manual (Network Processes, Datagrams, Network Options) and
 * Emacs on Linux; `docs/network-process.md` lists every function and the places where JavaScript
 * makes a difference.
 */
import { Buffer } from 'node:buffer'
import { inspect } from 'node:util'
import { Address, parseScoped } from '../base/address.ts'
import { MAX_PACKET, type Packet } from '../base/packet.ts'
import { KeepAlive } from '../link/keep-alive.ts'
import type { Stack } from '../stack.ts'
import type { Endpoint, EndpointReceiver } from '../udp/endpoint.ts'
import type { Errno } from '../udp/errno.ts'
import { messageOf } from './delivery/message-memory.ts'
import { MESSAGES_A_TURN } from './delivery/turns.ts'
import { addressError, errnoError } from './dgram/errors.ts'
import {
  type AddressLike,
  isPort,
  type NetworkAddress,
  type Peer,
  readAddress,
  zoneIndex,
} from './emacs/network-address.ts'
import { defaultStack } from './process/default-stack.ts'
import { Backlog } from './sending/backlog.ts'

export {
  type InterfaceAddress,
  type InterfaceInfo,
  networkInterfaceInfo,
  networkInterfaceList,
} from './dgram/interfaces.ts'
export { type AddressLike, formatNetworkAddress, type NetworkAddress } from './emacs/network-address.ts'

/** Called once per datagram; the process's peer is its sender by then. */
export type Filter<Data> = (process: NetworkProcess, data: Data) => void

/** Called with what happened to the process, a line of text with its newline: `deleted\n`. */
export type Sentinel = (process: NetworkProcess, event: string) => void

/** `open`, `stop` (stopped: incoming datagrams wait) or `closed` (deleted). */
export type ProcessStatus = 'open' | 'stop' | 'closed'

/**
 * The options that Emacs hands to setsockopt. Of the booleans, `null`, `undefined` and `false` are
 * off.
 */
export interface NetworkOptions {
  /**
   * Send and receive by this nic only; `null`, `false` or `''` for any. Default `null`. Linux:
   * SO_BINDTODEVICE.
   */
  bindtodevice?: string | false | null
  /** Sending to broadcast addresses is allowed. Default `false`. Linux: SO_BROADCAST. */
  broadcast?: boolean | null
  /**
   * Only destinations on a network of this host's own are reached; others are ENETUNREACH. Default
   * `false`. Linux: SO_DONTROUTE.
   */
  dontroute?: boolean | null
  /** No effect on datagrams. Default `false`. */
  keepalive?: boolean | null
  /** No effect on datagrams; seconds, or whether to wait. Default `null`. */
  linger?: boolean | number | null
  /** No effect on datagrams. Default `false`. */
  oobinline?: boolean | null
  /**
   * TOS or Traffic Class byte of what is sent, 0 to 255; links with priority bands queue by it.
   * Default 0.
   */
  priority?: number | false | null
  /**
   * Others that set it too may have the same address and port. Only at creation. Default: `true`
   * for servers. Linux: SO_REUSEADDR.
   */
  reuseaddr?: boolean | null
}

export interface NetworkProcessOptions<Data> extends NetworkOptions {
  /** Default: the process's own stack, see `tungram/register`. */
  stack?: Stack
  /** A second process of this name on one stack is called `name<1>`. */
  name: string
  type: 'datagram'
  /** Default: that of the host. */
  family?: 'ipv4' | 'ipv6' | null
  /**
   * An address, `local` (this host's loopback), `localhost`, or a name in `stack.hosts`. Default
   * `local`.
   */
  host?: string | null
  /** A port; `true` for a random one (servers). */
  service?: number | string | true | null
  /**
   * A server's own address; goes before `family`, `host` and `service`. A client may have one too.
   */
  local?: AddressLike | null
  /** The first peer; of a client it goes before `family`, `host` and `service`. */
  remote?: AddressLike | null
  /**
   * A server is bound to its address from the start; a client gets a random port with its first
   * datagram. A number is as good as `true`.
   */
  server?: boolean | number | null
  /** Without one, datagrams are received and forgotten, and still set the peer. */
  filter?: Filter<Data> | null
  sentinel?: Sentinel | null
  /**
   * How strings are bytes: an encoding of Node's, or `buffer` for a filter that takes a Buffer.
   * `binary` is a character per byte. Default `utf-8`.
   */
  coding?: BufferEncoding | 'buffer'
  /** Starts in status `stop`. */
  stop?: boolean | null
  /** The program's own properties. */
  plist?: Record<string, unknown> | null
}

interface Waiting {
  readonly data: Buffer
  readonly from: Peer
}

/**
 * Made by {@link makeNetworkProcess}. `filter`, `sentinel` and `plist` may be replaced at any time.
 */
export class NetworkProcess implements EndpointReceiver {
  readonly name: string
  readonly stack: Stack
  readonly endpoint: Endpoint
  filter: Filter<string & Buffer> | null
  sentinel: Sentinel | null
  plist: Record<string, unknown>
  /** @internal */
  readonly coding: BufferEncoding | 'buffer'
  /** @internal The options as given and set since. */
  readonly contact: Record<string, unknown>
  /** @internal */
  peer: Peer | null = null
  /** @internal Who sent last. */
  sender: Peer | null = null
  /** @internal Whether the program was told that a sender has no port. */
  warned = false
  /** @internal */
  stopped: boolean
  /** @internal What waits for room in its link. */
  readonly backlog: Backlog
  readonly #keepAlive = new KeepAlive()
  #waiting: Waiting[] = []
  /** The filter has had its share of this turn. */
  #resuming = false
  readonly #resume = () => {
    this.#resuming = false
    this.flush()
  }

  /** Use {@link makeNetworkProcess}. */
  constructor(stack: Stack, name: string, family: 4 | 6, options: NetworkProcessOptions<string & Buffer>) {
    this.stack = stack
    this.name = name
    this.endpoint = stack.udp.createEndpoint(family, this)
    this.filter = options.filter ?? null
    this.sentinel = options.sentinel ?? null
    this.plist = { ...options.plist }
    this.coding = options.coding ?? 'utf-8'
    this.stopped = isOn(options.stop)
    this.contact = {}
    this.backlog = new Backlog(stack)
  }

  receive(packet: Packet, sourcePort: number): void {
    const address = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
    const nic = address.family === 6 && address.isLinkLocal ? packet.nic : 0
    const data = messageOf(packet)
    this.#waiting.push({ data, from: { address, port: sourcePort, nic } })
  }

  flush(): void {
    for (let count = 0; !this.stopped && !this.#resuming; count++) {
      if (count === MESSAGES_A_TURN && this.#waiting.length > 0) {
        this.#resuming = true
        this.stack.clock.soon(this.#resume)
        return
      }
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.endpoint.release(next.data.length)
      this.sender = this.peer = next.from
      const data = this.coding === 'buffer' ? next.data : next.data.toString(this.coding)
      try {
        this.filter?.(this, data as string & Buffer)
      } catch (error) {
        // As an uncaught exception: the datagrams behind this one are other calls.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  /** An unconnected socket does not hear of ICMP errors. */
  icmp(): void {}

  /** @internal An open process that can receive keeps the program alive. */
  stayAlive(): void {
    if (this.endpoint.isBound) this.#keepAlive.on()
  }

  /** @internal */
  close(): void {
    this.#waiting = []
    this.backlog.cancel()
    this.#keepAlive.off()
    this.endpoint.close()
  }
}

/** Names in use on each stack. */
const namesOf = new WeakMap<Stack, Set<string>>()

const KEYWORDS = new Set(
  'stack name type family host service local remote server filter sentinel coding stop plist reuseaddr'.split(' '),
)

interface Option {
  readonly initial: unknown
  /** Checks the value and makes it effective. Returns what is reported from now on. */
  apply(process: NetworkProcess, value: unknown): unknown
}

const OPTIONS: Record<string, Option> = {
  bindtodevice: {
    initial: null,
    apply({ stack, endpoint, name }, value) {
      if (!isOn(value) || value === '') {
        endpoint.boundNic = 0
        return null
      }
      if (typeof value !== 'string')
        throw badValue('bindtodevice', value, 'the name of a network interface, or null or false')
      const nic = stack.nic(value)
      if (nic === undefined) {
        const error = errnoError('ENODEV', 'setsockopt')
        error.message += `: there is no interface '${value}' to bind process ${name} to, but ${stack.nics.map((each) => each.name).join(', ')}.`
        throw error
      }
      endpoint.boundNic = nic.index
      return value
    },
  },
  broadcast: {
    initial: false,
    apply({ endpoint }, value) {
      endpoint.broadcast = isOn(value)
      return endpoint.broadcast
    },
  },
  dontroute: {
    initial: false,
    apply({ endpoint }, value) {
      // The route of the last datagram was found under the old setting.
      endpoint.routeTo = null
      endpoint.dontRoute = isOn(value)
      return endpoint.dontRoute
    },
  },
  keepalive: { initial: false, apply: (_process, value) => isOn(value) },
  linger: {
    initial: null,
    apply(_process, value) {
      if (typeof value === 'number' && !(Number.isInteger(value) && value >= 0))
        throw badValue('linger', value, 'whole seconds, a boolean or null')
      return typeof value === 'number' ? value : isOn(value) ? true : null
    },
  },
  oobinline: { initial: false, apply: (_process, value) => isOn(value) },
  priority: {
    initial: 0,
    apply({ endpoint }, given) {
      const value = isOn(given) ? given : 0
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 255)
        throw badValue('priority', value, 'a TOS or Traffic Class byte, 0 to 255')
      endpoint.tos = value as number
      return value
    },
  },
}

/**
 * Makes a datagram process: a server bound to `local` or to `host` and `service`, or a client whose
 * peer is `remote` or `host` and `service`.
 * @throws {TypeError} for an unknown keyword or a malformed value
 * @throws {Error} with `code`: EADDRINUSE, EADDRNOTAVAIL, EACCES (bind), ENODEV (bindtodevice),
 *   ENOTFOUND (host)
 */
export function makeNetworkProcess(options: NetworkProcessOptions<Buffer> & { coding: 'buffer' }): NetworkProcess
export function makeNetworkProcess(options: NetworkProcessOptions<string> & { coding?: BufferEncoding }): NetworkProcess
export function makeNetworkProcess(options: NetworkProcessOptions<string & Buffer>): NetworkProcess {
  checkKeywords(options)
  const stack = options.stack ?? defaultStack()
  const isServer = isOn(options.server)
  const own = addressOption(stack, 'local', options.local)
  const peer = addressOption(stack, 'remote', options.remote)
  const local = isServer ? (own ?? hostAndService(stack, options)) : own
  const remote = isServer ? peer : (peer ?? hostAndService(stack, options))
  const [main, other] = (isServer ? [local, remote] : [remote, local]) as [Peer, Peer | null]
  const { family } = main.address
  if (family === 4 && other?.address.family === 6)
    throw new TypeError(`The addresses ${main.address} and ${other.address} are of different families.`)

  const process = new NetworkProcess(stack, freeName(stack, options.name), family, options)
  process.peer = remote
  const { endpoint, contact } = process
  const { stack: _stack, ...given } = options
  Object.assign(contact, given)
  endpoint.reuseAddress = contact.reuseaddr = options.reuseaddr === undefined ? isServer : isOn(options.reuseaddr)
  for (const [name, option] of Object.entries(OPTIONS)) {
    const value = contact[name]
    contact[name] = value === undefined ? option.initial : option.apply(process, value)
  }
  if (local !== null) {
    const error = endpoint.bind(local.address, local.port, local.nic)
    if (error !== '') throw addressError(error, 'bind', local.address.toString(), local.port)
    if (options.service === true) contact.service = endpoint.localPort
  }
  names(stack).add(process.name)
  process.stayAlive()
  return process
}

/**
 * Sends one datagram to the peer. Strings are encoded as the process's `coding` says.
 * @throws {Error} with `code`: EDESTADDRREQ (no peer), EMSGSIZE, ENETUNREACH, EHOSTUNREACH, EACCES
 *   (a broadcast address without `broadcast`), EBADF (deleted). One for which the link has no room
 *   waits for it.
 * @throws {TypeError} for other data
 *
 * A peer that sent from port 0 has no port to answer to (RFC 768): nothing is sent, and the first
 * time a warning says so. It is no error, for otherwise anybody could end a server that answers.
 */
export function processSend(process: NetworkProcess, data: string | Uint8Array): void {
  const { endpoint, coding, peer, name } = process
  if (endpoint.closed) throw notRunning(process)
  if (typeof data !== 'string' && !(data instanceof Uint8Array))
    throw badValue('data', data, 'a string or a Uint8Array')
  if (peer === null) {
    const error = errnoError('EDESTADDRREQ', 'send')
    error.message += `: process ${name} has no peer. It has one when a datagram has come, or setProcessDatagramAddress has set one.`
    throw error
  }
  if (peer.port === 0 && peer === process.sender) {
    warnOfPortZero(process, peer)
    return
  }
  const bytes = typeof data === 'string' ? Buffer.from(data, coding === 'buffer' ? 'utf-8' : coding) : data
  const error = process.backlog.count > 0 ? 'ENOBUFS' : transmit(endpoint, bytes, peer)
  if (error === 'ENOBUFS') {
    // The bytes are the caller's again.
    const copy = Uint8Array.from(bytes)
    process.backlog.send({ size: copy.length, attempt: () => transmit(endpoint, copy, peer), done: () => {} })
  } else if (error !== '') throw addressError(error, 'send', addressText(process, peer.address, peer.nic), peer.port)
  process.stayAlive()
}

function transmit(endpoint: Endpoint, bytes: Uint8Array, peer: Peer): Errno {
  if (bytes.length > MAX_PACKET) return 'EMSGSIZE'
  const packet = endpoint.beginSend(bytes.length)
  packet.bytes.set(bytes, packet.start)
  return endpoint.send(packet, peer.address, peer.port, peer.nic, null)
}

function warnOfPortZero(process: NetworkProcess, { address, nic }: Peer): void {
  if (process.warned) return
  process.warned = true
  const from = addressText(process, address, nic)
  globalThis.process.emitWarning(
    `Process ${process.name} does not answer ${from}, which sent from port 0: there is no port to send to.`,
  )
}

/**
 * The address that datagrams are sent to: the last sender's unless set since; `null` while a server
 * has none.
 */
export function processDatagramAddress(process: NetworkProcess): NetworkAddress | null {
  const { peer } = process
  return peer === null ? null : { address: addressText(process, peer.address, peer.nic), port: peer.port }
}

/**
 * Sets the peer. Returns `address`; `null`, with nothing set, when it is malformed or not of the
 * process's family.
 */
export function setProcessDatagramAddress<Given extends AddressLike>(
  process: NetworkProcess,
  address: Given,
): Given | null {
  const peer = readAddress(process.stack, address)
  if (peer === null || (peer.address.family === 6 && process.endpoint.family === 4)) return null
  process.peer = peer
  return address
}

/**
 * Changes a network option; any but `reuseaddr`.
 * @returns `true`; `null` for an option that does not exist or cannot be changed, if `noError` is
 *   true
 * @throws {TypeError} for such an option otherwise, and for a bad value; @throws {Error} with
 *   `code`: ENODEV (bindtodevice), EBADF (deleted)
 */
export function setNetworkProcessOption(
  process: NetworkProcess,
  option: string,
  value: unknown,
  noError = false,
): true | null {
  if (process.endpoint.closed) throw notRunning(process)
  const name = withoutColon(String(option))
  const known = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined
  if (known === undefined) {
    if (noError) return null
    throw new TypeError(
      name === 'reuseaddr'
        ? 'The network option reuseaddr can be given to makeNetworkProcess only.'
        : `Not a network option: '${option}'. There are ${Object.keys(OPTIONS).join(', ')}.`,
    )
  }
  process.contact[name] = known.apply(process, value)
  return true
}

/**
 * Without `key` `[host, service]` as given; with `true` all keywords as they are now; with a
 * keyword (`remote`, or Emacs's `:remote`) its value, `null` for one that was not given. `local`
 * and `remote` are {@link NetworkAddress}es of this moment.
 */
export function processContact(process: NetworkProcess): [host: unknown, service: unknown]
export function processContact(process: NetworkProcess, key: true): Record<string, unknown>
export function processContact(process: NetworkProcess, key: string): unknown
export function processContact(process: NetworkProcess, key?: true | string): unknown {
  const { contact, endpoint } = process
  if (key === undefined) return [contact.host ?? null, contact.service ?? null]
  const local = { address: addressText(process, endpoint.localAddress, endpoint.localNic), port: endpoint.localPort }
  const all: Record<string, unknown> = { ...contact, local, remote: processDatagramAddress(process) }
  if (key === true) return all
  const name = withoutColon(String(key))
  return Object.hasOwn(all, name) ? (all[name] ?? null) : null
}

export function processStatus(process: NetworkProcess): ProcessStatus {
  return process.endpoint.closed ? 'closed' : process.stopped ? 'stop' : 'open'
}

/**
 * Incoming datagrams wait from now on, as many as the receive buffer holds; sending goes on.
 * Returns the process.
 */
export function stopProcess(process: NetworkProcess): NetworkProcess {
  process.stopped = true
  return process
}

/**
 * Undoes {@link stopProcess}: what waited reaches the filter soon, though not within this call.
 * Returns the process.
 */
export function continueProcess(process: NetworkProcess): NetworkProcess {
  process.stopped = false
  process.stack.clock.soon(() => process.flush())
  return process
}

/**
 * Frees the address and the name, forgets what waits, and tells the sentinel `deleted\n`. Once:
 * further calls do nothing.
 */
export function deleteProcess(process: NetworkProcess): void {
  if (process.endpoint.closed) return
  process.close()
  names(process.stack).delete(process.name)
  process.sentinel?.(process, 'deleted\n')
}

// ── reading what was given ──

/** Elisp's truth. */
function isOn(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false
}

function withoutColon(keyword: string): string {
  return keyword.startsWith(':') ? keyword.slice(1) : keyword
}

function badValue(name: string, value: unknown, expected: string): TypeError {
  return new TypeError(`Bad value for ${name}: ${inspect(value)}. Expected ${expected}.`)
}

function notRunning({ name }: NetworkProcess): Error {
  return Object.assign(errnoError('EBADF', 'send'), { message: `Process ${name} is not running: it was deleted.` })
}

function checkKeywords(options: NetworkProcessOptions<string & Buffer>): void {
  const unknown = Object.keys(options).find((key) => !KEYWORDS.has(key) && !Object.hasOwn(OPTIONS, key))
  if (unknown !== undefined)
    throw new TypeError(
      `Not a keyword of makeNetworkProcess: '${unknown}'. There are ${[...KEYWORDS, ...Object.keys(OPTIONS)].join(', ')}.`,
    )
  const { name, type, family, coding = 'utf-8', filter, sentinel } = options
  if (typeof name !== 'string') throw badValue('name', name, 'a string')
  if (type !== 'datagram') throw badValue('type', type, "'datagram': streams are not provided")
  if (isOn(family) && family !== 'ipv4' && family !== 'ipv6') throw badValue('family', family, "'ipv4', 'ipv6' or null")
  if (coding !== 'buffer' && !Buffer.isEncoding(coding))
    throw badValue('coding', coding, "an encoding of Node's, or 'buffer'")
  for (const [key, value] of Object.entries({ filter, sentinel }))
    if (value !== undefined && value !== null && typeof value !== 'function')
      throw badValue(key, value, 'a function or null')
}

/** Emacs: `echo`, then `echo<1>`, `echo<2>`, …. */
function freeName(stack: Stack, name: string): string {
  let free = name
  for (let i = 1; names(stack).has(free); i++) free = `${name}<${i}>`
  return free
}

function names(stack: Stack): Set<string> {
  const known = namesOf.get(stack)
  if (known !== undefined) return known
  const made = new Set<string>()
  namesOf.set(stack, made)
  return made
}

function hostAndService(stack: Stack, options: NetworkProcessOptions<string & Buffer>): Peer {
  const { host, service, family, server } = options
  const wanted = family === 'ipv6' ? 6 : family === 'ipv4' ? 4 : null
  return { ...hostAddress(stack, host ?? 'local', wanted), port: servicePort(service, isOn(server)) }
}

function hostAddress(stack: Stack, host: string, wanted: 4 | 6 | null): { address: Address; nic: number } {
  const own = stack.hosts.get(host)
  const literal = parseScoped(host)
  let address: Address | undefined
  if (literal !== null) address = literal.address
  else if (own !== undefined)
    address = own.map((text) => Address.parse(text)).find(({ family }) => wanted === null || family === wanted)
  else if (host === 'local' || host === 'localhost') address = wanted === 6 ? Address.LOOPBACK6 : Address.LOOPBACK4
  else {
    const error = new Error(
      `Unknown host '${host}': expected an address, 'local', or a name in stack.hosts. Look other names up with node:dns first.`,
    )
    throw Object.assign(error, { code: 'ENOTFOUND' })
  }
  if (address === undefined || (wanted !== null && address.family !== wanted))
    throw new TypeError(`The host '${host}' has no address of family ipv${wanted}.`)
  return { address, nic: zoneIndex(stack, literal?.zone ?? '') }
}

function servicePort(service: NetworkProcessOptions<string>['service'], isServer: boolean): number {
  if (service === true && isServer) return 0
  const port = typeof service === 'string' && /^\d{1,5}$/.test(service) ? Number(service) : service
  if (typeof port !== 'number' || !isPort(port) || (port === 0 && !isServer))
    throw badValue('service', service, isServer ? 'a port, or true for a random one' : 'a port, 1 to 65535')
  return port
}

function addressOption(stack: Stack, keyword: string, given: AddressLike | null | undefined): Peer | null {
  if (given === null || given === undefined) return null
  const address = readAddress(stack, given)
  if (address === null)
    throw badValue(
      keyword,
      given,
      "an address such as { address: '127.0.0.1', port: 8080 }, '[::1]:80' or [127, 0, 0, 1, 8080]",
    )
  return address
}

/** With zone, and mapped (`::ffff:192.0.2.1`) where an IPv6 process speaks IPv4. */
function addressText({ stack, endpoint }: NetworkProcess, address: Address, nic: number): string {
  if (address.family === 4) return endpoint.family === 6 ? `::ffff:${address}` : address.toString()
  return nic === 0 ? address.toString() : `${address}%${stack.nic(nic)?.name ?? nic}`
}
