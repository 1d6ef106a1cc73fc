/** Man pages (man 7 man) of the command and its subcommands, made from their descriptions. */
import { type CommandDescription, type CommandTable, QUIET } from './command-line.ts'

export interface ManPage {
  /** `tungram-sim.1`. */
  readonly file: string
  readonly text: string
}

const EXIT_CODES = [
  ['0', 'done'],
  ['1', 'failed: the message says why, and what helps'],
  ['2', 'wrong usage'],
  ['130', 'SIGINT interrupted sim or run'],
  ['143', 'SIGTERM did, or the reader of the output has gone'],
] as const

/** One of the command, and one of each subcommand. */
export async function manPages(table: CommandTable, version: string): Promise<ManPage[]> {
  const names = [...table.keys()]
  const pages = await Promise.all(
    [...table].map(async ([name, { summary, load }]) => ({
      file: `tungram-${name}.1`,
      text: subcommandPage(name, summary, (await load()).description, version),
    })),
  )
  return [{ file: 'tungram.1', text: overviewPage(table, names, version) }, ...pages]
}

function overviewPage(table: CommandTable, names: readonly string[], version: string): string {
  return page('tungram', version, 'a UDP/IP stack in a Node process, and networks of them', [
    section('SYNOPSIS', [synopsis('COMMAND [options]')]),
    section(
      'COMMANDS',
      [...table].map(([name, { summary }]) => item(`tungram-${name}(1)`, summary)),
    ),
    section(
      'EXIT STATUS',
      EXIT_CODES.map(([code, meaning]) => item(code, meaning)),
    ),
    section('SEE ALSO', [`.PP\n${names.map((name) => `\\fBtungram\\-${name}\\fR(1)`).join(', ')}\n`]),
  ])
}

function subcommandPage(name: string, summary: string, description: CommandDescription, version: string): string {
  const { usage, about, arguments: words = {}, groups, examples } = description
  const options = groups.flatMap(({ title, options }) => [
    `.SS ${escaped(title)}\n`,
    ...Object.values(options).map(({ flags, help }) => item(flags.replace(/[<>]/g, ''), help)),
  ])
  return page(`tungram-${name}`, version, summary, [
    section('SYNOPSIS', usage.map(synopsis)),
    section(
      'DESCRIPTION',
      about.map((text) => `.PP\n${line(text)}`),
    ),
    section(
      'ARGUMENTS',
      Object.entries(words).map(([word, help]) => item(word, help)),
    ),
    section('OPTIONS', [...options, '.SS Everywhere\n', item(QUIET.flags, QUIET.help)]),
    section(
      'EXAMPLES',
      examples.map((example) => `.PP\n.nf\n${line(example)}.fi\n`),
    ),
    section('SEE ALSO', ['.PP\n\\fBtungram\\fR(1)\n']),
  ])
}

function page(name: string, version: string, summary: string, sections: readonly string[]): string {
  // Without a date: the same sources make the same page.
  const head = `.TH "${name.toUpperCase()}" "1" "" "tungram ${version}" "tungram"\n`
  return `${head}.SH NAME\n${escaped(name)} \\- ${escaped(summary)}\n${sections.join('')}`
}

function section(title: string, parts: readonly string[]): string {
  return parts.length === 0 ? '' : `.SH ${title}\n${parts.join('')}`
}

function synopsis(form: string): string {
  return `.PP\n\\fBtungram\\fR ${escaped(form)}\n`
}

function item(term: string, help: string): string {
  return `.TP\n\\fB${escaped(term)}\\fR\n${line(help)}`
}

function line(text: string): string {
  // A dot or a quote at the start of a line would be a request of troff.
  return `${/^[.']/.test(text) ? '\\&' : ''}${escaped(text)}\n`
}

/** Characters that troff takes for its own, and those beyond ASCII. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll(
      /[^ -~]/gu,
      (char) => `\\[u${(char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
}
