/** The system calls that namespaces and a precise clock need and Node does not have (koffi). */
import { getPriority } from 'node:os'
import { timerCalls } from '../link/device/timerfd.ts'
import { errnoName, type Libc, loadLibc, systemError } from '../link/device/tun-libc.ts'

export const CLONE_NEWUTS = 0x04000000
export const CLONE_NEWNET = 0x40000000
export const MS_BIND = 4096

export interface SystemCalls {
  readonly libc: Libc
  /** Moves this thread into new namespaces. @throws {Error} with the kernel's `code` */
  unshare(kinds: number): void
  /** Moves this thread into a namespace. @throws {Error} with the kernel's `code` */
  setns(fd: number, kind: number, what: string): void
  sethostname(name: string): void
  /** @throws {Error} with the kernel's `code` */
  mount(source: string, target: string, kind: string, flags: number): void
  /**
   * Lets this thread run before all threads of the usual kind (SCHED_RR), or makes it one of them.
   * @returns whether that is permitted
   */
  setRoundRobin(isFirst: boolean): boolean
  /**
   * Lets this thread, of the usual kind, run for `milliseconds` at a time, 0 for the kernel's
   * default (since Linux 6.12, which lets one that wakes up go before those of longer slices).
   */
  setSlice(milliseconds: number): void
  /** A timer of CLOCK_MONOTONIC, which can be polled; -1 when there is none. */
  timerfdCreate(): number
  /** Lets it fire once, `milliseconds` from now; 0 and less at once. */
  timerfdSet(fd: number, milliseconds: number): void
}

/** sched_setattr(2), for which the C library has had a function only since 2024. */
const SCHED_SETATTR = new Map([
  ['x64', 314],
  ['arm64', 274],
  ['riscv64', 274],
  ['loong64', 274],
]).get(process.arch)
const SCHED_FLAG_RESET_ON_FORK = 1n
const SCHED_OTHER = 0
const SCHED_RR = 2
const SCHED_RESET_ON_FORK = 0x40000000

let loaded: SystemCalls | null = null

/** @throws {Error} what `loadLibc` throws */
export function systemCalls(): SystemCalls {
  loaded ??= load()
  return loaded
}

function load(): SystemCalls {
  const libc = loadLibc()
  const { library } = libc
  const unshare = library.func('int unshare(int kinds)')
  const mount = library.func('int mount(str source, str target, str kind, ulong flags, str data)')
  const sethostname = library.func('int sethostname(str name, size_t length)')
  const schedule = library.func('int sched_setscheduler(int pid, int policy, void *param)')
  const syscall = library.func('syscall', 'long', ['long', '...'])
  const timers = timerCalls(libc)
  const fail = (syscall: string, what: string) => {
    const errno = libc.errno()
    return systemError(errno, syscall, `${what} (${errnoName(errno)}).`)
  }
  return {
    libc,
    unshare(kinds) {
      if (unshare(kinds) < 0) throw fail('unshare', 'The kernel refused a new namespace')
    },
    setns(fd, kind, what) {
      if (libc.setns(fd, kind) < 0) throw fail('setns', `${what} cannot be entered`)
    },
    sethostname(name) {
      sethostname(name, Buffer.byteLength(name))
    },
    mount(source, target, kind, flags) {
      if (mount(source, target, kind, flags, null) < 0) throw fail('mount', `Nothing can be mounted on ${target}`)
    },
    setRoundRobin(isFirst) {
      // struct sched_param: the lowest priority of its kind.
      const priority = new Uint8Array(new Int32Array([isFirst ? 1 : 0]).buffer)
      return schedule(0, (isFirst ? SCHED_RR : SCHED_OTHER) | SCHED_RESET_ON_FORK, priority) >= 0
    },
    setSlice(milliseconds) {
      if (SCHED_SETATTR === undefined) return
      // struct sched_attr, its first version; the nice value is what it was.
      const attributes = new DataView(new ArrayBuffer(48))
      attributes.setUint32(0, attributes.byteLength, true)
      attributes.setUint32(4, SCHED_OTHER, true)
      attributes.setBigUint64(8, SCHED_FLAG_RESET_ON_FORK, true)
      attributes.setInt32(16, getPriority(), true)
      attributes.setBigUint64(24, BigInt(Math.round(milliseconds * 1e6)), true)
      syscall(SCHED_SETATTR, 'int', 0, 'void *', new Uint8Array(attributes.buffer), 'uint', 0)
    },
    timerfdCreate: timers.create,
    timerfdSet: timers.set,
  }
}
