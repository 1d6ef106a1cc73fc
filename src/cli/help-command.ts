/** `tungram help`: what it is; the command itself is a word of the main program. */
import type { CommandDescription } from './command-line.ts'
import { UsageError } from './usage.ts'

export const description: CommandDescription = {
  usage: ['help [COMMAND]'],
  about: ["Prints a command's usage and options, as 'tungram COMMAND --help' does; without a command, all commands."],
  groups: [],
  examples: ['tungram help sim'],
  completes: 'commands',
}

export async function run(): Promise<number> {
  throw new UsageError('name one command')
}
