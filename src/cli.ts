#!/usr/bin/env node
/**
 * The command `tungram`: finds the subcommand's file and turns its outcome into an exit code: 0
 * done, 1 failed, 2 wrong usage.
 */
import { readFileSync } from 'node:fs'
import { visible } from './base/visible.ts'
import { complain, endWithReader, flushOutput, note, watchReaders } from './cli/output.ts'
import { UsageError } from './cli/usage.ts'

interface Command {
  /** The usage text, shown by `--help` and after a usage error. */
  readonly usage: string
  /** @returns the exit code */
  run(args: string[]): Promise<number>
}

/** Loaded one at a time, so that a command starts without the others' code. */
const commands: Record<string, { summary: string; load: () => Promise<Command> }> = {
  demo: { summary: 'show the stack at work, in ten seconds', load: () => import('./cli/demo.ts') },
  echo: { summary: 'UDP echo service on a TUN device', load: () => import('./cli/echo.ts') },
  recv: { summary: 'receive datagrams from a TUN device', load: () => import('./cli/recv.ts') },
  send: { summary: 'send datagrams into a TUN device', load: () => import('./cli/send.ts') },
  run: {
    summary: 'run a Node program on tungram, or any programs on the hosts of a scenario',
    load: () => import('./cli/run-program.ts'),
  },
  sim: { summary: 'run a scenario file: a simulated network and who sends what', load: () => import('./cli/sim.ts') },
  ping: { summary: 'ping a host, from a device or on a scenario', load: () => import('./cli/ping.ts') },
  trace: { summary: 'the routers on the way to a host', load: () => import('./cli/trace.ts') },
  mtu: { summary: 'the path MTU to a host, and the hop that limits it', load: () => import('./cli/mtu.ts') },
  nc: { summary: 'standard input and output over UDP', load: () => import('./cli/nc.ts') },
  dump: { summary: 'decode a capture file, or what a TUN device receives', load: () => import('./cli/dump.ts') },
}

const overview = `Usage: tungram COMMAND [options]

Commands:
${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(6)}${summary}`)
  .join('\n')}

'tungram COMMAND --help' shows a command's options, 'tungram --version' the version.
`

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    ;(name === undefined ? process.stderr : process.stdout).write(overview)
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    process.stdout.write(`${JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version}\n`)
    return 0
  }
  const found = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (found === undefined) {
    process.stderr.write(`tungram: there is no command '${visible(name)}'\n\n${overview}`)
    return 2
  }
  const command = await found.load()
  // What stands behind '--' is for the program that is run.
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (own.includes('--help') || own.includes('-h')) {
    process.stdout.write(command.usage)
    return 0
  }
  try {
    return await command.run(rest)
  } catch (error) {
    if (error instanceof UsageError) {
      note(`tungram ${name}: ${error.message}`)
      process.stderr.write(`\n${command.usage}`)
      return 2
    }
    const message = error instanceof Error ? error.message : String(error)
    flushOutput()
    complain(`tungram ${name}: ${message}`)
    return 1
  }
}

watchReaders()
const code = await main(process.argv.slice(2))
flushOutput()
// What was complained of meanwhile has set one.
if (code !== 0) process.exitCode = code
endWithReader()
