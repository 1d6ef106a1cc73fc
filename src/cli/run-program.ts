/** `tungram run`: a Node program whose node:dgram is tungram's. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { resolve as resolvePath } from 'node:path'
import { readConfig } from '../socket-api/process/config.ts'
import { readArguments, UsageError } from './usage.ts'

export const usage = `Usage: tungram run [--config FILE|JSON] -- COMMAND [argument …]

Runs a command in which every Node process, such as 'node app.js' or 'npm start', has tungram's sockets in place of node:dgram's. The exit code is
the command's.

  --config FILE|JSON     what the stack is like: a file, or the JSON itself; sets TUNGRAM_CONFIG (see docs/drop-in.md)

Example: tungram run -- node app.js
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args,
    options: { config: { type: 'string' } },
    allowPositionals: true,
  })
  const [command, ...rest] = positionals
  if (command === undefined || args[args.length - positionals.length - 1] !== '--')
    throw new UsageError("name the command after '--', such as '-- node app.js'")
  // Always the URL: a path may hold blanks.
  const register = new URL('../socket-api/register.js', import.meta.url).href
  const env = { ...process.env, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${register}`.trim() }
  if (values.config !== undefined) Object.assign(env, { TUNGRAM_CONFIG: config(values.config) })

  const child = spawn(command, rest, { stdio: 'inherit', env })
  // What ends this process ends the command first. A terminal's Ctrl-C reaches both by itself.
  const forward = (signal: NodeJS.Signals) => child.kill(signal)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, forward)
  process.on('SIGINT', process.stdin.isTTY ? () => {} : forward)
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error(`there is no command '${command}'`, { cause: error }) : error),
    )
    child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal as NodeJS.Signals]))
  })
}

/**
 * Told here what is wrong in it, once. A path is made absolute: what runs the program (npm) may do
 * so in another directory.
 */
function config(given: string): string {
  readConfig(given)
  const start = given.trim()[0]
  return start === undefined || start === '{' ? given : resolvePath(given)
}
