/**
 * Splits what a program prints into lines; a carriage return alone, as of a progress bar, ends one
 * too.
 */
import { StringDecoder } from 'node:string_decoder'

/** A line that does not end is passed on in pieces of so many characters. */
const LONGEST = 1 << 16

export class TextLines {
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''

  /** The lines that are complete now. */
  add(bytes: Buffer): string[] {
    const pieces = (this.#rest + this.#decoder.write(bytes)).split(/\r*\n|\r+(?=[^\n\r])/)
    let rest = pieces.pop() as string
    for (; rest.length > LONGEST; rest = rest.slice(LONGEST)) pieces.push(rest.slice(0, LONGEST))
    this.#rest = rest
    return pieces
  }

  /** What came after the last line. */
  end(): string {
    const rest = (this.#rest + this.#decoder.end()).replace(/\r+$/, '')
    this.#rest = ''
    return rest
  }
}
