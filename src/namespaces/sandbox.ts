/**
 * The command runs itself again in namespaces of its own, through `unshare` of util-linux: a user
 * namespace can only be entered by a process without threads, which no Node process is.
 *
 *     tungram (outside) ── unshare ── tungram (inside; process 1 of its namespace) ── programs
 *
 * The process inside is the first of a process namespace: with it, the kernel ends all that it
 * started, whatever they have done to escape, and with the last of them the namespaces, devices and
 * mounts are gone. It ends when `unshare` does (--kill-child), and when the lifeline does, a socket
 * whose other end the process outside holds: so no way to end any of the three leaves something.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import type { Writable } from 'node:stream'
import { checkTunDevice, isPrivileged, whyNoNamespaces } from './privilege.ts'
import { hasTerminal, regainTerminal, takeTerminal } from './terminal.ts'

/** Set for the process inside only. */
const INSIDE = 'TUNGRAM_INSIDE'
const LIFELINE = 3

const FLAGS = ['--net', '--uts', '--mount', '--pid', '--fork', '--kill-child'] as const

/**
 * V8's collection of garbage without helper threads: the thread that keeps time would wait for
 * these while the machine is busy with programs, up to 30 ms where its own work is one (Node 20).
 * And less often, with more room for what is young.
 */
const PUNCTUAL = ['--single-threaded-gc', '--min-semi-space-size=16', '--expose-gc'] as const

/** What INSIDE says to a process that is to take the terminal. */
const WITH_TERMINAL = 'terminal'

/** Whether this is the process inside; so it is told once, and programs are not. */
export function isInside(): boolean {
  const { [INSIDE]: inside } = process.env
  delete process.env[INSIDE]
  if (inside === WITH_TERMINAL) takeTerminal()
  return inside !== undefined
}

/**
 * Runs this command again, inside, passes signals on, and waits for its end. The terminal, and its
 * Ctrl-C, is left to what is inside when that `isInteractive`.
 * @returns its exit code
 * @throws {Error} when namespaces or devices cannot be had here, with what to do
 */
export async function runInside(isInteractive: boolean): Promise<number> {
  if (process.platform !== 'linux')
    throw new Error(
      `programs join a network through namespaces of Linux, and this is ${process.platform}: use WSL2 or a virtual ` +
        "machine with Linux; 'tungram sim' and 'tungram run -- node …' work here.",
    )
  checkTunDevice()
  const flags = unshareFlags()
  const leavesTerminal = isInteractive && hasTerminal()
  const command = [process.execPath, ...PUNCTUAL, ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn('unshare', [...flags, '--', ...command], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [INSIDE]: leavesTerminal ? WITH_TERMINAL : 'yes' },
  })
  const lifeline = child.stdio[LIFELINE] as Writable
  lifeline.on('error', () => {})
  const pass = (signal: NodeJS.Signals) => {
    if (!(isInteractive && signal === 'SIGINT')) lifeline.write(`${signal}\n`)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass)
  try {
    return await exitCode(child)
  } finally {
    if (leavesTerminal) regainTerminal()
  }
}

/** Tries it first: what `unshare` says when it fails is not for users. */
function unshareFlags(): string[] {
  const privileged = isPrivileged()
  const flags = [...(privileged ? [] : ['--user', '--map-root-user']), ...FLAGS]
  const tried = spawnSync('unshare', [...flags, '--', 'true'], { encoding: 'utf8' })
  if (tried.error !== undefined) {
    const missing = (tried.error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new Error(
      missing
        ? "the command 'unshare' is not there: install the package util-linux."
        : `'unshare' cannot be run: ${tried.error.message}`,
      { cause: tried.error },
    )
  }
  if (tried.status !== 0) throw new Error(whyNoNamespaces(tried.stderr, privileged))
  return flags
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal as NodeJS.Signals]))
  })
}
