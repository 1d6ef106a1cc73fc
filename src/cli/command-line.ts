/**
 * What a command is like, described once: from it come the parsing of its arguments, `--help`, the
 * completion of shells and the man pages. Parsing is commander's.
 */
import { CommanderError, Option, Command as Parser } from 'commander'
import { type OptionDescription, type OptionDescriptions, type OptionValues, option } from '../shell/option.ts'
import { UsageError } from './usage.ts'

export {
  type OptionDescription,
  type OptionDescriptions,
  type OptionValues,
  option,
  repeatable,
} from '../shell/option.ts'

/** Options that belong together, under a heading. */
export interface OptionGroup {
  readonly title: string
  readonly options: OptionDescriptions
}

export interface CommandDescription {
  /** How it is called, a form a line, without `tungram`. */
  readonly usage: readonly string[]
  /** What it does, a paragraph each. */
  readonly about: readonly string[]
  /** Arguments that are not options, by their names in `usage`, as far as they need words. */
  readonly arguments?: Readonly<Record<string, string>>
  readonly groups: readonly OptionGroup[]
  /** Whole command lines. */
  readonly examples: readonly string[]
  /** What a shell offers for an argument that is no option; default nothing. */
  readonly completes?: 'files' | 'commands' | readonly string[]
}

export interface Command {
  readonly description: CommandDescription
  /**
   * Gets what stands behind the command's name.
   * @returns the exit code
   * @throws {UsageError} for exit code 2
   */
  run(args: string[], table: CommandTable): Promise<number>
}

/** The commands by their names, in the order of the overview. */
export type CommandTable = ReadonlyMap<string, { readonly summary: string; readonly load: () => Promise<Command> }>

/** Of every command, read by the main program. */
export const QUIET = option('--quiet', 'no notes and no progress on standard error; errors are told')

/** What was written on the command line. */
export interface CommandLine<Options extends OptionDescriptions> {
  readonly values: OptionValues<Options>
  readonly positionals: readonly string[]
}

/**
 * Reads the words behind the command's name. Words behind `--` are positionals whatever they look
 * like.
 * @throws {UsageError} for an option that is not described, with the nearest one that is; for one
 * without its value; for positionals, unless they are allowed
 */
export function readCommandLine<Options extends OptionDescriptions>(
  words: readonly string[],
  options: Options,
  { allowPositionals = false }: { allowPositionals?: boolean } = {},
): CommandLine<Options> {
  const command = parser()
  for (const [name, description] of Object.entries(options)) {
    const option = commanderOption(description)
    if (option.attributeName() !== name)
      throw new Error(`the option '${description.flags}' is described as ${name}, not ${option.attributeName()}`)
    command.addOption(option)
  }
  if (allowPositionals) command.argument('[word...]')
  try {
    command.parse([...words], { from: 'user' })
  } catch (error) {
    throw usageError(error)
  }
  return { values: command.opts() as OptionValues<Options>, positionals: command.args }
}

/** One that throws where it would print or exit. */
function parser(): Parser {
  const command = new Parser().exitOverride().helpOption(false).helpCommand(false).allowExcessArguments(false)
  return command.configureOutput({ writeErr() {}, writeOut() {} })
}

export function commanderOption({ flags, help, isRepeatable }: OptionDescription): Option {
  const option = new Option(flags, help)
  if (isRepeatable) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
  return option
}

/** What commander complains of, in the words of the other complaints. */
function usageError(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error
  const { problem, hint } = complaint(error)
  const sentence = `${problem.charAt(0).toUpperCase()}${problem.slice(1)}`
  return new UsageError(hint === '' ? sentence : `${sentence}: did you mean ${hint}?`)
}

/** The words that are most like one, quoted: `'sim'`, `'send' or 'sim'`; `''` for none. */
export function nearest(word: string, words: readonly string[]): string {
  const command = parser()
  for (const each of words) command.command(each)
  try {
    command.parse([word], { from: 'user' })
    return ''
  } catch (error) {
    if (error instanceof CommanderError) return complaint(error).hint
    throw error
  }
}

/** A second line of commander's message says what is near. */
function complaint({ message }: CommanderError): { problem: string; hint: string } {
  const [first = '', second = ''] = message.replace(/^error: /, '').split('\n')
  const words = /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(second)?.[1]?.split(', ') ?? []
  const quoted = words.map((word) => `'${word}'`)
  const hint = quoted.length < 2 ? (quoted[0] ?? '') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
  return { problem: first.replace(/\.$/, ''), hint }
}
