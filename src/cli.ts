#!/usr/bin/env node
/**
 * The command `tungram`: finds the subcommand and turns its outcome into an exit code: 0 done, 1
 * failed, 2 wrong usage.
 */
import { readFileSync } from 'node:fs'
import type { Command } from './cli/command-line.ts'
import { commands, nearestCommand } from './cli/commands.ts'
import { helpText, overviewText, usageText } from './cli/help.ts'
import { beQuiet, complain, endWithReader, flushOutput, note, watchReaders } from './cli/output.ts'
import { UsageError } from './cli/usage.ts'

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined) {
    process.stderr.write(overviewText(commands, process.stderr))
    return 2
  }
  if (name === '--help' || name === '-h') return help([])
  if (name === 'help') return help(rest)
  if (name === '--version') {
    process.stdout.write(`${JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version}\n`)
    return 0
  }
  const found = commands.get(name)
  if (found === undefined) return unknown(name)
  const command = await found.load()
  // What stands behind '--' is for the program that is run.
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (own.includes('--help') || own.includes('-h')) {
    process.stdout.write(helpText(name, command.description, process.stdout))
    return 0
  }
  if (own.includes('--quiet')) {
    beQuiet()
    rest.splice(rest.indexOf('--quiet'), 1)
  }
  try {
    return await command.run(rest, commands)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    flushOutput()
    if (error instanceof UsageError) return wrongUsage(name, command, message)
    complain(`tungram ${name}: ${message}`)
    return 1
  }
}

async function help([word, ...others]: readonly string[]): Promise<number> {
  if (word === undefined) {
    process.stdout.write(overviewText(commands, process.stdout))
    return 0
  }
  const name = word === '--help' || word === '-h' ? 'help' : word
  const command = await commands.get(name)?.load()
  if (command === undefined) return unknown(name)
  if (others.length > 0) return wrongUsage('help', await helpCommand(), 'name one command')
  process.stdout.write(helpText(name, command.description, process.stdout))
  return 0
}

function helpCommand(): Promise<Command> {
  return commands.get('help')?.load() as Promise<Command>
}

/** The message comes last, where it is seen. */
function wrongUsage(name: string, { description }: Command, message: string): number {
  process.stderr.write(`${usageText(description, process.stderr)}\n`)
  complain(`tungram ${name}: ${message}`)
  note(`try 'tungram ${name} --help'`)
  return 2
}

function unknown(name: string): number {
  const nearest = nearestCommand(name)
  process.stderr.write('Usage: tungram COMMAND [options]\n\n')
  complain(`tungram: there is no command '${name}'${nearest === '' ? '' : `: did you mean ${nearest}?`}`)
  note("try 'tungram --help'")
  return 2
}

watchReaders()
const code = await main(process.argv.slice(2))
flushOutput()
// What was complained of meanwhile has set one.
if (code !== 0) process.exitCode = code
endWithReader()
