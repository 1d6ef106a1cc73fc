/**
 * The files of `--capture`: one that cannot be written any more is told at once, the command goes
 * on without it, and ends with exit code 1.
 */
import { type CaptureFile, FileSink, openCaptureFile } from '../link/capture/capture-file.ts'
import { complain } from './output.ts'

const failed = (error: Error) => complain(`${error.message} The command goes on without it.`)

/** For links. @throws {Error} when the file cannot be opened */
export function openCapture(path: string): CaptureFile {
  return openCaptureFile(path, { onError: failed })
}

/** For a network, which makes the bytes itself. @throws {Error} when the file cannot be opened */
export function openCaptureSink(path: string): FileSink {
  return new FileSink(path, failed)
}
