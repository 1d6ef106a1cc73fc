/**
 * A network namespace that has no name: it lives as long as descriptors and processes hold it, so
 * that nothing is left behind, however they end. It comes with a host name of its own (a UTS
 * namespace).
 *
 * A namespace belongs to a thread. Whoever works in one does so synchronously, between two calls of
 * `setns`: devices that are opened, requests to the kernel, and processes that are started
 * meanwhile are in it.
 */
import { closeSync, existsSync, openSync } from 'node:fs'
import { CLONE_NEWNET, CLONE_NEWUTS, systemCalls } from './system-calls.ts'

const HERE = '/proc/thread-self/ns'

export class Namespace {
  readonly #net: number
  /** -1 when it is the one of this process. */
  readonly #uts: number

  private constructor(net: number, uts: number) {
    this.#net = net
    this.#uts = uts
  }

  /** A new, empty one. @throws {Error} with the kernel's `code` */
  static make(hostname: string): Namespace {
    const calls = systemCalls()
    return fromHere(true, () => {
      calls.unshare(CLONE_NEWNET | CLONE_NEWUTS)
      calls.sethostname(hostname)
      return new Namespace(openSync(`${HERE}/net`, 'r'), openSync(`${HERE}/uts`, 'r'))
    })
  }

  /**
   * One that is there already: a path such as `/proc/4711/ns/net`, or a name of `ip netns`.
   * @throws {Error} when there is none
   */
  static open(which: string): Namespace {
    const path = which.includes('/') ? which : `/run/netns/${which}`
    if (!existsSync(path))
      throw new Error(
        which.includes('/')
          ? `There is no network namespace ${which}: its process has ended, or may not be seen.`
          : `No network namespace is named ${which}: 'ip netns add ${which}' makes it; a process's is ` +
              `/proc/PID/ns/net.`,
      )
    try {
      return new Namespace(openSync(path, 'r'), -1)
    } catch (cause) {
      throw new Error(
        `The network namespace ${which} cannot be opened (${(cause as NodeJS.ErrnoException).code}): it belongs ` +
          `to somebody else. Run as root, or inside of its user namespace (nsenter --user ` +
          `--preserve-credentials --target PID).`,
        { cause },
      )
    }
  }

  /**
   * Calls `body`, which is synchronous, with this thread in the namespace.
   * @throws {Error} with the kernel's `code` when it may not be entered
   */
  run<T>(body: () => T): T {
    const calls = systemCalls()
    return fromHere(this.#uts >= 0, () => {
      calls.setns(this.#net, CLONE_NEWNET, 'The network namespace')
      if (this.#uts >= 0) calls.setns(this.#uts, CLONE_NEWUTS, 'The UTS namespace')
      return body()
    })
  }

  /** Processes in it keep it. */
  close(): void {
    closeSync(this.#net)
    if (this.#uts >= 0) closeSync(this.#uts)
  }
}

/** Calls `body` and brings this thread back to where it was. */
function fromHere<T>(withUts: boolean, body: () => T): T {
  const calls = systemCalls()
  const net = openSync(`${HERE}/net`, 'r')
  const uts = withUts ? openSync(`${HERE}/uts`, 'r') : -1
  try {
    return body()
  } finally {
    // A thread that cannot go back would do the next thing in a wrong place: the error goes up.
    calls.setns(net, CLONE_NEWNET, 'The network namespace of before')
    if (uts >= 0) calls.setns(uts, CLONE_NEWUTS, 'The UTS namespace of before')
    closeSync(net)
    if (uts >= 0) closeSync(uts)
  }
}
