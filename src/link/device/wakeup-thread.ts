/**
 * The program of the thread that waits for a device: a worker of `worker-watcher.ts`.
 *
 * It reports the events of an epoll set one at a time (the parent arms each anew) and ends when the
 * stop descriptor is written. The timeout, and the return to the event loop between two waits, are
 * for a parent that is terminated from outside: only there does Node end this thread.
 */
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { Koffi } from './koffi.ts'

/** What the thread is given. */
export interface WakeupTask {
  readonly koffiPath: string
  readonly epoll: number
  /** Which 32-bit word of `struct epoll_event` has the data: it names the descriptor. */
  readonly dataWord: number
  /** The data of the stop descriptor. */
  readonly stop: number
  /** A report is the events plus the data times this. */
  readonly dataShift: number
}

/** Milliseconds. */
const PATIENCE = 1000

const task = workerData as WakeupTask
const koffi = createRequire(task.koffiPath)(task.koffiPath) as Koffi
const epollWait = koffi.load(null).func('int epoll_wait(int epfd, void *events, int max, int timeout)')
const event = new Uint32Array(4)

function wait(): void {
  const count = epollWait(task.epoll, event, 1, PATIENCE)
  if (count > 0) {
    const data = event[task.dataWord] as number
    if (data === task.stop) return
    parentPort?.postMessage(((event[0] as number) & 0xffff) + data * task.dataShift)
  }
  setImmediate(wait)
}

wait()
