/** `tungram run`: a Node program whose node:dgram is tungram's. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { resolve as resolvePath } from 'node:path'
import { readConfig } from '../socket-api/process/config.ts'
import { type CommandDescription, option, readCommandLine } from './command-line.ts'
import { hostGroupOptions, networkOptions } from './run-net-options.ts'
import { UsageError } from './usage.ts'

const options = {
  config: option(
    '--config <FILE|JSON>',
    'what the stack is like: a file, or the JSON itself; sets TUNGRAM_CONFIG (see docs/drop-in.md)',
  ),
} as const

export const description: CommandDescription = {
  usage: [
    'run [--config FILE|JSON] -- COMMAND [argument …]',
    'run --net FILE [options] --on HOST [--after TIME] -- COMMAND … [--on HOST -- COMMAND …]',
  ],
  about: [
    "Runs a command in which every Node process, such as 'node app.js' or 'npm start', has tungram's sockets " +
      "in place of node:dgram's. The exit code is the command's.",
    'With --net, any programs of the machine run on hosts of a scenario (see docs/programs.md): each host is a ' +
      'network namespace of its own, without root. Without --on, the file says which (programs:). The run ends ' +
      'with its last program and all that have --expect; then the others are ended.',
  ],
  groups: [
    { title: 'Options', options },
    { title: 'With --net', options: networkOptions },
    { title: 'Programs on hosts', options: hostGroupOptions },
  ],
  examples: [
    'tungram run -- node app.js',
    'tungram run --net examples/scenarios/bufferbloat.yaml --on home -- ping -c 3 server',
    'tungram run --net lab.yaml --on server -- iperf3 -s --on client --after 1s -- iperf3 -c server',
  ],
}

export async function run(args: string[]): Promise<number> {
  const own = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length)
  if (own.some((word) => word === '--net' || word.startsWith('--net=')))
    return (await import('./run-net.ts')).runOnNetwork(args)
  const { values, positionals } = readCommandLine(args, options, { allowPositionals: true })
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
