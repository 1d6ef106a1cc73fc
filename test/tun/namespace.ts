/**
 * Tests on a real device, each file in a network namespace of its own.
 *
 * vitest runs every test file in a process of its own (pool `forks`). `enterNamespace()` moves that
 * process's main thread into a new, empty namespace (`unshare(CLONE_NEWNET)` through koffi) and
 * brings `lo` up there. From then on everything the file does on its main thread is in it, in plain
 * TypeScript and without child scripts: devices, `node:dgram` sockets of the kernel,
 * `os.networkInterfaces()`, worker threads and child processes started afterwards. The threads of
 * libuv's pool, when some exist already, stay behind: they do files and DNS only. The namespace and
 * its devices vanish with the process.
 *
 *     import { describeOnTun } from './namespace.ts'
 *     describeOnTun('ping over a TUN device', () => { test(…) })
 *
 * Without the privilege the suite is skipped as a whole, with the reason in the summary;
 * `TUNGRAM_REQUIRE_TUN=1` makes that a failure.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { describe } from 'vitest'
import { openTun } from '../../src/link/device/tun.ts'
import { errnoName, loadLibc } from '../../src/link/device/tun-libc.ts'
import { changeInterface, findInterface } from '../../src/link/device/tun-netlink.ts'
import { skipAloud } from '../skips.ts'

const CLONE_NEWNET = 0x40000000

/**
 * `''` when the process is now in a namespace where devices can be opened, or the reason why not.
 */
let outcome: string | undefined

/** Moves this process into its own namespace, once; returns `''`, or why that is not possible. */
export function enterNamespace(): string {
  outcome ??= tryEnter()
  return outcome
}

function tryEnter(): string {
  if (!isMainThread) return "vitest must run test files in processes (pool 'forks'), not in threads"
  try {
    const libc = loadLibc()
    if (libc.library.func('int unshare(int flags)')(CLONE_NEWNET) !== 0)
      return (
        `a network namespace is not permitted (${errnoName(libc.errno())}): run as root, or under ` +
        `'unshare -rn'${closedDevice()}`
      )
    const lo = findInterface(libc, 'lo')
    if (lo === null) return 'the new namespace has no loopback interface'
    changeInterface(libc, lo.index, { up: true })
    openTun().close()
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * As `describe`, inside the file's own namespace; skipped aloud where that is not possible. The
 * body is not run then: it may set up what needs the privilege.
 */
export function describeOnTun(name: string, body: () => void): void {
  const reason = enterNamespace()
  if (reason === '') describe(name, body)
  else skipAloud(name, `a TUN device: ${reason}`)
}

/** What a namespace of one's own does not help with. */
function closedDevice(): string {
  const path = '/dev/net/tun'
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  if (mode === undefined) return `, where there is ${path}`
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return ''
  } catch {
    return ` once root has opened ${path} to all ('chmod 666 ${path}')`
  }
}
