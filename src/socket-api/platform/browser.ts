/**
 * What the socket API takes from the platform, where that is no Node: Buffer and EventEmitter are
 * those of the packages `buffer` and `events`, the rest is as much of Node's as sockets use. A
 * browser looks no names up, has no descriptors, and no contexts that follow a program.
 */
import { Buffer } from 'buffer'
import { Address } from '../../base/address.ts'

export { EventEmitter } from './browser-emitter.ts'
export { getSystemErrorMap, inspect } from './browser-errors.ts'
export { constants } from './errno-numbers.ts'
export { Buffer }

/** As the newest Node: sockets have `bindSync`, and no `_handle`. */
export const nodeSocket = { bindSync: true }

export const process = {
  /** Node's ticks run before promises' callbacks; here both wait in one queue. */
  nextTick<Args extends unknown[]>(call: (...args: Args) => void, ...args: Args): void {
    queueMicrotask(() => call(...args))
  },
}

/** Nobody listens: there is no node:diagnostics_channel. */
export const diagnosticsChannel = {
  channel: (_name: string) => ({ hasSubscribers: false, publish(_message: unknown): void {} }),
}

/** Code runs in no context. */
export class AsyncResource {
  runInAsyncScope<This, Args extends unknown[], Result>(
    call: (this: This, ...args: Args) => Result,
    self: This,
    ...args: Args
  ): Result {
    return call.apply(self, args)
  }
}

/** Knows its value within the call alone, not in what is called later. */
export class AsyncLocalStorage<Value> {
  #value: Value | undefined

  getStore(): Value | undefined {
    return this.#value
  }

  run<Result>(value: Value, call: () => Result): Result {
    const before = this.#value
    this.#value = value
    try {
      return call()
    } finally {
      this.#value = before
    }
  }

  disable(): void {
    this.#value = undefined
  }
}

/** 4 or 6 for a literal address, an IPv6 one with its zone or without; 0 for other text. */
export function isIP(text: unknown): 0 | 4 | 6 {
  if (typeof text !== 'string') return 0
  const [host = '', zone, ...more] = text.split('%')
  if (more.length > 0 || (zone !== undefined && !(host.includes(':') && /^[0-9a-zA-Z.:-]+$/.test(zone)))) return 0
  if (Address.tryParse(host) === null) return 0
  return host.includes(':') ? 6 : 4
}

/** What the options take as a list of blocked addresses: anything that answers as net.BlockList. */
export class BlockList {
  static isBlockList(value: unknown): value is BlockList {
    return typeof (value as Partial<BlockList> | null)?.check === 'function'
  }

  declare check: (address: string, family: 'ipv4' | 'ipv6') => boolean
}

/** A browser has no descriptors. */
export function descriptorType(_fd: number): 'UNKNOWN' {
  return 'UNKNOWN'
}

type Found = (error: Error | null, address: string, family?: number) => void

export const dns = {
  /** Literal addresses and `localhost`; a page can ask nobody for others. */
  lookup(name: unknown, options: number | { readonly family?: number }, callback: Found): void {
    if (typeof name !== 'string')
      throw Object.assign(new TypeError(`The "hostname" argument must be of type string. Received ${name}`), {
        code: 'ERR_INVALID_ARG_TYPE',
      })
    const family = (typeof options === 'number' ? options : options.family) === 6 ? 6 : 4
    const literal = isIP(name)
    const local = name === 'localhost' ? (family === 6 ? '::1' : '127.0.0.1') : null
    if (literal !== 0) process.nextTick(callback, null, name, literal)
    else if (local !== null) process.nextTick(callback, null, local, family)
    else process.nextTick(callback, notFound(name), '')
  },
}

function notFound(hostname: string): Error {
  const text =
    `getaddrinfo ENOTFOUND ${hostname} (a browser looks no names up: give an address, the name of a host of the ` +
    'network, or a socket with the option lookup)'
  return Object.assign(new Error(text), { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname })
}
