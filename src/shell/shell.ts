/** The terminal of a host in a network: lines in, and lines out when they are said. */
import { visible, visibleJson } from '../base/visible.ts'
import type { Network } from '../network/network.ts'
import { familyOptions } from './family-options.ts'
import { netstat, routes, table } from './look.ts'
import { mtu } from './mtu.ts'
import { nc } from './nc.ts'
import { ping } from './ping.ts'
import { readOptions } from './read-options.ts'
import { type HostCommand, type Run, startRun, type Terminal } from './terminal.ts'
import { trace } from './trace.ts'
import { UsageError } from './usage.ts'

/** What the terminal of a host knows, besides `help`. */
const COMMANDS: Readonly<Record<string, HostCommand>> = {
  ping: ping as HostCommand,
  trace: trace as HostCommand,
  mtu: mtu as HostCommand,
  nc: nc as HostCommand,
  netstat,
  routes,
}

/** Gets each line at its moment; `time` is milliseconds of the network. */
export type WriteLine = (line: string, time: number) => void

/**
 * The terminal of one host. Commands run while the network's time goes on: nothing here moves it.
 */
export class Shell {
  readonly #network: Network
  readonly #host: string
  readonly #write: WriteLine
  readonly #runs = new Set<Run>()

  /** @throws {Error} when the network has no such host */
  constructor(network: Network, host: string, write: WriteLine) {
    network.stack(host)
    this.#network = network
    this.#host = host
    this.#write = write
  }

  /**
   * Runs a line, such as `ping -c 3 server` or `echo hello | nc server 7`, to its end.
   * @returns the exit code: 0, 1 when it failed, 2 when the line is wrong; the reason is printed
   */
  async execute(line: string): Promise<number> {
    let name = ''
    try {
      const { input, words } = readLine(line)
      name = words[0] ?? ''
      return name === '' ? 0 : await this.#run(name, words.slice(1), input)
    } catch (error) {
      this.#print(`${name === '' ? '' : `${name}: `}${(error as Error).message}`)
      return error instanceof UsageError ? 2 : 1
    }
  }

  /** Ends what runs, as SIGINT does: with its summary. */
  interrupt(): void {
    for (const run of this.#runs) run.end()
  }

  async #run(name: string, words: string[], input: string | null): Promise<number> {
    if (name === 'echo') return this.#print(words.join(' '))
    if (name === 'help') return this.#print(...help(words[0]))
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (command === undefined) throw new UsageError("there is no such command: 'help' shows what there is")
    const { values, positionals } = readOptions(words, { ...familyOptions, ...command.options })
    if (values.ipv4 && values.ipv6) throw new UsageError('-4 and -6 exclude each other')
    const job = command.read(values, positionals, this.#terminal(input))
    const network = this.#network
    const run = startRun()
    this.#runs.add(run)
    try {
      const end = await job.begin({
        run,
        stack: network.stack(this.#host),
        isSimulated: true,
        isOnDevice: false,
        now: () => network.now,
        schedule: (delay, callback) => network.at(network.now + delay, callback),
      })
      const failure = await run.ended
      end()
      return job.finish(failure)
    } finally {
      run.end()
      this.#runs.delete(run)
    }
  }

  #terminal(input: string | null): Terminal {
    const print = (...lines: readonly string[]) => this.#print(...lines)
    return {
      print,
      printJson: (value) => this.#write(visibleJson(value), this.#network.now),
      printBytes: (bytes) => print(...new TextDecoder().decode(bytes).replace(/\n$/, '').split('\n')),
      note: print,
      hasRoom: () => true,
      read(piece, end) {
        if (input !== null) piece(new TextEncoder().encode(input))
        end()
      },
    }
  }

  #print(...lines: readonly string[]): 0 {
    for (const line of lines) this.#write(visible(line), this.#network.now)
    return 0
  }
}

/** @throws {UsageError} */
function help(name: string | undefined): string[] {
  if (name === undefined)
    return [
      ...table(
        Object.entries(COMMANDS).map(([each, { usage, about }]) => [`${each} ${usage[0]}`, firstSentence(about)]),
      ),
      "'help COMMAND' shows its options; 'echo TEXT | nc HOST PORT' sends a text",
    ]
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) throw new UsageError(`there is no command '${name}': 'help' shows what there is`)
  const options = Object.values({ ...command.options, ...familyOptions })
  return [
    ...command.usage.map((usage) => `usage: ${name} ${usage}`.trimEnd()),
    ...command.about,
    ...table(options.map(({ flags, help }) => [`  ${flags.replace(/[<>]/g, '')}`, help])),
  ]
}

function firstSentence([about = '']: readonly string[]): string {
  return about.split(/(?<=\.) |: /)[0] as string
}

/** @throws {UsageError} for a quote without its end, and a pipe from something else than `echo` */
function readLine(line: string): { input: string | null; words: string[] } {
  const all = wordsOf(line)
  const pipe = all.indexOf(PIPE)
  const words = (each: readonly (string | symbol)[]) => each.map(String)
  if (pipe < 0) return { input: null, words: words(all) }
  if (all[0] !== 'echo' || all.lastIndexOf(PIPE) !== pipe || all[pipe + 1] !== 'nc')
    throw new UsageError("a pipe leads from echo to nc: 'echo TEXT | nc HOST PORT'")
  return { input: `${words(all.slice(1, pipe)).join(' ')}\n`, words: words(all.slice(pipe + 1)) }
}

const PIPE = Symbol('|')

/** Words between blanks; what is quoted is one, and stays as it is. */
function wordsOf(line: string): (string | symbol)[] {
  const words: (string | symbol)[] = []
  for (const [piece] of line.matchAll(/(?:[^\s'"|]|'[^']*'|"[^"]*")+|\||['"]/g)) {
    if (piece === '|') words.push(PIPE)
    else if (piece === "'" || piece === '"') throw new UsageError(`the quote ${piece} has no end`)
    else words.push(piece.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double))
  }
  return words
}
