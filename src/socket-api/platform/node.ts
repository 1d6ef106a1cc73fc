/**
 * What the socket API takes from the platform, in Node. `#platform` (`imports` in package.json) is
 * this file there, and `browser.ts`, which has the same names, elsewhere.
 */
import dgram from 'node:dgram'
import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'

export { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
export { Buffer } from 'node:buffer'
export { default as diagnosticsChannel } from 'node:diagnostics_channel'
export { default as dns } from 'node:dns'
export { EventEmitter } from 'node:events'
export { BlockList, isIP } from 'node:net'
export { constants } from 'node:os'
export { default as process } from 'node:process'
export { getSystemErrorMap, inspect } from 'node:util'

/** What node:dgram's own sockets have in this version of Node. */
export const { prototype: nodeSocket } = dgram.Socket

/**
 * What a descriptor of the process is, in the words of `ERR_INVALID_FD_TYPE`: none of them is a
 * socket of a stack.
 */
export function descriptorType(fd: number): 'TTY' | 'FILE' | 'PIPE' | 'UNKNOWN' {
  if (isatty(fd)) return 'TTY'
  try {
    const stats = fstatSync(fd)
    if (stats.isFile() || stats.isCharacterDevice()) return 'FILE'
    return stats.isFIFO() ? 'PIPE' : 'UNKNOWN'
  } catch {
    return 'UNKNOWN'
  }
}
