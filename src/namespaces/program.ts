/** One program in a namespace: how it is started, what it prints, how it ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import { checkCommand } from './find-command.ts'
import { TextLines } from './lines.ts'
import type { Namespace } from './namespace.ts'

/** Milliseconds for which output is read that comes behind a program's end. */
const REST = 500

/**
 * A process is started long before its program: to copy this one takes the kernel ten milliseconds
 * and more, in which no packet would go on. It waits for a line, and becomes the program.
 */
const GATE = 3
const WAIT = `read -r go <&${GATE} || exit 0; exec ${GATE}<&-; exec "$@"`

/** A program that is to run. */
export interface ProgramPlan {
  /** The host. */
  readonly on: string
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]]
  /** As the user wrote it. */
  readonly text: string
  /** Milliseconds of the network's time. */
  readonly start: number
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** The exit code that is a success, which the run waits for; `null`: 0, and it does not. */
  readonly expect: number | null
  /** It has the terminal: its input and output are those of this process. */
  readonly isInteractive: boolean
}

/** What became of a program. Times are milliseconds of the network's time. */
export interface ProgramResult {
  on: string
  command: string
  /** `null` when the run ended before its time. */
  started: number | null
  ended: number | null
  /** `null` when a signal ended it. */
  code: number | null
  signal: string | null
  /** Whether it still ran when the run was over, and was ended. */
  stopped: boolean
  /** Whether its end was the one that was expected. */
  ok: boolean
}

/** Takes a line of a program; what it returns is waited for before more is read. */
export type LineSink = (on: string, line: string, isError: boolean) => Promise<void> | null

export class Program {
  readonly plan: ProgramPlan
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #lines: LineSink
  #now: () => number = () => 0
  #startTime: number | null = null
  #endTime: number | null = null
  #code: number | null = null
  #signal: string | null = null
  #stopped = false

  /**
   * Prepares the process of a program, which waits to be started.
   * @throws {Error} when there is no such command
   */
  constructor(plan: ProgramPlan, namespace: Namespace, lines: LineSink) {
    const { on, command, cwd, isInteractive } = plan
    const env = { ...process.env, ...plan.env }
    checkCommand(on, command[0], cwd, env.PATH)
    this.plan = plan
    this.#lines = lines
    const standard = isInteractive
      ? (['inherit', 'inherit', 'inherit'] as const)
      : (['ignore', 'pipe', 'pipe'] as const)
    // A session of its own: what it starts can be ended with it, and Ctrl-C is passed on once.
    this.#child = namespace.run(() =>
      spawn('/bin/sh', ['-c', WAIT, 'sh', ...command], {
        cwd,
        env,
        detached: !isInteractive,
        stdio: [...standard, 'pipe'],
      }),
    )
    this.#gate.on('error', () => {})
    this.#ended = this.#end()
    // Who starts it hears of it.
    this.#ended.catch(() => {})
  }

  get isRunning(): boolean {
    return this.#startTime !== null && this.#endTime === null
  }

  /** Starts it; resolves when it has ended and its output was taken. */
  async run(now: () => number): Promise<void> {
    this.#now = now
    this.#startTime = now()
    this.#gate.end('\n')
    await this.#ended
  }

  /** Passes a signal on to the program and all that it started. */
  stop(signal: NodeJS.Signals): void {
    if (!this.isRunning) return
    this.#stopped = true
    this.#kill(signal)
  }

  /** Ends it, or the process that waits to become it. */
  close(): void {
    if (this.#endTime === null) this.#kill('SIGKILL')
  }

  result(): ProgramResult {
    const { on, text, expect } = this.plan
    const isOpen = this.#stopped || this.#startTime === null
    return {
      on,
      command: text,
      started: rounded(this.#startTime),
      ended: rounded(this.#startTime === null ? null : this.#endTime),
      code: this.#code,
      signal: this.#signal,
      stopped: this.#stopped,
      ok: isOpen ? expect === null : this.#code === (expect ?? 0),
    }
  }

  get #gate(): Writable {
    return this.#child.stdio[GATE] as Writable
  }

  async #end(): Promise<void> {
    const child = this.#child
    const outputs = [this.#read(child.stdout, false), this.#read(child.stderr, true)]
    await new Promise<void>((resolve, reject) => {
      child.on('error', (error) => {
        this.#endTime = this.#now()
        reject(new Error(`the program on ${this.plan.on} cannot be started: ${error.message}`, { cause: error }))
      })
      child.on('exit', (code, signal) => {
        this.#endTime = this.#now()
        this.#code = code
        this.#signal = signal
        // What it started and left behind goes with it, and holds its output no longer.
        this.#kill('SIGKILL')
        resolve()
      })
    })
    // A daemon in a session of its own may hold the output for ever.
    const timer = setTimeout(() => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    }, REST)
    await Promise.allSettled(outputs)
    clearTimeout(timer)
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      // A negative number is the group of processes that began with it.
      process.kill(this.plan.isInteractive ? pid : -pid, signal)
    } catch {
      // It has just ended.
    }
  }

  async #read(stream: NodeJS.ReadableStream | null, isError: boolean): Promise<void> {
    if (stream === null) return
    const { on } = this.plan
    const lines = new TextLines()
    for await (const chunk of stream) {
      for (const line of lines.add(chunk as Buffer)) {
        const waits = this.#lines(on, line, isError)
        if (waits !== null) await waits
      }
    }
    const rest = lines.end()
    if (rest !== '') await this.#lines(on, rest, isError)
  }
}

function rounded(time: number | null): number | null {
  return time === null ? null : Math.round(time * 1000) / 1000
}
