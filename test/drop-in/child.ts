/**
 * Programs as users start them: in a process of their own, with the compiled `tungram/register`
 * before them.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const here = fileURLToPath(new URL('.', import.meta.url))

export interface Outcome {
  /** The exit code, or the signal that ended the program. */
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs Node with the arguments, 30 seconds at most. `config` is put into `TUNGRAM_CONFIG`; an
 * object as JSON. `more` goes into its environment too.
 */
export function runNode(
  args: readonly string[],
  config?: object | string,
  more: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const { TUNGRAM_CONFIG: _, ...env } = { ...process.env, ...more }
  if (config !== undefined) env.TUNGRAM_CONFIG = typeof config === 'string' ? config : JSON.stringify(config)
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, cwd: here, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? 'none'), stdout, stderr }),
    )
  })
}

/**
 * Node's arguments that count the calls of the kernel's UDP; the count is the last line on standard
 * error.
 */
export const counting = ['--require', join(here, 'kernel-sockets.cjs')]
