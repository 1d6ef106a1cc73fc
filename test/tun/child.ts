/**
 * Programs of their own, for what only a process can show: exit, uncaught exceptions, worker
 * threads.
 *
 * Node 20 reads no TypeScript, so the device's sources are compiled once per test file into a
 * directory below `node_modules/` (packages are found from there), which is removed afterwards.
 * Children inherit the network namespace of the test file.
 */
import { execFileSync, spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const directory = `${root}node_modules/.cache/tungram-test-${process.pid}`

/** Compiles `src/link/device/tun.ts` and what it imports; to be called in `beforeAll`. */
export function compile(): void {
  const options =
    '--ignoreConfig --rootDir src --module nodenext --moduleResolution nodenext --target es2023 --types node'.split(' ')
  execFileSync(
    process.execPath,
    [
      `${root}node_modules/typescript/bin/tsc`,
      `${root}src/link/device/tun.ts`,
      '--outDir',
      directory,
      ...options,
      '--rewriteRelativeImportExtensions',
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  )
}

/** To be called in `afterAll`. */
export function removeCompiled(): void {
  rmSync(directory, { recursive: true, force: true })
}

/** Writes a module that has `openTun` imported; returns its path. */
export function script(name: string, body: string): string {
  const tun = pathToFileURL(`${directory}/link/device/tun.js`)
  return writeScript(`${directory}/${name}.mjs`, `import { openTun } from '${tun}'\n${body}`)
}

/** Writes a module as it is; returns its path. */
export function writeScript(path: string, body: string): string {
  writeFileSync(path, body)
  return path
}

export interface Outcome {
  /** Exit code, or `null` when a signal ended it. */
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

/**
 * Runs a module; `line` is called with each line that it writes. One that does not end is killed
 * after `limit` milliseconds, which no test waits for.
 */
export function run(path: string, line: (text: string) => void = () => {}, limit = 100_000): Promise<Outcome> {
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'pipe'], timeout: limit })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const seen = output.split('\n').length
    output += text
    for (const each of output.split('\n').slice(seen - 1, -1)) line(each)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output, errors }))
  })
}
