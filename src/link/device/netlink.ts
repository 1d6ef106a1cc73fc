/**
 * rtnetlink's messages and the exchange of one (rtnetlink(7), netlink(7)), so that no `ip` program
 * is needed.
 *
 * One short-lived socket per request; the kernel answers before `send` returns, so nothing waits.
 */
import { closeSync } from 'node:fs'
import { endianness } from 'node:os'
import { openOwned } from './tun-descriptor.ts'
import { type Libc, systemError } from './tun-libc.ts'

/** Whether the machine's byte order, which is netlink's, is little-endian. */
export const LITTLE = endianness() === 'LE'

export const AF_NETLINK = 16
export const SOCK_RAW = 3
export const SOCK_CLOEXEC = 0o2000000
export const NETLINK_ROUTE = 0

// struct nlmsghdr: length u32, type u16, flags u16, sequence u32, port u32
export const HEADER = 16
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_REQUEST = 0x1
export const NLM_F_ACK = 0x4
export const NLM_F_DUMP = 0x300
export const NLM_F_REPLACE = 0x100
export const NLM_F_CREATE = 0x400

export type Attribute = readonly [type: number, value: Uint8Array]

/**
 * Header, fixed part, attributes; each attribute is length u16, type u16, value, padded to 4 bytes.
 */
export function encode(type: number, flags: number, fixed: Uint8Array, attributes: Attribute[]): Uint8Array {
  const length = attributes.reduce((total, [, value]) => total + 4 + align(value.length), HEADER + fixed.length)
  const bytes = new Uint8Array(length)
  const view = viewOf(bytes)
  view.setUint32(0, length, LITTLE)
  view.setUint16(4, type, LITTLE)
  view.setUint16(6, flags | NLM_F_REQUEST, LITTLE)
  bytes.set(fixed, HEADER)
  let at = HEADER + fixed.length
  for (const [attribute, value] of attributes) {
    view.setUint16(at, 4 + value.length, LITTLE)
    view.setUint16(at + 2, attribute, LITTLE)
    bytes.set(value, at + 4)
    at += 4 + align(value.length)
  }
  return bytes
}

export function readAttributes(bytes: Uint8Array, start: number): Map<number, Uint8Array> {
  const view = viewOf(bytes)
  const attributes = new Map<number, Uint8Array>()
  for (let at = start; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, LITTLE)
    if (length < 4) break
    // The two top bits are flags (nested, byte order).
    attributes.set(view.getUint16(at + 2, LITTLE) & 0x3fff, bytes.subarray(at + 4, at + length))
    at += align(length)
  }
  return attributes
}

/** Sends one message and returns the bodies (behind the message header) of what came back. */
export function request(libc: Libc, message: Uint8Array, purpose: string): Uint8Array[] {
  const fail = (errno: number, syscall: string) => systemError(errno, syscall, `The kernel refused to ${purpose}.`)
  const open = () => libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)
  const fd = openOwned(libc, 'socket', `The kernel cannot be asked to ${purpose}`, open)
  try {
    if (libc.send(fd, message, message.length, 0) < 0) throw fail(libc.errno(), 'send')
    const flags = viewOf(message).getUint16(6, LITTLE)
    const replies: Uint8Array[] = []
    for (;;) {
      const buffer = new Uint8Array(65_536)
      const received = libc.recv(fd, buffer, buffer.length, 0)
      if (received < 0) throw fail(libc.errno(), 'recv')
      const view = viewOf(buffer)
      for (let at = 0; at + HEADER <= received; at += align(view.getUint32(at, LITTLE))) {
        const type = view.getUint16(at + 4, LITTLE)
        if (type === NLMSG_DONE) return replies
        if (type === NLMSG_ERROR) {
          const errno = -view.getInt32(at + HEADER, LITTLE)
          if (errno !== 0) throw fail(errno, 'rtnetlink')
          return replies
        }
        replies.push(buffer.subarray(at + HEADER, at + view.getUint32(at, LITTLE)))
      }
      if ((flags & (NLM_F_ACK | NLM_F_DUMP)) === 0) return replies
    }
  } finally {
    closeSync(fd)
  }
}

export function align(length: number): number {
  return (length + 3) & ~3
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  viewOf(bytes).setUint32(0, value, LITTLE)
  return bytes
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`)
}

export function untext(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes).replace(/\0.*$/s, '')
}
