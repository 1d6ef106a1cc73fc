/** Files that a command reads. */
import { createReadStream, readFileSync } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'no permission',
}

/** The bytes of a file. @throws {Error} that names it, and why it cannot be read */
export function readInputFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** Bytes of a piece: large enough for speed, small enough for memory. */
const PIECE = 1 << 16

/**
 * The bytes of a file in pieces, of standard input for `-`; what gzip has packed is unpacked. It
 * ends early when `until` is settled.
 * @throws {Error} that names the file, and why it cannot be read
 */
export async function* readPieces(path: string, until: Promise<unknown>): AsyncGenerator<Buffer, void> {
  const source: Readable = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: PIECE })
  let stopped = false
  void until.then(() => {
    stopped = true
    source.destroy()
  })
  const name = path === '-' ? 'standard input' : path
  try {
    const begun = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const first = await atLeastTwo(begun)
    if (first.length >= 2 && first.readUInt16BE(0) === 0x1f8b) {
      // Another stream reads on: what was read goes in front.
      const unpacked = createGunzip({ chunkSize: PIECE })
      pipeline(again(first, begun), unpacked, () => {})
      yield* unpacked as AsyncIterable<Buffer>
      return
    }
    yield first
    yield* { [Symbol.asyncIterator]: () => begun }
  } catch (error) {
    if (!stopped) throw unreadable(name, error)
  } finally {
    source.destroy()
  }
}

async function atLeastTwo(pieces: AsyncIterator<Buffer>): Promise<Buffer> {
  let first: Buffer = Buffer.alloc(0)
  while (first.length < 2) {
    const { value, done } = await pieces.next()
    if (done === true) break
    first = first.length === 0 ? value : Buffer.concat([first, value])
  }
  return first
}

async function* again(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void> {
  yield first
  yield* { [Symbol.asyncIterator]: () => rest }
}

function unreadable(path: string, error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException
  const reason = REASONS[code] === undefined ? message : `${REASONS[code]} (${code})`
  return new Error(`cannot read ${path}: ${reason}`, { cause: error })
}
