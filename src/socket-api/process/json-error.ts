/** Where a text stops being JSON (RFC 8259): JSON.parse says so for some errors, on some Nodes. */

const SPACE = /[ \t\n\r]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: a string of JSON has none
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

/** Line and column, both from 1, of the first character that is not JSON; `null` for JSON. */
export function jsonError(text: string): { line: number; column: number } | null {
  const at = new Reader(text).firstError()
  if (at < 0) return null
  const before = text.slice(0, at).split('\n')
  return { line: before.length, column: (before.at(-1) as string).length + 1 }
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Offset of the first error; -1 when there is none. */
  firstError(): number {
    return this.#value() && this.#at === this.#text.length ? -1 : this.#at
  }

  #value(): boolean {
    this.#take(SPACE)
    const found =
      this.#take('{') !== ''
        ? this.#list('}', () => this.#string() && this.#take(':') !== '' && this.#value())
        : this.#take('[') !== ''
          ? this.#list(']', () => this.#value())
          : this.#string() || this.#take(NUMBER) !== '' || this.#take(WORD) !== ''
    if (found) this.#take(SPACE)
    return found
  }

  /** What is between brackets, and the closing one. */
  #list(end: string, element: () => boolean): boolean {
    this.#take(SPACE)
    if (this.#take(end) !== '') return true
    while (element()) {
      if (this.#take(end) !== '') return true
      if (this.#take(',') === '') return false
    }
    return false
  }

  #string(): boolean {
    this.#take(SPACE)
    const found = this.#take(STRING) !== ''
    if (found) this.#take(SPACE)
    return found
  }

  /** Takes what is next, if it is that. */
  #take(what: string | RegExp): string {
    let found = ''
    if (typeof what === 'string') found = this.#text.startsWith(what, this.#at) ? what : ''
    else {
      what.lastIndex = this.#at
      found = what.exec(this.#text)?.[0] ?? ''
    }
    this.#at += found.length
    return found
  }
}
