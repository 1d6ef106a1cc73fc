/**
 * Descriptors that Node does not know how to make, in its keeping all the same: Node closes those
 * of a thread that is terminated from outside, when no line of JavaScript runs there any more, but
 * only those which its own `open` made.
 */
import { closeSync, openSync } from 'node:fs'
import { errnoName, type Libc, systemError } from './tun-libc.ts'

const O_CLOEXEC = 0o2000000

/**
 * What `make` returns (-1 for a failure), under the number of a descriptor that Node opened: to be
 * closed with `closeSync`.
 * @throws {Error} with `code`; `what` is the first part of its message
 */
export function openOwned(libc: Libc, syscall: string, what: string, make: () => number): number {
  const fail = (errno: number, call: string) => systemError(errno, call, `${what} (${errnoName(errno)}).`)
  let owned: number
  try {
    // Anything that can be opened everywhere.
    owned = openSync('/', 'r')
  } catch (cause) {
    throw fail(-((cause as NodeJS.ErrnoException).errno ?? 0), syscall)
  }
  const made = make()
  let errno = made < 0 ? libc.errno() : 0
  if (errno === 0 && libc.dup3(made, owned, O_CLOEXEC) < 0) errno = libc.errno()
  if (made >= 0) libc.close(made)
  if (errno === 0) return owned
  closeSync(owned)
  throw fail(errno, syscall)
}
