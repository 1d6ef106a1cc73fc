/**
 * What is done in a run besides its scenario: lines of terminals, programs of JavaScript and
 * captures that are replayed, each on its host at its time. They are a part of what the run is made
 * of, so that it stays the same whenever it is run.
 */
import type { Network } from '../network/network.ts'
import { Cell } from './cell.ts'
import { Shell } from './shell.ts'

export interface Program {
  readonly host: string
  /** When it begins, in milliseconds. */
  readonly at: number
  /** A line of the host's terminal, such as `ping server`; or none. */
  readonly line?: string
  /** The source of a program, where there is no line. */
  readonly code?: string
  /** A capture, pcapng or pcap, whose packets the host sends again; and what it is called. */
  readonly capture?: Uint8Array
  readonly name?: string
}

/** A line that a program has printed. */
export interface Said {
  /** Its place in the list of programs. */
  readonly program: number
  readonly time: number
  readonly line: string
}

/** Lines of one program that are kept. */
const LINES = 5000

/** The programs of a run. */
export interface RunningPrograms {
  /** All that was said until now, in the order of time. */
  readonly said: readonly Said[]
  /**
   * Takes an error that nobody caught, if a program threw it. The platform has to hand it over:
   * only it hears of a promise that nobody waits for.
   */
  takes(error: unknown): boolean
  /** Ends what still runs, as SIGINT would, and lets it say its last. */
  end(): void
}

/**
 * Puts programs on a network in virtual time, before that begins. With code among them the
 * platform's timers and clocks follow the network, until it is closed.
 * @param ran is called whenever a piece of a program has run
 * @throws {Error} for a host that is not there, and a time that is none
 */
export function startPrograms(network: Network, programs: readonly Program[], ran = () => {}): RunningPrograms {
  const said: Said[] = []
  const cells: Cell[] = []
  const shells: Shell[] = []
  if (programs.some(({ code }) => code !== undefined)) network.installTimers({ random: true })
  for (const [index, { host, at, line, code, capture, name = 'a capture' }] of programs.entries()) {
    if (!(at >= 0 && at < Number.POSITIVE_INFINITY))
      throw new RangeError(
        `A program begins at a time from 0 on, in milliseconds, not at ${at} (program ${index} on ${host}).`,
      )
    const write = keeping(said, index)
    const print = (text: string) => {
      write(text, network.now)
      ran()
    }
    if (code !== undefined) {
      const cell = new Cell({ stack: network.stack(host), source: code, print, ran }, index)
      cells.push(cell)
      network.at(at, () => cell.start())
    } else if (line !== undefined) {
      const shell = new Shell(network, host, print)
      shells.push(shell)
      network.at(at, () => void shell.execute(line))
    } else if (capture !== undefined) network.at(at, () => print(replayed(network, host, capture, name)))
    else throw new TypeError(`A program has a line or code, or a capture, and the one on ${host} at ${at} ms has none.`)
  }
  return {
    said,
    takes: (error) => cells.some((cell) => cell.owns(error)),
    end() {
      for (const cell of cells) cell.end()
      for (const shell of shells) shell.interrupt()
    },
  }
}

/** @returns what is said of it */
function replayed(network: Network, host: string, capture: Uint8Array, name: string): string {
  try {
    return `${network.replay(host, capture)} packets of ${name} are sent again`
  } catch (error) {
    return `${name} cannot be replayed: ${(error as Error).message}`
  }
}

function keeping(said: Said[], program: number): (line: string, time: number) => void {
  let count = 0
  return (line, time) => {
    count++
    if (count <= LINES) said.push({ program, time, line })
    else if (count === LINES + 1) said.push({ program, time, line: `… only ${LINES} lines are kept` })
  }
}
