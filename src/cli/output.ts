/**
 * What the commands say, in one place: words and colours for people, JSON for programs. Text from
 * outside is shown escaped, a reader that is slower than the command is waited for, and one that
 * has gone ends it.
 */
import { once } from 'node:events'
import { styleText } from 'node:util'
import { visible, visibleJson } from '../base/visible.ts'
import type { Terminal } from '../shell/terminal.ts'
import { plural } from '../shell/words.ts'

export { plural } from '../shell/words.ts'

/**
 * Whether a stream wants colours: a terminal, unless NO_COLOR (https://no-color.org) is set; any
 * stream, or none, when FORCE_COLOR says so, which goes before as in Node (`tty.getColorDepth`).
 */
export function colored(stream: NodeJS.WriteStream): boolean {
  const { FORCE_COLOR, NO_COLOR } = process.env
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return stream.isTTY === true && !NO_COLOR
}

/** Columns of a stream: a terminal's own, else those that COLUMNS says, else 80. */
export function columns(stream: NodeJS.WriteStream): number {
  if (stream.isTTY === true && stream.columns > 0) return stream.columns
  const told = Number(process.env.COLUMNS)
  return Number.isInteger(told) && told >= 20 ? told : 80
}

export function style(format: Parameters<typeof styleText>[0], text: string, enabled: boolean): string {
  return enabled ? styleText(format, text, { validateStream: false }) : text
}

// ── standard output ──

/** Bytes that may wait for a slow reader where nothing can make the sender wait. */
const MOST_WAITING = 4 << 20

/** Lines of one turn, written together. */
let collected: string[] = []
let collectedLength = 0
const TOGETHER = 1 << 16

/** Prints each as one line, whatever is in it. */
export function print(...lines: readonly string[]): void {
  for (const line of lines) printStyled(visible(line))
}

/** Prints what {@link style} has coloured, whose text from outside is escaped already. */
export function printStyled(line: string): void {
  if (collectedLength === 0) setImmediate(flushOutput)
  collected.push(line)
  collectedLength += line.length + 1
  if (collectedLength >= TOGETHER) flushOutput()
}

/** Prints a line of JSON. */
export function printJson(value: unknown): void {
  printStyled(visibleJson(value))
}

/** Writes bytes as they are; on a terminal what is no text is shown escaped. */
export function printBytes(bytes: Uint8Array): void {
  flushOutput()
  if (!process.stdout.isTTY) process.stdout.write(bytes)
  else
    process.stdout.write(
      new TextDecoder()
        .decode(bytes)
        .split(/(?<=[\n\t])/)
        .map(shown)
        .join(''),
    )
}

function shown(piece: string): string {
  const last = piece.at(-1)
  return last === '\n' || last === '\t' ? visible(piece.slice(0, -1)) + last : visible(piece)
}

/** Hands what was printed to the system. */
export function flushOutput(): void {
  if (collectedLength === 0) return
  const lines = collected
  collected = []
  collectedLength = 0
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Whether more can be printed before {@link outputReady} is to be awaited. */
export function outputIsFull(): boolean {
  return process.stdout.writableNeedDrain
}

/** Resolves when the reader has taken what waits. */
export async function outputReady(): Promise<void> {
  flushOutput()
  if (!process.stdout.writableNeedDrain || process.stdout.destroyed) return
  try {
    await once(process.stdout, 'drain')
  } catch {
    // There is nobody to wait for any more: the listener for errors ends the command.
  }
}

/**
 * For what comes from a network and cannot be made to wait: counts lines that a reader too slow for
 * them does not get.
 */
export class LiveOutput {
  /** How many were not printed. */
  lost = 0

  /** Whether there is room for one more; if not, it is counted as lost. */
  hasRoom(): boolean {
    if (process.stdout.writableLength < MOST_WAITING) return true
    this.lost++
    return false
  }

  /** Says at the end what was lost, which is a failure. */
  end(noun: string): void {
    if (this.lost > 0) complain(`${plural(this.lost, noun)} not printed: the reader of the output is too slow`)
  }
}

/** Whether the reader of the output has gone. */
let readerGone = false

/**
 * A reader that has gone (`tungram recv … | head -1`) ends the command as SIGTERM does; what it
 * still writes goes nowhere.
 */
export function watchReaders(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') {
      if (!readerGone) process.stderr.write(`tungram: standard output cannot be written: ${visible(error.message)}\n`)
      process.exit(1)
    }
    if (!readerGone) process.kill(process.pid, 'SIGTERM')
    readerGone = true
  })
  // Nobody is left who could be told.
  process.stderr.on('error', () => {})
}

/** Ends the process as SIGTERM does when its output had no reader to the end. */
export function endWithReader(): void {
  if (!readerGone) return
  process.removeAllListeners('SIGTERM')
  process.kill(process.pid, 'SIGTERM')
}

// ── standard error ──

let isQuiet = false

/** From now on neither notes nor progress are written (`--quiet`); errors are. */
export function beQuiet(): void {
  isQuiet = true
}

/** A note to people, in one line. */
export function note(line: string): void {
  if (!isQuiet) process.stderr.write(`${visible(line)}\n`)
}

/** Milliseconds until a run says how far it is, and between two lines where that is no terminal. */
const PROGRESS_AFTER = 2000
const PROGRESS_EVERY = 10_000

/**
 * Says on standard error how far a run is, once it takes longer than two seconds: in one line of a
 * terminal that changes, elsewhere in a line every ten seconds; not while the text is empty.
 * @returns what ends it
 */
export function showProgress(text: () => string): () => void {
  if (isQuiet) return () => {}
  const terminal = process.stderr.isTTY === true
  const begun = performance.now()
  let next = PROGRESS_AFTER
  let isShown = false
  const timer = setInterval(() => {
    if (performance.now() - begun < next) return
    const line = visible(text())
    if (line === '') return
    next = terminal ? 0 : next + PROGRESS_EVERY
    process.stderr.write(terminal ? `\r\x1b[K${line}` : `${line}\n`)
    isShown = true
  }, 200)
  timer.unref()
  return () => {
    clearInterval(timer)
    if (terminal && isShown) process.stderr.write('\r\x1b[K')
    isShown = false
  }
}

/**
 * Something failed without which the command goes on: said at once, and the exit code is 1 in the
 * end.
 */
export function complain(line: string): void {
  process.stderr.write(`${style('red', visible(line), colored(process.stderr))}\n`)
  process.exitCode = 1
}

// ── words ──

/** Counts of one run: `1000 datagrams, 64000 bytes, 0.123 s, 8130/s`. */
export function amount(datagrams: number, bytes: number, seconds: number): string {
  const rate = seconds > 0 ? `, ${Math.round(datagrams / seconds)}/s` : ''
  return `${plural(datagrams, 'datagram')}, ${plural(bytes, 'byte')}, ${seconds.toFixed(3)} s${rate}`
}

/** `drops: UdpNoPort 3, IpChecksum 1`, or `no drops`. */
export function dropsText(drops: Record<string, number>): string {
  const entries = Object.entries(drops)
  return entries.length === 0
    ? 'no drops'
    : `drops: ${entries.map(([reason, count]) => `${reason} ${count}`).join(', ')}`
}

// ── what commands on a host are given ──

/** Standard output and input; `before` is called before anything is printed. */
export function terminal(before = () => {}): Terminal {
  return {
    print(...lines) {
      before()
      print(...lines)
    },
    printJson(value) {
      before()
      printJson(value)
    },
    printBytes,
    note,
    hasRoom: () => true,
    read(piece, end) {
      process.stdin.on('data', piece)
      process.stdin.on('end', end)
    },
  }
}
