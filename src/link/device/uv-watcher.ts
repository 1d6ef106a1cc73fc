/**
 * libuv's own poll handle, called through koffi in the node binary that exports it, on the default
 * loop: no thread, no system call but the loop's own. That loop is the program's only on the main
 * thread of Node.
 */
import { closeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { surface } from './surface.ts'
import { timerCalls } from './timerfd.ts'
import { openOwned } from './tun-descriptor.ts'
import { type Libc, systemError } from './tun-libc.ts'
import { addWatcher, removeWatcher, type Watcher, type WatcherEvents } from './watcher.ts'

const UV_POLL = 8
const UV_READABLE = 1

/** libuv's functions; handles are addresses. */
export interface Uv {
  readonly libc: Libc
  readonly handleSize: number
  readonly pollCallback: bigint
  readonly closeCallback: bigint
  /** By handle; an entry lives until libuv has let go of the handle. */
  readonly watchers: Map<number, { readonly memory: unknown; readonly watcher: UvWatcher }>
  init(loop: unknown, handle: unknown, fd: number): number
  start(handle: unknown, events: number, callback: bigint): number
  stop(handle: unknown): number
  close(handle: unknown, callback: bigint): void
  ref(handle: unknown): void
  unref(handle: unknown): void
  loop(): unknown
  /** The descriptor on which the loop waits for all others. */
  backend(loop: unknown): number
}

let loadedUv: Uv | null | undefined

export function loadUv(libc: Libc): Uv | null {
  if (loadedUv === undefined) loadedUv = tryUv(libc)
  return loadedUv
}

function tryUv(libc: Libc): Uv | null {
  // Bun exports these names too, and aborts the process when they are called.
  if (!isMainThread || process.release.name !== 'node' || 'bun' in process.versions || 'deno' in process.versions)
    return null
  const { koffi, library } = libc
  try {
    const watchers: Uv['watchers'] = new Map()
    // One pair of callbacks for all devices: koffi must not lose one while libuv may still call it.
    return {
      libc,
      watchers,
      handleSize: Number(library.func('size_t uv_handle_size(int type)')(UV_POLL)),
      pollCallback: koffi.register(
        (handle: number, status: number) => watchers.get(handle)?.watcher.onPoll(status),
        koffi.pointer(koffi.proto('void', ['intptr_t', 'int', 'int'])),
      ),
      closeCallback: koffi.register(
        (handle: number) => {
          const entry = watchers.get(handle)
          watchers.delete(handle)
          if (entry !== undefined) koffi.free(entry.memory)
        },
        koffi.pointer(koffi.proto('void', ['intptr_t'])),
      ),
      loop: library.func('void *uv_default_loop()'),
      backend: library.func('int uv_backend_fd(void *loop)'),
      init: library.func('int uv_poll_init(void *loop, void *handle, int fd)'),
      start: library.func('int uv_poll_start(void *handle, int events, void *callback)'),
      stop: library.func('int uv_poll_stop(void *handle)'),
      close: library.func('void uv_close(void *handle, void *callback)'),
      ref: library.func('void uv_ref(void *handle)'),
      unref: library.func('void uv_unref(void *handle)'),
    }
  } catch {
    // A node binary without libuv's symbols.
    return null
  }
}

export class UvWatcher implements Watcher {
  readonly #uv: Uv
  readonly #others = new Set<UvWatcher>()
  readonly #memory: unknown
  readonly events: WatcherEvents
  #closed = false
  #referenced = false
  /** Wakes it from a rest; made for the first one. */
  #alarm: { readonly fd: number; readonly watcher: UvWatcher } | null = null
  /** The descriptor is not watched, but the alarm is set. */
  #isResting = false
  /** Set anew, since it last went off. */
  #isSet = false

  constructor(uv: Uv, fd: number, events: WatcherEvents) {
    this.#uv = uv
    this.events = events
    this.#memory = uv.libc.koffi.alloc('uint8_t', uv.handleSize)
    const initialised = uv.init(uv.loop(), this.#memory, fd)
    if (initialised < 0) {
      uv.libc.koffi.free(this.#memory)
      throw systemError(-initialised, 'uv_poll_init', 'The event loop cannot watch the device.')
    }
    uv.watchers.set(Number(uv.libc.koffi.address(this.#memory)), { memory: this.#memory, watcher: this })
    uv.unref(this.#memory)
    uv.start(this.#memory, UV_READABLE, uv.pollCallback)
    addWatcher(this)
  }

  onPoll(status: number): void {
    if (this.#closed) return
    try {
      // libuv has stopped the handle when the status is an error (POLLERR).
      this.events.readable(status < 0)
    } catch (error) {
      surface(error)
    }
  }

  ref(): void {
    if (this.#closed) return
    this.#referenced = true
    this.#uv.ref(this.#memory)
    this.#alarm?.watcher.ref()
  }

  unref(): void {
    if (this.#closed) return
    this.#referenced = false
    this.#uv.unref(this.#memory)
    this.#alarm?.watcher.unref()
  }

  rest(milliseconds: number): void {
    if (this.#closed) return
    this.#alarm ??= this.#makeAlarm()
    if (this.#alarm === null) return
    timerCalls(this.#uv.libc).set(this.#alarm.fd, milliseconds)
    this.#isSet = true
    if (this.#isResting) return
    this.#isResting = true
    this.#uv.stop(this.#memory)
  }

  /** `null` when no descriptor is free: then there is no rest. */
  #makeAlarm(): { fd: number; watcher: UvWatcher } | null {
    const { libc } = this.#uv
    try {
      const fd = openOwned(libc, 'timerfd_create', 'The kernel has no timer', timerCalls(libc).create)
      const watcher = new UvWatcher(this.#uv, fd, { readable: () => this.#wake(), failed: () => {}, exit: () => {} })
      if (this.#referenced) watcher.ref()
      return { fd, watcher }
    } catch {
      return null
    }
  }

  /** The rest is over; it may be followed by another one. */
  #wake(): number {
    this.#isSet = false
    this.onPoll(0)
    if (this.#isSet || this.#closed || this.#alarm === null) return 0
    timerCalls(this.#uv.libc).disarm(this.#alarm.fd)
    this.#isResting = false
    this.#uv.start(this.#memory, UV_READABLE, this.#uv.pollCallback)
    return 0
  }

  also(fd: number, readable: () => void): () => void {
    const other = new UvWatcher(this.#uv, fd, {
      readable: () => {
        readable()
        return 0
      },
      failed: () => {},
      exit: () => {},
    })
    this.#others.add(other)
    return () => {
      this.#others.delete(other)
      other.close()
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    removeWatcher(this)
    for (const other of this.#others) other.close()
    if (this.#alarm !== null) {
      this.#alarm.watcher.close()
      closeSync(this.#alarm.fd)
    }
    this.#uv.stop(this.#memory)
    this.#uv.close(this.#memory, this.#uv.closeCallback)
  }
}
