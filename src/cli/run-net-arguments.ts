/**
 * The command line of `tungram run --net`: options of the run first, then a group for each host:
 * `--on HOST [options] -- COMMAND`. A command goes on to the next `--on`.
 */
import type { ForeignHost } from '../namespaces/lab.ts'
import { milliseconds } from '../network/time/duration.ts'
import { readCommandLine } from './command-line.ts'
import { hostGroupOptions, networkOptions } from './run-net-options.ts'
import { integer, UsageError } from './usage.ts'

/** What is to run on one host. */
export interface HostGroup {
  readonly on: string
  /** Empty when only a namespace is joined. */
  readonly command: readonly string[]
  /** Milliseconds. */
  readonly after: number
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly expect: number | null
  readonly netns: string | null
  readonly isInteractive: boolean
}

export interface ProgramsOnHosts {
  readonly values: {
    readonly net: string
    readonly seed?: string | undefined
    readonly capture?: string | undefined
    readonly report?: string | undefined
    readonly explain?: boolean | undefined
    readonly json?: boolean | undefined
  }
  /** Whether packets of no use go first (`namespaces/warm-up.ts`). */
  readonly isWarm: boolean
  /** Packets in the report's ladder. */
  readonly ladder: number
  /** Milliseconds. */
  readonly maxLag: number | null
  readonly groups: readonly HostGroup[]
  readonly foreign: readonly ForeignHost[]
  /** One of the programs has the terminal. */
  readonly isInteractive: boolean
}

/** @throws {UsageError} */
export function readPrograms(args: readonly string[]): ProgramsOnHosts {
  const first = args.indexOf('--on')
  const head = first < 0 ? args : args.slice(0, first)
  const { values } = readCommandLine(head, networkOptions)
  const { net, ladder, maxLag, warmUp, ...others } = values
  if (net === undefined) throw new UsageError('name the scenario: --net FILE')
  if (ladder !== undefined && values.report === undefined) throw new UsageError('--ladder is for --report')
  const groups = first < 0 ? [] : splitGroups(args.slice(first)).map(readGroup)
  const terminals = groups.filter(({ isInteractive }) => isInteractive)
  if (terminals.length > 1) throw new UsageError('one program can have the terminal: give --interactive once')
  if (terminals.length > 0 && values.json === true) throw new UsageError('--json and --interactive exclude each other')
  return {
    values: { ...others, net },
    // An option that begins with `no` is false when it is given, and true otherwise.
    isWarm: (warmUp as boolean | undefined) !== false,
    ladder: integer('ladder', ladder, 0, 10_000) ?? 100,
    maxLag: maxLag === undefined ? null : duration('max-lag', maxLag),
    groups,
    foreign: [],
    isInteractive: terminals.length > 0,
  }
}

/** From each `--on` to the next; one in front of `--` belongs to the group, as a mistake. */
function splitGroups(args: readonly string[]): string[][] {
  const groups: string[][] = []
  for (const word of args) {
    if (word === '--on') groups.push([])
    ;(groups.at(-1) as string[]).push(word)
  }
  return groups
}

function readGroup(words: readonly string[]): HostGroup {
  const dashes = words.indexOf('--')
  const command = dashes < 0 ? [] : words.slice(dashes + 1)
  const { values } = readCommandLine(words.slice(0, dashes < 0 ? words.length : dashes), hostGroupOptions)
  const { on = '', netns = null } = values
  if (command.length === 0 && netns === null)
    throw new UsageError(`name the program on ${on} after '--', such as '--on ${on} -- ping server'`)
  if (values.interactive === true && command.length === 0) throw new UsageError('--interactive is for a program')
  return {
    on,
    command,
    after: values.after === undefined ? 0 : duration('after', values.after),
    env: Object.fromEntries((values.env ?? []).map(variable)),
    cwd: values.cwd ?? process.cwd(),
    expect: integer('expect', values.expect, 0, 255) ?? null,
    netns,
    isInteractive: values.interactive === true,
  }
}

function variable(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`--env takes NAME=VALUE, not '${text}'`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function duration(option: string, text: string): number {
  try {
    return milliseconds(text)
  } catch {
    throw new UsageError(`--${option} takes a time such as 250us, 5ms or 2s, not '${text}'`)
  }
}
