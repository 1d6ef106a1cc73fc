/** Where the program of the thread is that waits for a device. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { codedError } from './tun-libc.ts'

// By a name, so that webpack does not take the file below for an asset.
const HERE = import.meta.url

/**
 * Sources that a test runner compiles in memory have no compiled file beside them: the build has.
 */
const DEFAULT = new URL(
  HERE.endsWith('.ts') ? '../../../dist/link/device/wakeup-thread.js' : './wakeup-thread.js',
  HERE,
)

/**
 * The file that the program named, a path or a `file:` URL; else the one beside this module.
 * @throws {Error} `ERR_TUN_NO_THREAD` when there is none, as in a bundle that does not say where
 */
export function wakeupThreadFile(told: string | URL = DEFAULT): string {
  const path = told instanceof URL || told.startsWith('file:') ? fileURLToPath(told) : told
  if (existsSync(path)) return path
  throw codedError(
    'ERR_TUN_NO_THREAD',
    `The program of the thread that waits for the device is not at ${path}. A bundle has to bring the ` +
      `file 'tungram/wakeup-thread' along and say where it is: openTun({ wakeupThread }).`,
  )
}
