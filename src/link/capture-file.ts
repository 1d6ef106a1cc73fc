import { Capture, type CapturedLink, type CapturedLinkOptions, type CaptureOptions } from './capture.ts'
import { FileSink } from './file-sink.ts'
import type { Link } from './link.ts'

export interface CaptureFileOptions extends CaptureOptions {
  /** Called once, when the file can no longer be written; capturing then stops and packets pass on. Without it `close` throws the error. */
  onError?: (error: Error) => void
}

/** A pcapng file that any number of links write to. What was captured is in the file after `close`, and when the process exits. */
export class CaptureFile {
  readonly path: string
  readonly #capture: Capture
  readonly #onError: ((error: Error) => void) | undefined
  readonly #sink: FileSink
  #closed = false

  /** Creates the file, or empties it. See {@link openCaptureFile}. */
  constructor(path: string, options: CaptureFileOptions = {}) {
    this.path = path
    this.#onError = options.onError
    this.#sink = new FileSink(path, (error) => this.#onError?.(error))
    this.#capture = new Capture((chunk) => this.#sink.write(chunk), options)
  }

  /** A link around `inner` whose frames are written; see {@link Capture.link}. */
  capture(inner: Link, options?: CapturedLinkOptions): CapturedLink {
    return this.#capture.link(inner, options)
  }

  /** Writes what is buffered. */
  flush(): void {
    this.#sink.flush()
  }

  /**
   * Writes what is buffered and closes the file; frames of links that stay open are no longer written. Safe to call twice.
   * @throws {Error} the error that stopped the writing, unless `onError` had it
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#sink.close()
    if (this.#sink.error !== null && this.#onError === undefined) throw this.#sink.error
  }
}

/**
 * Opens a pcapng file for writing; an existing one is replaced.
 * @throws {Error} with `code` and the path, when the file cannot be opened
 */
export function openCaptureFile(path: string, options?: CaptureFileOptions): CaptureFile {
  return new CaptureFile(path, options)
}
