import { type CompletedCommand, type CompletedOption, type Offer, quoted } from './completed.ts'

/** For fish: a file `tungram.fish` of its completions. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  return `# fish completion of tungram: tungram completion fish > ~/.config/fish/completions/tungram.fish
complete -c tungram -f
complete -c tungram -n __fish_use_subcommand -l version -d 'the version'
${commands.map(commandLines).join('')}`
}

function commandLines({ name, summary, options, words, runsProgram }: CompletedCommand): string {
  // Only the first word is the command: 'ping' may be a value later on.
  const inside = `-n 'test (count (commandline -opc)) -gt 1; and test (commandline -opc)[2] = ${name}'`
  const first = '-n __fish_use_subcommand'
  const lines = [
    `${first} -a ${name} -d ${fishQuoted(summary)}`,
    ...options.map((option) => `${inside} ${optionWords(option)}`),
    `${inside} -l help -d 'this text'`,
    ...(words.length === 0 ? [] : [`${inside} ${offer(words)}`]),
    // Behind '--' stands a command line of its own.
    ...(runsProgram
      ? [`-n 'contains -- -- (commandline -opc)' -a '(__fish_complete_subcommand --commandline)' -F`]
      : []),
  ]
  return lines.map((line) => `complete -c tungram ${line}\n`).join('')
}

function optionWords({ short, long, help, value }: CompletedOption): string {
  const names = `${short === '' ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`
  const argument = value === null ? '' : value.isOptional ? ` ${offer(value.values)}` : ` -r ${offer(value.values)}`
  return `${names}${argument} -d ${fishQuoted(help)}`
}

function offer(values: Offer): string {
  if (values === 'files') return '-F'
  return values.length === 0 ? '-f' : `-f -a ${quoted(values.join(' '))}`
}

/** In fish a backslash escapes within single quotes too. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
