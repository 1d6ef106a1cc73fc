/**
 * Which watcher reports that the device has packets: libuv's poll handle where the loop is
 * libuv's default one (`uv-watcher.ts`), elsewhere a thread (`worker-watcher.ts`). Neither holds a
 * thread of libuv's pool.
 */

import { codedError, type Libc } from './tun-libc.ts'
import { loadUv, UvWatcher } from './uv-watcher.ts'
import type { Watcher, WatcherEvents } from './watcher.ts'
import { WorkerWatcher } from './worker-watcher.ts'

export type Wakeup = 'uv' | 'worker'

/** `threadFile` is where the thread's program is, for `worker` in a bundle. */
export function watch(
  libc: Libc,
  fd: number,
  wakeup: Wakeup,
  events: WatcherEvents,
  threadFile?: string | URL,
): Watcher {
  const uv = wakeup === 'uv' ? loadUv(libc) : null
  return uv === null ? new WorkerWatcher(libc, fd, events, threadFile) : new UvWatcher(uv, fd, events)
}

/**
 * The way to wake up that `auto` means in this thread.
 *
 * @throws {Error} `ERR_TUN_NO_UV` when `uv` is asked for and is not possible
 */
export function chooseWakeup(libc: Libc, wanted: Wakeup | 'auto'): Wakeup {
  if (wanted === 'worker') return 'worker'
  if (loadUv(libc) !== null) return 'uv'
  if (wanted === 'auto') return 'worker'
  throw codedError(
    'ERR_TUN_NO_UV',
    "wakeup: 'uv' needs the main thread of Node, whose event loop is libuv's default loop. Use 'worker' " +
      "or 'auto' here.",
  )
}
