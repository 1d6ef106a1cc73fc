/** `tungram completion`: the completion of a shell, made from the descriptions of all commands. */
import type { CommandDescription, CommandTable, OptionDescription } from './command-line.ts'
import { QUIET, readCommandLine } from './command-line.ts'
import { bashCompletion } from './completion/bash.ts'
import type { CompletedCommand, CompletedOption } from './completion/completed.ts'
import { fishCompletion } from './completion/fish.ts'
import { zshCompletion } from './completion/zsh.ts'
import { onlyOne, UsageError } from './usage.ts'

const SHELLS: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

export const description: CommandDescription = {
  usage: ['completion bash|zsh|fish'],
  about: [
    'Prints a script that makes the shell complete the commands, options and values of tungram. In ~/.bashrc: ' +
      'source <(tungram completion bash). In ~/.zshrc, behind compinit: source <(tungram completion zsh). For fish: ' +
      'tungram completion fish > ~/.config/fish/completions/tungram.fish',
  ],
  groups: [],
  examples: ['source <(tungram completion bash)'],
  completes: Object.keys(SHELLS),
}

export async function run(args: string[], table: CommandTable): Promise<number> {
  const { positionals } = readCommandLine(args, {}, { allowPositionals: true })
  const names = Object.keys(SHELLS).join(', ')
  const shell = onlyOne(positionals, `name one shell: ${names}`)
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined
  if (script === undefined) throw new UsageError(`there is no completion for '${shell}', but for ${names}`)
  process.stdout.write(script(await completedCommands(table)))
  return 0
}

/** What a shell needs of the descriptions. */
async function completedCommands(table: CommandTable): Promise<CompletedCommand[]> {
  const names = [...table.keys()]
  return Promise.all(
    [...table].map(async ([name, { summary, load }]) => {
      const { groups, completes = [], usage } = (await load()).description
      const options = [...groups.flatMap(({ options }) => Object.values(options)), QUIET].map(completedOption)
      return {
        name,
        summary,
        // Some options stand in two groups.
        options: [...new Map(options.map((option) => [option.long, option])).values()],
        words: completes === 'files' ? 'files' : completes === 'commands' ? names : completes,
        runsProgram: usage.some((form) => form.includes(' -- ')),
      }
    }),
  )
}

function completedOption({ flags, help, isRepeatable, choices }: OptionDescription): CompletedOption {
  const [, short = '', long = '', open = '', name = ''] =
    /^(?:(-\w), )?(--[\w-]+)(?: ([<[])([^>\]]+)[>\]])?$/.exec(flags) ?? []
  const values = choices.length > 0 ? choices : /FILE|DIRECTORY|PATH/.test(name) ? 'files' : []
  // A menu has little room: the first clause.
  return {
    short,
    long,
    help: help.split(/[;:,] /)[0] as string,
    isRepeatable,
    value: open === '' ? null : { name, isOptional: open === '[', values },
  }
}
