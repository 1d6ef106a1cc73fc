/** Checks of arguments that answer as Node's do. */
import { Buffer } from '#platform'
import { badPort, bufferOutOfBounds, invalidArgType, outOfRange } from './errors.ts'

/** How Node's messages call what a datagram may be made of. */
const BYTES = 'of type string or an instance of Buffer, TypedArray, or DataView'

/**
 * A port from 1, or 0, to 65535 as a number; digits in a string are one too. @throws {RangeError}
 * ERR_SOCKET_BAD_PORT
 */
export function checkPort(port: unknown, name = 'Port', zeroToo = false): number {
  const isText = typeof port === 'string' && port.trim() !== ''
  const number = Number(port)
  if ((typeof port !== 'number' && !isText) || number !== number >>> 0 || number > 0xffff || (port === 0 && !zeroToo))
    throw badPort(port, name, zeroToo)
  return number
}

export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value)
}

export function checkNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value)
}

/** An object that is no array. @throws {TypeError} ERR_INVALID_ARG_TYPE */
export function checkObject(value: unknown, name: string): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidArgType(name, 'of type object', value)
}

export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw invalidArgType(name, 'of type function', value)
}

export function checkBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value)
}

/**
 * An integer from `min` to `max`. @throws {TypeError} ERR_INVALID_ARG_TYPE @throws {RangeError}
 * ERR_OUT_OF_RANGE
 */
export function checkInteger(value: unknown, name: string, min: number, max: number): asserts value is number {
  checkNumber(value, name)
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value)
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value)
}

/**
 * One piece of a datagram as bytes, not copied unless it is a string; `null` for what cannot be
 * one.
 */
function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return Buffer.from(value)
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  return null
}

/**
 * A datagram, whole or in pieces. The list is copied, the bytes are not. @throws {TypeError}
 * ERR_INVALID_ARG_TYPE
 */
export function checkMessage(message: unknown): Uint8Array | Uint8Array[] {
  if (Array.isArray(message)) {
    // Not `map`, which passes over holes.
    const pieces = Array.from(message, bytesOf)
    if (pieces.includes(null)) throw invalidArgType('buffer list arguments', BYTES, message)
    return pieces as Uint8Array[]
  }
  const bytes = bytesOf(message)
  if (bytes === null) throw invalidArgType('buffer', BYTES, message)
  return bytes
}

/**
 * `length` bytes from `offset` on. @throws {TypeError} ERR_INVALID_ARG_TYPE @throws {RangeError}
 * ERR_BUFFER_OUT_OF_BOUNDS
 */
export function slice(message: unknown, offset: unknown, length: unknown): Uint8Array {
  const bytes = bytesOf(message)
  if (bytes === null) throw invalidArgType('buffer', BYTES, message)
  const from = Number(offset) >>> 0
  const count = Number(length) >>> 0
  if (from > bytes.byteLength) throw bufferOutOfBounds('offset')
  if (from + count > bytes.byteLength) throw bufferOutOfBounds('length')
  return count === bytes.byteLength ? bytes : bytes.subarray(from, from + count)
}
