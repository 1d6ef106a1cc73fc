/**
 * What a command on a host is, and what it is given: no device, no process and no stream, so that
 * `tungram ping` and the terminal of a simulated host are the same code.
 */
import type { Address } from '../base/address.ts'
import type { Timer } from '../base/clock.ts'
import type { Stack } from '../stack.ts'
import type { OptionDescriptions, OptionValues } from './option.ts'

/** Where a command says what it says, and reads what it reads. */
export interface Terminal {
  /** Prints each as one line; what is no text is shown escaped. */
  print(...lines: readonly string[]): void
  /** Prints a line of JSON. */
  printJson(value: unknown): void
  /** Prints bytes as they are, as far as that is possible. */
  printBytes(bytes: Uint8Array): void
  /** Says something to people that is no output. */
  note(line: string): void
  /** Whether there is room for one more of what cannot be made to wait; if not, it is counted. */
  hasRoom(): boolean
  /** Reads the input, a piece each, to its end. */
  read(piece: (bytes: Uint8Array) => void, end: () => void): void
}

/** The end of what goes on: called by whoever may, the first call counts. */
export interface Run {
  /** `''` when it ended as it should; otherwise what went wrong. */
  end(failure?: string): void
  /** Settled by the first `end`. */
  readonly ended: Promise<string>
}

/** From where a command looks. */
export interface Vantage {
  readonly run: Run
  readonly stack: Stack
  /** Whether time is simulated, so that something without end has none. */
  readonly isSimulated: boolean
  /**
   * Whether it looks from a device: what cannot be reached when its routers were asked, will not be
   * later either.
   */
  readonly isOnDevice: boolean
  /** Milliseconds. */
  now(): number
  schedule(delay: number, callback: () => void): Timer
  /** Waits for a way to an address, where one may come, and throws where there is none. */
  reach?(address: Address, nic: number): Promise<void>
}

/** A command whose words were read. */
export interface Job {
  /**
   * Begins; `vantage.run` ends it, by the job itself or by others.
   * @returns what gives back what it holds
   */
  begin(vantage: Vantage): Promise<() => void>
  /**
   * Behind the end: prints what is left to say. @returns the exit code
   * @throws {Error} when `failure` says what went wrong
   */
  finish(failure: string): number
}

/** Options of all commands. */
export interface CommonValues {
  ipv4?: true
  ipv6?: true
  json?: true
}

export interface HostCommand<Options extends OptionDescriptions = OptionDescriptions> {
  /** What stands behind its name: `HOST [options]`. */
  readonly usage: readonly string[]
  /** What it does, a paragraph each. */
  readonly about: readonly string[]
  readonly options: Options
  /** @throws {UsageError} before anything is done */
  read(values: OptionValues<Options> & CommonValues, positionals: readonly string[], terminal: Terminal): Job
}

/** A run that nothing but `end` ends. */
export function startRun(): Run {
  let end: (failure: string) => void = () => {}
  const ended = new Promise<string>((settle) => {
    end = settle
  })
  return { end: (failure = '') => end(failure), ended }
}
