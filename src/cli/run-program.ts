/** `tungram run`: a Node program whose node:dgram is tungram's. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { resolve as resolvePath } from 'node:path'
import { readConfig } from '../socket-api/process/config.ts'
import { readArguments, UsageError } from './usage.ts'

export const usage = `Usage: tungram run [--config FILE|JSON] -- COMMAND [argument …]
       tungram run --net FILE [options] --on HOST [--after TIME] -- COMMAND … [--on HOST -- COMMAND …]

Runs a command in which every Node process, such as 'node app.js' or 'npm start', has tungram's
sockets in place of node:dgram's. The exit code is the command's.

  --config FILE|JSON     what the stack is like: a file, or the JSON itself; sets TUNGRAM_CONFIG (see docs/drop-in.md)

With --net, any programs of the machine run on hosts of a scenario (see docs/programs.md): each host
is a network namespace of its own, without root. Without --on, the file says which (programs:). The
run ends with its last program and all that have --expect; then the others are ended.

  --net FILE             the scenario
  --seed SEED            instead of the scenario's
  --capture FILE.pcapng  write what passes on all links to a file for Wireshark
  --report FILE.html     write a page for the browser; --ladder N packets in it, default 100
  --explain              print the life of the first packet that was discarded at each place for each reason
  --max-lag TIME         fail when the network was late by more
  --json                 print JSON; the programs' output goes to standard error

  --on HOST              the host, followed by what is to run there:
  --after TIME           when it is started, such as 1s; default at once
  --expect CODE          the exit code that is a success; the run waits for it
  --env NAME=VALUE       an environment variable; repeatable
  --cwd DIRECTORY        where it runs
  --interactive, -i      it has the terminal: for a shell
  --netns NAME|PATH      the host is a namespace that is there already, of 'ip netns' or
                         /proc/PID/ns/net; a command may follow

Examples: tungram run -- node app.js
          tungram run --net examples/scenarios/bufferbloat.yaml --on home -- ping -c 3 server
          tungram run --net lab.yaml --on server -- iperf3 -s --on client --after 1s -- iperf3 -c server
`

export async function run(args: string[]): Promise<number> {
  const own = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length)
  if (own.some((word) => word === '--net' || word.startsWith('--net=')))
    return (await import('./run-net.ts')).runOnNetwork(args)
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
