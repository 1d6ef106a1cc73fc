/**
 * Errors in the shapes Node gives them: the same class, `code`, message and first line of the
 * stack. Node's own constructors are not public.
 */
import type { InspectOptions } from 'node:util'
import { constants, getSystemErrorMap, inspect } from '#platform'

/**
 * An error of Node's `ERR_*` family: `code` is enumerable, and the stack and the text begin with
 * `TypeError [ERR_X]: …`.
 */
export type CodedError = Error & { code: string }

function coded(error: Error, code: string): CodedError {
  const { name } = error
  // The stack keeps the name it was made with, so that the code is seen there although `name` stays
  // plain.
  error.name = `${name} [${code}]`
  void error.stack
  Reflect.deleteProperty(error, 'name')
  Object.defineProperty(error, 'toString', {
    value: () => `${name} [${code}]: ${error.message}`,
    configurable: true,
    enumerable: false,
    writable: true,
  })
  return Object.assign(error, { code })
}

/** What was given instead, in Node's words. */
function received(value: unknown): string {
  if (value === null || value === undefined) return `Received ${value}`
  if (typeof value === 'function') return `Received function ${value.name}`
  if (typeof value === 'object') {
    const name: unknown = value.constructor?.name
    return typeof name === 'string' && name !== ''
      ? `Received an instance of ${name}`
      : `Received ${inspect(value, { depth: -1 })}`
  }
  const text = inspect(value, { colors: false })
  return `Received type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`
}

/**
 * `expected` goes into the sentence as it is: `of type string`, `an instance of AbortSignal`. A
 * name with a dot is a property.
 */
export function invalidArgType(name: string, expected: string, value: unknown): CodedError {
  const kind = name.endsWith(' arguments') ? `${name.slice(0, -10)} arguments` : name
  const subject = `The "${kind}" ${name.includes('.') ? 'property' : 'argument'}`
  return coded(new TypeError(`${subject} must be ${expected}. ${received(value)}`), 'ERR_INVALID_ARG_TYPE')
}

export function invalidArgValue(name: string, reason: string, value: unknown): CodedError {
  const kind = name.includes('.') ? 'property' : 'argument'
  return coded(new TypeError(`The ${kind} '${name}' ${reason}. Received ${inspect(value)}`), 'ERR_INVALID_ARG_VALUE')
}

export function outOfRange(name: string, range: string, value: number): CodedError {
  return coded(
    new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`),
    'ERR_OUT_OF_RANGE',
  )
}

export function badPort(value: unknown, name: string, zeroToo: boolean): CodedError {
  return coded(
    new RangeError(`${name} should be ${zeroToo ? '>=' : '>'} 0 and < 65536. ${received(value)}.`),
    'ERR_SOCKET_BAD_PORT',
  )
}

export function bufferOutOfBounds(name: 'offset' | 'length'): CodedError {
  return coded(new RangeError(`"${name}" is outside of buffer bounds`), 'ERR_BUFFER_OUT_OF_BOUNDS')
}

export function missingArgument(name: string): CodedError {
  return coded(new TypeError(`The "${name}" argument must be specified`), 'ERR_MISSING_ARGS')
}

export function invalidFdType(type: string): CodedError {
  return coded(new TypeError(`Unsupported fd type: ${type}`), 'ERR_INVALID_FD_TYPE')
}

export function ipBlocked(address: string): CodedError {
  return coded(new Error(`IP(${address}) is blocked by net.BlockList`), 'ERR_IP_BLOCKED')
}

export const badType = (): CodedError =>
  coded(new TypeError('Bad socket type specified. Valid types are: udp4, udp6'), 'ERR_SOCKET_BAD_TYPE')
export const badBufferSize = (): CodedError =>
  coded(new TypeError('Buffer size must be a positive integer'), 'ERR_SOCKET_BAD_BUFFER_SIZE')
export const alreadyBound = (): CodedError => coded(new Error('Socket is already bound'), 'ERR_SOCKET_ALREADY_BOUND')
export const isConnected = (): CodedError => coded(new Error('Already connected'), 'ERR_SOCKET_DGRAM_IS_CONNECTED')
export const notConnected = (): CodedError => coded(new Error('Not connected'), 'ERR_SOCKET_DGRAM_NOT_CONNECTED')
export const notRunning = (): CodedError => coded(new Error('Not running'), 'ERR_SOCKET_DGRAM_NOT_RUNNING')

/** What `dns.lookup` says of a name without addresses. */
export function hostNotFound(hostname: string): Error {
  const facts = { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname }
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), facts)
}

/** A failed call into the stack. */
export interface ErrnoError extends Error {
  errno: number
  code: string
  syscall: string
  address?: string
  port?: number
}

/** The negative number of an errno name, as libuv uses it. */
function errnoNumber(code: string): number {
  return -((constants.errno as Record<string, number>)[code] as number)
}

/** `setTTL EINVAL` */
export function errnoError(code: string, syscall: string): ErrnoError {
  return Object.assign(new Error(`${syscall} ${code}`), { errno: errnoNumber(code), code, syscall })
}

/**
 * `bind EADDRINUSE 127.0.0.1:4242`; without a port `bind EADDRNOTAVAIL 192.0.2.1`, and then no
 * `port` property.
 */
export function addressError(
  code: string,
  syscall: string,
  address: string | null | undefined,
  port: number | null | undefined,
): ErrnoError {
  const hasPort = port !== null && port !== undefined && port > 0
  const detail = hasPort ? ` ${address}:${port}` : address ? ` ${address}` : ''
  const error = Object.assign(new Error(`${syscall} ${code}${detail}`), {
    errno: errnoNumber(code),
    code,
    syscall,
    address,
  })
  return (hasPort ? Object.assign(error, { port }) : error) as ErrnoError
}

/**
 * Node's `SystemError`, which the buffer size calls throw: facts in `info`, two of them also as
 * accessors.
 */
export function bufferSizeError(code: string, syscall: string): CodedError {
  const errno = errnoNumber(code)
  const message = getSystemErrorMap().get(errno)?.[1] ?? code
  const error = new Error(`Could not get or set buffer size: ${syscall} returned ${code} (${message})`)
  error.name = 'SystemError'
  const info: Record<string, unknown> = { errno, code, message, syscall }
  const result = coded(error, 'ERR_SOCKET_BUFFER_SIZE')
  Object.defineProperty(result, 'name', { value: 'SystemError', configurable: true, enumerable: false, writable: true })
  Object.defineProperty(result, 'info', { value: info, configurable: true, enumerable: true, writable: false })
  Object.defineProperty(result, inspect.custom, {
    value: (_: number, context: InspectOptions) => inspect(result, { ...context, getters: true, customInspect: false }),
    enumerable: false,
  })
  for (const key of ['errno', 'syscall']) {
    Object.defineProperty(result, key, {
      get: () => info[key],
      set: (value: unknown) => {
        info[key] = value
      },
      configurable: true,
      enumerable: true,
    })
  }
  return result
}
