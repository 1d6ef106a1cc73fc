/**
 * Who tells us that the device has packets, without holding a thread of libuv's pool.
 *
 * `uv`: libuv's own poll handle, called through koffi in the node binary that exports it, on the
 * default loop: no thread, no system call but the loop's own. That loop is the program's only on
 * the main thread of Node; elsewhere (worker threads, other runtimes) `worker`: a thread blocked in
 * `epoll_wait`, which costs one message per wake-up. It waits on an epoll set and not in `poll`,
 * because a set holds no reference to the device: closing the device removes the interface at once,
 * whatever the thread does.
 */
import { closeSync, openSync } from 'node:fs'
import { isMainThread, Worker } from 'node:worker_threads'
import { openOwned } from './tun-descriptor.ts'
import { codedError, type Libc, systemError } from './tun-libc.ts'

export type Wakeup = 'uv' | 'worker'

export interface Watcher {
  readonly events: WatcherEvents
  ref(): void
  unref(): void
  /**
   * Watches one more descriptor, which keeps nothing alive, until the returned function is called
   * or the watcher is closed.
   */
  also(fd: number, readable: () => void): () => void
  /** No callback any more; the descriptor may be closed right after. */
  close(): void
}

/**
 * `readable` is called again and again while the descriptor is readable, with `true` when it also
 * reports an error: then not again. It returns how many packets it found. `failed` says that
 * nothing will be reported any more, `exit` that the process ends. The watcher starts unreferenced.
 */
export interface WatcherEvents {
  readable(broken: boolean): number
  failed(error: Error): void
  exit(): void
}

export function watch(libc: Libc, fd: number, wakeup: Wakeup, events: WatcherEvents): Watcher {
  const uv = wakeup === 'uv' ? loadUv(libc) : null
  return uv === null ? new WorkerWatcher(libc, fd, events) : new UvWatcher(uv, fd, events)
}

/**
 * What `auto` means here.
 * @throws {Error} `ERR_TUN_NO_UV` when `uv` is asked for where it cannot be
 */
export function chooseWakeup(libc: Libc, wanted: Wakeup | 'auto'): Wakeup {
  if (wanted === 'worker') return 'worker'
  if (loadUv(libc) !== null) return 'uv'
  if (wanted === 'auto') return 'worker'
  throw codedError(
    'ERR_TUN_NO_UV',
    "wakeup: 'uv' needs the main thread of Node, whose event loop is libuv's default loop. Use 'worker' or 'auto' here.",
  )
}

/**
 * Milliseconds for which turns that follow each other may keep the process alive, whatever else
 * does: after that the loop may end once, so that an endless flood does not hold a program that is
 * done.
 */
export const LONGEST_RUN = 100

/** Rethrows outside of the device's loop, as an 'uncaughtException'. */
export function surface(error: unknown): void {
  // Listeners hear of it now, before any tick, as of one in a socket of Node's own: by a function
  // of Node's that it does not document, and which answers whether somebody took it. The report of
  // a crash is left to a microtask's, which shows the line that threw.
  const { _fatalException } = process as { _fatalException?: (error: unknown, fromPromise: boolean) => boolean }
  if (_fatalException?.(error, false)) return
  queueMicrotask(() => {
    throw error
  })
}

/**
 * Open watchers. At exit they are stopped: the loop may turn once more when no JavaScript can run,
 * and Node waits for its threads.
 */
const open = new Set<Watcher>()
let exitHook = false

function add(watcher: Watcher): void {
  open.add(watcher)
  if (exitHook) return
  exitHook = true
  process.on('exit', () => {
    for (const each of open) {
      each.events.exit()
      each.close()
    }
  })
}

// --- libuv's poll handle
// -------------------------------------------------------------------------------------------------------------------

const UV_POLL = 8
const UV_READABLE = 1

/** libuv's functions; handles are addresses. */
interface Uv {
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
}

let loadedUv: Uv | null | undefined

