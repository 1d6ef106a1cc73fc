/** What is typed becomes the document after a pause; a document from elsewhere takes its place. */

/** Milliseconds of silence before what was typed is run. */
const PAUSE = 250

export class Typing {
  /** The document as the editor knows it: shown last, or written last. */
  #known: string
  #typed: string | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #write: (text: string) => void

  /** `write` makes a text the document. */
  constructor(document: string, write: (text: string) => void) {
    this.#known = document
    this.#write = write
  }

  typed(text: string): void {
    clearTimeout(this.#timer)
    this.#typed = text
    this.#timer = setTimeout(() => this.end(), PAUSE)
  }

  /** Whether the document is another than what was typed here, which is then forgotten: it has to be shown. */
  isOther(document: string): boolean {
    if (document === this.#known) return false
    clearTimeout(this.#timer)
    this.#typed = null
    this.#known = document
    return true
  }

  /** Writes at once what waits for the end of the pause. */
  end(): void {
    clearTimeout(this.#timer)
    if (this.#typed === null) return
    this.#known = this.#typed
    this.#typed = null
    this.#write(this.#known)
  }
}
