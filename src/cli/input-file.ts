/** Files that a command reads. */
import { readFileSync } from 'node:fs'

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
    const { code = '', message } = error as NodeJS.ErrnoException
    const reason = REASONS[code] === undefined ? message : `${REASONS[code]} (${code})`
    throw new Error(`cannot read ${path}: ${reason}`, { cause: error })
  }
}
