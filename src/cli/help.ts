/**
 * The help of commands, fitted to a width: the layout is commander's, the words are the
 * descriptions'.
 */
import { Command } from 'commander'
import { type CommandDescription, type CommandTable, commanderOption, QUIET } from './command-line.ts'
import { colored, columns, style } from './output.ts'

/** Columns of a line at most, however wide the terminal is: longer ones are hard to read. */
const WIDEST = 100

/** What `tungram NAME --help` prints on a stream. */
export function helpText(name: string, description: CommandDescription, stream: NodeJS.WriteStream): string {
  const { about, arguments: words = {}, groups, examples } = description
  const command = laidOut(new Command(name).helpOption('-h, --help', 'this text'), stream)
  command.addOption(commanderOption(QUIET))
  for (const [word, help] of Object.entries(words)) command.argument(`[${word}]`, help)
  for (const { title, options } of groups)
    for (const each of Object.values(options)) command.addOption(commanderOption(each).helpGroup(`${title}:`))
  command.description(about.join('\n\n'))
  const all = command.helpInformation()
  // Its first lines are one form of usage; the description has all.
  const body = all.slice(all.indexOf('\n\n') + 1)
  return `${usageText(description, stream)}${body}${examplesText(examples, stream)}`
}

/** The forms in which a command is called. */
export function usageText({ usage }: CommandDescription, stream: NodeJS.WriteStream): string {
  const width = widthOf(stream)
  const helper = laidOut(new Command(), stream).createHelp()
  const lines = usage.map((form, index) => {
    const head = index === 0 ? 'Usage: ' : '       '
    const words = form.split(' ')
    const indent = 7 + 'tungram '.length + (words[0]?.length ?? 0) + 1
    const rest = helper
      .boxWrap(tied(words.slice(1).join(' ')), width - indent)
      .replaceAll(TIE, ' ')
      .replaceAll('\n', `\n${' '.repeat(indent)}`)
    return `${style('bold', head, colored(stream))}tungram ${words[0]} ${rest}`.trimEnd()
  })
  return `${lines.join('\n')}\n`
}

/** Stands for a blank at which no line ends. */
const TIE = '\0'

/** An option stays with its value. */
function tied(form: string): string {
  return form.replaceAll(/\[[^\]]*\]|-[\w-]+ [A-Z][\w:.]*/g, (words) => words.replaceAll(' ', TIE))
}

function examplesText(examples: readonly string[], stream: NodeJS.WriteStream): string {
  if (examples.length === 0) return ''
  const title = style('bold', examples.length === 1 ? 'Example:' : 'Examples:', colored(stream))
  // Command lines are copied: they stay whole.
  return `\n${title}\n${examples.map((example) => `  ${example}\n`).join('')}`
}

/** What `tungram --help` prints. */
export function overviewText(commands: CommandTable, stream: NodeJS.WriteStream): string {
  const root = laidOut(new Command('tungram').helpOption(false).helpCommand(false), stream)
  for (const [name, { summary }] of commands) root.command(name).description(summary).helpOption(false)
  const all = root.helpInformation()
  const usage = `${style('bold', 'Usage:', colored(stream))} tungram COMMAND [options]\n`
  const hint = "'tungram help COMMAND' shows a command's options, 'tungram --version' the version."
  return `${usage}${all.slice(all.indexOf('\n\n') + 1)}\n${root.createHelp().boxWrap(hint, widthOf(stream))}\n`
}

function widthOf(stream: NodeJS.WriteStream): number {
  return Math.min(columns(stream), WIDEST)
}

function laidOut(command: Command, stream: NodeJS.WriteStream): Command {
  const width = widthOf(stream)
  const isColored = colored(stream)
  return command
    .configureOutput({
      getOutHelpWidth: () => width,
      getOutHasColors: () => isColored,
    })
    .configureHelp({
      minWidthToWrap: 20,
      // As usage texts write them: --to ADDR:PORT.
      optionTerm: ({ flags }) => flags.replace(/[<>]/g, ''),
      optionDescription: ({ description }) => description,
      argumentTerm: (argument) => argument.name(),
      subcommandTerm: (each) => each.name(),
      styleTitle: (title) => style('bold', title, isColored),
    })
}
