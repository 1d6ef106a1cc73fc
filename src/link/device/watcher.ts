/**
 * Who tells that a descriptor has something to read: what a watcher is, and the list of the open
 * ones, which are stopped when the process exits.
 */

export interface Watcher {
  readonly events: WatcherEvents
  ref(): void
  unref(): void
  /**
   * Watches one more descriptor, which keeps nothing alive, until the returned function is called
   * or the watcher is closed.
   */
  also(fd: number, readable: () => void): () => void
  /**
   * Looks away from the descriptor, and calls `readable` after that time, whatever is there; unless
   * that rests again, it is watched as before. Where there is no such function, or it fails, the
   * watcher goes on as ever.
   */
  rest?(milliseconds: number): void
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

/**
 * Milliseconds for which turns that follow each other may keep the process alive, whatever else
 * does: after that the loop may end once, so that an endless flood does not hold a program that is
 * done.
 */
export const LONGEST_RUN = 100

/**
 * Open watchers. At exit they are stopped: the loop may turn once more when no JavaScript can run,
 * and Node waits for its threads.
 */
const open = new Set<Watcher>()
let exitHook = false

export function addWatcher(watcher: Watcher): void {
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

export function removeWatcher(watcher: Watcher): void {
  open.delete(watcher)
}
