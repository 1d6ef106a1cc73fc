import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'

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
