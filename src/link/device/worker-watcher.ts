/**
 * A thread blocked in `epoll_wait`, which costs one message per wake-up: for worker threads and
 * runtimes where libuv's default loop is not the program's.
 *
 * It waits on an epoll set and not in `poll`, because a set holds no reference to the device:
 * closing the device removes the interface at once, whatever the thread does.
 */
import { closeSync, openSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { surface } from './surface.ts'
import { openOwned } from './tun-descriptor.ts'
import { type Libc, systemError } from './tun-libc.ts'
import type { WakeupTask } from './wakeup-thread.ts'
import { wakeupThreadFile } from './wakeup-thread-file.ts'
import { addWatcher, LONGEST_RUN, removeWatcher, type Watcher, type WatcherEvents } from './watcher.ts'

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

export class WorkerWatcher implements Watcher {
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

  /** `threadFile` as in {@link wakeupThreadFile}. */
  constructor(libc: Libc, fd: number, events: WatcherEvents, threadFile?: string | URL) {
    const program = wakeupThreadFile(threadFile)
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
      const task: WakeupTask = {
        koffiPath: libc.koffiPath,
        epoll: this.#epoll,
        dataWord: EVENT_DATA / 4,
        stop: DATA_STOP,
        dataShift: DATA_SHIFT,
      }
      this.#worker = new Worker(program, { execArgv: [], workerData: task })
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
      removeWatcher(this)
      events.failed(error)
    })
    // Last, for a 'message' listener references the thread.
    this.#worker.unref()
    addWatcher(this)
  }

  #begin(broken: boolean): void {
    this.#since = performance.now()
    this.#read(broken)
  }

  /**
   * After packets the device is read once more in the next turn, so that under load the thread is
   * not used. From time to time it is, because such a turn keeps the process alive.
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
    removeWatcher(this)
    // An eventfd takes eight bytes, a count in the machine's order. The thread ends.
    const one = new Uint8Array(new BigUint64Array([1n]).buffer)
    this.#libc.write(this.#stop, this.#libc.addressOf(one), one.length)
  }
}