function loadUv(libc: Libc): Uv | null {
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

class UvWatcher implements Watcher {
  readonly #uv: Uv
  readonly #others = new Set<UvWatcher>()
  readonly #memory: unknown
  readonly events: WatcherEvents
  #closed = false

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
    add(this)
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
    if (!this.#closed) this.#uv.ref(this.#memory)
  }

  unref(): void {
    if (!this.#closed) this.#uv.unref(this.#memory)
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
    open.delete(this)
    for (const other of this.#others) other.close()
    this.#uv.stop(this.#memory)
    this.#uv.close(this.#memory, this.#uv.closeCallback)
  }
}

// --- a thread in epoll_wait
// ----------------------------------------------------------------------------------------------------------------

const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLL_CTL_MOD = 3
const EPOLLIN = 0x1
const EPOLLERR = 0x8
const EPOLLHUP = 0x10
const EPOLLONESHOT = 1 << 30
const EPOLL_CLOEXEC = 0o2000000
const EFD_CLOEXEC = 0o2000000

/** struct epoll_event: events u32, data u64; packed on x86, aligned elsewhere. */
const EVENT_DATA = process.arch === 'x64' || process.arch === 'ia32' ? 4 : 8
const DATA_DEVICE = 0
const DATA_STOP = 1
/** From here on: other descriptors. */
const DATA_OTHER = 2
/** In a message of the thread: the data behind the events. */
const DATA_SHIFT = 0x10000

/**
 * Reports the device's events one at a time (the parent arms it anew) and ends when the stop
 * descriptor is written. The timeout, and the return to the event loop between two waits, are for a
 * parent that is terminated from outside: only there does Node end this thread.
 */
const WAIT = `
const { parentPort, workerData } = require('node:worker_threads')
const libc = require(workerData.koffiPath).load(null)
const epollWait = libc.func('int epoll_wait(int epfd, void *events, int max, int timeout)')
const event = new Uint32Array(4)
function wait() {
  const count = epollWait(workerData.epoll, event, 1, 1000)
  if (count > 0 && event[workerData.dataWord] === ${DATA_STOP}) return
  if (count > 0) parentPort.postMessage((event[0] & 0xffff) + event[workerData.dataWord] * ${DATA_SHIFT})
  setImmediate(wait)
}
wait()
`

/** Descriptors that a thread opens while it begins, koffi's files included. */
const THREAD_DESCRIPTORS = 8

/**
 * libuv leaves descriptors open when a thread cannot have all that it needs: then it is not begun.
 * @throws {Error} `EMFILE`
 */
function requireRoom(): void {
  const tried: number[] = []
  try {
    while (tried.length < THREAD_DESCRIPTORS) tried.push(openSync('/', 'r'))
  } catch (cause) {
    throw systemError(
      -((cause as NodeJS.ErrnoException).errno ?? 0),
      'open',
      'The device cannot be watched: too many files are open.',
    )
  } finally {
    for (const descriptor of tried) closeSync(descriptor)
  }
}

class WorkerWatcher implements Watcher {
  readonly #libc: Libc
  readonly #fd: number
  readonly #epoll: number
  readonly #stop: number
  readonly #control: (epoll: number, operation: number, fd: number, event: Uint8Array) => number
  readonly #worker: Worker
  readonly events: WatcherEvents
  readonly #again = () => this.#read(false)
  readonly #others = new Map<number, { readonly fd: number; readonly readable: () => void }>()
  #nextOther = DATA_OTHER
  /** When the thread last reported: the loop could have ended before. */
  #since = 0
  #closed = false

  constructor(libc: Libc, fd: number, events: WatcherEvents) {
    this.#libc = libc
    this.#fd = fd
    this.#control = libc.library.func('int epoll_ctl(int epfd, int op, int fd, void *event)')
    const createEpoll = libc.library.func('int epoll_create1(int flags)')
    const createEvent = libc.library.func('int eventfd(unsigned int value, int flags)')
    const what = 'The device cannot be watched'
    this.#epoll = openOwned(libc, 'epoll_create1', what, () => createEpoll(EPOLL_CLOEXEC))
    let stop = -1
    try {
      stop = openOwned(libc, 'eventfd', what, () => createEvent(0, EFD_CLOEXEC))
      this.#stop = stop
      this.#set(EPOLL_CTL_ADD, stop, EPOLLIN, DATA_STOP)
      this.#set(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, DATA_DEVICE)
      requireRoom()
      this.#worker = new Worker(WAIT, {
        eval: true,
        execArgv: [],
        workerData: { koffiPath: libc.koffiPath, epoll: this.#epoll, stop, dataWord: EVENT_DATA / 4 },
      })
    } catch (error) {
      closeSync(this.#epoll)
      if (stop >= 0) closeSync(stop)
      throw error
    }
    this.events = events
    // The thread has waited on them until now; where it never began, this comes too.
    this.#worker.on('exit', () => {
      closeSync(this.#epoll)
      closeSync(stop)
    })
    this.#worker.on('message', (reported: number) => {
      const data = Math.floor(reported / DATA_SHIFT)
      if (data === DATA_DEVICE) this.#begin((reported & (EPOLLERR | EPOLLHUP)) !== 0)
      else this.#readOther(data)
    })
    this.#worker.on('error', (error) => {
      if (this.#closed) return
      this.#closed = true
      open.delete(this)
      events.failed(error)
    })
    // Last, for a 'message' listener references the thread.
    this.#worker.unref()
    add(this)
  }

  #begin(broken: boolean): void {
    this.#since = performance.now()
    this.#read(broken)
  }

  /**
   * After packets have come the device is read once more in the next turn: under load the thread is
   * not needed at all, but for now and then, because such a turn keeps the process alive.
   */
  #read(broken: boolean): void {
    if (this.#closed) return
    let count = 0
    try {
      count = this.events.readable(broken)
    } catch (error) {
      surface(error)
    }
    if (this.#closed || broken) return
    if (count > 0 && performance.now() - this.#since < LONGEST_RUN) setImmediate(this.#again)
    else this.#set(EPOLL_CTL_MOD, this.#fd, EPOLLIN | EPOLLONESHOT, DATA_DEVICE)
  }

  #set(operation: number, fd: number, events: number, data: number): void {
    const event = new Uint32Array(4)
    event[0] = events
    event[EVENT_DATA / 4] = data
    this.#control(this.#epoll, operation, fd, new Uint8Array(event.buffer))
  }

  #readOther(data: number): void {
    const other = this.#others.get(data)
    if (this.#closed || other === undefined) return
    try {
      other.readable()
    } catch (error) {
      surface(error)
    }
    // It may have been given up meanwhile, or the watcher closed.
    if (!this.#closed && this.#others.has(data)) this.#set(EPOLL_CTL_MOD, other.fd, EPOLLIN | EPOLLONESHOT, data)
  }

  ref(): void {
    this.#worker.ref()
  }

  unref(): void {
    this.#worker.unref()
  }

  also(fd: number, readable: () => void): () => void {
    const data = this.#nextOther++
    this.#others.set(data, { fd, readable })
    this.#set(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, data)
    return () => {
      if (this.#others.delete(data) && !this.#closed) this.#set(EPOLL_CTL_DEL, fd, 0, data)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    open.delete(this)
    // An eventfd takes eight bytes, a count in the machine's order. The thread ends.
    const one = new Uint8Array(new BigUint64Array([1n]).buffer)
    this.#libc.write(this.#stop, this.#libc.addressOf(one), one.length)
  }
}
