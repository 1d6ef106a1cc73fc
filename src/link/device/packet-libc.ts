/** The calls of the C library that a packet socket needs besides those of `tun-libc.ts`. */
import { loadLibc } from './tun-libc.ts'

export interface PacketLibc {
  setsockopt(fd: number, level: number, name: number, value: Uint8Array | Int32Array, length: number): number
  getsockopt(fd: number, level: number, name: number, value: Uint8Array | Int32Array, length: Uint32Array): number
  /** The address of the memory, or -1. */
  mmap(address: number, length: number, protection: number, flags: number, fd: number, offset: number): number
  munmap(address: number, length: number): number
  /** `messages` is the address of `count` mmsghdr; returns how many were sent, or -1. */
  sendmmsg(fd: number, messages: number, count: number, flags: number): number
  /** Reads into memory by its address. */
  recvInto(fd: number, address: number, length: number, flags: number): number
  /** Memory that is not JavaScript's own: not to be touched once it is unmapped. */
  viewOf(address: number, length: number): ArrayBuffer
}

let loaded: PacketLibc | null = null

/** @throws {Error} as {@link loadLibc} */
export function loadPacketLibc(): PacketLibc {
  if (loaded !== null) return loaded
  const { koffi, library } = loadLibc()
  loaded = {
    setsockopt: library.func('int setsockopt(int fd, int level, int name, void *value, uint length)'),
    getsockopt: library.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
    mmap: library.func('mmap', 'intptr_t', ['intptr_t', 'size_t', 'int', 'int', 'int', 'intptr_t']),
    munmap: library.func('munmap', 'int', ['intptr_t', 'size_t']),
    sendmmsg: library.func('sendmmsg', 'int', ['int', 'intptr_t', 'uint', 'int']),
    recvInto: library.func('recv', 'intptr_t', ['int', 'intptr_t', 'size_t', 'int']),
    viewOf: (address, length) => koffi.view(address, length),
  }
  return loaded
}
