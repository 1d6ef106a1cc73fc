/**
 * The C library through koffi: the few calls that a TUN device needs and Node does not have.
 *
 * koffi is loaded at the first use, so that a program which only uses in-memory links runs where
 * there is no koffi.
 *
 * The calls of the packet path take an address as a plain number instead of a `subarray`: 0.12 µs
 * less, of a write of 2.4 µs and a read of 1.0 µs (Node 20, `bench/device-calls.mjs`). Whoever
 * passes an address holds the buffer behind it.
 */
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { type ForeignLibrary, type Koffi, loadKoffi } from './koffi.ts'

export interface Libc {
  readonly koffi: Koffi
  /** Where koffi is, for a worker thread that loads it too. */
  readonly koffiPath: string
  /** The C library together with everything else the process exports, libuv among it. */
  readonly library: ForeignLibrary
  read(fd: number, address: number, length: number): number
  write(fd: number, address: number, length: number): number
  ioctl(fd: number, request: number, argument: Uint8Array): number
  ioctlValue(fd: number, request: number, value: number): number
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  setns(fd: number, kind: number): number
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number
  close(fd: number): number
  dup3(from: number, to: number, flags: number): number
  /** Of the last call that returned -1; a positive number. */
  errno(): number
  /** The address of the first byte; it stays while the array's buffer is alive. */
  addressOf(bytes: Uint8Array): number
}

let loaded: Libc | null = null

/** @throws {Error} `ENOTSUP` when this is not Linux, `ERR_TUN_NO_KOFFI` when koffi does not load */
export function loadLibc(): Libc {
  if (loaded === null) loaded = load()
  return loaded
}

function load(): Libc {
  if (process.platform !== 'linux') {
    throw codedError(
      'ENOTSUP',
      `TUN and TAP devices and packet sockets need Linux, this is ${process.platform}. The in-memory links (segment, ` +
        'loopback) work here. For real packets: WSL2 or a virtual machine with Linux; a utun or wintun device of ' +
        '@xiaobaidadada/node-tuntap2-wintun with fromTuntap2 (untested); or a link of your own that joins a Linux ' +
        'machine, by VXLAN for example.',
    )
  }
  try {
    const { koffi, path } = loadKoffi()
    const library = koffi.load(null)
    const ioctl = library.func('ioctl', 'int', ['int', 'ulong', '...'])
    return {
      koffi,
      koffiPath: path,
      library,
      read: library.func('read', 'intptr_t', ['int', 'intptr_t', 'size_t']),
      write: library.func('write', 'intptr_t', ['int', 'intptr_t', 'size_t']),
      ioctl: (fd, request, argument) => ioctl(fd, request, 'void *', argument),
      ioctlValue: (fd, request, value) => ioctl(fd, request, 'ulong', value),
      socket: library.func('int socket(int domain, int type, int protocol)'),
      bind: library.func('int bind(int fd, void *address, uint length)'),
      setns: library.func('int setns(int fd, int kind)'),
      send: library.func('send', 'intptr_t', ['int', 'void *', 'size_t', 'int']),
      recv: library.func('recv', 'intptr_t', ['int', 'void *', 'size_t', 'int']),
      close: library.func('int close(int fd)'),
      dup3: library.func('int dup3(int oldfd, int newfd, int flags)'),
      errno: () => koffi.errno(),
      addressOf: (bytes) => Number(koffi.address(bytes)),
    }
  } catch (cause) {
    throw codedError(
      'ERR_TUN_NO_KOFFI',
      `The package 'koffi', through which the device is driven, does not load here: ` +
        `${(cause as Error).message.split('\n')[0]}. Install it for this platform (npm install koffi; a package ` +
        'manager that was told to omit optional dependencies leaves it out); the in-memory links work without it.',
      { cause },
    )
  }
}

/**
 * As {@link https://man7.org/linux/man-pages/man3/errno.3.html errno(3)}; the same number on all
 * architectures that koffi has binaries for.
 */
export const EBADFD = 77

export const {
  EACCES,
  EAGAIN,
  EBUSY,
  EINTR,
  EINVAL,
  EIO,
  ENETDOWN,
  ENOBUFS,
  ENODEV,
  ENOENT,
  ENOMEM,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
} = constants.errno

const CLONE_NEWNET = 0x40000000

/**
 * Calls `body` with this thread in another network namespace, of which `namespace` is a descriptor;
 * below 0 where it is. Sockets stay in the namespace in which they were opened.
 * @throws {Error} with the kernel's `code`: `EPERM` without CAP_SYS_ADMIN
 */
export function inNamespace<T>(libc: Libc, namespace: number, body: () => T): T {
  if (namespace < 0) return body()
  const home = openSync('/proc/thread-self/ns/net', 'r')
  const enter = (fd: number) => {
    if (libc.setns(fd, CLONE_NEWNET) < 0)
      throw systemError(libc.errno(), 'setns', 'The network namespace cannot be entered.')
  }
  try {
    enter(namespace)
    try {
      return body()
    } finally {
      enter(home)
    }
  } finally {
    closeSync(home)
  }
}

/** An Error with a `code`. */
export function codedError(code: string, message: string, options?: ErrorOptions): Error & { code: string } {
  return Object.assign(new Error(message, options), { code })
}

/** An Error as Node makes it for a failed system call: `code`, negative `errno`, `syscall`. */
export function systemError(errno: number, syscall: string, message: string): Error & { code: string } {
  return Object.assign(codedError(errnoName(errno), message), { errno: -errno, syscall })
}

export function errnoName(errno: number): string {
  return errno === EBADFD ? 'EBADFD' : getSystemErrorName(-errno)
}
