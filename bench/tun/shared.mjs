/**
 * Numbers that two processes see: a page of a temporary file, mapped by both. No message is needed
 * to follow the other side's progress.
 */
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import koffi from 'koffi'

const PROT_READ_WRITE = 3
const MAP_SHARED = 1
const PAGE = 4096

const libc = koffi.load(null)
const mmap = libc.func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, long offset)')

/** In slot 1: the server stands still; the client has sent its burst. */
export const STANDING = 1
export const SENT = 2

/** A Float64Array of one page. Slot 0: what the server has received. */
export function mapShared(path) {
  const fd = openSync(path, 'a+')
  ftruncateSync(fd, PAGE)
  const address = mmap(null, PAGE, PROT_READ_WRITE, MAP_SHARED, fd, 0)
  closeSync(fd)
  return new Float64Array(koffi.view(address, PAGE))
}
