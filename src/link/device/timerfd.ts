/**
 * Timers of the kernel as descriptors (timerfd_create(2)), exact to microseconds where Node's have
 * whole milliseconds: they wake an event loop as a device does.
 */
import type { Libc } from './tun-libc.ts'

export interface TimerCalls {
  /** A timer of CLOCK_MONOTONIC; -1 when there is none. */
  create(): number
  /** Lets it fire once, `milliseconds` from now; 0 and less at once. */
  set(fd: number, milliseconds: number): void
  /** It is readable no more, and does not fire. */
  disarm(fd: number): void
}

const CLOCK_MONOTONIC = 1
const TFD_NONBLOCK = 0o4000
const TFD_CLOEXEC = 0o2000000

let loaded: TimerCalls | null = null

export function timerCalls({ library }: Libc): TimerCalls {
  if (loaded !== null) return loaded
  const create = library.func('int timerfd_create(int clock, int flags)')
  const settime = library.func('int timerfd_settime(int fd, int flags, void *value, void *former)')
  // struct itimerspec: the interval, then the time, each as seconds and nanoseconds.
  const timerspec = new BigInt64Array(4)
  const bytes = new Uint8Array(timerspec.buffer)
  const set = (fd: number, nanoseconds: number) => {
    timerspec[2] = BigInt(Math.floor(nanoseconds / 1e9))
    timerspec[3] = BigInt(nanoseconds % 1e9)
    settime(fd, 0, bytes, null)
  }
  loaded = {
    create: () => create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
    // 0 would disarm it.
    set: (fd, milliseconds) => set(fd, Math.max(1, Math.ceil(milliseconds * 1e6))),
    disarm: (fd) => set(fd, 0),
  }
  return loaded
}
