/**
 * A program of JavaScript as a host: its source is the body of an async function that is given
 * `dgram`, `console` and the like. Its time is the network's.
 */
import * as platform from '#platform'
import { visible } from '../base/visible.ts'
import { createDgram, type DgramModule, type Socket } from '../socket-api/dgram/dgram.ts'
import type { Stack } from '../stack.ts'

/** Names of Node's that are in the program's text, or in what it prints. */
const REQUIRE = 'require'
const BYTES = 'Buffer'
/** What a program may be called back before it is taken to have no end. */
const CALLS = 1_000_000

export interface CellOptions {
  readonly stack: Stack
  readonly source: string
  /** Told of each line that it prints. */
  readonly print: (line: string) => void
  /** Told whenever a piece of it has run. */
  readonly ran: () => void
}

/** What the program sees, by name. */
type Given = Readonly<Record<string, unknown>>
type Callback = (...args: unknown[]) => unknown

/** Its sockets are closed and its callbacks are over when it fails. */
export class Cell {
  readonly #options: CellOptions
  readonly #sockets: Socket[] = []
  /** Names the source in stack traces. */
  readonly #file: string
  #isOver = false
  #calls = 0

  /** `number` tells the programs of one run apart. */
  constructor(options: CellOptions, number: number) {
    this.#options = options
    this.#file = `cell-${number}.js`
  }

