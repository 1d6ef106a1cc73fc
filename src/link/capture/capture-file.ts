import { closeSync, openSync, writeSync } from 'node:fs'
import type { Link } from '../link.ts'
import { Capture, type CapturedLink, type CapturedLinkOptions, type CaptureOptions } from './capture.ts'

const BUFFER = 64 * 1024
/**
 * Milliseconds after which buffered bytes are in the file, so that it can be read while it grows.
 */
const FLUSH_AFTER = 250

/**
 * Bytes into a file, buffered: a full disk ends the writing and nothing else, and is told when it
 * happens.
 */
export class FileSink {
  readonly path: string
  readonly #failed: (error: Error) => void
  readonly #buffer = new Uint8Array(BUFFER)
  #used = 0
  #descriptor: number
  #error: Error | null = null
  #timer: NodeJS.Timeout | null = null
  readonly #atExit = () => this.flush()

  /**
   * Creates the file, or empties it. `failed` is called once, with what ended the writing.
   * @throws {Error} with `code` and the path, when the file cannot be opened
   */
  constructor(path: string, failed: (error: Error) => void) {
    this.path = path
    this.#failed = failed
    try {
      this.#descriptor = openSync(path, 'w')
    } catch (error) {
      throw explain('open', path, error)
    }
    process.on('exit', this.#atExit)
  }

  /** What ended the writing. */
  get error(): Error | null {
    return this.#error
  }

  write(chunk: Uint8Array): void {
    if (this.#descriptor < 0 || this.#error !== null) return
    if (this.#used + chunk.length > BUFFER) this.flush()
    if (chunk.length > BUFFER) {
      this.#writeOut(chunk, chunk.length)
      return
    }
    this.#buffer.set(chunk, this.#used)
    this.#used += chunk.length
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_AFTER).unref()
  }

  /** Writes what is buffered. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const used = this.#used
    this.#used = 0
    if (this.#descriptor >= 0) this.#writeOut(this.#buffer, used)
  }

  /** Writes what is buffered and closes the file. Safe to call twice. */
  close(): void {
    if (this.#descriptor < 0) return
    this.flush()
    process.off('exit', this.#atExit)
    const descriptor = this.#descriptor
    this.#descriptor = -1
    try {
      closeSync(descriptor)
    } catch (error) {
      this.#fail(error)
    }
  }

  #writeOut(bytes: Uint8Array, length: number): void {
    if (this.#error !== null) return
    try {
      for (let at = 0; at < length; ) at += writeSync(this.#descriptor, bytes, at, length - at)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#error !== null) return
    this.#error = explain('write', this.path, error)
    this.#failed(this.#error)
  }
}

export interface CaptureFileOptions extends CaptureOptions {
  /**
   * Called once, when the file can no longer be written; capturing then stops and packets pass on.
   * Without it `close` throws the error.
   */
  onError?: (error: Error) => void
}

/**
 * A pcapng file that any number of links write to. What was captured is in the file after `close`,
 * and when the process exits.
 */
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
   * Writes what is buffered and closes the file; frames of links that stay open are no longer
   * written. Safe to call twice.
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

const REASONS: Record<string, string> = {
  EACCES: 'no permission',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOENT: 'the folder does not exist',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is too large',
  EMFILE: 'too many files are open',
  EIO: 'the device failed',
}

function explain(operation: 'open' | 'write', path: string, cause: unknown): Error {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  const reason = REASONS[code] === undefined ? String((cause as Error).message) : `${REASONS[code]} (${code})`
  return Object.assign(new Error(`Cannot ${operation} the capture file ${path}: ${reason}.`, { cause }), { code })
}
