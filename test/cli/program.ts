/** The program as users start it: compiled, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = new URL('../..', import.meta.url).pathname

/**
 * The program as it is built before the tests (`test/build.ts`), in a folder of its own for what a
 * test adds; `remove` when done. Inside the checkout, so that the program finds its packages.
 */
export function compile(): { cli: string; directory: string; remove(): void } {
  const directory = mkdtempSync(join(root, 'node_modules', '.tungram-'))
  cpSync(join(root, 'dist'), directory, { recursive: true, filter: (path) => !path.endsWith('.d.ts') })
  // A package as the checkout's: programs in it import it by its name, and it finds its `#platform`.
  const { name, version, type, imports, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const described = JSON.stringify({ name, version, type, imports, exports }).replaceAll('./dist/', './')
  writeFileSync(join(directory, 'package.json'), described)
  return { cli: join(directory, 'cli.js'), directory, remove: () => rmSync(directory, { recursive: true }) }
}

export interface Running {
  readonly child: ChildProcess
  /** What was printed until now. */
  readonly output: { stdout: string; stderr: string }
  /** Settled when standard error has this text; rejected when the program ends before. */
  says(text: string): Promise<void>
  /**
   * Sends the signal, if any, and waits for the end; `code` is null when a signal ended the
   * program.
   */
  end(signal?: NodeJS.Signals): Promise<{ code: number | null; stdout: string; stderr: string }>
}

export function start(
  cli: string,
  args: string[],
  input?: string | Buffer,
  settings: Readonly<Record<string, string>> = {},
): Running {
  // On a terminal the runner of the tests tells its children to use colours.
  const { FORCE_COLOR: _, NO_COLOR: __, COLUMNS: ___, ...environment } = process.env
  const child = spawn(process.execPath, [cli, ...args], { stdio: 'pipe', env: { ...environment, ...settings } })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output.stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    output.stderr += chunk
  })
  const closed = once(child, 'close')
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return {
    child,
    output,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => output.stderr.includes(text) && resolve()
        child.stderr.on('data', look)
        closed.then(() => reject(new Error(`'${text}' was not said: ${output.stderr}`)))
        look()
      }),
    async end(signal) {
      if (signal !== undefined) child.kill(signal)
      const [code] = (await closed) as [number | null]
      return { code, ...output }
    },
  }
}
