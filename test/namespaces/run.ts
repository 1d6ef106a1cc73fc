/**
 * `tungram run --net` as users start it: by root, and by a user without any privilege.
 *
 * A user needs a `/dev/net/tun` for everybody, as udev makes it. Where the machine's is root's, the
 * run is given one of its own, in a mount namespace that nobody else sees.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, describe } from 'vitest'
import { skipAloud } from '../skips.ts'

const root = join(import.meta.dirname, '../..')

export type User = 'root' | 'nobody'

/** A device for everybody, and then this user. */
const AS_NOBODY = `
  mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 || exit 97
  exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"`
const PREFIX: Readonly<Record<User, readonly string[]>> = {
  root: [],
  nobody: ['unshare', '-m', 'sh', '-c', AS_NOBODY, 'sh'],
}
/** A user may not look into root's own directories. */
const ENV = { ...process.env, PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }

let copy = ''

/**
 * Where the command is for a user. This folder may be in one that is root's alone, so nobody's is a
 * copy of what the command needs. First called outside of tests, for the copy goes with the file.
 */
export function home(user: User): string {
  if (user === 'root') return root
  if (copy !== '') return copy
  copy = mkdtempSync(join(tmpdir(), 'tungram-copy-'))
  afterAll(() => rmSync(copy, { recursive: true, force: true }))
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const packages = Object.keys({ ...dependencies, ...optionalDependencies })
    .map((name) => `node_modules/${name}`)
    .filter((path) => existsSync(join(root, path)))
  for (const each of ['dist', 'examples', 'package.json', ...packages])
    cpSync(join(root, each), join(copy, each), { recursive: true })
  spawnSync('chmod', ['-R', 'a+rX', copy])
  return copy
}

/** Files of a test, which the unprivileged user may read too. */
export class Files {
  readonly directory: string

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'tungram-test-'))
    spawnSync('chmod', ['777', this.directory])
  }

  write(name: string, text: string): string {
    const path = join(this.directory, name)
    writeFileSync(path, text, { mode: 0o644 })
    return path
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export interface Outcome {
  /** `null` when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningLab {
  readonly child: ChildProcess
  /** Settled when the output has this text. */
  says(text: string): Promise<void>
  readonly ended: Promise<Outcome>
}

/** Without the second that a run is warmed up for: see `runWarm`. */
export function start(user: User, args: readonly string[], node = process.execPath): RunningLab {
  return launch(user, [...PREFIX[user], node, 'dist/cli.js', 'run', '--no-warm-up', ...args])
}

/**
 * The same at a terminal (script(1)), where `then` is a command of the shell that comes after it;
 * what is written to the child's input is typed.
 */
export function startAtTerminal(user: User, args: readonly string[], then: string): RunningLab {
  const words = [...PREFIX[user], process.execPath, 'dist/cli.js', 'run', '--no-warm-up', ...args]
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  return launch(user, ['script', '-qec', `${quoted}; ${then}`, '/dev/null'], 'pipe')
}

function launch(user: User, command: readonly string[], input: 'ignore' | 'pipe' = 'ignore'): RunningLab {
  const [file = '', ...rest] = command
  const child = spawn(file, rest, { cwd: home(user), env: ENV, stdio: [input, 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    (child[name] as Readable).setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk
    })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }))
  return {
    child,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => (output.stdout + output.stderr).includes(text) && resolve()
        child.stdout?.on('data', look)
        child.stderr?.on('data', look)
        void ended.then(() => reject(new Error(`'${text}' was not said: ${output.stdout}${output.stderr}`)))
        look()
      }),
  }
}

/** The arguments for a command on one host; a further `'--on', …` may follow in it. */
export function on(net: string, host: string, ...command: string[]): string[] {
  return ['--net', net, '--on', host, '--', ...command]
}

export async function run(user: User, ...args: string[]): Promise<Outcome> {
  return await start(user, args).ended
}

/** As it is by default, and as the documents show it: for times of packets. */
export async function runWarm(user: User, ...args: string[]): Promise<Outcome> {
  return await launch(user, [...PREFIX[user], process.execPath, 'dist/cli.js', 'run', ...args]).ended
}

/** `''` where programs can run for the user, or why not. */
function whyNot(user: User): string {
  const file = new Files()
  const net = file.write('try.yaml', 'hosts: { a: , b: }\nlinks: [{ between: [a, b] }]\n')
  const [command = '', ...before] = [...PREFIX[user], process.execPath]
  const words = ['run', '--no-warm-up', '--net', net, '--on', 'a', '--', 'true']
  const tried = spawnSync(command, [...before, 'dist/cli.js', ...words], {
    cwd: home(user),
    env: ENV,
    encoding: 'utf8',
  })
  file.remove()
  return tried.status === 0 ? '' : (tried.stderr ?? '').trim().split('\n').at(-1) || `exit code ${tried.status}`
}

/** As `describe`, for root and for an unprivileged user; skipped aloud where that is not possible. */
export function describeForUsers(
  name: string,
  body: (user: User) => void,
  users: readonly User[] = ['root', 'nobody'],
): void {
  for (const user of users) {
    const reason = whyNot(user)
    if (reason === '') describe(`${name} (${user})`, () => body(user))
    else skipAloud(`${name} (${user})`, `namespaces as ${user}: ${reason}`)
  }
}

/** Whether a program is there; a test without it is skipped aloud. */
export function has(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { env: ENV }).status === 0
}
