/** The demo in one drawing: two hosts, and an arrow for each thing that went between them. */
import { visible } from '../base/visible.ts'

/** Columns between the two hosts at least. */
const NARROWEST = 39
/** Columns behind the right host without which no word stands there. */
const WORDS = 23

/** What went between the hosts. */
export interface Arrow {
  /** Which way: from the left to the right, or both. */
  readonly way: 'there' | 'both'
  /** On the arrow. */
  readonly label: string
  /** Behind it: what came of it. */
  readonly outcome: string
}

export class Drawing {
  readonly #width: number
  /** Columns between the hosts. */
  readonly #gap: number

  /** `width`: of the terminal. */
  constructor(width: number) {
    this.#width = width
    this.#gap = Math.max(NARROWEST, Math.min(44, width - WORDS - 24))
  }

  /** The hosts' names over their ends, with their addresses where there is room. */
  hosts(left: string, right: string, leftAddresses: readonly string[], rightAddresses: readonly string[]): string {
    const start = this.#gap + 3
    const own = `  ${left} ${leftAddresses.join(', ')}`
    const other = `${right} ${rightAddresses.join(', ')}`
    const room = own.length < start && start + other.length <= this.#width
    return room ? `${own.padEnd(start)}${other}` : `${`  ${left}`.padEnd(start)}${right}`
  }

  arrow({ way, label, outcome }: Arrow, mark: string): string {
    const begin = way === 'both' ? '◀─ ' : '── '
    const line = `${begin}${visible(label)} `.padEnd(this.#gap - 1, '─')
    const room = this.#width - this.#gap - 8
    return `  │${line}▶│ ${mark} ${room < WORDS ? '' : outcome.slice(0, room)}`.trimEnd()
  }
}

/** Cuts a text at blanks into lines of a width. */
export function fitted(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