  /** Runs it as far as it goes at once; what it waits for comes with the network's time. */
  start(): void {
    const { source, ran } = this.#options
    try {
      const given = this.#given()
      const program = compile(Object.keys(given), source, this.#file)
      program(...Object.values(given)).catch((error: unknown) => this.fail(error))
    } catch (error) {
      this.fail(error)
    }
    ran()
  }

  /** Whether an error that nobody caught came out of this program, which then ends. */
  owns(error: unknown): boolean {
    if (!String((error as Error | null)?.stack).includes(this.#file)) return false
    this.fail(error)
    return true
  }

  /** Prints what went wrong and ends the program. */
  fail(error: unknown): void {
    if (this.#isOver) return
    this.#options.print(visible(faultText(error, this.#file)))
    this.end()
  }

  end(): void {
    this.#isOver = true
    for (const socket of this.#sockets.splice(0)) {
      try {
        socket.close()
      } catch {
        // The program has closed it.
      }
    }
  }

  #given(): Given {
    const { stack, print } = this.#options
    const write = (...values: unknown[]) => {
      for (const line of values.map(shown).join(' ').split('\n')) print(visible(line))
    }
    const dgram = this.#dgram()
    const modules: Given = { dgram, buffer: { Buffer: platform.Buffer }, events: platform.EventEmitter }
    // Looked up when called: the network's own are in their place then.
    const timer =
      (name: 'setTimeout' | 'setInterval') =>
      (callback: unknown, ...rest: unknown[]) =>
        (globalThis[name] as Callback)(this.#guarded(callback), ...rest)
    const setTimer = timer('setTimeout')
    return {
      dgram,
      Buffer: platform.Buffer,
      host: stack.name,
      stack,
      console: { log: write, info: write, debug: write, warn: write, error: write },
      setTimeout: setTimer,
      setInterval: timer('setInterval'),
      setImmediate: (callback: unknown, ...rest: unknown[]) => setTimer(callback, 0, ...rest),
      sleep: (ms: number) => new Promise((resolve) => setTimer(resolve, ms)),
      require: (name: string) => {
        const found = modules[String(name).replace(/^node:/, '')]
        if (found === undefined)
          throw new Error(`There is no module '${name}' here: there are ${Object.keys(modules).join(', ')}.`)
        return found
      },
    }
  }

  /** The host's, whose sockets tell this program of what their listeners throw. */
  #dgram(): DgramModule {
    const { createSocket, Socket } = createDgram(this.#options.stack)
    return {
      Socket,
      createSocket: (...args) => {
        if (this.#isOver) throw new Error('The program is over.')
        const socket = createSocket(...args)
        this.#sockets.push(socket)
        const methods = socket as unknown as Record<string, Callback>
        for (const name of ['emit', 'send', 'sendBatch', 'connect', 'close', 'bind'] as const) {
          const method = methods[name] as Callback
          methods[name] =
            name === 'emit'
              ? (...given) => this.#guarded(method.bind(socket))(...given)
              : (...given) =>
                  method.apply(
                    socket,
                    given.map((each) => this.#guarded(each)),
                  )
        }
        return socket
      },
    }
  }

  /** A callback that does nothing once the program is over, and ends it with what it throws. */
  #guarded<Value>(value: Value): Value extends Callback ? Callback : Value {
    if (typeof value !== 'function') return value as never
    const guarded = (...args: unknown[]): unknown => {
      if (this.#isOver) return undefined
      try {
        if (++this.#calls > CALLS) throw new Error(`it was called back ${CALLS} times: it seems to have no end`)
        return value(...args)
      } catch (error) {
        this.fail(error)
        return undefined
      } finally {
        this.#options.ran()
      }
    }
    return guarded as never
  }
}

// ── source and errors ──

const AsyncFunction = (async () => {}).constructor as new (...words: string[]) => (...given: unknown[]) => Promise<void>

/**
 * In a block, which may have names of its own that are those of what is given.
 * @throws {SyntaxError} and {Error} where the platform lets no text become code
 */
function compile(names: readonly string[], source: string, file: string): (...given: unknown[]) => Promise<void> {
  try {
    return new AsyncFunction(...names, `{\n${withoutImports(source)}\n}\n//# sourceURL=${file}`)
  } catch (error) {
    if ((error as Error).name !== 'EvalError') throw error
    throw new Error("This page may not run code: its Content Security Policy needs script-src 'unsafe-eval'.")
  }
}

/** `import dgram from 'node:dgram'` as a call, in the same line. */
function withoutImports(source: string): string {
  return source.replaceAll(
    /^import\s+(\w+|\*\s+as\s+\w+|\{[^}\n]*\})\s+from\s+(['"][^'"\n]+['"])/gm,
    (_, names: string, from: string) =>
      `const ${names.replace(/^\*\s+as\s+/, '').replaceAll(/\bas\b/g, ':')} = ${REQUIRE}(${from})`,
  )
}

/** What is wrong in a source, without running it; `null` for nothing. */
export function syntaxError(source: string): SyntaxError | null {
  try {
    compile([], source, 'cell.js')
    return null
  } catch (error) {
    return error instanceof SyntaxError ? error : null
  }
}

/**
 * The source as a script that does nothing, for platforms that tell where an error in a script is:
 * there it is a line further down.
 */
export function scriptOf(source: string): string {
  return `(async()=>{\n${withoutImports(source)}\n})`
}

/** `TypeError: x is not a function (line 3, column 5)`. */
function faultText(error: unknown, file: string): string {
  if (!(error instanceof Error)) return `thrown: ${shown(error)}`
  const place = placeIn(error.stack ?? '', file)
  const where = place === null ? '' : ` (line ${place.line - headerLines() - 1}, column ${place.column})`
  return `${error.name}: ${error.message}${where}`
}

function placeIn(stack: string, file: string): { line: number; column: number } | null {
  const match = new RegExp(`${file.replaceAll('.', '\\.')}:(\\d+):(\\d+)`).exec(stack)
  return match === null ? null : { line: Number(match[1]), column: Number(match[2]) }
}

let header = -1

/** Lines that the platform has in front of the body of a function made of text. */
function headerLines(): number {
  if (header < 0) {
    const stack: string = new Function('return new Error().stack\n//# sourceURL=probe.js')()
    header = (placeIn(stack, 'probe.js')?.line ?? 1) - 1
  }
  return header
}

/** A value as it is printed. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value instanceof Uint8Array) {
    const bytes = [...value.subarray(0, 50)].map((byte) => byte.toString(16).padStart(2, '0'))
    return `<${BYTES} ${bytes.join(' ')}${value.length > 50 ? ` … ${value.length} bytes` : ''}>`
  }
  if (typeof value === 'object' && value !== null) {
    try {
      return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each))
    } catch {
      return String(value)
    }
  }
  return typeof value === 'bigint' ? `${value}n` : String(value)
}
