/** The messages of a socket one by one: what `for await` reads. */
import type { Message } from '../dgram/types.ts'
import type { Inbox, Reader } from './inbox.ts'

/** What an iterator needs of its socket. */
export interface IteratedReader extends Reader {
  readonly inbox: Inbox | null
  readonly closed: boolean
  /** Called when a message waits or the socket closes; `null` while no iterator reads. */
  iterator: (() => void) | null
}

interface Waiting {
  resolve(result: IteratorResult<Message>): void
  reject(error: Error): void
}

/** Takes a socket's messages one by one, instead of its 'message' events. */
export class MessageIterator implements AsyncIterableIterator<Message> {
  readonly #reader: IteratedReader
  readonly #waiting: Waiting[] = []
  #error: Error | null = null
  #done = false
  #advancing = false
  readonly #failed = (error: Error) => {
    this.#error = error
    this.#advance()
  }

  /** @throws {Error} when another iterator reads */
  constructor(reader: IteratedReader) {
    if (reader.iterator !== null) throw new Error('The messages of this socket are being iterated already.')
    this.#reader = reader
    reader.iterator = () => this.#advance()
    reader.socket.on('error', this.#failed)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Message>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#advance()
    })
  }

  return(): Promise<IteratorResult<Message>> {
    this.#finish()
    return Promise.resolve({ value: undefined, done: true })
  }

  /**
   * Serves the reads that wait. Taking a message may emit events, whose listeners may come back
   * here.
   */
  #advance(): void {
    if (this.#advancing) return
    this.#advancing = true
    while (this.#waiting.length > 0) {
      const message = this.#done ? null : (this.#reader.inbox?.take(this.#reader) ?? null)
      if (message === null && this.#error === null && !this.#reader.closed && !this.#done) break
      const { resolve, reject } = this.#waiting.shift() as Waiting
      if (message !== null) resolve({ value: message, done: false })
      else {
        const error = this.#error
        this.#error = null
        this.#finish()
        if (error === null) resolve({ value: undefined, done: true })
        else reject(error)
      }
    }
    this.#advancing = false
  }

  /** Messages are events again. */
  #finish(): void {
    if (this.#done) return
    this.#done = true
    this.#reader.iterator = null
    this.#reader.socket.removeListener('error', this.#failed)
    this.#advance()
    if (!this.#reader.closed) this.#reader.inbox?.later()
  }
}
